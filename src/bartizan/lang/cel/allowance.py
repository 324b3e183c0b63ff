"""How much the expressions of a policy may do together before any of them has to be counted.

What they cost at most is told from their trees, once for each size of input.
So most policies are run at the speed of expressions that nobody counts: with
a number of turns of loops for all of them, or without even that.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from bartizan.lang.cel.cost import EXPRESSION_LIMIT
from bartizan.lang.cel.errors import CelBudgetError, CelError
from bartizan.lang.cel.limits import NEVER, bounds_at
from bartizan.lang.cel.operators import MAX_STEPS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bartizan.lang.cel.bounds import Bounds
    from bartizan.lang.cel.compile import Expression

LARGEST: Final = 3 << 20
"""Bytes of the largest request that the API server takes."""
_MAX_BITS: Final = 62


class Account(Protocol):
    """Who runs expressions and knows what they may cost: a `Purse` or a `Meter`."""

    def run(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        """The value of an expression."""

    def part(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        """The value of a variable that an expression asks for."""


class TurnsSpentError(Exception):
    """Expressions took more turns than is known to be cheap: they are to be run again, on a `Meter`."""


class Purse:
    """Turns for some expressions together. While they last, nothing they do can cost too much."""

    __slots__ = ("_doubts", "_turns")

    def __init__(self, turns: int, *, doubts: bool = False) -> None:
        self._turns = [turns]
        self._doubts = doubts

    def run(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        """The value of an expression.

        Raises:
            CelError: there is no value for this input.
            TurnsSpentError: what it costs has to be counted.
        """
        try:
            return expression(names, self._turns)
        except CelBudgetError:
            raise TurnsSpentError from None
        except CelError:
            if self._doubts:
                raise TurnsSpentError from None
            raise

    part = run


class Allowed(NamedTuple):
    """How many turns; `doubts` where an error has to be counted, for the reference may go on after it."""

    turns: int
    doubts: bool = False


class Allowance:
    """How many turns some expressions may take together, by the size of what they are asked about.

    All of `asked` are run, and any of the `variables`; those of `may` as
    well, or not, though the reference runs them always.
    """

    def __init__(
        self,
        asked: Sequence[Expression],
        total: int,
        variables: Sequence[Expression] = (),
        may: Sequence[Expression] = (),
    ) -> None:
        self._asked = tuple(asked)
        self._variables = tuple(variables)
        self._may = tuple(may)
        self._total = total
        self._by_bits: dict[int, Allowed] = {}

    @cached_property
    def is_free(self) -> bool:
        """Whether nothing needs to be counted, not even turns, on any request that the API server takes."""
        bits = LARGEST.bit_length()
        every = (*self._asked, *self._variables, *self._may)
        plain = all(not bounds_at(expression, bits).turn for expression in every)
        return plain and self.on(LARGEST) == (MAX_STEPS, False)

    def on(self, size: int) -> Allowed:
        """How much is allowed on names none of which weighs more than `size`."""
        bits = size.bit_length()
        found = self._by_bits.get(bits)
        if found is None:
            found = self._by_bits[bits] = self._worked_out(bits)
        return found

    def _worked_out(self, bits: int) -> Allowed:
        variables: list[Bounds] = []
        for variable in self._variables:
            variables.append(bounds_at(variable, bits))
            made = variables[-1].weight
            if made >= 1 << _MAX_BITS:
                return Allowed(NEVER)
            bits = max(bits, int(made).bit_length())
        asked = [bounds_at(expression, bits) for expression in self._asked]
        may = [bounds_at(expression, bits) for expression in self._may]
        every = (*variables, *asked, *may)
        if any(bounds.fixed > EXPRESSION_LIMIT for bounds in every):
            return Allowed(NEVER)
        most = sum(map(_most, variables))
        left = self._total - sum(bounds.fixed for bounds in asked) - sum(map(_most, may)) - (most if may else 0)
        # variables that an error keeps from being asked for here, and not there
        doubts = left - most < self._total / 2 and any(bounds.turn for bounds in variables)
        left -= sum(bounds.fixed for bounds in variables) if doubts else most
        if left < 0:
            return Allowed(NEVER)
        turns = [(EXPRESSION_LIMIT - bounds.fixed) // bounds.turn for bounds in every if bounds.turn]
        turns += [left // bounds.turn for bounds in every if bounds.turn]
        return Allowed(int(min([MAX_STEPS, *turns])), doubts)


def _most(bounds: Bounds) -> float:
    """What an expression costs at most however often it turns: its limit, and the step that goes beyond."""
    return EXPRESSION_LIMIT + max(bounds.fixed, bounds.turn) if bounds.turn else bounds.fixed
