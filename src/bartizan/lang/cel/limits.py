"""Expressions under the limits of the API server, at the speed of those without.

The quick function counts turns of loops and nothing else. From the size of
the input it is known how many turns it takes before an expression could come
near its limit; within them, it did not. Beyond them a walk counts exactly,
and so the outcome is the API server's: a value, an error, or the end of the
budget.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import orjson

from bartizan.lang.cel.bounds import bounds_of
from bartizan.lang.cel.cost import EXPRESSION_LIMIT, POLICY_LIMIT, over_budget
from bartizan.lang.cel.errors import CelBudgetError, CelError
from bartizan.lang.cel.operators import MAX_STEPS
from bartizan.lang.cel.trace import count
from bartizan.lang.cel.trace.prepared import prepare

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.lang.cel.bounds import Bounds
    from bartizan.lang.cel.compile import Expression
    from bartizan.lang.cel.declare import Environment

_NEVER: Final = -1


def weight(value: Any) -> int:
    """As many characters and members as a decoded JSON value has at most: cheap, and to be kept beside it."""
    try:
        return len(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))
    except TypeError:  # an integer beyond 64 bits, or a value of the language
        return _weight(value)


def _weight(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(_weight(key) + _weight(item) for key, item in value.items()) + 1
    if isinstance(value, list):
        return len(value) + sum(map(_weight, value)) + 1
    return len(value) + 1 if isinstance(value, (str, bytes)) else 64


def limited(expression: Expression, names: Mapping[str, Any], size: int, limit: int = EXPRESSION_LIMIT) -> Any:
    """The value of an expression that may cost `limit`, on names that weigh `size` or less.

    Raises:
        CelError: there is no value for this input.
        CelBudgetError: it costs more.
    """
    turns = _turns(expression.text, expression.environment, size.bit_length(), limit)
    if turns != _NEVER:
        try:
            return expression(names, [turns])
        except CelBudgetError:
            pass
    counted = count(expression, names, limit)
    if counted.error is not None:
        raise counted.error
    return counted.value


class Meter:
    """What the expressions of a policy have cost together on one input, of which each may cost `each`.

    Most of the time the most they can have cost is enough to know; they are
    counted exactly, from the first on, once that is not.
    """

    __slots__ = ("_each", "_exact", "_most", "_ran", "_size", "_total")

    def __init__(self, size: int, total: int = POLICY_LIMIT, each: int = EXPRESSION_LIMIT) -> None:
        self._size = size
        self._total = total
        self._each = each
        self._most = 0.0
        self._exact = False
        self._ran: list[tuple[Expression, Mapping[str, Any]]] = []

    def run(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        """The value of an expression.

        Raises:
            CelError: there is no value for this input.
            CelBudgetError: it costs more than one may, or more than is left for all.
        """
        if self._exact:
            return self._charged(expression, names)
        turns = _turns(expression.text, expression.environment, self._size.bit_length(), self._each)
        if turns == _NEVER:
            self._recount()
            return self._charged(expression, names)
        allowed = min(turns, MAX_STEPS)
        budget = [allowed]
        try:
            value = expression(names, budget)
        except CelBudgetError:
            self._recount()
            return self._charged(expression, names)
        except CelError:
            self._add(expression, names, allowed - budget[0])
            raise
        self._add(expression, names, allowed - budget[0])
        return value

    def _add(self, expression: Expression, names: Mapping[str, Any], turns: int) -> None:
        bounds = _bounds(expression.text, expression.environment, self._size.bit_length())
        self._ran.append((expression, names))
        self._most += bounds.fixed + turns * bounds.turn
        if self._most > self._total:
            self._recount()
            if self._most > self._total:
                raise over_budget()

    def _recount(self) -> None:
        """Count exactly what the expressions so far have cost."""
        self._exact = True
        self._most = sum(count(expression, names, self._each).cost for expression, names in self._ran)
        self._ran.clear()

    def _charged(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        if self._most > self._total:
            raise over_budget()
        counted = count(expression, names, self._each)
        self._most += counted.cost
        if isinstance(counted.error, CelBudgetError):
            raise counted.error
        if self._most > self._total:
            raise over_budget()
        if counted.error is not None:
            raise counted.error
        return counted.value


@lru_cache(maxsize=8192)
def _bounds(text: str, environment: Environment, bits: int) -> Bounds:
    return bounds_of(prepare(text, environment), 1 << bits)


@lru_cache(maxsize=8192)
def _turns(text: str, environment: Environment, bits: int, limit: int) -> int:
    """How many turns an expression may take on an input of so many bits of size; `_NEVER` where none is too many."""
    bounds = _bounds(text, environment, bits)
    if bounds.fixed > limit:
        return _NEVER
    return MAX_STEPS if not bounds.turn else int(min((limit - bounds.fixed) // bounds.turn, MAX_STEPS))
