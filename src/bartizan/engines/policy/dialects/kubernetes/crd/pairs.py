"""A value and what it was before an update, as far as the schema tells which was which.

Source: `CorrelatedObject` of `k8s.io/apiserver/pkg/cel/common`: fields and
keys belong together, items of a list where it is a map by keys, and what the
schema does not know belongs to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kubernetes.crd.nodes import Node

_SCALARS: Final = frozenset({str, int, float, bool})


class Pair:
    """One value with its older self. What is asked twice is worked out once."""

    __slots__ = ("_below", "_by_key", "_unchanged", "node", "old", "value")

    def __init__(self, value: Json, old: Json, node: Node) -> None:
        self.value = value
        self.old = old
        self.node = node
        self._below: dict[str | int, Pair | None] = {}
        self._by_key: dict[Any, Json] | None = None
        self._unchanged: bool | None = None

    def key(self, name: str) -> Pair | None:
        """The pair of a field or key; `None` where there is none."""
        if name not in self._below:
            self._below[name] = self._of_key(name)
        return self._below[name]

    def _of_key(self, name: str) -> Pair | None:
        if not isinstance(self.old, dict) or not isinstance(self.value, dict):
            return None
        node = self.node.properties.get(name) or self.node.additional
        if name not in self.old or name not in self.value or node is None:
            return None
        return Pair(self.value[name], self.old[name], node)

    def index(self, place: int) -> Pair | None:
        """The pair of an item; `None` where there is none."""
        if place not in self._below:
            self._below[place] = self._of_index(place)
        return self._below[place]

    def _of_index(self, place: int) -> Pair | None:
        if not isinstance(self.old, list) or not isinstance(self.value, list) or self.node.items is None:
            return None
        if self._by_key is None:
            self._by_key = keyed(self.node, self.old)
        old = self._by_key.get(key_of(self.node, self.value[place]))
        return None if old is None else Pair(self.value[place], old, self.node.items)

    def unchanged(self) -> bool:
        """Whether the value is what it was."""
        if self._unchanged is None:
            self._unchanged = self._compare()
        return self._unchanged

    def _compare(self) -> bool:
        value, old = self.value, self.old
        if value.__class__ is not old.__class__:
            return False
        if isinstance(value, dict):
            pairs = [self.key(name) for name in value] if len(value) == len(old) else [None]
        elif isinstance(value, list):
            if len(value) != len(old):
                return False
            if not is_keyed(self.node):
                return identical(value, old)
            pairs = [self.index(place) for place in range(len(value))]
        else:
            return bool(value == old)
        return all(pair is not None and pair.unchanged() for pair in pairs)


def is_keyed(node: Node) -> bool:
    """Whether the items of a list are known by their keys."""
    return node.type == "array" and node.list_type == "map" and bool(node.list_keys)


def key_of(node: Node, item: Json) -> Any:
    """What an item of a keyed list is known by; `None` where it is by nothing."""
    if not is_keyed(node) or not isinstance(item, dict):
        return None
    parts = [item.get(key) for key in node.list_keys]
    if not all(part.__class__ in _SCALARS for part in parts):
        return None
    return tuple((part.__class__, part) for part in parts)


def keyed(node: Node, items: Json) -> dict[Any, Json]:
    """Items of a list by their keys; of two with the same, the first counts."""
    found: dict[Any, Json] = {}
    for item in items if isinstance(items, list) else ():
        key = key_of(node, item)
        if key is not None:
            found.setdefault(key, item)
    return found


def identical(left: Json, right: Json) -> bool:
    """Equality to the type: 1 is not 1.0, and not true."""
    if left.__class__ is not right.__class__:
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(identical(item, right[key]) for key, item in left.items())
    if isinstance(left, list):
        return len(left) == len(right) and all(map(identical, left, right))
    return bool(left == right)


def in_order(node: Node, value: Json, old: Json) -> Json:
    """An older value with sets and keyed lists in the order of the newer one, for their order says nothing.

    So are `self.ports == oldSelf.ports` and `self == oldSelf` what they are
    in the server, which compares such lists without their order.
    """
    if isinstance(value, dict) and isinstance(old, dict):
        made = {}
        for name, item in old.items():
            child = node.properties.get(name) or node.additional
            made[name] = item if child is None or name not in value else in_order(child, value[name], item)
        return made if any(made[name] is not item for name, item in old.items()) else old
    if not isinstance(value, list) or not isinstance(old, list) or len(value) != len(old) or node.items is None:
        return old
    keys, by_key = _keys(node, value, old)
    if len({*keys}) != len(old) or not all(key in by_key for key in keys):
        return old
    below = [in_order(node.items, item, by_key[key]) for item, key in zip(value, keys, strict=True)]
    return below if any(new is not item for new, item in zip(below, old, strict=True)) else old


def _keys(node: Node, value: list[Json], old: list[Json]) -> tuple[list[Any], dict[Any, Json]]:
    """What the items of two lists are known by: the newer ones in order, the older ones by it."""
    if is_keyed(node):
        return [key_of(node, item) for item in value], keyed(node, old)
    if node.list_type == "set":
        return [_scalar(item) for item in value], {_scalar(item): item for item in old}
    places: list[Any] = list(range(len(old)))
    return places, dict(zip(places, old, strict=True))


def _scalar(item: Json) -> Any:
    return None if isinstance(item, list | dict) else (item.__class__, item)
