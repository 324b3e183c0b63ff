"""JSON patch, RFC 6902, with the leniencies of Kyverno.

A negative index counts from the end, `remove` of what is not there does
nothing, and `add` makes the parents that are missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.mutation.errors import PatchError
from bartizan.engines.policy.mutation.same import same

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bartizan.base.json import Json

KINDS: Final = ("add", "remove", "replace", "move", "copy", "test")
MAX_PADDING: Final = 1000
"""Nulls that `add` puts into a list to reach an index; no list of an object is longer for a good reason."""
_NEEDS_VALUE: Final = frozenset({"add", "replace"})
_NEEDS_FROM: Final = frozenset({"move", "copy"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of a patch; `path` and `origin` (`from`) are pointers, taken apart."""

    kind: str
    path: tuple[str, ...]
    value: Json = None
    origin: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """The operation as documents have it."""
        written: dict[str, Json] = {"op": self.kind, "path": _pointer(self.path)}
        if self.kind in _NEEDS_FROM:
            written["from"] = _pointer(self.origin)
        if self.kind in _NEEDS_VALUE or self.kind == "test":
            written["value"] = self.value
        return written


def read_patch(document: Json, at: str) -> tuple[Operation, ...]:
    """Read a list of operations, which stands at the JSON pointer `at`.

    Raises:
        SpecError: one is malformed.
    """
    if not isinstance(document, list):
        raise SpecError("a JSON patch is a list of operations", pointer=at, hint="Begin each with `- op:`.")
    return tuple(_read(item, f"{at}/{index}") for index, item in enumerate(document))


def _read(item: Json, at: str) -> Operation:
    if not isinstance(item, dict):
        raise SpecError("an operation is a mapping", pointer=at, hint="Write `op`, `path` and `value` in it.")
    kind = item.get("op")
    if kind not in KINDS:
        raise SpecError(f"unknown operation `{kind}`", pointer=f"{at}/op", hint=did_you_mean(str(kind), KINDS))
    if kind in _NEEDS_VALUE and "value" not in item:
        raise SpecError(f"`{kind}` needs a `value`", pointer=at, hint="Write `value: null` if null is meant.")
    origin = _steps(item.get("from"), f"{at}/from") if kind in _NEEDS_FROM else ()
    return Operation(str(kind), _steps(item.get("path"), f"{at}/path"), item.get("value"), origin)


def _steps(text: Json, at: str) -> tuple[str, ...]:
    if text == "":
        return ()
    if not isinstance(text, str) or not text.startswith("/"):
        raise SpecError(f"`{text}` is no JSON pointer", pointer=at, hint="Begin it with `/`.")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in text[1:].split("/"))


def apply_patch(document: Json, patch: Sequence[Operation]) -> Json:
    """Apply operations in order; what they do not touch is shared, and `document` stays as it was.

    Raises:
        PatchError: one does not fit the document; none is applied then.
    """
    for operation in patch:
        document = _apply(document, operation)
    return document


def _apply(document: Json, operation: Operation) -> Json:
    path = operation.path
    match operation.kind:
        case "add":
            return _add(document, path, operation.value, operation, ensure=True)
        case "remove":
            return _remove(document, path, operation)
        case "replace":
            if path:
                _get(document, path, operation)
            return _replace(document, path, operation.value, operation)
        case "test":
            return _test(document, operation)
        case _:
            value = _get(document, operation.origin, operation)
            if operation.kind == "move":
                if not operation.origin:
                    raise _unfit(operation, "a whole document cannot be moved into itself")
                document = _remove(document, operation.origin, operation)
            return _add(document, path, value, operation, ensure=False)


def _test(document: Json, operation: Operation) -> Json:
    try:
        value = _get(document, operation.path, operation)
    except PatchError:
        value = None
        if operation.path and not _exists(document, operation.path[:-1]):
            raise
    if not same(value, operation.value):
        raise _unfit(operation, "the value there is another")
    return document


def _exists(document: Json, path: tuple[str, ...]) -> bool:
    value = document
    for step in path:
        value = _child(value, step)
        if value is None:
            return False
    return isinstance(value, dict | list)


def _get(document: Json, path: tuple[str, ...], operation: Operation) -> Json:
    value = document
    for depth, step in enumerate(path):
        known = isinstance(value, dict) and step in value
        if isinstance(value, list):
            known = _index(step, len(value)) is not None
        if not known:
            raise _unfit(operation, f"there is no `{_pointer(path[: depth + 1])}`")
        value = _child(value, step)
    return value


def _child(value: Json, step: str) -> Json:
    """The value one step down; null where there is none."""
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list):
        index = _index(step, len(value))
        return None if index is None else value[index]
    return None


def _index(step: str, length: int) -> int | None:
    """The place of an existing element; negative ones count from the end."""
    digits = step[1:] if step[:1] in ("-", "+") else step
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 9:
        return None
    index = int(step)
    index = index + length if index < 0 else index
    return index if 0 <= index < length else None


def _add(document: Json, path: tuple[str, ...], value: Json, operation: Operation, *, ensure: bool) -> Json:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if not rest:
        return _insert(document, step, value, operation)
    below = _child(document, step)
    if below is None:
        if not ensure:
            raise _unfit(operation, f"there is no `{step}` to add to")
        below = _new_parent(rest[0], operation)
        return _place(document, step, _add(below, rest, value, operation, ensure=True), operation)
    return _replace(document, (step,), _add(below, rest, value, operation, ensure=ensure), operation)


def _new_parent(step: str, operation: Operation) -> Json:
    """An empty list where the next step is an index, with nulls up to it; else an empty object."""
    if step == "-":
        return []
    if not step.removeprefix("-").isdecimal():
        return {}
    wanted = int(step)
    if wanted < -1 or wanted > MAX_PADDING:
        raise _unfit(operation, f"a new list has no element {step}")
    return [None] * max(wanted, 0)


def _place(document: Json, step: str, value: Json, operation: Operation) -> Json:
    """Put a new parent where nothing was: into an object, or into a list that is made long enough."""
    if isinstance(document, list):
        index = _index(step, len(document))
        if index is not None:
            return [*document[:index], value, *document[index + 1 :]]
        if step.isdecimal() and int(step) <= MAX_PADDING:
            return [*document, *[None] * (int(step) - len(document)), value]
    return _insert(document, step, value, operation)


def _insert(document: Json, step: str, value: Json, operation: Operation) -> Json:
    if isinstance(document, dict):
        return {**document, step: value}
    if not isinstance(document, list):
        raise _unfit(operation, f"`{step}` would be in a plain value")
    if step == "-":
        return [*document, value]
    index = _index(step, len(document) + 1)
    if index is None:
        raise _unfit(operation, f"the list has {len(document)} elements, and `{step}` is none of them")
    return [*document[:index], value, *document[index:]]


def _replace(document: Json, path: tuple[str, ...], value: Json, operation: Operation) -> Json:
    """Another value at a path that exists; the same tree where it is the same value."""
    if not path:
        return value
    step = path[0]
    old = _child(document, step)
    new = _replace(old, path[1:], value, operation)
    if new is old:
        return document
    if isinstance(document, dict):
        return {**document, step: new}
    index = _index(step, len(document)) if isinstance(document, list) else None
    if index is None:
        raise _unfit(operation, f"there is no `{step}`")
    return [*document[:index], new, *document[index + 1 :]]


def _remove(document: Json, path: tuple[str, ...], operation: Operation) -> Json:
    if not path:
        raise _unfit(operation, "the whole document cannot be removed")
    step, rest = path[0], path[1:]
    if rest:
        below = _child(document, step)
        return document if below is None else _replace(document, (step,), _remove(below, rest, operation), operation)
    if isinstance(document, dict):
        return {key: item for key, item in document.items() if key != step} if step in document else document
    if isinstance(document, list):
        if not step.removeprefix("-").isdecimal():
            raise _unfit(operation, f"`{step}` is no index of a list")
        index = _index(step, len(document))
        return document if index is None else [*document[:index], *document[index + 1 :]]
    return document


def _pointer(path: Sequence[str]) -> str:
    return "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in path)


def _unfit(operation: Operation, why: str) -> PatchError:
    return PatchError(f"`{operation.kind}` at `{_pointer(operation.path)}`: {why}")
