"""Sigstore bundles: signature, certificate, log entries and timestamps in one JSON document.

Source: `Bundle` of sigstore's protobuf-specs, versions 0.1 to 0.3. A bundle
signs either a statement about the image, or the image's manifest itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from bartizan.engines.policy.signatures.certificates import MAX_CERTIFICATES, read_der
from bartizan.engines.policy.signatures.decoding import decode_base64, decode_record
from bartizan.engines.policy.signatures.keys import HASHES, SHA256, is_signed_by, spki
from bartizan.engines.policy.signatures.refusal import RefusedError
from bartizan.engines.policy.signatures.statement import Statement, envelope_from, read_statement
from bartizan.engines.policy.signatures.timestamps import MAX_TIMESTAMPS, check_timestamp
from bartizan.engines.policy.signatures.transparency import Claims, check_entry, read_bundled, read_claims

if TYPE_CHECKING:
    from datetime import datetime

    from bartizan.engines.policy.signatures.certificates import Certificate
    from bartizan.engines.policy.signatures.demand import Demand
    from bartizan.engines.policy.signatures.keys import PublicKey

MEDIA_TYPE: Final = "application/vnd.dev.sigstore.bundle"
_MAX_ENTRIES: Final = 32


class _Loose(msgspec.Struct, frozen=True, rename="camel"):
    """A message of the protocol; fields that are not read here may be there."""


class _RawBytes(_Loose, frozen=True):
    raw_bytes: str


class _Chain(_Loose, frozen=True):
    certificates: list[_RawBytes] = []


class _Timestamp(_Loose, frozen=True):
    signed_timestamp: str


class _Timestamps(_Loose, frozen=True):
    rfc3161_timestamps: list[_Timestamp] = []


class _Material(_Loose, frozen=True):
    certificate: _RawBytes | None = None
    x509_certificate_chain: _Chain | None = None
    tlog_entries: list[Any] = []
    timestamp_verification_data: _Timestamps | None = None


class _MessageDigest(_Loose, frozen=True):
    algorithm: str = ""
    digest: str = ""


class _Message(_Loose, frozen=True):
    signature: str
    message_digest: _MessageDigest = _MessageDigest()


class _Bundle(_Loose, frozen=True):
    media_type: str
    verification_material: _Material
    dsse_envelope: Any = None
    message_signature: _Message | None = None


@dataclass(frozen=True, slots=True)
class _Signed:
    """What a bundle signs: the signature, the SHA-256 of what it is over, and the statement, where it is one."""

    signature: bytes
    signed: bytes
    payload_digest: bytes
    statement: Statement | None


def predicate_type_of(data: bytes) -> str:
    """The type of the statement in a bundle, before anything is checked; empty where there is none.

    Raises:
        RefusedError: the bundle is malformed.
    """
    read = decode_record(data, _Bundle, "the bundle")
    if read.dsse_envelope is None:
        return ""
    return read_statement(envelope_from(read.dsse_envelope).payload).predicate_type


def verify_bundle(data: bytes, digest: str, demand: Demand) -> Statement | None:
    """Check one bundle about the image `digest`; its statement, where it holds one.

    Raises:
        RefusedError: it does not meet the demand.
    """
    read = decode_record(data, _Bundle, "the bundle")
    if not read.media_type.startswith(MEDIA_TYPE):
        raise RefusedError(f"`{read.media_type[:80]}` is no Sigstore bundle")
    leaf, between = _certificates(read.verification_material)
    key = demand.key or (leaf.key if leaf else None)
    if key is None:
        raise RefusedError("the bundle has no certificate, and the policy no key")
    algorithm = demand.algorithm if demand.key is not None else _by_curve(key)
    content = _content(read, key, algorithm, digest)
    times = _times(read.verification_material, content, key, demand)
    if demand.key is None and leaf is not None:
        # a trusted root without certificate logs does not ask for their timestamps
        demand.accept(leaf, between, times, demand.certificate_logs or None)
        demand.identity.check(leaf)
    else:
        demand.check_holder(times)
    if content.statement is not None:
        demand.check_annotations(content.statement.check_subject(digest))
    else:
        demand.check_annotations({})
    return content.statement


def _certificates(material: _Material) -> tuple[Certificate | None, list[Certificate]]:
    raw = [material.certificate] if material.certificate else []
    if material.x509_certificate_chain:
        raw += material.x509_certificate_chain.certificates
    if len(raw) > MAX_CERTIFICATES:
        raise RefusedError(f"the bundle has {len(raw)} certificates")
    found = [read_der(decode_base64(one.raw_bytes, "the certificate")) for one in raw]
    return (found[0], found[1:]) if found else (None, [])


def _by_curve(key: PublicKey) -> hashes.HashAlgorithm:
    """The hash that goes with a certificate's key: as long as its curve."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return HASHES[{384: "sha384", 521: "sha512"}.get(key.curve.key_size, "sha256")]
    return SHA256


def _content(read: _Bundle, key: PublicKey, algorithm: hashes.HashAlgorithm, digest: str) -> _Signed:
    if read.dsse_envelope is not None:
        envelope = envelope_from(read.dsse_envelope)
        if len(envelope.signatures) != 1:
            raise RefusedError("a bundle's envelope must have one signature")
        signature = envelope.signatures[0]
        if not is_signed_by(key, signature, envelope.signed, algorithm):
            raise RefusedError("the attestation is not signed by this key")
        statement = read_statement(envelope.payload)
        return _Signed(signature, envelope.signed, sha256(envelope.payload).digest(), statement)
    if read.message_signature is None:
        raise RefusedError("the bundle signs nothing")
    return _message(read.message_signature, key, digest)


def _message(message: _Message, key: PublicKey, digest: str) -> _Signed:
    """A signature over the manifest, of which no more than the digest need be known."""
    name, _, found = digest.partition(":")
    if name != "sha256":
        raise RefusedError(f"a signature over a manifest known by `{name}` is not understood")
    hashed = bytes.fromhex(found)
    if message.message_digest.digest and decode_base64(message.message_digest.digest, "the digest") != hashed:
        raise RefusedError("the bundle is of another image")
    signature = decode_base64(message.signature, "the signature")
    known = Prehashed(hashes.SHA256())
    try:
        match key:
            case ec.EllipticCurvePublicKey():
                key.verify(signature, hashed, ec.ECDSA(known))
            case rsa.RSAPublicKey():
                key.verify(signature, hashed, padding.PKCS1v15(), known)
            case _:
                raise RefusedError("an Ed25519 signature over a manifest cannot be checked by its digest")
    except (InvalidSignature, ValueError, UnsupportedAlgorithm) as error:
        raise RefusedError("the signature is not by this key, or of another image") from error
    return _Signed(signature, b"", hashed, None)


def _times(material: _Material, content: _Signed, key: PublicKey, demand: Demand) -> list[datetime]:
    """The times at which the signature was seen, by all that vouch for it."""
    times = _stamped(material, content, demand)
    if demand.transparency_logs is not None:
        entries = material.tlog_entries
        if not entries:
            raise RefusedError("the bundle has no entry of a transparency log")
        if len(entries) > _MAX_ENTRIES:
            raise RefusedError(f"the bundle has {len(entries)} entries of transparency logs")
        for value in entries:
            entry = read_bundled(value)
            at = check_entry(entry, demand.transparency_logs)
            _agree(read_claims(entry.body), content, key)
            times += [at] if at else []
    if demand.certificate_logs is not None and not times:
        raise RefusedError("nobody who is trusted has seen when the signature was made")
    return times


def _stamped(material: _Material, content: _Signed, demand: Demand) -> list[datetime]:
    data = material.timestamp_verification_data
    stamps = data.rfc3161_timestamps if data else []
    if len(stamps) > MAX_TIMESTAMPS:
        raise RefusedError(f"the bundle has {len(stamps)} timestamps")
    if not demand.timestamp_authorities:
        return []
    responses = [decode_base64(one.signed_timestamp, "the timestamp") for one in stamps]
    return [check_timestamp(one, content.signature, demand.timestamp_authorities) for one in responses]


def _agree(claims: Claims, content: _Signed, key: PublicKey) -> None:
    """Refuse an entry that is not of this very signature."""
    # Rekor 2 writes an envelope down as a plain signature over its pre-authentication encoding
    of_payload = (
        {content.payload_digest, sha256(content.signed).digest()} if content.signed else {content.payload_digest}
    )
    if claims.of_payload not in of_payload:
        raise RefusedError("the log's entry is of something else")
    if claims.signatures and content.signature not in claims.signatures:
        raise RefusedError("the log's entry is of another signature")
    if spki(key) not in claims.keys:
        raise RefusedError("the log's entry is of another key")
