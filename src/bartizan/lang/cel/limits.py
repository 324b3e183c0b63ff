"""Expressions under the limits of the API server, at the speed of those without.

The quick function counts turns of loops and nothing else. From the size of
the input it is known how many turns it takes before an expression could come
near its limit; within them, it did not. Beyond them a walk counts exactly,
and so the outcome is the API server's: a value, an error, or the end of the
budget.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from bartizan.lang.cel.bounds import bounds_of
from bartizan.lang.cel.cost import EXPRESSION_LIMIT, POLICY_LIMIT, over_budget
from bartizan.lang.cel.errors import CelBudgetError, CelError
from bartizan.lang.cel.operators import MAX_STEPS
from bartizan.lang.cel.trace import count
from bartizan.lang.cel.trace.prepared import prepare
from bartizan.lang.cel.values import Optional

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.lang.cel.bounds import Bounds
    from bartizan.lang.cel.compile import Expression
    from bartizan.lang.cel.declare import Environment

NEVER: Final = -1
"""Turns of an expression that is to be counted whatever it does."""
_MEMBER: Final = 64


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
    if isinstance(value, Optional):
        return _weight(value.value) + 1
    if isinstance(value, (str, bytes)):
        return len(value) + 1
    return _MEMBER if value is None or isinstance(value, (int, float)) else _MEMBER + len(str(value))


class Meter:
    """What expressions have cost together on one input, of which each may cost `each`.

    Most of the time the most they can have cost is enough to know; they are
    counted exactly, from the first on, once that is not.
    """

    __slots__ = ("_bits", "_each", "_exact", "_most", "_ran", "_total")

    def __init__(self, size: int, total: int = POLICY_LIMIT, each: int = EXPRESSION_LIMIT) -> None:
        self._bits = size.bit_length()
        self._total = total
        self._each = each
        self._most = 0.0
        self._exact = False
        self._ran: list[tuple[Expression, Mapping[str, Any]]] = []

    def run(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        """The value of an expression.

        Raises:
            CelError: there is no value for this input.
            CelBudgetError: it costs more than one may.
            CelTotalError: it costs more than is left for all.
        """
        value, failure = None, None
        try:
            value = self._value(expression, names)
        except (CelError, CelBudgetError) as error:
            failure = error
        if self._most > self._total:
            self._recount()
            if self._most > self._total:
                raise over_budget()
        if failure is not None:
            raise failure
        return value

    def part(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        """The value of a variable, of which whatever asks for it pays the cost.

        Raises:
            CelError: there is no value for this input.
            CelBudgetError: it costs more than one may.
        """
        value = self._value(expression, names)
        kind = expression.type.name
        if kind not in _SCALARS and self._price(expression).weight > 1 << self._bits:
            self._bits = max(self._bits, weight(value).bit_length())
        return value

    def is_spent(self) -> bool:
        """Whether nothing is left."""
        if self._most >= self._total:
            self._recount()
        return self._most >= self._total

    def _price(self, expression: Expression) -> _Price:
        return _price(expression.text, expression.environment, self._bits, self._each)

    def _value(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        turns = NEVER if self._exact else self._price(expression).turns
        if turns == NEVER:
            self._recount()
            if expression.heard is not None:
                expression.heard(names)
            return self._counted(expression, names)
        budget = [turns]
        try:
            value = expression(names, budget)
        except CelBudgetError:
            self._recount()
            return self._counted(expression, names)
        except CelError:
            if _VARIABLES in expression.text:  # the reference may have asked for others after the error
                self._recount()
                return self._counted(expression, names)
            self._add(expression, names, turns - budget[0])
            raise
        price = self._price(expression)  # by now a variable may have been found to weigh more
        taken = turns - budget[0]
        if self._is_exact() or price.most(taken) > self._each:
            self._recount()
            return self._counted(expression, names)
        self._add(expression, names, taken)
        return value

    def _is_exact(self) -> bool:
        """Whether all is counted, as it may be since a variable was asked for."""
        return self._exact

    def _add(self, expression: Expression, names: Mapping[str, Any], taken: int) -> None:
        self._ran.append((expression, names))
        self._most += self._price(expression).most(taken)

    def _recount(self) -> None:
        """Count exactly what the expressions so far have cost."""
        if self._exact:
            return
        self._exact = True
        self._most = 0
        ran, self._ran = self._ran, []
        for expression, names in ran:
            self._most += count(expression, names, self._each).cost

    def _counted(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        found = count(expression, names, self._each)
        ended = isinstance(found.error, CelBudgetError)  # by the limit, or by a bound of ours before it came to that
        self._most += max(found.cost, self._each + 1) if ended else found.cost
        if found.error is not None:
            raise found.error
        return found.value


_VARIABLES: Final = "variables"
_SCALARS: Final = frozenset({"bool", "int", "uint", "double", "null_type", "timestamp", "duration", "type"})


class _Price(NamedTuple):
    """What an expression costs at most, and how many turns it may take before it could cost too much."""

    fixed: float
    turn: float
    weight: float
    turns: int

    def most(self, taken: int) -> float:
        """What it costs at most, having taken so many turns."""
        return self.fixed + taken * self.turn if taken else self.fixed


def bounds_at(expression: Expression, bits: int) -> Bounds:
    """The bounds of an expression on an input of so many bits of size."""
    return _bounds(expression.text, expression.environment, bits)


@lru_cache(maxsize=8192)
def _bounds(text: str, environment: Environment, bits: int) -> Bounds:
    return bounds_of(prepare(text, environment), 1 << bits)


@lru_cache(maxsize=8192)
def _price(text: str, environment: Environment, bits: int, each: int) -> _Price:
    bounds = _bounds(text, environment, bits)
    return _Price(bounds.fixed, bounds.turn, bounds.weight, _turns(bounds, each))


def _turns(bounds: Bounds, each: int) -> int:
    if bounds.fixed > each:
        return NEVER
    return MAX_STEPS if not bounds.turn else int(min((each - bounds.fixed) // bounds.turn, MAX_STEPS))
