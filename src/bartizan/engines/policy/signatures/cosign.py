"""Cosign's signatures and attestations, as layers of an image beside the one they are of.

The order is cosign's: times first, for they say when the certificate must
have been good; then the log, the certificate, the signature, and last what
was signed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from bartizan.engines.policy.signatures.certificates import MAX_CERTIFICATES, check_times, read_certificates
from bartizan.engines.policy.signatures.decoding import decode_base64, decode_record
from bartizan.engines.policy.signatures.keys import is_signed_by, spki
from bartizan.engines.policy.signatures.refusal import RefusedError
from bartizan.engines.policy.signatures.statement import Statement, read_envelope, read_simple, read_statement
from bartizan.engines.policy.signatures.timestamps import check_timestamp
from bartizan.engines.policy.signatures.transparency import check_entry, read_annotation, read_claims

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from bartizan.engines.policy.signatures.certificates import Certificate
    from bartizan.engines.policy.signatures.demand import Demand
    from bartizan.engines.policy.signatures.keys import PublicKey
    from bartizan.engines.policy.signatures.statement import Envelope, SimplePayload

SIGNATURE: Final = "dev.cosignproject.cosign/signature"
CERTIFICATE: Final = "dev.sigstore.cosign/certificate"
CHAIN: Final = "dev.sigstore.cosign/chain"
BUNDLE: Final = "dev.sigstore.cosign/bundle"
TIMESTAMP: Final = "dev.sigstore.cosign/rfc3161timestamp"
MAX_LAYERS: Final = 50
"""Signatures of one image that are looked at; more are made to be expensive."""
_MAX_REASONS: Final = 5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Layer:
    """One signature: what was signed (or the envelope with it), and the annotations that hold the rest."""

    payload: bytes
    annotations: Mapping[str, str] = field(default_factory=dict)


class _Stamp(msgspec.Struct, frozen=True):
    response: str = msgspec.field(name="SignedRFC3161Timestamp")


def verify_signatures(layers: Sequence[Layer], digest: str, demand: Demand) -> SimplePayload:
    """The payload of a signature of `digest` that meets the demand.

    Raises:
        RefusedError: none does; the message says why each does not.
    """
    return _first(layers, lambda layer: _signature(layer, digest, demand), "signature")


def verify_attestations(
    layers: Sequence[Layer], digest: str, wanted_type: str, demand: Demand, *, lenient: bool = False
) -> list[Statement]:
    """Every statement about `digest` that the demand's key or authorities vouch for.

    One of the wanted type by somebody else than the demand's identity
    refuses all, as the peer has it: whoever may write beside the image
    could add one. Where the caller is `lenient`, it only does not count.

    Raises:
        RefusedError: none is vouched for, or one is by the wrong person.
    """
    _limit(layers)
    found: list[Statement] = []
    reasons: list[str] = []
    for layer in layers:
        try:
            statement, signer = _attestation(layer, digest, demand)
            if lenient:
                _check_signer(signer, demand)
        except RefusedError as error:
            reasons.append(str(error))
            continue
        if statement.predicate_type == wanted_type:
            _check_signer(signer, demand)
        demand.check_annotations({})  # statements in layers have none, so that asking for some asks for the impossible
        found.append(statement)
    if not found:
        raise RefusedError(_join(reasons) or "no attestation")
    return found


def _first(layers: Sequence[Layer], check: Callable[[Layer], T], what: str) -> T:
    _limit(layers)
    reasons: list[str] = []
    for layer in layers:
        try:
            return check(layer)
        except RefusedError as error:
            reasons.append(str(error))
    raise RefusedError(_join(reasons) or f"no {what}")


def _limit(layers: Sequence[Layer]) -> None:
    if len(layers) > MAX_LAYERS:
        raise RefusedError(f"there are {len(layers)} signatures, and at most {MAX_LAYERS} are looked at")


def _join(reasons: Sequence[str]) -> str:
    said = list(dict.fromkeys(reasons))
    more = f" (and {len(said) - _MAX_REASONS} more reasons)" if len(said) > _MAX_REASONS else ""
    return "; ".join(said[:_MAX_REASONS]) + more


def verify_layer(layer: Layer, demand: Demand) -> Certificate | None:
    """Check that a layer's payload is signed as the demand wants it; the certificate that came with it.

    Raises:
        RefusedError: it is not.
    """
    signature = decode_base64(layer.annotations.get(SIGNATURE, ""), "the signature")
    if not signature:
        raise RefusedError("a layer has no signature")
    leaf, between = _certificate(layer)
    key, times = _vouch(layer, signature, leaf, demand)
    if demand.transparency_logs is not None:
        times = [*times, _logged(layer, layer.payload, signature, key, demand)]
    _settle(leaf, between, times, demand)
    if not is_signed_by(key, signature, layer.payload, demand.algorithm):
        raise RefusedError("the signature is not by this key")
    _check_signer(leaf, demand)
    return leaf


def _signature(layer: Layer, digest: str, demand: Demand) -> SimplePayload:
    verify_layer(layer, demand)
    payload = read_simple(layer.payload)
    if payload.digest != digest:
        raise RefusedError(f"the signature is of another image, `{payload.digest[:80]}`")
    demand.check_annotations(payload.optional or {})
    return payload


def _attestation(layer: Layer, digest: str, demand: Demand) -> tuple[Statement, Certificate | None]:
    envelope = read_envelope(layer.payload)
    leaf, between = _certificate(layer)
    key, times = _vouch(layer, layer.payload, leaf, demand)
    signature = signed_by(envelope, key, demand)
    if demand.transparency_logs is not None:
        times = [*times, _logged(layer, layer.payload, signature, key, demand, in_envelope=True)]
    _settle(leaf, between, times, demand)
    statement = read_statement(envelope.payload)
    statement.check_subject(digest)
    return statement, leaf


def signed_by(envelope: Envelope, key: PublicKey, demand: Demand) -> bytes:
    """The envelope's signature that is by `key`.

    Raises:
        RefusedError: none is.
    """
    for signature in envelope.signatures:
        if is_signed_by(key, signature, envelope.signed, demand.algorithm):
            return signature
    raise RefusedError("the attestation is not signed by this key")


def _certificate(layer: Layer) -> tuple[Certificate | None, list[Certificate]]:
    """The certificate that comes with a layer, and what may lead from it to a root."""
    text = layer.annotations.get(CERTIFICATE, "")
    if not text:
        return None, []
    chain = layer.annotations.get(CHAIN, "")
    between = read_certificates(chain, "the signature's chain") if chain else []
    return read_certificates(text, "the signature's certificate")[0], between[:MAX_CERTIFICATES]


def _vouch(layer: Layer, stamped: bytes, leaf: Certificate | None, demand: Demand) -> tuple[PublicKey, list[datetime]]:
    """The key to check by, and the times that a timestamp authority vouches for."""
    key = demand.key or (leaf.key if leaf else None)
    if key is None:
        raise RefusedError("the signature comes without a certificate")
    times: list[datetime] = []
    stamp = layer.annotations.get(TIMESTAMP, "")
    if stamp and demand.timestamp_authorities:
        read = decode_record(stamp, _Stamp, "the timestamp")
        response = decode_base64(read.response, "the timestamp")
        times.append(check_timestamp(response, stamped, demand.timestamp_authorities))
    return key, times


def _settle(
    leaf: Certificate | None, between: Sequence[Certificate], times: Sequence[datetime], demand: Demand
) -> None:
    """Whether who signed was good when they did."""
    if demand.key is None and leaf is not None:
        demand.accept(leaf, between, times, demand.certificate_logs)
        return
    if leaf is not None:
        for at in list(times) or [demand.now]:
            check_times([leaf], at)
    demand.check_holder(times)


def _logged(
    layer: Layer, data: bytes, signature: bytes, key: PublicKey, demand: Demand, *, in_envelope: bool = False
) -> datetime:
    """The time at which a trusted log took the signature in."""
    text = layer.annotations.get(BUNDLE, "")
    if not text:
        raise RefusedError("the signature comes without an entry of a transparency log")
    entry = read_annotation(text)
    at = check_entry(entry, demand.transparency_logs or ())
    claims = read_claims(entry.body)
    if (claims.of_envelope if in_envelope else claims.of_payload) != sha256(data).digest():
        raise RefusedError("the log's entry is of something else")
    if claims.signatures and signature not in claims.signatures:
        raise RefusedError("the log's entry is of another signature")
    if spki(key) not in claims.keys:
        raise RefusedError("the log's entry is of another key")
    if at is None:
        raise RefusedError("the log's entry has no time")
    return at


def _check_signer(leaf: Certificate | None, demand: Demand) -> None:
    identity = demand.identity
    if leaf is None:
        if identity.subject or identity.issuer or identity.subject_expression or identity.issuer_expression:
            raise RefusedError("the signature comes without a certificate, and so of nobody known")
        return
    identity.check(leaf)
