"""Objects and arrays turned into one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.base.json import number_text, to_text
from bartizan.lang.jmespath.errors import JmesPathError
from bartizan.lang.jmespath.library.signature import ANY, ARRAY, OBJECT, STRING, TEXT_OR_NUMBER, define, table
from bartizan.lang.jmespath.runtime import is_number

if TYPE_CHECKING:
    from bartizan.base.json import Json


def _lookup(collection: Json, key: float | str) -> Json:
    """A member by a computed key; null where there is none."""
    if isinstance(collection, dict):
        if not isinstance(key, str):
            raise JmesPathError("`lookup` takes a string as argument 2 for an object")
        return collection.get(key)
    if isinstance(key, str) or not float(key).is_integer():
        raise JmesPathError("`lookup` takes a whole number as argument 2 for an array")
    index = int(key)
    return collection[index] if 0 <= index < len(collection) else None


def _items(collection: Json, key_name: str, value_name: str) -> list[dict[str, Any]]:
    """Members as objects of key and value, objects in the order of their keys."""
    if isinstance(collection, dict):
        return [{key_name: key, value_name: collection[key]} for key in sorted(collection)]
    return [{key_name: index, value_name: item} for index, item in enumerate(collection)]


def _member_name(key: Json) -> str:
    if isinstance(key, str):
        return key
    if is_number(key) or isinstance(key, bool):
        return to_text(key) if isinstance(key, bool) else number_text(key)
    raise JmesPathError("`object_from_lists` takes an array of scalars as argument 1")


def _object_from_lists(keys: list[Json], values: list[Json]) -> dict[str, Any]:
    """Keys and values side by side; numbers and booleans serve as keys too."""
    return {_member_name(key): values[index] if index < len(values) else None for index, key in enumerate(keys)}


FUNCTIONS: Final = table(
    define(
        "lookup",
        _lookup,
        OBJECT | ARRAY,
        TEXT_OR_NUMBER,
        gives=ANY,
        doc="The member of that name, or the element at that place; null where there is none.",
        example=("lookup(`{\"a\": 1}`, 'a')", 1),
    ),
    define(
        "items",
        _items,
        OBJECT | ARRAY,
        STRING,
        STRING,
        gives=ARRAY,
        doc="The members of an object, or the elements of an array, as objects of a key and a value with these names.",
        example=("items(`{\"a\": 1}`, 'name', 'value')", [{"name": "a", "value": 1}]),
    ),
    define(
        "object_from_lists",
        _object_from_lists,
        ARRAY,
        ARRAY,
        gives=OBJECT,
        doc="An object of the names in one array and the values in another.",
        example=('object_from_lists(`["a", "b"]`, `[1, 2]`)', {"a": 1, "b": 2}),
    ),
)
