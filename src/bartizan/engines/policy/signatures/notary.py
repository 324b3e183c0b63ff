"""Notary signatures: JWS or COSE envelopes with the signer's chain, over the descriptor of what is signed.

The trust policy is the peer's: level `strict`, any identity, and one store
that holds the certificates of the policy. Of the chain in the envelope one
certificate must be in the store, and all must be good now, or when a
timestamp authority saw the signature, where the policy trusts any.

Source: the Notary Project's `signature-specification.md`,
`signature-envelope-jws.md`, `signature-envelope-cose.md` and
`trust-store-trust-policy.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, ExtensionOID

from bartizan.engines.policy.signatures import cbor
from bartizan.engines.policy.signatures.certificates import (
    MALFORMED,
    MAX_CERTIFICATES,
    Certificate,
    check_times,
    read_certificates,
    read_der,
)
from bartizan.engines.policy.signatures.decoding import (
    MAX_BYTES,
    as_record,
    decode_base64,
    decode_base64url,
    decode_json,
    decode_record,
)
from bartizan.engines.policy.signatures.keys import HASHES
from bartizan.engines.policy.signatures.refusal import RefusedError, UndecidedError
from bartizan.engines.policy.signatures.statement import Statement
from bartizan.engines.policy.signatures.timestamps import check_timestamp
from bartizan.engines.policy.signatures.trust import timestamp_authority_from_pem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.hashes import HashAlgorithm

    from bartizan.engines.policy.signatures.keys import PublicKey
    from bartizan.engines.policy.signatures.material import Descriptor, Envelope, Referrer
    from bartizan.engines.policy.signatures.trust import Authority

JWS: Final = "application/jose+json"
COSE: Final = "application/cose"
_PAYLOAD: Final = "application/vnd.cncf.notary.payload.v1+json"
_PREFIX: Final = "io.cncf.notary."
_SCHEME: Final = f"{_PREFIX}signingScheme"
_EXPIRY: Final = f"{_PREFIX}expiry"
_SIGNED_AT: Final = f"{_PREFIX}signingTime"
_STAMP: Final = f"{_PREFIX}timestampSignature"
_ORDINARY: Final = "notary.x509"
_MAX_ATTEMPTS: Final = 10
_COSE_SIGN1: Final = 18
_COSE_HEADERS: Final = {1: "alg", 2: "crit", 3: "cty"}
_COSE_ALGORITHMS: Final = {-7: "ES256", -35: "ES384", -36: "ES512", -37: "PS256", -38: "PS384", -39: "PS512"}
_BY_SIZE: Final = {256: "ES256", 384: "ES384", 521: "ES512", 2048: "PS256", 3072: "PS384", 4096: "PS512"}
"""Which algorithm goes with a key, by its bits: the specification leaves no choice."""
_FOREIGN: Final = frozenset(
    oid.dotted_string
    for oid in (
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.EMAIL_PROTECTION,
        ExtendedKeyUsageOID.TIME_STAMPING,
        ExtendedKeyUsageOID.OCSP_SIGNING,
    )
)
_REVOCATION: Final = (ExtensionOID.CRL_DISTRIBUTION_POINTS, ExtensionOID.AUTHORITY_INFORMATION_ACCESS)


@dataclass(frozen=True, slots=True)
class Store:
    """The certificates that a policy trusts."""

    certificates: tuple[Certificate, ...]
    stampers: tuple[Authority, ...] = ()
    """Timestamp authorities. Where there are any, a signature needs a timestamp, and is judged by its time."""

    @classmethod
    def read(cls, cert: str, chain: str, stampers: str = "") -> Store:
        """The certificates of both fields together, and those of timestamp authorities.

        Raises:
            RefusedError: one is malformed.
        """
        certificates = tuple(read_certificates("\n".join(text for text in (cert, chain) if text)))
        return cls(certificates, (timestamp_authority_from_pem(stampers),) if stampers else ())


@dataclass(frozen=True, slots=True)
class _Signed:
    """An envelope taken apart; `signed` are the bytes that its signature is over."""

    headers: dict[str, Any]
    payload: bytes
    signed: bytes
    signature: bytes
    chain: tuple[Certificate, ...]
    stamp: bytes = b""
    """A timestamp's token, over the signature."""


class _Target(msgspec.Struct, frozen=True, rename="camel"):
    media_type: str
    digest: str
    size: int


class _Payload(msgspec.Struct, frozen=True, rename="camel"):
    target_artifact: _Target


def verify_notary(envelopes: Sequence[Envelope], target: Descriptor, store: Store, now: datetime) -> None:
    """Check that one of the signatures is over `target`, by somebody in the store.

    Raises:
        RefusedError: none is; the message says why each is not.
        UndecidedError: one would be, but whether it was revoked cannot be had.
    """
    if not envelopes:
        raise RefusedError("the image has no signature")
    reasons: list[str] = []
    for envelope in envelopes[:_MAX_ATTEMPTS]:
        try:
            _verify(envelope, target, store, now)
        except RefusedError as error:
            reasons.append(str(error))
        else:
            return
    raise RefusedError("; ".join(dict.fromkeys(reasons)))


def _verify(envelope: Envelope, target: Descriptor, store: Store, now: datetime) -> None:
    if len(envelope.payload) > MAX_BYTES:
        raise RefusedError("the signature is far too long")
    if envelope.media_type == JWS:
        signed = _read_jws(envelope.payload)
    elif envelope.media_type == COSE:
        signed = _read_cose(envelope.payload)
    else:
        raise RefusedError(f"signatures of type `{envelope.media_type[:80]}` are not understood")
    leaf = signed.chain[0]
    algorithm = _BY_SIZE.get(_bits(leaf.key), "")
    if signed.headers.get("alg") != algorithm:
        raise RefusedError(f"the signature's algorithm `{signed.headers.get('alg')}` is not its certificate's")
    if not _is_signed(leaf.key, signed, HASHES[f"sha{algorithm[2:]}"]):
        raise RefusedError("the signature is not by its certificate")
    _check_headers(signed.headers, now)
    _check_chain(signed.chain)
    if not {one.der for one in store.certificates} & {one.der for one in signed.chain}:
        raise RefusedError(f"the certificate of `{leaf.common_name}` leads to nobody who is trusted here")
    check_times(signed.chain, _moment(signed, store, now))
    if signed.headers.get("cty") != _PAYLOAD:
        raise RefusedError("the signature's payload is of a type that is not understood")
    found = decode_record(signed.payload, _Payload, "the signed payload").target_artifact
    if (found.digest, found.media_type, found.size) != (target.digest, target.media_type, target.size):
        raise RefusedError(f"the signature is of another image, `{found.digest[:80]}`")
    _check_revocation(signed.chain)


def _moment(signed: _Signed, store: Store, now: datetime) -> datetime:
    """The time that the certificates must have been good at: that of the timestamp where authorities are trusted."""
    if not store.stampers:
        return now
    if not signed.stamp:
        raise RefusedError("the signature has no timestamp")
    return check_timestamp(_granted(signed.stamp), signed.signature, store.stampers)


def _granted(token: bytes) -> bytes:
    """An authority's answer that grants a token, for that is the form in which one can be read."""
    inner = b"\x30\x03\x02\x01\x00" + token
    size = len(inner)
    if size < 0x80:
        return b"\x30" + bytes([size]) + inner
    octets = size.to_bytes((size.bit_length() + 7) // 8)
    return b"\x30" + bytes([0x80 | len(octets)]) + octets + inner


def _bits(key: PublicKey) -> int:
    return key.key_size if isinstance(key, rsa.RSAPublicKey) else getattr(getattr(key, "curve", None), "key_size", 0)


def _is_signed(key: PublicKey, signed: _Signed, algorithm: HashAlgorithm) -> bool:
    try:
        match key:
            case ec.EllipticCurvePublicKey():
                half = (key.curve.key_size + 7) // 8
                if len(signed.signature) != 2 * half:
                    return False
                numbers = (int.from_bytes(part, "big") for part in (signed.signature[:half], signed.signature[half:]))
                key.verify(encode_dss_signature(*numbers), signed.signed, ec.ECDSA(algorithm))
            case rsa.RSAPublicKey():
                pss = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
                key.verify(signed.signature, signed.signed, pss, algorithm)
            case _:
                return False
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return True


def _check_headers(headers: dict[str, Any], now: datetime) -> None:
    """What the signer said of the signature, of which no more may be critical than is understood."""
    scheme, critical = headers.get(_SCHEME), headers.get("crit")
    if scheme != _ORDINARY:
        raise RefusedError(f"signing scheme `{scheme}` is not trusted here")
    known = {_SCHEME, _EXPIRY}
    if not isinstance(critical, list) or not all(isinstance(one, str) for one in critical) or _SCHEME not in critical:
        raise RefusedError("the signature does not name its critical headers")
    strangers = sorted(set(critical) - known)
    if strangers:
        raise RefusedError(f"the signature wants `{strangers[0]}` to be understood")
    signed_at, expiry = _time(headers.get(_SIGNED_AT)), headers.get(_EXPIRY)
    if signed_at is None:
        raise RefusedError("the signature does not say when it was made")
    if expiry is None:
        return
    end = _time(expiry)
    if end is None or _EXPIRY not in critical or end <= signed_at:
        raise RefusedError("the signature's expiry is malformed")
    if end <= now:
        raise RefusedError(f"the signature expired on {end:%Y-%m-%d %H:%M:%S}")


def _time(value: Any) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _check_chain(chain: Sequence[Certificate]) -> None:
    """Refuse a chain that is not one link after the other, up to a root that issued itself."""
    for one in chain:
        if one.stranger:
            raise RefusedError(f"a certificate has a critical extension that is not understood: {one.stranger}")
    leaf = chain[0]
    if leaf.is_ca or leaf.usage is None or not leaf.usage.digital_signature or leaf.usage.key_cert_sign:
        raise RefusedError("the certificate is not for signing")
    if leaf.purposes and leaf.purposes & _FOREIGN:
        raise RefusedError("the certificate is for something else than signing code")
    for index, one in enumerate(chain):
        issuer = chain[min(index + 1, len(chain) - 1)]
        if not _issued(issuer, one):
            raise RefusedError(f"the certificate of `{one.common_name}` was not issued by the next of its chain")
        if index and not (one.is_ca and one.usage is not None and one.usage.key_cert_sign):
            raise RefusedError(f"the certificate of `{one.common_name}` may not issue others")
        if index and one.path_length is not None and one.path_length < index - 1:
            raise RefusedError(f"the certificate of `{one.common_name}` may not issue so long a chain")


def _issued(issuer: Certificate, one: Certificate) -> bool:
    try:
        one.inner.verify_directly_issued_by(issuer.inner)
    except (*MALFORMED, InvalidSignature):
        return False
    return True


def _check_revocation(chain: Sequence[Certificate]) -> None:
    """Level `strict` wants to know whether a certificate was revoked; one that names nobody to ask cannot be.

    Raises:
        UndecidedError: a certificate names where to ask, and nobody is asked here.
    """
    for one in chain:
        for oid in _REVOCATION:
            try:
                found = one.inner.extensions.get_extension_for_oid(oid).value
            except x509.ExtensionNotFound:
                continue
            if not isinstance(found, x509.AuthorityInformationAccess) or any(
                item.access_method == AuthorityInformationAccessOID.OCSP for item in found
            ):
                raise UndecidedError(f"whether the certificate of `{one.common_name}` was revoked cannot be had")


class _JwsHeader(msgspec.Struct, frozen=True):
    x5c: list[str] = []
    stamp: str = msgspec.field(default="", name=_STAMP)


class _Jws(msgspec.Struct, frozen=True):
    payload: str
    protected: str
    signature: str
    header: _JwsHeader = _JwsHeader()


def _read_jws(data: bytes) -> _Signed:
    read = decode_record(data, _Jws, "the signature")
    headers = decode_json(decode_base64url(read.protected, "the signature's header"), "the signature's header")
    if not isinstance(headers, dict):
        raise RefusedError("the signature's header is malformed")
    return _Signed(
        headers=headers,
        payload=decode_base64url(read.payload, "the signature's payload"),
        signed=f"{read.protected}.{read.payload}".encode(),
        signature=decode_base64url(read.signature, "the signature"),
        chain=_chain([decode_base64(one, "a certificate") for one in read.header.x5c[: MAX_CERTIFICATES + 1]]),
        stamp=decode_base64(read.header.stamp, "the timestamp"),
    )


def _read_cose(data: bytes) -> _Signed:
    read = cbor.decode(data)
    if not isinstance(read, cbor.Tagged) or read.tag != _COSE_SIGN1:
        raise RefusedError("the signature is not a COSE_Sign1 message")
    match read.value:
        case [bytes(protected), dict(unprotected), bytes(payload), bytes(signature)]:
            pass
        case _:
            raise RefusedError("the COSE_Sign1 message is malformed")
    headers = cbor.decode(protected)
    if not isinstance(headers, dict):
        raise RefusedError("the signature's header is malformed")
    named = {str(_COSE_HEADERS.get(key, key)): value for key, value in headers.items()}
    algorithm = named.get("alg")
    named["alg"] = _COSE_ALGORITHMS.get(algorithm) if isinstance(algorithm, int) else None
    raw = unprotected.get(33)
    stamp = unprotected.get(_STAMP)
    chain = [one for one in (raw if isinstance(raw, list) else [raw]) if isinstance(one, bytes)]
    return _Signed(
        headers=named,
        payload=payload,
        signed=cbor.encode(["Signature1", protected, b"", payload]),
        signature=signature,
        chain=_chain(chain),
        stamp=stamp if isinstance(stamp, bytes) else b"",
    )


def _chain(raw: Sequence[bytes]) -> tuple[Certificate, ...]:
    if not raw:
        raise RefusedError("the signature comes without a certificate")
    if len(raw) > MAX_CERTIFICATES:
        raise RefusedError("the signature comes with too many certificates")
    return tuple(read_der(one) for one in raw)


class _Digest(msgspec.Struct, frozen=True):
    digest: str = ""


class _Manifest(msgspec.Struct, frozen=True):
    layers: list[_Digest] = []
    subject: _Digest = _Digest()


def digest_of(data: bytes) -> str:
    """The digest that a registry knows these bytes by."""
    return f"sha256:{sha256(data).hexdigest()}"


def verify_artifact(artifact: Referrer, digest: str, wanted: str) -> Statement:
    """What an artifact that refers to the image `digest` says: its manifest, with its one layer as the predicate.

    Raises:
        RefusedError: it refers to something else, or holds no single JSON object.
    """
    if digest_of(artifact.manifest) != artifact.descriptor.digest:
        raise RefusedError("the registry gave another manifest than the attestation's")
    manifest = decode_json(artifact.manifest, "the attestation's manifest")
    read = as_record(manifest, _Manifest, "the attestation's manifest")
    if read.subject.digest != digest:
        raise RefusedError("the attestation is about another image")
    if len(read.layers) != 1 or len(artifact.layers) != 1:
        raise RefusedError(f"the attestation has {len(read.layers)} layers, and not one")
    if digest_of(artifact.layers[0]) != read.layers[0].digest:
        raise RefusedError("the registry gave another text than the attestation's")
    predicate = decode_json(artifact.layers[0], "the attestation")
    if not isinstance(predicate, dict):
        raise RefusedError("the attestation is no JSON object")
    whole = {"type": wanted, "predicate": predicate, **manifest}
    return Statement(wanted, ((digest, {}),), whole, predicate)
