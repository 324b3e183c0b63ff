r"""Globs of image references, in the dialect that Kyverno has for them.

`*` and `**` are any run of characters, slashes too; `?` is one character;
`[abc]`, `[a-z]` and `[!a-z]` are one of some; `{a,b*}` is one of some
patterns, which may nest; `\` takes the next character as it stands.

Source: the grammar of `github.com/gobwas/glob`, with no separators.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NoReturn

from bartizan.base.errors import SpecError
from bartizan.base.regex import compile_regex

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_CHARS: Final = 4096
_MAX_NESTING: Final = 32
_HINT: Final = "Write `*` for any text, `?` for one character, `[a-z]` for one of some, `{a,b}` for one of several."
_ALWAYS: Final = {"*": ".*", "?": ".", "{": "(?:"}
_WITHIN: Final = {",": "|", "}": ")"}
_DEEPER: Final = {"{": 1, "}": -1}
_SPECIAL: Final = frozenset(r"\.+*?()|[]{}^$-")


@lru_cache(maxsize=1024)
def compile_glob(pattern: str) -> Callable[[str], bool]:
    """Compile a glob to a test of a whole text.

    Raises:
        SpecError: the pattern is malformed.
    """
    if len(pattern) > _MAX_CHARS:
        raise SpecError(f"a glob of {len(pattern)} characters", hint=f"At most {_MAX_CHARS} are read.")
    expression = compile_regex(rf"(?s)\A(?:{_translated(pattern)})\z")
    return lambda text: expression.search(text) is not None


def _translated(pattern: str) -> str:
    made: list[str] = []
    depth = at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "[":
            text, at = _one_of(pattern, at)
        elif char == "\\":
            text, at = _literal(pattern[at : at + 1]), at + 1
        elif char in _ALWAYS or (depth and char in _WITHIN):
            text = _ALWAYS.get(char) or _WITHIN[char]
            depth += _DEEPER.get(char, 0)
        else:
            text = _literal(char)
        if depth > _MAX_NESTING:
            _fail(pattern, "nests too deep")
        made.append(text)
    if depth:
        _fail(pattern, "has a `{` without its `}`")
    return "".join(made)


def _one_of(pattern: str, at: int) -> tuple[str, int]:
    """A class of characters that begins at `at`, and where the pattern goes on."""
    inverted = pattern.startswith("!", at)
    at += inverted
    sign = "^" if inverted else ""
    if pattern[at + 1 : at + 2] == "-":
        low, high = pattern[at], pattern[at + 2 : at + 3]
        if pattern[at + 3 : at + 4] != "]" or high < low:
            _fail(pattern, "has a malformed range")
        return f"[{sign}{_literal(low)}-{_literal(high)}]", at + 4
    chars: list[str] = []
    while at < len(pattern) and pattern[at] != "]":
        at += pattern[at] == "\\"
        chars.append(_literal(pattern[at : at + 1]))
        at += 1
    if at >= len(pattern) or not any(chars):
        _fail(pattern, "has a malformed class")
    return f"[{sign}{''.join(chars)}]", at + 1


def _literal(char: str) -> str:
    return f"\\{char}" if char in _SPECIAL and char else char


def _fail(pattern: str, what: str) -> NoReturn:
    raise SpecError(f"glob `{pattern[:200]}` {what}", hint=_HINT)
