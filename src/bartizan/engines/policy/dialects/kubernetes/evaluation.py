"""What both kinds of policy work out of a request alike: conditions, variables, and the names they use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.engines.policy.cel import authorizer
from bartizan.engines.policy.cel.expressions import compile_conditions, compile_variables
from bartizan.engines.policy.cel.names import Names, admission_request, makers_of, names_of
from bartizan.engines.policy.dialects.kubernetes.metering import metered
from bartizan.lang.cel import CelBudgetError, CelError, functions_of
from bartizan.lang.cel.library import KUBERNETES
from bartizan.lang.cel.types import DYN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.cel.environment import Vocabulary
    from bartizan.engines.policy.cel.expressions import Variables
    from bartizan.engines.policy.cel.names import Makers
    from bartizan.engines.policy.dialects.kubernetes.matching import Matched
    from bartizan.engines.policy.dialects.kubernetes.spec import CommonSpec
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.lang.cel import Expression

FUNCTIONS: Final = functions_of(KUBERNETES, authorizer.FUNCTIONS)
PARAMS: Final = {"params": DYN}
NAMES: Final = authorizer.NAMES
"""What admission policies have beside the names of every kind of policy; `params` only where they have a kind."""
POLICY_LIMIT: Final = 10_000_000
"""What the expressions of a policy may cost together: `RuntimeCELCostBudget` of the API server."""
CONDITIONS_LIMIT: Final = 2_500_000
"""What its conditions may: `RuntimeCELCostBudgetMatchConditions`."""
OVER_BUDGET: Final = "validation failed due to running out of cost budget, no further validation rules will be run"
_OVER_LIMIT: Final = "operation cancelled: actual cost limit exceeded"


def _unknown(name: str) -> Callable[[Names], Any]:
    def make(_names: Names) -> Any:
        raise CelError(f"no such attribute(s): {name}")

    return make


_WITH_AUTHORIZER: Final[Makers] = {
    "authorizer": authorizer.authorizer_of,
    "authorizer.requestResource": authorizer.request_resource,
}
_WITHOUT_AUTHORIZER: Final[Makers] = {name: _unknown(name) for name in _WITH_AUTHORIZER}


class Evaluation(NamedTuple):
    """The compiled conditions and variables of a policy."""

    conditions: Sequence[Expression]
    variables: Variables
    makers: Makers
    early_makers: Makers
    plain_makers: Makers

    def names(self, matched: Matched, lookup: Lookup, params: JsonObject | None) -> Names:
        """The names of validations and mutations."""
        return _named(matched, lookup, params, self.makers)

    def early_names(self, matched: Matched, lookup: Lookup, params: JsonObject | None) -> Names:
        """The names of conditions, which come before the policy's variables and know no namespace."""
        return _named(matched, lookup, params, self.early_makers)

    def plain_names(self, matched: Matched, lookup: Lookup, params: JsonObject | None) -> Names:
        """The names of messages and audit annotations, for which nobody is authorized."""
        return _named(matched, lookup, params, self.plain_makers)

    def stopped(self, matched: Matched, lookup: Lookup, params: JsonObject | None) -> bool | str:
        """Whether a condition does not hold; else what those say that end in an error, if any do.

        One that does not hold counts for more than any number of errors.
        """
        if not self.conditions:
            return False
        names = self.early_names(matched, lookup, params)
        errors: dict[str, None] = {}
        for condition in self.conditions:
            if names.spent > CONDITIONS_LIMIT:
                return OVER_BUDGET
            try:
                if condition(names) is False:
                    return True
            except (CelError, CelBudgetError) as error:
                errors[failed(condition, error)] = None
        if not errors:
            return False
        return next(iter(errors)) if len(errors) == 1 else f"[{', '.join(errors)}]"


def compile_evaluation(spec: CommonSpec, vocabulary: Vocabulary, at: str) -> Evaluation:
    """Compile what both kinds of policy have.

    Raises:
        SpecError: an expression does not compile, or gives what it must not.
    """
    # a condition comes before the variables, so it has none
    conditions = compile_conditions(spec.match_conditions, vocabulary.environment(), f"{at}/matchConditions")
    variables = compile_variables(spec.variables, vocabulary, f"{at}/variables")
    expressions = {name: metered(expression) for name, expression in variables.expressions.items()}
    return Evaluation(
        [metered(condition) for _, condition in conditions],
        variables,
        makers_of(expressions, _WITH_AUTHORIZER),
        makers_of({}, {**_WITH_AUTHORIZER, "namespaceObject": lambda _names: None}),
        makers_of(expressions, _WITHOUT_AUTHORIZER),
    )


def _named(matched: Matched, lookup: Lookup, params: JsonObject | None, makers: Makers) -> Names:
    names = names_of(matched.request, lambda: lookup, makers, params)
    if matched.original is not matched.request:
        original = admission_request(matched.original)
        asked = {key: original[key] for key in ("requestKind", "requestResource")}
        names["request"] = {**admission_request(matched.request), **asked}
    return names


def failed(expression: Expression, error: Exception) -> str:
    """What the API server says of an expression that has no value."""
    said = _OVER_LIMIT if isinstance(error, CelBudgetError) else str(error)
    return f"expression '{expression.text}' resulted in error: {said}"
