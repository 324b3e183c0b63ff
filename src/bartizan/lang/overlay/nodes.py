"""The checked tree of a pattern, between parsing and emitting."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.base.json import Json


class Anchor(Enum):
    """What a key asks of the value beside it."""

    CONDITIONAL = "("
    GLOBAL = "<("
    EQUALITY = "=("
    NEGATION = "X("
    EXISTENCE = "^("
    NONE = ""


_CONDITIONS: Final = (Anchor.CONDITIONAL, Anchor.GLOBAL)


class Entry(NamedTuple):
    """One key of a map pattern. `raw` is the key as written; `wild` keys name the first label that matches."""

    anchor: Anchor
    key: str
    raw: str
    child: Node
    wild: bool = False


class MapNode(NamedTuple):
    """An object: anchors in the order in which they are tried, then the other keys."""

    anchors: tuple[Entry, ...]
    plain: tuple[Entry, ...]
    pattern: Json


class EachNode(NamedTuple):
    """A list in which every element must match one pattern."""

    child: Node
    pattern: Json


class PositionsNode(NamedTuple):
    """A list of lists, matched place by place."""

    children: tuple[Node, ...]
    pattern: Json


class ScalarNode(NamedTuple):
    """A leaf. Against a list, every element must match it."""

    pattern: Json
    in_list: bool = False
    """Whether the pattern stood in a list, so that the value must be one."""


Node: TypeAlias = MapNode | EachNode | PositionsNode | ScalarNode


def can_skip(node: Node) -> bool:
    """Whether a pattern can turn out not to be about a value: a condition stands where its failure is not caught."""
    match node:
        case MapNode(anchors, plain):
            entries = (*anchors, *plain)
            return any(entry.anchor in _CONDITIONS for entry in entries) or any(
                can_skip(entry.child) for entry in entries if entry.anchor in (Anchor.EQUALITY, Anchor.NONE)
            )
        case EachNode(child):
            return can_skip(child)
        case PositionsNode(children):
            return any(can_skip(child) for child in children)
        case ScalarNode():
            return False


def tracked(node: Node) -> Iterator[Entry]:
    """The anchors whose keys must be somewhere in the value for a failure to count as one."""
    match node:
        case MapNode(anchors, plain):
            for entry in (*anchors, *plain):
                if entry.anchor in (Anchor.CONDITIONAL, Anchor.EXISTENCE):
                    yield entry
                yield from tracked(entry.child)
        case EachNode(child):
            yield from tracked(child)
        case PositionsNode(children):
            for child in children:
                yield from tracked(child)
        case ScalarNode():
            pass
