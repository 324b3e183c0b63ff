"""Anchors in strategic merge patches: `(field)` and `<(field)` decide, `+(field)` adds only what is not there.

What comes out is a plain patch for one resource. A condition on an element
of a list picks the elements that the rest of it is for, by their names.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base.errors import SpecError
from bartizan.base.json import to_text
from bartizan.engines.policy.mutation import PatchError
from bartizan.lang.overlay import compile_pattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.base.json import Json, JsonObject

_KEY: Final = re.compile(r"([+<=X^])?\((.+)\)", re.DOTALL)
_ABSENT: Final = object()
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
    if not _has_anchors(patch):
        plain = _without_conditions(_copy(patch))
        return lambda _resource: plain

    def resolve(resource: JsonObject) -> JsonObject:
        pattern = _copy(patch)
        try:
            _walk(pattern, resource)
        except (_UnmetError, _UnmetEverywhereError):
            return {}
        return _without_conditions(pattern)

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


def _copy(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _has_anchors(value: Json, wanted: str = "<+") -> bool:
    """Whether a patch has anchors; those with no modifier always count."""
    if isinstance(value, dict):
        for key, item in value.items():
            anchor = _anchor(key) if "(" in key else None
            if anchor is not None and (anchor.modifier in wanted):
                return True
            if _has_anchors(item, wanted):
                return True
        return False
    if isinstance(value, list):
        return any(_has_anchors(item, wanted) for item in value)
    if isinstance(value, str) and "(" in value:
        anchor = _anchor(value)
        return anchor is not None and anchor.decides
    return False


def _has_global(value: Json) -> bool:
    if isinstance(value, dict):
        return any(_is_global(key) or _has_global(item) for key, item in value.items())
    return isinstance(value, list) and any(map(_has_global, value))


def _is_global(key: str) -> bool:
    anchor = _anchor(key)
    return anchor is not None and anchor.modifier == "<"


def _walk(pattern: Json, resource: object) -> None:
    """Settle the anchors below `pattern` against the resource's value there, in place."""
    if isinstance(pattern, dict):
        _settle_additions(pattern, resource)
        _decide(pattern, resource, "<", _UnmetEverywhereError)
        _decide(pattern, resource, "", _UnmetError)
        for key, item in list(pattern.items()):
            if isinstance(item, dict | list) and not _is_settled(key):
                _walk(item, resource.get(key, _ABSENT) if isinstance(resource, dict) else _ABSENT)
    elif isinstance(pattern, list) and pattern and isinstance(pattern[0], dict):
        _walk_elements(pattern, resource)


def _is_settled(key: str) -> bool:
    anchor = _anchor(key) if "(" in key else None
    return anchor is not None and (anchor.decides or anchor.modifier == "+")


def _settle_additions(pattern: JsonObject, resource: object) -> int:
    """Drop `+(field)` where the resource has the field, and make it plain where not; how many there were."""
    found = [(key, anchor.key) for key in pattern if "(" in key and (anchor := _anchor(key)) and anchor.modifier == "+"]
    if found:
        there = resource if isinstance(resource, dict) else {}
        names = {key: (None if name in there else name) for key, name in found}
        settled = {names.get(key, key): item for key, item in pattern.items()}
        settled.pop(None, None)
        pattern.clear()
        pattern.update(settled)  # type: ignore[arg-type]  # None is popped in the line before
    return len(found)


def _decide(pattern: JsonObject, resource: object, modifier: str, unmet: type[Exception]) -> None:
    for key, item in pattern.items():
        anchor = _anchor(key) if "(" in key else None
        if anchor is None or anchor.modifier != modifier:
            continue
        if not isinstance(resource, dict) or anchor.key not in resource:
            raise unmet
        value = resource[anchor.key]
        if isinstance(item, dict) and _settle_additions(item, value):
            continue
        if _condition(to_text(_as_written(item)))(_as_written(value)) is not None:
            raise unmet


def _adds(item: Json) -> bool:
    return isinstance(item, dict) and any((anchor := _anchor(str(key))) and anchor.modifier == "+" for key in item)


@lru_cache(maxsize=1024)
def _condition(text: str) -> Callable[[Json], object]:
    """The pattern of a condition, compiled."""
    import msgspec

    return compile_pattern(msgspec.json.decode(text)).check


def _as_written(value: Json) -> Json:
    """A plain value is compared as it is written, so that true and "true" are the same to a condition."""
    if isinstance(value, dict | list | str):
        return value
    return to_text(value)


def _walk_elements(pattern: list[Json], resource: object) -> None:
    """A list of maps: each element with anchors is tried on each of the resource's, and copied for those it is for."""
    absent = resource is _ABSENT
    if not absent and resource is not None and not isinstance(resource, list):
        raise PatchError("the patch has a list where the object has none")
    elements = resource if isinstance(resource, list) else []
    for item in list(pattern):
        if not _has_anchors(item):
            continue
        is_global = _has_global(item)
        passed, failed = False, False
        trial = _copy(item)
        # INVARIANT: one copy for all elements: what the first of them settles stays settled, as Kyverno has it
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
                _name(pattern, trial, element)
        if failed and not (passed and is_global):
            raise _UnmetEverywhereError


def _name(pattern: list[Json], trial: Json, element: object) -> None:
    """Add the patch for one element, known by its name; an element without one cannot be patched."""
    name = element.get("name") if isinstance(element, dict) else None
    if name is None or name in ({}, []):
        return
    made = _copy(trial)
    if isinstance(made, dict) and not _strip_map(made):
        made["name"] = name
        pattern.append(made)


def _without_conditions(pattern: JsonObject) -> JsonObject:
    """The plain patch: conditions have done their work, and what they leave empty would delete what is there."""
    for key, item in list(pattern.items()):
        anchor = _anchor(key) if "(" in key else None
        decides = anchor is not None and anchor.decides
        if _strip(item, deletes=decides):
            del pattern[key]
        elif anchor is not None and decides:
            pattern[anchor.key] = pattern.pop(key)
    return pattern


def _strip(value: Json, *, deletes: bool) -> bool:
    """Take the anchors out of a value; whether nothing is left of it."""
    if isinstance(value, dict):
        return _strip_map(value)
    return _strip_list(value) if isinstance(value, list) else deletes


def _strip_map(value: JsonObject) -> bool:
    for key in [key for key in value if "(" in key]:
        anchor = _anchor(key)
        if anchor is None or not anchor.decides:
            continue
        if _strip(value[key], deletes=True):
            del value[key]
        else:
            value[anchor.key] = value.pop(key)
    empty = True
    for key, item in list(value.items()):
        if _strip(item, deletes=False):
            del value[key]
        else:
            empty = False
    return empty


def _strip_list(value: list[Json]) -> bool:
    if not value:
        return False
    value[:] = [item for item in value if not _has_anchors(item) and not _strip(item, deletes=False)]
    return not value
