"""Decoded JSON: what a Kubernetes object is made of here, and how it is written as text."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import orjson

Json: TypeAlias = Any
"""`dict[str, Json] | list[Json] | str | int | float | bool | None`, which mypy cannot narrow usefully."""

JsonObject: TypeAlias = dict[str, Any]

_WHOLE_BELOW: Final = 1e21  # Go's encoder writes whole floats without an exponent up to here
_OPTIONS: Final = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


def to_text(value: Json) -> str:
    """Write JSON as Go's encoder does: compact, keys sorted, a whole float without its fraction."""
    try:
        text = orjson.dumps(value, option=_OPTIONS)
    except TypeError:  # an integer beyond 64 bits
        return orjson.dumps(_plain(value), option=_OPTIONS).decode()
    return (orjson.dumps(_plain(value), option=_OPTIONS) if b"." in text else text).decode()


def _plain(value: Json) -> Json:
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _WHOLE_BELOW else value
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**64:
        return float(value)
    return value
