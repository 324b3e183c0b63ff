"""What Kubernetes adds for its own values: quantities and versions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from bartizan.base.quantity import parse_quantity
from bartizan.base.semver import Version, parse_version
from bartizan.lang.cel.declare import Overload
from bartizan.lang.cel.errors import CelError
from bartizan.lang.cel.library.quoting import quoted
from bartizan.lang.cel.operators import overflow
from bartizan.lang.cel.types import BOOL, DOUBLE, INT, STRING, Type
from bartizan.lang.cel.values import INT_MAX, INT_MIN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from fractions import Fraction

_QUANTITY: Final = Type("kubernetes.Quantity")
_QUANTITY_FORM: Final = re.compile(r"[+-]?(\d*\.?\d*)([eEinumkKMGTP]*[-+]?\d*)", re.ASCII)
_SEMVER: Final = Type("kubernetes.Semver")


@dataclass(frozen=True, slots=True, order=True)
class Amount:
    """A quantity; `1Ki` and `1024` are equal, however they are written."""

    value: Fraction
    type_name: ClassVar[str] = "kubernetes.Quantity"


@dataclass(frozen=True, slots=True, order=True)
class Semver:
    """A semantic version; build metadata takes no part in comparison."""

    version: Version
    type_name: ClassVar[str] = "kubernetes.Semver"


def _reads(read: Callable[..., Any]) -> Callable[..., bool]:
    def test(*given: Any) -> bool:
        try:
            read(*given)
        except CelError:
            return False
        return True

    return test


def _member(*parameters: Type, gives: Type, by: Callable[..., Any], grows: bool = False) -> Overload:
    return Overload(parameters, gives, by, member=True, grows=grows)


def _compare(left: Any, right: Any) -> int:
    return -1 if left < right else 1 if right < left else 0


# quantities


def _amount(text: str) -> Amount:
    quantity = parse_quantity(text)
    if quantity is None:
        raise CelError(_no_quantity(text))
    return Amount(quantity.value)


def _no_quantity(text: str) -> str:
    match = _QUANTITY_FORM.fullmatch(text) if text else None
    if match is None:
        form = "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        return f"quantities must match the regular expression {form}"
    known = re.fullmatch(r"[KMGTPE]i|[numkMGTPE]?|[eE][-+]?\d+", match[2], re.ASCII)
    return "unable to parse numeric part of quantity" if known else "unable to parse quantity's suffix"


def _is_integer(amount: Amount) -> bool:
    return amount.value.denominator == 1 and INT_MIN <= amount.value <= INT_MAX


def _as_integer(amount: Amount) -> int:
    if not _is_integer(amount):
        raise CelError("cannot convert value to integer")
    return int(amount.value)


def _sign(amount: Amount) -> int:
    return (amount.value > 0) - (amount.value < 0)


_QUANTITIES: Final[Mapping[str, tuple[Overload, ...]]] = {
    "quantity": (Overload((STRING,), _QUANTITY, _amount),),
    "isQuantity": (Overload((STRING,), BOOL, _reads(_amount)),),
    "sign": (Overload((_QUANTITY,), INT, _sign),),
    "isGreaterThan": (_member(_QUANTITY, _QUANTITY, gives=BOOL, by=lambda left, right: left > right),),
    "isLessThan": (_member(_QUANTITY, _QUANTITY, gives=BOOL, by=lambda left, right: left < right),),
    "compareTo": (_member(_QUANTITY, _QUANTITY, gives=INT, by=_compare),),
    "asApproximateFloat": (_member(_QUANTITY, gives=DOUBLE, by=lambda amount: float(amount.value)),),
    "asInteger": (_member(_QUANTITY, gives=INT, by=_as_integer),),
    "isInteger": (_member(_QUANTITY, gives=BOOL, by=_is_integer),),
    "add": (
        _member(_QUANTITY, _QUANTITY, gives=_QUANTITY, by=lambda left, right: Amount(left.value + right.value)),
        _member(_QUANTITY, INT, gives=_QUANTITY, by=lambda left, right: Amount(left.value + right)),
    ),
    "sub": (
        _member(_QUANTITY, _QUANTITY, gives=_QUANTITY, by=lambda left, right: Amount(left.value - right.value)),
        _member(_QUANTITY, INT, gives=_QUANTITY, by=lambda left, right: Amount(left.value - right)),
    ),
}

# versions

_IDENTIFIER: Final = re.compile(r"[0-9A-Za-z-]+", re.ASCII)


def _semver(text: str, normalize: bool = False) -> Semver:
    whole = _normalized(text) if normalize else text
    version = parse_version(whole)
    if version is None:
        raise CelError(_no_version(whole))
    return Semver(version)


def _normalized(text: str) -> str:
    """Without a leading `v` and zeros, and with the numbers that are missing."""
    parts = [_without_zeros(part) for part in text.removeprefix("v").split(".", 2)]
    if len(parts) < 3 and any(mark in parts[-1] for mark in "+-"):
        raise CelError("short version cannot contain PreRelease/Build meta data")
    return ".".join([*parts, *["0"] * (3 - len(parts))])


def _without_zeros(part: str) -> str:
    if len(part) < 2:
        return part
    rest = part.lstrip("0")
    return rest if rest and rest[0] in "0123456789" else f"0{rest}"


def _no_version(text: str) -> str:
    """What is wrong with a text that is no version, in the words of the library that the server reads it with."""
    if not text:
        return "Version string empty"
    parts = text.split(".", 2)
    if len(parts) != 3:
        return "No Major.Minor.Patch elements found"
    patch, plus, build = parts[2].partition("+")
    patch, minus, before = patch.partition("-")
    for name, number in (("major", parts[0]), ("minor", parts[1]), ("patch", patch)):
        if number.strip("0123456789"):
            return f"Invalid character(s) found in {name} number {quoted(number)}"
        if len(number) > 1 and number[0] == "0":
            return f"{name.capitalize()} number must not contain leading zeroes {quoted(number)}"
        if not number:
            return 'strconv.ParseUint: parsing "": invalid syntax'
    return (_no_suffix(before) if minus else "") or (_no_build(build) if plus else "") or "version out of range"


def _no_suffix(text: str) -> str:
    for part in text.split("."):
        if not part:
            return "Prerelease is empty"
        if part.isdecimal() and len(part) > 1 and part[0] == "0":
            return f"Numeric PreRelease version must not contain leading zeroes {quoted(part)}"
        if not _IDENTIFIER.fullmatch(part):
            return f"Invalid character(s) found in prerelease {quoted(part)}"
    return ""


def _no_build(text: str) -> str:
    for part in text.split("."):
        if not part:
            return "Build meta data is empty"
        if not _IDENTIFIER.fullmatch(part):
            return f"Invalid character(s) found in build meta data {quoted(part)}"
    return ""


def _number(place: int) -> Callable[[Semver], int]:
    def read(held: Semver) -> int:
        number = held.version.core[place]
        if number > INT_MAX:
            raise overflow()
        return number

    return read


_VERSIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "semver": (Overload((STRING,), _SEMVER, _semver), Overload((STRING, BOOL), _SEMVER, _semver)),
    "isSemver": (Overload((STRING,), BOOL, _reads(_semver)), Overload((STRING, BOOL), BOOL, _reads(_semver))),
    "isGreaterThan": (_member(_SEMVER, _SEMVER, gives=BOOL, by=lambda left, right: left > right),),
    "isLessThan": (_member(_SEMVER, _SEMVER, gives=BOOL, by=lambda left, right: left < right),),
    "compareTo": (_member(_SEMVER, _SEMVER, gives=INT, by=_compare),),
    "major": (_member(_SEMVER, gives=INT, by=_number(0)),),
    "minor": (_member(_SEMVER, gives=INT, by=_number(1)),),
    "patch": (_member(_SEMVER, gives=INT, by=_number(2)),),
}

TABLES: Final = (_QUANTITIES, _VERSIONS)
"""What Kubernetes adds, one table a family."""
