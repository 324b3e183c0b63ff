"""Which elements of a list are the same ones after a change, so that one put in front does not rewrite the rest."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final, TypeAlias

import orjson

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from bartizan.base.json import Json

Pair: TypeAlias = "tuple[int | None, int | None]"
"""Numbers of an element before and after; without the first it is new, without the second gone."""

_NAMES: Final = ("name", "key", "mountPath", "containerPort", "port", "ip", "path", "host", "topologyKey", "kind")
_LARGEST: Final = 250_000
"""Comparisons of two lists beyond which they are aligned by place only: alike elements make them all needed."""


def same(left: Json, right: Json) -> bool:
    """Whether two values are the same JSON: unlike Python's `==`, true is not 1."""
    if left is right:
        return True
    if isinstance(left, bool) or isinstance(right, bool):
        return False
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(item, right[key]) for key, item in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def align(before: Sequence[Json], after: Sequence[Json]) -> list[Pair]:
    """Pairs in the order of the text: what stays, what is gone, what is new."""
    start = 0
    while start < len(before) and start < len(after) and same(before[start], after[start]):
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and same(before[-1 - end], after[-1 - end]):
        end += 1
    pairs: list[Pair] = [(i, i) for i in range(start)]
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    pairs += [(None if i is None else i + start, None if j is None else j + start) for i, j in _middle(old, new)]
    pairs += [(len(before) - end + i, len(after) - end + i) for i in range(end)]
    return pairs


def _middle(before: Sequence[Json], after: Sequence[Json]) -> list[Pair]:
    if len(before) * len(after) > _LARGEST or _keeps_places(before, after):
        return _by_place(range(len(before)), range(len(after)), before, after)
    name = _name(before, after)
    left: list[Hashable] = [_known(item, name) for item in before]
    right: list[Hashable] = [_known(item, name) for item in after]
    pairs: list[Pair] = []
    for word, i, until_i, j, until_j in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if word == "equal":
            pairs += zip(range(i, until_i), range(j, until_j), strict=True)
        elif name:
            pairs += _renamed(range(i, until_i), range(j, until_j), before, after)
        else:
            pairs += _by_place(range(i, until_i), range(j, until_j), before, after)
    return pairs


def _keeps_places(before: Sequence[Json], after: Sequence[Json]) -> bool:
    """Whether half of the elements stand where they stood, and none is new or gone."""
    if len(before) != len(after):
        return False
    return sum(map(same, before, after)) * 2 >= len(before) > 0


def _renamed(old: range, new: range, before: Sequence[Json], after: Sequence[Json]) -> list[Pair]:
    """Elements whose names differ are others, unless half of what they say is the same."""
    pairs: list[Pair] = []
    next_old = old.start
    for j in new:
        found = next((i for i in range(next_old, old.stop) if _alike(before[i], after[j])), None)
        if found is None:
            pairs.append((None, j))
            continue
        pairs += [(i, None) for i in range(next_old, found)]
        pairs.append((found, j))
        next_old = found + 1
    return [*pairs, *((i, None) for i in range(next_old, old.stop))]


def _alike(left: dict[str, Json], right: dict[str, Json]) -> bool:
    shared = sum(1 for key, item in left.items() if key in right and same(item, right[key]))
    return shared * 2 >= max(len(left), len(right))


def _by_place(old: range, new: range, before: Sequence[Json], after: Sequence[Json]) -> list[Pair]:
    """The first with the first, as long as they are of one kind."""
    pairs: list[Pair] = []
    paired = 0
    for i, j in zip(old, new, strict=False):
        if type(before[i]) is not type(after[j]) and isinstance(before[i], dict | list) != isinstance(
            after[j], dict | list
        ):
            break
        pairs.append((i, j))
        paired += 1
    pairs += [(i, None) for i in old[paired:]]
    pairs += [(None, j) for j in new[paired:]]
    return pairs


def _name(before: Sequence[Json], after: Sequence[Json]) -> str:
    """A field by which all elements of both lists are told apart."""
    both = (before, after)
    if not before or not after or not all(isinstance(item, dict) for items in both for item in items):
        return ""
    for name in _NAMES:
        held = [[item.get(name) for item in items] for items in both]
        if all(isinstance(value, str | int) for values in held for value in values) and all(
            len(set(values)) == len(values) for values in held
        ):
            return name
    return ""


def _known(item: Json, name: str) -> Hashable:
    return str(item[name]) if name else orjson.dumps(item, option=orjson.OPT_SORT_KEYS)
