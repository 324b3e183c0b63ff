"""JSON patch as the API server applies one that a policy makes: RFC 6902, but for what its library does otherwise.

`replace` makes a field that is missing, a negative index counts from the end,
null in the object is as good as nothing, and a path may lack its first slash.
A `test` that fails is no error: the patch is not applied then. The words of
errors are those of that library. `json_patch.py` is the patch of Kyverno's
classic kinds, which forgives more.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.engines.policy.mutation.errors import PatchError
from bartizan.engines.policy.mutation.same import same

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bartizan.base.json import Json

_INDEX: Final = re.compile(r"[+-]?[0-9]{1,9}", re.ASCII)
_MISSING: Final = "missing value"


class Step(NamedTuple):
    """One operation. `given` says whether it has a value, which null is."""

    op: str
    path: str = ""
    origin: str = ""
    value: Json = None
    given: bool = False


class _TestFailed(Exception):  # noqa: N818 (no error: what a patch may ask for)
    """What a patch asks about does not hold."""


def apply_steps(document: Json, steps: Sequence[Step]) -> Json:
    """Apply operations in order; the document stays as it was, and is the result where a `test` fails.

    Raises:
        PatchError: one does not fit the document.
    """
    patched = document
    try:
        for step in steps:
            apply = _OPERATIONS.get(step.op)
            if apply is None:
                raise PatchError(f"Unexpected kind: {step.op}")
            patched = apply(patched, step)
    except _TestFailed:
        return document
    return patched


def _add(document: Json, step: Step) -> Json:
    found = _find(document, step.path)
    if found is None:
        raise PatchError(f'add operation does not apply: doc is missing path: "{step.path}": {_MISSING}')
    try:
        return _inserted(document, *found, step.value)
    except PatchError as error:
        raise PatchError(f"error in add for path: '{step.path}': {error.message}") from error


def _remove(document: Json, step: Step) -> Json:
    found = _find(document, step.path)
    if found is None:
        raise PatchError(f'remove operation does not apply: doc is missing path: "{step.path}": {_MISSING}')
    try:
        return _removed(document, *found)
    except PatchError as error:
        raise PatchError(f"error in remove for path: '{step.path}': {error.message}") from error


def _replace(document: Json, step: Step) -> Json:
    if step.path == "":
        if not isinstance(step.value, dict | list):
            raise PatchError("replace operation value must be object or array")
        return step.value
    found = _find(document, step.path)
    if found is None:
        raise PatchError(f"replace operation does not apply: doc is missing path: {step.path}: {_MISSING}")
    above, holder, key = found
    if isinstance(holder, dict):
        return _rebuilt(document, above, {**holder, key: step.value})
    try:
        index = _existing(holder, key)
    except PatchError as error:
        raise PatchError(f"replace operation does not apply: doc is missing key: {step.path}: {_MISSING}") from error
    return _rebuilt(document, above, [*holder[:index], step.value, *holder[index + 1 :]])


def _move(document: Json, step: Step) -> Json:
    found = _find(document, step.origin)
    if found is None:
        raise PatchError(f"move operation does not apply: doc is missing from path: {step.origin}: {_MISSING}")
    above, holder, key = found
    try:
        value = _value(holder, key)
        document = _removed(document, above, holder, key)
    except PatchError as error:
        raise PatchError(f"error in move for path: '{key}': {error.message}") from error
    found = _find(document, step.path)
    if found is None:
        raise PatchError(f"move operation does not apply: doc is missing destination path: {step.path}: {_MISSING}")
    try:
        return _inserted(document, *found, value)
    except PatchError as error:
        raise PatchError(f"error in move for path: '{step.path}': {error.message}") from error


def _copy(document: Json, step: Step) -> Json:
    found = _find(document, step.origin)
    if found is None:
        raise PatchError(f"copy operation does not apply: doc is missing from path: {step.origin}: {_MISSING}")
    try:
        value = _value(found[1], found[2])
    except PatchError as error:
        raise PatchError(f"error in copy for from: '{step.origin}': {error.message}") from error
    found = _find(document, step.path)
    if found is None:
        raise PatchError(f"copy operation does not apply: doc is missing destination path: {step.path}: {_MISSING}")
    try:
        return _inserted(document, *found, value)
    except PatchError as error:
        raise PatchError(f"error while adding value during copy: {error.message}") from error


def _test(document: Json, step: Step) -> Json:
    value = document
    if step.path != "":
        found = _find(document, step.path)
        if found is None:
            raise PatchError(f"test operation does not apply: is missing path: {step.path}: {_MISSING}")
        try:
            value = _value(found[1], found[2])
        except PatchError as error:
            raise PatchError(f"error in test for path: '{step.path}': {error.message}") from error
    holds = not step.given if value is None else step.given and same(value, step.value)
    if not holds:
        raise _TestFailed
    return document


_OPERATIONS: Final[dict[str, Callable[[Json, Step], Json]]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


def _find(document: Json, path: str) -> tuple[list[str], Any, str] | None:
    """The way to what holds the place of a path, that holder, and the place in it."""
    keys = [_unescaped(part) for part in path.split("/")[1:]]
    if not keys:
        return None
    holder: Any = document
    for key in keys[:-1]:
        try:
            holder = _value(holder, key)
        except PatchError:
            return None
        if not isinstance(holder, dict | list):
            return None
    return keys[:-1], holder, keys[-1]


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")


def _value(holder: Any, key: str) -> Json:
    """What stands there; null where an object has no such field."""
    value: Json = holder.get(key) if isinstance(holder, dict) else holder[_existing(holder, key)]
    return value


def _inserted(document: Json, above: list[str], holder: Any, key: str, value: Json) -> Json:
    if isinstance(holder, dict):
        return _rebuilt(document, above, {**holder, key: value})
    if key == "-":
        return _rebuilt(document, above, [*holder, value])
    if not _INDEX.fullmatch(key):
        raise PatchError(f"value was not a proper array index: '{key}': {_no_number(key)}")
    index = _existing([*holder, None], key)
    return _rebuilt(document, above, [*holder[:index], value, *holder[index:]])


def _removed(document: Json, above: list[str], holder: Any, key: str) -> Json:
    if isinstance(holder, dict):
        if key not in holder:
            raise PatchError(f"Unable to remove nonexistent key: {key}: {_MISSING}")
        return _rebuilt(document, above, {name: item for name, item in holder.items() if name != key})
    index = _existing(holder, key)
    return _rebuilt(document, above, [*holder[:index], *holder[index + 1 :]])


def _existing(items: list[Json], key: str) -> int:
    """The place of an element; negative ones count from the end."""
    if not _INDEX.fullmatch(key):
        raise PatchError(_no_number(key))
    index = int(key)
    if not -len(items) <= index < len(items):
        raise PatchError(f"Unable to access invalid index: {index}: invalid index referenced")
    return index % len(items)


def _no_number(key: str) -> str:
    return f'strconv.Atoi: parsing "{key}": invalid syntax'


def _rebuilt(document: Any, above: list[str], holder: Json) -> Json:
    """The document with another holder at the end of a way that exists."""
    if not above:
        return holder
    below = _rebuilt(_value(document, above[0]), above[1:], holder)
    if isinstance(document, dict):
        return {**document, above[0]: below}
    index = _existing(document, above[0])
    return [*document[:index], below, *document[index + 1 :]]
