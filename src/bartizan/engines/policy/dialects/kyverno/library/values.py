"""Between values of the language and JSON, as Go's protocol buffers have it.

What a policy sends or generates is JSON: bytes are base64, moments and
lengths of time are texts, and integers beyond 53 bits are texts, because a
JSON number does not hold them. What a policy reads out of JSON text has
doubles for numbers, as `encoding/json` gives them.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

from bartizan.engines.policy.dialects.kyverno.library.world import unfit
from bartizan.lang.cel import CelError
from bartizan.lang.cel.library.times import duration_text, timestamp_text
from bartizan.lang.cel.operators import sized_through
from bartizan.lang.cel.values import BoolKey, Duration, Optional, Timestamp

if TYPE_CHECKING:
    from bartizan.base.json import Json, JsonObject

_SAFE: Final = 2**53 - 1
_DEPTH: Final = 200  # nesting that no object of the API comes near
_INFINITE: Final = (float("inf"), float("-inf"))


def to_json(value: Any) -> Json:
    """A value as JSON.

    Raises:
        CelError: it has no JSON, or nests too deep.
        CelBudgetError: it is too large, written out.
    """
    return _json(sized_through(value), 0)


def _json(value: Any, depth: int) -> Json:  # noqa: C901, PLR0911 (one line for each type)
    if depth > _DEPTH:
        raise CelError("a value that nests too deep")
    match value:
        case None | bool() | str():
            return value
        case int():
            return int(value) if -_SAFE <= value <= _SAFE else str(int(value))
        case float():
            return _number(value)
        case bytes():
            return b64encode(value).decode()
        case list():
            return [_json(item, depth + 1) for item in value]
        case dict():
            return {key_text(key): _json(item, depth + 1) for key, item in value.items()}
        case Timestamp():
            return timestamp_text(value)
        case Duration():
            return duration_text(value)
        case Optional(present=True):
            return _json(value.value, depth + 1)
        case Optional():
            raise CelError("optional.none() dereference")
        case _:
            raise CelError(unfit(value, "*structpb.Value"))


def to_object(value: Any, place: int) -> JsonObject:
    """A map as an object of JSON; `place` is that of the argument, for messages.

    Raises:
        CelError: it is none.
    """
    if not isinstance(value, dict):
        raise CelError(f"invalid arg {place}: {unfit(value, '*structpb.Struct')}")
    sized_through(value)
    try:
        return {key_text(key): _json(item, 1) for key, item in value.items()}
    except CelError as error:
        raise CelError(f"invalid arg {place}: {error}") from error


def to_texts(value: dict[Any, Any], place: int) -> dict[str, str]:
    """A map of texts, such as labels or headers.

    Raises:
        CelError: a key or a value is no text.
    """
    for item in (*value, *value.values()):
        if item.__class__ is not str:
            raise CelError(f"invalid arg {place}: {unfit(item.value if item.__class__ is BoolKey else item, 'string')}")
    return value


def key_text(key: Any) -> str:
    """The key of a map as the name of a field.

    Raises:
        CelError: it is no text.
    """
    if key.__class__ is not str:
        raise CelError(unfit(key.value if key.__class__ is BoolKey else key, "string"))
    return str(key)


def doubles(value: Json) -> Json:
    """JSON as Go's decoder gives it, where every number is a double."""
    if value.__class__ is int:
        return float(value)
    if value.__class__ is dict:
        return {key: doubles(item) for key, item in value.items()}
    if value.__class__ is list:
        return [doubles(item) for item in value]
    return value


def _number(value: float) -> Json:
    """A double; whole ones are written without a fraction, and what is no number as a text."""
    if value != value:  # noqa: PLR0124 (what is no number does not equal itself)
        return "NaN"
    if value in _INFINITE:
        return "Infinity" if value > 0 else "-Infinity"
    return int(value) if value.is_integer() and abs(value) <= _SAFE else value
