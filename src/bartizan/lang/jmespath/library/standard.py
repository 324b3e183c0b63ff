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
    EXPRESSION,
    NUMBER,
    OBJECT,
    STRING,
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
    r"[+-]?(?:(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+)?"
    r"|0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?\d+)",
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
    define("abs", abs, NUMBER),
    define("avg", _avg, ARRAY),
    define("ceil", math.ceil, NUMBER),
    define("contains", _contains, ARRAY | STRING, ANY),
    define("ends_with", str.endswith, STRING, STRING),
    define("floor", math.floor, NUMBER),
    define("join", _join, STRING, ARRAY),
    define("keys", sorted, OBJECT),
    define("length", len, STRING | ARRAY | OBJECT),
    define("map", lambda by, items: [by(item) for item in items], EXPRESSION, ARRAY),
    define("max", lambda items: max(_ordered("max", items), default=None), ARRAY),
    define("max_by", _alone(_max_by, lambda items: items[0]), ARRAY, EXPRESSION),
    define("merge", _merge, OBJECT, variadic=True),
    define("min", lambda items: min(_ordered("min", items), default=None), ARRAY),
    define("min_by", _alone(_min_by, lambda items: items[0]), ARRAY, EXPRESSION),
    define("not_null", _not_null, ANY, variadic=True),
    define("reverse", _reverse, ARRAY | STRING),
    define("sort", lambda items: sorted(_ordered("sort", items)), ARRAY),
    define("sort_by", _alone(_sort_by, lambda items: items), ARRAY, EXPRESSION),
    define("starts_with", str.startswith, STRING, STRING),
    define("to_array", lambda value: value if isinstance(value, list) else [value], ANY),
    define("to_number", _to_number, ANY),
    define("to_string", to_string, ANY),
    define("type", lambda value: _TYPES.get(value.__class__, "object"), ANY),
    define("values", lambda value: list(value.values()), OBJECT),
)

SPECIFIED: Final = table(
    define("sum", _sum, ARRAY),
    define("max_by", _max_by, ARRAY, EXPRESSION),
    define("min_by", _min_by, ARRAY, EXPRESSION),
    define("sort_by", _sort_by, ARRAY, EXPRESSION),
)
"""Where the specification says otherwise than Kyverno's engine."""
