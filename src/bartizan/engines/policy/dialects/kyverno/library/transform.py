"""`transform.listObjToMap`: two lists of objects as one map, keys out of the first and values out of the second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.lang.cel import CelError, Overload
from bartizan.lang.cel.types import DYN, STRING, list_of, map_of

if TYPE_CHECKING:
    from collections.abc import Mapping


def _list_to_map(keys: list[Any], values: list[Any], key: str, value: str) -> dict[str, Any]:
    if len(keys) != len(values):
        raise CelError(f"listObjToMap must take lists of equal length. list1: {len(keys)}, list2: {len(values)}")
    made: dict[str, Any] = {}
    for holds_key, holds_value in zip(keys, values, strict=True):
        name = _object(holds_key, "key").get(key)
        if name.__class__ is not str:
            raise CelError("the passed key name cannot be handled as a string in the key object list")
        made[name] = _object(holds_value, "value").get(value)
    return made


def _object(item: Any, which: str) -> dict[Any, Any]:
    if not isinstance(item, dict) or any(name.__class__ is not str for name in item):
        raise CelError(f"object cannot be handled as a map string to any in the {which} object list")
    return item


_CALL: Final = (Overload((list_of(DYN), list_of(DYN), STRING, STRING), map_of(DYN, DYN), _list_to_map, grows=True),)

FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {"listObjToMap": _CALL, "transform.listObjToMap": _CALL}
