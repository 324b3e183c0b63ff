"""Timestamps of an authority (RFC 3161), made by OpenSSL."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.conformance import required
from tests.signatures.authority import NOW, Issued, issue, private_pem
from tests.signatures.cast import cast
from tests.signatures.cosign import Layer, b64, bundle, signature_layer
from tests.signatures.notation import cose, jws
from tests.signatures.shelf import Recorded, Shelf
from tests.signatures.test_image_policies import policy_of, said, steps_of
from tests.signatures.test_verify_images import judge, pod

from bartizan.app.ambient import ambient
from bartizan.engines.policy.dialects.kyverno.cel.policy import compile_cel_policy
from bartizan.model.outcome import Failed, Passed
from bartizan.model.resource import resource_from

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """
[tsa]
default_tsa = one
[one]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""
IMAGE = "registry.example.com/app:v1"


class Stamper:
    """A timestamp authority."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.root = issue("stamping root", ca=True)
        usages = (ExtendedKeyUsageOID.TIME_STAMPING,)
        self.leaf = issue("stamper", self.root, usages=usages, critical_usage=True, start=NOW - timedelta(hours=2))
        (folder / "tsa.cnf").write_text(CONFIG)
        (folder / "serial").write_text("01")
        (folder / "tsa.pem").write_bytes(self.leaf.certificate.public_bytes(Encoding.PEM))
        (folder / "tsa.key").write_bytes(private_pem(self.leaf.key))

    @property
    def chain(self) -> str:
        """What a policy holds of it."""
        return self.leaf.pem + self.root.pem

    def stamp(self, data: bytes) -> bytes:
        """A timestamp of data, now."""
        (self._folder / "data").write_bytes(data)
        self._run("ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "query")
        self._run(
            "ts",
            "-reply",
            "-config",
            "tsa.cnf",
            "-queryfile",
            "query",
            "-signer",
            "tsa.pem",
            "-inkey",
            "tsa.key",
            "-out",
            "reply",
        )
        return (self._folder / "reply").read_bytes()

    def token(self, data: bytes) -> bytes:
        """A timestamp of data as Notary keeps it: without the answer around it."""
        self.stamp(data)
        self._run("ts", "-reply", "-in", "reply", "-token_out", "-out", "token")
        return (self._folder / "token").read_bytes()

    def _run(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self._folder, check=True, capture_output=True, timeout=30)


@pytest.fixture(scope="module")
def stamper(tmp_path_factory: pytest.TempPathFactory) -> Stamper:
    """A timestamp authority; skips where OpenSSL is missing."""
    if not required() and shutil.which("openssl") is None:
        pytest.skip("timestamps are made by `openssl`: install it")
    return Stamper(tmp_path_factory.mktemp("stamper"))


def stamped(layer: Layer, response: bytes) -> Layer:
    """A layer with a timestamp."""
    text = json.dumps({"SignedRFC3161Timestamp": b64(response)})
    return replace(layer, annotations={**layer.annotations, "dev.sigstore.cosign/rfc3161timestamp": text})


def short_lived() -> Issued:
    """A certificate that is good now; in the tests it is judged by the time of the stamp."""
    return cast().sigstore.issue("erin@example.com", "https://accounts.example.com", start=NOW - timedelta(seconds=30))


def entry(chain: str, **more: Any) -> dict[str, Any]:
    """An entry that wants a person, seen by the authority."""
    keyless = {
        "subject": "erin@example.com",
        "issuer": "*",
        "roots": cast().texts()["root"],
        "rekor": {"url": "u", "ignoreTlog": True},
        "ctlog": {"pubkey": cast().texts()["ctlog"], "tsaCertChain": chain},
    }
    return {"attestors": [{"entries": [{"keyless": keyless}]}], **more}


def layer_of(shelf: Shelf, signer: Issued) -> tuple[Layer, bytes]:
    """A signature, and its bytes."""
    from base64 import b64decode

    layer = signature_layer(shelf.image.digest, signer)
    return layer, b64decode(layer.annotations["dev.cosignproject.cosign/signature"])


def test_a_timestamp_of_the_signature_is_its_time(stamper: Stamper) -> None:
    shelf = Shelf()
    layer, signature = layer_of(shelf, short_lived())
    shelf.signatures.append(stamped(layer, stamper.stamp(signature)))
    assert isinstance(judge(entry(stamper.chain), pod(IMAGE), Recorded(shelf)), Passed)
    assert isinstance(judge(entry(stamper.root.pem), pod(IMAGE), Recorded(shelf)), Passed)


def test_a_certificate_that_had_expired_when_it_was_stamped_is_refused(stamper: Stamper) -> None:
    shelf = Shelf()
    late = cast().sigstore.issue("erin@example.com", "https://accounts.example.com", start=NOW - timedelta(hours=1))
    layer, signature = layer_of(shelf, late)
    shelf.signatures.append(stamped(layer, stamper.stamp(signature)))
    outcome = judge(entry(stamper.chain), pod(IMAGE), Recorded(shelf))
    assert isinstance(outcome, Failed)
    assert "the certificate expired on" in outcome.message


def test_a_timestamp_of_something_else_is_refused(stamper: Stamper) -> None:
    shelf = Shelf()
    layer, _ = layer_of(shelf, short_lived())
    shelf.signatures.append(stamped(layer, stamper.stamp(b"something else")))
    outcome = judge(entry(stamper.chain), pod(IMAGE), Recorded(shelf))
    assert isinstance(outcome, Failed)
    assert "the timestamp does not verify" in outcome.message


def test_a_timestamp_of_another_authority_is_refused(stamper: Stamper, tmp_path: Path) -> None:
    shelf = Shelf()
    layer, signature = layer_of(shelf, short_lived())
    shelf.signatures.append(stamped(layer, Stamper(tmp_path).stamp(signature)))
    outcome = judge(entry(stamper.chain), pod(IMAGE), Recorded(shelf))
    assert isinstance(outcome, Failed)
    assert "the timestamp does not verify" in outcome.message


def test_a_malformed_timestamp_is_refused(stamper: Stamper) -> None:
    shelf = Shelf()
    layer, signature = layer_of(shelf, short_lived())
    response = stamper.stamp(signature)
    shelf.signatures.append(stamped(layer, response[: len(response) // 2]))
    outcome = judge(entry(stamper.chain), pod(IMAGE), Recorded(shelf))
    assert isinstance(outcome, Failed)
    assert "the timestamp is malformed" in outcome.message


def test_a_timestamp_in_a_bundle_is_its_time(stamper: Stamper) -> None:
    from base64 import b64decode

    shelf = Shelf()
    made = json.loads(bundle(shelf.image.digest, short_lived()))
    signature = b64decode(made["dsseEnvelope"]["signatures"][0]["sig"])
    wanted = entry(stamper.chain, type="SigstoreBundle")
    shelf.bundles.append(json.dumps(made).encode())
    unseen = judge(wanted, pod(IMAGE), Recorded(shelf))
    assert isinstance(unseen, Failed)
    assert "nobody who is trusted has seen when" in unseen.message
    made["verificationMaterial"]["timestampVerificationData"] = {
        "rfc3161Timestamps": [{"signedTimestamp": b64(stamper.stamp(signature))}]
    }
    shelf.bundles[:] = [json.dumps(made).encode()]
    assert isinstance(judge(wanted, pod(IMAGE), Recorded(shelf)), Passed)


def notary_shelf(stamper: Stamper, signer: Issued, form: str, *, of: bytes = b"") -> Shelf:
    """An image that Notary signed, with a timestamp of the signature, or of something else."""
    shelf = Shelf()
    target = {key: shelf.target[key] for key in ("mediaType", "digest", "size")}
    if form == "cose":
        shelf.envelopes.append(("application/cose", cose(target, signer, stamp=lambda made: stamper.token(of or made))))
    else:
        data = jws(target, signer, stamp=lambda made: stamper.token(of or made))
        shelf.envelopes.append(("application/jose+json", data))
    return shelf


def judge_later(stamper_chain: str, shelf: Shelf) -> str:
    """What an image policy says when the signer's certificate has expired."""
    notary: dict[str, Any] = {"certs": {"value": cast().texts()["company"]}}
    if stamper_chain:
        notary["tsaCerts"] = {"value": stamper_chain}
    later = ambient()._replace(now=lambda: NOW + timedelta(days=1))
    policy = compile_cel_policy(policy_of({"attestors": [{"name": "them", "notary": notary}]}), later)
    (step,) = steps_of(list(policy.rules), resource_from(pod(IMAGE)), Recorded(shelf))
    return f"{said(step)}; {getattr(step.outcome, 'evidence', '')}"


@pytest.mark.parametrize("form", ["jws", "cose"])
def test_a_notary_signature_is_judged_by_its_timestamp(stamper: Stamper, form: str) -> None:
    signer = issue("short", cast().company, start=NOW - timedelta(minutes=5), end=NOW + timedelta(hours=1))
    shelf = notary_shelf(stamper, signer, form)
    assert judge_later(stamper.chain, shelf).startswith("pass")
    assert "expired" in judge_later("", shelf)
    assert "the timestamp does not verify" in judge_later(cast().company.pem, shelf)
    other = notary_shelf(stamper, signer, form, of=b"something else")
    assert "the timestamp does not verify" in judge_later(stamper.chain, other)
