"""Walks down an object along its schema, to the few nodes that have something to check there."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from bartizan.engines.policy.dialects.kubernetes.crd.problems import FieldProblem, Key, Path

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kubernetes.crd.nodes import Node

    Visit: TypeAlias = Callable[[Json, Path, list[FieldProblem]], None]


def compile_descent(node: Node, own: Callable[[Node], Visit | None]) -> Visit | None:
    """What visits a value and all below it; `own` gives the check of one node. `None` where there is nothing."""
    here = own(node)
    below = {name: compile_descent(child, own) for name, child in node.properties.items()}
    properties = {name: check for name, check in below.items() if check is not None}
    rest = None if node.additional is None else compile_descent(node.additional, own)
    items = None if node.items is None else compile_descent(node.items, own)
    if here is None and not properties and rest is None and items is None:
        return None
    of_object = _object_walk(properties, rest, frozenset(below))

    def visit(value: Json, path: Path, found: list[FieldProblem]) -> None:
        if here is not None:
            here(value, path, found)
        if value.__class__ is dict:
            of_object(value, path, found)
        elif value.__class__ is list and items is not None:
            for place, item in enumerate(value):
                items(item, (path, place), found)

    return visit


def _object_walk(properties: dict[str, Visit], rest: Visit | None, named: frozenset[str]) -> Visit:
    def visit(value: JsonObject, path: Path, found: list[FieldProblem]) -> None:
        for name, check in properties.items():
            if name in value:
                check(value[name], (path, name), found)
        if rest is not None:
            for name, item in value.items():
                if name not in named:
                    rest(item, (path, Key(name)), found)

    return visit
