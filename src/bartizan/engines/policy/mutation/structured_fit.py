"""Whether a value fits a type of a structured merge, and which parts of it are one value.

Source of the rules and words: structured-merge-diff and the API server's
`ApplyConfiguration`. The words show values as that program's own debugging
does, because people search for the errors that they get.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.engines.policy.mutation.errors import PatchError
from bartizan.lang.cel.values import UInt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.base.json import Json
    from bartizan.engines.policy.mutation.structured_types import ListShape, MapShape, Shape

Key = tuple[Any, ...]
_KINDS: Final = {str: "string", bool: "bool", int: "int64", UInt: "uint64", float: "float64", type(None): "<nil>"}
_SCALARS: Final = {
    "string": (str,),
    "boolean": (bool,),
    "numeric": (int, float),
    "untyped": (str, bool, int, float),
}


def check_fit(value: Json, shape: Shape, *, duplicates: bool = False) -> None:
    """Let a value through that fits its type; `duplicates` are then allowed in lists that have none.

    Raises:
        PatchError: it does not fit; the message says all that is wrong.
    """
    if _fits(value, shape, duplicates):
        return
    errors = [f"{path}: {what}" if path else what for path, what in _errors(value, shape, "", duplicates)]
    if errors:
        raise PatchError(errors[0] if len(errors) == 1 else "\n".join(["errors:", *(f"  {one}" for one in errors)]))


def _fits(value: Any, shape: Shape, duplicates: bool) -> bool:
    """Whether there is nothing to say of a value, which is the usual case and needs no places."""
    kind = value.__class__
    if kind is dict and shape.map is not None:
        for name, item in value.items():
            below = shape.map.of(name)
            if below is None or not _fits(item, below, duplicates):
                return False
        return True
    if kind is list and shape.list is not None:
        element = shape.list.element
        return (shape.list.atomic or _are_told_apart(value, shape.list, duplicates)) and all(
            _fits(item, element, duplicates) for item in value
        )
    return value is None or (shape.scalar is not None and kind in _SCALARS[shape.scalar])


def _are_told_apart(items: list[Any], shape: ListShape, duplicates: bool) -> bool:
    try:
        keys = [key_of(item, shape) for item in items]
    except PatchError:
        return False
    return duplicates or len(set(keys)) == len(keys)


def _errors(value: Json, shape: Shape, path: str, duplicates: bool) -> Iterator[tuple[str, str]]:
    kind = value.__class__
    if kind is dict and shape.map is not None:
        yield from _map_errors(value, shape.map, path, duplicates)
    elif kind is list and shape.list is not None:
        yield from _list_errors(value, shape.list, path, duplicates)
    elif value is None or (shape.scalar is not None and kind in _SCALARS[shape.scalar]):
        return
    else:
        yield path, _unfit(value, shape)


def _unfit(value: Json, shape: Shape) -> str:
    if shape.map is not None:
        return f"expected map, got &{{{shown(value)}}}"
    match shape.scalar:
        case None:
            return f"expected list, got &{{{shown(value)}}}"
        case "numeric":
            return f"expected numeric (int or float), got {_go_type(value)}"
        case "string":
            return f"expected string, got &value.valueUnstructured{{Value:{_literal(value)}}}"
        case "boolean":
            return f"expected boolean, got &{{{shown(value)}}}"
        case _:
            return f"expected any scalar, got &{{{shown(value)}}}"


def _map_errors(value: Any, shape: MapShape, path: str, duplicates: bool) -> Iterator[tuple[str, str]]:
    for name, item in value.items():
        below = shape.of(name)
        if below is None:
            yield f"{path}.{name}", "field not declared in schema"
            return
        yield from _errors(item, below, f"{path}.{name}", duplicates)


def _list_errors(value: Any, shape: ListShape, path: str, duplicates: bool) -> Iterator[tuple[str, str]]:
    seen: set[Key] = set()
    for index, item in enumerate(value):
        if shape.atomic:
            yield from _errors(item, shape.element, f"{path}[{index}]", duplicates)
            continue
        try:
            key = key_of(item, shape)
        except PatchError as error:
            yield path, f"element {index}: {error.message}"
            return
        if key in seen and not duplicates:
            yield path, f"duplicate entries for key {_shown_key(key, shape)}"
        seen.add(key)
        yield from _errors(item, shape.element, path + _shown_key(key, shape), duplicates)


def key_of(item: Json, shape: ListShape) -> Key:
    """What tells an element of a set or of a list with keys from the others.

    Raises:
        PatchError: the element has no such thing.
    """
    if not shape.keys:
        return _member(item)
    if item is None:
        raise PatchError("associative list with keys may not have a null element")
    if not isinstance(item, dict):
        raise PatchError("associative list with keys may not have non-map elements")
    found = []
    for name in shape.keys:
        value = item[name] if name in item else shape.default(name)
        if name in item or value is not None:
            found.append((name, _comparable(value)))
    if not found:
        names = " ".join(map(_quoted, shape.keys))
        raise PatchError(
            f"associative list with keys has an element that omits all key fields [{names}]"
            " (and doesn't have default values for any key fields)"
        )
    return tuple(sorted(found))


def _member(item: Json) -> Key:
    """What tells an element of a set from the others: its value."""
    if isinstance(item, dict):
        raise PatchError("associative list without keys has an element that's a map type")
    if isinstance(item, list):
        raise PatchError("not supported: associative list with lists as elements")
    if item is None:
        raise PatchError("associative list without keys has an element that's an explicit null")
    return _comparable(item)


def _comparable(value: Json) -> Key:
    """A plain value as something that is equal only where JSON would say so."""
    if isinstance(value, dict | list):
        return ("json", shown(value))
    return ("number" if value.__class__ in (int, float) else value.__class__.__name__, value)


def _shown_key(key: Key, shape: ListShape) -> str:
    if not shape.keys:
        return f"[={_json(key[1])}]"
    return f"[{','.join(f'{name}={_json(value[1])}' for name, value in key)}]"


def atomics(value: Json, shape: Shape, path: str = "") -> Iterator[str]:
    """The places in a value that fits its type where a list or map is one value."""
    if isinstance(value, dict) and shape.map is not None:
        if shape.map.atomic:
            yield path
        for name, item in value.items():
            below = shape.map.fields.find(name)
            if below is not None:
                yield from atomics(item, below, f"{path}.{name}")
    elif isinstance(value, list) and shape.list is not None:
        if shape.list.atomic:
            yield path
        for index, item in enumerate(value):
            yield from atomics(item, shape.list.element, f"{path}[{index}]")


def _json(value: Json) -> str:
    return _quoted(value) if isinstance(value, str) else shown(value)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'


def shown(value: Any) -> str:
    """A value as `%v` of that program shows it."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{name}:{shown(value[name])}' for name in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(shown, value))}]"
    if value is None:
        return "<nil>"
    if value is True or value is False:
        return "true" if value else "false"
    return f"{value:g}" if value.__class__ is float else str(value)


def _literal(value: Any) -> str:
    """A value as `%#v` of that program shows it."""
    if isinstance(value, dict):
        inner = ", ".join(f"{_quoted(name)}:{_literal(value[name])}" for name in sorted(value))
        return f"map[string]interface {{}}{{{inner}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(map(_literal, value))}}}"
    if value is None:
        return "interface {}(nil)"
    if value.__class__ is UInt:
        return f"{int(value):#x}"
    return _quoted(value) if isinstance(value, str) else str(getattr(value, "go_literal", None) or shown(value))


def _go_type(value: Any) -> str:
    if isinstance(value, dict):
        return "map[string]interface {}"
    if isinstance(value, list):
        return "[]interface {}"
    return _KINDS.get(value.__class__) or str(getattr(value, "go_type", value.__class__.__name__))
