"""Anchors in strategic merge patches: `(field)` and `<(field)` decide, `+(field)` adds only what is not there.

What comes out is a plain patch for one resource. A condition on an element
of a list picks the elements that the rest of it is for, by their names.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import msgspec

from bartizan.base.errors import SpecError
from bartizan.base.json import to_text
from bartizan.engines.policy.mutation import PatchError
from bartizan.lang.overlay import compile_pattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.base.json import Json, JsonObject

_KEY: Final = re.compile(r"([+<=X^])?\((.+)\)", re.DOTALL)
_ABSENT: Final = object()
_GONE: Final = object()
_MEANT: Final = frozenset({"", "<", "+"})
"""The anchors that mean something in a patch; other words in parentheses are part of a key."""
MAX_DEPTH: Final = 64
"""Maps and lists inside each other; Kubernetes' own deepest objects stay below 20."""


class _Anchor(NamedTuple):
    modifier: str
    key: str

    @property
    def decides(self) -> bool:
        return self.modifier in ("", "<")


class _UnmetError(Exception):
    """A condition does not hold: the element is left alone, or the patch where it stands in no list."""


class _UnmetEverywhereError(Exception):
    """A global condition does not hold: the whole patch is left alone."""


_UNMET: Final[tuple[tuple[str, type[Exception]], ...]] = (("<", _UnmetEverywhereError), ("", _UnmetError))


@lru_cache(maxsize=4096)
def _anchor(text: str) -> _Anchor | None:
    match = _KEY.fullmatch(text.strip())
    return _Anchor(match.group(1) or "", match.group(2)) if match else None


def compile_anchors(patch: Json, at: str) -> Callable[[JsonObject], JsonObject]:
    """Compile a patch, which stands at `at`, to a function from a resource to the plain patch for it.

    An empty patch changes nothing: a condition did not hold. The function
    raises `PatchError` where a list of the patch meets something else.

    Raises:
        SpecError: it is no mapping, nests too deep, or a condition in it is no pattern.
    """
    if not isinstance(patch, dict):
        raise SpecError("a strategic merge patch is a mapping", pointer=at, hint="Write it in the object's shape.")
    _check(patch, at, 0)
    tree = _build(patch)
    if isinstance(tree, _Plain):
        plain = {} if tree.gone else tree.value
        return lambda _resource: plain

    def resolve(resource: JsonObject) -> JsonObject:
        trial = _copied(tree)
        try:
            _walk(trial, resource)
        except (_UnmetError, _UnmetEverywhereError):
            return {}
        made = _as_patch(trial, deletes=False)
        return made if isinstance(made, dict) else {}

    return resolve


def _check(patch: Json, at: str, depth: int) -> None:
    """Refuse what could only fail later, request by request."""
    if depth > MAX_DEPTH:
        raise SpecError(f"a patch nests deeper than {MAX_DEPTH} levels", pointer=at, hint="Split the rule.")
    if isinstance(patch, list):
        for index, item in enumerate(patch):
            _check(item, f"{at}/{index}", depth + 1)
    if not isinstance(patch, dict):
        return
    for key, item in patch.items():
        anchor = _anchor(str(key))
        if anchor and anchor.decides and not _adds(item):
            try:
                _condition(to_text(_as_written(item)))
            except SpecError as error:
                raise SpecError(error.message, pointer=f"{at}/{key}{error.pointer}", hint=error.hint) from error
        _check(item, f"{at}/{key}", depth + 1)


class _Plain(NamedTuple):
    """A part of a patch without anchors, as it goes into the patch; `gone` is what would only delete what is there."""

    value: Json
    gone: bool = False
    anchored: bool = False
    """Whether it is a text in the form of an anchor, which no list keeps."""


class _Entry(NamedTuple):
    """A key of a map, taken apart; `wanted` is the pattern of a condition."""

    key: str
    anchor: _Anchor | None
    child: _Node
    wanted: Json


class _Map:
    """A map with anchors in it or below."""

    __slots__ = ("adds", "entries")

    def __init__(self, entries: list[_Entry], *, adds: bool) -> None:
        self.entries = entries
        self.adds = adds


class _List:
    """A list with anchors below. Elements with anchors are tried, and give way to plain ones."""

    __slots__ = ("items", "maps")

    def __init__(self, items: list[_Node], *, maps: bool) -> None:
        self.items = items
        self.maps = maps
        """Whether it is a list of maps; of others nothing is tried."""


_Node: TypeAlias = "_Plain | _Map | _List"


def _build(value: Json) -> _Node:
    anchored = _has_anchors(value)
    if isinstance(value, dict) and anchored:
        entries = [_entry(key, item) for key, item in value.items()]
        return _Map(entries, adds=any(entry.anchor is not None and entry.anchor.modifier == "+" for entry in entries))
    if isinstance(value, list) and anchored:
        return _List([_build(item) for item in value], maps=isinstance(value[0], dict))
    tidy = _tidy(value)
    return _Plain(tidy, _is_gone(value, tidy), anchored)


def _entry(key: str, item: Json) -> _Entry:
    anchor = _anchor(key) if "(" in key else None
    return _Entry(key, anchor, _build(item), item if anchor is not None and anchor.decides else None)


def _tidy(value: Json) -> Json:
    """A plain part of a patch without the maps that are empty, and the lists that come to be."""
    if isinstance(value, dict):
        items = ((key, item, _tidy(item)) for key, item in value.items())
        return {key: tidy for key, item, tidy in items if not _is_gone(item, tidy)}
    if isinstance(value, list):
        return [tidy for item, tidy in ((item, _tidy(item)) for item in value) if not _is_gone(item, tidy)]
    return value


def _is_gone(value: Json, tidy: Json) -> bool:
    """An empty map goes, and so does a list that has become empty; a list that was written as empty stays."""
    return not tidy and (isinstance(value, dict) or (isinstance(value, list) and bool(value)))


def _copied(node: _Node) -> _Node:
    """A copy to settle anchors in; what has none is shared."""
    if node.__class__ is _Plain:
        return node
    if isinstance(node, _Map):
        entries = [
            entry if entry.child.__class__ is _Plain else entry._replace(child=_copied(entry.child))
            for entry in node.entries
        ]
        return _Map(entries, adds=node.adds)
    assert isinstance(node, _List)  # noqa: S101 (for the type checker: there is no fourth)
    return _List([_copied(item) for item in node.items], maps=node.maps)


def _has_anchors(value: Json) -> bool:
    """Whether a part of a patch has anchors that mean something to a patch, at whatever depth."""
    if isinstance(value, dict):
        return any(
            (("(" in key and (anchor := _anchor(key)) is not None and anchor.modifier in _MEANT) or _has_anchors(item))
            for key, item in value.items()
        )
    if isinstance(value, list):
        return any(map(_has_anchors, value))
    anchor = _anchor(value) if isinstance(value, str) and "(" in value else None
    return anchor is not None and anchor.decides


def _has_global(node: _Node) -> bool:
    if isinstance(node, _Map):
        return any(
            (entry.anchor and entry.anchor.modifier == "<") or _has_global(entry.child) for entry in node.entries
        )
    return isinstance(node, _List) and any(map(_has_global, node.items))


def _walk(node: _Node, resource: object) -> None:
    """Settle the anchors of a part against the resource's value there, in place."""
    if isinstance(node, _Map):
        if node.adds:
            _settle_additions(node, resource)
        _decide(node, resource)
        for entry in node.entries:
            child = entry.child
            if child.__class__ is not _Plain and (entry.anchor is None or entry.anchor.modifier not in _MEANT):
                _walk(child, resource.get(entry.key, _ABSENT) if isinstance(resource, dict) else _ABSENT)
    elif isinstance(node, _List) and node.maps:
        _walk_elements(node, resource)


def _settle_additions(node: _Map, resource: object) -> None:
    """Drop `+(field)` where the resource has the field, and make it plain where not."""
    there = resource if isinstance(resource, dict) else {}
    settled: list[_Entry] = []
    for entry in node.entries:
        anchor = entry.anchor
        if anchor is None or anchor.modifier != "+":
            settled.append(entry)
        elif anchor.key not in there:
            settled.append(_Entry(anchor.key, None, entry.child, None))
    node.entries = settled
    node.adds = False


def _decide(node: _Map, resource: object) -> None:
    """Try the conditions of a map, those about everything first."""
    for modifier, unmet in _UNMET:
        for entry in node.entries:
            anchor = entry.anchor
            if anchor is not None and anchor.modifier == modifier and not _holds(entry, anchor.key, resource):
                raise unmet


def _holds(entry: _Entry, key: str, resource: object) -> bool:
    if not isinstance(resource, dict) or key not in resource:
        return False
    value = resource[key]
    if isinstance(entry.child, _Map) and entry.child.adds:
        _settle_additions(entry.child, value)
        return True
    return _condition(to_text(_as_written(entry.wanted)))(_as_written(value)) is None


def _adds(item: Json) -> bool:
    return isinstance(item, dict) and any((anchor := _anchor(str(key))) and anchor.modifier == "+" for key in item)


@lru_cache(maxsize=1024)
def _condition(text: str) -> Callable[[Json], object]:
    """The pattern of a condition, compiled."""
    return compile_pattern(msgspec.json.decode(text)).check


def _as_written(value: Json) -> Json:
    """A plain value is compared as it is written, so that true and "true" are the same to a condition."""
    return value if isinstance(value, dict | list | str) else to_text(value)


def _walk_elements(node: _List, resource: object) -> None:
    """A list of maps: each element with anchors is tried on each of the resource's, and copied for those it is for."""
    absent = resource is _ABSENT
    if not absent and resource is not None and not isinstance(resource, list):
        raise PatchError("the patch has a list where the object has none")
    elements = resource if isinstance(resource, list) else []
    for item in list(node.items):
        if item.__class__ is _Plain:
            continue
        is_global = _has_global(item)
        passed, failed = False, False
        # INVARIANT: one copy for all elements: what the first of them settles stays settled, as Kyverno has it
        trial = _copied(item)
        for element in (_ABSENT,) if absent else elements:
            try:
                _walk(trial, element)
            except _UnmetError:
                continue
            except _UnmetEverywhereError:
                failed = True
                continue
            passed = True
            if not is_global and not absent:
                _name(node, trial, element)
        if failed and not (passed and is_global):
            raise _UnmetEverywhereError


def _name(node: _List, trial: _Node, element: object) -> None:
    """Add the patch for one element, known by its name; an element without one cannot be patched."""
    name = element.get("name") if isinstance(element, dict) else None
    if name is None or name in ({}, []):
        return
    made = _as_patch(trial, deletes=False)
    if isinstance(made, dict):
        node.items.append(_Plain({**made, "name": name}))


def _as_patch(node: _Node, *, deletes: bool) -> Json:
    """The plain patch: conditions have done their work, and what they leave empty would delete what is there."""
    if isinstance(node, _Plain):
        if isinstance(node.value, dict | list):
            return _GONE if node.gone else node.value
        return _GONE if deletes else node.value
    if isinstance(node, _Map):
        made: JsonObject = {}
        for entry in node.entries:
            decides = entry.anchor is not None and entry.anchor.decides
            value = _as_patch(entry.child, deletes=decides)
            if value is not _GONE:
                made[entry.anchor.key if decides and entry.anchor else entry.key] = value
        return made or _GONE
    items = [item.value for item in node.items if isinstance(item, _Plain) and not item.anchored and not item.gone]
    return items or _GONE
