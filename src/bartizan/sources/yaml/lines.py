"""Where the keys of a document stand, found when somebody asks.

The fast road leaves a list of line numbers in reading order, which costs
next to nothing and is put together with the document only here. What it did
not read is read a second time by the exact one, with marks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.base.errors import SpecError
from bartizan.base.location import Location
from bartizan.sources.yaml.blocks import FLOW
from bartizan.sources.yaml.events import Marks, parse_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bartizan.base.json import Json

_UNKNOWN = -1  # a column to be read off the line when it is wanted


class DocumentLines:
    """The line map of one document; `prefix` is a pointer from the document to the resource in it."""

    __slots__ = ("_body", "_lines", "_marks", "_numbers", "_places", "_text", "file", "offset", "prefix")

    def __init__(
        self, text: str, file: str, offset: int, body: Json = None, numbers: Sequence[int] = (), prefix: str = ""
    ) -> None:
        self._text = text
        self._body = body
        self._numbers = numbers
        self.file = file
        self.offset = offset
        self.prefix = prefix
        self._marks: Marks | None = None
        self._lines: list[str] | None = None
        self._places: dict[str, Location] = {}

    def below(self, prefix: str) -> DocumentLines:
        """The line map of a part of the document."""
        marks = self._read()
        lines = DocumentLines(self._text, self.file, self.offset, self._body, self._numbers, self.prefix + prefix)
        lines._marks = marks
        return lines

    def locate(self, pointer: str) -> Location:
        """Where the key at `pointer` stands, or the nearest one above it that is there."""
        known = self._places.get(pointer)
        if known is None:
            known = self._places[pointer] = self._find(pointer)
        return known

    def _find(self, pointer: str) -> Location:
        marks = self._read()
        value: Json = marks.root
        place: tuple[int, int] | None = None
        last: str | int = ""
        table = marks.table
        for part in (self.prefix + pointer).split("/")[1:]:
            step: str | int
            if value.__class__ is list:
                step = int(part) if part.isdecimal() else part
            else:
                step = part.replace("~1", "/").replace("~0", "~") if "~" in part else part
            steps = table.get(id(value))
            found = steps.get(step) if steps else None
            if found is None:
                break
            place, last, value = found, step, value[step]
        if place is None:
            return self._first_line()
        line, column = place
        return Location(self.file, line + 1 + self.offset, (self._column(line, last) if column < 0 else column) + 1)

    @property
    def text(self) -> str:
        """The document as written."""
        return self._text

    def quote(self, line: int) -> str:
        """The text of one line of the file; empty where it is not in this document."""
        if self._lines is None:
            self._lines = self._text.split("\n")
        index = line - 1 - self.offset
        return self._lines[index].rstrip("\r") if 0 <= index < len(self._lines) else ""

    def _column(self, line: int, step: str | int) -> int:
        """Where a key begins in its line, or an element after its dash."""
        text = self.quote(line + 1 + self.offset)
        start = len(text) - len(text.lstrip(" "))
        if isinstance(step, int) and text[start : start + 1] == "-":
            rest = text[start + 1 :]
            return start + 1 + len(rest) - len(rest.lstrip(" "))
        return max(start, text.find(f"{step}:")) if isinstance(step, str) else start

    def _read(self) -> Marks:
        if self._marks is None:
            self._marks = self._from_numbers() if self._numbers else self._from_events()
        return self._marks

    def _from_numbers(self) -> Marks:
        marks = Marks()
        marks.root = self._body
        _place(self._body, marks, self._numbers, 0)
        return marks

    def _from_events(self) -> Marks:
        marks = Marks()
        try:
            parse_events(self._text, self.file, self.offset, marks)
        except SpecError:
            return Marks()  # JSON that is no YAML: the document is known by its first line
        return marks

    def _first_line(self) -> Location:
        """The first line that says something."""
        for number, line in enumerate(self._text.split("\n")):
            if line.strip() and not line.startswith(("#", "---")):
                return Location(self.file, number + 1 + self.offset, len(line) - len(line.lstrip()) + 1)
        return Location(self.file, 1 + self.offset)


def _place(value: Json, marks: Marks, numbers: Sequence[int], at: int) -> int:
    """Give the keys below `value` their lines, in reading order; returns how many numbers are used up."""
    table: dict[str | int, tuple[int, int]] = {}
    marks.table[id(value)] = table
    for step, item in value.items() if isinstance(value, dict) else enumerate(value):
        table[step] = (numbers[at], _UNKNOWN)
        at += 1
        if item.__class__ is dict or item.__class__ is list:
            if at < len(numbers) and numbers[at] == FLOW:
                at += 1
            else:
                at = _place(item, marks, numbers, at)
    return at
