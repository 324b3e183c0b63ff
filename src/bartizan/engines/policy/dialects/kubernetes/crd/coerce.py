"""What the server makes of an object before it judges it: unknown fields dropped, nulls that mean nothing, defaults.

Source: `pruning` and `defaulting` of `k8s.io/apiextensions-apiserver`. What
does not change is shared with the object as it was.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from bartizan.engines.policy.dialects.kubernetes.crd.nodes import ABSENT, Node

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kubernetes.crd.problems import Path

    Unknown: TypeAlias = list[tuple[Path, str, "frozenset[str]"]]
    """Fields that are dropped: the object they are in, their name, and the names there are."""
    Coerce: TypeAlias = Callable[[Json, Path, Unknown], Json]

META: frozenset[str] = frozenset({"apiVersion", "kind", "metadata"})
"""Fields of every object that no schema need name."""


def compile_coercion(root: Node) -> Coerce:
    """What makes of an object what the server would keep; it notes what it drops."""
    return _Compiler().node(root, is_root=True)


class _Compiler:
    """Compiles the nodes of one schema."""

    def __init__(self) -> None:
        self._known: dict[int, Coerce] = {}
        self._nothing = self._node(Node(at=""), is_root=False)

    def node(self, node: Node, *, is_root: bool = False) -> Coerce:
        """What coerces the value of a node: by what it is, whatever it should be."""
        known = self._known.get(id(node))
        if known is None:
            known = self._known[id(node)] = self._node(node, is_root=is_root)
        return known

    def _node(self, node: Node, *, is_root: bool) -> Coerce:
        of_list = self._list(node)
        of_object = self._object(node, is_root=is_root)

        def coerce(value: Json, path: Path, unknown: Unknown) -> Json:
            if value.__class__ is dict:
                return of_object(value, path, unknown)
            return of_list(value, path, unknown) if value.__class__ is list else value

        return coerce

    def _list(self, node: Node) -> Coerce:
        if node.items is None:
            return (lambda value, _path, _unknown: value) if node.preserves else self._drop_below
        below = self.node(node.items)
        if node.preserves and not node.items.preserves:
            # a list that keeps unknown fields lets its items keep theirs
            below = self._node(replace(node.items, preserves=True), is_root=False)
        default = self._default(node.items)
        fills = not node.items.nullable and default is not ABSENT

        def coerce(value: Json, path: Path, unknown: Unknown) -> Json:
            made = [
                below(item, (path, place), unknown) if item is not None or not fills else default
                for place, item in enumerate(value)
            ]
            return made if any(new is not old for new, old in zip(made, value, strict=True)) else value

        return coerce

    def _drop_below(self, value: Json, path: Path, unknown: Unknown) -> Json:
        """A list whose items no schema describes: objects in it lose every field."""
        made = [self._nothing(item, (path, place), unknown) for place, item in enumerate(value)]
        return made if any(new is not old for new, old in zip(made, value, strict=True)) else value

    def _default(self, node: Node) -> Json:
        """The default of a node, with the defaults below it filled in."""
        return ABSENT if node.default is ABSENT else self.node(node)(node.default, None, [])

    def _object(self, node: Node, *, is_root: bool) -> Callable[[JsonObject, Path, Unknown], Json]:
        below = {name: self.node(child) for name, child in node.properties.items()}
        defaults = {name: self._default(child) for name, child in node.properties.items()}
        defaults = {name: default for name, default in defaults.items() if default is not ABSENT}
        embedded = node.embedded or is_root
        rest = None if node.additional is None else self.node(node.additional)
        skipped = META if embedded else frozenset()  # metadata has a schema of its own
        prune, drop_nulls = _pruner(node, frozenset(below) | skipped), self._null_dropper(node)

        def coerce(value: JsonObject, path: Path, unknown: Unknown) -> Json:
            made = value if prune is None else prune(value, path, unknown)
            if None in made.values():
                made = drop_nulls(made)
            changes: JsonObject = {}
            for name, item in made.items():
                kind = item.__class__
                if (kind is dict or kind is list) and name not in skipped:
                    coercer = below.get(name, rest)
                    if coercer is not None:
                        new = coercer(item, (path, name), unknown)
                        if new is not item:
                            changes[name] = new
            for name, default in defaults.items():
                if name not in made:
                    changes[name] = default
            return {**made, **changes} if changes else made

        return coerce

    def _null_dropper(self, node: Node) -> Callable[[JsonObject], JsonObject]:
        """What takes nulls out that stand for nothing; a key of a map may get a default instead."""
        keeps = {name for name, child in node.properties.items() if child.nullable}
        known = frozenset(node.properties)
        rest = node.additional
        default = ABSENT if rest is None else self._default(rest)
        keeps_rest = rest is None or rest.nullable

        def drop(value: JsonObject) -> JsonObject:
            made = {}
            for name, item in value.items():
                if item is not None or (name in keeps if name in known else keeps_rest):
                    made[name] = item
                elif name not in known and default is not ABSENT:
                    made[name] = default
            return made

        return drop


def _pruner(node: Node, known: frozenset[str]) -> Callable[[JsonObject, Path, Unknown], JsonObject] | None:
    """What takes unknown fields out and notes them; `None` where all are kept."""
    if node.preserves or node.additional is not None or node.allows_additional:
        return None

    def prune(value: JsonObject, path: Path, unknown: Unknown) -> JsonObject:
        if known.issuperset(value):
            return value
        unknown.extend((path, name, known) for name in value if name not in known)
        return {name: item for name, item in value.items() if name in known}

    return prune
