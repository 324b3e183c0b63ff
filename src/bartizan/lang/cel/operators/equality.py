"""Equality and order of values whose types come out only when an expression runs."""

from __future__ import annotations

from itertools import repeat
from typing import Any, Final

from bartizan.lang.cel.errors import CelBudgetError, CelError, no_such_overload
from bartizan.lang.cel.operators.limits import MAX_ITEMS
from bartizan.lang.cel.values import Duration, Optional, Timestamp, UInt, name_of

NUMBERS: Final = frozenset({int, UInt, float})
_ORDERED: Final = frozenset({str, bytes, bool, Timestamp, Duration})


def equal(left: Any, right: Any) -> bool:
    """Deep equality: numbers by their value whatever their type; a boolean is no number.

    Raises:
        CelError: the values nest too deep to compare.
        CelBudgetError: they hold too much, where what is in them twice counts twice.
    """
    kind = left.__class__
    if kind is str or right.__class__ is str:
        return bool(left == right)
    if kind is bool or right.__class__ is bool:
        return left is right
    if kind is not list and kind is not Optional and not issubclass(kind, dict):
        if kind in NUMBERS and right.__class__ in NUMBERS:
            left, right = _as_doubles(left, right)
        return bool(left == right)
    try:
        return _equal_deep(left, right, [MAX_ITEMS])
    except RecursionError as error:
        raise CelError("values nest too deep to compare") from error


def _equal_deep(left: Any, right: Any, budget: list[int]) -> bool:
    """As `equal`, for what may hold other values; `budget` has how many members may still be compared."""
    kind = left.__class__
    if kind is str:
        return bool(left == right)
    if kind is Optional:
        both = right.__class__ is Optional and left.present == right.present
        return both and _equal_deep(left.value, right.value, budget)
    if kind is not list and not issubclass(kind, dict):
        return equal(left, right)
    return kind is right.__class__ and len(left) == len(right) and _equal_members(left, right, budget)


def _equal_members(left: Any, right: Any, budget: list[int]) -> bool:
    """As `equal`, for two lists or two maps of one length."""
    budget[0] -= len(left)
    if budget[0] < 0:
        raise CelBudgetError("the expression compares too large values")
    kind = left.__class__
    if kind is list:
        return all(map(_equal_deep, left, right, repeat(budget)))
    if kind is not dict and name_of(left) != name_of(right):
        return False
    return all(key in right and _equal_deep(item, right[key], budget) for key, item in left.items())


def not_equal(left: Any, right: Any) -> bool:
    """The opposite of equality."""
    return not equal(left, right)


def _are_ordered(left: Any, right: Any) -> bool:
    kind = left.__class__
    if kind in NUMBERS:
        return right.__class__ in NUMBERS
    return kind is right.__class__ and kind in _ORDERED


def _as_doubles(left: Any, right: Any) -> tuple[Any, Any]:
    """Numbers to compare: beside a double, a whole number is one too, as the reference has it."""
    if (left.__class__ is float) != (right.__class__ is float):
        return float(left), float(right)
    return left, right


def _unordered(operator: str, operand: Any) -> CelError:
    kind = operand.__class__
    return no_such_overload("" if kind in NUMBERS or kind in _ORDERED else operator)


def less(left: Any, right: Any) -> bool:
    """Order of numbers by value, and of values of one type."""
    if not _are_ordered(left, right):
        raise _unordered("_<_", left)
    left, right = _as_doubles(left, right)
    return bool(left < right)


def less_equal(left: Any, right: Any) -> bool:
    """As `less`, or equal."""
    if not _are_ordered(left, right):
        raise _unordered("_<=_", left)
    left, right = _as_doubles(left, right)
    return bool(left <= right)


def greater(left: Any, right: Any) -> bool:
    """The opposite order."""
    if not _are_ordered(left, right):
        raise _unordered("_>_", left)
    return less(right, left)


def greater_equal(left: Any, right: Any) -> bool:
    """The opposite order, or equal."""
    if not _are_ordered(left, right):
        raise _unordered("_>=_", left)
    return less_equal(right, left)
