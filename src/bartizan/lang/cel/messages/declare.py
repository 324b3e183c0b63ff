"""Types of protocol buffers as an environment declares them: object types, constants, and functions of enumerations."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

from bartizan.lang.cel.declare import ObjectType, Overload
from bartizan.lang.cel.errors import CelError
from bartizan.lang.cel.messages.assign import assembled, ranged
from bartizan.lang.cel.messages.schema import SCALARS
from bartizan.lang.cel.messages.wellknown import WRAPPED, native, well_known
from bartizan.lang.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    UINT,
    Type,
    list_of,
    map_of,
    wrapper_of,
)
from bartizan.lang.cel.values import UInt

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.lang.cel.messages.schema import EnumType, Field, MessageType, Schema

_CLASSES: Final = {int: INT, UInt: UINT, float: DOUBLE, bool: BOOL, str: STRING, bytes: BYTES}
_WELL_KNOWN: Final = {
    "google.protobuf.Any": DYN,
    "google.protobuf.Value": DYN,
    "google.protobuf.Struct": map_of(STRING, DYN),
    "google.protobuf.ListValue": list_of(DYN),
    "google.protobuf.Timestamp": TIMESTAMP,
    "google.protobuf.Duration": DURATION,
}


def constructible_of(schema: Schema) -> Callable[[str], ObjectType | None]:
    """What an environment's `constructible` is for the messages of a schema."""
    known: dict[str, ObjectType] = {}

    def constructible(name: str) -> ObjectType | None:
        if name not in known and name in schema.messages:
            known[name] = _object_type(schema, schema.messages[name])
        return known.get(name)

    return constructible


def _object_type(schema: Schema, kind: MessageType) -> ObjectType:
    def field(name: str) -> Type | None:
        found = kind.fields.get(name)
        return None if found is None else _field_type(schema, found)

    def make(values: dict[str, Any]) -> Any:
        return native(assembled(schema, kind, values))

    return ObjectType(type_of(kind.name), field, make, tuple(kind.fields))


def type_of(name: str) -> Type:
    """The type of a message's objects, as expressions see it."""
    if name in WRAPPED:
        return wrapper_of(_scalar_type(WRAPPED[name]))
    return _WELL_KNOWN.get(name) or Type(name)


def _field_type(schema: Schema, field: Field) -> Type:
    kind = _member_type(schema, field)
    if field.repeated:
        return list_of(kind)
    return map_of(_scalar_type(field.key), kind) if field.key else kind


def _member_type(schema: Schema, field: Field) -> Type:
    if field.kind == "message":
        return type_of(field.type)
    if field.kind == "enum":
        return Type(field.type) if schema.enums[field.type].made is not int else INT
    return _scalar_type(field.kind)


def _scalar_type(kind: str) -> Type:
    return _CLASSES[SCALARS[kind]]


@lru_cache(maxsize=1)
def _well_known() -> Callable[[str], ObjectType | None]:
    return constructible_of(well_known())


def well_known_type(name: str) -> ObjectType | None:
    """The type of `google.protobuf` that has a name."""
    return _well_known()(name)


def constants_of(schema: Schema) -> dict[str, tuple[Type, Any]]:
    """The members of all enumerations by their full names, as an environment's `constants`."""
    return {
        f"{enum.name}.{name}": (INT if enum.made is int else Type(enum.name), enum.made(number))
        for enum in schema.enums.values()
        for name, number in enum.values.items()
    }


def enumerations_of(schema: Schema) -> dict[str, tuple[Overload, ...]]:
    """Functions of enumerations that are types of their own: `Name(1)`, `Name('MEMBER')` and `int(member)`."""
    strong = [enum for enum in schema.enums.values() if enum.made is not int]
    functions: dict[str, tuple[Overload, ...]] = {
        enum.name: (
            Overload((INT,), Type(enum.name), partial(_of_number, enum)),
            Overload((STRING,), Type(enum.name), partial(_of_name, enum)),
        )
        for enum in strong
    }
    functions["int"] = tuple(Overload((Type(enum.name),), INT, int) for enum in strong)
    return functions


def _of_number(enum: EnumType, number: int) -> Any:
    return enum.made(ranged("int32", number))


def _of_name(enum: EnumType, name: str) -> Any:
    if name not in enum.values:
        raise CelError(f"invalid {enum.name} value {name[:80]!r}")
    return enum.made(enum.values[name])
