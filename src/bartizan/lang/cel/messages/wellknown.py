"""The types of `google.protobuf`: most of their objects are values of the language."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from bartizan.lang.cel.errors import CelError
from bartizan.lang.cel.messages.message import Message, Packed
from bartizan.lang.cel.messages.schema import Schema, read_schema
from bartizan.lang.cel.operators.limits import duration, timestamp
from bartizan.lang.cel.values import Duration, Timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_P: Final = "google.protobuf"
_SECOND: Final = 10**9
WRAPPED: Final[Mapping[str, str]] = {
    f"{_P}.{name}Value": kind
    for name, kind in {
        "Bool": "bool",
        "Bytes": "bytes",
        "Double": "double",
        "Float": "float",
        "Int32": "int32",
        "Int64": "int64",
        "String": "string",
        "UInt32": "uint32",
        "UInt64": "uint64",
    }.items()
}
"""What each wrapper wraps."""
_VALUE: Final = {
    "null_value": "oneof kind NullValue 1",
    "number_value": "oneof kind double 2",
    "string_value": "oneof kind string 3",
    "bool_value": "oneof kind bool 4",
    "struct_value": "oneof kind Struct 5",
    "list_value": "oneof kind ListValue 6",
}
_FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    **{name: {"value": f"{kind} 1"} for name, kind in WRAPPED.items()},
    f"{_P}.Timestamp": {"seconds": "int64 1", "nanos": "int32 2"},
    f"{_P}.Duration": {"seconds": "int64 1", "nanos": "int32 2"},
    f"{_P}.Struct": {"fields": "map string Value 1"},
    f"{_P}.Value": _VALUE,
    f"{_P}.ListValue": {"values": "repeated Value 1"},
    f"{_P}.Any": {"type_url": "string 1", "value": "bytes 2"},
    f"{_P}.Empty": {},
    f"{_P}.FieldMask": {"paths": "repeated string 1"},
}
_DOCUMENT: Final = {
    "enums": {f"{_P}.NullValue": {"NULL_VALUE": 0}},
    "messages": {name: {"explicit": False, "fields": fields} for name, fields in _FIELDS.items()},
}
UNSET: Final[Mapping[str, Callable[[], Any]]] = {
    **dict.fromkeys((*WRAPPED, f"{_P}.Value", f"{_P}.Any"), lambda: None),
    f"{_P}.Timestamp": lambda: Timestamp(0),
    f"{_P}.Duration": lambda: Duration(0),
    f"{_P}.Struct": dict,
    f"{_P}.ListValue": list,
}
"""What a field of a type of `google.protobuf` holds as long as it is not set."""


def add_well_known(schema: Schema) -> Schema:
    """Add the types of `google.protobuf` to others."""
    return read_schema(schema, _DOCUMENT)


@lru_cache(maxsize=1)
def well_known() -> Schema:
    """The types of `google.protobuf` alone."""
    return add_well_known(Schema())


def native(message: Message) -> Any:
    """The value of the language that an object is: itself, if it is no more than an object.

    Raises:
        CelError: a time is out of range, or what is packed cannot be unpacked.
    """
    convert = _NATIVE.get(message.type_name)
    return message if convert is None else convert(message)


def _nanoseconds(message: Message) -> int:
    return int(message["seconds"]) * _SECOND + int(message["nanos"])


def _value(message: Message) -> Any:
    for name in _VALUE:
        if name in message.fields:
            return None if name == "null_value" else message.fields[name]
    return None


def _any(message: Message) -> Any:
    if not message.fields:
        raise CelError("conversion error: an empty google.protobuf.Any is no value")
    return Packed(message.schema, message["type_url"], message["value"]).opened()


_NATIVE: Final[Mapping[str, Callable[[Message], Any]]] = {
    **dict.fromkeys(WRAPPED, lambda message: message["value"]),
    f"{_P}.Timestamp": lambda message: timestamp(_nanoseconds(message)),
    f"{_P}.Duration": lambda message: duration(_nanoseconds(message)),
    f"{_P}.Struct": lambda message: message["fields"],
    f"{_P}.ListValue": lambda message: message["values"],
    f"{_P}.Value": _value,
    f"{_P}.Any": _any,
}


def packed(message: Message) -> Any:
    """What a field holds of an object: as `native`, but what is packed stays so."""
    if message.type_name == f"{_P}.Any":
        return Packed(message.schema, message["type_url"], message["value"])
    return native(message)
