"""Whom to believe: certificate authorities, logs and timestamp authorities, each with the time it is good for.

Material comes from the policy itself (PEM), or from a Sigstore trusted root,
a JSON document that `app` reads from where the user says.

Source: `TrustedRoot` of sigstore's protobuf-specs, version 0.1 and 0.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key

from bartizan.engines.policy.signatures.certificates import Certificate, read_certificates, read_der
from bartizan.engines.policy.signatures.decoding import as_record, decode_base64
from bartizan.engines.policy.signatures.keys import PublicKey, log_id, read_key, usable
from bartizan.engines.policy.signatures.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bartizan.base.json import Json


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when something is believed; `None` is without an end."""

    start: datetime | None = None
    end: datetime | None = None

    def covers(self, at: datetime) -> bool:
        """Whether a moment lies in it."""
        return (self.start is None or self.start <= at) and (self.end is None or at <= self.end)


ALWAYS = Span()


@dataclass(frozen=True, slots=True)
class Authority:
    """Certificates that issue others, the root last; `leaf` is the signer, where there is one."""

    roots: tuple[Certificate, ...]
    between: tuple[Certificate, ...] = ()
    leaf: Certificate | None = None
    span: Span = ALWAYS


@dataclass(frozen=True, slots=True)
class Log:
    """A log that signs what it has seen."""

    key: PublicKey
    id: bytes
    span: Span = ALWAYS


@dataclass(frozen=True, slots=True)
class Trust:
    """Everything a signature may be traced back to."""

    authorities: tuple[Authority, ...] = ()
    transparency_logs: tuple[Log, ...] = ()
    certificate_logs: tuple[Log, ...] = ()
    timestamp_authorities: tuple[Authority, ...] = ()


Logs: TypeAlias = tuple[Log, ...]


def log_from_pem(pem: str) -> Logs:
    """A log by its public key, as policies give it.

    Raises:
        RefusedError: the key is malformed.
    """
    key = read_key(pem)
    return (Log(key, log_id(key)),)


def roots_from_pem(pem: str) -> Authority:
    """Certificates that are all believed, as a pool of roots.

    Raises:
        RefusedError: one is malformed.
    """
    return Authority(tuple(read_certificates(pem, "the trusted roots")))


def timestamp_authority_from_pem(pem: str) -> Authority:
    """A timestamp authority: its roots, what is between, and its own certificate, in any order.

    Raises:
        RefusedError: a certificate is malformed, or there are several signers.
    """
    every = read_certificates(pem, "the chain of the timestamp authority")
    leaves = [one for one in every if not one.is_ca]
    if len(leaves) > 1:
        raise RefusedError("the chain of the timestamp authority has more than one certificate that signs")
    roots = tuple(one for one in every if one.is_ca and one.is_self_issued)
    between = tuple(one for one in every if one.is_ca and not one.is_self_issued)
    return Authority(roots, between, leaves[0] if leaves else None)


class _Loose(msgspec.Struct, frozen=True, rename="camel"):
    """A message of the protocol; fields that are not read here may be there."""


class _ValidFor(_Loose, frozen=True):
    start: datetime | None = None
    end: datetime | None = None


class _PublicKey(_Loose, frozen=True):
    raw_bytes: str
    valid_for: _ValidFor = _ValidFor()


class _LogId(_Loose, frozen=True):
    key_id: str = ""


class _Log(_Loose, frozen=True):
    public_key: _PublicKey
    log_id: _LogId = _LogId()


class _RawBytes(_Loose, frozen=True):
    raw_bytes: str


class _Chain(_Loose, frozen=True):
    certificates: list[_RawBytes]


class _Authority(_Loose, frozen=True):
    cert_chain: _Chain
    valid_for: _ValidFor = _ValidFor()


class _TrustedRoot(_Loose, frozen=True):
    tlogs: list[_Log] = []
    ctlogs: list[_Log] = []
    certificate_authorities: list[_Authority] = []
    timestamp_authorities: list[_Authority] = []


def read_trusted_root(document: Json) -> Trust:
    """Read a decoded trusted root.

    Raises:
        RefusedError: it is malformed.
    """
    root = as_record(document, _TrustedRoot, "the trusted root")
    return Trust(
        authorities=tuple(_authority(one) for one in root.certificate_authorities),
        transparency_logs=_logs(root.tlogs),
        certificate_logs=_logs(root.ctlogs),
        timestamp_authorities=tuple(_authority(one) for one in root.timestamp_authorities),
    )


def _logs(logs: Iterable[_Log]) -> Logs:
    found: list[Log] = []
    for one in logs:
        try:
            key = usable(load_der_public_key(decode_base64(one.public_key.raw_bytes, "a log's key")))
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise RefusedError("the trusted root has a malformed key of a log") from error
        known_as = decode_base64(one.log_id.key_id, "a log's id") or log_id(key)
        found.append(Log(key, known_as, _span(one.public_key.valid_for)))
    return tuple(found)


def _authority(one: _Authority) -> Authority:
    raw = [item.raw_bytes for item in one.cert_chain.certificates]
    chain = [read_der(decode_base64(text, "a certificate"), "a certificate of the trusted root") for text in raw]
    if not chain:
        raise RefusedError("the trusted root has an authority without certificates")
    first = chain[0]
    leaf = None if first.is_ca else first
    return Authority((chain[-1],), tuple(chain[0 if leaf is None else 1 : -1]), leaf, _span(one.valid_for))


def _span(valid: _ValidFor) -> Span:
    return Span(valid.start, valid.end)
