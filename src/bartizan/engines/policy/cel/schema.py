"""An OpenAPI schema as types of CEL, and JSON as values of these types.

Source: `SchemaDeclType` and `UnstructuredToVal` of
`k8s.io/apiserver/pkg/cel/common`. What a schema does not describe has no
type and so no name in an expression; a null field of an object is a field
that is not there; names that the language could not read are written with
`__dot__`, `__dash__` and the like.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from bartizan.base.duration import parse_duration
from bartizan.lang.cel.errors import CelError
from bartizan.lang.cel.library.times import parse_timestamp
from bartizan.lang.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    Type,
    list_of,
    map_of,
)
from bartizan.lang.cel.values import INT_MAX, INT_MIN, Duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.base.json import Json

    Read = Callable[[Json], Any]


class Schema(Protocol):
    """What is asked of a schema. `properties` and those below are schemas too, or nothing."""

    @property
    def type(self) -> str:
        """`object`, `array`, `string`, `integer`, `number`, `boolean`, or nothing."""

    @property
    def format(self) -> str:
        """The format of a text; empty where there is none."""

    @property
    def properties(self) -> Mapping[str, Any]:
        """The fields of an object."""

    @property
    def additional(self) -> Any:
        """The schema of every value of a map."""

    @property
    def items(self) -> Any:
        """The schema of every item of a list."""

    @property
    def int_or_string(self) -> bool:
        """Whether a value may be a number or a text."""

    @property
    def embedded(self) -> bool:
        """Whether an object is a whole resource."""


_RESERVED: Final = frozenset(
    {
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import"),
        *("let", "loop", "package", "namespace", "return", "var", "void", "while"),
    }
)
_ESCAPES: Final = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_SPECIAL: Final = re.compile(r"__|[-./]")
_NAME: Final = re.compile(r"[a-zA-Z_./-][a-zA-Z0-9_./-]*", re.ASCII)
_NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9_=-]")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_LOCAL: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?", re.ASCII)
_GO_NAMES: Final[Mapping[type, str]] = {
    str: "string",
    bool: "bool",
    int: "int64",
    float: "float64",
    list: "[]interface {}",
    dict: "map[string]interface {}",
}
_META: Final = ("name", "generateName")
_META_TYPE: Final = Type("ObjectMeta")


@dataclass(frozen=True, slots=True)
class Fault:
    """A value that is none of its type: what asks for it gets an error that says so."""

    says: str
    value: Json


class _Faulty(dict[str, Any]):
    """An object with fields that are no values of their types: to ask for one, or whether it is there, is an error."""

    __slots__ = ("faults",)

    def __init__(self, fields: Mapping[str, Any], faults: Mapping[str, Fault]) -> None:
        super().__init__(fields)
        self.faults = faults

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or self._is_faulty(name)

    def __missing__(self, name: str) -> Any:
        self._is_faulty(name)
        raise KeyError(name)

    def _is_faulty(self, name: object) -> bool:
        if name in self.faults:
            raise CelError(self.faults[str(name)].says)
        return False


def escaped(name: str) -> str | None:
    """A field's name as expressions write it; `None` where they cannot."""
    if name in _RESERVED:
        return f"__{name}__"
    if _NAME.fullmatch(name) is None:
        return None
    return _SPECIAL.sub(lambda match: _ESCAPES[match[0]], name)


@dataclass(frozen=True, slots=True)
class Declared:
    """A schema as a type, the fields of the object types in it, and what reads JSON as a value of it.

    `read` is `None` where JSON is such a value already. `fields`, `item` are
    what is declared below, so that no schema is gone through twice.
    """

    type: Type
    objects: Mapping[str, Mapping[str, Type]]
    read: Read | None
    fields: Mapping[str, Declared] = field(default_factory=dict)
    item: Declared | None = None

    def value(self, json: Json) -> Any:
        """JSON as a value, or a `Fault`."""
        return json if self.read is None or json is None else self.read(json)

    def member(self, json: Json) -> Any:
        """The same for what is in a list or map, where a fault stays what it is."""
        value = self.value(json)
        return value.value if value.__class__ is Fault else value


def declare(  # noqa: PLR0911 (one for each type)
    schema: Schema, name: str, *, is_resource: bool = False
) -> Declared | None:
    """The type of a schema; `None` where expressions must not see values of it.

    `name` begins the names of the object types. A resource always has
    `apiVersion`, `kind`, and a name in its metadata.
    """
    if schema.int_or_string:
        return Declared(DYN, {}, _int_or_string)
    match schema.type:
        case "array":
            return _list(schema, name)
        case "object" if schema.additional is not None and not is_resource:
            return _map(schema, name)
        case "object":
            return _object(schema, name, is_resource=is_resource)
        case "string":
            kind, read = _FORMATS.get(schema.format, (STRING, _text))
            return Declared(kind, {}, read)
        case "number":
            return Declared(DOUBLE, {}, _number)
        case "integer":
            return Declared(INT, {}, _whole)
        case "boolean":
            return Declared(BOOL, {}, None)
        case _:
            return None


def _list(schema: Schema, name: str) -> Declared | None:
    if schema.items is None:
        return None
    item = declare(schema.items, f"{name}.@items", is_resource=schema.items.embedded)
    if item is None:
        return None
    read = None if item.read is None else _list_reader(item.member)
    return Declared(list_of(item.type), item.objects, read, item=item)


def _list_reader(below: Read) -> Read:
    return lambda value: [below(item) for item in value] if isinstance(value, list) else value


def _map(schema: Schema, name: str) -> Declared | None:
    item = declare(schema.additional, f"{name}.@values", is_resource=schema.additional.embedded)
    if item is None:
        return None
    read = None if item.read is None else _map_reader(item.member)
    return Declared(map_of(STRING, item.type), item.objects, read, item=item)


def _map_reader(below: Read) -> Read:
    return lambda value: {key: below(item) for key, item in value.items()} if isinstance(value, dict) else value


def _object(schema: Schema, name: str, *, is_resource: bool) -> Declared:
    fields: dict[str, Declared] = {}
    for key, child in schema.properties.items():
        below = declare(child, f"{name}.{key}", is_resource=child.embedded)
        if below is not None:
            fields[key] = below
    if is_resource:
        fields |= _of_resource(fields)
    types = {shown: below.type for key, below in fields.items() if (shown := escaped(key)) is not None}
    objects: dict[str, Mapping[str, Type]] = {name: types}
    for below in fields.values():
        objects |= below.objects
    return Declared(Type(name), objects, _object_reader(fields), fields)


def _of_resource(fields: Mapping[str, Declared]) -> dict[str, Declared]:
    """What every resource has, where its schema does not say all of it."""
    text = Declared(STRING, {}, None)
    metadata = fields.get("metadata")
    known = metadata is not None and all(
        (below := metadata.fields.get(name)) is not None and below.type == STRING for name in _META
    )
    named = all((below := fields.get(name)) is not None and below.type == STRING for name in ("apiVersion", "kind"))
    if known and named:
        return {}
    meta = Declared(_META_TYPE, {_META_TYPE.name: dict.fromkeys(_META, STRING)}, _without_nulls)
    return {"apiVersion": text, "kind": text, "metadata": meta}


def _object_reader(fields: Mapping[str, Declared]) -> Read:
    """Reads an object: names as expressions write them, no nulls, and what is below as its type.

    An object that is all that already is given back as it is.
    """
    names = {key: escaped(key) or key for key in fields}
    renames = any(key != name for key, name in names.items())
    readers = {key: below.read for key, below in fields.items() if below.read is not None}

    def read(value: Json) -> Any:
        if not isinstance(value, dict):
            return Fault("invalid data, expected a map for the provided schema with type=object", value)
        changes = {}
        for key, reader in readers.items():
            item = value.get(key)
            if item is not None:
                new = reader(item)
                if new is not item:
                    changes[key] = new
        made = _without_nulls(value)
        if changes:
            made = {**made, **changes}
        if renames:
            made = {names.get(key, key): item for key, item in made.items()}
        faults = {names[key]: item for key, item in changes.items() if item.__class__ is Fault}
        if not faults:
            return made
        return _Faulty({key: item for key, item in made.items() if key not in faults}, faults)

    return read


def _without_nulls(value: Json) -> Any:
    """An object without the fields that are null; it is the very same where there is none."""
    if isinstance(value, dict) and None in value.values():
        return {key: item for key, item in value.items() if item is not None}
    return value


def _expected(kind: str, value: Json) -> Fault:
    return Fault(f"invalid data, expected {kind}, got {_GO_NAMES.get(value.__class__, '<nil>')}", value)


def _text(value: Json) -> Any:
    return value if isinstance(value, str) else _expected("string", value)


def _whole(value: Json) -> Any:
    return value if value.__class__ is int else _expected("int", value)


def _int_or_string(value: Json) -> Any:
    if isinstance(value, str) or value.__class__ is int:
        return value
    return Fault("invalid data, expected XIntOrString value to be either a string or integer", value)


def _number(value: Json) -> Any:
    """A number: whole ones come as such."""
    if value.__class__ is int:
        return float(value)
    return value if value.__class__ is float else _expected("float", value)


def _timestamp(value: Json) -> Any:
    """A moment, which may lack its zone."""
    if not isinstance(value, str):
        return _expected("string", value)
    local = _LOCAL.match(value)
    if local is None or "z" in value:
        return Fault(f"Invalid date-time formatted string {value}: {_unread(value, local)}", value)
    try:
        return parse_timestamp(f"{value}Z" if local.end() == len(value) else value)
    except CelError:
        return Fault(f"Invalid date-time formatted string {value}: {_unread(value, local)}", value)


def _unread(text: str, local: re.Match[str] | None) -> str:
    """Why Go does not read a moment, in its words."""
    layout = "2006-01-02T15:04:05"
    if local is None:
        return f'parsing time "{text}" as "{layout}": cannot parse "{text[10:]}" as "T"'
    return f'parsing time "{text}": extra text: "{text[local.end() :]}"'


def _day(value: Json) -> Any:
    """A day, which is its first moment."""
    if not isinstance(value, str):
        return _expected("string", value)
    return _timestamp(f"{value}T00:00:00Z") if _DAY.fullmatch(value) else _expected("string", value)


_SPAN: Final = re.compile(r"(\d{1,18})\s*([A-Za-zµ]+)", re.ASCII)
_SECOND: Final = 10**9
SPAN_UNITS: Final[tuple[tuple[tuple[str, ...], int], ...]] = (
    (("ns", "nano"), 1),
    (("us", "µs", "micro"), 1_000),
    (("ms", "milli"), 1_000_000),
    (("s", "sec"), _SECOND),
    (("m", "min"), 60 * _SECOND),
    (("h", "hr", "hour"), 3_600 * _SECOND),
    (("d", "day"), 86_400 * _SECOND),
    (("w", "wk", "week"), 604_800 * _SECOND),
)
_MAX_CHARS: Final = 4096


def parse_span(text: str) -> int | None:
    """A length of time in nanoseconds, as the format `duration` has it: `1h30m`, `2 days`."""
    plain = parse_duration(text)
    if plain is not None or len(text) > _MAX_CHARS:
        return plain
    total: int | None = None
    for amount, unit in _SPAN.findall(text):
        word = unit.lower()
        for names, nanoseconds in SPAN_UNITS:
            # only the longest name of a unit may be written on: `seconds`, but `mss` is nothing
            if word in names or word.startswith(names[-1]):
                total = (total or 0) + int(amount) * nanoseconds
    return total if total is None or INT_MIN <= total <= INT_MAX else None


def _duration(value: Json) -> Any:
    if not isinstance(value, str):
        return _expected("string", value)
    span = parse_span(value)
    return (
        Fault(f"Invalid duration {value}: unable to parse {value} as duration", value)
        if span is None
        else Duration(span)
    )


def _bytes(value: Json) -> Any:
    """Bytes in the alphabet for addresses, which is what the server reads here."""
    if not isinstance(value, str):
        return _expected("string", value)
    wrong = _NOT_BASE64.search(value)
    place = len(value) if wrong is None else wrong.start()
    try:
        if wrong is None:
            return base64.b64decode(value, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        pass
    return Fault(f"Invalid byte formatted string {value}: illegal base64 data at input byte {place}", value)


_FORMATS: Final[Mapping[str, tuple[Type, Read | None]]] = {
    "byte": (BYTES, _bytes),
    "duration": (DURATION, _duration),
    "date": (TIMESTAMP, _day),
    "date-time": (TIMESTAMP, _timestamp),
}
