"""`validate` of a rule, compiled: pattern, anyPattern, deny, podSecurity and assert, and `foreach` over any of them.

A judge takes a request and the scope of its variables and says an outcome,
or `None` where it gives no answer. A rule without variables never builds
the scope.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import msgspec

from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno.assertions import compile_assertion
from bartizan.engines.policy.dialects.kyverno.preconditions import compile_conditions
from bartizan.engines.policy.dialects.kyverno.variables import UnresolvedError, as_text, compile_template
from bartizan.engines.policy.dialects.kyverno.watch import watch_of
from bartizan.engines.policy.document import list_at, object_at
from bartizan.lang.overlay import Mismatch, Pattern, compile_pattern
from bartizan.model.outcome import PASSED, Broken, Failed, Outcome, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kyverno.scope import Scope
    from bartizan.engines.policy.dialects.kyverno.spec import ValidateSpec
    from bartizan.engines.policy.dialects.kyverno.variables import Compiler, Render, Template
    from bartizan.model.request import Request

ScopeOf: TypeAlias = "Callable[[], Scope]"
Judge: TypeAlias = "Callable[[Request, ScopeOf], Outcome | None]"

_MAX_PATTERNS: Final = 1024
"""Patterns with variables kept compiled for one rule; beyond that the oldest go."""


class Message(NamedTuple):
    """A rule's message. Where its variables cannot be resolved, it is shown as written."""

    fixed: str
    render: Render | None
    """Fills the variables in; `None` where there are none and `fixed` is all."""
    raw: str

    def __call__(self, scope: ScopeOf) -> str:
        """The text for one request."""
        if self.render is None:
            return self.fixed
        try:
            return as_text(self.render(scope()))
        except UnresolvedError:
            return self.raw


def compile_message(text: str | None, compiler: Compiler, at: str) -> Message:
    """Compile a message."""
    template = compile_template(text or "", compiler, at=at)
    watch = watch_of(compiler)
    if watch is not None:
        template = watch.template("message", template)
    return Message(as_text(template.value), template.render, text or "")


def pattern_judge(document: Json, message: Message, compiler: Compiler, at: str) -> Judge:
    """Judge the resource by one pattern."""
    template = compile_template(document, compiler, at=at)
    if template.render is not None:
        return _late_pattern_judge(template, message, compiler, at)
    check = _compiled(template.value, compiler, at).check

    def judge(request: Request, scope: ScopeOf) -> Outcome | None:
        if request.operation == "DELETE":
            return None
        mismatch = check(request.resource.body)
        return PASSED if mismatch is None else _mismatched(mismatch, message, scope)

    return judge


def _late_pattern_judge(template: Template, message: Message, compiler: Compiler, at: str) -> Judge:
    resolve = _pattern_resolver(template, compiler, at)

    def judge(request: Request, scope: ScopeOf) -> Outcome | None:
        if request.operation == "DELETE":
            return None
        mismatch = resolve(scope).check(request.resource.body)
        return PASSED if mismatch is None else _mismatched(mismatch, message, scope)

    return judge


def _pattern_resolver(template: Template, compiler: Compiler, at: str) -> Callable[[ScopeOf], Pattern]:
    """Compile a pattern, now or, if it has variables, when they are known."""
    if template.render is None:
        known = _compiled(template.value, compiler, at)
        return lambda _scope: known
    cache: dict[bytes, Pattern] = {}

    def resolve(scope: ScopeOf) -> Pattern:
        pattern = template(scope())
        key = msgspec.json.encode(pattern)
        compiled = cache.get(key)
        if compiled is None:
            if len(cache) >= _MAX_PATTERNS:
                cache.pop(next(iter(cache)))
            try:
                compiled = cache[key] = _compiled(pattern, compiler, at)
            except SpecError as error:
                raise UnresolvedError(f"bad pattern: {error.message}") from error
        return compiled

    return resolve


def _compiled(pattern: Json, compiler: Compiler, at: str) -> Pattern:
    watch = watch_of(compiler)
    try:
        compiled = compile_pattern(pattern)
        return compiled if watch is None else watch.pattern(pattern, at, compiled.source)
    except SpecError as error:
        raise SpecError(error.message, hint=error.hint, pointer=f"{at}{error.pointer}") from error


def _mismatched(mismatch: Mismatch, message: Message, scope: ScopeOf) -> Outcome:
    if mismatch.skip:
        return Skipped(mismatch.message)
    if mismatch.broken:
        return Broken(mismatch.message)
    return Failed(message(scope) or mismatch.message, mismatch.pointer, mismatch)


class _Alternatives(NamedTuple):
    """Why none of several patterns matched; written out when somebody reads it."""

    failed: list[Mismatch]

    def __str__(self) -> str:
        return "; ".join(f"{item.pointer}: {item.message}" for item in self.failed)


def any_pattern_judge(documents: Json, message: Message, compiler: Compiler, at: str) -> Judge:
    """Judge by several patterns, of which one must match."""
    places = [(pattern, f"{at}/{index}") for index, pattern in enumerate(list_at(documents, at))]
    templates = [(compile_template(pattern, compiler, at=place), place) for pattern, place in places]
    resolvers = [_pattern_resolver(template, compiler, place) for template, place in templates]

    def judge(request: Request, scope: ScopeOf) -> Outcome | None:
        if request.operation == "DELETE":
            return None
        failed: list[Mismatch] = []
        skipped: list[Mismatch] = []
        # the variables of every pattern are filled in first, though the first pattern may be enough
        for pattern in [resolve(scope) for resolve in resolvers]:
            mismatch = pattern.check(request.resource.body)
            if mismatch is None:
                return PASSED
            (skipped if mismatch.skip else failed).append(mismatch)
        if not failed:
            return Skipped("; ".join(item.message for item in skipped)) if skipped else PASSED
        evidence = _Alternatives(failed)
        return Failed(message(scope) or str(evidence), failed[0].pointer, evidence)

    return judge


def deny_judge(deny: Json, message: Message, compiler: Compiler, at: str) -> Judge:
    """Refuse where the conditions hold; no conditions at all always do."""
    conditions = compile_conditions(
        object_at(deny, at, ("conditions",)).get("conditions"), compiler, f"{at}/conditions"
    )

    def judge(_request: Request, scope: ScopeOf) -> Outcome | None:
        holds, said = conditions(scope())
        if not holds:
            return PASSED
        text = (message if not said else _with_conditions(message, said, compiler, at))(scope)
        return Failed(text or "denied by its conditions", "", said)

    return judge


def _with_conditions(message: Message, said: str, compiler: Compiler, at: str) -> Message:
    """The rule's message and those of its conditions, whose variables are filled in together."""
    text = f"{message.raw}; {said}" if message.raw else said
    try:
        return compile_message(text, compiler, at)
    except SpecError:
        return Message(text, None, text)


def assert_judge(tree: Json, message: Message, compiler: Compiler, at: str) -> Judge:
    """Judge by an assertion tree: of the request, where it begins with `object` or `oldObject`, or of the resource."""
    check = compile_assertion(tree, compiler, at=at)
    of_request = isinstance(tree, dict) and not tree.keys().isdisjoint(("object", "oldObject"))

    def judge(request: Request, scope: ScopeOf) -> Outcome | None:
        errors = check(_asserted(request) if of_request else request.resource.body, scope())
        if not errors:
            return PASSED
        return Failed(message(scope) or errors[0], "", "; ".join(errors))

    return judge


def _asserted(request: Request) -> Json:
    return {
        "object": request.resource.body,
        "oldObject": request.old.body if request.old else None,
        "operation": request.operation,
        "namespaceLabels": request.namespace_labels,
    }


def compile_validate(spec: ValidateSpec, compiler: Compiler, at: str) -> Judge:
    """Compile what a rule or an element of a loop has to say, apart from `foreach` and `podSecurity`.

    Raises:
        SpecError: nothing to judge by, or something malformed.
    """
    message = compile_message(spec.message, compiler, f"{at}/message")
    if spec.deny is not None:
        return deny_judge(spec.deny, message, compiler, f"{at}/deny")
    if spec.pattern is not msgspec.UNSET:
        return pattern_judge(spec.pattern, message, compiler, f"{at}/pattern")
    if spec.any_pattern is not msgspec.UNSET:
        return any_pattern_judge(spec.any_pattern, message, compiler, f"{at}/anyPattern")
    if spec.assert_ is not msgspec.UNSET:
        return assert_judge(spec.assert_, message, compiler, f"{at}/assert")
    ways = "pattern, anyPattern, deny, foreach, podSecurity, cel or assert"
    raise SpecError("nothing to validate by", pointer=at, hint=f"Write one of {ways}.")
