"""Where a character of a text stands in the YAML that the text was read from: in a block, a quoted or a plain scalar.

YAML folds lines, strips indentation and escapes characters, but it never
changes the order of what is no space; so both are read side by side.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bartizan.base.location import Location
from bartizan.base.pointer import split

if TYPE_CHECKING:
    from bartizan.model.resource import Lines

_HEAD: Final = re.compile(r"\s*(?:[&!]\S*\s+)*(?:[|>][-+0-9]*[ \t]*(?:#[^\n]*)?\n|\"|')?")
_MOST_LINES: Final = 400  # a text of more is pointed to by its key
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r"}


def place_in(lines: Lines, pointer: str, text: str, begins: int) -> Location:
    """Where character `begins` of the text at `pointer` stands; where that cannot be told, where its key does."""
    key = lines.locate(pointer)
    if begins < 0 or not key.line:
        return key
    raw, starts = _below(lines, key, text)
    at = _after_key(raw, split(pointer)[-1] if pointer else "")
    found = _aligned(raw, at, text, begins)
    if found is None:
        return key
    number = max(index for index, start in enumerate(starts) if start <= found)
    column = found - starts[number] + (key.column if number == 0 else 1)
    return Location(key.file, key.line + number, column)


def _below(lines: Lines, key: Location, text: str) -> tuple[str, list[int]]:
    """The file from a key on, as far as its value may go, and where each line of it begins."""
    starts, found, at = [], [], 0
    most = min(text.count("\n") + text.count(" ") + 3, _MOST_LINES)
    for number in range(key.line, key.line + most):
        line = lines.quote(number)
        line = line[max(key.column - 1, 0) :] if number == key.line else line
        starts.append(at)
        found.append(line)
        at += len(line) + 1
    return "\n".join(found), starts


def _after_key(raw: str, name: str) -> int:
    """Where the value begins; an element of a list has no key."""
    key = re.match(r"(\"[^\"\n]*\"|'[^'\n]*'|[^\s:]+)\s*:(?=\s|$)", raw)
    named = key is not None and key[1].strip("\"'") == name
    head = _HEAD.match(raw, key.end() if key and named else 0)
    return head.end() if head else 0


def _aligned(raw: str, at: int, text: str, begins: int) -> int | None:
    """The place in `raw` of a character of `text`, or of the next that is no space."""
    quote = raw[at - 1 : at] if raw[at - 1 : at] in ("'", '"') else ""
    for number, letter in enumerate(text):
        if letter.isspace():
            at = _past_escaped_space(raw, at) if quote == '"' else at
            continue
        while at < len(raw) and raw[at].isspace():
            at += 1
        start, at = at, _past(raw, at, letter, quote)
        if at < 0:
            return None
        if number >= begins:
            return start
    return at  # behind its end, where an expression ends too early


def _past(raw: str, at: int, letter: str, quote: str) -> int:
    """The place after a character, as it is written within quotes; -1 where another stands there."""
    if quote == '"' and raw.startswith("\\", at):
        if raw.startswith("\\\n", at):
            return _past(raw, at + 2 + len(raw[at + 2 :]) - len(raw[at + 2 :].lstrip()), letter, quote)
        return at + 2 if raw[at + 1 : at + 2] == letter else -1
    if quote == "'" and raw.startswith("''", at):
        return at + 2 if letter == "'" else -1
    return at + 1 if raw.startswith(letter, at) else -1


def _past_escaped_space(raw: str, at: int) -> int:
    return at + 2 if raw[at : at + 1] == "\\" and raw[at + 1 : at + 2] in _ESCAPES else at
