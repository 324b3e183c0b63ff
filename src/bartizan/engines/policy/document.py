"""Reading a policy document: plain JSON to typed records, with the place of whatever is wrong.

Unknown fields are errors, because a mistyped `exclude` that is ignored
changes what a policy enforces.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from bartizan.base import pointer
from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection

    from bartizan.base.json import Json

JsonObject = dict[str, Any]


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Fields in camel case, as YAML has them; an unknown one is an error."""


class Metadata(msgspec.Struct, frozen=True):
    """What is read of a document's metadata; there may be more."""

    name: str = ""
    namespace: str | None = None
    annotations: dict[str, str] | None = None


Spec = TypeVar("Spec", bound=msgspec.Struct)

_UNKNOWN: Final = re.compile(r"unknown field `([^`]+)`")
_PLACE: Final = re.compile(r" - at `\$(.*)`$")
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]")


def decode(document: object, to: type[Spec], at: str) -> Spec:
    """Read `document`, which stands at the JSON pointer `at`, as the record `to`.

    Raises:
        SpecError: a field is unknown, missing or of the wrong type.
    """
    try:
        return msgspec.convert(document, to)
    except msgspec.ValidationError as error:
        raise _spec_error(str(error), to, at) from error
    except UnicodeEncodeError as error:
        raise SpecError("half a character, which no text can hold", pointer=at, hint="Write it whole.") from error


def list_at(value: Json, at: str) -> list[Json]:
    """A list, or none at all.

    Raises:
        SpecError: it is something else.
    """
    if value is not None and not isinstance(value, list):
        raise SpecError("this must be a list", pointer=at, hint="Begin each item with `- `.")
    return value or []


def object_at(value: Json, at: str, known: Collection[str] | None = None) -> JsonObject:
    """An object, or none at all; `known` are the fields it may have.

    Raises:
        SpecError: it is something else, or has another field.
    """
    if value is not None and not isinstance(value, dict):
        raise SpecError("this must be a mapping", pointer=at, hint="Write its fields as `name: value`.")
    for key in value or ():
        if known is not None and key not in known:
            raise SpecError(f"unknown field `{key}`", pointer=f"{at}/{key}", hint=did_you_mean(str(key), known))
    return value or {}


def _spec_error(text: str, to: type[msgspec.Struct], at: str) -> SpecError:
    place = _PLACE.search(text)
    reason = text[: place.start()] if place else text
    steps = [name or index for name, index in _STEP.findall(place.group(1))] if place else []
    where = at + pointer.join(steps)
    unknown = _UNKNOWN.search(reason)
    if unknown:
        hint = did_you_mean(unknown.group(1), _known_fields(to, steps))
        return SpecError(f"unknown field `{unknown.group(1)}`", hint=hint, pointer=f"{where}/{unknown.group(1)}")
    return SpecError(
        reason[:1].lower() + reason[1:], pointer=where, hint="Write the field as the policy's kind has it."
    )


def _known_fields(to: type[msgspec.Struct], steps: list[str]) -> list[str]:
    """The fields of the record that stands where `steps` lead to."""
    kind: msgspec.inspect.Type = msgspec.inspect.type_info(to)
    for step in steps:
        kind = _below(kind, step)
    return [field.encode_name for field in kind.fields] if isinstance(kind, msgspec.inspect.StructType) else []


def _below(kind: msgspec.inspect.Type, step: str) -> msgspec.inspect.Type:
    if isinstance(kind, msgspec.inspect.UnionType):
        kind = next(one for one in kind.types if not isinstance(one, msgspec.inspect.NoneType))
    if isinstance(kind, msgspec.inspect.StructType):
        kind = next((field.type for field in kind.fields if field.encode_name == step), kind)
    elif isinstance(kind, msgspec.inspect.ListType):
        kind = kind.item_type
    if isinstance(kind, msgspec.inspect.UnionType):
        kind = next(one for one in kind.types if not isinstance(one, msgspec.inspect.NoneType))
    return kind
