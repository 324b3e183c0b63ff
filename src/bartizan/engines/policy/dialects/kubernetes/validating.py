"""ValidatingAdmissionPolicy: expressions that must hold, as the API server decides by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.engines.policy.cel.environment import COMMON, Vocabulary
from bartizan.engines.policy.cel.expressions import (
    Validation,
    compile_annotations,
    compile_at,
    compile_validations,
)
from bartizan.engines.policy.dialects.kubernetes.checks import check_validating
from bartizan.engines.policy.dialects.kubernetes.evaluation import (
    FUNCTIONS,
    NAMES,
    PARAMS,
    Evaluation,
    compile_evaluation,
    failed,
)
from bartizan.engines.policy.dialects.kubernetes.matching import Matched, Matcher, compile_matcher
from bartizan.engines.policy.dialects.kubernetes.metering import Budget
from bartizan.engines.policy.dialects.kubernetes.spec import ValidatingSpec
from bartizan.engines.policy.document import decode
from bartizan.lang.cel import CelBudgetError, CelError, CelTotalError, Expression
from bartizan.lang.cel.allowance import Purse, TurnsSpentError
from bartizan.lang.cel.types import STRING

if TYPE_CHECKING:
    from typing import TypeAlias

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.cel.match import MatchResources
    from bartizan.engines.policy.cel.names import Names
    from bartizan.engines.policy.cel.params import ParamKind
    from bartizan.engines.policy.lookup import Lookup

    _About: TypeAlias = "tuple[Matched, Lookup, JsonObject | None]"

_PLAIN: Final = Vocabulary(FUNCTIONS, {**COMMON, **NAMES})
_WITH_PARAMS: Final = Vocabulary(FUNCTIONS, {**COMMON, **PARAMS, **NAMES})
_MESSAGE: Final = Vocabulary(FUNCTIONS, COMMON)
_MESSAGE_WITH_PARAMS: Final = Vocabulary(FUNCTIONS, {**COMMON, **PARAMS})
"""What expressions of messages may use: no `authorizer`."""

INVALID: Final = "Invalid"
_MAX_ANNOTATION_CHARS: Final = 10 * 1024


class Decision(NamedTuple):
    """What one expression led to; `number` is its place among the validations.

    `errored` is whether it had no value; whether that denies is for the
    policy to say. `always` denies whatever the binding says of failures.
    """

    message: str
    reason: str = INVALID
    errored: bool = False
    number: int = 0
    always: bool = False
    evidence: str = ""


class Judgement(NamedTuple):
    """What a policy says of one request with one set of parameters: what denies, in order, and audit annotations."""

    denials: tuple[Decision, ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()


CONTENT: Final = Judgement()


class ValidatingPolicy(NamedTuple):
    """A policy, compiled."""

    name: str
    constraints: MatchResources
    matcher: Matcher
    param_kind: ParamKind | None
    fails_open: bool
    evaluation: Evaluation
    validations: tuple[Validation, ...]
    annotations: tuple[tuple[str, Expression], ...]
    budget: Budget
    annotations_budget: Budget

    def judge(self, matched: Matched, lookup: Lookup, params: JsonObject | None) -> Judgement | None:
        """Judge a request that the policy matches; `None` where its conditions do not hold.

        What had no value is among the denials, whatever the failure policy.
        """
        if matched.problem:
            return Judgement((Decision(f"failed to convert object version: {matched.problem}", errored=True),))
        stopped = self.evaluation.stopped(matched, lookup, params)
        if stopped is True:
            return None
        if stopped:
            return Judgement((Decision(stopped, errored=True),))
        try:
            return self._judged((matched, lookup, params), counted=False)
        except TurnsSpentError:
            return self._judged((matched, lookup, params), counted=True)

    def _judged(self, about: _About, *, counted: bool) -> Judgement:
        try:
            denials = self._denials(about, counted=counted)
            if not self.annotations:
                return Judgement(denials) if denials else CONTENT
            more, annotations = self._annotated(about, counted=counted)
        except CelTotalError as error:
            return Judgement((Decision(str(error), errored=True),))
        return Judgement((*denials, *more), annotations)

    def _denials(self, about: _About, *, counted: bool) -> tuple[Decision, ...]:
        names = self.evaluation.names(*about)
        account = self.budget.open(names, counted=counted)
        if account.__class__ is not Purse:
            return self._counted_denials(names, about)
        said: Names | None = None
        found: list[Decision] = []
        for number, validation in enumerate(self.validations):
            try:
                if account.run(validation.expression, names) is not False:
                    continue
            except CelError as error:
                found.append(Decision(failed(validation.expression, error), errored=True, number=number))
                continue
            if said is None:
                said = self.evaluation.plain_names(*about)
                said.account = account
            found.append(_denial(validation, number, validation.worked_out(said)))
        return tuple(found)

    def _counted_denials(self, names: Names, about: _About) -> tuple[Decision, ...]:
        """As the server does it: the messages of all validations cost something, even those that nobody reads."""
        held: list[bool | CelError | CelBudgetError] = []
        for validation in self.validations:
            try:
                held.append(names.value_of(validation.expression) is not False)
            except CelTotalError:
                raise
            except (CelError, CelBudgetError) as error:
                held.append(error)
        said = self.evaluation.plain_names(*about)
        said.account = names.account
        messages, over = [""] * len(held), ""
        try:
            messages = [validation.worked_out(said) for validation in self.validations]
        except CelTotalError as error:
            over = f"failed messageExpression: {error}"
        found: list[Decision] = []
        for number, validation in enumerate(self.validations):
            result = held[number]
            if not isinstance(result, bool):
                found.append(Decision(failed(validation.expression, result), errored=True, number=number))
            elif over:
                found.append(Decision(over, errored=True, number=number))
            elif not result:
                found.append(_denial(validation, number, messages[number]))
        return tuple(found)

    def _annotated(self, about: _About, *, counted: bool) -> tuple[list[Decision], tuple[tuple[str, str], ...]]:
        """Audit annotations, and those of them that had no value, which deny."""
        names = self.evaluation.plain_names(*about)
        account = self.annotations_budget.open(names, counted=counted)
        broken: list[Decision] = []
        values: list[tuple[str, str]] = []
        for key, expression in self.annotations:
            try:
                value: Any = account.run(expression, names)
            except CelTotalError:
                raise
            except (CelError, CelBudgetError) as error:
                broken.append(Decision(failed(expression, error), errored=True, always=True))
                continue
            if isinstance(value, str) and value.strip():
                values.append((key, value.strip()[:_MAX_ANNOTATION_CHARS]))
        return broken, tuple(values)


def _denial(validation: Validation, number: int, message: str) -> Decision:
    reason, text = validation.reason or INVALID, validation.expression.text.strip()
    return Decision(message or validation.written(), reason, number=number, evidence=text)


def compile_validating(document: JsonObject, name: str) -> ValidatingPolicy:
    """Compile a ValidatingAdmissionPolicy.

    Raises:
        SpecError: it is not what the API server would take.
    """
    spec = decode(document.get("spec") or {}, ValidatingSpec, "/spec")
    check_validating(spec, name, "/spec")
    assert spec.match_constraints is not None  # noqa: S101 (checked above)
    has_params = spec.param_kind is not None
    evaluation = compile_evaluation(spec, _WITH_PARAMS if has_params else _PLAIN, "/spec")
    environment, variables = evaluation.variables
    types = {variable: expression.type for variable, expression in variables.items()}
    saying = (_MESSAGE_WITH_PARAMS if has_params else _MESSAGE).environment(types)
    for index, validation in enumerate(spec.validations):
        if validation.message_expression:
            place = f"/spec/validations/{index}/messageExpression"
            compile_at(validation.message_expression, saying, (STRING,), place)
    validations = compile_validations(spec.validations, environment, "/spec/validations")
    annotations = compile_annotations(spec.audit_annotations, environment, "/spec/auditAnnotations")
    messages = [item.message_expression for item in validations if item.message_expression is not None]
    return ValidatingPolicy(
        name,
        spec.match_constraints,
        compile_matcher(spec.match_constraints, "/spec/matchConstraints"),
        spec.param_kind,
        spec.failure_policy == "Ignore",
        evaluation,
        validations,
        annotations,
        Budget([item.expression for item in validations], variables.values(), messages),
        Budget([expression for _, expression in annotations], variables.values()),
    )
