"""Text from outside, made harmless for where it is going, and fitted to a width.

Names and messages come from manifests and policies that nobody has read
yet. A control character in them could repaint a terminal, a direction
override could hide what a line says, a lone surrogate breaks every encoder.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from bartizan.model.finding import RuleId

_HIDDEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_NOT_XML: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_REPLACEMENT: Final = "\ufffd"
_CONTROL_PICTURES: Final = 0x2400  # `␀`, followed by a picture for each of the 32
_DELETE: Final = 0x7F


def printable(text: str) -> str:
    """Show on one line what would act on a terminal: escape becomes `␛`, others `�`; a tab becomes a space."""
    return text if text.isprintable() else _HIDDEN.sub(_picture, text.replace("\t", " "))


def _picture(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < ord(" "):
        return chr(_CONTROL_PICTURES + code)
    return "\u2421" if code == _DELETE else _REPLACEMENT


def one_line(text: str) -> str:
    """Fold a text of several lines into one, harmless."""
    return printable(" ".join(text.split()) if not text.isprintable() else text)


def encodable(text: str) -> str:
    """Replace lone surrogates, which no encoder takes."""
    return text if text.isascii() else _SURROGATE.sub(_REPLACEMENT, text)


def xml_characters(text: str) -> str:
    """Replace what XML 1.0 cannot hold, even escaped, and what it discourages (its section 2.2)."""
    return text if text.isprintable() else _NOT_XML.sub(_REPLACEMENT, text)


def to_json(value: Any) -> str:
    """Write JSON on one line, keys as they come."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # a lone surrogate somewhere; looking first would cost every report
        return orjson.dumps(_encodable_tree(value)).decode()


def _encodable_tree(value: Any) -> Any:
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return {encodable(key): _encodable_tree(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encodable_tree(item) for item in value]
    return value


def columns(text: str) -> int:
    """How many terminal columns a text takes: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def clip(text: str, width: int) -> str:
    """Cut a text to `width` columns, with an ellipsis where something was cut."""
    if columns(text) <= width:
        return text
    kept, used = [], 1
    for char in text:
        used += columns(char)
        if used > width:
            break
        kept.append(char)
    return f"{''.join(kept)}…"


@lru_cache(maxsize=4096)  # a rule says the same of a thousand resources
def wrap(text: str, width: int) -> tuple[str, ...]:
    """Break a text into harmless lines of at most `width` columns, keeping its own line breaks."""
    return tuple(line for part in text.strip().splitlines() for line in _wrap_line(printable(part.rstrip()), width))


def _wrap_line(text: str, width: int) -> list[str]:
    if columns(text) <= width:
        return [text]
    lines: list[str] = []
    line, used = "", 0
    for word in text.split():
        size = columns(word)
        if line and used + 1 + size > width:
            lines.append(line)
            line, used = "", 0
        line, used = (f"{line} {word}", used + 1 + size) if line else (word, size)
    return [*lines, line]


def plural(number: int, noun: str) -> str:
    """Write a number with its noun: `1 finding`, `2 findings`, `1,024 policies`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {f'{noun[:-1]}ies' if noun.endswith('y') else f'{noun}s'}"


def rule_name(rule: RuleId) -> str:
    """The name of a rule, harmless."""
    return printable(str(rule))
