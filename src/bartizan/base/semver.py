"""Semantic versions and ranges of them, as the blang/semver library reads both.

Source: semver.org 2.0.0; the range syntax is `>=1.0.0 <2.0.0 || !3.1.0`, with
`x` wildcards in the last places.
"""

from __future__ import annotations

import re
from functools import lru_cache, total_ordering
from typing import TYPE_CHECKING, Final

from bartizan.base.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable

_NUMBER: Final = r"(0|[1-9]\d*)"
_VERSION: Final = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}"
    r"(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?",
    re.ASCII,
)
_WORD: Final = re.compile(r"(?<!\S)(?:\|\|(?!\S)|[=<>!]+\s*[^\s=<>!]+|[^\s=<>!]+)")
_COMPARISON: Final = re.compile(r"(==|>=|<=|!=|>|<|=|!)?\s*([0-9].*)")
_WILDCARD: Final = re.compile(rf"{_NUMBER}\.x|{_NUMBER}\.(?:{_NUMBER}|x)\.x", re.ASCII)
_MAX_CHARS: Final = 256
_MAX_RANGE_CHARS: Final = 1024


@total_ordering
class Version:
    """A version; build metadata takes no part in comparison."""

    __slots__ = ("core", "pre")

    def __init__(self, core: tuple[int, int, int], pre: tuple[str, ...]) -> None:
        self.core = core
        self.pre = pre

    def _key(self) -> tuple[tuple[int, int, int], bool, tuple[tuple[int, int, str], ...]]:
        parts = tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in self.pre)
        return (self.core, not self.pre, parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key() == other._key()

    def __lt__(self, other: Version) -> bool:
        return self._key() < other._key()

    def __hash__(self) -> int:
        return hash(self._key())


@lru_cache(maxsize=4096)
def parse_version(text: str) -> Version | None:
    """Read a version, strictly: three numbers, no leading `v`; `None` where the text is none."""
    match = _VERSION.fullmatch(text) if len(text) <= _MAX_CHARS else None
    if not match:
        return None
    major, minor, patch, pre, _build = match.groups()
    return Version((int(major), int(minor), int(patch)), tuple(pre.split(".")) if pre else ())


@lru_cache(maxsize=1024)
def parse_range(text: str) -> Callable[[Version], bool]:
    """Compile a range to a predicate.

    `||` stands between blanks; a comparison may have blanks after its sign.
    Wildcards are a last `x` (`1.x`, `1.2.x`); `1.x.x` stands for `1.0.x`.

    Raises:
        SpecError: the text is no range.
    """
    if len(text) > _MAX_RANGE_CHARS:
        raise _no_range(text)
    words = _WORD.findall(text)
    if "".join(words).replace(" ", "") != text.replace(" ", ""):
        raise _no_range(text)
    choices: list[list[str]] = [[]]
    for word in words:
        if word == "||":
            choices.append([])
        else:
            choices[-1].append(word)
    predicates = [_all_of(choice, text) for choice in choices]
    return lambda version: any(predicate(version) for predicate in predicates)


def _all_of(words: list[str], text: str) -> Callable[[Version], bool]:
    if not words:
        raise _no_range(text)
    tests = [_comparison(word, text) for word in words]
    return lambda version: all(test(version) for test in tests)


def _comparison(word: str, text: str) -> Callable[[Version], bool]:
    match = _COMPARISON.fullmatch(word)
    if not match:
        raise _no_range(text)
    operator, number = match.group(1) or "==", match.group(2)
    low, high = _bounds(number, text)
    match operator:
        case ">=":
            return lambda version: version >= low
        case ">":
            return (lambda version: version > low) if low == high else (lambda version: version >= high)
        case "<":
            return lambda version: version < low
        case "<=":
            return (lambda version: version <= low) if low == high else (lambda version: version < high)
        case "!" | "!=":
            # the library asks for versions below and above a wildcard's interval at once: there are none
            return (lambda version: version != low) if low == high else (lambda _version: False)
        case _:
            return lambda version: _within(version, low, high)


def _within(version: Version, low: Version, high: Version) -> bool:
    return version == low if low == high else low <= version < high


def _bounds(number: str, text: str) -> tuple[Version, Version]:
    """The versions a number stands for: one, or with `x` a half-open interval."""
    wildcard = _WILDCARD.fullmatch(number)
    if wildcard:
        major, minor = int(wildcard.group(1) or wildcard.group(2)), int(wildcard.group(3) or 0)
        if wildcard.group(1):
            return Version((major, 0, 0), ()), Version((major + 1, 0, 0), ())
        return Version((major, minor, 0), ()), Version((major, minor + 1, 0), ())
    version = parse_version(number)
    if version is None or "x" in number:
        raise _no_range(text)
    return version, version


def _no_range(text: str) -> SpecError:
    return SpecError(f"bad version range `{text[:200]}`", hint="Write for example `>=1.2.0 <2.0.0 || 3.x`.")
