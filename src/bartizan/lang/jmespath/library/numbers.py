"""Arithmetic over numbers, quantities and durations.

Two operands of one kind add and subtract; a quantity or a duration can be
multiplied or divided by a number; two of one kind divide to a number. All
else is an error, as is division by zero.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base.duration import format_duration, parse_duration
from bartizan.base.quantity import Quantity, parse_quantity
from bartizan.lang.jmespath.errors import JmesPathError
from bartizan.lang.jmespath.library.signature import ARRAY, NUMBER, TEXT_OR_NUMBER, define, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.base.json import Json
    from bartizan.base.quantity import Family


class _Amount(NamedTuple):
    """An operand: `number`, `quantity` or `duration` (in nanoseconds)."""

    kind: str
    value: Fraction
    family: Family = "decimal"

    def written(self) -> Json:
        """The amount as JSON."""
        if self.kind == "number":
            return _number(self.value)
        if self.kind == "quantity":
            return str(Quantity(self.value, self.family))
        return format_duration(int(self.value))


def _amount(name: str, value: Json) -> _Amount:
    if not isinstance(value, str):
        if isinstance(value, float) and not math.isfinite(value):
            raise JmesPathError(f"`{name}` takes finite numbers")
        return _Amount("number", Fraction(value))
    quantity = parse_quantity(value)
    if quantity is not None:
        return _Amount("quantity", quantity.value, quantity.family)
    duration = parse_duration(value)
    if duration is None:
        raise JmesPathError(f"`{name}` takes numbers, quantities and durations, not `{value}`")
    return _Amount("duration", Fraction(duration))


def _number(value: Fraction) -> int | float:
    return value.numerator if value.denominator == 1 else float(value)


def _mismatch(name: str, left: _Amount, right: _Amount) -> JmesPathError:
    return JmesPathError(f"`{name}` cannot combine a {left.kind} and a {right.kind}")


def _additive(name: str, combine: Callable[[Fraction, Fraction], Fraction]) -> Callable[[Json, Json], Json]:
    def apply(first: Json, second: Json) -> Json:
        left, right = _amount(name, first), _amount(name, second)
        if left.kind != right.kind:
            raise _mismatch(name, left, right)
        return left._replace(value=combine(left.value, right.value)).written()

    return apply


def _multiply(first: Json, second: Json) -> Json:
    left, right = _amount("multiply", first), _amount("multiply", second)
    if right.kind != "number":
        left, right = right, left
    if right.kind != "number":
        raise _mismatch("multiply", left, right)
    return left._replace(value=left.value * right.value).written()


def _divide(first: Json, second: Json) -> Json:
    left, right = _amount("divide", first), _amount("divide", second)
    if right.value == 0:
        raise JmesPathError("`divide` by zero")
    if left.kind == right.kind:
        return _number(left.value / right.value)
    if right.kind != "number":
        raise _mismatch("divide", left, right)
    return left._replace(value=left.value / right.value).written()


def _modulo(first: Json, second: Json) -> Json:
    left, right = _amount("modulo", first), _amount("modulo", second)
    if right.kind not in (left.kind, "number"):
        raise _mismatch("modulo", left, right)
    if right.value == 0:
        raise JmesPathError("`modulo` by zero")
    if left.value.denominator != 1 or right.value.denominator != 1:
        raise JmesPathError("`modulo` takes whole numbers")
    # Go's remainder has the sign of the dividend, Python's that of the divisor
    rest = math.fmod(left.value, right.value) if left.kind == "number" else left.value % right.value
    return left._replace(value=Fraction(rest)).written()


def _round(value: float, digits: float) -> Json:
    if not float(digits).is_integer():
        raise JmesPathError("`round` takes a whole number as argument 2")
    if digits < 0:
        raise JmesPathError("`round` takes no negative number as argument 2")
    shift = 10 ** int(digits)
    scaled = Fraction(value) * shift
    # Go rounds half away from zero, Python half to even
    whole = math.floor(abs(scaled) + Fraction(1, 2))
    return _number(Fraction(whole if scaled >= 0 else -whole, shift))


def _sum(items: list[Json]) -> Json:
    if not items:
        return 0
    add = _additive("sum", lambda left, right: left + right)
    total = _amount("sum", items[0]).written()
    for item in items[1:]:
        total = add(total, item)
    return total


FUNCTIONS: Final = table(
    define("add", _additive("add", lambda left, right: left + right), TEXT_OR_NUMBER, TEXT_OR_NUMBER),
    define("subtract", _additive("subtract", lambda left, right: left - right), TEXT_OR_NUMBER, TEXT_OR_NUMBER),
    define("multiply", _multiply, TEXT_OR_NUMBER, TEXT_OR_NUMBER),
    define("divide", _divide, TEXT_OR_NUMBER, TEXT_OR_NUMBER),
    define("modulo", _modulo, TEXT_OR_NUMBER, TEXT_OR_NUMBER),
    define("round", _round, NUMBER, NUMBER),
    define("sum", _sum, ARRAY),
)
