"""The functions of the JMESPath specification.

Source: jmespath.org/specification.html#built-in-functions. `sum` is in
`numbers`, since Kyverno's adds quantities and durations too.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

from bartizan.base.json import to_text
from bartizan.lang.jmespath.errors import JmesPathError
from bartizan.lang.jmespath.library.signature import (
    ANY,
    ARRAY,
    BOOLEAN,
    EXPRESSION,
    NUMBER,
    OBJECT,
    STRING,
    TEXT_OR_NUMBER,
    define,
    table,
)
from bartizan.lang.jmespath.runtime import equal, is_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.base.json import Json

_TYPES: Final = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    list: "array",
    dict: "object",
    type(None): "null",
}
# what Go's `strconv.ParseFloat` reads, but for infinities and what is no number, which JSON has not
_GO_FLOAT: Final = re.compile(
    r"[+-]?(?:(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+)?"
    r"|0[xX](?:[0-9a-fA-F]+(?:\.[0-9a-fA-F]*)?|\.[0-9a-fA-F]+)[pP][+-]?\d+)",
    re.ASCII,
)
_WHOLE: Final = re.compile(r"[+-]?\d{1,18}", re.ASCII)


def _avg(items: list[Json]) -> Json:
    _all_numbers("avg", items)
    return sum(items) / len(items) if items else None


def _sum(items: list[Json]) -> Json:
    _all_numbers("sum", items)
    return sum(items)


def _contains(subject: Json, search: Json) -> bool:
    if isinstance(subject, str):
        return isinstance(search, str) and search in subject
    return any(equal(item, search) for item in subject)


def _join(glue: str, items: list[Json]) -> str:
    if not all(isinstance(item, str) for item in items):
        raise JmesPathError("`join` takes an array of strings as argument 2")
    return glue.join(items)


def _merge(*objects: dict[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for item in objects:
        merged.update(item)
    return merged


def _ordered(name: str, items: list[Json]) -> list[Json]:
    """Check that items can be put in order: all strings, or all numbers."""
    if not all(isinstance(item, str) for item in items) and not all(is_number(item) for item in items):
        raise JmesPathError(f"`{name}` takes an array of strings or of numbers")
    return items


def _keyed(name: str, items: list[Json], by: Callable[[Json], Json]) -> list[tuple[Json, Json]]:
    keys = [by(item) for item in items]
    _ordered(name, keys)
    return list(zip(keys, items, strict=True))


def _max_by(items: list[Json], by: Callable[[Json], Json]) -> Json:
    return max(_keyed("max_by", items, by), key=lambda pair: pair[0])[1] if items else None


def _min_by(items: list[Json], by: Callable[[Json], Json]) -> Json:
    return min(_keyed("min_by", items, by), key=lambda pair: pair[0])[1] if items else None


def _sort_by(items: list[Json], by: Callable[[Json], Json]) -> list[Json]:
    return [item for _, item in sorted(_keyed("sort_by", items, by), key=lambda pair: pair[0])]


def _alone(
    several: Callable[[list[Json], Callable[[Json], Json]], Json], one: Callable[[list[Json]], Json]
) -> Callable[[list[Json], Callable[[Json], Json]], Json]:
    """Kyverno's engine does not look for the key of an item that has no other to be compared with."""
    return lambda items, by: one(items) if len(items) == 1 else several(items, by)


def _reverse(value: Json) -> Json:
    return value[::-1]


def _to_number(value: Json) -> Json:
    if is_number(value):
        return value
    if not isinstance(value, str):
        return None
    if not _GO_FLOAT.fullmatch(value):
        return None
    if _WHOLE.fullmatch(value):
        return int(value)
    try:
        number = float.fromhex(value) if "x" in value.lower() else float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def to_string(value: Json) -> str:
    """Text as it is, all else as JSON.

    Raises:
        JmesPathError: the value nests deeper than JSON is written.
    """
    try:
        return value if isinstance(value, str) else to_text(value)
    except (TypeError, RecursionError) as error:
        raise JmesPathError(f"`to_string` cannot write this value: {error}") from error


def _not_null(*values: Json) -> Json:
    return next((value for value in values if value is not None), None)


def _all_numbers(name: str, items: list[Json]) -> None:
    if not all(is_number(item) for item in items):
        raise JmesPathError(f"`{name}` takes an array of numbers")


FUNCTIONS: Final = table(
    define(
        "abs",
        abs,
        NUMBER,
        gives=NUMBER,
        doc="The distance of a number from zero.",
        example=("abs(`-3`)", 3),
    ),
    define(
        "avg",
        _avg,
        ARRAY,
        gives=NUMBER,
        doc="The mean of numbers; null where there are none.",
        example=("avg(`[1, 2, 6]`)", 3),
    ),
    define(
        "ceil",
        math.ceil,
        NUMBER,
        gives=NUMBER,
        doc="The nearest whole number that is not below.",
        example=("ceil(`1.2`)", 2),
    ),
    define(
        "contains",
        _contains,
        ARRAY | STRING,
        ANY,
        gives=BOOLEAN,
        doc="Whether an array has an element, or a text has a part.",
        example=('contains(`["a", "b"]`, \'b\')', True),
    ),
    define(
        "ends_with",
        str.endswith,
        STRING,
        STRING,
        gives=BOOLEAN,
        doc="Whether the first text ends with the second.",
        example=("ends_with('app:latest', ':latest')", True),
    ),
    define(
        "floor",
        math.floor,
        NUMBER,
        gives=NUMBER,
        doc="The nearest whole number that is not above.",
        example=("floor(`1.8`)", 1),
    ),
    define(
        "join",
        _join,
        STRING,
        ARRAY,
        gives=STRING,
        doc="The texts of an array in one, with the first argument between them.",
        example=('join(\'-\', `["a", "b"]`)', "a-b"),
    ),
    define(
        "keys",
        sorted,
        OBJECT,
        gives=ARRAY,
        doc="The names of an object's members, in order.",
        example=('keys(`{"b": 1, "a": 2}`)', ["a", "b"]),
    ),
    define(
        "length",
        len,
        STRING | ARRAY | OBJECT,
        gives=NUMBER,
        doc="How many characters a text, elements an array or members an object has.",
        example=("length('four')", 4),
    ),
    define(
        "map",
        lambda by, items: [by(item) for item in items],
        EXPRESSION,
        ARRAY,
        gives=ARRAY,
        doc="What an expression gives for each element, also where that is null.",
        example=('map(&a, `[{"a": 1}, {"a": 2}]`)', [1, 2]),
    ),
    define(
        "max",
        lambda items: max(_ordered("max", items), default=None),
        ARRAY,
        gives=TEXT_OR_NUMBER,
        doc="The largest of numbers, or the last of texts.",
        example=("max(`[1, 3, 2]`)", 3),
    ),
    define(
        "max_by",
        _alone(_max_by, lambda items: items[0]),
        ARRAY,
        EXPRESSION,
        gives=ANY,
        doc="The element for which an expression gives the largest value.",
        example=('max_by(`[{"a": 1}, {"a": 2}]`, &a)', {"a": 2}),
    ),
    define(
        "merge",
        _merge,
        OBJECT,
        variadic=True,
        gives=OBJECT,
        doc="One object with the members of all; the later ones win.",
        example=('merge(`{"a": 1}`, `{"b": 2}`)', {"a": 1, "b": 2}),
    ),
    define(
        "min",
        lambda items: min(_ordered("min", items), default=None),
        ARRAY,
        gives=TEXT_OR_NUMBER,
        doc="The smallest of numbers, or the first of texts.",
        example=("min(`[3, 1, 2]`)", 1),
    ),
    define(
        "min_by",
        _alone(_min_by, lambda items: items[0]),
        ARRAY,
        EXPRESSION,
        gives=ANY,
        doc="The element for which an expression gives the smallest value.",
        example=('min_by(`[{"a": 1}, {"a": 2}]`, &a)', {"a": 1}),
    ),
    define(
        "not_null",
        _not_null,
        ANY,
        variadic=True,
        gives=ANY,
        doc="The first argument that is not null.",
        example=("not_null(`null`, 'a')", "a"),
    ),
    define(
        "reverse",
        _reverse,
        ARRAY | STRING,
        gives=ARRAY | STRING,
        doc="An array or a text from its end to its beginning.",
        example=("reverse(`[1, 2]`)", [2, 1]),
    ),
    define(
        "sort",
        lambda items: sorted(_ordered("sort", items)),
        ARRAY,
        gives=ARRAY,
        doc="Numbers or texts in order.",
        example=("sort(`[2, 1]`)", [1, 2]),
    ),
    define(
        "sort_by",
        _alone(_sort_by, lambda items: items),
        ARRAY,
        EXPRESSION,
        gives=ARRAY,
        doc="Elements in the order of what an expression gives for each.",
        example=('sort_by(`[{"a": 2}, {"a": 1}]`, &a)', [{"a": 1}, {"a": 2}]),
    ),
    define(
        "starts_with",
        str.startswith,
        STRING,
        STRING,
        gives=BOOLEAN,
        doc="Whether the first text starts with the second.",
        example=("starts_with('docker.io/app', 'docker.io/')", True),
    ),
    define(
        "to_array",
        lambda value: value if isinstance(value, list) else [value],
        ANY,
        gives=ARRAY,
        doc="An array as it is, and any other value as the one element of an array.",
        example=("to_array('a')", ["a"]),
    ),
    define(
        "to_number",
        _to_number,
        ANY,
        gives=NUMBER,
        doc="The number that a text writes; null where it writes none.",
        example=("to_number('12')", 12),
    ),
    define(
        "to_string",
        to_string,
        ANY,
        gives=STRING,
        doc="A text as it is, and any other value as JSON.",
        example=('to_string(`{"a": 1}`)', '{"a":1}'),
    ),
    define(
        "type",
        lambda value: _TYPES.get(value.__class__, "object"),
        ANY,
        gives=STRING,
        doc="The name of a value's type: string, number, boolean, array, object or null.",
        example=("type(`[]`)", "array"),
    ),
    define(
        "values",
        lambda value: list(value.values()),
        OBJECT,
        gives=ARRAY,
        doc="The values of an object's members.",
        example=('values(`{"a": 1}`)', [1]),
    ),
)

SPECIFIED: Final = table(
    define(
        "sum",
        _sum,
        ARRAY,
        gives=TEXT_OR_NUMBER,
        doc="The total of numbers, of quantities or of durations.",
        example=("sum(`[1, 2, 3]`)", 6),
    ),
    define(
        "max_by",
        _max_by,
        ARRAY,
        EXPRESSION,
        gives=ANY,
        doc="The element for which an expression gives the largest value.",
        example=('max_by(`[{"a": 1}, {"a": 2}]`, &a)', {"a": 2}),
    ),
    define(
        "min_by",
        _min_by,
        ARRAY,
        EXPRESSION,
        gives=ANY,
        doc="The element for which an expression gives the smallest value.",
        example=('min_by(`[{"a": 1}, {"a": 2}]`, &a)', {"a": 1}),
    ),
    define(
        "sort_by",
        _sort_by,
        ARRAY,
        EXPRESSION,
        gives=ARRAY,
        doc="Elements in the order of what an expression gives for each.",
        example=('sort_by(`[{"a": 2}, {"a": 1}]`, &a)', [{"a": 1}, {"a": 2}]),
    ),
)
"""Where the specification says otherwise than Kyverno's engine."""
