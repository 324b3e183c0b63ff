"""Material from outside may be anything: it is refused with a reason, and nothing else ever happens."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.signatures.authority import Issued, issue, new_key, public_pem, sign, spki
from tests.signatures.cast import cast
from tests.signatures.cosign import Layer, b64, prove, tree_root
from tests.signatures.notation import cbor as encode_cbor
from tests.signatures.shelf import Recorded, Shelf
from tests.signatures.test_verify_images import judge, pod

from bartizan.engines.policy.signatures import cbor
from bartizan.engines.policy.signatures.certificates import build_chain, read_der
from bartizan.engines.policy.signatures.certificates import read_certificates as read_pem
from bartizan.engines.policy.signatures.decoding import MAX_BYTES, MAX_DEPTH, decode_json
from bartizan.engines.policy.signatures.manifest import layers_of, manifests_in
from bartizan.engines.policy.signatures.refusal import RefusedError
from bartizan.engines.policy.signatures.transparency import Proof, check_inclusion, read_claims
from bartizan.engines.policy.signatures.trust import log_from_pem, read_trusted_root
from bartizan.model.outcome import Broken, Failed, Passed

if TYPE_CHECKING:
    from bartizan.base.json import Json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**70) | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
KEYS = (
    "dev.cosignproject.cosign/signature",
    "dev.sigstore.cosign/certificate",
    "dev.sigstore.cosign/chain",
    "dev.sigstore.cosign/bundle",
    "dev.sigstore.cosign/rfc3161timestamp",
)
PIECES = st.one_of(st.binary(max_size=60), JSON.map(lambda value: json.dumps(value).encode()))


@lru_cache(maxsize=1)
def entries() -> dict[str, dict[str, Any]]:
    """An entry for each way to verify."""
    keyless = {"attestors": [{"entries": [{"keyless": {"subject": "*", "issuer": "*", "rekor": {"url": "u"}}}]}]}
    stamped = {
        "publicKeys": "$alice;",
        "rekor": {"url": "u", "ignoreTlog": True},
        "ctlog": {"tsaCertChain": cast().company.pem},
    }
    key = {"attestors": [{"entries": [{"keys": stamped}]}]}
    company = {"attestors": [{"entries": [{"certificates": {"cert": "$company;"}}]}]}
    attested = {"attestations": [{"type": "t", "attestors": keyless["attestors"]}]}
    every = {
        "keyless": keyless,
        "key": key,
        "attested": attested,
        "bundle": {**keyless, "type": "SigstoreBundle"},
        "bundle with a key": {**key, "type": "SigstoreBundle"},
        "notary": {**company, "type": "Notary"},
    }
    filled: dict[str, dict[str, Any]] = cast().fill(every)
    return filled


def refuse(shelf: Shelf) -> None:
    """Judge a shelf in every way: none passes, and none raises."""
    lookup = Recorded(shelf, cast().sigstore.trusted_root())
    for name, entry in entries().items():
        outcome = judge(entry, pod("registry.example.com/app:v1"), lookup)
        assert isinstance(outcome, Failed | Broken), (name, outcome)


@given(PIECES, st.dictionaries(st.sampled_from(KEYS), PIECES.map(lambda data: data.decode(errors="replace"))))
def test_any_bytes_in_a_layer_are_refused(payload: bytes, annotations: dict[str, str]) -> None:
    """A layer of any payload and annotations verifies nothing, and breaks nothing."""
    layer = Layer(payload, annotations)
    refuse(Shelf(signatures=[layer], attestations=[layer]))


@given(PIECES, st.sampled_from(["application/jose+json", "application/cose", "text/plain"]))
def test_any_bytes_in_a_bundle_or_envelope_are_refused(data: bytes, kind: str) -> None:
    """A bundle or envelope of any bytes verifies nothing, and breaks nothing."""
    refuse(Shelf(bundles=[data], envelopes=[(kind, data)]))


@lru_cache(maxsize=1)
def good() -> Shelf:
    """One of everything, all good."""
    holds: list[dict[str, Any]] = [
        {"signature": {"by": "ci", "logged": True}},
        {"attestation": {"by": "ci", "logged": True, "type": "t"}},
        {"bundle": {"by": "ci", "logged": True}},
        {"notary": {"by": "holder"}},
        {"notary": {"by": "holder", "form": "cose"}},
    ]
    return cast().shelf(holds)


@given(st.data())
def test_one_changed_byte_never_breaks_the_verifier(data: st.DataObject) -> None:
    """Whatever byte of good material is changed, there is a verdict.

    It may still be a pass, where the byte was in no part that is signed.
    """
    shelf = good()

    def spoil(text: bytes) -> bytes:
        at = data.draw(st.integers(0, len(text) - 1))
        return text[:at] + bytes([data.draw(st.integers(0, 255))]) + text[at + 1 :]

    def spoil_layer(layer: Layer) -> Layer:
        key = data.draw(st.sampled_from(sorted(layer.annotations)))
        text = layer.annotations[key].encode() or b" "
        return Layer(layer.payload, {**layer.annotations, key: spoil(text).decode(errors="replace")})

    changed = replace(
        shelf,
        signatures=[spoil_layer(one) for one in shelf.signatures],
        attestations=[spoil_layer(one) for one in shelf.attestations],
        bundles=[spoil(one) for one in shelf.bundles],
        envelopes=[(kind, spoil(one)) for kind, one in shelf.envelopes],
    )
    lookup = Recorded(changed, cast().sigstore.trusted_root())
    for entry in entries().values():
        assert isinstance(judge(entry, pod("registry.example.com/app:v1"), lookup), Failed | Broken | Passed)


@given(st.data())
def test_one_changed_byte_of_what_was_signed_is_refused(data: st.DataObject) -> None:
    """No byte of a signed payload can be changed."""
    shelf = good()

    def spoil(text: bytes) -> bytes:
        at = data.draw(st.integers(0, len(text) - 1))
        return text[:at] + bytes([text[at] ^ data.draw(st.integers(1, 255))]) + text[at + 1 :]

    layers = [Layer(spoil(one.payload), one.annotations) for one in shelf.signatures]
    refuse(Shelf(shelf.image, signatures=layers))


@given(JSON)
def test_any_trusted_root_is_read_or_refused(value: Json) -> None:
    """A trusted root is read, or refused with a reason."""
    for document in (value, {"tlogs": value}, {"certificateAuthorities": [{"certChain": {"certificates": value}}]}):
        try:
            read_trusted_root(document)
        except RefusedError:
            continue


@given(JSON, st.sampled_from(["hashedrekord", "dsse", "intoto"]), st.sampled_from(["0.0.1", "0.0.2"]))
def test_any_log_entry_is_read_or_refused(spec: Json, kind: str, version: str) -> None:
    """A log entry is read, or refused with a reason."""
    body = {
        "kind": kind,
        "apiVersion": version,
        "spec": {"content": spec, "signature": spec, "data": spec, "dsse": spec},
    }
    for document in (spec, {**body, "spec": spec}, body):
        with pytest.raises(RefusedError):
            read_claims(json.dumps(document).encode())


CBOR = st.recursive(
    st.integers(-(2**40), 2**40) | st.binary(max_size=40) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.integers(0, 9) | st.text(max_size=5), inner),
    max_leaves=30,
)


@given(CBOR)
def test_cbor_reads_what_is_written(value: Any) -> None:
    """Reading undoes writing."""
    assert cbor.decode(encode_cbor(value)) == value


@given(st.binary(max_size=80))
def test_cbor_reads_or_refuses(data: bytes) -> None:
    """Any bytes are a value, or refused."""
    try:
        cbor.decode(data)
    except RefusedError:
        return


@given(st.integers(1, 40), st.data())
def test_inclusion_holds_for_every_leaf_of_every_tree(size: int, data: st.DataObject) -> None:
    """The proof of a leaf leads to the root, and that of another index or size does not."""
    from hashlib import sha256

    key = new_key()
    bodies = [bytes([number]) for number in range(size)]
    leaves = [sha256(b"\0" + body).digest() for body in bodies]
    index = data.draw(st.integers(0, size - 1))
    root = tree_root(leaves)
    text = f"log\n{size}\n{b64(root)}\n"
    checkpoint = f"{text}\n\u2014 log {b64(b'1234' + sign(key, text.encode()))}\n"
    proof = Proof(index=index, size=size, root=root, hashes=tuple(prove(index, leaves)), checkpoint=checkpoint)
    logs = log_from_pem(public_pem(key))
    check_inclusion(bodies[index], proof, logs)
    wrong = data.draw(st.integers(0, size + 3).filter(lambda number: number != index))
    with pytest.raises(RefusedError):
        check_inclusion(bodies[index], Proof(wrong, size, root, proof.hashes, checkpoint), logs)
    with pytest.raises(RefusedError):
        check_inclusion(bodies[index], Proof(index, size + 1, root, proof.hashes, checkpoint), logs)


def test_deep_and_large_json_is_refused() -> None:
    with pytest.raises(RefusedError, match="nests deeper"):
        decode_json("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2), "it")
    with pytest.raises(RefusedError, match="is no JSON"):
        decode_json("[" * 100_000, "it")
    with pytest.raises(RefusedError, match="is larger"):
        decode_json(" " * (MAX_BYTES + 1), "it")


def test_a_bomb_in_an_annotation_is_refused() -> None:
    bomb = b64encode(gzip.compress(b"\0" * 50_000_000)).decode()
    with pytest.raises(RefusedError, match="is larger"):
        layers_of({"d/message": bomb, "d/signature": "AAAA"}, "d")
    inner = gzip.compress(gzip.compress(b"\0" * 50_000_000))
    layer = layers_of({"d/message": b64encode(inner).decode(), "d/signature": "AAAA"}, "d")[0]
    with pytest.raises(RefusedError, match="is larger"):
        manifests_in(layer.payload, lambda text: text)


@given(st.binary(max_size=1500))
def test_any_archive_is_read_or_refused(data: bytes) -> None:
    """A message is read, or refused with a reason."""
    packed = gzip.compress(gzip.compress(data + b"\0" * (512 - len(data) % 512)))
    layer = layers_of({"d/message": b64encode(packed).decode(), "d/signature": "AAAA"}, "d")[0]
    try:
        manifests_in(layer.payload, json.loads)
    except RefusedError:
        return


def test_certificates_that_issue_each_other_in_many_ways_end() -> None:
    keys = [new_key() for _ in range(3)]
    crowd = []
    for _ in range(3):
        for key in keys:
            over = issue("same", ca=True, key=keys[0])
            crowd.append(issue("same", over, ca=True, key=key))
    leaf = issue("leaf", crowd[0])
    pem = "".join(one.pem for one in crowd)
    root = read_pem(issue("other", ca=True).pem)
    with pytest.raises(RefusedError):
        build_chain(read_pem(leaf.pem)[0], read_pem(pem), root)


def test_a_log_key_that_is_no_key_is_refused() -> None:
    root = cast().sigstore.trusted_root()
    root["tlogs"][0]["publicKey"]["rawBytes"] = b64(spki(new_key())[:-3])
    with pytest.raises(RefusedError, match="malformed key of a log"):
        read_trusted_root(root)


def test_no_changed_byte_of_a_certificate_is_believed() -> None:
    """Every byte of what an issuer signed, changed one by one."""
    roots = read_pem(cast().texts()["root"])
    signer = cast().signers["ci"]
    assert isinstance(signer, Issued)
    signed = signer.certificate.tbs_certificate_bytes
    start = signer.der.index(signed)
    for at in range(len(signer.der)):
        for change in (0x01, 0x80):
            der = signer.der[:at] + bytes([signer.der[at] ^ change]) + signer.der[at + 1 :]
            try:
                build_chain(read_der(der), [], roots)
            except RefusedError:
                continue
            assert not start <= at < start + len(signed)
