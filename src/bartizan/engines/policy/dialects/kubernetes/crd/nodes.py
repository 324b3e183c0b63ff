"""A structural schema, read: what each node says of a value, with its place in the definition.

Source: the `JSONSchemaProps` of `apiextensions.k8s.io/v1`. What that version
refuses (`$ref`, `additionalItems` and others) has no meaning here either.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bartizan.base.errors import SpecError
from bartizan.base.pointer import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bartizan.base.json import Json, JsonObject

MAX_NODES: Final = 100_000
"""Nodes of a schema: the largest in use have some 20,000; one that grows by aliases has no end."""
MAX_DEPTH: Final = 60
"""Levels of a schema, each of which is a few frames of Python: the deepest in use have about 25."""
_TYPES: Final = frozenset({"object", "array", "string", "integer", "number", "boolean"})
_LIST_TYPES: Final = frozenset({"atomic", "set", "map"})
_MAP_TYPES: Final = frozenset({"atomic", "granular"})
_X: Final = "x-kubernetes-"
ABSENT: Final = object()
"""Stands for a default that is not there."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a node says of a value besides its type; `None` says nothing."""

    enum: tuple[Json, ...] | None = None
    required: tuple[str, ...] = ()
    pattern: str = ""
    max_length: int | None = None
    min_length: int | None = None
    max_items: int | None = None
    min_items: int | None = None
    unique_items: bool = False
    max_properties: int | None = None
    min_properties: int | None = None
    maximum: float | None = None
    exclusive_maximum: bool = False
    minimum: float | None = None
    exclusive_minimum: bool = False
    multiple_of: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One node of a schema. `at` is its place in the definition, as a JSON pointer."""

    at: str
    type: str = ""
    format: str = ""
    nullable: bool = False
    default: Json = ABSENT
    limits: Limits = Limits()
    properties: dict[str, Node] = field(default_factory=dict)
    additional: Node | None = None
    allows_additional: bool = False
    items: Node | None = None
    all_of: tuple[Node, ...] = ()
    any_of: tuple[Node, ...] = ()
    one_of: tuple[Node, ...] = ()
    negated: Node | None = None
    int_or_string: bool = False
    preserves: bool = False
    embedded: bool = False
    list_type: str = ""
    list_keys: tuple[str, ...] = ()
    map_type: str = ""
    rules: tuple[JsonObject, ...] = ()

    @property
    def types(self) -> tuple[str, ...]:
        """The types that a value may be of; none is any."""
        return ("integer", "string") if self.int_or_string else (self.type,) if self.type else ()


def read_schema(schema: Json, at: str) -> Node:
    """Read a schema that stands at `at` in its document.

    Raises:
        SpecError: it is malformed, too deep or too large.
    """
    return _Reader().node(schema, at, 0)


def every(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    yield node
    parts = (node.additional, node.items, node.negated)
    below = (*node.properties.values(), *node.all_of, *node.any_of, *node.one_of, *filter(None, parts))
    for child in below:
        yield from every(child)


class _Reader:
    """Reads one schema, and counts its nodes."""

    def __init__(self) -> None:
        self._count = 0

    def node(self, schema: Json, at: str, depth: int) -> Node:
        self._count += 1
        if self._count > MAX_NODES or depth > MAX_DEPTH:
            what = f"a schema of more than {MAX_NODES} nodes" if depth <= MAX_DEPTH else "a schema that nests too deep"
            raise SpecError(what, pointer=at, hint="Use `x-kubernetes-preserve-unknown-fields` below this.")
        if not isinstance(schema, dict):
            raise SpecError("a schema must be an object", pointer=at)
        say = _Fields(schema, at)
        additional, allows = self._additional(schema.get("additionalProperties"), at, depth)
        items = schema.get("items")
        negated = schema.get("not")
        return Node(
            at=at,
            type=say.word("type", _TYPES),
            format=say.text("format"),
            nullable=say.flag("nullable"),
            default=ABSENT if schema.get("default") is None else schema["default"],
            limits=_limits(say),
            properties={
                name: self.node(below, f"{at}/properties/{escape(name)}", depth + 1)
                for name, below in say.object("properties").items()
            },
            additional=additional,
            allows_additional=allows,
            items=None if items is None else self.node(items, f"{at}/items", depth + 1),
            all_of=self._several(say, "allOf", depth),
            any_of=self._several(say, "anyOf", depth),
            one_of=self._several(say, "oneOf", depth),
            negated=None if negated is None else self.node(negated, f"{at}/not", depth + 1),
            int_or_string=say.flag(f"{_X}int-or-string"),
            preserves=say.flag(f"{_X}preserve-unknown-fields"),
            embedded=say.flag(f"{_X}embedded-resource"),
            list_type=say.word(f"{_X}list-type", _LIST_TYPES),
            list_keys=say.texts(f"{_X}list-map-keys"),
            map_type=say.word(f"{_X}map-type", _MAP_TYPES),
            rules=say.objects(f"{_X}validations"),
        )

    def _additional(self, schema: Json, at: str, depth: int) -> tuple[Node | None, bool]:
        if schema is None or isinstance(schema, bool):
            return None, bool(schema)
        return self.node(schema, f"{at}/additionalProperties", depth + 1), True

    def _several(self, say: _Fields, name: str, depth: int) -> tuple[Node, ...]:
        return tuple(
            self.node(below, f"{say.at}/{name}/{index}", depth + 1) for index, below in enumerate(say.objects(name))
        )


class _Fields:
    """The fields of one node, each read as what it must be; null is as good as nothing."""

    def __init__(self, schema: JsonObject, at: str) -> None:
        self.at = at
        self.schema = schema

    def _read(self, name: str, kind: Callable[[Json], bool], what: str, empty: Any) -> Any:
        value = self.schema.get(name)
        if value is None:
            return empty
        if not kind(value):
            raise SpecError(f"`{name}` must be {what}", pointer=f"{self.at}/{name}")
        return value

    def text(self, name: str) -> str:
        return str(self._read(name, lambda value: isinstance(value, str), "text", ""))

    def word(self, name: str, known: frozenset[str]) -> str:
        text = self.text(name)
        if text and text not in known:
            raise SpecError(f"`{name}` must be one of {', '.join(sorted(known))}", pointer=f"{self.at}/{name}")
        return text

    def flag(self, name: str) -> bool:
        return bool(self._read(name, lambda value: isinstance(value, bool), "true or false", False))

    def count(self, name: str) -> int | None:
        value = self._read(name, _is_number, "a whole number", None)
        return None if value is None else int(value)

    def number(self, name: str) -> float | None:
        value = self._read(name, _is_number, "a number", None)
        return None if value is None else float(value)

    def object(self, name: str) -> JsonObject:
        found: JsonObject = self._read(name, lambda value: isinstance(value, dict), "an object", {})
        return found

    def objects(self, name: str) -> tuple[JsonObject, ...]:
        return tuple(self._read(name, lambda value: _are(value, dict), "a list of objects", ()))

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(self._read(name, lambda value: _are(value, str), "a list of texts", ()))

    def values(self, name: str) -> tuple[Json, ...] | None:
        found = self._read(name, lambda value: isinstance(value, list), "a list", None)
        return tuple(found) if found else None


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**63


def _are(value: Json, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(item, kind) for item in value)


_NONE: Final = Limits()
_LIMITS: Final = frozenset(
    {
        *("enum", "required", "pattern", "maxLength", "minLength", "maxItems", "minItems", "uniqueItems"),
        *("maxProperties", "minProperties", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "multipleOf"),
    }
)


def _limits(say: _Fields) -> Limits:
    """What a node says besides its type; most say nothing."""
    if _LIMITS.isdisjoint(say.schema):
        return _NONE
    return Limits(
        enum=say.values("enum"),
        required=say.texts("required"),
        pattern=say.text("pattern"),
        max_length=say.count("maxLength"),
        min_length=say.count("minLength"),
        max_items=say.count("maxItems"),
        min_items=say.count("minItems"),
        unique_items=say.flag("uniqueItems"),
        max_properties=say.count("maxProperties"),
        min_properties=say.count("minProperties"),
        maximum=say.number("maximum"),
        exclusive_maximum=say.flag("exclusiveMaximum"),
        minimum=say.number("minimum"),
        exclusive_minimum=say.flag("exclusiveMinimum"),
        multiple_of=say.number("multipleOf"),
    )
