"""Change a document's text so that it reads as a new value, touching only the lines that it must.

The text is edited at the places where the values differ and then read again:
nothing but exactly the wanted value is ever handed back. Where an odd
construct defeats the small edit, the value around it is written anew, up to
but not including the whole document; then the edit is refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bartizan.base.errors import SpecError
from bartizan.base.location import Location
from bartizan.sources.yaml.blocks import UNCERTAIN
from bartizan.sources.yaml.documents import parse_chunk
from bartizan.sources.yaml.edit.align import same
from bartizan.sources.yaml.edit.blocks import ROOT, BlockEditor
from bartizan.sources.yaml.edit.json_nodes import read_json_nodes
from bartizan.sources.yaml.edit.nodes import Node, read_nodes
from bartizan.sources.yaml.edit.style import Style, detect
from bartizan.sources.yaml.edit.track import Path, Track
from bartizan.sources.yaml.json_text import parse_json

if TYPE_CHECKING:
    from bartizan.base.json import Json

__all__ = ["edit_document"]

_TRIES: Final = 8
"""How far up from a change a value is written anew before it is given up."""


def edit_document(text: str, before: Json, after: Json, *, file: str = "", first_line: int = 0) -> str:
    """The text of one document, changed from `before` to `after`.

    `before` is what the text reads as now, and `after` may share parts with
    it. `file` and `first_line` (the lines before the document) are for errors.

    Raises:
        SpecError: it cannot be done without writing the whole document anew.
    """
    if before is after or same(before, after):
        return text
    closed, added = _closed(text, before)
    root, style = _read(closed)
    if root is None:
        raise SpecError("an empty document cannot be edited", at=Location(file, first_line + 1))
    forced: frozenset[Path] = frozenset()
    touched: set[Path] = set()
    for height in range(_TRIES):
        track = Track(forced)
        edited = _applied(closed, root, after, style, track)
        if edited is not None:
            shorter = edited.removesuffix(style.newline) if added else edited
            for candidate in (shorter, edited):
                if _reads_as(candidate, after):
                    return candidate
        touched = touched or track.touched
        style = replace(style, careful=True)  # blank lines behind one may have become part of it
        forced = frozenset(path[: len(path) - height] for path in touched if len(path) > height)
        if height and not forced:
            break
        if not closed.endswith("\n"):
            forced |= {_last(root)}  # a block whose last line has no end, and would get one
    line, column = _first_place(closed, root, touched)
    at = Location(file, first_line + line, column)
    raise SpecError("this cannot be changed without writing the document anew", at=at, hint="Change it by hand.")


def _read(text: str) -> tuple[Node | None, Style]:
    if text.lstrip()[:1] == "{" and parse_json(text, "", 0) is not UNCERTAIN:
        root = read_json_nodes(text)
        return root, detect(text, root, json=True)
    found = read_nodes(text)
    return found, detect(text, found, json=False) if found else Style()


def _closed(text: str, before: Json) -> tuple[str, bool]:
    """The text with a line break at its end, where that does not change what it says."""
    if text.endswith("\n"):
        return text, False
    newline = "\r\n" if "\r\n" in text else "\n"
    return (text + newline, True) if _reads_as(text + newline, before) else (text, False)


def _applied(text: str, root: Node, after: Json, style: Style, track: Track) -> str | None:
    """The text with all edits; `None` where two of them meet."""
    editor = BlockEditor(text, style, track)
    editor.visit(root, after, ROOT, ())
    pieces: list[str] = []
    at = 0
    for start, end, new in sorted(editor.edits, key=lambda edit: edit[0]):
        if start < at:
            return None
        pieces += (text[at:start], new)
        at = end
    return "".join((*pieces, text[at:]))


def _last(node: Node) -> Path:
    """The path of the last value in the text."""
    if node.entries:
        entry = node.entries[-1]
        return (entry.key or "<<", *_last(entry.value))
    return (len(node.items) - 1, *_last(node.items[-1])) if node.items else ()


def _reads_as(text: str, value: Json) -> bool:
    try:
        return same(parse_chunk(text, "", 0, []), value)
    except SpecError:
        return False


def _first_place(text: str, root: Node, touched: set[Path]) -> tuple[int, int]:
    """Line and column, from 1, of the first change."""
    place = root.start
    node = root
    for step in min(touched, key=lambda path: tuple(map(str, path)), default=()):
        if node.kind == "map":
            found = next((entry for entry in node.entries if entry.key == step), None)
            if found is None:
                break
            place, node = found.name.start, found.value
        elif isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            place = node.start
    return text.count("\n", 0, place) + 1, place - text.rfind("\n", 0, place)
