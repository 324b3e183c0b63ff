"""How a function is declared: its parameters' types, checked on each call, and what it does."""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from bartizan.lang.jmespath.errors import JmesPathError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from bartizan.base.json import Json

Types: TypeAlias = frozenset[type]

NUMBER: Final[Types] = frozenset({int, float})
STRING: Final[Types] = frozenset({str})
BOOLEAN: Final[Types] = frozenset({bool})
ARRAY: Final[Types] = frozenset({list})
OBJECT: Final[Types] = frozenset({dict})
EXPRESSION: Final[Types] = frozenset({FunctionType})
ANY: Final[Types] = frozenset({int, float, str, bool, list, dict, type(None)})
TEXT_OR_NUMBER: Final[Types] = STRING | NUMBER

_WORDS: Final = {
    int: "number",
    float: "number",
    str: "string",
    bool: "boolean",
    list: "array",
    dict: "object",
    type(None): "null",
    FunctionType: "&expression",
}


class Function(NamedTuple):
    """A function as a compiled expression calls it. `most` is `None` where any number may follow."""

    name: str
    types: tuple[frozenset[type], ...]
    call: Callable[..., Json]
    least: int
    most: int | None
    gives: Types
    """What types its value can have; null may come besides, where the sentence says so."""
    doc: str
    """What it gives, in one sentence."""
    example: tuple[str, Json]
    """A call, and its value; the tests ask it."""

    def signature(self) -> str:
        """How it is called, for people."""
        return f"`{self.call_shape}`"

    @property
    def call_shape(self) -> str:
        """Its name and the types of its arguments."""
        words = [_names(types) for types in self.types]
        return f"{self.name}({', '.join(words)}{', …' if self.most is None else ''})"

    @property
    def value_type(self) -> str:
        """The type of its value, in words."""
        return _names(self.gives)


class Functions:
    """A table of functions; hashed by identity, so that compiled expressions can be cached by it."""

    def __init__(self, table: Mapping[str, Function]) -> None:
        self.table = table

    def get(self, name: str) -> Function | None:
        """The function of that name."""
        return self.table.get(name)

    def __getitem__(self, name: str) -> Function:
        return self.table[name]

    @property
    def names(self) -> Iterable[str]:
        """All names."""
        return self.table.keys()


class Ambient(NamedTuple):
    """What functions may know of the world: a clock (with a zone), a number in [0, 1), and a reader of YAML."""

    now: Callable[[], datetime]
    random: Callable[[], float]
    parse_yaml: Callable[[str], Any]


def define(
    name: str,
    implementation: Callable[..., Json],
    *types: Types,
    gives: Types,
    doc: str,
    example: tuple[str, Json],
    variadic: bool = False,
) -> Function:
    """Declare a function, with what people read of it; `variadic` repeats the last type."""
    least, most = len(types), None if variadic else len(types)
    call = _checked(name, implementation, types, exact=least == most)
    return Function(name, types, call, least, most, gives, doc, example)


def _checked(
    name: str, implementation: Callable[..., Json], types: tuple[frozenset[type], ...], *, exact: bool
) -> Callable[..., Json]:
    """The implementation behind a test of each argument's type, written out for the usual numbers of arguments."""

    def call(*arguments: Json) -> Json:
        for index, argument in enumerate(arguments):
            wanted = types[index] if index < len(types) else types[-1]
            if argument.__class__ not in wanted and not _is_special_dict(argument, wanted):
                raise wrong_type(name, index, wanted, argument)
        return implementation(*arguments)

    def call_one(argument: Json) -> Json:
        return implementation(argument) if argument.__class__ in types[0] else call(argument)

    def call_two(left: Json, right: Json) -> Json:
        if left.__class__ in types[0] and right.__class__ in types[1]:
            return implementation(left, right)
        return call(left, right)

    if exact and len(types) == 1:
        return call_one
    return call_two if exact and len(types) == 2 else call


def _is_special_dict(argument: Json, wanted: frozenset[type]) -> bool:
    """Whether an argument is an object that loads its members when they are asked for."""
    return dict in wanted and isinstance(argument, dict)


def wrong_type(name: str, index: int, wanted: frozenset[type], argument: Json) -> JmesPathError:
    """The error for an argument of the wrong type; `index` counts from 0."""
    given = _WORDS.get(argument.__class__, "value")
    return JmesPathError(f"`{name}` takes {_names(wanted)} as argument {index + 1}, not {given}")


def _names(types: frozenset[type]) -> str:
    if types == ANY:
        return "any"
    return " or ".join(sorted({_WORDS[item] for item in types}))


def table(*functions: Function) -> dict[str, Function]:
    """Functions by name."""
    return {function.name: function for function in functions}
