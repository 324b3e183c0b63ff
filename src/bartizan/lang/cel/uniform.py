"""Whether lists and maps that are written out have members of one type, which Kubernetes asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.lang.cel.lex import fail
from bartizan.lang.cel.nodes import Call, ListOf, MapOf, Node, children

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.lang.cel.types import Type


def check_members(node: Node, text: str, types: Mapping[Node, Type]) -> None:
    """Refuse lists and maps written out with members of several types, of which `dyn` is one."""
    if isinstance(node, ListOf):
        _check_alike([(item, place in node.optional) for place, item in enumerate(node.items)], text, types)
    elif isinstance(node, MapOf):
        _check_alike([(key, False) for key, _ in node.entries], text, types)
        values = [(value, place in node.optional) for place, (_, value) in enumerate(node.entries)]
        _check_alike(values, text, types)
    if isinstance(node, Call) and node.function == "format" and node.target is not None:
        check_members(node.target, text, types)  # what is put into a text is meant to be mixed
        return
    for child in children(node):
        check_members(child, text, types)


def _check_alike(members: list[tuple[Node, bool]], text: str, types: Mapping[Node, Type]) -> None:
    first: Type | None = None
    for node, optional in members:
        kind = types[node]
        if optional and kind.parameters:
            kind = kind.parameters[0]
        if first is None:
            first = kind
        elif kind != first:
            hint = "Wrap every one in `dyn()`, or convert them."
            fail(text, node.at, f"members of different types: {first} and {kind}", hint)
