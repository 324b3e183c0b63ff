"""What a structured merge knows of a type: its fields, which plain values fit, and how lists and maps merge.

The types of the built-in kinds are a table made from a real API server; those
of a custom resource come from its definition. Both are read when they are
first asked for, a field at a time, because a policy uses few of them and some
contain themselves.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

from bartizan.engines.policy.mutation.structured_table import DEFINITIONS, KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bartizan.base.json import Json

Scalar = Literal["string", "numeric", "boolean", "untyped"]


class Fields(dict[str, "Shape"]):
    """The types of the fields that a type names, read when they are asked for."""

    __slots__ = ("_read", "_written")

    def __init__(self, written: Mapping[str, Any], read: Callable[[Any], Shape]) -> None:
        super().__init__()
        self._written = written
        self._read = read

    def __missing__(self, name: str) -> Shape:
        shape = self[name] = self._read(self._written[name])
        return shape

    def find(self, name: str) -> Shape | None:
        """The type of a field, `None` where there is no such field."""
        return self[name] if name in self._written else None


@dataclass(slots=True, eq=False)
class MapShape:
    """A map or an object. `others` is the type of what `fields` does not name, `None` where there may be nothing else.

    `defaults` are the values of keys that are left out.
    """

    fields: Fields
    others: Shape | None = None
    atomic: bool = False
    defaults: Mapping[str, Json] = field(default_factory=dict)

    def of(self, name: str) -> Shape | None:
        """The type of what stands under a name."""
        return self.fields.find(name) or self.others


@dataclass(slots=True, eq=False)
class ListShape:
    """A list: one value, a set, or elements that are told apart by `keys`."""

    element: Shape
    atomic: bool = True
    keys: tuple[str, ...] = ()

    def default(self, key: str) -> Json:
        """What a key of an element is where it is left out; null is none."""
        return None if self.element.map is None else self.element.map.defaults.get(key)


@dataclass(slots=True, eq=False)
class Shape:
    """A type: the plain values, the list and the map that it may be."""

    scalar: Scalar | None = None
    list: ListShape | None = None
    map: MapShape | None = None


_NO_FIELDS: Final[Mapping[str, Any]] = {}


def _fields(shape: Shape) -> MapShape:
    return MapShape(Fields(_NO_FIELDS, lambda _written: shape), shape)


def _made_anything() -> tuple[Shape, Shape]:
    one_value, anything = Shape("untyped"), Shape("untyped")
    one_value.list, anything.list = ListShape(one_value), ListShape(one_value)
    one_value.map, anything.map = _fields(one_value), _fields(anything)
    one_value.map.atomic = True
    return one_value, anything


ONE_VALUE, ANYTHING = _made_anything()
"""What has no schema: as one value; and with maps that merge."""

_SCALARS: Final = {"s": "string", "n": "numeric", "b": "boolean", "u": "untyped"}
_PLAIN: Final[dict[str, Shape]] = {letter: Shape(name) for letter, name in _SCALARS.items()}  # type: ignore[arg-type]
_LEAVES: Final = {**_PLAIN, "*": ANYTHING, "?": ONE_VALUE}
_COMPOUND: Final = re.compile(r"\[([^\]]*)\]|\{(!?)\}")


@cache
def _definitions() -> dict[str, list[str]]:
    """Name (with `!` if it is one value) to fields as the table has them."""
    found: dict[str, list[str]] = {}
    fields: list[str] = []
    for line in DEFINITIONS.splitlines():
        words = line.split()
        if not line.startswith(" "):
            fields = found[words.pop(0)] = []
        fields += words
    return found


@cache
def _kinds() -> dict[str, str]:
    return dict(line.split() for line in KINDS.splitlines())


def shape_of_kind(api_version: str, kind: str) -> Shape | None:
    """The type of a built-in kind, `None` where there is no such kind."""
    name = _kinds().get(f"{api_version}/{kind}")
    return None if name is None else _named(name)


@cache
def _named(name: str) -> Shape:
    """A definition; with `!` or `~` behind its name, what is said where it is used."""
    if name[-1] in "!~":
        plain = _named(name[:-1]).map or _fields(ANYTHING)
        return Shape(map=replace(plain, atomic=name[-1] == "!"))
    written = _definitions().get(name)
    atomic = written is None
    words = [word.partition(":") for word in (written if written is not None else _definitions()[f"{name}!"])]
    types = {field: rest.partition("=")[0] for field, _, rest in words if not rest.startswith("[=]")}
    types |= {field: rest for field, _, rest in words if rest.startswith("[=]")}
    defaults = {field: json.loads(rest.partition("=")[2]) for field, _, rest in words if "=" in rest and rest[0] != "["}
    return Shape(map=MapShape(Fields(types, _read), None, atomic, defaults))


@cache
def _read(written: str) -> Shape:
    """A type as the table has it."""
    compound = _COMPOUND.match(written)
    if compound is None:
        return _LEAVES.get(written) or _named(written)
    inner = _read(written[compound.end() :])
    keys = compound.group(1)
    if keys is None:
        shape = _fields(inner)
        shape.atomic = compound.group(2) == "!"
        return Shape(map=shape)
    return Shape(list=ListShape(inner, not keys, () if keys in ("", "=") else tuple(keys.split(","))))


def shape_of_resource(schema: Json) -> Shape:
    """The type of a custom resource, from the schema in its definition; anything where there is none."""
    if not isinstance(schema, dict) or not schema:
        return ANYTHING
    return _custom({"type": "object", **schema, "properties": _with_meta(schema)}, open_below=False)


def _with_meta(schema: Mapping[str, Any]) -> dict[str, Any]:
    own = schema.get("properties")
    text = {"type": "string"}
    return {**(own if isinstance(own, dict) else {}), "apiVersion": text, "kind": text, "metadata": _METADATA}


_METADATA: Final[Json] = {"$ref": "ObjectMeta"}


def _custom(schema: Json, *, open_below: bool) -> Shape:
    """A type from its schema. `open_below`: something above keeps fields that are not declared."""
    if not isinstance(schema, dict):
        return ANYTHING
    if schema is _METADATA:
        return _named("ObjectMeta")
    open_below = open_below or schema.get("x-kubernetes-preserve-unknown-fields") is True
    kind = schema.get("type")
    plain = _plain_type(str(kind), schema)
    if plain is not None:
        return plain
    return Shape(
        None if kind in ("object", "array") else "untyped",
        None if kind == "object" else _custom_list(schema, open_below=open_below),
        None if kind == "array" else _custom_map(schema, open_below=open_below),
    )


def _plain_type(kind: str, schema: Mapping[str, Any]) -> Shape | None:
    if kind == "string":
        return _PLAIN["s" if schema.get("format", "byte") in ("", "byte") else "u"]
    letter = {"integer": "n", "number": "n", "boolean": "b"}.get(kind)
    return None if letter is None else _PLAIN[letter]


def _custom_map(schema: Mapping[str, Any], *, open_below: bool) -> MapShape:
    properties = schema.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    if schema.get("x-kubernetes-embedded-resource") is True:
        properties = _with_meta(schema)
    more = schema.get("additionalProperties")
    others: Shape | None = None
    if isinstance(more, dict):
        others = _custom(more, open_below=open_below)
    elif more is True or (more is None and (open_below or not properties)):
        others = ANYTHING
    return MapShape(
        Fields(properties, lambda below: _custom(below, open_below=open_below)),
        others,
        schema.get("x-kubernetes-map-type") == "atomic",
        _defaults(properties.items()),
    )


def _defaults(properties: Iterable[tuple[str, Any]]) -> dict[str, Json]:
    return {name: below["default"] for name, below in properties if isinstance(below, dict) and "default" in below}


def _custom_list(schema: Mapping[str, Any], *, open_below: bool) -> ListShape:
    items = schema.get("items")
    element = ONE_VALUE if items is None else _custom(items, open_below=open_below)
    relation = schema.get("x-kubernetes-list-type", "atomic")
    keys = schema.get("x-kubernetes-list-map-keys")
    named = tuple(map(str, keys)) if relation == "map" and isinstance(keys, list) else ()
    return ListShape(element, relation not in ("set", "map"), named)
