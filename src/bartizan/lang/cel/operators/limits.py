"""Failing as the language does, and the bounds of its values and of an evaluation."""

from __future__ import annotations

from typing import Any, Final, NoReturn

from bartizan.lang.cel.errors import CelBudgetError, CelError, no_such_key, no_such_overload
from bartizan.lang.cel.values import INT_MAX, INT_MIN, UINT_MAX, Duration, Timestamp, UInt

MAX_STEPS: Final = 1_000_000
"""Turns of loops in one evaluation, and members or `_CHARS_PER_STEP` characters made inside them: about a second."""
MAX_ITEMS: Final = 1_000_000
"""Characters of a text, or members of a list, that an operation may make."""
MAX_LEVELS: Final = 200
"""Levels of lists and maps in a value that is written out; no object of the API comes near."""
_CHARS_PER_STEP: Final = 64
_CHARS_PER_MEMBER: Final = 16  # so that texts of 16 megabytes count as much as the most members
TIME_MIN: Final = -62_135_596_800 * 10**9
TIME_MAX: Final = 253_402_300_800 * 10**9 - 1
"""The first and the last moment of the years 1 to 9999, in nanoseconds."""


FAILURES: Final = (CelError, KeyError, TypeError, AttributeError, OverflowError)
"""What generated code may raise for a value that is not there, not of the type that an operation needs, or too large.

The last two come of values that are not what was declared, such as a label
that is a number, or an integer that no double can hold.
"""
_FAILURES: Final = frozenset(FAILURES)


def raised(error: BaseException | object) -> CelError:
    """What a caught error, or a value where a boolean was due, means in the language."""
    if isinstance(error, CelError):
        return error
    if isinstance(error, KeyError):
        return no_such_key(error.args[0])
    return no_such_overload()


def overflow() -> CelError:
    """The error of an integer that 64 bits do not hold."""
    return CelError("integer overflow")


def int64(value: int) -> int:
    """A whole number, if 64 bits hold it."""
    if not INT_MIN <= value <= INT_MAX:
        raise overflow()
    return value


def uint64(value: int) -> UInt:
    """A whole number without sign, if 64 bits hold it."""
    if not 0 <= value <= UINT_MAX:
        raise CelError("unsigned integer overflow")
    return UInt(value)


def timestamp(nanoseconds: int) -> Timestamp:
    """A moment, if it is in the years 1 to 9999."""
    if not TIME_MIN <= nanoseconds <= TIME_MAX:
        raise CelError("timestamp overflow")
    return Timestamp(nanoseconds)


def duration(nanoseconds: int) -> Duration:
    """A length of time, if 64 bits hold it."""
    if not INT_MIN <= nanoseconds <= INT_MAX:
        raise overflow()
    return Duration(nanoseconds)


def no_overload(*_operands: Any) -> NoReturn:
    """Fail, for operands that an operation does not have."""
    raise no_such_overload()


def spend(budget: list[int], value: Any) -> Any:
    """Charge for a value that was made inside a loop by how large it is; gives it back."""
    kind = value.__class__
    if kind is str or kind is bytes or kind is list:
        budget[0] -= len(value) if kind is list else len(value) // _CHARS_PER_STEP + 1
        if budget[0] < 0:
            raise CelBudgetError("the expression takes too many steps")
    return value


def over_budget() -> CelBudgetError:
    """The end of an evaluation that took too many turns."""
    return CelBudgetError("the expression takes too many steps")


def sized(value: Any) -> Any:
    """A text or list that is not too large to keep."""
    if len(value) > MAX_ITEMS:
        raise CelBudgetError("the expression makes too large a value")
    return value


def sized_through(value: Any, most: int = MAX_ITEMS) -> Any:
    """As `sized`, of all that a value holds: what is in it twice counts twice, as it does where it is written out."""
    left = most
    level = [value]
    for _ in range(MAX_LEVELS):
        below: list[Any] = []
        for item in level:
            kind = item.__class__
            if kind is str or kind is bytes:
                left -= len(item) // _CHARS_PER_MEMBER
            elif kind is list:
                left -= len(item)
                below += item
            elif isinstance(item, dict):
                left -= len(item)
                below += item.values()
            if left < 0:
                raise CelBudgetError("the expression makes too large a value")
        if not below:
            return value
        level = below
    raise CelError("a value that nests too deep")


def boolean(value: Any) -> bool:
    """A condition's value, which must be a boolean; a caught error goes on."""
    if value.__class__ is not bool:
        raise raised(value)
    return bool(value)


def bound(value: Any) -> Any:
    """The value of a name; where it could not be had, its error."""
    if value.__class__ in _FAILURES:
        raise raised(value)
    return value
