"""The order of lists, given back after a patch.

A strategic merge puts the elements it patches first, as the peer does at
admission. In a file that would move whole containers for a field in one of
them, and for init containers it would change in which order they run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bartizan.base.json import Json

_NAMES: Final = ("name", "containerPort", "mountPath", "devicePath", "key", "port", "ip", "topologyKey")


def in_order(before: Json, after: Json) -> Json:
    """`after`, with the elements of its lists where they stood in `before`, and sharing what is the same."""
    if before is after:
        return before
    if isinstance(before, dict) and isinstance(after, dict):
        body = {key: in_order(before[key], item) if key in before else item for key, item in after.items()}
        unchanged = len(body) == len(before) and all(
            key in before and item is before[key] for key, item in body.items()
        )
        return before if unchanged else body
    if isinstance(before, list) and isinstance(after, list):
        items = _ordered(before, after)
        if len(items) == len(before):
            items = [in_order(old, new) for old, new in zip(before, items, strict=True)]
            return before if all(old is new for old, new in zip(before, items, strict=True)) else items
        return items
    return before if type(before) is type(after) and before == after else after


def _ordered(before: list[Json], after: list[Json]) -> list[Json]:
    """The elements that were there in their old order; a new one behind the one it came behind, or in front."""
    name = _name(before, after)
    if not name:
        return after
    places = {item[name]: place for place, item in enumerate(before)}
    kept = sorted((item for item in after if item[name] in places), key=lambda item: places[item[name]])
    items = [in_order(before[places[item[name]]], item) for item in kept]
    names = [item[name] for item in items]
    for number, item in enumerate(after):
        if item[name] not in places:
            at = names.index(after[number - 1][name]) + 1 if number else 0
            items.insert(at, item)
            names.insert(at, item[name])
    return items


def _name(before: list[Json], after: list[Json]) -> str:
    """A field by which all elements of both are told apart."""
    for name in _NAMES:
        values = [[item.get(name) if isinstance(item, dict) else None for item in items] for items in (before, after)]
        if all(isinstance(value, str | int) for held in values for value in held) and all(
            len(set(held)) == len(held) for held in values
        ):
            return name
    return ""
