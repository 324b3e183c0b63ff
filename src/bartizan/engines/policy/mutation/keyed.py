"""Lists merged by keys that some elements lack, as kustomize has it.

A port without its protocol, a container without its name: what becomes of
such elements follows from how kustomize looks them up and puts them back,
one by one. The rules are kept here in that order; what they are for cannot
be told from any one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from enum import Enum

    from bartizan.base.json import Json

    Key = tuple[str, ...]

_WORDS: Final[dict[str, Json]] = {"true": True, "false": False, "null": None}


class _Box:
    """An element that may be changed in place, in whichever list it stands."""

    __slots__ = ("value",)

    def __init__(self, value: Json) -> None:
        self.value = value


def scalar_text(value: Json) -> str:
    """A plain value as YAML writes it; empty for null and for what is no plain value."""
    if isinstance(value, str):
        return value
    if value is True or value is False:
        return "true" if value else "false"
    return "" if value is None or isinstance(value, dict | list) else str(value)


def merge_loosely(
    old: list[Json],
    patch: list[Json],
    keys: Key,
    merge: Callable[[Json | Enum, Json | Enum], Json | Enum],
    missing: Enum,
) -> list[Json]:
    """Merge two lists of which some element lacks a key; `merge` merges two elements, `missing` is no element.

    A list that is new to the object is merged with itself, as one and the
    same list.
    """
    before = [_Box(item) for item in old]
    wanted = before if old is patch else [_Box(item) for item in patch]
    known = _joined([*dict.fromkeys(_values(box, keys) for box in (*wanted, *before))])
    made: list[_Box] = []
    names: Key = keys
    for values in known:
        names, found = _usable(known, values, keys)
        box, other = (_find(boxes, *_usable([found], found, names)) for boxes in (before, wanted))
        value = merge(box.value if box else missing, other.value if other else missing)
        if value is missing or value is None or value == {}:
            before = _put(before, None, names, found)
            continue
        box = box or _Box(value)
        box.value = _with_keys(value, names, found)
        made = _put(made, box, names, found)
    return [box.value for box in _put_back(made, before, names)]


def _values(box: _Box, keys: Key) -> Key:
    item = box.value
    return tuple(scalar_text(item.get(key)) if isinstance(item, dict) else "" for key in keys)


def _joined(known: list[Key]) -> list[Key]:
    """Keys that only differ where one of them says nothing are one key."""
    if known and len(known[0]) > 1:
        for i, left in enumerate(known):
            for j, right in enumerate(known):
                both = _agreed(left, right)
                if both is not None:
                    known[i] = known[j] = both
    return known


def _agreed(left: Key, right: Key) -> Key | None:
    if not any(a == b for a, b in zip(left, right, strict=True)):
        return None
    if any(a != b and a and b for a, b in zip(left, right, strict=True)):
        return None
    return tuple(a or b for a, b in zip(left, right, strict=True))


def _usable(known: Sequence[Key], values: Key, keys: Key) -> tuple[Key, Key]:
    """The keys that any element has, with the values of this one; all keys where none has any."""
    used = [any(item[index] for item in known) for index in range(len(keys))]
    if not any(used):
        return keys, values
    return (
        tuple(key for key, use in zip(keys, used, strict=True) if use),
        tuple(value for value, use in zip(values, used, strict=True) if value or use),
    )


def _find(boxes: list[_Box], keys: Key, values: Key) -> _Box | None:
    """The first element that has the values."""
    for box in boxes:
        item = box.value
        if isinstance(item, dict) and all(
            key in item and scalar_text(item[key]) == value for key, value in zip(keys, values, strict=True)
        ):
            return box
    return None


def _has(item: dict[str, Json], key: str, value: str) -> bool:
    """Whether an element has a value; where that is empty, whether it has the key at all."""
    return key in item and (not value or scalar_text(item[key]) == value)


def _put(boxes: list[_Box], new: _Box | None, keys: Key, values: Key) -> list[_Box]:
    """Put an element in the place of those that have its values, or at the end; `None` takes them away."""
    kept: list[_Box] = []
    found = False
    for box in boxes:
        item = box.value
        if item is None or item == {}:
            continue
        if not isinstance(item, dict):
            kept.append(box)
        elif not values or not all(_has(item, key, value) for key, value in zip(keys, values, strict=False)):
            if values:
                kept.append(box)
        else:
            found = True
            if new is not None:
                kept.append(new)
    if new is not None and not found:
        kept.append(new)
    return kept


def _put_back(made: list[_Box], before: list[_Box], keys: Key) -> list[_Box]:
    """What was there goes behind what the patch made; an element without its key wipes out what has one."""
    for box in before:
        item = box.value
        values: list[str] = []
        for key in keys:
            if not isinstance(item, dict) or key not in item or item[key] is None:
                made = [*made, box]
            else:
                values.append(scalar_text(item[key]))
        if len(keys) > 1:
            made = _put(made, None, keys, tuple(values))
        made = _put(made, box, keys, tuple(values))
    return made


def _with_keys(value: Json, keys: Key, values: Key) -> Json:
    """The element with the keys it was found by."""
    if not isinstance(value, dict):
        return value
    lacking = {key: _scalar(text) for key, text in zip(keys, values, strict=True) if text and key not in value}
    return {**value, **lacking} if lacking else value


def _scalar(text: str) -> Json:
    """What YAML reads in a plain word."""
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if text.removeprefix("-").isdecimal() and text.isascii() else text
