"""A value of the language to what a field of an object holds."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from bartizan.lang.cel.errors import CelError
from bartizan.lang.cel.library.times import duration_text, timestamp_text
from bartizan.lang.cel.messages.message import Message, message_class
from bartizan.lang.cel.messages.schema import INT_BITS, SCALARS, EnumType, EnumValue, Field, Schema, float32
from bartizan.lang.cel.messages.wellknown import WRAPPED
from bartizan.lang.cel.values import Duration, Timestamp, UInt, from_key, key_of, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.lang.cel.messages.schema import MessageType

_MAX_EXACT: Final = 2**53 - 1  # beyond it an integer of JSON is a text
_MAX_DEPTH: Final = 100
_JSON: Final = {
    "google.protobuf.Any": None,
    "google.protobuf.Value": None,
    "google.protobuf.Struct": dict,
    "google.protobuf.ListValue": list,
}
"""Types to which null is a value too, with the class of those that take no other."""
_TIMES: Final = {"google.protobuf.Timestamp": Timestamp, "google.protobuf.Duration": Duration}
_PRUNED: Final = object()
"""What null is in a list or map of objects that may be missing: left out."""


def assembled(schema: Schema, kind: MessageType, values: Mapping[str, Any]) -> Message:
    """An object of values by field.

    Raises:
        CelError: a value is not of the field's type, or beyond its range.
    """
    fields: dict[str, Any] = {}
    for name, value in values.items():
        field = kind.fields.get(name)
        if field is None:
            raise CelError(f"no such field '{name}'")
        put_field(fields, kind, field, _assigned(schema, field, value))
    return message_class(schema, kind)(fields)


def put_field(fields: dict[str, Any], kind: MessageType, field: Field, held: Any) -> None:
    """Set a field to what it holds; the other members of its `oneof` are set no more."""
    if field.oneof:
        for other in kind.fields.values():
            if other.oneof == field.oneof:
                fields.pop(other.name, None)
    fields.pop(field.name, None)
    is_empty = (field.repeated or field.key) and not held
    if held is not _PRUNED and not is_empty and (field.explicit or not _is_default(held, field.default)):
        fields[field.name] = held


def _is_default(held: Any, default: Any) -> bool:
    return bool(held == default) and (held.__class__ is not float or str(held) != "-0.0")


def _assigned(schema: Schema, field: Field, value: Any) -> Any:
    if field.repeated:
        if value.__class__ is not list:
            raise _unfit(field, value)
        return [item for item in (_element(schema, field, each) for each in value) if item is not _PRUNED]
    if field.key:
        if not isinstance(value, dict):
            raise _unfit(field, value)
        entries = {
            key_of(_scalar(field.key, from_key(key), field)): _element(schema, field, item)
            for key, item in value.items()
        }
        return {key: item for key, item in entries.items() if item is not _PRUNED}
    return _element(schema, field, value)


def _element(schema: Schema, field: Field, value: Any) -> Any:
    """One value, as a field or a member of one holds it."""
    if field.kind == "enum":
        return _enum(schema.enums[field.type], value, field)
    if field.kind != "message":
        return _scalar(field.kind, value, field)
    if field.type in _JSON:
        wanted = _JSON[field.type]
        if wanted is not None and not isinstance(value, wanted):
            raise _unfit(field, value)
        return value if field.type == "google.protobuf.Any" else as_json(value)
    if value is None:
        return _PRUNED
    if field.type in WRAPPED:
        return _scalar(WRAPPED[field.type], value, field)
    if value.__class__ is not (_TIMES.get(field.type) or message_class(schema, schema.messages[field.type])):
        raise _unfit(field, value)
    return value


def _scalar(kind: str, value: Any, field: Field) -> Any:
    given: type = value.__class__
    if given is not SCALARS[kind]:
        raise _unfit(field, value)
    if kind in INT_BITS:
        return ranged(kind, value)
    return float32(value) if kind == "float" else value


def ranged(kind: str, value: Any) -> Any:
    """A whole number, if the bits of its type hold it."""
    bits = INT_BITS[kind]
    if bits == 32:
        low, high = (0, 2**32 - 1) if value.__class__ is UInt else (-(2**31), 2**31 - 1)
        if not low <= value <= high:
            raise CelError(f"range error converting {int(value)} to {kind}")
    return value


def _enum(enum: EnumType, value: Any, field: Field) -> Any:
    if enum.name == "google.protobuf.NullValue" and value is None:
        return 0
    if isinstance(value, EnumValue):
        if value.__class__ is not enum.made:
            raise _unfit(field, value)
        return value
    if value.__class__ is not int:
        raise _unfit(field, value)
    return enum.made(ranged("int32", value))


def _unfit(field: Field, value: Any) -> CelError:
    wanted = field.type or field.kind
    return CelError(f"unsupported field type: `{field.name}` takes {wanted}, not {type_name(value.__class__)}")


def as_json(value: Any, depth: int = 0) -> Any:
    """A value as `google.protobuf.Value` holds it, where every number is a double.

    Raises:
        CelError: JSON has nothing for it.
    """
    kind = value.__class__
    if value is None or kind in (bool, str, float):
        return value
    if depth > _MAX_DEPTH:
        raise CelError("values nest too deep to convert to JSON")
    if kind is int or kind is UInt:
        return float(value) if abs(value) <= _MAX_EXACT else str(int(value))
    if kind is list:
        return [as_json(item, depth + 1) for item in value]
    write = _TEXTS.get(kind)
    return _object(value, depth) if write is None else write(value)


def _object(value: Any, depth: int) -> Any:
    if isinstance(value, dict):
        if not all(key.__class__ is str for key in value):
            raise CelError("bad key type: a key of JSON is a string")
        return {key: as_json(item, depth + 1) for key, item in value.items()}
    if isinstance(value, EnumValue):
        return float(value.number)
    if not isinstance(value, Message):
        raise CelError(f"type conversion error from '{type_name(value.__class__)}' to 'google.protobuf.Value'")
    if value.type_name == "google.protobuf.FieldMask":
        return ",".join(map(_camel, value["paths"]))
    return {name: as_json(value[name], depth + 1) for name in value.fields}


def _camel(path: str) -> str:
    first, *rest = path.split("_")
    return first + "".join(word.capitalize() for word in rest)


_TEXTS: Final[Mapping[type, Callable[[Any], str]]] = {
    bytes: lambda value: base64.b64encode(value).decode(),
    Timestamp: timestamp_text,
    Duration: duration_text,
}
