"""What becomes of the pairs of a map: which stay, which go, and which are new behind which.

Merge keys make this more than a comparison of keys: a pair may be there
without being written, and can only be taken away by writing the others out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bartizan.sources.yaml.edit.align import same

if TYPE_CHECKING:
    from bartizan.base.json import Json, JsonObject
    from bartizan.sources.yaml.edit.nodes import Node

DEAD: Final = object()
"""The value of an anchor that is no longer in the text."""
MISSING: Final = object()


@dataclass(frozen=True, slots=True)
class MapPlan:
    """For each pair in the order of the text whether it stays, and the new keys behind it; -1 is the last one left."""

    stays: list[bool]
    new: dict[int, list[str]]


class Anchors:
    """The values of anchors as they are after the changes so far, by node."""

    def __init__(self) -> None:
        self._values: dict[int, Any] = {}

    def changed(self, node: Node, value: Json) -> None:
        """The anchored value is another now."""
        if node.anchor:
            self._values[id(node)] = value

    def gone(self, node: Node) -> None:
        """The node and all in it are no longer in the text."""
        for part in node.inside():
            if part.anchor:
                self._values[id(part)] = DEAD

    def value(self, node: Node) -> Any:
        """What a node means now, if its own text stays; `DEAD` where it cannot."""
        if node.target is not None:
            return self._values.get(id(node.target), node.target.value)
        if not node.aliased:
            return node.value
        if node.kind == "list":
            parts = [self.value(item) for item in node.items]
            return DEAD if any(part is DEAD for part in parts) else parts
        merged = self.merged(node)
        if merged is DEAD:
            return DEAD
        written = {entry.key: self.value(entry.value) for entry in node.entries if entry.key is not None}
        return DEAD if any(part is DEAD for part in written.values()) else {**merged, **written}

    def merged(self, node: Node) -> Any:
        """What the merge keys of a map bring in."""
        body: dict[str, Any] = {}
        for entry in node.entries:
            if entry.key is not None:
                continue
            value = self.value(entry.value)
            for source in value if isinstance(value, list) else [value]:
                if not isinstance(source, dict):
                    return DEAD
                for key, item in source.items():
                    body.setdefault(key, item)
        return body


def plan_map(node: Node, after: JsonObject, anchors: Anchors) -> MapPlan:
    """Decide for each pair of a map."""
    merged = anchors.merged(node)
    expands = merged is DEAD or any(key not in after for key in merged)
    if expands:
        merged = {}
    stays = [key in after if (key := entry.key) is not None else not expands for entry in node.entries]
    written = {entry.key: place for place, entry in enumerate(node.entries) if entry.key is not None}
    new: dict[int, list[str]] = {}
    last = -1
    for key, value in after.items():
        if key in written:
            last = written[key]
        elif not same(merged.get(key, MISSING), value):
            new.setdefault(last, []).append(key)
    return MapPlan(stays, new)
