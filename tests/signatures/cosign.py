"""Signatures as cosign makes them: payloads, attestations, log entries and bundles."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from tests.signatures.authority import NOW, Issued, PrivateKey, Sigstore, public_pem, sign, spki

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography.hazmat.primitives import hashes

IN_TOTO: Final = "application/vnd.in-toto+json"
SIGNED_BY_COSIGN: Final = "https://sigstore.dev/cosign/sign/v1"
_PREFIX: Final = "dev.sigstore.cosign/"


def b64(data: bytes) -> str:
    """Base64, as JSON holds bytes."""
    return b64encode(data).decode()


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Layer:
    """A layer of cosign's image."""

    payload: bytes
    annotations: dict[str, str] = field(default_factory=dict)


def simple_payload(digest: str, annotations: dict[str, Any] | None = None) -> bytes:
    """What `cosign sign` signs."""
    critical = {
        "identity": {"docker-reference": "example.com/app"},
        "image": {"docker-manifest-digest": digest},
        "type": "cosign container image signature",
    }
    return canonical({"critical": critical, "optional": annotations})


def statement(digest: str, kind: str, predicate: Any, annotations: dict[str, Any] | None = None) -> bytes:
    """An in-toto statement about an image."""
    algorithm, _, found = digest.partition(":")
    subject: dict[str, Any] = {"name": "example.com/app", "digest": {algorithm: found}}
    if annotations:
        subject["annotations"] = annotations
    return canonical(
        {
            "_type": "https://in-toto.io/Statement/v0.1",
            "predicateType": kind,
            "subject": [subject],
            "predicate": predicate,
        }
    )


def encoding(payload: bytes, kind: str = IN_TOTO) -> bytes:
    """What a DSSE signature is over."""
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)


def envelope(key: PrivateKey, payload: bytes, algorithm: hashes.HashAlgorithm | None = None) -> dict[str, Any]:
    """A DSSE envelope."""
    signature = sign(key, encoding(payload), algorithm)
    return {"payloadType": IN_TOTO, "payload": b64(payload), "signatures": [{"keyid": "", "sig": b64(signature)}]}


def hashed_entry(payload: bytes, signature: bytes, pem: str) -> bytes:
    """What the log writes down of a signature."""
    spec = {
        "data": {"hash": {"algorithm": "sha256", "value": sha256(payload).hexdigest()}},
        "signature": {"content": b64(signature), "publicKey": {"content": b64(pem.encode())}},
    }
    return canonical({"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec})


def dsse_entry(stored: bytes, payload: bytes, signature: bytes, pem: str) -> bytes:
    """What the log writes down of an attestation, whose envelope is `stored`."""
    spec = {
        "envelopeHash": {"algorithm": "sha256", "value": sha256(stored).hexdigest()},
        "payloadHash": {"algorithm": "sha256", "value": sha256(payload).hexdigest()},
        "signatures": [{"signature": b64(signature), "verifier": b64(pem.encode())}],
    }
    return canonical({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec})


def promise(rekor: PrivateKey, body: bytes, at: datetime, index: int = 7) -> tuple[bytes, dict[str, Any]]:
    """The log's signature on an entry, and what it is over."""
    signed = {
        "body": b64(body),
        "integratedTime": int(at.timestamp()),
        "logID": sha256(spki(rekor)).hexdigest(),
        "logIndex": index,
    }
    return sign(rekor, canonical(signed)), signed


def log_annotation(rekor: PrivateKey, body: bytes, at: datetime = NOW) -> str:
    """A log entry as a layer carries it."""
    signature, signed = promise(rekor, body, at)
    return json.dumps({"SignedEntryTimestamp": b64(signature), "Payload": signed})


def bundled_entry(rekor: PrivateKey, body: bytes, at: datetime = NOW, others: int = 4) -> dict[str, Any]:
    """A log entry as a bundle carries it: with the promise, and the proof that it is the last of some entries."""
    leaf = sha256(b"\0" + body).digest()
    leaves = [sha256(b"\0" + bytes([number])).digest() for number in range(others)] + [leaf]
    path = prove(len(leaves) - 1, leaves)
    root = tree_root(leaves)
    text = f"log.example.com - 1\n{len(leaves)}\n{b64(root)}\n"
    note = sha256(spki(rekor)).digest()[:4] + sign(rekor, text.encode())
    signature, signed = promise(rekor, body, at)
    kind = json.loads(body)
    return {
        "logIndex": str(signed["logIndex"]),
        "logId": {"keyId": b64(sha256(spki(rekor)).digest())},
        "kindVersion": {"kind": kind["kind"], "version": kind["apiVersion"]},
        "integratedTime": str(signed["integratedTime"]),
        "inclusionPromise": {"signedEntryTimestamp": b64(signature)},
        "inclusionProof": {
            "logIndex": str(len(leaves) - 1),
            "rootHash": b64(root),
            "treeSize": str(len(leaves)),
            "hashes": [b64(one) for one in path],
            "checkpoint": {"envelope": f"{text}\n\u2014 log.example.com {b64(note)}\n"},
        },
        "canonicalizedBody": b64(body),
    }


def tree_root(leaves: list[bytes]) -> bytes:
    """The root of a Merkle tree, as RFC 9162, 2.1.1 defines it."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + tree_root(leaves[:split]) + tree_root(leaves[split:])).digest()


def prove(index: int, leaves: list[bytes]) -> list[bytes]:
    """The hashes that lead from a leaf to the root, as RFC 9162, 2.1.3.1 defines them."""
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return [*prove(index, leaves[:split]), tree_root(leaves[split:])]
    return [*prove(index - split, leaves[split:]), tree_root(leaves[:split])]


def annotate(signature: bytes, holder: Issued | None, log: str = "") -> dict[str, str]:
    """The annotations of a layer."""
    made = {"dev.cosignproject.cosign/signature": b64(signature) if signature else ""}
    if holder is not None:
        made |= {f"{_PREFIX}certificate": holder.pem, f"{_PREFIX}chain": holder.chain_pem}
    return made | ({f"{_PREFIX}bundle": log} if log else {})


def signature_layer(
    digest: str,
    signer: PrivateKey | Issued,
    *,
    annotations: dict[str, Any] | None = None,
    logged: Sigstore | None = None,
    at: datetime = NOW,
    algorithm: hashes.HashAlgorithm | None = None,
) -> Layer:
    """A signature by a key, or by a certificate's holder."""
    holder = signer if isinstance(signer, Issued) else None
    key = signer.key if isinstance(signer, Issued) else signer
    payload = simple_payload(digest, annotations)
    signature = sign(key, payload, algorithm)
    pem = holder.pem if holder else public_pem(key)
    log = log_annotation(logged.rekor, hashed_entry(payload, signature, pem), at) if logged else ""
    return Layer(payload, annotate(signature, holder, log))


def attestation_layer(
    digest: str,
    signer: PrivateKey | Issued,
    kind: str,
    predicate: Any,
    *,
    logged: Sigstore | None = None,
    at: datetime = NOW,
) -> Layer:
    """An attestation by a key, or by a certificate's holder."""
    holder = signer if isinstance(signer, Issued) else None
    key = signer.key if isinstance(signer, Issued) else signer
    payload = statement(digest, kind, predicate)
    made = envelope(key, payload)
    stored = json.dumps(made).encode()
    pem = holder.pem if holder else public_pem(key)
    log = ""
    if logged:
        from base64 import b64decode

        signature = b64decode(made["signatures"][0]["sig"])
        log = log_annotation(logged.rekor, dsse_entry(stored, payload, signature, pem), at)
    return Layer(stored, annotate(b"", holder, log))


def bundle(
    digest: str,
    signer: PrivateKey | Issued,
    kind: str = SIGNED_BY_COSIGN,
    predicate: Any = None,
    *,
    logged: Sigstore | None = None,
    at: datetime = NOW,
    annotations: dict[str, Any] | None = None,
) -> bytes:
    """A Sigstore bundle with a statement about an image."""
    from base64 import b64decode

    holder = signer if isinstance(signer, Issued) else None
    key = signer.key if isinstance(signer, Issued) else signer
    payload = statement(digest, kind, predicate or {}, annotations)
    made = envelope(key, payload)
    signature = b64decode(made["signatures"][0]["sig"])
    pem = holder.pem if holder else public_pem(key)
    material: dict[str, Any] = (
        {"certificate": {"rawBytes": b64(holder.der)}} if holder else {"publicKey": {"hint": "test"}}
    )
    material["tlogEntries"] = []
    if logged:
        body = dsse_entry(canonical(made), payload, signature, pem)
        material["tlogEntries"] = [bundled_entry(logged.rekor, body, at)]
    return json.dumps(
        {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": material,
            "dsseEnvelope": made,
        }
    ).encode()
