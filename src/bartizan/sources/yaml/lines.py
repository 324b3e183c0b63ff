"""Where the keys of a document stand, found when somebody asks.

Most documents have no finding, and theirs is never built. The others are
read a second time, with marks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.base import pointer as pointers
from bartizan.base.errors import SpecError
from bartizan.base.location import Location
from bartizan.sources.yaml.events import Marks, parse_events

if TYPE_CHECKING:
    from bartizan.base.json import Json


class DocumentLines:
    """The line map of one document; `prefix` is a pointer from the document to the resource in it."""

    __slots__ = ("_marks", "_text", "file", "offset", "prefix")

    def __init__(self, text: str, file: str, offset: int, prefix: str = "") -> None:
        self._text = text
        self.file = file
        self.offset = offset
        self.prefix = prefix
        self._marks: Marks | None = None

    def below(self, prefix: str) -> DocumentLines:
        """The line map of a part of the document."""
        lines = DocumentLines(self._text, self.file, self.offset, self.prefix + prefix)
        lines._marks = self._read()  # noqa: SLF001 (another of this class, which shares the marks)
        return lines

    def locate(self, pointer: str) -> Location:
        """Where the key at `pointer` stands, or the nearest one above it that is there."""
        marks = self._read()
        value: Json = marks.root
        found = self._first_line()
        for part in pointers.split(self.prefix + pointer):
            step: str | int = int(part) if isinstance(value, list) and part.isdecimal() else part
            place = marks.table.get(id(value), {}).get(step)
            if place is None:
                break
            found = Location(self.file, place[0] + 1 + self.offset, place[1] + 1)
            value = value[step]
        return found

    def quote(self, line: int) -> str:
        """The text of one line of the file; empty where it is not in this document."""
        lines = self._text.split("\n")
        index = line - 1 - self.offset
        return lines[index].rstrip("\r") if 0 <= index < len(lines) else ""

    def _read(self) -> Marks:
        if self._marks is None:
            marks = Marks()
            try:
                parse_events(self._text, self.file, self.offset, marks)
            except SpecError:
                marks = Marks()  # it was read once without error; a line is not worth failing for now
            self._marks = marks
        return self._marks

    def _first_line(self) -> Location:
        """The first line that says something."""
        for number, line in enumerate(self._text.split("\n")):
            if line.strip() and not line.startswith(("#", "---")):
                return Location(self.file, number + 1 + self.offset, len(line) - len(line.lstrip()) + 1)
        return Location(self.file, 1 + self.offset)
