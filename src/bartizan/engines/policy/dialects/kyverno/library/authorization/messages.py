"""Objects of declared types, whose fields have a value even where none is set.

The requests that a proxy asks about, and the responses a policy gives, are
protocol buffers or records of Go: a text that is not there is empty, an
object that is not there has nothing but such fields, and `has()` says which
is the case. Types are written down as tables of fields, such as

    {"envoy.type.v3.HttpStatus": {"code": "enum envoy.type.v3.StatusCode"}}

where a field is a scalar, the name of a type, or `list` or `map` before one.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NoBase64
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from bartizan.base.errors import SpecError
from bartizan.base.pointer import escape
from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.dialects.kyverno.library.values import doubles, to_object
from bartizan.engines.policy.dialects.kyverno.library.world import unfit
from bartizan.lang.cel import CelError, ObjectType
from bartizan.lang.cel.library.times import parse_timestamp
from bartizan.lang.cel.operators.equality import equal
from bartizan.lang.cel.types import BOOL, BYTES, DYN, INT, STRING, TIMESTAMP, UINT, Type, list_of, map_of, wrapper_of
from bartizan.lang.cel.values import INT_MAX, INT_MIN, Timestamp, UInt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bartizan.base.json import Json

_WHOLE: Final = re.compile(r"-?[0-9]{1,19}")
_INT32: Final = (-(2**31), 2**31 - 1)


class Field(NamedTuple):
    """One field of a type: what it holds, and how that is had.

    `accept` takes a value of an expression, or raises `CelError`; `read`
    takes JSON that stands at a place, or raises `SpecError`. `is_set` is
    whether a value is kept, for one that is the default counts as none.
    """

    type: Type
    empty: Callable[[], Any]
    accept: Callable[[Any], Any]
    read: Callable[[Json, str], Any]
    is_set: Callable[[Any], bool] = bool


class Message:
    """An object of a declared type. It is never changed."""

    __slots__ = ("fields",)
    type_name: ClassVar[str]
    shape: ClassVar[dict[str, Field]]
    names: ClassVar[dict[str, str]]
    """The fields, by the names that JSON has for them."""
    folds: ClassVar[bool]
    """Whether JSON is read as Go reads it into a record: in any case of letters, and passing over what is unknown."""
    choices: ClassVar[tuple[tuple[str, ...], ...]]
    """Fields of which one at most is set."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields

    def __getitem__(self, name: str) -> Any:
        fields = self.fields
        return fields[name] if name in fields else self.shape[name].empty()

    def has_field(self, name: str) -> bool:
        """Whether a field is set."""
        return name in self.fields

    def __eq__(self, other: object) -> bool:
        return self.__class__ is other.__class__ and equal(self.fields, other.fields)

    __hash__ = None  # type: ignore[assignment]  # as of all that holds maps

    def __repr__(self) -> str:
        return f"{self.type_name}{self.fields}"

    def with_fields(self, **fields: Any) -> Message:
        """The same with other values of some fields; a default is as good as none."""
        merged = {**self.fields, **fields}
        shape = self.shape
        return self.__class__({name: value for name, value in merged.items() if shape[name].is_set(value)})

    def with_more(self, name: str, item: Any) -> Message:
        """The same with one more item in a list."""
        return self.with_fields(**{name: [*self[name], item]})


class Schema:
    """Types that belong together."""

    def __init__(
        self,
        table: Mapping[str, Mapping[str, str]],
        enumerations: Mapping[str, Mapping[str, int]] | None = None,
        choices: Mapping[str, Sequence[tuple[str, ...]]] | None = None,
        *,
        folds: bool = False,
    ) -> None:
        self._enumerations = enumerations or {}
        self._folds = folds
        self.kinds: dict[str, type[Message]] = {}
        for name in table:
            made = {"__slots__": (), "type_name": name, "shape": {}, "names": {}, "folds": folds}
            made["choices"] = tuple((choices or {}).get(name, ()))
            self.kinds[name] = type(name.rpartition(".")[2], (Message,), made)
        for name, fields in table.items():
            kind = self.kinds[name]
            for field, text in fields.items():
                kind.shape[field] = self._field(text)
                kind.names |= dict.fromkeys((field.casefold(),) if folds else (field, _camel(field)), field)
        self._constructible = {
            name: ObjectType(Type(name), _types(kind).get, partial(make, kind), tuple(kind.shape))
            for name, kind in self.kinds.items()
        }

    def constructible(self, name: str) -> ObjectType | None:
        """The type of a name, for expressions."""
        return self._constructible.get(name)

    def constants(self) -> dict[str, int]:
        """The members of enumerations by their full names."""
        return {
            f"{name}.{member}": number
            for name, members in self._enumerations.items()
            for member, number in members.items()
        }

    def _field(self, text: str) -> Field:
        word, _, rest = text.partition(" ")
        match word:
            case "list":
                return _list(self._field(rest), self._always_set())
            case "map":
                return _map(self._field(rest), self._always_set())
            case "enum":
                return _enumeration(self._enumerations[rest])
            case "value":
                return _message(self.kinds[rest])._replace(is_set=lambda value: bool(value.fields))
            case _:
                pass
        kind = self.kinds.get(text)
        return SCALARS[text] if kind is None else _message(kind)

    def _always_set(self) -> Callable[[Any], bool]:
        """Whether a list or map counts as set; one of Go does, even if it is empty."""
        return (lambda _value: True) if self._folds else bool


def _types(kind: type[Message]) -> dict[str, Type]:
    return {name: field.type for name, field in kind.shape.items()}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


def make(kind: type[Message], given: dict[str, Any]) -> Message:
    """An object of the values of its fields, as an expression writes it.

    Raises:
        CelError: a value is not what its field takes, or fields exclude each other.
    """
    fields: dict[str, Any] = {}
    for name, value in given.items():
        field = kind.shape[name]
        if value is None and not isinstance(field.empty(), str | bytes | bool | int):
            continue
        accepted = field.accept(value)
        if field.is_set(accepted):
            fields[name] = accepted
    excluding = _excluding(kind, fields)
    if excluding:
        raise CelError(f"{kind.type_name} takes one of {excluding}")
    return kind(fields)


def _excluding(kind: type[Message], fields: Mapping[str, Any]) -> str:
    """Fields that are set, of which only one may be."""
    for group in kind.choices:
        both = [name for name in group if name in fields]
        if len(both) > 1:
            return " and ".join(f"`{name}`" for name in both)
    return ""


def read(kind: type[Message], body: Json, at: str = "") -> Message:
    """Read an object out of JSON.

    Raises:
        SpecError: it is none, or a field is not what it must be.
    """
    if not isinstance(body, dict):
        raise SpecError(f"{_short(kind)} must be an object, not {_json_name(body)}", pointer=at)
    fields: dict[str, Any] = {}
    seen: set[str] = set()
    for key, value in body.items():
        place = f"{at}/{escape(key)}"
        name = kind.names.get(key.casefold() if kind.folds else key)
        if name is None:
            if kind.folds:
                continue
            known = [known for known in kind.names if "_" not in known]
            raise SpecError(f"unknown field `{key}` of {_short(kind)}", pointer=place, hint=did_you_mean(key, known))
        if name in seen and not kind.folds:
            raise SpecError(f"field `{key}` of {_short(kind)} is there twice", pointer=place)
        seen.add(name)
        if value is None:
            continue
        field = kind.shape[name]
        found = field.read(value, place)
        if field.is_set(found):
            fields[name] = found
    excluding = _excluding(kind, fields)
    if excluding:
        raise SpecError(f"{_short(kind)} takes one of {excluding}", pointer=at)
    return kind(fields)


def _short(kind: type[Message]) -> str:
    return kind.type_name.rpartition(".")[2]


def _json_name(value: Json) -> str:
    return _JSON_NAMES.get(value.__class__, "null")


_JSON_NAMES: Final[Mapping[type, str]] = {
    str: "a text",
    bool: "a truth value",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
}


def _wrong(value: Json, wanted: str, at: str) -> SpecError:
    return SpecError(f"must be {wanted}, not {_json_name(value)}", pointer=at)


# what fields hold


def _message(kind: type[Message]) -> Field:
    empty = kind({})

    def accept(value: Any) -> Any:
        if value.__class__ is not kind:
            raise CelError(unfit(value, kind.type_name))
        return value

    return Field(Type(kind.type_name), lambda: empty, accept, partial(read, kind), lambda _value: True)


def _list(item: Field, is_set: Callable[[Any], bool]) -> Field:
    def accept(value: Any) -> Any:
        if value.__class__ is not list:
            raise CelError(unfit(value, "list"))
        return [item.accept(member) for member in value]

    def from_json(value: Json, at: str) -> Any:
        if not isinstance(value, list):
            raise _wrong(value, "a list", at)
        return [item.read(member, f"{at}/{index}") for index, member in enumerate(value)]

    return Field(list_of(item.type), list, accept, from_json, is_set)


def _map(item: Field, is_set: Callable[[Any], bool]) -> Field:
    def accept(value: Any) -> Any:
        if value.__class__ is not dict or any(key.__class__ is not str for key in value):
            raise CelError(unfit(value, "map(string, …)"))
        return {key: item.accept(member) for key, member in value.items()}

    def from_json(value: Json, at: str) -> Any:
        if not isinstance(value, dict):
            raise _wrong(value, "an object", at)
        return {key: item.read(member, f"{at}/{escape(key)}") for key, member in value.items() if member is not None}

    return Field(map_of(STRING, item.type), dict, accept, from_json, is_set)


def _enumeration(members: Mapping[str, int]) -> Field:
    def from_json(value: Json, at: str) -> Any:
        if isinstance(value, str):
            if value not in members:
                raise SpecError(f"unknown value `{value}`", pointer=at, hint=did_you_mean(value, members))
            return members[value]
        return _read_whole(value, at, *_INT32)

    return Field(INT, int, partial(_accept_whole, limits=_INT32), from_json)


def _accept(value: Any, kind: type) -> Any:
    if value.__class__ is not kind:
        raise CelError(unfit(value, kind.__name__))
    return value


def _accept_whole(value: Any, limits: tuple[int, int]) -> int:
    if value.__class__ is not int or not limits[0] <= value <= limits[1]:
        raise CelError(unfit(value, "int") if value.__class__ is not int else "integer overflow")
    return int(value)


def _accept_unsigned(value: Any) -> UInt:
    if value.__class__ is not UInt or value >= 2**32:
        raise CelError(unfit(value, "uint32") if value.__class__ is not UInt else "unsigned integer overflow")
    return UInt(value)


def _accept_struct(value: Any) -> Any:
    return doubles(to_object(value, 1))


def _accept_wrapped(value: Any) -> Any:
    return None if value is None else _accept(value, bool)


def _read_plain(value: Json, at: str, kind: type, wanted: str) -> Any:
    if value.__class__ is not kind:
        raise _wrong(value, wanted, at)
    return value


def _read_whole(value: Json, at: str, low: int, high: int) -> int:
    """A whole number, which JSON may have as a text or with a fraction of zero."""
    number: Any = value
    if isinstance(value, str):
        number = int(value) if _WHOLE.fullmatch(value) else None
    elif isinstance(value, float):
        number = int(value) if value.is_integer() else None
    if number.__class__ is not int:
        raise _wrong(value, "a whole number", at)
    if not low <= number <= high:
        raise SpecError(f"a number out of range: {number}", pointer=at)
    return int(number)


def _read_number(value: Json, at: str) -> int:
    if value.__class__ is not int:
        raise _wrong(value, "a whole number", at)
    return _read_whole(value, at, INT_MIN, INT_MAX)


def _read_bytes(value: Json, at: str) -> bytes:
    if not isinstance(value, str):
        raise _wrong(value, "a text in base64", at)
    text = value.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (NoBase64, ValueError) as error:
        hint = "Write the bytes in base64; `base64 -w0 FILE` does."
        raise SpecError("no base64", pointer=at, hint=hint) from error


def _read_moment(value: Json, at: str) -> Timestamp:
    try:
        return parse_timestamp(_read_plain(value, at, str, "a moment"))
    except CelError as error:
        hint = "Write a moment such as 2027-01-31T00:00:00Z."
        raise SpecError(f"`{value}` is no moment", pointer=at, hint=hint) from error


def _read_struct(value: Json, at: str) -> Any:
    if not isinstance(value, dict):
        raise _wrong(value, "an object", at)
    return _read_any(value, at)


def _read_any(value: Json, at: str) -> Any:
    try:
        return doubles(value)
    except RecursionError as error:
        raise SpecError("nests too deep", pointer=at) from error


def _read_packed(value: Json, at: str) -> Any:
    """A message of any type, of which only the well-known ones are told apart."""
    body = _read_struct(value, at)
    return body["value"] if str(body.get("@type", "")).startswith("type.googleapis.com/google.protobuf.") else body


SCALARS: Final[Mapping[str, Field]] = {
    "string": Field(STRING, str, partial(_accept, kind=str), partial(_read_plain, kind=str, wanted="a text")),
    "bytes": Field(BYTES, bytes, partial(_accept, kind=bytes), _read_bytes),
    "bool": Field(BOOL, bool, partial(_accept, kind=bool), partial(_read_plain, kind=bool, wanted="true or false")),
    "int32": Field(
        INT, int, partial(_accept_whole, limits=_INT32), partial(_read_whole, low=_INT32[0], high=_INT32[1])
    ),
    "int64": Field(
        INT, int, partial(_accept_whole, limits=(INT_MIN, INT_MAX)), partial(_read_whole, low=INT_MIN, high=INT_MAX)
    ),
    "number": Field(INT, int, partial(_accept_whole, limits=(INT_MIN, INT_MAX)), _read_number),
    "uint32": Field(
        UINT, lambda: UInt(0), _accept_unsigned, lambda value, at: UInt(_read_whole(value, at, 0, 2**32 - 1))
    ),
    "google.protobuf.BoolValue": Field(
        wrapper_of(BOOL),
        lambda: None,
        _accept_wrapped,
        partial(_read_plain, kind=bool, wanted="true or false"),
        lambda value: value is not None,
    ),
    "google.protobuf.Timestamp": Field(
        TIMESTAMP, lambda: Timestamp(0), partial(_accept, kind=Timestamp), _read_moment, lambda _value: True
    ),
    "google.protobuf.Struct": Field(map_of(STRING, DYN), dict, _accept_struct, _read_struct, lambda _value: True),
    "google.protobuf.Any": Field(DYN, lambda: None, lambda value: value, _read_packed, lambda _value: True),
}
"""What is no declared type. `number` is the whole number of a record of Go, of which JSON has no texts."""
