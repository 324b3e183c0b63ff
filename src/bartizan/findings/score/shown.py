"""A movement in the figures of a page: two decimals, and parts that add up to the whole as it is shown.

Rounded each for itself, five parts seldom add up to the rounded whole, and a
reader who adds them finds an error that is none. So what rounding leaves over
is given to the parts it changes least. What is nothing stays nothing, and no
part turns from a gain into a loss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bartizan.findings.score.numbers import percent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from bartizan.findings.score.movement import Movement
    from bartizan.model.ledger import Cause


class Shown(NamedTuple):
    """A movement in hundredths of a per cent: `before` and all `parts` are `after`, exactly."""

    before: int
    after: int
    parts: Mapping[Cause, int]

    @property
    def delta(self) -> int:
        """How far it moved, as shown."""
        return self.after - self.before


def shown(movement: Movement) -> Shown | None:
    """The figures of a movement; nothing where there was no number to compare."""
    if movement.before is None or movement.after is None:
        return None
    before, after = _hundredths(movement.before), _hundredths(movement.after)
    exact = {cause: part * 10_000 for cause, part in movement.parts.items()}
    parts = {cause: round(part) for cause, part in exact.items()}
    left = after - before - sum(parts.values())
    while left:
        step = 1 if left > 0 else -1
        cause = min((one for one in exact if exact[one]), key=lambda one: _cost(exact[one], parts[one] + step))
        parts[cause] += step
        left -= step
    return Shown(before, after, parts)


def points(hundredths: int) -> str:
    """A part for people, in percentage points with its sign."""
    whole, rest = divmod(abs(hundredths), 100)
    sign = "\N{MINUS SIGN}" if hundredths < 0 else "+" if hundredths else "\N{PLUS-MINUS SIGN}"
    return f"{sign}{whole}.{rest:02}"


def _hundredths(value: Fraction) -> int:
    return int(percent(value).replace(".", ""))


def _cost(exact: Fraction, said: int) -> tuple[bool, Fraction]:
    """How wrong a figure would be: the worst is a gain that is told as a loss."""
    return exact * said < 0, abs(exact - said)
