"""What the expressions of a policy may cost, as the API server budgets it.

Conditions, validations with their messages, audit annotations, and each
mutation have a budget of their own. Each begins with variables that are not
worked out, so that what two of them ask for is paid twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.lang.cel.allowance import Allowance, Purse
from bartizan.lang.cel.cost import POLICY_LIMIT
from bartizan.lang.cel.limits import NEVER, Meter, weight
from bartizan.lang.cel.operators import MAX_STEPS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bartizan.engines.policy.cel.names import Names
    from bartizan.lang.cel import Expression
    from bartizan.lang.cel.allowance import Account

_RARE: Final = ("namespaceObject", "request")
_OF_OBJECTS: Final = "kubernetes.weight"
_OF_OTHERS: Final = "kubernetes.weights"


class Budget:
    """What some expressions of a policy may cost together on one request with one set of parameters."""

    __slots__ = ("_allowance", "_rare", "total")

    def __init__(
        self,
        asked: Sequence[Expression],
        variables: Collection[Expression] = (),
        may: Sequence[Expression] = (),
        total: int = POLICY_LIMIT,
    ) -> None:
        """Budget for expressions; `may` are those which are not run where their value does not matter."""
        self._allowance = Allowance(asked, total, tuple(variables), may)
        texts = [expression.text for expression in (*asked, *variables, *may)]
        self._rare = tuple(name for name in _RARE if any(name in text for text in texts))
        self.total = total

    def open(self, names: Names, *, counted: bool) -> Account:
        """Who pays for expressions on some names; `counted` after they took more turns than are allowed."""
        allowance = self._allowance
        account: Account
        if allowance.is_free and not counted:
            account = Purse(MAX_STEPS)
        else:
            size = _weight(names, self._rare)
            turns, doubts = allowance.on(size)
            metered = counted or turns == NEVER
            account = Meter(size, self.total) if metered else Purse(turns, doubts=doubts)
        names.account = account
        return account


def meter_for(names: Names, total: int = POLICY_LIMIT) -> Meter:
    """Who pays for expressions on some names, and counts what they cost."""
    return Meter(_weight(names, _RARE), total)


def _weight(names: Names, rare: Sequence[str]) -> int:
    """What the heaviest of some names weighs, worked out once for a request."""
    memo = names.request.memo
    most: int | None = memo.get(_OF_OBJECTS)
    if most is None:
        most = memo[_OF_OBJECTS] = max(weight(names["object"]), weight(names["oldObject"]))
    params = names["params"]
    if params is None and not rare:
        return most
    known: dict[int, tuple[Any, int]] = memo.setdefault(_OF_OTHERS, {})
    for value in (params, *(names[name] for name in rare)):
        found = known.get(id(value))
        if found is None:  # the value is kept beside its weight, so that no other can have its place
            found = known[id(value)] = (value, weight(value))
        most = max(most, found[1])
    return most
