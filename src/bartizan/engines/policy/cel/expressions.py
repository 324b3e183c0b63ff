"""The expressions of a policy, compiled: conditions, variables, validations, audit annotations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from bartizan.base.errors import SpecError
from bartizan.engines.policy.cel.listening import Written, listener, owner
from bartizan.engines.policy.document import Record
from bartizan.lang.cel import CelBudgetError, CelError, CelTotalError, Environment, compile_expression
from bartizan.lang.cel.types import BOOL, NULL, STRING, Type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bartizan.engines.policy.cel.environment import Vocabulary
    from bartizan.engines.policy.cel.names import Names
    from bartizan.lang.cel import Expression

Failure: TypeAlias = CelError | CelBudgetError
"""What an expression may end in instead of a value."""
_MAX_VARIABLES: Final = 1000  # each has an environment with all before it, so that memory grows with the square
_MAX_MESSAGE_BYTES: Final = 5 * 1024  # a longer message is not used, as the API server has it


class ConditionSpec(Record, frozen=True):
    """One of `matchConditions`; all must hold."""

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
    """What the API server notes in its audit log."""

    key: str
    value_expression: str


class ExpressionSpec(Record, frozen=True):
    """An expression in a field of its own."""

    expression: str


class MutationSpec(Record, frozen=True):
    """One of `mutations`."""

    patch_type: Literal["ApplyConfiguration", "JSONPatch"]
    apply_configuration: ExpressionSpec | None = None
    json_patch: ExpressionSpec | None = None


def compile_at(text: str, environment: Environment, wanted: tuple[Type, ...], at: str) -> Expression:
    """Compile an expression that stands at `at`, of one of the types `wanted`; none means any.

    Raises:
        SpecError: it does not compile, or gives what it must not.
    """
    heard = listener()
    if heard is None:
        return _compiled(text, environment, wanted, at)
    written = Written(text, environment, wanted, at, owner())
    try:
        compiled = _compiled(text, environment, wanted, at)
    except SpecError as error:
        return heard.refused(written, error)
    return heard.compiled(compiled, written)


def _compiled(text: str, environment: Environment, wanted: tuple[Type, ...], at: str) -> Expression:
    try:
        compiled = compile_expression(text, environment)
    except SpecError as error:
        raise SpecError(error.message, hint=error.hint, pointer=at, column=error.column) from error
    if wanted and compiled.type not in wanted:
        kinds = " or ".join(map(str, wanted))
        raise SpecError(
            f"`{text.strip()}` must give a {kinds}, not a {compiled.type}",
            pointer=at,
            hint="Compare it with something." if BOOL in wanted else "Convert it, as with `string()`.",
        )
    return compiled


def refuse(_names: object, _budget: object = None) -> None:
    """What runs of an expression that stands in for one which does not compile: nothing."""
    raise CelError("it does not compile")


class Variables(NamedTuple):
    """A policy's variables, compiled, and the environment of the expressions that may use them."""

    environment: Environment
    expressions: Mapping[str, Expression]


def compile_variables(specs: Sequence[VariableSpec], vocabulary: Vocabulary, at: str) -> Variables:
    """Compile `variables`, of which each sees those before it.

    Raises:
        SpecError: one does not compile, or they are too many.
    """
    if len(specs) > _MAX_VARIABLES:
        hint = "Split the policy."
        raise SpecError(f"more than {_MAX_VARIABLES} variables", pointer=f"{at}/{_MAX_VARIABLES}", hint=hint)
    compiled: dict[str, Expression] = {}
    environment = vocabulary.environment()
    for index, spec in enumerate(specs):
        compiled[spec.name] = compile_at(spec.expression, environment, (), f"{at}/{index}/expression")
        environment = vocabulary.environment({name: expression.type for name, expression in compiled.items()})
    return Variables(environment, compiled)


def compile_conditions(
    specs: Sequence[ConditionSpec], environment: Environment, at: str
) -> tuple[tuple[str, Expression], ...]:
    """Compile `matchConditions` to pairs of name and expression.

    Raises:
        SpecError: one does not compile, or is no truth value.
    """
    return tuple(
        (spec.name, compile_at(spec.expression, environment, (BOOL,), f"{at}/{index}/expression"))
        for index, spec in enumerate(specs)
    )


@dataclass(frozen=True, slots=True)
class Validation:
    """An expression that must hold, and what to say where it does not."""

    expression: Expression
    message: str
    message_expression: Expression | None
    reason: str = ""

    def failure(self, names: Names) -> str:
        """The message as the API server has it: worked out, or written down, or the expression itself."""
        return self.worked_out(names) or self.written()

    def written(self) -> str:
        """The message where none is worked out."""
        return self.message.strip() or f"failed expression: {self.expression.text.strip()}"

    def worked_out(self, names: Names) -> str:
        """What its expression for a message says; empty where there is none, or nothing that can be used.

        Raises:
            CelTotalError: the expressions of the policy have cost all they may.
        """
        if self.message_expression is None:
            return ""
        try:
            said = names.value_of(self.message_expression)
        except CelTotalError:
            raise
        except (CelError, CelBudgetError):
            return ""
        if not isinstance(said, str) or len(said.strip().encode()) > _MAX_MESSAGE_BYTES or "\n" in said.strip():
            return ""
        return said.strip()


def compile_validations(
    specs: Sequence[ValidationSpec], environment: Environment, at: str, *, message: str = ""
) -> tuple[Validation, ...]:
    """Compile `validations`; `message` is what is said where one has none of its own.

    Raises:
        SpecError: one does not compile, or gives what it must not.
    """
    return tuple(
        _validation(spec, spec.message or message, environment, f"{at}/{index}") for index, spec in enumerate(specs)
    )


def _validation(spec: ValidationSpec, message: str, environment: Environment, at: str) -> Validation:
    said = spec.message_expression
    return Validation(
        compile_at(spec.expression, environment, (BOOL,), f"{at}/expression"),
        message,
        compile_at(said, environment, (STRING,), f"{at}/messageExpression") if said else None,
        spec.reason or "",
    )


def compile_annotations(
    specs: Sequence[AnnotationSpec], environment: Environment, at: str
) -> tuple[tuple[str, Expression], ...]:
    """Compile `auditAnnotations` to pairs of key and expression.

    Raises:
        SpecError: one does not compile, or is no text.
    """
    return tuple(
        (spec.key, compile_at(spec.value_expression, environment, (STRING, NULL), f"{at}/{index}/valueExpression"))
        for index, spec in enumerate(specs)
    )
