"""Block collections, changed by lines: what is not touched keeps every byte."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.sources.yaml.edit.align import align, same
from bartizan.sources.yaml.edit.flow import FlowEditor
from bartizan.sources.yaml.edit.nodes import common_quote
from bartizan.sources.yaml.edit.plan import Anchors, plan_map
from bartizan.sources.yaml.edit.style import column, line_end, line_start, next_line
from bartizan.sources.yaml.edit.write import (
    entry_lines,
    flow_text,
    item_lines,
    list_lines,
    literal,
    map_lines,
    scalar_text,
    value_text,
)

if TYPE_CHECKING:
    from bartizan.base.json import Json
    from bartizan.sources.yaml.edit.nodes import Entry, Node
    from bartizan.sources.yaml.edit.style import Style
    from bartizan.sources.yaml.edit.track import Path, Track

_GAP: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_COMMENT_LINE: Final = re.compile(r"([ \t]*)#[^\n]*(?:\n|\Z)")
_WIDTH: Final = 100
"""Characters of a line that people still read at once."""
_OCTAL: Final = re.compile(r"0[0-7]+")


class Slot(NamedTuple):
    """Where a value stands: right behind a colon or dash, whose key or dash is at `column`.

    `offset` is how far behind its dash an element stands, and 0 behind a key.
    """

    behind: int
    column: int
    offset: int = 0


ROOT: Final = Slot(-1, 0)
"""The place of the whole document."""


class BlockEditor:
    """Collects the edits of one document: `(start, end, text)`, in the order of the text."""

    def __init__(self, text: str, style: Style, track: Track) -> None:
        self.edits: list[tuple[int, int, str]] = []
        self._text = text
        self._style = style
        self._track = track
        self._anchors = Anchors()
        self._flow = FlowEditor(text, style, self._anchors, track)

    def visit(self, node: Node, after: Json, slot: Slot, path: Path, like: str = "") -> None:
        """Change one value, as far down as it differs."""
        if path in self._track.forced:
            self._replace(node, after, slot, path, like)
            return
        if node.target is not None:
            if not same(self._anchors.value(node), after):
                self._replace(node, after, slot, path, like)
            return
        equal = same(node.value, after)
        if equal and not node.aliased:
            return
        if node.flow and self._edits_flow(node, after):
            edited = self._flow.edited(node, after, path)
            if self._grows_too_long(node, edited):
                self._replace(node, after, slot, path, like)
                return
            self._put(node.start, node.end, edited)
        elif node.kind == "map" and isinstance(after, dict) and after and not node.flow:
            self._map(node, after, slot, path)
        elif node.kind == "list" and isinstance(after, list) and after and not node.flow:
            self._list(node, after, slot, path)
        else:
            self._replace(node, after, slot, path, like)
            return
        if not equal:
            self._anchors.changed(node, after)

    def _edits_flow(self, node: Node, after: Json) -> bool:
        """Whether a flow collection stays one: it has members, or all of the document is JSON."""
        if self._style.json:
            return True
        if node.kind == "map":
            return isinstance(after, dict) and bool(node.entries and after)
        return isinstance(after, list) and bool(node.items and after)

    def _grows_too_long(self, node: Node, edited: str) -> bool:
        """Whether a collection on one line is better written as a block: nobody reads a line that long."""
        start = line_start(self._text, node.start)
        return (
            not self._style.json
            and "\n" not in edited
            and node.end - start <= _WIDTH < node.start - start + len(edited)
            and not any(part.anchor or part.target for part in node.inside())
        )

    def _put(self, start: int, end: int, text: str) -> None:
        if self._text[start:end] != text:
            self.edits.append((start, end, text))

    def _lines(self, at: int, lines: list[str]) -> None:
        """Put whole lines in front of the line that begins at `at`, or behind the last one."""
        newline = self._style.newline
        if at == len(self._text) and not self._text.endswith("\n"):
            self.edits.append((at, at, newline + newline.join(lines)))
        else:
            self.edits.append((at, at, newline.join(lines) + newline))

    # maps

    def _map(self, node: Node, after: dict[str, Json], slot: Slot, path: Path) -> None:
        plan = plan_map(node, after, self._anchors)
        if True not in plan.stays:
            self._replace(node, after, slot, path, "")
            return
        margin = column(self._text, node.entries[0].name.start)
        last = max(place for place, stays in enumerate(plan.stays) if stays)
        for place, entry in enumerate(node.entries):
            if not plan.stays[place]:
                self._track.touch((*path, entry.key or "<<"))
                self._anchors.gone(entry.value)
                self._remove_entry(node, place, margin, plan.stays)
            elif entry.key is not None:
                below = Slot(self._behind(entry), margin)
                self.visit(entry.value, after[entry.key], below, (*path, entry.key))
            new = plan.new.get(place, []) + (plan.new.get(-1, []) if place == last else [])
            if new:
                self._track.touched.update((*path, key) for key in new)
                lines = [line for key in new for line in entry_lines(key, after[key], margin, self._style)]
                self._lines(self._after(entry.end, margin), lines)

    def _behind(self, entry: Entry) -> int:
        """The place right behind the colon of a pair."""
        gap = _GAP.match(self._text, entry.name.end)
        at = gap.end() if gap else entry.name.end
        return at + 1 if self._text.startswith(":", at) else entry.name.end

    def _remove_entry(self, node: Node, place: int, margin: int, stays: list[bool]) -> None:
        text = self._text
        first = node.entries[0].name.start
        dashed = text[line_start(text, first) : first].strip(" ") != ""
        if not dashed or True in stays[:place]:
            start = line_start(text, node.entries[place].name.start)
            self._put(self._own_comments(start, margin), self._gone_until(node.entries[place].end, margin), "")
        elif not place:  # the others at the top go with it
            self._promote(first, node.entries, stays.index(True))

    def _promote(self, first: int, entries: list[Entry], heir: int) -> None:
        """Put a pair in the line of the dash, for those before it are gone; comments go above the dash."""
        text = self._text
        start, target = line_start(text, first), entries[heir].name.start
        between = text[next_line(text, entries[heir - 1].end) : line_start(text, target)]
        if between.strip():
            dash = " " * (len(text[start:first]) - len(text[start:first].lstrip(" ")))
            moved = "".join(f"{dash}{line.strip()}{self._style.newline}" for line in between.splitlines())
            self.edits.append((start, start, moved))
        self._put(first, target, "")

    # lists

    def _list(self, node: Node, after: list[Json], slot: Slot, path: Path) -> None:
        dashes = self._dashes(node)
        margin = column(self._text, dashes[0])
        pairs = align(node.value, after)
        shares = self._text[line_start(self._text, dashes[0]) : dashes[0]].strip(" ") != ""
        if shares and None in pairs[0]:
            self._replace(node, after, slot, path, "")
            return
        offset = self._offset(node, dashes)
        quote = common_quote(node.items)
        at = self._own_comments(line_start(self._text, dashes[0]), margin)
        for old, new in pairs:
            if old is None and new is not None:
                self._track.touch((*path, "-"))
                self._lines(at, item_lines(after[new], margin, self._style, offset=offset, like=quote))
            elif old is not None:
                item = node.items[old]
                end = max(item.end, dashes[old] + 1)
                at = self._after(end, margin)
                if new is not None:
                    self.visit(item, after[new], Slot(dashes[old] + 1, margin, offset), (*path, old), quote)
                    continue
                self._track.touch((*path, old))
                self._anchors.gone(item)
                self._put(
                    self._own_comments(line_start(self._text, dashes[old]), margin), self._gone_until(end, margin), ""
                )

    def _dashes(self, node: Node) -> list[int]:
        found: list[int] = []
        at = node.body
        for item in node.items:
            gap = _GAP.match(self._text, at)
            at = gap.end() if gap else at
            found.append(at)
            at = max(item.end, at + 1)
        return found

    def _offset(self, node: Node, dashes: list[int]) -> int:
        """How far behind its dash an element of this list stands."""
        for dash, item in zip(dashes, node.items, strict=True):
            if item.is_written and "\n" not in self._text[dash : item.start]:
                return item.start - dash
        return 2

    # places

    def _after(self, end: int, margin: int) -> int:
        """The line behind the content that ends at `end`, and behind comments that are further in than `margin`."""
        at = next_line(self._text, end)
        while found := _COMMENT_LINE.match(self._text, at):
            if len(found[1]) <= margin or found.end() == at:
                break
            at = found.end()
        return at

    def _gone_until(self, end: int, margin: int) -> int:
        """The same for what is taken out: blanks left behind it must not become part of text before it."""
        at = self._after(end, margin)
        while self._style.careful and at < len(self._text) and not self._text[at : line_end(self._text, at)].strip():
            at = next_line(self._text, at)
        return at

    def _own_comments(self, start: int, margin: int) -> int:
        """Where the comments begin that stand right above a line, at its own indentation."""
        while start > 0:
            above = line_start(self._text, start - 1)
            found = _COMMENT_LINE.match(self._text, above)
            if not found or len(found[1]) != margin:
                break
            start = above
        return start

    # whole values

    def _replace(self, node: Node, after: Json, slot: Slot, path: Path, like: str) -> None:
        """Write a value anew, where the old one stood."""
        self._track.touch(path)
        self._anchors.gone(node)
        self._anchors.changed(node, after)
        anchor = f"&{node.anchor}" if node.anchor else ""
        text = self._text
        if slot is ROOT:
            self._whole(node, after)
            return
        if self._in_place(node, after):
            lead = f"{anchor} " if anchor else ""
            glue = "" if text[node.start - 1 : node.start] in ("", " ", "\t", "\n") else " "
            self._put(node.start, node.end, glue + lead + self._scalar(node, after, like))
            return
        head, below = value_text(after, slot.column, self._style, node.style or like, slot.offset)
        if (
            anchor and slot.offset and isinstance(after, dict | list) and after
        ):  # an anchor here would be the first key's
            below = [" " * (slot.column + slot.offset) + head, *below]
            head = ""
        head = " ".join(part for part in (anchor, head) if part)
        if node.style in ("|", ">") and literal(after, node.style):
            head += self._header_comment(node)
        self._swap(node, slot, head, below)

    def _whole(self, node: Node, after: Json) -> None:
        """Write another kind of document, where it began."""
        lines = (
            map_lines(after, 0, self._style)
            if isinstance(after, dict) and after
            else list_lines(after, 0, self._style)
            if isinstance(after, list) and after
            else [value_text(after, 0, self._style)[0] if not literal(after) else flow_text(after, self._style)]
        )
        if column(self._text, node.start):  # behind `---`
            lines.insert(0, "")
        self._put(node.start, line_end(self._text, node.end), self._style.newline.join(lines))

    def _in_place(self, node: Node, after: Json) -> bool:
        """Whether one line can be changed for another: scalars, aliases, flow collections."""
        small = not isinstance(after, dict | list) or not after
        return (
            small
            and node.is_written
            and node.style not in ("|", ">")
            and (node.kind in ("scalar", "alias") or node.flow)
            and (not literal(after, node.style) or node.style in ("'", '"'))
        )

    def _scalar(self, node: Node, after: Json, like: str) -> str:
        if isinstance(after, dict | list):
            return "{}" if isinstance(after, dict) else "[]"
        old = self._text[node.body : node.end]
        if isinstance(after, int) and not isinstance(after, bool) and after >= 0 and _OCTAL.fullmatch(old):
            return f"0{after:o}"
        return scalar_text(after, self._style, like=node.style or like)

    def _header_comment(self, node: Node) -> str:
        return _comment(self._text[node.body : line_end(self._text, node.body)])

    def _swap(self, node: Node, slot: Slot, head: str, below: list[str]) -> None:
        """Put `head` behind the colon or dash, and lines below it, for all that stood there."""
        text, newline = self._text, self._style.newline
        lines = "".join(f"{newline}{line}" for line in below)
        head = f"{' ' * max(1, slot.offset - 1)}{head}" if head else ""
        block = node.kind in ("map", "list") and not node.flow
        if block or node.style in ("|", ">"):
            inline = node.kind == "scalar" or "\n" not in text[slot.behind : node.body]
            rest = "" if inline else _comment(text[slot.behind : line_end(text, slot.behind)])
            self._put(slot.behind, line_end(text, node.end), head + rest + lines)
            return
        self._put(slot.behind, max(node.end, slot.behind), head)
        if lines:
            end = line_end(text, max(node.end, slot.behind))
            self.edits.append((end, end, lines))


def _comment(line: str) -> str:
    """The comment at the end of a line without quoted text, with the blanks before it."""
    found = re.search(r"[ \t]+#.*", line)
    return found[0] if found else ""
