"""Decoded JSON: what a Kubernetes object is made of here, and how it is written as text."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final, TypeAlias

import orjson

Json: TypeAlias = Any
"""`dict[str, Json] | list[Json] | str | int | float | bool | None`, which mypy cannot narrow usefully."""

JsonObject: TypeAlias = dict[str, Any]

_WHOLE_BELOW: Final = 1e21  # Go's encoder writes floats without an exponent from 1e-6 up to here
_PLAIN_FROM: Final = 1e-6
_EXPONENT: Final = re.compile(rb"[0-9]e")
_OPTIONS: Final = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


def to_text(value: Json) -> str:
    """Write JSON as Go's encoder does: compact, keys sorted, a whole float without its fraction."""
    try:
        text = orjson.dumps(value, option=_OPTIONS)
    except TypeError:  # an integer beyond 64 bits
        return orjson.dumps(_plain(value), option=_OPTIONS).decode()
    if b"." in text or _EXPONENT.search(text):
        return orjson.dumps(_plain(value), option=_OPTIONS).decode()
    return text.decode()


def number_text(value: float) -> str:
    """Write a number with all its digits and no exponent, as Go's `FormatFloat(…, 'f', -1, 64)` does."""
    if isinstance(value, int) or (value.is_integer() and abs(value) < 2**53):
        return str(int(value))
    text = repr(value)
    return format(Decimal(text), "f") if "e" in text or text.endswith(".0") else text


def _plain(value: Json) -> Json:
    if isinstance(value, float):
        return _plain_float(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**64:
        return _plain_float(float(value))
    return value


def _plain_float(value: float) -> Json:
    if _PLAIN_FROM <= abs(value) < _WHOLE_BELOW:
        text = number_text(value)
        return orjson.Fragment(text.removesuffix(".0"))
    return int(value) if value == 0 else value
