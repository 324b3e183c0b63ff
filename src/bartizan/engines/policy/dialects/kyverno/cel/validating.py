"""ValidatingPolicy: expressions that must hold of a resource, or of any JSON."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from bartizan.engines.policy.cel.expressions import (
    AnnotationSpec,
    ConditionSpec,
    ValidationSpec,
    VariableSpec,
    compile_annotations,
    compile_conditions,
    compile_validations,
    compile_variables,
)
from bartizan.engines.policy.cel.match import Match, MatchResources, compile_match, within
from bartizan.engines.policy.cel.names import makers_of, names_of
from bartizan.engines.policy.dialects.kyverno.cel.autogen import made_for_controllers, pods_within
from bartizan.engines.policy.dialects.kyverno.cel.exceptions import (
    NAME,
    PolicyException,
    exceptions_for,
    holds,
    lift,
)
from bartizan.engines.policy.dialects.kyverno.cel.spec import (
    ACTIONS,
    FAILURE_POLICIES,
    MODES,
    Autogen,
    Switch,
    WebhookConfiguration,
    one_of,
)
from bartizan.engines.policy.dialects.kyverno.cel.vocabulary import makers_for, vocabulary_for
from bartizan.engines.policy.document import Record, decode
from bartizan.engines.policy.plan import Rule
from bartizan.lang.cel import CelBudgetError, CelError
from bartizan.model.outcome import PASSED, Broken, Failed, Outcome, Passed, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.cel.expressions import Validation
    from bartizan.engines.policy.cel.names import Makers, Names
    from bartizan.engines.policy.dialects.kyverno.cel.spec import Head
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.engines.policy.plan import Action, Run
    from bartizan.lang.cel import Expression
    from bartizan.lang.jmespath import Ambient
    from bartizan.model.request import Request

_UNMATCHED: Final = Skipped("match conditions not met")


class Evaluation(Record, frozen=True):
    """Where and of what a policy is asked."""

    mode: str | None = None
    admission: Switch | None = None
    background: Switch | None = None


class ValidatingSpec(Record, frozen=True):
    """`spec` of a ValidatingPolicy."""

    match_constraints: MatchResources | None = None
    validations: tuple[ValidationSpec, ...] = ()
    failure_policy: str | None = None
    audit_annotations: tuple[AnnotationSpec, ...] = ()
    match_conditions: tuple[ConditionSpec, ...] = ()
    variables: tuple[VariableSpec, ...] = ()
    autogen: Autogen | None = None
    validation_actions: tuple[str, ...] | None = None
    webhook_configuration: WebhookConfiguration | None = None
    evaluation: Evaluation | None = None


@dataclass(frozen=True, slots=True)
class _Judge:
    """A policy's expressions, ready to be asked about a request."""

    conditions: tuple[tuple[str, Expression], ...]
    validations: tuple[Validation, ...]
    annotations: tuple[tuple[str, Expression], ...]
    exceptions: tuple[PolicyException, ...]
    makers: Makers
    now: Callable[[], datetime]
    ignores: bool

    def __call__(self, request: Request, lookup: Lookup) -> Outcome:
        """What the policy says of a request that it is about."""
        names = names_of(request, lambda: lookup, self.makers)
        if self.exceptions:
            lifted = lift(self.exceptions, names, self.now, ignores=self.ignores)
            if lifted.outcome is not None:
                return lifted.outcome
            names[NAME] = lifted.narrowing
        if self.conditions:
            try:
                if not holds(self.conditions, names):
                    return _UNMATCHED
            except CelError as error:
                return _UNMATCHED if self.ignores else Broken(f"failed to load context: {error}")
        return self._validated(names)

    def _validated(self, names: Names) -> Outcome:
        outcome: Outcome = PASSED
        for index, validation in enumerate(self.validations):
            try:
                if validation.expression(names) is not True:
                    outcome = Failed(message_of(validation, names, index), "", validation.expression.text)
                    break
            except (CelError, CelBudgetError) as error:
                return Broken(f"error: {error}")
        for key, annotation in self.annotations:
            try:
                annotation(names)
            except (CelError, CelBudgetError) as error:
                return Broken(f"error: failed to evaluate auditAnnotation '{key}': {error}")
        return outcome


def message_of(validation: Validation, names: Names, index: int) -> str:
    """The message as the peer has it, which does not hide that it could not be worked out."""
    if validation.message_expression is None:
        return validation.message or f"CEL expression validation failed at index {index}"
    try:
        said = validation.message_expression(names)
    except (CelError, CelBudgetError) as error:
        return f"failed to evaluate message expression: {error}"
    return said or f"CEL expression validation failed at index {index}"


def validating_rules(
    document: JsonObject, head: Head, ambient: Ambient, exceptions: Sequence[JsonObject]
) -> Iterator[Rule]:
    """Compile a ValidatingPolicy: its own rule, then the ones for pod controllers.

    Raises:
        SpecError: a field is malformed, or an expression does not compile.
    """
    spec = decode(document["spec"], ValidatingSpec, "/spec")
    asked = spec.evaluation.mode if spec.evaluation else None
    mode = one_of(asked, MODES, "/spec/evaluation/mode", default="Kubernetes")
    action = action_of(spec.validation_actions)
    if mode in ("HTTP", "Envoy"):
        from bartizan.engines.policy.dialects.kyverno.cel.authorization import (  # late: few are about requests
            authorization_rule,
        )

        yield authorization_rule(spec, mode, (head, ambient), exceptions, action)
        return
    judge = _judge(spec, head, ambient, exceptions)
    if mode == "JSON":
        about_json = replace(judge, annotations=(), makers={**judge.makers, **_NO_REQUEST})
        yield Rule(head.info, _of_json(about_json), None, lambda _request: action)
        return
    match = within(compile_match(spec.match_constraints or _NOTHING, "/spec/matchConstraints"), head.namespace)
    yield Rule(head.info, _gated(match, judge), match.kinds, lambda _request: action)
    for made in made_for_controllers(document["spec"], spec.match_constraints, spec.autogen):
        match = within(compile_match(made.match, "/spec/matchConstraints"), head.namespace)
        if made.extracts:
            yield Rule(head.info, _gated(match, _each_pod(judge)), match.kinds, lambda _request: action)
        else:
            moved = _judge(decode(made.spec, ValidatingSpec, "/spec"), head, ambient, exceptions)
            yield Rule(head.info, _gated(match, moved), match.kinds, lambda _request: action)


_NOTHING: Final = MatchResources()
_NO_REQUEST: Final[Makers] = MappingProxyType({"request": lambda _names: None, "namespaceObject": lambda _names: None})
"""What a policy about JSON does not have, even where the JSON is a Kubernetes object."""


def action_of(wanted: Sequence[str] | None) -> Action:
    """What admission does with a failure, by `validationActions`.

    Raises:
        SpecError: there is no such action.
    """
    actions = wanted or ("Deny",)
    for index, action in enumerate(actions):
        one_of(action, ACTIONS, f"/spec/validationActions/{index}", default="Deny")
    return "Enforce" if "Deny" in actions else "Audit"


def _judge(spec: ValidatingSpec, head: Head, ambient: Ambient, exceptions: Sequence[JsonObject]) -> _Judge:
    environment, variables = compile_variables(spec.variables, vocabulary_for(head.kind), "/spec/variables")
    ignores = one_of(spec.failure_policy, FAILURE_POLICIES, "/spec/failurePolicy", default="Fail") == "Ignore"
    return _Judge(
        compile_conditions(spec.match_conditions, environment, "/spec/matchConditions"),
        compile_validations(spec.validations, environment, "/spec/validations"),
        compile_annotations(spec.audit_annotations, environment, "/spec/auditAnnotations"),
        exceptions_for(exceptions, head, environment),
        makers_of(variables, makers_for(ambient, head.namespace)),
        ambient.now,
        ignores,
    )


def _gated(match: Match, judge: Callable[[Request, Lookup], Outcome]) -> Run:
    applies = match.applies

    def run(request: Request, lookup: Lookup) -> Outcome | None:
        return judge(request, lookup) if not request.payload and applies(request) else None

    return run


def _of_json(judge: _Judge) -> Run:
    """Ask about any JSON, of which a Kubernetes object is one."""

    def run(request: Request, lookup: Lookup) -> Outcome | None:
        return judge(request, lookup) if request.payload in ("", "json") else None

    return run


def _each_pod(judge: _Judge) -> Callable[[Request, Lookup], Outcome]:
    """Ask about each pod template of a resource; the first that is not as it should be settles it."""

    def run(request: Request, lookup: Lookup) -> Outcome:
        pods = pods_within(request)
        rid = request.resource.id
        if not pods:
            return Broken(f"error: no pod template found in {rid.api_version}/{rid.kind}")
        last: Outcome = _UNMATCHED
        for path, pod in pods:
            said = judge(pod, lookup)
            if isinstance(said, Failed):
                return Failed(f"{said.message} (pod template at {path})", said.pointer, said.evidence)
            if isinstance(said, Broken):
                return Broken(f"{said.error} (pod template at {path})")
            if isinstance(said, Passed) or last is _UNMATCHED:
                last = said
        return last

    return run
