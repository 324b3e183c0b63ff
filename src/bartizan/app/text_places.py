"""Where a character of a text stands in the YAML that the text was read from: in a block, a quoted or a plain scalar.

YAML folds lines, strips indentation and escapes characters, but it never
changes the order of what is no space; so both are read side by side.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bartizan.base.location import Location
from bartizan.base.pointer import resolve, split

if TYPE_CHECKING:
    from bartizan.base.errors import SpecError
    from bartizan.base.json import Json
    from bartizan.model.resource import Lines

_HEAD: Final = re.compile(r"\s*(?:[&!]\S*\s+)*(?:[|>][-+0-9]*[ \t]*(?:#[^\n]*)?\n|\"|')?")
_MOST_LINES: Final = 400  # a text of more is pointed to by its key
_SPACES: Final = ("n", "t", "r", " ", "\n")
"""What stands behind a backslash for a space, or for the end of a line that is none."""


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


def place_of(error: SpecError, body: Json, lines: Lines) -> Location:
    """Where an error stands in a document; of one in an expression, the part that it is about."""
    if not error.column:
        return lines.locate(error.pointer)
    try:
        text = resolve(body, error.pointer)
    except LookupError:
        text = None
    return (
        place_in(lines, error.pointer, text, error.column - 1) if isinstance(text, str) else lines.locate(error.pointer)
    )


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
            continue
        start = _past_spaces(raw, at, quote)
        at = _past(raw, start, letter, quote)
        if at < 0:
            return None
        if number >= begins:
            return start
    return at  # behind its end, where an expression ends too early


def _past_spaces(raw: str, at: int, quote: str) -> int:
    """The place of the next character that is no space; within double quotes some spaces are escaped."""
    while at < len(raw):
        if raw[at].isspace():
            at += 1
        elif quote == '"' and raw[at] == "\\" and raw[at + 1 : at + 2] in _SPACES:
            at += 2
        else:
            break
    return at


def _past(raw: str, at: int, letter: str, quote: str) -> int:
    """The place after a character, as it is written within quotes; -1 where another stands there."""
    if quote == '"' and raw.startswith("\\", at):
        return at + 2 if raw[at + 1 : at + 2] == letter else -1
    if quote == "'" and raw.startswith("''", at):
        return at + 2 if letter == "'" else -1
    return at + 1 if raw.startswith(letter, at) else -1
