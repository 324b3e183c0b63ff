"""Structured merge: an apply configuration into an object, as server-side apply does it.

Lists and maps merge or are replaced as their types say. What comes out shares
with the object all that did not change. Source of the rules:
structured-merge-diff, `typed/merge.go`; the order of elements follows from
how it walks two lists at once.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from bartizan.engines.policy.mutation.errors import PatchError
from bartizan.engines.policy.mutation.same import same
from bartizan.engines.policy.mutation.structured_fit import atomics, check_fit, key_of
from bartizan.engines.policy.mutation.structured_types import ANYTHING

if TYPE_CHECKING:
    from bartizan.base.json import Json
    from bartizan.engines.policy.mutation.structured_fit import Key
    from bartizan.engines.policy.mutation.structured_types import ListShape, MapShape, Shape


class _Nothing(Enum):
    """What is not there, which null is not."""

    NOTHING = "nothing"


_NOTHING: Final = _Nothing.NOTHING


def apply_configuration(live: Json, patch: Json, shape: Shape, *, guard: bool = True, check_live: bool = True) -> Json:
    """Merge an apply configuration into an object of a type.

    `guard` refuses to change lists, maps and objects that are one value, as
    admission policies do and server-side apply does not. An object that the
    API server has read need not be checked.

    Raises:
        PatchError: one of them does not fit the type, or the configuration changes what is guarded.
    """
    try:
        check_fit(patch, shape)
    except PatchError as error:
        raise PatchError(f"failed to convert patch object to typed object: {error.message}") from error
    if guard:
        found = ", ".join(atomics(patch, shape))
        if found:
            raise PatchError(f"invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: {found}")
    if check_live:
        try:
            check_fit(live, shape, duplicates=True)
        except PatchError as error:
            raise PatchError(f"failed to convert original object to typed object: {error.message}") from error
    merged = merge_structured(live, patch, shape)
    return live if merged is _NOTHING else merged


def merge_structured(live: Any, patch: Any, shape: Shape) -> Any:
    """Merge two values that fit a type."""
    if patch is _NOTHING or patch is live:
        return live
    if live is _NOTHING:
        return patch
    if isinstance(patch, dict) or (patch is None and shape.map is not None):
        return _merged_maps(live, patch, shape.map)
    if isinstance(patch, list) or (patch is None and shape.scalar is None):
        return _merged_lists(live, patch, shape.list)
    return live if same(live, patch) else patch


def _merged_maps(live: Any, patch: Any, shape: MapShape | None) -> Any:
    """Merge maps field by field; null, and what is no map, has no fields."""
    old = live if isinstance(live, dict) else {}
    new = patch or {}
    if shape is None or shape.atomic or not (old or new):
        return live if same(live, patch) else patch
    changed = {}
    for name, item in new.items():
        before = old.get(name, _NOTHING)
        after = merge_structured(before, item, shape.of(name) or ANYTHING)
        if after is not before:
            changed[name] = after
    if not changed and old:
        return live
    merged = {name: item for name, item in {**old, **changed}.items() if item is not _NOTHING}
    return merged or _NOTHING


def _merged_lists(live: Any, patch: Any, shape: ListShape | None) -> Any:
    """Merge lists element by element; null, and what is no list, has no elements."""
    old = live if isinstance(live, list) else []
    new = patch or []
    if shape is None or shape.atomic or not (old or new):
        return live if same(live, patch) else patch
    if not new:
        return live
    merged = _walked(old, new, shape) if old else new
    if len(merged) == len(old) and all(one is other for one, other in zip(merged, old, strict=True)):
        return live
    return merged or _NOTHING


class _Elements:
    """The elements of one list by what tells them apart; those that are there twice stand for null."""

    def __init__(self, items: list[Any], shape: ListShape) -> None:
        self.keys: list[Key] = []
        self.by_key: dict[Key, Any] = {}
        for index, item in enumerate(items):
            try:
                key = key_of(item, shape)
            except PatchError:
                key = ("", index)  # an object that was not checked: the element stays as it is
            self.keys.append(key)
            self.by_key[key] = None if key in self.by_key else item


def _walked(old: list[Any], new: list[Any], shape: ListShape) -> list[Any]:
    """Walk both lists at once: the patch orders what it names, other elements stay between their neighbours."""
    left, right = _Elements(old, shape), _Elements(new, shape)
    shared = iter([key for key in right.keys if key in left.by_key])
    due = next(shared, None)
    done: set[Key] = set()
    merged: list[Any] = []
    i = j = 0
    while i < len(old) or j < len(new):
        both = i < len(old) and j < len(new)
        key = left.keys[i] if i < len(old) else right.keys[j]
        if both and key == right.keys[j]:
            i += 1
            due = None  # the next one is due, whichever this one was
        elif both and key in right.by_key and due not in (None, key):
            i += 1
            continue
        elif i < len(old) and key not in right.by_key:
            merged.append(old[i])
            i += 1
            continue
        elif i < len(old) and key in done:
            i += 1
        if j == len(new):
            continue
        key = right.keys[j]
        merged.append(merge_structured(left.by_key.get(key, _NOTHING), new[j], shape.element))
        done.add(key)
        j += 1
        if due in (None, key):
            due = next(shared, None)
    return [item for item in merged if item is not _NOTHING]
