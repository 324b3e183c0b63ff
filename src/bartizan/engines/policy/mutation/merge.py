"""Strategic merge: a patch in the shape of the object, lists merged by the keys their kinds declare.

What kustomize does, for policies were written against it: an element of the
patch goes before those that were there, a null removes, `$patch` replaces or
deletes. Kinds that nobody knows have lists that are replaced as a whole.
See https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, TypeAlias

from bartizan.base.json import to_text
from bartizan.engines.policy.mutation.errors import PatchError
from bartizan.engines.policy.mutation.keyed import merge_loosely, scalar_text
from bartizan.engines.policy.mutation.merge_keys_table import DEFINITIONS, KINDS
from bartizan.engines.policy.mutation.same import same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.base.json import Json, JsonObject

    Fields: TypeAlias = Mapping[str, tuple[str, tuple[str, ...] | None]]


class Missing(Enum):
    """No value at all, which is not null."""

    VALUE = 0


MISSING: Final = Missing.VALUE
_DIRECTIVE: Final = "$patch"
_DIRECTIVES: Final = frozenset({"delete", "merge", "replace"})
_NO_FIELDS: Final[Fields] = {}


def merge(document: JsonObject, patch: JsonObject) -> JsonObject:
    """Merge a patch into an object; `document` itself where that changes nothing.

    Raises:
        PatchError: the patch has another shape than the object, or deletes the object.
    """
    merged = _value(document, patch, _definition(document) or _definition(patch), None)
    if not isinstance(merged, dict):
        raise PatchError("the patch leaves no object")
    return merged


def _definition(document: JsonObject) -> str:
    """The definition of an object's kind, or none."""
    kind = document.get("kind")
    return KINDS.get(f"{document.get('apiVersion')}/{kind}", "") if kind else ""


def _fields(definition: str) -> Fields:
    return DEFINITIONS[definition] if definition else _NO_FIELDS


def _value(  # noqa: C901, PLR0911 (one case a shape, in one place)
    old: Json | Missing, patch: Json | Missing, definition: str, keys: tuple[str, ...] | None
) -> Json | Missing:
    """The value that comes out, `old` itself where it stays; `MISSING` where none is left."""
    if patch is MISSING:
        return old
    if patch is None:
        return MISSING
    if old is MISSING or old is None:
        return _added(patch, definition, keys)
    if isinstance(old, dict):
        if not isinstance(patch, dict):
            raise _unlike("an object", patch)
        return _mapping(old, patch, definition)
    if isinstance(old, list):
        if not isinstance(patch, list):
            raise _unlike("a list", patch)
        if keys is None:
            return old if same(old, patch) else patch
        return _sequence(old, patch, definition, keys)
    if isinstance(patch, dict | list):
        raise _unlike("a plain value", patch)
    if isinstance(old, str) and not isinstance(patch, str):
        patch = to_text(patch)  # kustomize keeps the quotes of what was there
    return old if same(old, patch) else patch


def _mapping(old: JsonObject, patch: JsonObject, definition: str) -> Json | Missing:
    if _DIRECTIVE in patch:
        directive = _directive(patch[_DIRECTIVE])
        if directive == "delete":
            return MISSING
        patch = {key: item for key, item in patch.items() if key != _DIRECTIVE}
        if directive == "replace":
            replaced = _added(patch, definition, None)
            return old if same(old, replaced) else replaced
    fields = _fields(definition or _definition(patch))
    merged = old
    for key, item in patch.items():
        below, keys = fields.get(key, ("", None))
        before = old.get(key, MISSING)
        try:
            after = _value(before, item, below, keys)
        except PatchError as error:
            error.path.append(key)
            raise
        if after is before:
            continue
        if merged is old:
            merged = dict(old)
        if after is MISSING:
            merged.pop(key, None)
        else:
            merged[key] = after
    return merged


def _added(patch: Json, definition: str, keys: tuple[str, ...] | None) -> Json | Missing:
    """A part of the patch where the object has nothing: without nulls and directives, which found nothing."""
    if isinstance(patch, dict):
        if _DIRECTIVE in patch and _directive(patch[_DIRECTIVE]) == "delete":
            return MISSING
        fields = _fields(definition or _definition(patch))
        made: JsonObject = {}
        for key, item in patch.items():
            below, keys_below = fields.get(key, ("", None))
            if item is not None and key != _DIRECTIVE:
                value = _added(item, below, keys_below)
                if value is not MISSING:
                    made[key] = value
        return made
    if isinstance(patch, list) and keys is not None:
        items = [item for item in patch if not _is_directive(item)]
        return _sequence([], items, definition, keys)
    return patch


def _sequence(old: list[Json], patch: list[Json], definition: str, keys: tuple[str, ...]) -> Json | Missing:
    """A list whose elements merge; what the patch names comes first, in the order of the patch."""
    directive = next((item for item in patch if _is_directive(item)), None)
    if isinstance(directive, dict):
        word = _directive(directive[_DIRECTIVE])
        if word == "delete":
            return MISSING
        patch = [item for item in patch if item is not directive]
        if word == "replace":
            return _sequence([], patch, definition, keys)
    if not patch:
        return old
    if not keys:
        return _union(old, patch)
    if old and any(isinstance(item, dict) and not any(item.get(key) for key in keys) for item in patch):
        raise PatchError(f"an element of the patch has no `{keys[0]}`, by which the list is merged")
    known, wanted = _by_key(old, keys), _by_key(patch, keys)
    if known is None or wanted is None:
        merged = merge_loosely(
            old or patch,
            patch,
            keys,
            lambda left, right: _value(left, right, definition, None),
            MISSING,
        )
        return old if same(old, merged) else merged
    return _keyed(old, known, wanted, definition)


def _keyed(
    old: list[Json],
    known: dict[tuple[str, ...], JsonObject],
    wanted: dict[tuple[str, ...], JsonObject],
    definition: str,
) -> list[Json]:
    """The usual case: every element has its key, and only once.

    With several keys, what was there keeps its order behind what is new.
    """
    merged: list[Json] = []
    kept: dict[tuple[str, ...], Json] = dict(known)
    for key, item in wanted.items():
        before = known.get(key, MISSING)
        after: Json | Missing = before
        if before is MISSING or item.get(_DIRECTIVE) != "replace":  # which kustomize undoes, element by element
            try:
                after = _value(before, item, definition, None)
            except PatchError as error:
                error.path.append(key[0])
                raise
        is_gone = after is MISSING or not after
        if before is MISSING or len(key) == 1:
            kept.pop(key, None)
            merged += [] if is_gone else [after]
        elif is_gone:
            del kept[key]
        else:
            kept[key] = after
    merged += kept.values()
    is_same = len(merged) == len(old) and all(left is right for left, right in zip(merged, old, strict=True))
    return old if is_same else merged


def _by_key(items: list[Json], keys: tuple[str, ...]) -> dict[tuple[str, ...], JsonObject] | None:
    """Elements by their key; `None` where one has not all of it, or two have the same."""
    found: dict[tuple[str, ...], JsonObject] = {}
    for item in items:
        if not isinstance(item, dict):
            return None
        key = tuple(scalar_text(item.get(name)) for name in keys)
        if "" in key or key in found:
            return None
        found[key] = item
    return found


def _union(old: list[Json], patch: list[Json]) -> list[Json]:
    """A list of plain values, such as finalizers: each once, those of the patch first."""
    merged: list[Json] = []
    for item in (*patch, *old):
        if item is not None and not any(same(item, other) for other in merged):
            merged.append(item)
    return old if same(old, merged) else merged


def _is_directive(item: Json) -> bool:
    """An element that says what becomes of the list, and nothing else."""
    return isinstance(item, dict) and len(item) == 1 and _DIRECTIVE in item


def _directive(word: Json) -> str:
    if not isinstance(word, str) or word not in _DIRECTIVES:
        raise PatchError(f"`$patch: {word}` is none of delete, merge and replace")
    return str(word)


def _unlike(wanted: str, patch: Json) -> PatchError:
    given = "an object" if isinstance(patch, dict) else "a list" if isinstance(patch, list) else "a plain value"
    return PatchError(f"the object has {wanted}, and the patch {given}")
