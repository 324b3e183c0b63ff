"""The math extension: extremes, rounding, and bits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from bartizan.lang.cel.declare import Overload
from bartizan.lang.cel.errors import CelError, no_such_overload
from bartizan.lang.cel.operators import int64, less
from bartizan.lang.cel.operators.equality import NUMBERS
from bartizan.lang.cel.types import BOOL, DOUBLE, DYN, INT, UINT, Type, list_of
from bartizan.lang.cel.values import INT_MIN, UINT_MAX, UInt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_NUMBERS: Final = (INT, UINT, DOUBLE)
_MOST: Final = 10
"""Arguments that `math.greatest` and `math.least` take one by one; more go in a list."""


def _extreme(*, most: bool) -> Callable[..., Any]:
    """The extreme of two numbers, or of a list of them, which three and more are too."""
    name = "math.@max" if most else "math.@min"

    def find(*values: Any) -> Any:
        if len(values) == 1 and values[0].__class__ is list:
            values = tuple(values[0])
            _check_listed(values, name)
        elif len(values) > 2:
            _check_listed(values, name)
        elif len(values) == 2 and any(map(_is_no_number, values)):
            raise CelError(f"NaN values cannot be ordered: {name}")
        found = values[0]
        for value in values[1:]:
            if less(found, value) if most else less(value, found):
                found = value
        return found

    return find


def _check_listed(values: Sequence[Any], name: str) -> None:
    if not values:
        raise CelError(f"{name}(list) argument must not be empty")
    if values[0].__class__ not in NUMBERS:
        raise no_such_overload(f"{name}(list)")
    for value in values:
        if value.__class__ not in NUMBERS or (_is_no_number(value) and len(values) > 1):
            raise no_such_overload(name)


def _is_no_number(value: Any) -> bool:
    return value.__class__ is float and math.isnan(value)


def _extremes(*, most: bool) -> tuple[Overload, ...]:
    call = _extreme(most=most)
    pairs = [Overload((left, right), left if left == right else DYN, call) for left in _NUMBERS for right in _NUMBERS]
    return (
        *(Overload((kind,), kind, call) for kind in _NUMBERS),
        *pairs,
        *(Overload((list_of(kind),), kind, call) for kind in _NUMBERS),
        *(Overload((kind,) * count, kind, call) for kind in _NUMBERS for count in range(3, _MOST + 1)),
        *(Overload((DYN,) * count, DYN, call) for count in range(3, _MOST + 1)),
    )


def _whole(round_: Callable[[float], int]) -> tuple[Overload, ...]:
    def call(value: float) -> float:
        return math.copysign(float(round_(value)), value) if math.isfinite(value) else value

    return (Overload((DOUBLE,), DOUBLE, call),)


def _round(value: float) -> int:
    """Half goes away from zero, which Python's own rounding does not do."""
    whole = math.floor(abs(value))
    up = whole + (abs(value) - whole >= 0.5)
    return up if value >= 0 else -up


def _sign(value: Any) -> Any:
    return value.__class__((value > 0) - (value < 0)) if value == value else value  # noqa: PLR0124 (not a number)


def _absolute(value: int) -> int:
    if value == INT_MIN:
        raise CelError("integer overflow")
    return abs(value)


def _square_root(value: float) -> float:
    return math.sqrt(value) if value >= 0 else math.nan


def _bits(operation: Callable[[int, int], int]) -> tuple[Overload, ...]:
    return (
        Overload((INT, INT), INT, operation),
        Overload((UINT, UINT), UINT, lambda left, right: UInt(operation(int(left), int(right)))),
    )


def _count(bits: int, name: str) -> int:
    if bits < 0:
        raise CelError(f"math.bitShift{name}() negative offset: {bits}")
    return bits


def _signed(value: int) -> int:
    value &= UINT_MAX
    return value - UINT_MAX - 1 if value > UINT_MAX // 2 else value


def _shift_left(value: int, bits: int) -> int:
    return _signed(value << bits) if _count(bits, "Left") < 64 else 0


def _shift_left_unsigned(value: int, bits: int) -> UInt:
    return UInt((int(value) << bits) & UINT_MAX) if _count(bits, "Left") < 64 else UInt(0)


def _shift_right(value: int, bits: int) -> int:
    # the sign is not kept: the reference shifts the bits alone
    return _signed((value & UINT_MAX) >> bits) if _count(bits, "Right") < 64 else 0


def _shift_right_unsigned(value: int, bits: int) -> UInt:
    return UInt(int(value) >> bits) if _count(bits, "Right") < 64 else UInt(0)


def _on_double(call: Callable[[float], bool]) -> tuple[Overload, ...]:
    return (Overload((DOUBLE,), BOOL, call),)


def _of_each(call: Callable[[Any], Any], result: Type | None = None) -> tuple[Overload, ...]:
    return tuple(Overload((kind,), result or kind, call) for kind in _NUMBERS)


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "math.greatest": _extremes(most=True),
    "math.least": _extremes(most=False),
    "math.ceil": _whole(math.ceil),
    "math.floor": _whole(math.floor),
    "math.round": _whole(_round),
    "math.trunc": _whole(math.trunc),
    "math.isInf": _on_double(math.isinf),
    "math.isNaN": _on_double(math.isnan),
    "math.isFinite": _on_double(math.isfinite),
    "math.abs": (
        Overload((INT,), INT, _absolute),
        Overload((UINT,), UINT, lambda value: value),
        Overload((DOUBLE,), DOUBLE, abs),
    ),
    "math.sign": _of_each(_sign),
    "math.sqrt": _of_each(_square_root, DOUBLE),
    "math.bitAnd": _bits(lambda left, right: left & right),
    "math.bitOr": _bits(lambda left, right: left | right),
    "math.bitXor": _bits(lambda left, right: left ^ right),
    "math.bitNot": (
        Overload((INT,), INT, lambda value: int64(~value)),
        Overload((UINT,), UINT, lambda value: UInt(~int(value) & UINT_MAX)),
    ),
    "math.bitShiftLeft": (
        Overload((INT, INT), INT, _shift_left),
        Overload((UINT, INT), UINT, _shift_left_unsigned),
    ),
    "math.bitShiftRight": (
        Overload((INT, INT), INT, _shift_right),
        Overload((UINT, INT), UINT, _shift_right_unsigned),
    ),
}
