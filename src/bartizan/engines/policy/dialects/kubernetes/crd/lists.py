"""Lists that are sets or maps: nothing may be in one twice.

Source: `listtype` of `k8s.io/apiextensions-apiserver`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bartizan.engines.policy.dialects.kubernetes.crd.problems import FieldProblem, Path, duplicate, invalid, json_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kubernetes.crd.descent import Visit
    from bartizan.engines.policy.dialects.kubernetes.crd.nodes import Node


def list_check(node: Node) -> Visit | None:
    """What a node demands of the list that it is of; `None` where that is nothing."""
    if node.list_type == "set":
        return _check_set
    return _map_check(node.list_keys) if node.list_type == "map" else None


def _check_set(value: Json, path: Path, found: list[FieldProblem]) -> None:
    if value.__class__ is list:
        found.extend(duplicate((path, place), value[place]) for place in _repeated(value))


def _map_check(keys: tuple[str, ...]) -> Visit:
    def check(value: Json, path: Path, found: list[FieldProblem]) -> None:
        if value.__class__ is not list:
            return
        for place, item in enumerate(value):
            if item is not None and item.__class__ is not dict:
                found.append(invalid((path, place), item, "must be an object for an array of list-type map"))
                return
        known: list[Json] = [{key: item[key] for key in keys if key in item} if item else {} for item in value]
        found.extend(duplicate((path, place), known[place]) for place in _repeated(known))

    return check


def _repeated(items: Sequence[Json]) -> list[int]:
    """The places of what is there already; what is there three times is named once."""
    seen: dict[Any, int] = {}
    places: list[int] = []
    for place, item in enumerate(items):
        # 1 and 1.0 and true are three things
        key = (item.__class__, json_text(item) if item.__class__ in (list, dict) else item)
        times = seen[key] = seen.get(key, 0) + 1
        if times == 2:
            places.append(place)
    return places
