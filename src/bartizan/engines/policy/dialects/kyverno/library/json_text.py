"""`json`: JSON text read and written as Go's `encoding/json` does.

Numbers that are read are doubles. What is written has its keys in order,
and `<`, `>` and `&` as escapes.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, Final

from bartizan.engines.policy.dialects.kyverno.library.values import key_text
from bartizan.engines.policy.dialects.kyverno.library.world import bounded, unfit
from bartizan.lang.cel import CelError, Overload
from bartizan.lang.cel.library.times import timestamp_text
from bartizan.lang.cel.operators import sized_through
from bartizan.lang.cel.types import DYN, STRING, Type
from bartizan.lang.cel.values import Duration, Optional, Timestamp, TypeValue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kyverno.library.world import World

CONTEXT: Final = Type("json.Json")
_DEPTH: Final = 200
_ENDS: Final = "unexpected end of JSON input"
_ESCAPED: Final = re.compile("[<>&\u2028\u2029]")
_HALF: Final = re.compile(r"\\u[dD][89a-fA-F]")
_ESCAPE: Final = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_WORDS: Final[Mapping[str, str]] = {
    "Expecting value": "looking for beginning of value",
    "Illegal trailing comma before end of object": "looking for beginning of object key string",
    "Illegal trailing comma before end of array": "looking for beginning of value",
    "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
    "Expecting ':' delimiter": "after object key",
    "Expecting ',' delimiter": "after object key:value pair or array element",
    "Extra data": "after top-level value",
    "Invalid control character at": "in string literal",
    "Invalid \\escape": "in string escape code",
    "Invalid \\uXXXX escape": "in \\u hexadecimal character escape",
}


@dataclass(frozen=True, slots=True)
class JsonContext:
    """The value of `json`."""

    world: World
    type_name: ClassVar[str] = CONTEXT.name


def _unmarshal(_context: JsonContext, text: Any) -> Json:
    if text.__class__ is not str:
        raise CelError(unfit(text, "string"))
    try:
        return _DECODER.decode(_whole(bounded(text, "json")))
    except json.JSONDecodeError as error:
        raise CelError(_complaint(text, error)) from error
    except RecursionError as error:
        raise CelError("exceeded max depth") from error


def _whole(text: str) -> str:
    """JSON text in which half of a surrogate pair, without the other, is what Go reads it as: no character."""
    return _ESCAPE.sub(lambda match: r"\ufffd" if match[1] else match[0], text) if _HALF.search(text) else text


def _complaint(text: str, error: json.JSONDecodeError) -> str:
    """The error, as Go words it."""
    at = error.pos + error.msg.startswith("Illegal trailing comma")
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    if at >= len(text) or error.msg.startswith("Unterminated string"):
        return _ENDS
    said = _WORDS.get(error.msg, error.msg)
    return f"invalid character {_quoted(text[at])} {said}"


def _quoted(letter: str) -> str:
    return {"'": r"'\''", '"': "'\"'"}.get(letter, f"'{letter}'" if letter.isprintable() else repr(letter))


def _double(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise CelError(f"json: cannot unmarshal number {text[:80]} into Go value of type float64")
    return value


def _no_constant(text: str) -> Any:
    raise CelError(f"invalid character '{text[0]}' looking for beginning of value")


_DECODER: Final = json.JSONDecoder(parse_int=_double, parse_float=_double, parse_constant=_no_constant)


def _marshal(_context: JsonContext, value: Any) -> str:
    made: list[str] = []
    _write(sized_through(value), made, 0)
    return "".join(made)


def _write(value: Any, made: list[str], depth: int) -> None:
    """Add the parts of a value's text.

    Raises:
        CelError: it has no JSON, or nests too deep.
    """
    if depth > _DEPTH:
        raise CelError("json: a value that nests too deep")
    match value:
        case dict():
            _write_object(value, made, depth)
        case list():
            made.append("[")
            for place, item in enumerate(value):
                made.append("," if place else "")
                _write(item, made, depth + 1)
            made.append("]")
        case Optional():
            _write(value.value if value.present else None, made, depth + 1)
        case _:
            made.append(_scalar(value))


def _write_object(value: dict[Any, Any], made: list[str], depth: int) -> None:
    try:
        texts = {key_text(key): item for key, item in value.items()}
    except CelError as error:
        raise CelError(f"json: failed to convert CEL map to native map: {error}") from error
    made.append("{")
    for place, key in enumerate(sorted(texts)):
        made.append("," if place else "")
        made.append(f"{_text(key)}:")
        _write(texts[key], made, depth + 1)
    made.append("}")


def _scalar(value: Any) -> str:  # noqa: PLR0911 (one line for each type)
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value)
        case int():
            return str(int(value))
        case float():
            return _number(value)
        case bytes():
            return f'"{b64encode(value).decode()}"'
        case Timestamp():
            return f'"{timestamp_text(value)}"'
        case Duration():
            return str(value.nanoseconds)
        case TypeValue():
            return _text(value.name)
        case _:
            raise CelError(f"json: {unfit(value, 'any')}")


def _text(value: str) -> str:
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(value, ensure_ascii=False))


def _number(value: float) -> str:
    """The shortest text of a double: without an exponent, unless it is very large or very small."""
    if not isfinite(value):
        said = "NaN" if value != value else "+Inf" if value > 0 else "-Inf"  # noqa: PLR0124 (so is what is no number)
        raise CelError(f"json: unsupported value: {said}")
    if value and not 1e-6 <= abs(value) < 1e21:
        return re.sub(r"e([+-])0*", r"e\1", repr(value) if "e" in repr(value) else f"{value:e}")
    text = format(Decimal(repr(value)), "f")
    return text.removesuffix(".0")


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "marshal": (Overload((CONTEXT, DYN), STRING, _marshal, member=True, grows=True),),
    "unmarshal": (Overload((CONTEXT, DYN), DYN, _unmarshal, member=True, grows=True),),
}
