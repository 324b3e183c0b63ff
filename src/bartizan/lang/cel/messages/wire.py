"""Bytes to an object, by the wire format of protocol buffers."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.lang.cel.errors import CelError
from bartizan.lang.cel.messages.assign import put_field
from bartizan.lang.cel.messages.message import message_class
from bartizan.lang.cel.messages.schema import Field
from bartizan.lang.cel.messages.wellknown import native, packed
from bartizan.lang.cel.values import UInt, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.lang.cel.messages.message import Message
    from bartizan.lang.cel.messages.schema import MessageType, Schema

_MAX_DEPTH: Final = 100
_VARINT, _FIXED64, _BYTES, _START, _END, _FIXED32 = range(6)


def unpack(schema: Schema, type_url: str, data: bytes) -> Any:
    """The value of the language in bytes whose type is named beside them.

    Raises:
        CelError: the type is not known, or the bytes are none of it.
    """
    kind = schema.messages.get(type_url.rpartition("/")[2])
    if kind is None:
        raise CelError(f"conversion error: unknown type {type_url[:200]!r} in google.protobuf.Any")
    return native(decode(schema, kind, data))


def decode(schema: Schema, kind: MessageType, data: bytes, depth: int = 0) -> Message:
    """An object of its bytes; fields that its type does not have are kept as they are.

    Raises:
        CelError: the bytes are malformed.
    """
    if depth > _MAX_DEPTH:
        raise CelError("objects nest too deep to unpack")
    fields: dict[str, Any] = {}
    unknown: list[bytes] = []
    for token in _tokens(data):
        field = kind.numbers.get(token.number)
        if field is None or not _add(schema, kind, fields, field, token, depth):
            unknown.append(token.raw)
    return message_class(schema, kind)(fields, b"".join(unknown))


class _Token(NamedTuple):
    """One field as it stands in the bytes: a number, or bytes."""

    number: int
    wire: int
    value: Any
    raw: bytes


def _tokens(data: bytes) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while at < len(data):
        start = at
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        value, at = _token_value(data, at, wire, number)
        found.append(_Token(number, wire, value, data[start:at]))
    return found


def _token_value(data: bytes, at: int, wire: int, number: int) -> tuple[Any, int]:
    if wire == _VARINT:
        return _varint(data, at)
    if wire == _START:
        end, after = _group_end(data, at, number)
        return data[at:end], after
    if wire == _BYTES:
        size, at = _varint(data, at)
    else:
        size = {_FIXED64: 8, _FIXED32: 4}.get(wire, len(data) + 1)
    if at + size > len(data):
        raise _malformed()
    return data[at : at + size], at + size


def _group_end(data: bytes, at: int, number: int) -> tuple[int, int]:
    open_groups = [number]
    while open_groups:
        before = at
        tag, at = _varint(data, at)
        inner, wire = tag >> 3, tag & 7
        if wire == _START:
            open_groups.append(inner)
        elif wire == _END:
            if inner != open_groups.pop():
                raise _malformed()
        else:
            _, at = _token_value(data, at, wire, inner)
    return before, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(10):
        if at + place >= len(data):
            break
        byte = data[at + place]
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at + place + 1
    raise _malformed()


def _malformed() -> CelError:
    return CelError("conversion error: malformed bytes in google.protobuf.Any")


def _add(schema: Schema, kind: MessageType, fields: dict[str, Any], field: Field, token: _Token, depth: int) -> bool:
    """Take a field from its token; whether it is of a form that the field has."""
    if field.key:
        if token.wire != _BYTES:
            return False
        key, value = _entry(schema, field, token.value, depth)
        fields.setdefault(field.name, {})[key] = value
        return True
    if field.repeated and token.wire == _BYTES and field.kind not in ("message", "string", "bytes"):
        fields.setdefault(field.name, []).extend(_members(schema, field, token.value))
        return True
    if token.wire not in _wires(field.kind):
        return False
    value = _read(schema, field, token.value, depth)
    if field.repeated:
        fields.setdefault(field.name, []).append(value)
    else:
        put_field(fields, kind, field, value)
    return True


def _wires(kind: str) -> tuple[int, ...]:
    if kind == "message":
        return (_BYTES, _START)
    if kind in ("string", "bytes"):
        return (_BYTES,)
    return (_FORMS[kind][0] if kind in _FORMS else _VARINT,)


def _members(schema: Schema, field: Field, data: bytes) -> list[Any]:
    """A list whose members stand one behind the other."""
    found: list[Any] = []
    at = 0
    wire = _wires(field.kind)[0]
    while at < len(data):
        value, at = _token_value(data, at, wire, 0)
        found.append(_read(schema, field, value, 0))
    return found


def _entry(schema: Schema, field: Field, data: bytes, depth: int) -> tuple[Any, Any]:
    key_field = Field("key", 1, field.key)
    key: Any = None
    value: Any = None
    for token in _tokens(data):
        if token.number == 1 and token.wire in _wires(field.key):
            key = _read(schema, key_field, token.value, depth)
        elif token.number == 2 and token.wire in _wires(field.kind):
            value = _read(schema, field, token.value, depth)
    if key is None:
        key = _read(schema, key_field, _ZERO.get(_wires(field.key)[0], 0), depth)
    if value is None:
        value = _read(schema, field, _ZERO.get(_wires(field.kind)[0], 0), depth)
    return key_of(key), value


_ZERO: Final = {_BYTES: b"", _FIXED32: bytes(4), _FIXED64: bytes(8)}


def _read(schema: Schema, field: Field, value: Any, depth: int) -> Any:
    if field.kind == "message":
        return packed(decode(schema, schema.messages[field.type], value, depth + 1))
    if field.kind == "enum":
        return schema.enums[field.type].made(_signed(value, 32))
    if field.kind == "string":
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise _malformed() from error
    if field.kind in _FORMS:
        return _FORMS[field.kind][1](value)
    return value if field.kind == "bytes" else _VARINTS[field.kind](value)


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _zigzag(value: int) -> int:
    return (value >> 1) ^ -(value & 1)


_FORMS: Final[Mapping[str, tuple[int, Callable[[bytes], Any]]]] = {
    "float": (_FIXED32, lambda data: struct.unpack("<f", data)[0]),
    "double": (_FIXED64, lambda data: struct.unpack("<d", data)[0]),
    "fixed32": (_FIXED32, lambda data: UInt(int.from_bytes(data, "little"))),
    "fixed64": (_FIXED64, lambda data: UInt(int.from_bytes(data, "little"))),
    "sfixed32": (_FIXED32, lambda data: int.from_bytes(data, "little", signed=True)),
    "sfixed64": (_FIXED64, lambda data: int.from_bytes(data, "little", signed=True)),
}
_VARINTS: Final[Mapping[str, Callable[[int], Any]]] = {
    "int32": lambda value: _signed(value, 32),
    "int64": lambda value: _signed(value, 64),
    "uint32": lambda value: UInt(value & 0xFFFFFFFF),
    "uint64": UInt,
    "sint32": lambda value: _zigzag(value & 0xFFFFFFFF),
    "sint64": _zigzag,
    "bool": bool,
}
