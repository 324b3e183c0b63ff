"""A pattern as YAML gives it, turned into nodes; everything that can be wrong with it is found here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bartizan.base import pointer, wildcard
from bartizan.base.errors import SpecError
from bartizan.lang.overlay.nodes import (
    Anchor,
    EachNode,
    Entry,
    MapNode,
    Node,
    PositionsNode,
    ScalarNode,
)

if TYPE_CHECKING:
    from bartizan.base.json import Json

MAX_DEPTH: Final = 40
"""Maps and lists inside each other; Kubernetes' own deepest objects stay below 20."""

_KEY: Final = re.compile(r"^([<=X^]?\()(.+)\)$", re.DOTALL)
_PHASE_TWO: Final = (Anchor.NONE, Anchor.GLOBAL)


def parse(pattern: Json) -> Node:
    """Read a pattern.

    Raises:
        SpecError: it nests too deep, an existence anchor is not over a list of maps, or a list is empty.
    """
    return _parse(pattern, "", 0, wild=False, parent="")


def _parse(pattern: Json, at: str, depth: int, *, wild: bool, parent: str) -> Node:
    if depth > MAX_DEPTH:
        raise SpecError(f"pattern nests deeper than {MAX_DEPTH} levels", pointer=at, hint="Split the rule.")
    if isinstance(pattern, dict):
        return _map(pattern, at, depth, wild=wild, parent=parent)
    if isinstance(pattern, list):
        return _list(pattern, at, depth)
    return ScalarNode(pattern)


def _list(pattern: list[Json], at: str, depth: int) -> Node:
    if not pattern:
        raise SpecError("a list pattern is empty", pointer=at, hint="Write the pattern that each element must match.")
    first = pattern[0]
    if isinstance(first, dict):
        # only the first pattern of a list is used, for every element: Kyverno's rule, and its policies rely on it
        return EachNode(_parse(first, f"{at}/0", depth + 1, wild=False, parent=""), pattern)
    if isinstance(first, list):
        children = [_parse(item, f"{at}/{i}", depth + 1, wild=False, parent="") for i, item in enumerate(pattern)]
        return PositionsNode(tuple(children), pattern)
    return ScalarNode(first, in_list=True)


def _map(pattern: dict[str, Json], at: str, depth: int, *, wild: bool, parent: str) -> MapNode:
    entries = [_entry(str(raw), child, at, depth, wild=wild, parent=parent) for raw, child in pattern.items()]
    anchors = sorted((entry for entry in entries if entry.anchor not in _PHASE_TWO), key=lambda entry: entry.raw)
    plain = sorted((entry for entry in entries if entry.anchor in _PHASE_TWO), key=lambda entry: entry.raw)
    # what may skip the whole is tried first, so that it wins over a failure beside it
    first = [entry for entry in plain if entry.anchor is Anchor.GLOBAL or _has_anchors(pattern[entry.raw])]
    rest = [entry for entry in plain if entry not in first]
    return MapNode(tuple(anchors), (*reversed(first), *rest), pattern)


def _has_anchors(pattern: Json) -> bool:
    """Whether an anchor stands anywhere in a pattern, also where it is never looked at."""
    if isinstance(pattern, dict):
        return any(_KEY.match(str(key).strip()) or _has_anchors(child) for key, child in pattern.items())
    return isinstance(pattern, list) and any(map(_has_anchors, pattern))


def _entry(raw: str, child: Json, at: str, depth: int, *, wild: bool, parent: str) -> Entry:
    match = _KEY.match(raw.strip())
    anchor = Anchor(match.group(1)) if match else Anchor.NONE
    key = match.group(2) if match else raw
    where = f"{at}/{pointer.escape(raw)}"
    if anchor is Anchor.EXISTENCE and not (
        isinstance(child, list) and child and all(isinstance(item, dict) for item in child)
    ):
        hint = "Write a list of maps under it, each of which some element must match."
        raise SpecError(f"existence anchor `{raw}` is not over a list of maps", pointer=where, hint=hint)
    if anchor is Anchor.EXISTENCE:
        items = [_parse(item, f"{where}/{i}", depth + 1, wild=False, parent=key) for i, item in enumerate(child)]
        return Entry(anchor, key, raw, PositionsNode(tuple(items), child))
    node: Node = ScalarNode(None)
    if anchor is not Anchor.NEGATION:
        labels = parent == "metadata" and key in ("labels", "annotations")
        node = _parse(child, where, depth + 1, wild=labels, parent=key)
    return Entry(anchor, key, raw, node, wild and wildcard.is_wildcard(key))
