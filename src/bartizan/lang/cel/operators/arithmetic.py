"""Arithmetic of numbers and times, within 64 bits, and the sums of texts and lists."""

from __future__ import annotations

from typing import Any, Final

from bartizan.lang.cel.errors import CelError, no_such_overload
from bartizan.lang.cel.operators.equality import NUMBERS
from bartizan.lang.cel.operators.limits import duration, int64, overflow, sized, timestamp, uint64
from bartizan.lang.cel.values import INT_MIN, Duration, Timestamp, UInt

_TIMES: Final = (Timestamp, Duration)
_ASKED: Final = frozenset({str, Timestamp, Duration})  # kinds that the reference asks for any operation
_WHOLE: Final = _ASKED | {int, UInt}
_COUNTED: Final = _ASKED | NUMBERS
_ADDED: Final = _COUNTED | {bytes, list}
NEGATED: Final = _ASKED | {int, float, bool}
"""Kinds of which the reference does not say that they have no negative."""


def _unsupported(operator: str, operand: Any, kinds: frozenset[type]) -> CelError:
    """The error of an operator; it is said where the first operand has no such operation at all."""
    return no_such_overload("" if operand.__class__ in kinds else operator)


def add(left: Any, right: Any) -> Any:
    """Sum of numbers or times, or one behind the other."""
    kind = left.__class__
    if kind is right.__class__:
        if kind is int:
            return int64(left + right)
        if kind is str or kind is list or kind is bytes:
            return sized(left + right)
        if kind is float:
            return left + right
        if kind is UInt:
            return uint64(int(left) + int(right))
        if kind is Duration:
            return duration(left.nanoseconds + right.nanoseconds)
    elif kind in _TIMES and right.__class__ in _TIMES:
        pair: tuple[Any, Any] = (left, right) if kind is Timestamp else (right, left)
        moment, length = pair
        return _moved(moment, length.nanoseconds)
    raise _unsupported("_+_", left, _ADDED)


def _moved(moment: Timestamp, nanoseconds: int) -> Timestamp:
    """A moment later, in the zone of the other."""
    later = timestamp(moment.nanoseconds + nanoseconds)
    return Timestamp(later.nanoseconds, moment.offset) if moment.offset else later


def subtract(left: Any, right: Any) -> Any:
    """Difference of numbers or times."""
    kind = left.__class__
    if kind is right.__class__:
        if kind is int:
            return int64(left - right)
        if kind is float:
            return left - right
        if kind is UInt:
            return uint64(int(left) - int(right))
        if kind in _TIMES:
            return duration(left.nanoseconds - right.nanoseconds)
    elif kind is Timestamp and right.__class__ is Duration:
        return _moved(left, -right.nanoseconds)
    raise _unsupported("_-_", left, _COUNTED)


def multiply(left: Any, right: Any) -> Any:
    """Product of numbers of one type."""
    if left.__class__ is right.__class__:
        if left.__class__ is int:
            return int64(left * right)
        if left.__class__ is float:
            return left * right
        if left.__class__ is UInt:
            return uint64(int(left) * int(right))
    raise _unsupported("_*_", left, _COUNTED)


def divide(left: Any, right: Any) -> Any:
    """Quotient of numbers of one type; whole ones are cut towards zero."""
    kind = left.__class__
    if kind is not right.__class__ or kind not in NUMBERS:
        raise _unsupported("_/_", left, _COUNTED)
    if kind is float:
        return _divide_floats(left, right)
    if right == 0:
        raise CelError("division by zero")
    quotient = abs(left) // abs(right)
    if kind is UInt:
        return UInt(quotient)
    return int64(quotient if (left < 0) == (right < 0) else -quotient)


def _divide_floats(left: float, right: float) -> float:
    if right != 0:
        return left / right
    if left == 0 or left != left:  # noqa: PLR0124 (what is not itself is not a number)
        return float("nan")
    negative = str(left)[0] == "-"
    return float("-inf") if negative != (str(right)[0] == "-") else float("inf")


def modulo(left: Any, right: Any) -> Any:
    """Rest of a division of whole numbers; it has the sign of the dividend."""
    kind = left.__class__
    if kind is not right.__class__ or kind not in (int, UInt):
        raise _unsupported("_%_", left, _WHOLE)
    if right == 0:
        raise CelError("modulus by zero")
    rest = abs(left) % abs(right)
    if kind is UInt:
        return UInt(rest)
    if right == -1 and left == INT_MIN:
        raise overflow()
    return -rest if left < 0 else rest


def negate(value: Any) -> Any:
    """The number with the other sign."""
    if value.__class__ is int:
        return int64(-value)
    if value.__class__ is float:
        return -value
    raise _unsupported("-_", value, NEGATED)


def negation(value: Any) -> bool:
    """The other truth value."""
    if value.__class__ is not bool:
        raise no_such_overload()
    return not value
