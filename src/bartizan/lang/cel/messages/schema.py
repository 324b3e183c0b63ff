"""What types of protocol buffers there are, read from plain data.

A field is one line of text: its label, if any, its type and number, and what
else there is to say. Names of types are looked up from the inside out.

    single_int32: optional int32 1 default -32
    names: repeated string 2
    by_name: map string Inner 3
    choice: oneof kind Inner 4
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bartizan.base.errors import SpecError
from bartizan.lang.cel.values import UInt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SCALARS: Final[Mapping[str, type]] = {
    **dict.fromkeys(("int32", "int64", "sint32", "sint64", "sfixed32", "sfixed64"), int),
    **dict.fromkeys(("uint32", "uint64", "fixed32", "fixed64"), UInt),
    **dict.fromkeys(("float", "double"), float),
    "bool": bool,
    "string": str,
    "bytes": bytes,
}
"""Scalar types, with the Python class of their values."""
INT_BITS: Final = {name: int(name[-2:]) for name, kind in SCALARS.items() if kind in (int, UInt)}


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `kind` is a scalar, `enum` or `message`, the latter two by the name of their `type`."""

    name: str
    number: int
    kind: str
    type: str = ""
    repeated: bool = False
    explicit: bool = True
    """Whether a field that was set to the default of its type is there."""
    default: Any = None
    oneof: str = ""
    key: str = ""
    """The scalar type of a map's keys; empty for what is no map."""


@dataclass(slots=True, eq=False)
class MessageType:
    """A type of objects; `made` is the Python class of its values."""

    name: str
    fields: dict[str, Field] = field(default_factory=dict)
    numbers: dict[int, Field] = field(default_factory=dict)
    made: type = object

    def add(self, added: Field) -> None:
        """Add a field, or an extension."""
        self.fields[added.name] = added
        self.numbers[added.number] = added


@dataclass(slots=True, eq=False)
class EnumType:
    """An enumeration; `made` is the class of its values where they are no plain integers."""

    name: str
    values: Mapping[str, int]
    made: type = int


@dataclass(slots=True, eq=False)
class Schema:
    """All types of one environment."""

    messages: dict[str, MessageType] = field(default_factory=dict)
    enums: dict[str, EnumType] = field(default_factory=dict)
    strong_enums: bool = False

    def resolved(self, name: str, scope: str) -> str:
        """The full name of a type that is mentioned inside another, or in its package."""
        while True:
            full = f"{scope}.{name}" if scope else name
            if full in self.messages or full in self.enums:
                return full
            if not scope:
                raise SpecError(f"unknown type `{name}` in the description of messages")
            scope = scope.rpartition(".")[0]


class EnumValue:
    """A value of an enumeration that is a type of its own."""

    __slots__ = ("number",)
    type_name = "enum"

    def __init__(self, number: int) -> None:
        self.number = number

    def __eq__(self, other: object) -> bool:
        return other.__class__ is self.__class__ and self.number == getattr(other, "number", None)

    def __hash__(self) -> int:
        return hash((self.type_name, self.number))

    def __int__(self) -> int:
        return self.number

    def __repr__(self) -> str:
        return f"{self.type_name}({self.number})"


def read_schema(schema: Schema, document: Mapping[str, Any]) -> Schema:
    """Add the types that a document describes.

    `messages` have `fields` and say by `explicit` whether a field that is set
    to its default is there; `enums` have numbers; `extensions` say which
    message they are `of` and what `field` they are.

    Raises:
        SpecError: a field is malformed, or of a type that is not there.
    """
    for name, values in document.get("enums", {}).items():
        made = type(name, (EnumValue,), {"type_name": name, "__slots__": ()}) if schema.strong_enums else int
        schema.enums[name] = EnumType(name, values, made)
    for name in document.get("messages", {}):
        schema.messages[name] = MessageType(name)
    for name, described in document.get("messages", {}).items():
        for field_name, text in described["fields"].items():
            schema.messages[name].add(_field(schema, field_name, text, name, explicit=described["explicit"]))
    for name, described in document.get("extensions", {}).items():
        scope = name.rpartition(".")[0]
        extended = schema.messages[schema.resolved(described["of"], scope)]
        extended.add(_field(schema, name, described["field"], scope, explicit=True))
    return schema


def _field(schema: Schema, name: str, text: str, scope: str, *, explicit: bool) -> Field:
    words = iter(text.split())
    try:
        return _parsed(schema, name, words, scope, explicit=explicit)
    except (StopIteration, ValueError) as error:
        raise SpecError(f"malformed field `{name}`: `{text}`") from error


def _parsed(schema: Schema, name: str, words: Iterator[str], scope: str, *, explicit: bool) -> Field:
    word = next(words)
    repeated = word == "repeated"
    key = oneof = ""
    if word == "map":
        key, word = next(words), next(words)
    elif word == "oneof":
        oneof, word, explicit = next(words), next(words), True
    elif word in ("optional", "repeated"):
        explicit = explicit or not repeated
        word = next(words)
    kind, full = word, ""
    if word not in SCALARS:
        full = schema.resolved(word, scope)
        kind = "message" if full in schema.messages else "enum"
    number = int(next(words))
    default = _default(schema, kind, full, " ".join(words).removeprefix("default "))
    return Field(name, number, kind, full, repeated, explicit or kind == "message", default, oneof, key)


def _default(schema: Schema, kind: str, full: str, text: str) -> Any:
    if kind == "message":
        return None
    if kind == "enum":
        enum = schema.enums[full]
        return enum.made(enum.values[text] if text else next(iter(enum.values.values())))
    if kind == "bool":
        return text == "true"
    if kind == "bytes":
        return text.encode()
    if kind == "string":
        return text
    return SCALARS[kind](text or 0) if kind != "float" else float32(float(text or 0))


def float32(value: float) -> float:
    """The nearest number of 32 bits."""
    try:
        rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    return rounded
