"""Attestors of a policy: the values that expressions have for them, and who they are in the words of verification.

Keys, certificates and subjects may be given by expressions, which are worked
out when a policy first names the attestor, once a request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bartizan.base.errors import SpecError
from bartizan.base.json import to_text
from bartizan.base.regex import compile_regex
from bartizan.engines.policy.cel.expressions import compile_at
from bartizan.engines.policy.dialects.kyverno.cel.images.spec import IdentitySpec, LogsSpec
from bartizan.engines.policy.dialects.kyverno.images import spec as classic
from bartizan.engines.policy.signatures.keys import split_keys
from bartizan.lang.cel import CelBudgetError, CelError
from bartizan.lang.cel.types import DYN, STRING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.cel.names import Names
    from bartizan.engines.policy.dialects.kyverno.cel.images.spec import (
        AttestorSpec,
        CosignSpec,
        KeylessSpec,
        KeySpec,
        TextSpec,
    )
    from bartizan.lang.cel import Environment, Expression

_CLUSTER: Final = "k8s://"
_MAX_CHARS: Final = 1 << 20
"""The most that an expression may give: trusted roots have some 30,000 characters, and all else has fewer."""
_ANYBODY: Final = IdentitySpec()


class Attestor(dict[str, Any]):
    """The value of `attestors.x`: what the policy says of them, with `spec`, which is what it means.

    `who` are the identities it may be of, and `text` is all of it.
    """

    __slots__ = ("spec", "text", "who")

    def __init__(self, spec: AttestorSpec, written: JsonObject) -> None:
        super().__init__(written)
        self.spec = spec
        self.text = to_text(written)
        self.who = identities_of(spec.cosign) if spec.cosign else ()


@dataclass(frozen=True, slots=True)
class _Late:
    """A text that an expression gives, and where it goes in the attestor."""

    path: tuple[str | int, ...]
    expression: Expression


@dataclass(frozen=True, slots=True)
class CompiledAttestor:
    """An attestor: known as it is written, or once its expressions are worked out."""

    written: JsonObject
    known: Attestor
    late: tuple[_Late, ...]

    def value(self, names: Names) -> Attestor:
        """The attestor, for one request.

        Raises:
            CelError: an expression has no value, or one that is no text.
        """
        if not self.late:
            return self.known
        spec, written = self.known.spec, self.written
        for one in self.late:
            text = self._text(one, names)
            written = _with(written, one.path, text)
            spec = _replaced(spec, one.path, text)
        return Attestor(spec, written)

    def _text(self, one: _Late, names: Names) -> str:
        field = one.path[-2] if one.path[-1] in ("value", "data") else one.path[-1]
        failed = f"failed to work out `{field}` of attestor `{self.known.spec.name}`"
        try:
            text = one.expression(names)
        except (CelError, CelBudgetError) as error:
            raise CelError(f"{failed}: {error}") from error
        if not isinstance(text, str):
            raise CelError(f"{failed}: the expression gives no string")
        if len(text) > _MAX_CHARS:
            raise CelError(f"{failed}: {len(text)} characters")
        if field == "subjectRegExp":
            try:
                compile_regex(text)
            except SpecError as error:
                raise CelError(f"{failed}: {error.message}") from error
        return text


def compile_attestors(
    specs: Sequence[AttestorSpec], written: Sequence[JsonObject], environment: Environment
) -> dict[str, CompiledAttestor]:
    """Compile attestors, by their names.

    Raises:
        SpecError: an expression does not compile, or gives no text.
    """
    made: dict[str, CompiledAttestor] = {}
    for index, (spec, document) in enumerate(zip(specs, written, strict=True)):
        late: list[_Late] = []
        for at, path, text in _expressions(spec):
            if text:
                where = f"/spec/attestors/{index}/{at}"
                late.append(_Late(path, compile_at(text, environment, (STRING, DYN), where)))
        made[spec.name] = CompiledAttestor(document, Attestor(spec, document), tuple(late))
    return made


def _expressions(spec: AttestorSpec) -> list[tuple[str, tuple[str | int, ...], str]]:
    """Every expression of an attestor: where it stands, where its value goes, and its text."""
    found: list[tuple[str, tuple[str | int, ...], str]] = []

    def text(path: tuple[str | int, ...], given: TextSpec | None) -> None:
        if given is not None:
            found.append(("/".join(map(str, (*path, "expression"))), (*path, "value"), given.expression))

    if spec.notary is not None:
        text(("notary", "certs"), spec.notary.certs)
        text(("notary", "tsaCerts"), spec.notary.tsa_certs)
    cosign = spec.cosign
    if cosign is None:
        return found
    text(("cosign", "trustedRoot"), cosign.trusted_root)
    if cosign.key is not None:
        found.append(("cosign/key/expression", ("cosign", "key", "data"), cosign.key.expression))
    if cosign.certificate is not None:
        text(("cosign", "certificate", "cert"), cosign.certificate.cert)
        text(("cosign", "certificate", "certChain"), cosign.certificate.cert_chain)
    for index, one in enumerate(cosign.keyless.identities if cosign.keyless else ()):
        path = ("cosign", "keyless", "identities", index)
        at = f"cosign/keyless/identities/{index}/subjectExpression"
        found.append((at, (*path, "subjectRegExp"), one.subject_expression))
    return found


def _with(value: Any, path: Sequence[str | int], text: str) -> Any:
    """JSON with one text set; all that is not on the way is shared."""
    if not path:
        return text
    head, rest = path[0], path[1:]
    if isinstance(value, list):
        return [_with(item, rest, text) if index == head else item for index, item in enumerate(value)]
    return {**value, head: _with(value.get(head), rest, text)}


def _replaced(record: Any, path: Sequence[str | int], text: str) -> Any:
    """A record with one text set."""
    if not path:
        return text
    head, rest = path[0], path[1:]
    if isinstance(record, tuple):
        return tuple(_replaced(item, rest, text) if index == head else item for index, item in enumerate(record))
    names = dict(zip(record.__struct_encode_fields__, record.__struct_fields__, strict=True))
    name = names[str(head)]
    return msgspec.structs.replace(record, **{name: _replaced(getattr(record, name), rest, text)})


def identities_of(cosign: CosignSpec) -> tuple[classic.AttestorSpec, ...]:
    """Whoever the attestor may be, in the words of the classic kinds: one, or one for each identity."""
    logs = cosign.ctlog or LogsSpec()
    rekor = classic.RekorSpec(logs.url, logs.rekor_pub_key, logs.insecure_ignore_tlog)
    ctlog = classic.CtLogSpec(logs.insecure_ignore_sct, logs.ct_log_pub_key, logs.tsa_cert_chain)
    said = cosign.annotations
    if cosign.keyless is not None:
        return tuple(
            classic.AttestorSpec(keyless=_keyless(cosign.keyless, one, rekor, ctlog), annotations=said)
            for one in cosign.keyless.identities or (_ANYBODY,)
        )
    # a bare key is in no log of certificates, whatever the policy says of those
    unlogged = msgspec.structs.replace(ctlog, ignore_sct=True)
    if cosign.key is not None:
        return (classic.AttestorSpec(keys=_keys(cosign.key, rekor, unlogged), annotations=said),)
    if cosign.certificate is None:
        return ()
    cert, chain = cosign.certificate.cert, cosign.certificate.cert_chain
    certificates = classic.CertificatesSpec(
        cert.value if cert else "", chain.value if chain else "", rekor, ctlog if chain else unlogged
    )
    return (classic.AttestorSpec(certificates=certificates, annotations=said),)


def _keyless(
    keyless: KeylessSpec, one: IdentitySpec, rekor: classic.RekorSpec, ctlog: classic.CtLogSpec
) -> classic.KeylessSpec:
    return classic.KeylessSpec(
        rekor=rekor,
        ctlog=ctlog,
        issuer=one.issuer,
        issuer_reg_exp=one.issuer_reg_exp,
        subject=one.subject,
        subject_reg_exp=one.subject_reg_exp,
        roots=keyless.roots,
        additional_extensions=keyless.additional_extensions,
    )


def _keys(key: KeySpec, rekor: classic.RekorSpec, ctlog: classic.CtLogSpec) -> classic.KeysSpec:
    """The one key there may be: the first of a text with several, as the peer has it."""
    several = split_keys(key.data)
    text, kms = several[0] if len(several) > 1 else key.data, key.kms
    if not text and kms.startswith(_CLUSTER):
        text, kms = kms, ""
    return classic.KeysSpec(public_keys=text, signature_algorithm=key.hash_algorithm, kms=kms, rekor=rekor, ctlog=ctlog)


class Attestors(dict[str, Attestor]):
    """The value of `attestors`: each is made when it is first named."""

    __slots__ = ("_compiled", "_names")

    def __init__(self, compiled: Mapping[str, CompiledAttestor], names: Names) -> None:
        super().__init__((name, one.known) for name, one in compiled.items() if not one.late)
        self._compiled = compiled
        self._names = names

    def __missing__(self, name: str) -> Attestor:
        value = self[name] = self._compiled[name].value(self._names)
        return value

    def __contains__(self, name: object) -> bool:
        return name in self._compiled


def attestors_maker(compiled: Mapping[str, CompiledAttestor]) -> Callable[[Names], Attestors]:
    """How the value of `attestors` is made."""
    return lambda names: Attestors(compiled, names)
