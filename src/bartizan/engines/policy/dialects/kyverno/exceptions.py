"""PolicyExceptions: which rules they lift, for which requests. There is one loop that decides, for every caller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bartizan.base import wildcard
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno.match import compile_match
from bartizan.engines.policy.dialects.kyverno.preconditions import compile_conditions
from bartizan.engines.policy.dialects.kyverno.spec import ExceptionSpec, Metadata, decode
from bartizan.engines.policy.dialects.kyverno.watch import watch_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.dialects.kyverno.scope import Scope
    from bartizan.engines.policy.dialects.kyverno.variables import Compiler
    from bartizan.engines.policy.dialects.podsecurity import Exclusion
    from bartizan.model.request import Request


@dataclass(frozen=True, slots=True)
class RuleException:
    """One exception as one rule sees it. `pod_security` narrows it to controls instead of the whole rule."""

    name: str
    lifts: Callable[[Request, Callable[[], Scope]], bool]
    pod_security: tuple[Exclusion, ...]


def exceptions_for(
    documents: Sequence[JsonObject], policy: str, rule: str, compiler: Compiler
) -> tuple[RuleException, ...]:
    """The exceptions that name this rule. `policy` is `namespace/name` for a namespaced policy.

    Raises:
        SpecError: an exception is malformed.
    """
    found = []
    for document in documents:
        spec = decode_exception(document)
        named = any(
            entry.policy_name == policy and any(wildcard.match(name, rule) for name in entry.rule_names)
            for entry in spec.exceptions
        )
        if named:
            found.append(_compile(document, spec, compiler))
    return tuple(found)


def decode_exception(document: JsonObject) -> ExceptionSpec:
    """Read a PolicyException.

    Raises:
        SpecError: it is malformed.
    """
    if not isinstance(document.get("spec"), dict):
        raise SpecError("a PolicyException needs a `spec`", hint="List the policies and rules it is for in it.")
    return decode(document["spec"], ExceptionSpec, "/spec")


def _compile(document: JsonObject, spec: ExceptionSpec, compiler: Compiler) -> RuleException:
    applies = compile_match(spec.match, "/spec/match").applies
    metadata = decode(document.get("metadata") or {}, Metadata, "/metadata")
    name = "/".join(part for part in (metadata.namespace, metadata.name) if part)
    pod_security = tuple(spec.pod_security or ())
    watch = watch_of(compiler)
    if spec.conditions:
        conditions = compile_conditions(spec.conditions, compiler, "/spec/conditions")

        def lifts(request: Request, scope: Callable[[], Scope]) -> bool:
            return applies(request) and conditions(scope()).holds
    else:

        def lifts(request: Request, scope: Callable[[], Scope]) -> bool:  # noqa: ARG001 (the shape of every exception)
            return applies(request)

    watched = lifts if watch is None else watch.around("exception", "", lifts, text=name, detail=spec)
    return RuleException(name, watched, pod_security)
