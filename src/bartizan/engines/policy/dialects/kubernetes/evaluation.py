"""What both kinds of policy work out of a request alike: conditions, variables, and the names they use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.engines.policy.cel import authorizer
from bartizan.engines.policy.cel.expressions import compile_conditions, compile_variables
from bartizan.engines.policy.cel.names import Names, admission_request, makers_of, names_of
from bartizan.engines.policy.dialects.kubernetes.metering import Budget
from bartizan.lang.cel import CelBudgetError, CelError, CelTotalError, functions_of
from bartizan.lang.cel.allowance import Purse, TurnsSpentError
from bartizan.lang.cel.cost import CONDITIONS_LIMIT
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
    budget: Budget
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
        try:
            return self._stopped(self.early_names(matched, lookup, params), counted=False)
        except TurnsSpentError:
            return self._stopped(self.early_names(matched, lookup, params), counted=True)

    def _stopped(self, names: Names, *, counted: bool) -> bool | str:
        account = self.budget.open(names, counted=counted)
        refused = False
        errors: dict[str, None] = {}
        for condition in self.conditions:
            try:
                refused = account.run(condition, names) is False or refused
            except CelTotalError as error:
                return str(error)
            except (CelError, CelBudgetError) as error:
                errors[failed(condition, error)] = None
            if refused and account.__class__ is Purse:  # the others cannot cost too much
                return True
        if refused or not errors:
            return refused
        return next(iter(errors)) if len(errors) == 1 else f"[{', '.join(errors)}]"


def compile_evaluation(spec: CommonSpec, vocabulary: Vocabulary, at: str) -> Evaluation:
    """Compile what both kinds of policy have.

    Raises:
        SpecError: an expression does not compile, or gives what it must not.
    """
    # a condition comes before the variables, so it has none
    found = compile_conditions(spec.match_conditions, vocabulary.environment(), f"{at}/matchConditions")
    conditions = [condition for _, condition in found]
    variables = compile_variables(spec.variables, vocabulary, f"{at}/variables")
    expressions = variables.expressions
    return Evaluation(
        conditions,
        Budget(conditions, may=conditions, total=CONDITIONS_LIMIT),
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
