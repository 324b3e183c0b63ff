"""Semantic versions, which Kubernetes adds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from bartizan.base.semver import Version, parse_version
from bartizan.lang.cel.declare import Overload
from bartizan.lang.cel.errors import CelError
from bartizan.lang.cel.library.quoting import quoted
from bartizan.lang.cel.types import BOOL, INT, STRING, Type
from bartizan.lang.cel.values import INT_MAX, UINT_MAX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SEMVER: Final = Type("kubernetes.Semver")
_IDENTIFIER: Final = re.compile(r"[0-9A-Za-z-]+", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Semver:
    """A semantic version; build metadata takes no part in comparison."""

    version: Version
    type_name: ClassVar[str] = "kubernetes.Semver"


def _semver(text: str, normalize: bool = False) -> Semver:
    whole = _normalized(text) if normalize else text
    version = parse_version(whole)
    if version is None:
        raise CelError(_no_version(whole))
    for number in (*map(str, version.core), *filter(str.isdecimal, version.pre)):
        if int(number) > UINT_MAX:
            raise CelError(f"strconv.ParseUint: parsing {quoted(number)}: value out of range")
    return Semver(version)


def _is_semver(text: str, normalize: bool = False) -> bool:
    try:
        _semver(text, normalize)
    except CelError:
        return False
    return True


def _compare(left: Semver, right: Semver) -> int:
    return -1 if left < right else 1 if right < left else 0


def _member(*parameters: Type, gives: Type, by: Callable[..., object]) -> Overload:
    return Overload(parameters, gives, by, member=True)


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
        return number if number <= INT_MAX else number - UINT_MAX - 1  # the server takes the bits as they are

    return read


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "semver": (Overload((STRING,), _SEMVER, _semver), Overload((STRING, BOOL), _SEMVER, _semver)),
    "isSemver": (Overload((STRING,), BOOL, _is_semver), Overload((STRING, BOOL), BOOL, _is_semver)),
    "isGreaterThan": (_member(_SEMVER, _SEMVER, gives=BOOL, by=lambda left, right: left > right),),
    "isLessThan": (_member(_SEMVER, _SEMVER, gives=BOOL, by=lambda left, right: left < right),),
    "compareTo": (_member(_SEMVER, _SEMVER, gives=INT, by=_compare),),
    "major": (_member(_SEMVER, gives=INT, by=_number(0)),),
    "minor": (_member(_SEMVER, gives=INT, by=_number(1)),),
    "patch": (_member(_SEMVER, gives=INT, by=_number(2)),),
}
