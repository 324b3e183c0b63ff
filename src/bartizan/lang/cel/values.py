"""Values of the language that Python has no type of its own for.

int, double, string, bytes, bool, null, list and map are Python's `int`,
`float`, `str`, `bytes`, `bool`, `None`, `list` and `dict`, so that decoded
JSON needs no conversion. A boolean as the key of a map is a `BoolKey`,
because Python takes `True` and `1` for the same key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

INT_MAX: Final = 2**63 - 1
INT_MIN: Final = -(2**63)
UINT_MAX: Final = 2**64 - 1


class UInt(int):
    """An unsigned integer of 64 bits; compares with other numbers as a number."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{int(self)}u"


@dataclass(frozen=True, slots=True)
class BoolKey:
    """A boolean as the key of a map."""

    value: bool


BOOL_KEYS: Final = {True: BoolKey(True), False: BoolKey(False)}


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """A moment, in nanoseconds since 1970 in UTC."""

    type_name: ClassVar[str] = "google.protobuf.Timestamp"
    nanoseconds: int
    offset: int = field(default=0, compare=False)
    """Minutes from UTC of the zone that it was written in, which its text goes on to be in."""


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A length of time, in nanoseconds."""

    type_name: ClassVar[str] = "google.protobuf.Duration"
    nanoseconds: int


@dataclass(frozen=True, slots=True)
class TypeValue:
    """A type as a value; `string(type(1))` is its name."""

    type_name: ClassVar[str] = "type"
    name: str


class Optional:
    """A value that may be missing; `NONE` is the one that is. Never changed; no dataclass, for these are made often."""

    __slots__ = ("present", "value")
    type_name: ClassVar[str] = "optional_type"

    def __init__(self, value: Any, present: bool = True) -> None:
        self.value = value
        self.present = present

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Optional) and self.present == other.present and bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash((self.present, self.value))

    def __repr__(self) -> str:
        return f"optional.of({self.value!r})" if self.present else "optional.none()"


NONE: Final = Optional(None, present=False)

_NAMES: Final[dict[type, str]] = {
    int: "int",
    UInt: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    bool: "bool",
    type(None): "null_type",
    list: "list",
    dict: "map",
}


CLASSES: Final = {name: kind for kind, name in _NAMES.items()}
"""The Python class of a type's values, for those that have one of Python's own."""


def type_name(kind: type) -> str:
    """The name of the type whose values are of a Python class."""
    known = _NAMES.get(kind)
    if known is not None:
        return known
    named = getattr(kind, "type_name", None)  # a map with a name is an object
    return named if isinstance(named, str) else "map" if issubclass(kind, dict) else kind.__name__


def name_of(value: Any) -> str:
    """The name of a value's type; objects of one Python class may each have a type of their own."""
    return _NAMES.get(value.__class__) or getattr(value, "type_name", None) or type_name(value.__class__)


KEY_CLASSES: Final = frozenset({str, int, UInt, bool})
"""What may be the key of a map."""


def key_of(value: Any) -> Any:
    """A value as the key of a Python dictionary."""
    return BOOL_KEYS[value] if value.__class__ is bool else value


def from_key(key: Any) -> Any:
    """The value that a key of a Python dictionary stands for."""
    return key.value if key.__class__ is BoolKey else key
