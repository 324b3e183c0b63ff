"""`validate.cel` and `celPreconditions` of a rule: CEL with the names that Kubernetes' admission policies have.

Kyverno runs such a rule as the API server would run a policy that fails
closed: a precondition or expression that ends in an error is a failure, and
its message says what went wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno.cel_names import environment_for, names_of
from bartizan.engines.policy.dialects.kyverno.cel_params import ParamKind, ParamRef, params_loader
from bartizan.engines.policy.document import Record, decode
from bartizan.engines.policy.lookup import LookupFailedError
from bartizan.lang.cel import CelBudgetError, CelError, Environment, compile_expression
from bartizan.lang.cel.types import BOOL, NULL, STRING, Type
from bartizan.model.outcome import PASSED, Broken, Failed, Outcome, Skipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bartizan.engines.policy.dialects.kyverno.cel_names import Names
    from bartizan.engines.policy.dialects.kyverno.spec import RuleSpec
    from bartizan.engines.policy.dialects.kyverno.validate import Judge, ScopeOf
    from bartizan.lang.cel import Expression
    from bartizan.model.request import Request

_AUTHORIZER: Final = "unknown name `authorizer`"
_MAX_MESSAGE_BYTES: Final = 5 * 1024  # a longer message is not used, as the API server has it


class ConditionSpec(Record, frozen=True):
    """One of `celPreconditions`."""

    name: str
    expression: str


class VariableSpec(Record, frozen=True):
    """A name for a value, worked out when it is first asked for."""

    name: str
    expression: str


class ValidationSpec(Record, frozen=True):
    """One expression that must hold."""

    expression: str
    message: str | None = None
    message_expression: str | None = None
    reason: str | None = None


class AnnotationSpec(Record, frozen=True):
    """What the API server would note in its audit log; read, and checked, but nobody keeps it here."""

    key: str
    value_expression: str


class CelSpec(Record, frozen=True):
    """`validate.cel` of a rule."""

    generate: bool | None = None
    expressions: tuple[ValidationSpec, ...] = ()
    variables: tuple[VariableSpec, ...] = ()
    param_kind: ParamKind | None = None
    param_ref: ParamRef | None = None
    audit_annotations: tuple[AnnotationSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class _Validation:
    """An expression that must hold, and what to say where it does not."""

    expression: Expression
    message: str
    message_expression: Expression | None

    def failure(self, names: Names) -> str:
        """The message: the one worked out, the one written down, or the expression itself."""
        text = self._worked_out(names) or self.message.strip()
        return text or f"failed expression: {self.expression.text.strip()}"

    def _worked_out(self, names: Names) -> str:
        if self.message_expression is None:
            return ""
        try:
            said = self.message_expression(names)
        except (CelError, CelBudgetError):
            return ""
        if not isinstance(said, str) or len(said.strip().encode()) > _MAX_MESSAGE_BYTES or "\n" in said.strip():
            return ""
        return said.strip()


def cel_judge(spec: RuleSpec, at: str) -> Judge:
    """Judge a resource by a rule's CEL expressions, where its CEL preconditions hold.

    Raises:
        SpecError: an expression does not compile, or gives what it must not.
    """
    try:
        return _cel_judge(spec, at)
    except SpecError as error:
        if not error.message.startswith(_AUTHORIZER):
            raise
        said = Broken("unsupported construct `authorizer` in CEL: this version does not run it yet")
        return lambda _request, _scope: said


def _cel_judge(spec: RuleSpec, at: str) -> Judge:
    validate = spec.validate
    if validate is None or validate.cel is None:
        hint = "Use `preconditions`, which every rule takes."
        raise SpecError("`celPreconditions` go with `validate.cel` alone", pointer=f"{at}/celPreconditions", hint=hint)
    where = f"{at}/validate/cel"
    cel = decode(validate.cel, CelSpec, where)
    conditions = decode({"items": spec.cel_preconditions or []}, _Conditions, f"{at}/celPreconditions").items
    has_params = cel.param_kind is not None and cel.param_ref is not None
    environment, variables = _with_variables(
        cel.variables, environment_for({}, has_params=has_params), has_params, where
    )
    gates = [
        _compile(item.expression, environment, (BOOL,), f"{at}/celPreconditions/{index}/expression")
        for index, item in enumerate(conditions)
    ]
    validations = [
        _validation(item, validate.message or "", environment, f"{where}/expressions/{index}")
        for index, item in enumerate(cel.expressions)
    ]
    for index, annotation in enumerate(cel.audit_annotations):
        place = f"{where}/auditAnnotations/{index}/valueExpression"
        _compile(annotation.value_expression, environment, (STRING, NULL), place)
    load_params = params_loader(cel.param_kind, cel.param_ref) if cel.param_kind and cel.param_ref else None

    def judge(request: Request, scope: ScopeOf) -> Outcome | None:
        if load_params is None:
            return _judged(names_of(request, scope, variables), gates, validations)
        try:
            found = load_params(request, scope().lookup)
        except LookupFailedError as error:
            return Broken(f"params could not be had: {error}")
        for params in found:
            outcome = _judged(names_of(request, scope, variables, params), gates, validations)
            if outcome is not PASSED:
                return outcome
        return PASSED

    return judge


class _Conditions(Record, frozen=True):
    items: tuple[ConditionSpec, ...] = ()


def _judged(names: Names, gates: Sequence[Expression], validations: Sequence[_Validation]) -> Outcome:
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


def _with_variables(
    specs: Sequence[VariableSpec], environment: Environment, has_params: bool, at: str
) -> tuple[Environment, dict[str, Expression]]:
    """The environment with the rule's variables, of which each sees those before it."""
    compiled: dict[str, Expression] = {}
    for index, spec in enumerate(specs):
        compiled[spec.name] = _compile(spec.expression, environment, (), f"{at}/variables/{index}/expression")
        types = {name: expression.type for name, expression in compiled.items()}
        environment = environment_for(types, has_params=has_params)
    return environment, compiled


def _validation(spec: ValidationSpec, message: str, environment: Environment, at: str) -> _Validation:
    said = spec.message_expression
    return _Validation(
        _compile(spec.expression, environment, (BOOL,), f"{at}/expression"),
        spec.message or message,
        _compile(said, environment, (STRING,), f"{at}/messageExpression") if said else None,
    )


def _compile(text: str, environment: Environment, wanted: tuple[Type, ...], at: str) -> Expression:
    try:
        compiled = compile_expression(text, environment)
    except SpecError as error:
        raise SpecError(error.message, hint=error.hint, pointer=at, column=error.column) from error
    if wanted and compiled.type not in wanted:
        kinds = " or ".join(map(str, wanted))
        raise SpecError(
            f"`{text.strip()}` must give a {kinds}, not a {compiled.type}",
            pointer=at,
            hint="Compare it with something.",
        )
    return compiled
