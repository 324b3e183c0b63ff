"""Entries of a transparency log (Rekor), checked without asking the log.

What the log signed is either a promise about one entry, with the time it came
in, or a checkpoint of the whole log, which a proof of inclusion leads to.
What an entry says must be what was signed, by the same key: an entry for
something else proves nothing.

Source: RFC 9162, 2.1.3.2 (inclusion), the signed note of transparency.dev
(checkpoints), and the entry kinds of Rekor 1 and 2.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import msgspec
import orjson

from bartizan.engines.policy.signatures.certificates import read_certificates, read_der
from bartizan.engines.policy.signatures.decoding import as_record, decode_base64, decode_record
from bartizan.engines.policy.signatures.keys import is_signed_by, read_key, spki
from bartizan.engines.policy.signatures.refusal import RefusedError

if TYPE_CHECKING:
    from bartizan.base.json import Json
    from bartizan.engines.policy.signatures.trust import Log, Logs

_MAX_HASHES: Final = 64  # a tree of 2^64 leaves
_MAX_LINES: Final = 32
_DASH: Final = "\u2014 "
"""What a signature's line in a note begins with."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `body` is its canonical JSON; without a promise `integrated` proves nothing."""

    body: bytes
    log_id: bytes
    index: int
    integrated: int
    promise: bytes = b""
    proof: Proof | None = None


class Proof(msgspec.Struct, frozen=True):
    """That an entry is in the tree which the checkpoint is of."""

    index: int
    size: int
    root: bytes
    hashes: tuple[bytes, ...]
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What an entry says: of which bytes, which signatures, by which keys (as DER of the public key).

    `of_envelope` is the SHA-256 of a DSSE envelope as it was stored, and
    `of_payload` that of what was signed; which there are depends on the kind.
    """

    of_payload: bytes | None
    of_envelope: bytes | None
    signatures: frozenset[bytes]
    keys: frozenset[bytes]


def check_entry(entry: Entry, logs: Logs) -> datetime | None:
    """Check that a trusted log has the entry; the time it came in, where the log has signed that.

    Raises:
        RefusedError: no trusted log has signed for it.
    """
    log = next((one for one in logs if one.id == entry.log_id), None)
    if log is None:
        raise RefusedError(f"the transparency log `{entry.log_id.hex()[:16]}` is not one that is trusted")
    if not entry.promise and entry.proof is None:
        raise RefusedError("the log's entry comes without a proof")
    if entry.proof is not None:
        check_inclusion(entry.body, entry.proof, logs)
    if not entry.promise:
        return None
    signed = {
        "body": b64encode(entry.body).decode(),
        "integratedTime": entry.integrated,
        "logID": entry.log_id.hex(),
        "logIndex": entry.index,
    }
    if not is_signed_by(log.key, entry.promise, orjson.dumps(signed, option=orjson.OPT_SORT_KEYS)):
        raise RefusedError("the log did not sign that it has the entry")
    return moment(entry.integrated, log)


def moment(seconds: int, log: Log) -> datetime:
    """The time of an entry, within the time its log is trusted for.

    Raises:
        RefusedError: it is no time, or outside.
    """
    try:
        at = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise RefusedError("the log's entry has no real time") from error
    if not log.span.covers(at):
        raise RefusedError(f"the log was not trusted at the time of the entry, {at:%Y-%m-%d %H:%M:%S}")
    return at


def check_inclusion(body: bytes, proof: Proof, logs: Logs) -> None:
    """Check that the entry is in the tree, and that a trusted log has signed the tree.

    Raises:
        RefusedError: one of them is not so.
    """
    if len(proof.hashes) > _MAX_HASHES or not 0 <= proof.index < proof.size:
        raise RefusedError("the proof of inclusion is malformed")
    if _root(sha256(b"\0" + body).digest(), proof) != proof.root:
        raise RefusedError("the proof of inclusion does not lead to the tree's root")
    text, _, signatures = proof.checkpoint.partition("\n\n")
    lines = text.split("\n")
    if len(lines) < 3 or lines[1] != str(proof.size) or decode_base64(lines[2], "a checkpoint's root") != proof.root:
        raise RefusedError("the checkpoint is of another tree than the proof of inclusion")
    note = f"{text}\n".encode()
    for line in signatures.split("\n")[:_MAX_LINES]:
        if line.startswith(_DASH):
            signature = decode_base64(line.rpartition(" ")[2], "a checkpoint's signature")[4:]
            if any(is_signed_by(log.key, signature, note) for log in logs):
                return
    raise RefusedError("no trusted log has signed the checkpoint")


def _root(leaf: bytes, proof: Proof) -> bytes:
    """The root that the hashes lead to: RFC 9162, 2.1.3.2."""
    number, last, found = proof.index, proof.size - 1, leaf
    for sibling in proof.hashes:
        if last == 0:
            raise RefusedError("the proof of inclusion has too many hashes")
        if number & 1 or number == last:
            found = sha256(b"\1" + sibling + found).digest()
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            found = sha256(b"\1" + found + sibling).digest()
        number, last = number >> 1, last >> 1
    if last:
        raise RefusedError("the proof of inclusion has too few hashes")
    return found


class _Body(msgspec.Struct, frozen=True, rename="camel"):
    kind: str
    api_version: str
    spec: dict[str, Any]


def read_claims(body: bytes) -> Claims:
    """What the entry with this body says.

    Raises:
        RefusedError: it is malformed, or of a kind that is not about signatures.
    """
    read = decode_record(body, _Body, "the log's entry")
    reader = _KINDS.get((read.kind, read.api_version))
    if reader is None:
        raise RefusedError(f"log entries of kind `{read.kind}` `{read.api_version}` are not understood")
    try:
        return reader(read.spec)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise RefusedError(f"the log's entry of kind `{read.kind}` is malformed") from error


def _hashed(spec: dict[str, Any]) -> Claims:
    signature = spec["signature"]
    return Claims(
        of_payload=_hex(spec["data"]["hash"]),
        of_envelope=None,
        signatures=frozenset({_bytes(signature["content"])}),
        keys=frozenset({_key(_bytes(signature["publicKey"]["content"]))}),
    )


def _dsse(spec: dict[str, Any]) -> Claims:
    signatures = spec["signatures"]
    return Claims(
        of_payload=_hex(spec["payloadHash"]),
        of_envelope=_hex(spec["envelopeHash"]),
        signatures=frozenset(_bytes(one["signature"]) for one in signatures),
        keys=frozenset(_key(_bytes(one["verifier"])) for one in signatures),
    )


def _intoto_1(spec: dict[str, Any]) -> Claims:
    content = spec["content"]
    payload = content.get("payloadHash")
    return Claims(
        of_payload=_hex(payload) if payload else None,
        of_envelope=_hex(content["hash"]),
        signatures=frozenset(),
        keys=frozenset({_key(_bytes(spec["publicKey"]))}),
    )


def _intoto_2(spec: dict[str, Any]) -> Claims:
    content = spec["content"]
    signatures = content["envelope"]["signatures"]
    return Claims(
        of_payload=_hex(content["payloadHash"]) if content.get("payloadHash") else None,
        of_envelope=_hex(content["hash"]),
        # a signature is base64 of base64 here, as the first writer had it
        signatures=frozenset(_bytes(_bytes(one["sig"]).decode(errors="replace")) for one in signatures),
        keys=frozenset(_key(_bytes(one["publicKey"])) for one in signatures),
    )


def _hashed_2(spec: dict[str, Any]) -> Claims:
    record = spec["hashedRekordV002"]
    return Claims(
        of_payload=_digest(record["data"]),
        of_envelope=None,
        signatures=frozenset({_bytes(record["signature"]["content"])}),
        keys=frozenset({_verifier(record["signature"]["verifier"])}),
    )


def _dsse_2(spec: dict[str, Any]) -> Claims:
    record = spec["dsseV002"]
    return Claims(
        of_payload=_digest(record["payloadHash"]),
        of_envelope=None,
        signatures=frozenset(_bytes(one["content"]) for one in record["signatures"]),
        keys=frozenset(_verifier(one["verifier"]) for one in record["signatures"]),
    )


_KINDS: Final = {
    ("hashedrekord", "0.0.1"): _hashed,
    ("hashedrekord", "0.0.2"): _hashed_2,
    ("dsse", "0.0.1"): _dsse,
    ("dsse", "0.0.2"): _dsse_2,
    ("intoto", "0.0.1"): _intoto_1,
    ("intoto", "0.0.2"): _intoto_2,
}


def _hex(value: dict[str, Any]) -> bytes:
    if value["algorithm"] != "sha256":
        raise RefusedError(f"the log's entry is of algorithm `{value['algorithm']}`, and only sha256 is understood")
    try:
        return bytes.fromhex(value["value"])
    except ValueError as error:
        raise RefusedError("the log's entry has a malformed digest") from error


def _digest(value: dict[str, Any]) -> bytes:
    if value["algorithm"] != "SHA2_256":
        raise RefusedError(f"the log's entry is of algorithm `{value['algorithm']}`, and only SHA2_256 is understood")
    return _bytes(value["digest"])


def _bytes(text: str) -> bytes:
    return decode_base64(text, "a part of the log's entry")


def _key(pem: bytes) -> bytes:
    """The public key of a PEM text, which may be a certificate's."""
    if b"CERTIFICATE" in pem:
        return spki(read_certificates(pem, "the certificate in the log's entry")[0].key)
    return spki(read_key(pem))


def _verifier(value: dict[str, Any]) -> bytes:
    if "x509Certificate" in value:
        return spki(read_der(_bytes(value["x509Certificate"]["rawBytes"])).key)
    return _bytes(value["publicKey"]["rawBytes"])


class _Payload(msgspec.Struct, frozen=True):
    body: str
    integrated_time: int = msgspec.field(name="integratedTime")
    log_index: int = msgspec.field(name="logIndex")
    log_id: str = msgspec.field(name="logID")


class _Bundle(msgspec.Struct, frozen=True):
    promise: str = msgspec.field(name="SignedEntryTimestamp")
    payload: _Payload = msgspec.field(name="Payload")


def read_annotation(text: str) -> Entry:
    """The entry that comes in a signature's `dev.sigstore.cosign/bundle` annotation.

    Raises:
        RefusedError: it is malformed.
    """
    bundle = decode_record(text, _Bundle, "the log bundle")
    try:
        known_as = bytes.fromhex(bundle.payload.log_id)
    except ValueError as error:
        raise RefusedError("the log bundle has a malformed log id") from error
    return Entry(
        body=decode_base64(bundle.payload.body, "the log's entry"),
        log_id=known_as,
        index=bundle.payload.log_index,
        integrated=bundle.payload.integrated_time,
        promise=decode_base64(bundle.promise, "the log's promise"),
    )


class _Named(msgspec.Struct, frozen=True, rename="camel"):
    key_id: str = ""


class _Promise(msgspec.Struct, frozen=True, rename="camel"):
    signed_entry_timestamp: str = ""


class _Checkpoint(msgspec.Struct, frozen=True):
    envelope: str = ""


class _Inclusion(msgspec.Struct, frozen=True, rename="camel"):
    root_hash: str
    checkpoint: _Checkpoint
    log_index: str | int = 0
    tree_size: str | int = 0
    hashes: list[str] = []


class _LogEntry(msgspec.Struct, frozen=True, rename="camel"):
    canonicalized_body: str
    log_id: _Named = _Named()
    log_index: str | int = 0
    integrated_time: str | int = 0
    inclusion_promise: _Promise | None = None
    inclusion_proof: _Inclusion | None = None


def read_bundled(value: Json) -> Entry:
    """An entry as Sigstore bundles hold it, where numbers of 64 bits are text.

    Raises:
        RefusedError: it is malformed.
    """
    read = as_record(value, _LogEntry, "the log's entry")
    return Entry(
        body=_bytes(read.canonicalized_body),
        log_id=_bytes(read.log_id.key_id),
        index=_number(read.log_index),
        integrated=_number(read.integrated_time),
        promise=_bytes(read.inclusion_promise.signed_entry_timestamp) if read.inclusion_promise else b"",
        proof=_proof(read.inclusion_proof) if read.inclusion_proof else None,
    )


def _proof(inclusion: _Inclusion) -> Proof:
    return Proof(
        index=_number(inclusion.log_index),
        size=_number(inclusion.tree_size),
        root=_bytes(inclusion.root_hash),
        hashes=tuple(_bytes(one) for one in inclusion.hashes[: _MAX_HASHES + 1]),
        checkpoint=inclusion.checkpoint.envelope,
    )


def _number(value: str | int) -> int:
    if isinstance(value, str) and not (value.isascii() and value.isdecimal() and len(value) < 20):
        raise RefusedError("the log's entry has a malformed number")
    return int(value)
