"""Any YAML document, from libyaml's events: the exact road, for whatever the fast one does not take.

It can note where each key and element stands on the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml
from yaml import events as ev
from yaml.cyaml import CParser  # type: ignore[attr-defined]  # the stubs leave the C parser out

from bartizan.base.errors import SpecError
from bartizan.base.location import Location
from bartizan.sources.yaml.blocks import MAX_DEPTH
from bartizan.sources.yaml.scalars import ScalarError, key_text, resolve, tagged

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.base.json import Json

MAX_NODES: Final = 2_000_000
"""Nodes of one document with its aliases written out: an alias bomb stops here."""
_MERGE: Final = "<<"


class _Merge:
    """The key `<<`, until its map is complete."""


class Marks:
    """Where things stand: for each container, by identity, the (line, column) of its keys or elements."""

    __slots__ = ("root", "table")

    def __init__(self) -> None:
        self.table: dict[int, dict[str | int, tuple[int, int]]] = {}
        self.root: Json = None

    def note(self, container: Any, key: str | int, mark: Any) -> None:
        """Remember a place; lines and columns count from 0 here."""
        self.table.setdefault(id(container), {})[key] = (mark.line, mark.column)


def parse_events(text: str | bytes, file: str, line_offset: int, marks: Marks | None = None) -> Json:
    """Read one document; null where it is empty.

    Raises:
        SpecError: it is not YAML, or not what Kubernetes takes; the error has the place.
    """
    return _Builder(text, file, line_offset, marks).document()


class _Builder:
    """One document being read."""

    def __init__(self, text: str | bytes, file: str, line_offset: int, marks: Marks | None) -> None:
        self._file = file
        self._offset = line_offset
        self._marks = marks
        self._anchors: dict[str, tuple[Json, int]] = {}
        self._nodes = 0
        self._depth = 0
        self._text = text

    def document(self) -> Json:
        try:
            parser = CParser(self._text)
            self._next: Callable[[], Any] = parser.get_event
            return self._read()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise self._error(str(error.problem or error.context), mark, _advice(str(error.problem))) from error
        except yaml.reader.ReaderError as error:
            raise SpecError(
                f"not text: {error.reason} at byte {error.position}",
                at=Location(self._file),
                hint="Save the file as UTF-8, without control characters.",
            ) from error

    def _read(self) -> Json:
        event = self._next()
        while not isinstance(event, ev.NodeEvent):
            if isinstance(event, ev.StreamEndEvent):
                return None
            event = self._next()
        value = self._node(event)
        after = self._next()
        while isinstance(after, ev.DocumentEndEvent):
            after = self._next()
        if not isinstance(after, ev.StreamEndEvent):
            raise self._error("a second document begins without `---`", after.start_mark, "Put `---` between them.")
        if self._marks:
            self._marks.root = value
        return value

    def _error(self, problem: str, mark: Any, hint: str = "") -> SpecError:
        at = Location(self._file, mark.line + 1 + self._offset, mark.column + 1) if mark else Location(self._file)
        return SpecError(problem, at=at, hint=hint)

    def _node(self, event: Any) -> Json:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            hint = "Write the values out, or split the document."
            raise self._error(f"more than {MAX_NODES} nodes, aliases written out", event.start_mark, hint)
        kind = event.__class__
        if kind is ev.ScalarEvent:
            return self._scalar(event)
        if kind is ev.AliasEvent:
            return self._alias(event)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(f"nests deeper than {MAX_DEPTH} levels", event.start_mark, "Flatten the document.")
        before = self._nodes
        value = self._mapping(event) if kind is ev.MappingStartEvent else self._sequence(event)
        self._depth -= 1
        if event.anchor:
            self._anchors[event.anchor] = (value, self._nodes - before + 1)
        return value

    def _scalar(self, event: Any) -> Json:
        try:
            if event.tag is not None and event.tag != "!":
                value = tagged(event.tag, event.value)
            else:
                value = resolve(event.value) if event.implicit[0] else event.value
        except ScalarError as error:
            raise self._error(str(error), event.start_mark, "Write it as text in quotes.") from error
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)
        return value

    def _alias(self, event: Any) -> Json:
        found = self._anchors.get(event.anchor)
        if found is None:
            hint = "Define it before, as `&name`, and not inside itself."
            raise self._error(f"unknown alias `*{event.anchor}`", event.start_mark, hint)
        self._nodes += found[1]
        return found[0]

    def _sequence(self, start: Any) -> list[Json]:
        items: list[Json] = []
        if start.anchor:
            self._anchors.pop(start.anchor, None)
        while True:
            event = self._next()
            if event.__class__ is ev.SequenceEndEvent:
                return items
            if self._marks:
                self._marks.note(items, len(items), event.start_mark)
            items.append(self._node(event))

    def _mapping(self, start: Any) -> dict[str, Json]:
        body: dict[str, Json] = {}
        merges: list[tuple[Json, Any]] = []
        if start.anchor:
            self._anchors.pop(start.anchor, None)
        while True:
            event = self._next()
            if event.__class__ is ev.MappingEndEvent:
                break
            key = self._key(event)
            value = self._node(self._next())
            if key is _Merge:
                merges.append((value, event.start_mark))
                continue
            if key in body:
                hint = "Keep one of the two; Kubernetes would silently drop the first."
                raise self._error(f"duplicate key `{key}`", event.start_mark, hint)
            if self._marks:
                self._marks.note(body, key, event.start_mark)
            body[key] = value
        for value, mark in merges:
            self._merge(body, value, mark)
        return body

    def _key(self, event: Any) -> Any:
        if event.__class__ is ev.ScalarEvent and event.value == _MERGE and event.implicit[0]:
            return _Merge
        try:
            return key_text(self._node(event))
        except ScalarError as error:
            raise self._error(str(error), event.start_mark, "Write the key as text in quotes.") from error

    def _merge(self, body: dict[str, Json], value: Json, mark: Any) -> None:
        """Keys of a merged map fill what is not there; of several maps the first wins."""
        sources = value if isinstance(value, list) else [value]
        for source in sources:
            if not isinstance(source, dict):
                raise self._error("`<<` merges maps, or a list of maps", mark, "Point it at a map with `*name`.")
            for key, item in source.items():
                body.setdefault(key, item)


def _advice(problem: str) -> str:
    if "tab" in problem or "cannot start any token" in problem:
        return "Indent with spaces, and put text with special characters in quotes."
    if "mapping values are not allowed" in problem:
        return "Put text that holds `: ` in quotes, and check the indentation."
    if "could not find expected" in problem or "expected <block end>" in problem or "did not find" in problem:
        return "Check the indentation and the colon of this line and the one before."
    return "Check this line and the one before."
