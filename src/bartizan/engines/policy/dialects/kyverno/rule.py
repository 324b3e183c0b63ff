"""One rule, compiled to the engine's shape.

The order is Kyverno's: match, exclude, preconditions, exceptions, then the
judgement; whatever needs variables is told how to get them, and asks late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from bartizan.base import wildcard
from bartizan.base.json import to_text
from bartizan.engines.policy.dialects.kyverno.context import compile_context
from bartizan.engines.policy.dialects.kyverno.exceptions import exceptions_for, waive
from bartizan.engines.policy.dialects.kyverno.foreach import foreach_judge
from bartizan.engines.policy.dialects.kyverno.match import compile_match
from bartizan.engines.policy.dialects.kyverno.preconditions import compile_conditions
from bartizan.engines.policy.dialects.kyverno.scope import images_loader, request_scope
from bartizan.engines.policy.dialects.kyverno.validate import compile_message, compile_validate
from bartizan.engines.policy.dialects.kyverno.variables import UnresolvedError, reads_only
from bartizan.engines.policy.plan import Action, Deed, Rule
from bartizan.engines.policy.selector import compile_selector
from bartizan.model.outcome import Broken, Failed, Outcome, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.exceptions import RuleException
    from bartizan.engines.policy.dialects.kyverno.scope import Loader, Scope
    from bartizan.engines.policy.dialects.kyverno.spec import ActionOverride, RuleSpec, ValidateSpec
    from bartizan.engines.policy.dialects.kyverno.validate import Judge, ScopeOf
    from bartizan.engines.policy.dialects.kyverno.variables import Compiler
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.engines.policy.plan import Run
    from bartizan.model.finding import RuleInfo
    from bartizan.model.request import Request
    from bartizan.model.severity import Severity


class PolicyMeta(NamedTuple):
    """What the policy says of all its rules."""

    name: str
    namespace: str
    annotations: dict[str, Any]
    title: str
    category: str
    severity: Severity
    description: str
    scored: bool
    failure_action: str
    overrides: tuple[ActionOverride, ...]
    generate_existing: bool = False
    server_side_apply: bool = False

    @property
    def full_name(self) -> str:
        """`namespace/name`, or the name alone for a ClusterPolicy."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


def compile_rule(
    spec: RuleSpec,
    info: RuleInfo,
    meta: PolicyMeta,
    compiler: Compiler,
    exceptions: Sequence[JsonObject],
    at: str,
) -> Rule:
    """Compile one rule.

    Raises:
        SpecError: something in the rule is malformed.
    """
    matched = compile_match(spec.match, f"{at}/match")
    excluded = compile_match(spec.exclude, f"{at}/exclude", excluding=True).applies if spec.exclude else None
    lifted = exceptions_for(exceptions, meta.full_name, spec.name, compiler)
    narrows = spec.validate is not None and spec.validate.pod_security is not None
    steps = _Steps(
        applies=_in_namespace(matched.applies, meta.namespace),
        excluded=excluded,
        exceptions=tuple(item for item in lifted if not (item.pod_security and narrows)),
        judge=_judge(spec, meta, lifted, compiler, at),
        conditions=_conditions(spec, compiler, at),
        loaders=_loaders(spec, compiler, at),
        is_static=not lifted and _is_static(spec),
        forgives=_forgives(spec.validate, meta),
    )
    run = _run(steps) if spec.generate is None else _generating(spec, meta, compiler, at, steps)
    if matched.kinds is None:
        run = _of_objects(run)
    return Rule(info, run, matched.kinds, _action(spec, meta), _does(spec))


def _of_objects(run: Run) -> Run:
    """A rule for every kind, which JSON of no kind is none of."""
    return lambda request, lookup: None if request.payload else run(request, lookup)


def _generating(spec: RuleSpec, meta: PolicyMeta, compiler: Compiler, at: str, steps: _Steps) -> Run:
    """A rule that generates also says what goes when its trigger does."""
    from bartizan.engines.policy.dialects.kyverno.generation.generate import (  # late
        compile_generate,
        generate_judge,
        releasing,
    )

    generating = compile_generate(spec, meta, compiler, at)
    run = _run(steps._replace(judge=generate_judge(generating)))
    return releasing(run, steps.matches, generating)


def _does(spec: RuleSpec) -> Deed:
    if spec.mutate is not None:
        return "mutate"
    if spec.generate is not None:
        return "generate"
    return "verify" if spec.verify_images is not None else "validate"


class _Steps(NamedTuple):
    """The parts of a rule, in the order in which they run."""

    applies: Callable[[Request], bool]
    excluded: Callable[[Request], bool] | None
    exceptions: tuple[RuleException, ...]
    judge: Judge
    conditions: Callable[[Request, ScopeOf], Outcome | None] | None
    loaders: dict[str, Loader]
    is_static: bool
    forgives: bool
    """Whether a failure that was there before a change is let pass."""

    def matches(self, request: Request) -> bool:
        """Whether the rule is about a request, preconditions aside."""
        return self.applies(request) and (self.excluded is None or not self.excluded(request))


def _run(steps: _Steps) -> Run:  # noqa: C901 (the order of a rule's steps, in one place)
    applies, excluded, judge, conditions = steps.applies, steps.excluded, steps.judge, steps.conditions
    forgives, loaders = steps.forgives, steps.loaders
    lifted = steps.exceptions

    if conditions is None and steps.is_static:
        return _run_static(steps)

    def run(request: Request, lookup: Lookup) -> Outcome | None:
        if not applies(request) or (excluded is not None and excluded(request)):
            return None
        made: list[Scope] = []

        def scope() -> Scope:
            if not made:
                made.append(request_scope(request, lookup, loaders))
            return made[0]

        try:
            if conditions is not None:
                stopped = conditions(request, scope)
                if stopped is not None:
                    return stopped
            waived = waive(lifted, request, scope)
            if waived is not None:
                return waived
            outcome = judge(request, scope)
            if forgives and outcome.__class__ is Failed and _failed_before(steps, request, scope):
                return Skipped("it failed before the change too")
            return outcome  # noqa: TRY300 (the steps read top to bottom)
        except UnresolvedError as error:
            return Broken(str(error))

    return run


def _judge(  # noqa: PLR0911 (one for each way to judge)
    spec: RuleSpec, meta: PolicyMeta, lifted: Sequence[RuleException], compiler: Compiler, at: str
) -> Judge:
    validate = spec.validate
    if spec.cel_preconditions or (validate is not None and validate.cel is not None):
        from bartizan.engines.policy.dialects.kyverno.cel.rule import cel_judge  # late: most policies have none

        return cel_judge(spec, at)
    if spec.mutate is not None:
        from bartizan.engines.policy.dialects.kyverno.mutation.mutate import (
            mutate_judge,  # late: most policies only judge
        )

        return mutate_judge(spec.mutate, meta.namespace, compiler, f"{at}/mutate")
    if spec.verify_images is not None:
        from bartizan.engines.policy.dialects.kyverno.images.verify import RuleName, verify_images_judge

        name = RuleName(f"{meta.namespace}/{meta.name}", spec.name)
        where = f"{at}/verifyImages"
        return verify_images_judge(spec.verify_images, spec.image_extractors, compiler, where, name=name)
    if validate is not None and validate.manifests is not None:
        from bartizan.engines.policy.dialects.kyverno.images.manifests import manifests_judge

        return manifests_judge(validate.manifests, compiler, f"{at}/validate/manifests")
    if validate is None:
        return lambda _request, _scope: None
    if validate.pod_security is not None:
        message = compile_message(validate.message, compiler, f"{at}/validate/message")
        narrowed = [item for item in lifted if item.pod_security]
        from bartizan.engines.policy.dialects.kyverno.pod_security import pod_security_judge  # late: as above

        return pod_security_judge(validate.pod_security, message, narrowed, f"{at}/validate/podSecurity")
    if validate.foreach is not None:
        judge = foreach_judge(validate.foreach, validate.message, compiler, f"{at}/validate/foreach")
    else:
        judge = compile_validate(validate, compiler, f"{at}/validate")
    return judge


def _forgives(validate: ValidateSpec | None, meta: PolicyMeta) -> bool:
    """Only where a failure is refused; an audit reports it however old it is. Overrides do not count here."""
    if validate is None or validate.allow_existing_violations is False:
        return False
    return _as_action(validate.failure_action or meta.failure_action) == "Enforce"


def _failed_before(steps: _Steps, request: Request, scope: ScopeOf) -> bool:
    """Whether the resource failed before the change too, which then is not the change's fault."""
    if request.operation != "UPDATE" or request.old is None:
        return False
    before = msgspec.structs.replace(request, operation="CREATE", resource=request.old, old=None, memo={})
    if not steps.applies(before) or (steps.excluded is not None and steps.excluded(before)):
        return False

    def earlier() -> Scope:
        now = scope()
        return now.nested({"request": {**now["request"], "object": before.resource.body, "operation": "CREATE"}}, {})

    try:
        if steps.conditions is not None and steps.conditions(before, earlier) is not None:
            return False
        return isinstance(steps.judge(before, earlier), Failed)
    except UnresolvedError:
        return False


def _run_static(steps: _Steps) -> Run:
    """A rule without variables: nothing but the judgement is left to do."""
    applies, excluded, judge, forgives = steps.applies, steps.excluded, steps.judge, steps.forgives

    def run(request: Request, lookup: Lookup) -> Outcome | None:  # noqa: ARG001 (the shape of every rule)
        if not applies(request) or (excluded is not None and excluded(request)):
            return None
        outcome = judge(request, _no_scope)
        if forgives and outcome.__class__ is Failed and _failed_before(steps, request, _no_scope):
            return Skipped("it failed before the change too")
        return outcome

    return run


def _no_scope() -> Scope:
    raise UnresolvedError("a rule without variables asked for one")


def _is_static(spec: RuleSpec) -> bool:
    """Whether a rule has only patterns, and not a single variable."""
    validate = spec.validate
    if validate is None or validate.foreach is not None or validate.deny is not None or validate.cel is not None:
        return False
    if validate.assert_ is not msgspec.UNSET or validate.manifests is not None:
        return False
    given = [part for part in (validate.message, validate.pattern, validate.any_pattern) if part is not msgspec.UNSET]
    return "{{" not in to_text(given)


def _loaders(spec: RuleSpec, compiler: Compiler, at: str) -> dict[str, Loader]:
    def query(text: str, value: Json) -> Json:
        return compiler(text)(value)

    images = images_loader(spec.image_extractors, query)
    return {"images": images, **compile_context(spec.context, compiler, f"{at}/context")}


def _conditions(spec: RuleSpec, compiler: Compiler, at: str) -> Callable[[Request, ScopeOf], Outcome | None] | None:
    if not spec.preconditions:
        return None
    holds = compile_conditions(spec.preconditions, compiler, f"{at}/preconditions")

    def check(_request: Request, scope: ScopeOf) -> Outcome | None:
        verdict = holds(scope())
        return None if verdict.holds else Skipped(verdict.message or "preconditions not met")

    if not reads_only(spec.preconditions, frozenset({"request"})):
        return check
    key = to_text(spec.preconditions)

    def check_once(request: Request, scope: ScopeOf) -> Outcome | None:
        # many policies begin with the same question about the request, and it has the same answer for all
        memo = request.memo
        if key not in memo:
            memo[key] = check(request, scope)
        outcome: Outcome | None = memo[key]
        return outcome

    return check_once


def _in_namespace(applies: Callable[[Request], bool], namespace: str) -> Callable[[Request], bool]:
    """A namespaced policy is about its own namespace only."""
    if not namespace:
        return applies
    return lambda request: request.resource.id.namespace == namespace and applies(request)


def _action(spec: RuleSpec, meta: PolicyMeta) -> Callable[[Request], Action]:
    """Whether a failure is refused or only reported; the first override that names the namespace decides."""
    validate = spec.validate
    own = validate.failure_action if validate else _image_action(spec.verify_images)
    overrides = (validate.failure_action_overrides if validate and own else None) or meta.overrides
    default = _as_action(own or meta.failure_action)
    if not overrides:
        return lambda _request: default
    cases = [(_override(item), _as_action(item.action)) for item in overrides]
    return lambda request: next((action for holds, action in cases if holds(request)), default)


def _image_action(entries: list[JsonObject] | None) -> str | None:
    """The action of a rule whose entries each may have one: it refuses where one of them does."""
    given = [entry["failureAction"] for entry in entries or () if isinstance(entry.get("failureAction"), str)]
    return next((action for action in given if _as_action(action) == "Enforce"), given[0] if given else None)


def _override(item: ActionOverride) -> Callable[[Request], bool]:
    names = [wildcard.matcher(name) for name in item.namespaces or ()]
    selector = item.namespace_selector
    selects = compile_selector(selector, "/spec/validationFailureActionOverrides") if selector else None

    def holds(request: Request) -> bool:
        if names and not any(name(request.resource.id.namespace) for name in names):
            return False
        return selects is None or selects(request.namespace_labels)

    return holds


def _as_action(word: str) -> Action:
    return "Enforce" if word.lower() == "enforce" else "Audit"
