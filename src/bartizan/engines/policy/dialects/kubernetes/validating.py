"""ValidatingAdmissionPolicy: expressions that must hold, as the API server decides by them."""

from __future__ import annotations

from dataclasses import replace
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
    OVER_BUDGET,
    PARAMS,
    POLICY_LIMIT,
    Evaluation,
    compile_evaluation,
    failed,
)
from bartizan.engines.policy.dialects.kubernetes.matching import Matched, Matcher, compile_matcher
from bartizan.engines.policy.dialects.kubernetes.metering import metered
from bartizan.engines.policy.dialects.kubernetes.spec import ValidatingSpec
from bartizan.engines.policy.document import decode
from bartizan.lang.cel import CelBudgetError, CelError, Expression
from bartizan.lang.cel.types import STRING

if TYPE_CHECKING:
    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.cel.match import MatchResources
    from bartizan.engines.policy.cel.names import Names
    from bartizan.engines.policy.cel.params import ParamKind
    from bartizan.engines.policy.lookup import Lookup

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
        denials = self._denials(matched, lookup, params)
        if not self.annotations:
            return Judgement(denials) if denials else CONTENT
        more, annotations = self._annotated(self.evaluation.plain_names(matched, lookup, params))
        return Judgement((*denials, *more), annotations)

    def _denials(self, matched: Matched, lookup: Lookup, params: JsonObject | None) -> tuple[Decision, ...]:
        names = self.evaluation.names(matched, lookup, params)
        said: Names | None = None
        found: list[Decision] = []
        for number, validation in enumerate(self.validations):
            expression = validation.expression
            holds = None
            try:
                holds = expression(names)
            except (CelError, CelBudgetError) as error:
                found.append(Decision(failed(expression, error), errored=True, number=number))
            if holds is False:
                said = said or self.evaluation.plain_names(matched, lookup, params)
                message = validation.failure(said)
                reason = validation.reason or INVALID
                found.append(Decision(message, reason, number=number, evidence=expression.text.strip()))
            if names.spent > POLICY_LIMIT:
                return (Decision(OVER_BUDGET, errored=True),)
        return tuple(found)

    def _annotated(self, names: Names) -> tuple[list[Decision], tuple[tuple[str, str], ...]]:
        """Audit annotations, and those of them that had no value, which deny."""
        broken: list[Decision] = []
        values: list[tuple[str, str]] = []
        for key, expression in self.annotations:
            try:
                value: Any = expression(names)
            except (CelError, CelBudgetError) as error:
                broken.append(Decision(failed(expression, error), errored=True, always=True))
                continue
            if isinstance(value, str) and value.strip():
                values.append((key, value.strip()[:_MAX_ANNOTATION_CHARS]))
        return broken, tuple(values)


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
    return ValidatingPolicy(
        name,
        spec.match_constraints,
        compile_matcher(spec.match_constraints, "/spec/matchConstraints"),
        spec.param_kind,
        spec.failure_policy == "Ignore",
        evaluation,
        tuple(
            replace(validation, expression=metered(validation.expression))
            for validation in compile_validations(spec.validations, environment, "/spec/validations")
        ),
        compile_annotations(spec.audit_annotations, environment, "/spec/auditAnnotations"),
    )
