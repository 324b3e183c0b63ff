"""The strings extension: places are counted in characters, and only ASCII letters change case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.lang.cel.declare import Overload
from bartizan.lang.cel.errors import CelError, no_such_overload
from bartizan.lang.cel.library.formatting import format_text
from bartizan.lang.cel.operators import sized
from bartizan.lang.cel.types import DYN, INT, STRING, Type, list_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TEXTS: Final = list_of(STRING)
_UPPER: Final = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}
_LOWER: Final = {code - 32: code for code in _UPPER}
_BLANKS: Final = (
    "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What Unicode calls white space, which is less than Python strips."""
_QUOTED: Final = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    '"': '\\"',
}


def _out_of_range(place: int) -> CelError:
    return CelError(f"index out of range: {place}")


def _char_at(text: str, place: int) -> str:
    if not 0 <= place <= len(text):
        raise _out_of_range(place)
    return text[place : place + 1]


def _index_of(text: str, part: str, start: int = 0) -> int:
    if not 0 <= start <= len(text) and part:
        raise _out_of_range(start)
    return text.find(part, start) if part else start


def _last_index_of(text: str, part: str, start: int | None = None) -> int:
    if not part:
        return len(text) if start is None else start
    if start is None:
        return text.rfind(part)
    if not 0 <= start <= len(text):
        raise _out_of_range(start)
    return text.rfind(part, 0, start + len(part))


def index_of(text: str, part: str, start: int = 0) -> int:
    """Where a part begins, in an older edition: -1 for a start that is behind the text."""
    return -1 if start >= len(text) and part else _index_of(text, part, start)


def last_index_of(text: str, part: str, start: int | None = None) -> int:
    """Where a part begins last, in an older edition: -1 for a start that is behind the text."""
    return -1 if start is not None and start >= len(text) and part else _last_index_of(text, part, start)


def join(items: list[Any], separator: str = "") -> str:
    """The texts of a list, one behind the other."""
    if any(item.__class__ is not str for item in items):
        raise no_such_overload()
    sized(range(sum(map(len, items)) + len(separator) * len(items)))
    return separator.join(items)


def _replace(text: str, old: str, new: str, count: int = -1) -> str:
    places = text.count(old) if count < 0 else min(count, text.count(old))
    sized(range(max(0, len(text) + places * (len(new) - len(old)))))
    return text.replace(old, new, count if count >= 0 else -1)


def _split(text: str, separator: str, count: int = -1) -> list[str]:
    if count == 0:
        return []
    if separator:
        return text.split(separator, count - 1 if count > 0 else -1)
    if count < 0 or count > len(text):
        return list(text)
    return [*text[: count - 1], text[count - 1 :]]


def _substring(text: str, start: int, end: int | None = None) -> str:
    if end is None:
        end = len(text)
        if not 0 <= start <= end:
            raise _out_of_range(start)
    if start > end:
        raise CelError(f"invalid substring range. start: {start}, end: {end}")
    for place in (start, end):
        if not 0 <= place <= len(text):
            raise _out_of_range(place)
    return text[start:end]


def _quote(text: str) -> str:
    return f'"{"".join(_QUOTED.get(char, char) for char in text)}"'


def _member(*parameters: Type, gives: Type, by: Callable[..., Any], grows: bool = False) -> Overload:
    return Overload(parameters, gives, by, member=True, grows=grows)


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "charAt": (_member(STRING, INT, gives=STRING, by=_char_at),),
    "indexOf": (
        _member(STRING, STRING, gives=INT, by=_index_of),
        _member(STRING, STRING, INT, gives=INT, by=_index_of),
    ),
    "lastIndexOf": (
        _member(STRING, STRING, gives=INT, by=_last_index_of),
        _member(STRING, STRING, INT, gives=INT, by=_last_index_of),
    ),
    "join": (
        _member(_TEXTS, gives=STRING, by=join, grows=True),
        _member(_TEXTS, STRING, gives=STRING, by=join, grows=True),
    ),
    "replace": (
        _member(STRING, STRING, STRING, gives=STRING, by=_replace, grows=True),
        _member(STRING, STRING, STRING, INT, gives=STRING, by=_replace, grows=True),
    ),
    "split": (
        _member(STRING, STRING, gives=_TEXTS, by=_split, grows=True),
        _member(STRING, STRING, INT, gives=_TEXTS, by=_split, grows=True),
    ),
    "substring": (
        _member(STRING, INT, gives=STRING, by=_substring),
        _member(STRING, INT, INT, gives=STRING, by=_substring),
    ),
    "lowerAscii": (_member(STRING, gives=STRING, by=lambda text: text.translate(_LOWER), grows=True),),
    "upperAscii": (_member(STRING, gives=STRING, by=lambda text: text.translate(_UPPER), grows=True),),
    "trim": (_member(STRING, gives=STRING, by=lambda text: text.strip(_BLANKS)),),
    "reverse": (_member(STRING, gives=STRING, by=lambda text: text[::-1], grows=True),),
    "format": (_member(STRING, list_of(DYN), gives=STRING, by=format_text, grows=True),),
    "strings.quote": (Overload((STRING,), STRING, _quote, grows=True),),
}
