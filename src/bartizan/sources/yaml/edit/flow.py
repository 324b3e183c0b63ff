"""Flow collections and JSON, changed in place: `{a: b}`, `[x, y]`, on one line or many.

Their text is put together anew from the texts of what stays, with the
separators that stood there, so that only what is new is written by us.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.sources.yaml.edit.align import align, same
from bartizan.sources.yaml.edit.nodes import common_quote
from bartizan.sources.yaml.edit.plan import plan_map
from bartizan.sources.yaml.edit.style import column
from bartizan.sources.yaml.edit.write import flow_text, scalar_text

if TYPE_CHECKING:
    from bartizan.base.json import Json
    from bartizan.sources.yaml.edit.nodes import Entry, Node
    from bartizan.sources.yaml.edit.plan import Anchors
    from bartizan.sources.yaml.edit.style import Style
    from bartizan.sources.yaml.edit.track import Path, Track


class FlowEditor:
    """Writes changed flow collections of one document."""

    def __init__(self, text: str, style: Style, anchors: Anchors, track: Track) -> None:
        self._text = text
        self._style = style
        self._anchors = anchors
        self._track = track

    def edited(self, node: Node, after: Json, path: Path, like: str = "") -> str:
        """The text of a node with its new value."""
        if path in self._track.forced:
            return self._rewritten(node, after, path, like)
        if node.target is not None:
            if same(self._anchors.value(node), after):
                return self._source(node)
            return self._rewritten(node, after, path, like)
        if not node.aliased and same(node.value, after):
            return self._source(node)
        bare = node.kind == "map" and not self._text.startswith("{", node.body)
        if node.kind == "map" and isinstance(after, dict) and node.entries and after and not bare:
            text = self._map(node, after, path)
        elif node.kind == "list" and isinstance(after, list) and node.items and after:
            text = self._list(node, after, path)
        else:
            return self._rewritten(node, after, path, like)
        if not same(node.value, after):
            self._anchors.changed(node, after)
        return self._text[node.start : node.body] + text

    def _source(self, node: Node) -> str:
        return self._text[node.start : node.end]

    def _rewritten(self, node: Node, after: Json, path: Path, like: str) -> str:
        """The value written out, behind the anchor it had."""
        self._track.touch(path)
        self._anchors.gone(node)
        self._anchors.changed(node, after)
        anchor = f"&{node.anchor} " if node.anchor else ""
        return anchor + self._whole(node, after, node.style or like)

    def _whole(self, node: Node, after: Json, like: str = "") -> str:
        spread = self._style.json and self._style.step > 0
        return flow_text(after, self._style, self._margin(node), like, spread=spread)

    def _margin(self, node: Node) -> int:
        """The indentation of the line in which a node begins."""
        start = node.start - column(self._text, node.start)
        return len(self._text) - start - len(self._text[start:].lstrip(" \t"))

    def _map(self, node: Node, after: dict[str, Json], path: Path) -> str:
        plan = plan_map(node, after, self._anchors)
        if True not in plan.stays:
            return self._whole(node, after)
        spans = [(entry.name.start, entry.end) for entry in node.entries]
        last = max(place for place, stays in enumerate(plan.stays) if stays)
        quote = common_quote([entry.name for entry in node.entries])
        parts: list[tuple[int | None, str]] = []
        for place, entry in enumerate(node.entries):
            if plan.stays[place]:
                parts.append((place, self._entry(entry, after, path)))
            else:
                self._track.touch((*path, entry.key or "<<"))
                self._anchors.gone(entry.value)
            for key in plan.new.get(place, []) + (plan.new.get(-1, []) if place == last else []):
                self._track.touch((*path, key))
                name = scalar_text(key, self._style, "key", quote)
                parts.append((None, f"{name}: {self._new(after[key], node, quote)}"))
        return self._joined(node, spans, parts)

    def _entry(self, entry: Entry, after: dict[str, Json], path: Path) -> str:
        source = self._text[entry.name.start : entry.end]
        if entry.key is None:
            return source
        text = self.edited(entry.value, after[entry.key], (*path, entry.key))
        if text == self._source(entry.value):
            return source
        head = self._text[entry.name.start : entry.value.start]
        if not entry.value.is_written and not entry.value.anchor:
            colon = self._text.find(":", entry.name.end, entry.value.start)
            head = self._text[entry.name.start : colon if colon >= 0 else entry.name.end] + ": "
        return head + text

    def _list(self, node: Node, after: list[Json], path: Path) -> str:
        spans = [(item.start, item.end) for item in node.items]
        quote = common_quote(node.items)
        parts: list[tuple[int | None, str]] = []
        for old, new in align(node.value, after):
            if old is None and new is not None:
                self._track.touch((*path, "-"))
                parts.append((None, self._new(after[new], node, quote)))
            elif old is not None and new is not None:
                parts.append((old, self.edited(node.items[old], after[new], (*path, old), quote)))
            elif old is not None:
                self._track.touch((*path, old))
                self._anchors.gone(node.items[old])
        return self._joined(node, spans, parts)

    def _new(self, value: Json, node: Node, quote: str) -> str:
        spread = self._style.json and "\n" in self._text[node.body : node.end]
        first = node.entries[0].name if node.entries else node.items[0]
        margin = column(self._text, first.start) if spread else 0
        return flow_text(value, self._style, margin, quote, spread=spread)

    def _joined(self, node: Node, spans: list[tuple[int, int]], parts: list[tuple[int | None, str]]) -> str:
        """Members with the separators that stood behind them, or one like the first line break says."""
        text = self._text
        opening = text[node.body : spans[0][0]]
        closing = text[spans[-1][1] : node.end]
        newline = self._style.newline
        usual = f",{newline}{' ' * column(text, spans[0][0])}" if "\n" in opening else ", "
        pieces = [opening]
        for number, (old, part) in enumerate(parts):
            pieces.append(part)
            if number == len(parts) - 1:
                continue
            kept = old is not None and old + 1 < len(spans)
            pieces.append(text[spans[old][1] : spans[old + 1][0]] if kept and old is not None else usual)
        pieces.append(closing)
        return "".join(pieces)
