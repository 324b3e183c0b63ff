"""Kubernetes quantities: `500m`, `1Gi`, `2e3`, exactly.

Source: the grammar and canonical form of `k8s.io/apimachinery/pkg/api/resource`.
Values are exact fractions, because a limit of `0.1` must equal `100m`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Final, Literal, TypeAlias

Family: TypeAlias = Literal["binary", "decimal", "exponent"]

_BINARY: Final = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_SUFFIX_OF: Final = {power: suffix for suffix, power in _DECIMAL.items()}
_GRAMMAR: Final = re.compile(
    r"([+-]?)(\d+(?:\.\d*)?|\.\d+)(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE](?![\d+-])|[eE][+-]?\d{1,3})?", re.ASCII
)
_FINEST: Final = 9  # decimal places: Kubernetes keeps nothing below nano
_MAX_CHARS: Final = 64  # longer text is a hostile number, not a quantity


@dataclass(frozen=True, slots=True, order=True)
class Quantity:
    """An amount. `family` is how it was written, and how results are written back.

    `places` is how many digits after the decimal point the text gave the
    value; Kubernetes divides to no more than these.
    """

    value: Fraction
    family: Family = "decimal"
    places: int = field(default=0, compare=False)

    def __str__(self) -> str:
        if self.family == "binary":
            return _binary_text(self.value)
        return _decimal_text(self.value, exponent=self.family == "exponent")


@lru_cache(maxsize=8192)
def parse_quantity(text: str) -> Quantity | None:
    """Read a quantity; `None` where the text is none."""
    if len(text) > _MAX_CHARS:
        return None
    match = _GRAMMAR.fullmatch(text)
    if not match:
        return None
    sign, digits, suffix = match.groups(default="")
    value = Fraction(digits if not digits.endswith(".") else digits[:-1])
    if sign == "-":
        value = -value
    fraction = len(digits.partition(".")[2])
    if suffix in _BINARY:
        return Quantity(_to_nano(value * 1024 ** _BINARY[suffix]), "binary", _FINEST if fraction else 0)
    power = _DECIMAL.get(suffix)
    family: Family = "exponent" if power is None else "decimal"
    if power is None:
        power = int(suffix[1:])
    return Quantity(_to_nano(value * Fraction(10) ** power), family, min(_FINEST, max(0, fraction - power)))


def _to_nano(value: Fraction) -> Fraction:
    """Round away from zero to whole billionths, so that nothing written becomes nothing."""
    shift = 10**_FINEST
    if shift % value.denominator == 0:
        return value
    scaled = abs(value) * shift
    whole = Fraction(-(-scaled.numerator // scaled.denominator), shift)
    return whole if value > 0 else -whole


def _binary_text(value: Fraction) -> str:
    if value.denominator != 1 or abs(value) < 1024:
        return _decimal_text(value, exponent=False)
    number, power = value.numerator, 0
    while power < len(_BINARY) and number % 1024 == 0 and number != 0:
        number //= 1024
        power += 1
    return f"{number}{'' if power == 0 else list(_BINARY)[power - 1]}"


def _decimal_text(value: Fraction, *, exponent: bool) -> str:
    """The canonical form: the largest suffix that leaves a whole number, no finer than nano, rounded up."""
    if value == 0:
        return "0"
    scaled = value * 10**9
    number = -(-scaled.numerator // scaled.denominator) if value > 0 else scaled.numerator // scaled.denominator
    power = -9
    while power < 18 and number % 1000 == 0:
        number //= 1000
        power += 3
    if exponent:
        return f"{number}{f'e{power}' if power else ''}"
    return f"{number}{_SUFFIX_OF[power]}"
