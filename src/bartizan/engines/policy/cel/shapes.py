"""What a kind's objects look like to an expression that runs: its schema, read with the doubts that JSON leaves.

The API server reads a schema more strictly where it warns (`schema.declare`):
there a moment is a moment and a field `namespace` is called otherwise, though
an expression gets the plain JSON when it runs. A remark must be true, so here
a type is only what values of it are sure to be. What a schema leaves open is
`dyn`: numbers, which may be whole or not; objects that may hold anything;
what is of one type or another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.lang.cel.types import BOOL, DYN, INT, STRING, Type, list_of, map_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from bartizan.base.json import Json

REFERENCE: Final = "#/components/schemas/"
_MAX_DEPTH: Final = 128
"""Schemas inside each other, by reference or written so; what is further down is `dyn`."""
_EITHER: Final = ("oneOf", "anyOf", "not")
_OPEN: Final = ("x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string")
_TEXTS: Final = map_of(STRING, STRING)
_METADATA: Final = Type("@ObjectMeta")
_OF_METADATA: Final[Mapping[str, Type]] = {
    **dict.fromkeys(("name", "generateName", "namespace", "uid", "resourceVersion", "selfLink"), STRING),
    **dict.fromkeys(("creationTimestamp", "deletionTimestamp"), STRING),
    **dict.fromkeys(("generation", "deletionGracePeriodSeconds"), INT),
    **dict.fromkeys(("labels", "annotations"), _TEXTS),
    "finalizers": list_of(STRING),
    "ownerReferences": list_of(DYN),
    "managedFields": list_of(DYN),
}
"""What every resource has in its metadata, which a definition need not say."""


class Shape(NamedTuple):
    """The type of a kind's objects, and the fields of that and every other object type in it."""

    type: Type
    objects: Mapping[str, Mapping[str, Type]]


def shape_of(body: Json, name: str, definitions: Mapping[str, Json] | None = None) -> Shape | None:
    """The shape of the resources that a schema describes; `None` where it leaves them open.

    `name` is that of their type; `definitions` are the schemas that references name, each of which is read once.
    """
    reader = _Reader(definitions or {})
    root = reader.type(body, f"@{name}", 0)
    fields = reader.objects.get(root.name)
    if fields is None:
        return None
    metadata = fields.get("metadata", DYN)
    own = {"apiVersion": STRING, "kind": STRING, "metadata": _METADATA if metadata == DYN else metadata}
    objects: dict[str, Mapping[str, Type]] = {
        name: {key: _known(kind, reader.objects) for key, kind in held.items()} for name, held in reader.objects.items()
    }
    objects[root.name] = {**objects[root.name], **own}
    return Shape(root, {**objects, _METADATA.name: _OF_METADATA})


def is_object(kind: Type) -> bool:
    """Whether a type is an object of a shape, or holds such."""
    return kind.name.startswith("@") or any(map(is_object, kind.parameters))


class _Reader:
    """One reading of a kind's schemas; a schema that refers to itself is a type of that name already."""

    def __init__(self, definitions: Mapping[str, Json]) -> None:
        self.objects: dict[str, dict[str, Type]] = {}
        self._definitions = definitions
        self._named: dict[str, Type] = {}

    def type(self, body: Json, name: str, depth: int) -> Type:
        """The type of a schema's values; `name` is that of an object type, where it is one."""
        if not isinstance(body, Mapping) or depth > _MAX_DEPTH:
            return DYN
        named = reference(body)
        if named:
            return self._referred(named, depth)
        if any(body.get(key) for key in (*_EITHER, *_OPEN)) or body.get("format") == "int-or-string":
            return DYN
        match body.get("type"):
            case "array":
                return list_of(self.type(body.get("items"), f"{name}[]", depth + 1))
            case "object":
                return self._object(body, name, depth)
            case kind:
                return _SCALARS.get(kind, DYN) if isinstance(kind, str) else DYN

    def _referred(self, named: str, depth: int) -> Type:
        if named not in self._named:
            self._named[named] = Type(f"@{named}")  # while it is being read, for what leads back to it
            read = self.type(self._definitions.get(named), f"@{named}", depth + 1)
            self._named[named] = read
        return self._named[named]

    def _object(self, body: Mapping[str, Any], name: str, depth: int) -> Type:
        values = body.get("additionalProperties")
        if values:
            return map_of(STRING, self.type(values, f"{name}{{}}", depth + 1))
        fields = body.get("properties")
        if not isinstance(fields, Mapping) or not fields:
            return DYN
        self.objects[name] = {}
        self.objects[name] = {
            key: self.type(field, f"{name}.{key}", depth + 1) for key, field in fields.items() if isinstance(key, str)
        }
        return Type(name)


def _known(kind: Type, objects: Collection[str]) -> Type:
    """A type, with `dyn` for what turned out to be no object, though something leads back to it."""
    if kind.name.startswith("@"):
        return kind if kind.name in objects else DYN
    return Type(kind.name, tuple(_known(item, objects) for item in kind.parameters)) if kind.parameters else kind


def reference(body: Json) -> str:
    """The name that a schema refers to; a reference with a description stands in an `allOf`."""
    if not isinstance(body, Mapping):
        return ""
    branches = body.get("allOf")
    for candidate in (body, *(branches if isinstance(branches, list) else ())):
        name = candidate.get("$ref") if isinstance(candidate, Mapping) else None
        if isinstance(name, str) and name.startswith(REFERENCE):
            return name.removeprefix(REFERENCE)
    return ""


_SCALARS: Final[Mapping[str, Type]] = {"string": STRING, "integer": INT, "boolean": BOOL}
