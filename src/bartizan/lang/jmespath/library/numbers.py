"""Arithmetic over numbers, quantities and durations.

Two operands of one kind add and subtract; a quantity or a duration can be
multiplied or divided by a number; two of one kind divide to a number. All
else is an error, as is division by zero.
"""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base.duration import format_duration, parse_duration
from bartizan.base.quantity import Quantity, parse_quantity
from bartizan.lang.jmespath.errors import JmesPathError
from bartizan.lang.jmespath.library.signature import ARRAY, NUMBER, TEXT_OR_NUMBER, define, table
from bartizan.lang.jmespath.runtime import is_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.base.json import Json
    from bartizan.base.quantity import Family

_INT64: Final = range(-(2**63), 2**63)
_MOST_DIGITS: Final = 300  # a power of ten beyond that is no binary floating point number


class _Amount(NamedTuple):
    """An operand: `number`, `quantity` or `duration` (in nanoseconds). `places` are decimal places as written."""

    kind: str
    value: Fraction
    family: Family = "decimal"
    places: int = 0

    def written(self, name: str) -> Json:
        """The amount as JSON.

        Raises:
            JmesPathError: it is too large; the peer wraps around there.
        """
        if self.kind == "number":
            return _number(name, self.value)
        if self.kind == "quantity":
            return str(Quantity(self.value, self.family))
        if int(self.value) not in _INT64:
            raise JmesPathError(f"`{name}` gives a duration beyond 64 bits")
        return format_duration(int(self.value))


def _amount(name: str, value: Json) -> _Amount:
    if not isinstance(value, str):
        if not is_number(value) or not math.isfinite(value):
            raise JmesPathError(f"`{name}` takes finite numbers, quantities and durations")
        return _Amount("number", Fraction(value))
    quantity = parse_quantity(value)
    if quantity is not None:
        return _Amount("quantity", quantity.value, quantity.family, quantity.places)
    duration = parse_duration(value)
    if duration is None:
        raise JmesPathError(f"`{name}` takes numbers, quantities and durations, not `{value[:200]}`")
    return _Amount("duration", Fraction(duration))


def _factor(value: float) -> _Amount:
    """A number that scales a quantity or a duration: 0.1 is a tenth there, not the nearest binary fraction."""
    decimal = Decimal(repr(value))
    exponent = decimal.as_tuple().exponent
    return _Amount("number", Fraction(decimal), places=max(0, -exponent) if isinstance(exponent, int) else 0)


def _number(name: str, value: Fraction) -> int | float:
    if value.denominator == 1 and value.numerator in _INT64:
        return value.numerator
    return _float(name, value)


def _float(name: str, value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise JmesPathError(f"`{name}` gives a number beyond 64 bits") from error


def _mismatch(name: str, left: _Amount, right: _Amount) -> JmesPathError:
    return JmesPathError(f"`{name}` cannot combine a {left.kind} and a {right.kind}")


def _additive(name: str, combine: Callable[[Fraction, Fraction], Fraction]) -> Callable[[Json, Json], Json]:
    def apply(first: Json, second: Json) -> Json:
        left, right = _amount(name, first), _amount(name, second)
        if left.kind != right.kind:
            raise _mismatch(name, left, right)
        family = left.family if left.value else right.family  # nothing is written like the other operand
        return left._replace(value=combine(left.value, right.value), family=family).written(name)

    return apply


def _multiply(first: Json, second: Json) -> Json:
    left, right = _amount("multiply", first), _amount("multiply", second)
    if right.kind != "number":
        left, right, second = right, left, first
    if right.kind != "number":
        raise _mismatch("multiply", left, right)
    factor = right if left.kind == "number" else _factor(second)
    return left._replace(value=left.value * factor.value).written("multiply")


def _divide(first: Json, second: Json) -> Json:
    left, right = _amount("divide", first), _amount("divide", second)
    if right.value == 0:
        raise JmesPathError("`divide` by zero")
    if left.kind == right.kind:
        if left.kind == "quantity":  # the peer goes through floating point here, and its last digit is seen
            return _float("divide", left.value) / _float("divide", right.value)
        return _number("divide", left.value / right.value)
    if right.kind != "number":
        raise _mismatch("divide", left, right)
    factor = _factor(second)
    value = left.value / factor.value
    if left.kind == "quantity":
        shift = 10 ** max(left.places, factor.places)
        value = Fraction(math.trunc(value * shift), shift)
    return left._replace(value=value).written("divide")


def _modulo(first: Json, second: Json) -> Json:
    left, right = _amount("modulo", first), _amount("modulo", second)
    if left.kind != right.kind:
        raise _mismatch("modulo", left, right)
    if right.value == 0:
        raise JmesPathError("`modulo` by zero")
    if not all(value.denominator == 1 and value.numerator in _INT64 for value in (left.value, right.value)):
        raise JmesPathError("`modulo` takes whole numbers of 64 bits")
    rest = abs(left.value) % abs(right.value)  # Go's remainder has the sign of the dividend
    return left._replace(value=rest if left.value >= 0 else -rest).written("modulo")


def _round(value: float, digits: float) -> Json:
    """Round half away from zero, in binary floating point as Go does: 1.45 becomes 1.5."""
    if not float(digits).is_integer():
        raise JmesPathError("`round` takes a whole number as argument 2")
    if not 0 <= digits <= _MOST_DIGITS:
        raise JmesPathError(f"`round` takes a number from 0 to {_MOST_DIGITS} as argument 2")
    shift = 10.0 ** int(digits)
    scaled = abs(value) * shift
    if math.isinf(scaled):
        raise JmesPathError("`round` cannot keep that many digits of so large a number")
    # adding a half first would round 0.49999999999999994 up
    whole = math.floor(scaled) + (scaled - math.floor(scaled) >= 0.5)
    return _number("round", Fraction(math.copysign(whole / shift, value)))


def _sum(items: list[Json]) -> Json:
    """The total; one item is itself, whatever it is."""
    if not items:
        raise JmesPathError("`sum` takes an array of at least one item")
    add = _additive("sum", lambda left, right: left + right)
    total = items[0]
    for item in items[1:]:
        total = add(total, item)
    return total


FUNCTIONS: Final = table(
    define(
        "add",
        _additive("add", lambda left, right: left + right),
        TEXT_OR_NUMBER,
        TEXT_OR_NUMBER,
        gives=TEXT_OR_NUMBER,
        doc="The sum of two numbers, two quantities or two durations.",
        example=("add('1Gi', '512Mi')", "1536Mi"),
    ),
    define(
        "subtract",
        _additive("subtract", lambda left, right: left - right),
        TEXT_OR_NUMBER,
        TEXT_OR_NUMBER,
        gives=TEXT_OR_NUMBER,
        doc="The difference of two numbers, two quantities or two durations.",
        example=("subtract('1h', '30s')", "59m30s"),
    ),
    define(
        "multiply",
        _multiply,
        TEXT_OR_NUMBER,
        TEXT_OR_NUMBER,
        gives=TEXT_OR_NUMBER,
        doc="The product of two numbers, or of a number and a quantity or a duration.",
        example=("multiply('250m', `4`)", "1"),
    ),
    define(
        "divide",
        _divide,
        TEXT_OR_NUMBER,
        TEXT_OR_NUMBER,
        gives=TEXT_OR_NUMBER,
        doc="The quotient of two values of one kind, or of a quantity or a duration and a number.",
        example=("divide('1Gi', '512Mi')", 2),
    ),
    define(
        "modulo",
        _modulo,
        TEXT_OR_NUMBER,
        TEXT_OR_NUMBER,
        gives=TEXT_OR_NUMBER,
        doc="What a division of two whole values of one kind leaves, with the sign of the first.",
        example=("modulo(`7`, `3`)", 1),
    ),
    define(
        "round",
        _round,
        NUMBER,
        NUMBER,
        gives=NUMBER,
        doc="A number with so many digits behind its point, halves away from zero.",
        example=("round(`2.345`, `1`)", 2.3),
    ),
    define(
        "sum",
        _sum,
        ARRAY,
        gives=TEXT_OR_NUMBER,
        doc="The total of numbers, of quantities or of durations.",
        example=("sum(`[1, 2, 3]`)", 6),
    ),
)
