"""`validate.cel` and `celPreconditions` of a rule: CEL with the names that Kubernetes' admission policies have.

Kyverno runs such a rule as the API server would run a policy that fails
closed: a precondition or expression that ends in an error is a failure, and
its message says what went wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.base.errors import SpecError
from bartizan.engines.policy.cel import authorizer
from bartizan.engines.policy.cel.environment import COMMON, Vocabulary
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
from bartizan.engines.policy.cel.names import Names, makers_of, names_of
from bartizan.engines.policy.cel.params import ParamKind, ParamRef, params_loader
from bartizan.engines.policy.document import Record, decode
from bartizan.engines.policy.lookup import LookupFailedError
from bartizan.lang.cel import CelBudgetError, CelError, Overload, functions_of
from bartizan.lang.cel.library import KUBERNETES
from bartizan.lang.cel.types import DYN
from bartizan.lang.cel.values import Optional
from bartizan.model.outcome import PASSED, Broken, Failed, Outcome, Skipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bartizan.engines.policy.cel.expressions import Validation
    from bartizan.engines.policy.dialects.kyverno.spec import RuleSpec
    from bartizan.engines.policy.dialects.kyverno.validate import Judge, ScopeOf
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.lang.cel import Expression
    from bartizan.model.request import Request


def _or_value(value: Any, default: Any) -> Any:
    """`orValue` of what is no optional is that value, which Kyverno keeps from older releases of the language."""
    if value.__class__ is not Optional:
        return value
    return value.value if value.present else default


FUNCTIONS: Final = {**KUBERNETES, "orValue": (Overload((DYN, DYN), DYN, _or_value, member=True),)}
"""The functions of the API server, with what Kyverno keeps beside them."""
_OF_RULES: Final = functions_of(FUNCTIONS, authorizer.FUNCTIONS)
_NAMES: Final = {**COMMON, **authorizer.NAMES}
_PLAIN: Final = Vocabulary(_OF_RULES, _NAMES)
_WITH_PARAMS: Final = Vocabulary(_OF_RULES, {**_NAMES, "params": DYN})
_MAKERS: Final = {
    "authorizer": authorizer.authorizer_of,
    "authorizer.requestResource": authorizer.request_resource,
}


class CelSpec(Record, frozen=True):
    """`validate.cel` of a rule."""

    generate: bool | None = None
    expressions: tuple[ValidationSpec, ...] = ()
    variables: tuple[VariableSpec, ...] = ()
    param_kind: ParamKind | None = None
    param_ref: ParamRef | None = None
    audit_annotations: tuple[AnnotationSpec, ...] = ()


class _Conditions(Record, frozen=True):
    items: tuple[ConditionSpec, ...] = ()


def cel_judge(spec: RuleSpec, at: str) -> Judge:
    """Judge a resource by a rule's CEL expressions, where its CEL preconditions hold.

    Raises:
        SpecError: an expression does not compile, or gives what it must not.
    """
    validate = spec.validate
    if validate is None or validate.cel is None:
        hint = "Use `preconditions`, which every rule takes."
        raise SpecError("`celPreconditions` go with `validate.cel` alone", pointer=f"{at}/celPreconditions", hint=hint)
    where = f"{at}/validate/cel"
    cel = decode(validate.cel, CelSpec, where)
    conditions = decode({"items": spec.cel_preconditions or []}, _Conditions, f"{at}/celPreconditions").items
    vocabulary = _WITH_PARAMS if cel.param_kind is not None and cel.param_ref is not None else _PLAIN
    environment, variables = compile_variables(cel.variables, vocabulary, f"{where}/variables")
    gates = [gate for _, gate in compile_conditions(conditions, environment, f"{at}/celPreconditions")]
    validations = compile_validations(
        cel.expressions, environment, f"{where}/expressions", message=validate.message or ""
    )
    compile_annotations(cel.audit_annotations, environment, f"{where}/auditAnnotations")
    load_params = params_loader(cel.param_kind, cel.param_ref) if cel.param_kind and cel.param_ref else None
    makers = makers_of(variables, _MAKERS)

    def judge(request: Request, scope: ScopeOf) -> Outcome | None:
        def lookup() -> Lookup:
            return scope().lookup

        if load_params is None:
            return _judged(names_of(request, lookup, makers), gates, validations)
        try:
            found = load_params(request, scope().lookup)
        except LookupFailedError as error:
            return Broken(f"params could not be had: {error}")
        for params in found:
            outcome = _judged(names_of(request, lookup, makers, params), gates, validations)
            if outcome is not PASSED:
                return outcome
        return PASSED

    return judge


def _judged(names: Names, gates: Sequence[Expression], validations: Sequence[Validation]) -> Outcome:
    if gates:
        stopped = _stopped(names, gates)
        if stopped is not None:
            return stopped
    for validation in validations:
        try:
            holds = validation.expression(names)
        except (CelError, CelBudgetError) as error:
            return Failed(_failed_in(validation.expression, error))
        if holds is not True:
            return Failed(validation.failure(names), "", validation.expression.text)
    return PASSED


def _stopped(names: Names, gates: Sequence[Expression]) -> Outcome | None:
    """What ends the rule before it begins: one condition that does not hold, whatever errors the others end in."""
    errors: list[str] = []
    for gate in gates:
        try:
            if gate(names) is False:
                return Skipped("cel preconditions not met")
        except (CelError, CelBudgetError) as error:
            errors.append(_failed_in(gate, error))
    if not errors:
        return None
    return Failed(errors[0] if len(errors) == 1 else f"[{', '.join(dict.fromkeys(errors))}]")


def _failed_in(expression: Expression, error: Exception) -> str:
    return f"expression '{expression.text}' resulted in error: {error}"
