"""Where the keys of a document stand, found when somebody asks.

The fast road leaves a list of line numbers in reading order, which costs
next to nothing and is put together with the document only here. What it did
not read is read a second time by the exact one, with marks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from bartizan.base.errors import SpecError
from bartizan.base.location import Location
from bartizan.base.pointer import escape
from bartizan.sources.yaml.blocks import FLOW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bartizan.base.json import Json
    from bartizan.sources.yaml.events import Marks

_Place: TypeAlias = "tuple[int, int, dict[str, _Place] | None]"
"""Line and column, from 0, and the places below, by escaped step."""
_UNKNOWN = -1  # a column to be read off the line when it is wanted


class DocumentLines:
    """The line map of one document; `prefix` is a pointer from the document to the resource in it."""

    __slots__ = ("_body", "_lines", "_numbers", "_places", "_text", "_tree", "file", "offset", "prefix")

    def __init__(
        self, text: str, file: str, offset: int, body: Json = None, numbers: Sequence[int] = (), prefix: str = ""
    ) -> None:
        self._text = text
        self._body = body
        self._numbers = numbers
        self.file = file
        self.offset = offset
        self.prefix = prefix
        self._tree: dict[str, _Place] | None = None
        self._lines: list[str] | None = None
        self._places: dict[str, Location] = {}

    def below(self, prefix: str) -> DocumentLines:
        """The line map of a part of the document."""
        tree = self._read()
        lines = DocumentLines(self._text, self.file, self.offset, self._body, self._numbers, self.prefix + prefix)
        lines._tree = tree
        return lines

    def locate(self, pointer: str) -> Location:
        """Where the key at `pointer` stands, or the nearest one above it that is there."""
        known = self._places.get(pointer)
        if known is None:
            known = self._places[pointer] = self._find(pointer)
        return known

    def _find(self, pointer: str) -> Location:
        place: _Place | None = None
        steps: dict[str, _Place] | None = self._read()
        last = ""
        for part in (self.prefix + pointer).split("/")[1:]:
            found = steps.get(part) if steps else None
            if found is None:
                break
            place, last, steps = found, part, found[2]
        if place is None:
            return self._first_line()
        line, column, _ = place
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

    def _column(self, line: int, step: str) -> int:
        """Where a key begins in its line, or an element after its dash."""
        text = self.quote(line + 1 + self.offset)
        start = len(text) - len(text.lstrip(" "))
        if step.isdecimal() and text[start : start + 1] == "-":
            rest = text[start + 1 :]
            return start + 1 + len(rest) - len(rest.lstrip(" "))
        return max(start, text.find(f"{step.replace('~1', '/')}:"))

    def _read(self) -> dict[str, _Place]:
        if self._tree is None:
            if self._numbers:
                self._tree, _ = _place(self._body, self._numbers, 0)
            else:
                self._tree = self._from_events()
        return self._tree

    def _from_events(self) -> dict[str, _Place]:
        from bartizan.sources.yaml.events import Marks, parse_events  # late: libyaml is for what the fast road leaves

        marks = Marks()
        try:
            parse_events(self._text, self.file, self.offset, marks)
        except SpecError:
            return {}  # JSON that is no YAML: the document is known by its first line
        return _marked(marks.root, marks, set())

    def _first_line(self) -> Location:
        """The first line that says something."""
        for number, line in enumerate(self._text.split("\n")):
            if line.strip() and not line.startswith(("#", "---")):
                return Location(self.file, number + 1 + self.offset, len(line) - len(line.lstrip()) + 1)
        return Location(self.file, 1 + self.offset)


def _place(value: Json, numbers: Sequence[int], at: int) -> tuple[dict[str, _Place], int]:
    """The places of the keys below `value`, in reading order, and how many numbers are used up."""
    steps: dict[str, _Place] = {}
    for step, item in value.items() if isinstance(value, dict) else enumerate(value):
        line = numbers[at]
        at += 1
        below = None
        if item.__class__ is dict or item.__class__ is list:
            if at < len(numbers) and numbers[at] == FLOW:
                at += 1
            else:
                below, at = _place(item, numbers, at)
        steps[escape(step) if step.__class__ is str else str(step)] = (line, _UNKNOWN, below)
    return steps, at


def _marked(value: Json, marks: Marks, above: set[int]) -> dict[str, _Place]:
    """The same from marks; a value that an alias puts inside itself is not followed again."""
    steps: dict[str, _Place] = {}
    places = marks.table.get(id(value), {})
    inside = above | {id(value)}
    for step, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        place = places.get(step)
        if place is not None:
            below = _marked(item, marks, inside) if isinstance(item, dict | list) and id(item) not in inside else None
            steps[escape(str(step))] = (*place, below)
    return steps
