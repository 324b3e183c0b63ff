"""What generated expressions call: the few operations that are too long to write out each time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.lang.jmespath.errors import JmesPathError, NotFoundError

if TYPE_CHECKING:
    from bartizan.base.json import Json


def is_false(value: Json) -> bool:
    """JMESPath's falsehood: null, false and what is empty; zero is true."""
    return not value and value.__class__ is not int and value.__class__ is not float


def equal(left: Json, right: Json) -> bool:
    """Deep equality that keeps booleans and numbers apart, which Python does not.

    Raises:
        JmesPathError: the values nest too deep to compare.
    """
    if left.__class__ is str or right.__class__ is str:
        return bool(left == right)
    if left.__class__ is bool or right.__class__ is bool:
        return left is right
    try:
        if isinstance(left, dict) and isinstance(right, dict):
            return left.keys() == right.keys() and all(equal(item, right[key]) for key, item in left.items())
        if isinstance(left, list) and isinstance(right, list):
            return len(left) == len(right) and all(map(equal, left, right))
    except RecursionError as error:
        raise JmesPathError("values nest too deep to compare") from error
    return bool(left == right)


def is_number(value: Json) -> bool:
    """Whether a value is a number; a boolean is none."""
    return value.__class__ is int or value.__class__ is float


def flatten(items: list[Json]) -> list[Json]:
    """Merge lists inside a list into it, one level deep."""
    flat: list[Json] = []
    for item in items:
        if isinstance(item, list):
            flat.extend(item)
        else:
            flat.append(item)
    return flat


NAMES: Final = {
    "is_false": is_false,
    "equal": equal,
    "is_number": is_number,
    "flatten": flatten,
    "NotFoundError": NotFoundError,
    "JmesPathError": JmesPathError,
    "KeyError": KeyError,
    "TypeError": TypeError,
    "list": list,
    "dict": dict,
    "type": type,
    "len": len,
    "isinstance": isinstance,
}
"""All a generated expression can reach; builtins are not."""
