"""One object of a type of protocol buffers.

A field holds a value of the language: what a wrapper or `Value` wraps stands
there itself. What is packed is unpacked when it is read, because bytes that
cannot be unpacked are still equal to themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from bartizan.lang.cel.errors import CelError
from bartizan.lang.cel.operators.equality import equal

if TYPE_CHECKING:
    from bartizan.lang.cel.messages.schema import Field, MessageType, Schema


class Packed:
    """Bytes of an object whose type is named beside them."""

    __slots__ = ("schema", "type_url", "value")

    def __init__(self, schema: Schema, type_url: str, value: bytes) -> None:
        self.schema = schema
        self.type_url = type_url
        self.value = value

    def opened(self) -> Any:
        """The object, as a value of the language.

        Raises:
            CelError: its type is not known, or the bytes are none of it.
        """
        from bartizan.lang.cel.messages.wire import unpack

        return unpack(self.schema, self.type_url, self.value)

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not Packed:
            try:
                return equal(self.opened(), other)
            except CelError:
                return False
        if self.type_url != other.type_url:
            return False
        try:
            return equal(self.opened(), other.opened())
        except CelError:
            return bool(self.value == other.value)

    __hash__ = None  # type: ignore[assignment]  # no key of a map


class Message:
    """An object, with the fields that are set. Never changed once it is made."""

    __slots__ = ("fields", "unknown")
    type_name: ClassVar[str] = "message"
    kind: ClassVar[MessageType]
    schema: ClassVar[Schema]

    def __init__(self, fields: dict[str, Any], unknown: bytes = b"") -> None:
        self.fields = fields
        self.unknown = unknown

    def __getitem__(self, name: str) -> Any:
        """The value of a field; one that is not set has the default of its type.

        Raises:
            CelError: there is no such field, or what it holds cannot be unpacked.
        """
        found = self._field(name)
        if name not in self.fields:
            return default_of(self.schema, found)
        value = self.fields[name]
        if found.type != "google.protobuf.Any":
            return value
        if value.__class__ is Packed:
            return value.opened()
        if found.repeated:
            return [opened(item) for item in value]
        return {key: opened(item) for key, item in value.items()} if found.key else value

    def has_field(self, name: str) -> bool:
        """Whether a field is set."""
        return self._field(name).name in self.fields

    def is_zero(self) -> bool:
        """Whether no field is set."""
        return not self.fields and not self.unknown

    def _field(self, name: str) -> Field:
        found = self.kind.fields.get(name) if name.__class__ is str else None
        if found is None:
            raise CelError(f"no such field '{name}'")
        return found

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return False
        fields = other.fields
        return (
            self.fields.keys() == fields.keys()
            and all(_are_same(value, fields[name]) for name, value in self.fields.items())
            and self.unknown == other.unknown
        )

    __hash__ = None  # type: ignore[assignment]  # no key of a map

    def __repr__(self) -> str:
        return f"{self.type_name}{self.fields}"


def _are_same(left: Any, right: Any) -> bool:
    """Equality of what two fields hold, each of which may be packed."""
    if left.__class__ is Packed or right.__class__ is Packed:
        return bool(left == right if left.__class__ is Packed else right == left)
    if left.__class__ is list and right.__class__ is list:
        return len(left) == len(right) and all(map(_are_same, left, right))
    if left.__class__ is dict and right.__class__ is dict:
        return left.keys() == right.keys() and all(_are_same(item, right[key]) for key, item in left.items())
    return equal(left, right)


def opened(value: Any) -> Any:
    """What may be packed, unpacked."""
    return value.opened() if value.__class__ is Packed else value


def message_class(schema: Schema, kind: MessageType) -> type[Message]:
    """The Python class of a type's objects: there is one for each, as calls are told apart by class."""
    if kind.made is object:
        made = {"type_name": kind.name, "kind": kind, "schema": schema, "__slots__": ()}
        kind.made = type(kind.name, (Message,), made)
    return kind.made


def default_of(schema: Schema, field: Field) -> Any:
    """What a field that is not set holds."""
    if field.repeated:
        return []
    if field.key:
        return {}
    if field.kind != "message":
        return field.default
    from bartizan.lang.cel.messages.wellknown import UNSET

    if field.type in UNSET:
        return UNSET[field.type]()
    return message_class(schema, schema.messages[field.type])({})
