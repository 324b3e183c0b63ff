r"""Text that a regular expression matches, made by chance: what `random('[a-z]{8}')` gives.

The pattern is read as Kyverno reads it there: RE2 without its Perl
additions, so `[[:digit:]]` but not `\d`, and no `(?:…)`.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from bartizan.lang.jmespath.errors import JmesPathError

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_CHARS: Final = 4096
"""One text; a pattern that asks for more is a mistake or an attack."""
MAX_REPEAT: Final = 1000
"""RE2's own bound for `{n}`."""
MAX_NESTING: Final = 50
_OPEN_REPEAT: Final = 32  # how often `*` and `+` repeat at most
_PRINTABLE: Final = "".join(map(chr, range(0x20, 0x7F)))
_CLASSES: Final = {
    "alnum": string.ascii_letters + string.digits,
    "alpha": string.ascii_letters,
    "ascii": "".join(map(chr, range(128))),
    "blank": "\t ",
    "cntrl": "".join(map(chr, [*range(32), 127])),
    "digit": string.digits,
    "graph": "".join(map(chr, range(0x21, 0x7F))),
    "lower": string.ascii_lowercase,
    "print": _PRINTABLE,
    "punct": string.punctuation,
    "space": "\t\n\v\f\r ",
    "upper": string.ascii_uppercase,
    "word": string.ascii_letters + string.digits + "_",
    "xdigit": string.hexdigits,
}
_ESCAPES: Final = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class _Choice(NamedTuple):
    """One character out of ranges of code points."""

    ranges: tuple[tuple[int, int], ...]


class _Repeat(NamedTuple):
    """A part so many times."""

    part: _Part
    least: int
    most: int


class _Group(NamedTuple):
    """One of some sequences."""

    branches: tuple[tuple[_Part, ...], ...]


_Part: TypeAlias = _Choice | _Repeat | _Group


def random_text(pattern: str, chance: Callable[[], float]) -> str:
    """Make a text; `chance` gives numbers from 0 up to 1.

    Raises:
        JmesPathError: the pattern is empty or malformed, or the text would be too long.
    """
    if not pattern:
        raise JmesPathError("`random` takes a regular expression, and this one is empty")
    made: list[str] = []
    _make(_Reader(pattern).whole(), chance, made)
    return "".join(made)


def _make(part: _Part, chance: Callable[[], float], made: list[str]) -> None:
    match part:
        case _Choice(ranges):
            at = int(chance() * sum(high - low + 1 for low, high in ranges))
            for low, high in ranges:
                if at <= high - low:
                    made.append(chr(low + at))
                    break
                at -= high - low + 1
            if len(made) > MAX_CHARS:
                raise JmesPathError(f"`random` makes at most {MAX_CHARS} characters")
        case _Repeat(inner, least, most):
            for _ in range(least + int(chance() * (most - least + 1))):
                _make(inner, chance, made)
        case _Group(branches):
            for inner in branches[int(chance() * len(branches))]:
                _make(inner, chance, made)


class _Reader:
    """The pattern being read: a class because each rule of the grammar moves one position on."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def whole(self) -> _Part:
        """The whole pattern."""
        group = self._group(0)
        if self._at < len(self._pattern):
            raise self._error("a `)` closes nothing")
        return group

    def _error(self, reason: str) -> JmesPathError:
        return JmesPathError(
            f"`random` takes a regular expression, not `{self._pattern[:200]}`: {reason} at column {self._at + 1}"
        )

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _take(self) -> str:
        letter = self._peek()
        if not letter:
            raise self._error("it ends too early")
        self._at += 1
        return letter

    def _group(self, depth: int) -> _Group:
        if depth > MAX_NESTING:
            raise self._error("it nests too deep")
        branches: list[list[_Part]] = [[]]
        while self._peek() not in ("", ")"):
            letter = self._take()
            if letter == "|":
                branches.append([])
            elif letter in "^$":
                continue
            elif letter in "*+?":
                raise self._error(f"`{letter}` repeats nothing")
            else:
                branches[-1].append(self._repeated(self._atom(letter, depth)))
        return _Group(tuple(map(tuple, branches)))

    def _atom(self, letter: str, depth: int) -> _Part:
        if letter == "(":
            group = self._group(depth + 1)
            if self._take() != ")":
                raise self._error("a `(` is not closed")
            return group
        if letter == "[":
            return self._choice()
        if letter == ".":
            return _Choice(((0x20, 0x7E),))
        code = ord(self._escape() if letter == "\\" else letter)
        return _Choice(((code, code),))

    def _repeated(self, part: _Part) -> _Part:
        """The part with the repetitions that follow it."""
        for _ in range(MAX_NESTING):
            bounds = self._bounds()
            if bounds is None:
                return part
            part = _Repeat(part, *bounds)
        raise self._error("it repeats repetitions too often")

    def _bounds(self) -> tuple[int, int] | None:
        letter = self._peek()
        if letter and letter in "*+?":
            self._at += 1
            return (int(letter == "+"), 1 if letter == "?" else _OPEN_REPEAT)
        end = self._pattern.find("}", self._at)
        if letter != "{" or end < 0:
            return None
        low, comma, high = self._pattern[self._at + 1 : end].partition(",")
        if not _is_count(low) or (high and not _is_count(high)):
            return None  # RE2 takes such a brace for itself
        least = int(low)
        most = int(high) if high else (max(least, _OPEN_REPEAT) if comma else least)
        if not least <= most <= MAX_REPEAT:
            raise self._error(f"`{{{low}{comma}{high}}}` repeats badly or too often")
        self._at = end + 1
        return least, most

    def _escape(self) -> str:
        letter = self._take()
        if letter in _ESCAPES:
            return _ESCAPES[letter]
        if letter == "x":
            return self._hexadecimal()
        if letter in "01234567":
            digits = letter
            while len(digits) < 3 and self._peek() and self._peek() in "01234567":
                digits += self._take()
            if letter != "0" and len(digits) == 1:
                raise self._error(f"there is no `\\{letter}` here")
            return chr(int(digits, 8))
        if letter.isascii() and not letter.isalnum():
            return letter
        raise self._error(f"there is no `\\{letter}` here")

    def _hexadecimal(self) -> str:
        if self._peek() == "{":
            end = self._pattern.find("}", self._at)
            digits = self._pattern[self._at + 1 : end] if end > 0 else ""
            self._at = end + 1
        else:
            digits = self._pattern[self._at : self._at + 2]
            self._at += 2
            if len(digits) != 2:
                raise self._error("`\\x` takes two digits")
        if not digits or len(digits) > 6 or set(digits) - set(string.hexdigits) or int(digits, 16) > 0x10FFFF:
            raise self._error("`\\x` takes two digits, or some in braces")
        return chr(int(digits, 16))

    def _choice(self) -> _Choice:
        """What stands in `[…]`; a negated one gives printable ASCII."""
        negated = self._peek() == "^"
        self._at += negated
        ranges: list[tuple[int, int]] = []
        first = True
        while first or self._peek() != "]":
            first = False
            if self._pattern.startswith("[:", self._at):
                ranges += self._named()
                continue
            low = high = self._member()
            if self._peek() == "-" and self._pattern[self._at + 1 : self._at + 2] not in ("]", ""):
                self._at += 1
                high = self._member()
            if high < low:
                raise self._error("a range ends before it begins")
            ranges.append((low, high))
        self._at += 1
        return _Choice(self._merged(ranges, negated=negated))

    def _member(self) -> int:
        letter = self._take()
        return ord(self._escape() if letter == "\\" else letter)

    def _named(self) -> list[tuple[int, int]]:
        end = self._pattern.find(":]", self._at + 2)
        name = self._pattern[self._at + 2 : end] if end > 0 else ""
        members = _CLASSES.get(name.removeprefix("^"))
        if members is None:
            raise self._error("no class of that name")
        self._at = end + 2
        chosen = set(_PRINTABLE) - set(members) if name.startswith("^") else set(members)
        return [(ord(letter), ord(letter)) for letter in sorted(chosen)]

    def _merged(self, ranges: list[tuple[int, int]], *, negated: bool) -> tuple[tuple[int, int], ...]:
        """Ranges without overlap, so that each character is as likely as another."""
        if negated:
            left = [ord(letter) for letter in _PRINTABLE if not any(low <= ord(letter) <= high for low, high in ranges)]
            if not left:
                raise self._error("the class leaves no printable character")
            return tuple((code, code) for code in left)
        merged: list[tuple[int, int]] = []
        for low, high in sorted(ranges):
            if merged and low <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
            else:
                merged.append((low, high))
        return tuple(merged)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 4
