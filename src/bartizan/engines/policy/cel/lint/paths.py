"""What expressions read, as paths from `object`: through loops, to the fields that they ask for or only test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from bartizan.lang.cel.nodes import Bind, Call, Constant, Loop, Name, Node, Select, children

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Path: TypeAlias = tuple[str, ...]
"""Fields from `object` on; an element of a list is `[]`."""
_INDEXES: Final = ("_[_]", "_[?_]")


class Read(NamedTuple):
    """A field that is read: its path, where in the text it stands, and whether it may be missing without an error."""

    path: Path
    at: int
    node: Node
    is_safe: bool


def reads(tree: Node) -> Iterator[Read]:
    """Everything of `object` that an expression reads, each by the longest path that it spells."""
    yield from _reads(tree, {"object": ()})


def _reads(node: Node, roots: Mapping[str, Path]) -> Iterator[Read]:
    path = path_of(node, roots)
    if path is not None:
        if path:
            yield Read(path, start_of(node), node, _is_safe(node))
        yield from _inside_keys(node, roots)
        return
    if isinstance(node, Loop):
        yield from _in_loop(node, roots)
        return
    if isinstance(node, Bind):
        yield from _reads(node.value, roots)
        yield from _reads(node.body, {name: known for name, known in roots.items() if name != node.name})
        return
    for child in children(node):
        yield from _reads(child, roots)


def _inside_keys(node: Node, roots: Mapping[str, Path]) -> Iterator[Read]:
    """What the keys of a path read, which may be expressions themselves."""
    while isinstance(node, Select | Call):
        if isinstance(node, Call):
            container, key = node.arguments
            yield from _reads(key, roots)
            node = container
        else:
            node = node.operand


def _in_loop(node: Loop, roots: Mapping[str, Path]) -> Iterator[Read]:
    yield from _reads(node.over, roots)
    over = path_of(node.over, roots)
    inside = {name: known for name, known in roots.items() if name not in (node.first, node.second)}
    if over is not None:
        inside[node.first if node.second is None else node.second] = (*over, "[]")
    for part in (node.condition, node.result):
        if part is not None:
            yield from _reads(part, inside)


def path_of(node: Node, roots: Mapping[str, Path]) -> Path | None:
    """The path that a part spells, where it is nothing else."""
    if isinstance(node, Name):
        return roots.get(node.name)
    if isinstance(node, Select):
        above = path_of(node.operand, roots)
        return None if above is None else (*above, node.field)
    if isinstance(node, Call) and node.function in _INDEXES and node.target is None:
        container, key = node.arguments
        above = path_of(container, roots)
        if above is None:
            return None
        return (*above, key.value if isinstance(key, Constant) and isinstance(key.value, str) else "[]")
    return None


def _is_safe(node: Node) -> bool:
    """Whether it tests for a field, or reads it as an optional."""
    while isinstance(node, Select | Call):
        if isinstance(node, Select):
            if node.tests or node.optional:
                return True
            node = node.operand
        else:
            if node.function == "_[?_]":
                return True
            node = node.arguments[0]
    return False


def start_of(node: Node) -> int:
    """Where the text of a part begins: its field or operator stands behind what it is of."""
    return min([node.at, *map(start_of, children(node))])
