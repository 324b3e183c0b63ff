"""The regular expressions extension: `regex.replace`, `regex.extract` and `regex.extractAll`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from bartizan.lang.cel.declare import Overload
from bartizan.lang.cel.errors import CelError
from bartizan.lang.cel.library.standard import regex
from bartizan.lang.cel.types import INT, STRING, list_of, optional_of
from bartizan.lang.cel.values import NONE, Optional

if TYPE_CHECKING:
    from collections.abc import Mapping

_REFERENCE: Final = re.compile(r"\\(.?)", re.DOTALL)


def _replace(text: str, pattern: str, replacement: str, count: int = -1) -> str:
    """Put `replacement`, in which a backslash and a digit are a group, in place of `count` matches, or of all."""
    if count == 0:
        return text
    parts: list[str] = []
    end = 0
    for number, match in enumerate(regex(pattern).finditer(text)):
        if 0 < count <= number:
            break
        parts += [text[end : match.start()], _filled(replacement, match)]
        end = match.end()
    return "".join([*parts, text[end:]])


def _filled(replacement: str, match: Any) -> str:
    groups = match.groups()

    def group(found: re.Match[str]) -> str:
        sign = found[1]
        if sign == "\\":
            return "\\"
        if not sign:
            raise CelError(f"invalid replacement string: '{replacement}' \\ not allowed at end")
        if not sign.isascii() or not sign.isdecimal():
            raise CelError(f"invalid replacement string: '{replacement}' \\ must be followed by a digit or \\")
        number = int(sign)
        if number > len(groups):
            raise CelError(f"replacement string references group {number} but regex has only {len(groups)} group(s)")
        return str(match.group(number) or "")

    return _REFERENCE.sub(group, replacement)


def _one_group(pattern: str) -> Any:
    compiled = regex(pattern)
    if compiled.groups > 1:
        raise CelError(f'regular expression has more than one capturing group: "{pattern}"')
    return compiled


def _extract(text: str, pattern: str) -> Optional:
    """What the group of the first match holds, or the match where there is no group."""
    compiled = _one_group(pattern)
    match = compiled.search(text)
    if match is None:
        return NONE
    if not compiled.groups:
        return Optional(match.group(0))
    return Optional(match.group(1)) if match.group(1) else NONE


def _extract_all(text: str, pattern: str) -> list[str]:
    compiled = _one_group(pattern)
    if not compiled.groups:
        return [match.group(0) for match in compiled.finditer(text)]
    return [match.group(1) for match in compiled.finditer(text) if match.group(1)]


_TEXTS: Final = (STRING, STRING, STRING)
FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "regex.replace": (
        Overload(_TEXTS, STRING, _replace, grows=True),
        Overload((*_TEXTS, INT), STRING, _replace, grows=True),
    ),
    "regex.extract": (Overload((STRING, STRING), optional_of(STRING), _extract),),
    "regex.extractAll": (Overload((STRING, STRING), list_of(STRING), _extract_all, grows=True),),
}
