"""Quantities, which Kubernetes adds: `1.5Gi`, `500m`.

What is an integer, and what a quantity is as a double, the server answers by
how it happens to keep the number: short ones as an integer and a power of
ten, others as a decimal. So `1.5Gi` is none, and this keeps them alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, Final

from bartizan.base.quantity import parse_quantity
from bartizan.lang.cel.declare import Overload
from bartizan.lang.cel.errors import CelError
from bartizan.lang.cel.types import BOOL, DOUBLE, INT, STRING, Type
from bartizan.lang.cel.values import INT_MAX, INT_MIN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_QUANTITY: Final = Type("kubernetes.Quantity")
_FORM: Final = re.compile(r"([+-]?)0*(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)", re.ASCII)
_BINARY: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_EXPONENT: Final = re.compile(r"[eE]([-+]?\d+)", re.ASCII)
_NANO: Final = -9
_MAX_DIGITS: Final = 18  # of a number that is sure to fit into 64 bits
_MAX_POWER: Final = 400  # beyond it a double is infinite, or nothing


@dataclass(frozen=True, slots=True, order=True)
class Amount:
    """A quantity; `1Ki` and `1024` are equal, however they are written."""

    value: Fraction
    base: int = field(compare=False)
    scale: int = field(compare=False)
    """The power of ten that `base` is multiplied with."""
    short: bool = field(compare=False)
    """Whether 64 bits hold `base`, and the server keeps it in them."""
    type_name: ClassVar[str] = "kubernetes.Quantity"


def _amount(text: str) -> Amount:
    match = _FORM.fullmatch(text) if text else None
    if match is None:
        form = "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        raise CelError(f"quantities must match the regular expression {form}")
    sign, whole, fraction, suffix = match.groups(default="")
    if suffix not in _BINARY and suffix not in _DECIMAL and not _EXPONENT.fullmatch(suffix):
        raise CelError("unable to parse quantity's suffix")
    # no digit at all counts as none, as it does for the server
    quantity = parse_quantity(f"{sign}{whole or '0'}{'.' if fraction else ''}{fraction}{suffix}")
    if quantity is None:
        raise CelError("unable to parse numeric part of quantity")
    return _kept(quantity.value, (whole or "0", fraction, suffix), negative=sign == "-")


def _kept(value: Fraction, parts: tuple[str, str, str], *, negative: bool) -> Amount:
    """An amount as the server keeps it."""
    whole, fraction, suffix = parts
    factor, scale = 1, 0
    if suffix in _BINARY:
        power = _BINARY[suffix]
        factor = 1 << power
        spare = -1 if fraction else 15 - len(whole) - power * 3 // 10 - 1
    else:
        exponent = _EXPONENT.fullmatch(suffix)
        scale = _DECIMAL[suffix] if exponent is None else int(exponent[1])
        spare = _MAX_DIGITS - len(whole) - len(fraction)
    scale -= len(fraction)
    base = int(whole + fraction) * factor
    if spare >= 0 and scale >= _NANO and base <= INT_MAX:
        return Amount(value, -base if negative else base, scale, short=True)
    return Amount(value, int(value * 10**-_NANO), _NANO, short=False)


def _integer(amount: Amount) -> int | None:
    if not amount.short or not 0 <= amount.scale <= _MAX_DIGITS + 1:
        return 0 if amount.short and amount.base == 0 and amount.scale >= 0 else None
    whole = amount.base * 10**amount.scale
    return whole if INT_MIN <= whole <= INT_MAX else None


def _as_integer(amount: Amount) -> int:
    whole = _integer(amount)
    if whole is None:
        raise CelError("cannot convert value to integer")
    return whole


def _as_float(amount: Amount) -> float:
    if amount.scale == 0:
        return float(amount.base)
    return float(amount.base) * float(f"1e{max(-_MAX_POWER, min(_MAX_POWER, amount.scale))}")


def _sum(left: Amount, right: Amount) -> Amount:
    value = left.value + right.value
    if left.short and right.short:
        if right.base == 0:
            return Amount(value, left.base, left.scale, short=True)
        if left.base == 0:
            return Amount(value, right.base, right.scale, short=True)
    scale = min(left.scale, right.scale)
    base = int(value / Fraction(10) ** scale)
    return Amount(value, base, scale, short=left.short and right.short and INT_MIN <= base <= INT_MAX)


def _negative(amount: Amount) -> Amount:
    return Amount(-amount.value, -amount.base, amount.scale, amount.short)


def _of_int(number: int) -> Amount:
    return Amount(Fraction(number), number, 0, short=True)


def _is_quantity(text: str) -> bool:
    try:
        _amount(text)
    except CelError:
        return False
    return True


def _compare(left: Amount, right: Amount) -> int:
    return -1 if left < right else 1 if right < left else 0


def _member(*parameters: Type, gives: Type, by: Callable[..., object]) -> Overload:
    return Overload(parameters, gives, by, member=True)


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "quantity": (Overload((STRING,), _QUANTITY, _amount),),
    "isQuantity": (Overload((STRING,), BOOL, _is_quantity),),
    "sign": (Overload((_QUANTITY,), INT, lambda amount: (amount.value > 0) - (amount.value < 0)),),
    "isGreaterThan": (_member(_QUANTITY, _QUANTITY, gives=BOOL, by=lambda left, right: left > right),),
    "isLessThan": (_member(_QUANTITY, _QUANTITY, gives=BOOL, by=lambda left, right: left < right),),
    "compareTo": (_member(_QUANTITY, _QUANTITY, gives=INT, by=_compare),),
    "asApproximateFloat": (_member(_QUANTITY, gives=DOUBLE, by=_as_float),),
    "asInteger": (_member(_QUANTITY, gives=INT, by=_as_integer),),
    "isInteger": (_member(_QUANTITY, gives=BOOL, by=lambda amount: _integer(amount) is not None),),
    "add": (
        _member(_QUANTITY, _QUANTITY, gives=_QUANTITY, by=_sum),
        _member(_QUANTITY, INT, gives=_QUANTITY, by=lambda left, right: _sum(left, _of_int(right))),
    ),
    "sub": (
        _member(_QUANTITY, _QUANTITY, gives=_QUANTITY, by=lambda left, right: _sum(left, _negative(right))),
        _member(_QUANTITY, INT, gives=_QUANTITY, by=lambda left, right: _sum(left, _of_int(-right))),
    ),
}
