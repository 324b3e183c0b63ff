"""Objects as the conformance tests write them, and the types that they are of."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import yaml
from tests.conformance import ROOT

from bartizan.lang.cel.messages import Message, Schema, read_schema
from bartizan.lang.cel.messages.assign import put_field
from bartizan.lang.cel.messages.message import message_class
from bartizan.lang.cel.messages.schema import SCALARS, Field, float32
from bartizan.lang.cel.messages.wellknown import add_well_known, native, packed
from bartizan.lang.cel.values import UInt, key_of

if TYPE_CHECKING:
    from collections.abc import Iterator


@lru_cache(maxsize=2)
def schema(*, strong: bool) -> Schema:
    """The types of the tests; `strong` where enumerations are types of their own."""
    described = yaml.safe_load((ROOT / "tests/cases/cel/messages.yaml").read_text())
    return read_schema(add_well_known(Schema(strong_enums=strong)), described)


def value_of(types: Schema, name: str, text: list[tuple[str, Any]]) -> Any:
    """The value of the language that an object stands for."""
    return native(_message(types, name, text))


def _message(types: Schema, name: str, text: list[tuple[str, Any]]) -> Message:
    kind = types.messages[name]
    fields: dict[str, Any] = {}
    for written, given in text:
        field = _field(types, name, written)
        if field.repeated:
            fields.setdefault(field.name, []).append(_value(types, field, given))
        elif field.key:
            key, value = _entry(types, field, given)
            fields.setdefault(field.name, {})[key] = value
        else:
            put_field(fields, kind, field, _value(types, field, given))
    return message_class(types, kind)(fields)


def _field(types: Schema, name: str, written: str) -> Field:
    fields = types.messages[name].fields
    bare = written.strip("[]")
    return next(fields[word] for word in (bare, bare.lower()) if word in fields)  # a group goes by its type's name


def _entry(types: Schema, field: Field, given: list[tuple[str, Any]]) -> tuple[Any, Any]:
    parts = dict(given)
    key = _scalar(field.key, parts["key"]) if "key" in parts else SCALARS[field.key]()
    empty: Any = [] if field.kind == "message" else 0
    return key_of(key), _value(types, field, parts.get("value", empty))


def _value(types: Schema, field: Field, given: Any) -> Any:
    if field.kind == "enum":
        enum = types.enums[field.type]
        return enum.made(enum.values[given] if isinstance(given, str) else int(given))
    if field.kind != "message":
        return _scalar(field.kind, given)
    expanded = next(_expanded(given), None)
    if field.type == "google.protobuf.Any" and expanded is not None:
        return value_of(types, *expanded)
    return packed(_message(types, field.type, given))


def _expanded(given: list[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """What an `Any` holds where that is written in its place: `[type.googleapis.com/name] {…}`."""
    return ((name.strip("[]").rpartition("/")[2], inner) for name, inner in given if "/" in name)


def _scalar(kind: str, given: Any) -> Any:
    if kind == "string":
        return given.decode()
    if kind == "float":
        return float32(float(given))
    made = SCALARS[kind]
    return made(given) if made is not UInt else UInt(int(given))
