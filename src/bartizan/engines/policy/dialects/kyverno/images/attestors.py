"""Attestors of a policy made into demands on signatures, and sets of them counted.

An attestor whose key, root or answer cannot be had is in doubt, and a set
that only those in doubt could still satisfy is undecided: never a pass, and
not a failure of who deploys either.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from bartizan.base.json import to_text
from bartizan.engines.policy.lookup import ApiQuestion, LookupFailedError, TrustQuestion
from bartizan.engines.policy.signatures.certificate_log import check_certificate_logged
from bartizan.engines.policy.signatures.certificates import build_chain, read_certificates
from bartizan.engines.policy.signatures.demand import Demand
from bartizan.engines.policy.signatures.identity import Identity
from bartizan.engines.policy.signatures.keys import HASHES, is_pem, read_key, split_keys
from bartizan.engines.policy.signatures.refusal import RefusedError, UndecidedError
from bartizan.engines.policy.signatures.trust import (
    Authority,
    Logs,
    Trust,
    log_from_pem,
    read_trusted_root,
    roots_from_pem,
    timestamp_authority_from_pem,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kyverno.images.spec import (
        AttestorSetSpec,
        AttestorSpec,
        CertificatesSpec,
        CtLogSpec,
        KeylessSpec,
        KeysSpec,
        RekorSpec,
    )
    from bartizan.engines.policy.lookup import Lookup, Question
    from bartizan.engines.policy.signatures.certificates import Certificate
    from bartizan.engines.policy.signatures.keys import PublicKey

_FIELD: Final = "cosign.pub"
_CLUSTER: Final = "k8s://"

T = TypeVar("T")


@dataclass(slots=True)
class World:
    """What is asked for while a rule verifies: answers, the time, and the trusted root, once."""

    lookup: Lookup
    now: datetime
    mirror: str = ""
    """The TUF repository that the trusted root must be of; empty for whichever the user gave."""
    _trust: list[Trust] = field(default_factory=list)

    def ask(self, question: Question) -> Json:
        """An answer.

        Raises:
            UndecidedError: it could not be had.
        """
        try:
            return self.lookup.answer(question)
        except LookupFailedError as error:
            raise UndecidedError(str(error)) from error

    def believing(self, text: str) -> World:
        """The same world with another trusted root, as JSON text.

        Raises:
            RefusedError: it is malformed.
        """
        return World(self.lookup, self.now, _trust=[_read_given(text)])

    def trust(self) -> Trust:
        """The trusted root that the user gave.

        Raises:
            UndecidedError: there is none, or it is malformed.
        """
        if not self._trust:
            try:
                self._trust.append(_read_once(to_text(self.ask(TrustQuestion(self.mirror)))))
            except RefusedError as error:
                raise UndecidedError(str(error)) from error
        return self._trust[0]


@lru_cache(maxsize=16)
def _read_given(text: str) -> Trust:
    """A trusted root that a policy brings with it."""
    try:
        return read_trusted_root(msgspec.json.decode(text))
    except msgspec.DecodeError as error:
        raise RefusedError(f"the policy's trusted root is no JSON: {error}") from error


@lru_cache(maxsize=4)
def _read_once(text: str) -> Trust:
    """A trusted root as JSON text, read once for all images of a run."""
    return read_trusted_root(msgspec.json.decode(text))


def satisfy(one: AttestorSetSpec, path: str, check: Callable[[AttestorSpec, str], T]) -> T:
    """Ask the entries of a set until enough of them vouch; what the last of those said.

    Raises:
        RefusedError: too few do; the message says why each does not.
        UndecidedError: too few do, but with those in doubt it could be enough.
    """
    entries = _one_key_each(one.entries)
    required = one.count or len(entries)
    refusals: list[str] = []
    doubts: list[str] = []
    vouched = 0
    for index, entry in enumerate(entries):
        place = f"{path}.entries[{index}]"
        try:
            if entry.attestor is not None:
                found = satisfy(entry.attestor, f"{place}.attestor", check)
            else:
                place = f"{place}.{_kind(entry)}"
                found = check(entry, place)
        except RefusedError as error:
            refusals.append(_placed(place, error, entry))
            continue
        except UndecidedError as error:
            doubts.append(_placed(place, error, entry))
            continue
        vouched += 1
        if vouched >= required:
            return found
    if doubts and vouched + len(doubts) >= required:
        raise UndecidedError("; ".join(doubts))
    counted = f"{vouched} of {required} attestors vouch: " if required > 1 else ""
    raise RefusedError(counted + "; ".join([*refusals, *doubts]))


def _placed(place: str, error: Exception, entry: AttestorSpec) -> str:
    """What an entry said, with its place; nested sets have said theirs already."""
    return str(error) if entry.attestor is not None else f"{place}: {error}"


def _kind(entry: AttestorSpec) -> str:
    return next((way for way in ("keys", "certificates", "keyless") if getattr(entry, way) is not None), "any")


def _one_key_each(entries: list[AttestorSpec]) -> list[AttestorSpec]:
    """Entries with several keys in one text, taken apart, as `count` counts them."""
    found: list[AttestorSpec] = []
    for entry in entries:
        texts = split_keys(entry.keys.public_keys) if entry.keys else []
        if entry.keys is None or len(texts) < 2:
            found.append(entry)
            continue
        for text in texts:
            keys = msgspec.structs.replace(entry.keys, public_keys=text)
            found.append(msgspec.structs.replace(entry, keys=keys))
    return found


def demand_of(
    entry: AttestorSpec, annotations: Mapping[str, str] | None, world: World, *, bundled: bool = False
) -> Demand:
    """What an attestor demands of a signature; `bundled` where it is a Sigstore bundle.

    Raises:
        RefusedError: a key or certificate of the policy is malformed.
        UndecidedError: one of them, or the trusted root, cannot be had.
    """
    wanted = entry.annotations if entry.annotations is not None else annotations or {}
    if entry.keys is not None:
        return _by_key(entry.keys, entry.signature_algorithm, wanted, world, bundled=bundled)
    if entry.certificates is not None:
        return _by_certificate(entry.certificates, entry.signature_algorithm, wanted, world, bundled=bundled)
    if entry.keyless is not None:
        return _keyless(entry.keyless, wanted, world, bundled=bundled)
    # no attestor at all: anybody whom the trusted root vouches for
    return Demand(
        now=world.now,
        authorities=world.trust().authorities,
        transparency_logs=_transparency(None, world),
        timestamp_authorities=_stampers(None, world, bundled=bundled),
        annotations=wanted,
    )


def _by_key(keys: KeysSpec, algorithm: str, annotations: Mapping[str, str], world: World, *, bundled: bool) -> Demand:
    ignores = keys.ctlog is not None and keys.ctlog.ignore_sct
    return Demand(
        now=world.now,
        key=public_key(keys, world),
        algorithm=HASHES[keys.signature_algorithm or algorithm],
        transparency_logs=_transparency(keys.rekor, world),
        certificate_logs=None if ignores else (),
        timestamp_authorities=_stampers(keys.ctlog, world, bundled=bundled),
        annotations=annotations,
    )


def public_key(keys: KeysSpec, world: World) -> PublicKey:
    """The key of an attestor, from the policy or from a Secret.

    Raises:
        RefusedError: it is malformed.
        UndecidedError: it cannot be had.
    """
    text = keys.public_keys.strip()
    if text and is_pem(text):
        return read_key(text)
    if text.startswith(_CLUSTER):
        namespace, _, name = text.removeprefix(_CLUSTER).partition("/")
        return _secret_key(namespace, name, world)
    if text:
        raise UndecidedError(f"keys cannot be had from `{text[:80]}`: only PEM and `k8s://namespace/name` are read")
    if keys.secret is not None:
        return _secret_key(keys.secret.namespace, keys.secret.name, world)
    raise UndecidedError(f"keys cannot be had from the key management service `{keys.kms[:80]}`")


def _secret_key(namespace: str, name: str, world: World) -> PublicKey:
    secret = world.ask(ApiQuestion(f"/api/v1/namespaces/{namespace}/secrets/{name}"))
    data = secret.get("data") if isinstance(secret, dict) else None
    plain = secret.get("stringData") if isinstance(secret, dict) else None
    if isinstance(plain, dict) and isinstance(plain.get(_FIELD), str):
        return read_key(plain[_FIELD])
    text = data.get(_FIELD) if isinstance(data, dict) else None
    if not isinstance(text, str):
        raise UndecidedError(f"Secret `{namespace}/{name}` has no `{_FIELD}`")
    try:
        return read_key(b64decode(text))
    except (binascii.Error, ValueError) as error:
        raise UndecidedError(f"`{_FIELD}` of Secret `{namespace}/{name}` is no base64") from error


def _by_certificate(
    spec: CertificatesSpec, algorithm: str, annotations: Mapping[str, str], world: World, *, bundled: bool
) -> Demand:
    logs = _transparency(spec.rekor, world)
    stampers = _stampers(spec.ctlog, world, bundled=bundled)
    ignores = spec.ctlog is not None and spec.ctlog.ignore_sct
    if not spec.cert:
        return Demand(
            now=world.now,
            authorities=(roots_from_pem(spec.cert_chain),),
            transparency_logs=logs,
            certificate_logs=None if ignores else _certificate_logs(spec.ctlog, world, bundled=bundled),
            timestamp_authorities=stampers,
            annotations=annotations,
        )
    leaf = read_certificate(spec.cert)
    holder: list[Certificate] = [leaf]
    if spec.cert_chain:
        *between, root = read_certificates(spec.cert_chain, "the certificate chain")
        holder = build_chain(leaf, between, [root])
        if not ignores:
            check_certificate_logged(holder, _certificate_logs(spec.ctlog, world, bundled=False))
    return Demand(
        now=world.now,
        key=leaf.key,
        algorithm=HASHES[algorithm],
        transparency_logs=logs,
        certificate_logs=None if ignores else (),
        timestamp_authorities=stampers,
        annotations=annotations,
        holder=tuple(holder),
    )


def read_certificate(text: str) -> Certificate:
    """A certificate in PEM, or in base64 of PEM.

    Raises:
        RefusedError: it is malformed.
    """
    try:
        decoded = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        decoded = text.encode()
    return read_certificates(decoded)[0]


def _keyless(spec: KeylessSpec, annotations: Mapping[str, str], world: World, *, bundled: bool) -> Demand:
    ignores = spec.ctlog is not None and spec.ctlog.ignore_sct
    authorities: tuple[Authority, ...] = (roots_from_pem(spec.roots),) if spec.roots else world.trust().authorities
    identity = Identity(
        subject=spec.subject,
        subject_expression=spec.subject_reg_exp,
        issuer=spec.issuer,
        issuer_expression=spec.issuer_reg_exp,
        extensions=spec.additional_extensions,
    )
    return Demand(
        now=world.now,
        authorities=authorities,
        identity=identity,
        transparency_logs=_transparency(spec.rekor, world),
        certificate_logs=None if ignores else _certificate_logs(spec.ctlog, world, bundled=bundled),
        timestamp_authorities=_stampers(spec.ctlog, world, bundled=bundled),
        annotations=annotations,
    )


def _transparency(rekor: RekorSpec | None, world: World) -> Logs | None:
    """The transparency logs to believe; `None` where there need be none."""
    if rekor is not None and rekor.ignore_tlog:
        return None
    if rekor is not None and rekor.pubkey:
        return log_from_pem(rekor.pubkey)
    try:
        logs = world.trust().transparency_logs
    except UndecidedError as error:
        raise UndecidedError(f"no key of the transparency log is known: {error}") from error
    if not logs:
        raise UndecidedError("no key of the transparency log is known: the trusted root has none")
    return logs


def _certificate_logs(ctlog: CtLogSpec | None, world: World, *, bundled: bool) -> Logs:
    if ctlog is not None and ctlog.pubkey:
        return log_from_pem(ctlog.pubkey)
    try:
        logs = world.trust().certificate_logs
    except UndecidedError as error:
        raise UndecidedError(f"no key of the certificate log is known: {error}") from error
    if not logs and not bundled:
        raise UndecidedError("no key of the certificate log is known: the trusted root has none")
    return logs


def _stampers(ctlog: CtLogSpec | None, world: World, *, bundled: bool) -> tuple[Authority, ...]:
    if ctlog is not None and ctlog.tsa_cert_chain:
        return (timestamp_authority_from_pem(ctlog.tsa_cert_chain),)
    if not bundled:
        return ()
    try:
        return world.trust().timestamp_authorities
    except UndecidedError:
        return ()  # a bundle may do without; where it may not, the check that needs a time says so
