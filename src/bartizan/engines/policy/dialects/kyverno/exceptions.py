"""PolicyExceptions: which rules they lift, for which requests. There is one loop that decides, for every caller.

An exception is for a rule by its name, so one for `x` is not for
`autogen-x`. Where it cannot be evaluated it lifts nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base import wildcard
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno.match import compile_filters
from bartizan.engines.policy.dialects.kyverno.preconditions import compile_any_all
from bartizan.engines.policy.dialects.kyverno.spec import ExceptionSpec, is_of
from bartizan.engines.policy.dialects.kyverno.variables import UnresolvedError
from bartizan.engines.policy.dialects.kyverno.watch import watch_of
from bartizan.engines.policy.document import Metadata, decode
from bartizan.model.outcome import Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.scope import Scope
    from bartizan.engines.policy.dialects.kyverno.variables import Compiler
    from bartizan.engines.policy.dialects.podsecurity.exclusion import Exclusion
    from bartizan.model.request import Request

VERSIONS: Final = frozenset({"v2", "v2beta1"})


class RuleException(NamedTuple):
    """One exception as one rule sees it. `pod_security` narrows it to controls instead of the whole rule."""

    name: str
    lifts: Callable[[Request, Callable[[], Scope]], bool]
    pod_security: tuple[Exclusion, ...]


def waive(exceptions: Sequence[RuleException], request: Request, scope: Callable[[], Scope]) -> Skipped | None:
    """The skip that exceptions make of a whole rule, naming each of them; `None` where none lifts it."""
    if not exceptions:
        return None
    return accepted([item.name for item in exceptions if item.lifts(request, scope)])


def accepted(names: Sequence[str]) -> Skipped | None:
    """A skip by the exceptions of these names."""
    if not names:
        return None
    word = "PolicyException" if len(names) == 1 else "PolicyExceptions"
    return Skipped(f"accepted by {word} {', '.join(f'`{name}`' for name in names)}", ", ".join(names))


def exceptions_for(
    documents: Sequence[JsonObject], policy: str, rule: str, compiler: Compiler
) -> tuple[RuleException, ...]:
    """The exceptions that name this rule, by their names. `policy` is `namespace/name` for a namespaced policy.

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
    return tuple(sorted(found, key=lambda item: item.name))


def is_exception(document: Json) -> bool:
    """Whether a document is an exception of the kind read here."""
    return is_of(document, ("PolicyException",), VERSIONS)


def decode_exception(document: JsonObject) -> ExceptionSpec:
    """Read a PolicyException.

    Raises:
        SpecError: it is malformed.
    """
    if not isinstance(document.get("spec"), dict):
        raise SpecError("a PolicyException needs a `spec`", hint="List the policies and rules it is for in it.")
    return decode(document["spec"], ExceptionSpec, "/spec")


def _compile(document: JsonObject, spec: ExceptionSpec, compiler: Compiler) -> RuleException:
    matches = compile_filters(spec.match, "/spec/match")
    metadata = decode(document.get("metadata") or {}, Metadata, "/metadata")
    name = "/".join(part for part in (metadata.namespace, metadata.name) if part)
    pod_security = tuple(spec.pod_security or ())
    if spec.conditions is None:

        def lifts(request: Request, scope: Callable[[], Scope]) -> bool:  # noqa: ARG001 (the shape of every exception)
            return matches(request) is not None
    else:
        conditions = compile_any_all(spec.conditions, compiler, "/spec/conditions")

        def lifts(request: Request, scope: Callable[[], Scope]) -> bool:
            if matches(request) is None:
                return False
            try:
                return conditions(scope()).holds
            except UnresolvedError:
                return False

    watch = watch_of(compiler)
    watched = lifts if watch is None else watch.around("exception", "", lifts, text=name, detail=spec)
    return RuleException(name, watched, pod_security)
