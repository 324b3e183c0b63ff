"""A document as a tree of nodes that know where in the text they stand.

libyaml's marks give the place of every event; what is kept here is what an
editor needs: where a value begins behind its anchor and tag, and where its
content really ends, for a block's end mark lies behind the comments and
empty lines that follow it. JSON has a scanner of its own, for not every
escape of JSON is one of YAML.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from yaml import events as ev
from yaml.cyaml import CParser  # type: ignore[attr-defined]  # the stubs leave the C parser out

from bartizan.sources.yaml.scalars import key_text, resolve, tagged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.base.json import Json

_PROPERTIES: Final = re.compile(r"(?:[&!][^\s,\[\]{}]*[ \t]*(?:(?:#[^\n]*)?\r?\n\s*)*)*")
_MERGE: Final = "<<"


@dataclass(slots=True, eq=False)
class Entry:
    """One pair of a map. `key` is its text as JSON has it, `None` for the merge key `<<`."""

    name: Node
    value: Node
    key: str | None

    @property
    def end(self) -> int:
        """Where the content of the pair ends; a value that is not written ends with the colon."""
        return max(self.name.end, self.value.end)


@dataclass(slots=True, eq=False)
class Node:
    """One value in the text: `start` with anchor and tag, `body` without them, `end` behind the last character.

    `style` is the quote or block mark of a scalar, and empty for a plain one.
    `target` is the node an alias stands for. `aliased` is whether an alias is
    this node or inside it, so that a change elsewhere may reach it.
    """

    kind: Literal["scalar", "map", "list", "alias"]
    start: int
    body: int
    end: int
    value: Json
    anchor: str = ""
    flow: bool = False
    style: str = ""
    entries: list[Entry] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)
    target: Node | None = None
    aliased: bool = False

    @property
    def is_written(self) -> bool:
        """Whether there is any text of it; a null may have none."""
        return self.end > self.body

    def inside(self) -> Iterator[Node]:
        """This node and all below it, in the order of the text."""
        yield self
        for entry in self.entries:
            yield from entry.name.inside()
            yield from entry.value.inside()
        for item in self.items:
            yield from item.inside()


def read_nodes(text: str) -> Node | None:
    """The tree of a document that our reader has accepted; `None` where it is empty."""
    return _Reader(text).read()


class _Reader:
    """One document being read from events."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._events = CParser(text)
        self._anchors: dict[str, Node] = {}

    def read(self) -> Node | None:
        event = self._events.get_event()
        while not isinstance(event, ev.NodeEvent):
            if isinstance(event, ev.StreamEndEvent):
                return None
            event = self._events.get_event()
        return self._node(event)

    def _node(self, event: Any) -> Node:
        kind = event.__class__
        if kind is ev.AliasEvent:
            target = self._anchors[event.anchor]
            start, end = event.start_mark.index, event.end_mark.index
            return Node("alias", start, start, end, target.value, target=target, aliased=True)
        node = self._scalar(event) if kind is ev.ScalarEvent else self._collection(event)
        if event.anchor:
            node.anchor = event.anchor
            self._anchors[event.anchor] = node
        return node

    def _scalar(self, event: Any) -> Node:
        start, end = event.start_mark.index, event.end_mark.index
        body = self._body(event, start)
        style = event.style or ""
        if event.tag is not None and event.tag != "!":
            value = tagged(event.tag, event.value)
        else:
            value = resolve(event.value) if event.implicit[0] else event.value
        if style in ("|", ">"):
            end = self._block_end(body, end, event.value)
        elif not style and not event.value:
            body = end
        return Node("scalar", start, body, end, value, style=style)

    def _body(self, event: Any, start: int) -> int:
        """Where the value begins, behind its anchor and tag."""
        if not event.anchor and event.tag is None:
            return start
        found = _PROPERTIES.match(self._text, start)
        return found.end() if found else start

    def _block_end(self, body: int, end: int, value: str) -> int:
        """The end of a block scalar's last line, without the empty lines that are not part of it."""
        raw = self._text[body:end]
        header = raw.partition("\n")[0]
        content = value.rstrip("\n")
        if "+" in header.partition("#")[0] or (content and content[-1].isspace()):
            return end - (1 if raw.endswith("\n") else 0) - (1 if raw.endswith("\r\n") else 0)
        return body + len(raw.rstrip())

    def _collection(self, event: Any) -> Node:
        start = event.start_mark.index
        is_map = event.__class__ is ev.MappingStartEvent
        body = self._body(event, start)
        node = Node("map" if is_map else "list", start, body, body, None, flow=bool(event.flow_style))
        if event.anchor:
            self._anchors.pop(event.anchor, None)
        last = self._entries(node) if is_map else self._items(node)
        if node.flow:
            node.end = last
        else:
            ends = [entry.end for entry in node.entries] or [item.end for item in node.items]
            node.end = max(ends, default=body)
        parts = [entry.value for entry in node.entries] + [entry.name for entry in node.entries] + node.items
        node.aliased = any(part.aliased for part in parts)
        return node

    def _items(self, node: Node) -> int:
        while True:
            event = self._events.get_event()
            if event.__class__ is ev.SequenceEndEvent:
                node.value = [item.value for item in node.items]
                mark: Any = event.end_mark
                return int(mark.index)
            node.items.append(self._node(event))

    def _entries(self, node: Node) -> int:
        while True:
            event = self._events.get_event()
            if event.__class__ is ev.MappingEndEvent:
                node.value = _merged(node)
                mark: Any = event.end_mark
                return int(mark.index)
            merges = event.__class__ is ev.ScalarEvent and event.value == _MERGE and event.implicit[0]
            name = self._node(event)
            value = self._node(self._events.get_event())
            node.entries.append(Entry(name, value, None if merges else key_text(name.value)))


def _merged(node: Node) -> dict[str, Json]:
    body = {entry.key: entry.value.value for entry in node.entries if entry.key is not None}
    for entry in node.entries:
        if entry.key is None:
            for source in entry.value.value if isinstance(entry.value.value, list) else [entry.value.value]:
                for key, item in source.items():
                    body.setdefault(key, item)
    return body


def common_quote(nodes: list[Node]) -> str:
    """The quote of texts that are all written in the same one; empty where they are not, or are plain."""
    found = {node.style for node in nodes if node.kind == "scalar" and isinstance(node.value, str)}
    return found.pop() if len(found) == 1 else ""
