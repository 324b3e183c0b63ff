"""Equality and order of values whose types come out only when an expression runs."""

from __future__ import annotations

from typing import Any, Final

from bartizan.lang.cel.errors import CelError, no_such_overload
from bartizan.lang.cel.values import Duration, Optional, Timestamp, UInt, name_of

NUMBERS: Final = frozenset({int, UInt, float})
_ORDERED: Final = frozenset({str, bytes, bool, Timestamp, Duration})


def equal(left: Any, right: Any) -> bool:
    """Deep equality: numbers by their value whatever their type; a boolean is no number.

    Raises:
        CelError: the values nest too deep to compare.
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
        return _equal_deep(left, right)
    except RecursionError as error:
        raise CelError("values nest too deep to compare") from error


def _equal_deep(left: Any, right: Any) -> bool:
    if left.__class__ is not right.__class__:
        return False
    if left.__class__ is list:
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict):
        if left.__class__ is not dict and name_of(left) != name_of(right):
            return False
        return len(left) == len(right) and all(key in right and equal(item, right[key]) for key, item in left.items())
    return left.present == right.present and equal(left.value, right.value)


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
