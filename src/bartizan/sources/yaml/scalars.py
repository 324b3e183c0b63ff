"""What a plain scalar is: the table of goyaml.v2, then JSON's idea of numbers.

Kubernetes turns YAML into JSON before it reads it, so a float without a
fraction comes out as an integer, and infinity cannot come out at all.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bartizan.base.json import Json

_TRUE: Final = frozenset(["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"])
_FALSE: Final = frozenset(["n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"])
_NULL: Final = frozenset(("", "~", "null", "Null", "NULL"))
_NOT_JSON: Final = frozenset(
    [".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN"]
)
SPECIAL_STARTS: Final = frozenset("~yYnNtTfFoO<+-.0123456789")
"""First characters of plain scalars that may be something other than text."""
_INTEGER: Final = re.compile(r"([+-]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INT64: Final = 2**63
_MAX_CACHED: Final = 50_000  # plain texts remembered; a hostile file must not fill the memory


class ScalarError(ValueError):
    """A scalar that JSON, and so Kubernetes, cannot hold."""


_cache: dict[str, Json] = {}


def resolve(text: str) -> Json:
    """The value of a plain scalar.

    Raises:
        ScalarError: it is an infinity, or no number at all.
    """
    if text and text[0] not in SPECIAL_STARTS:
        return text if text not in _NULL else None
    try:
        return _cache[text]
    except KeyError:
        value = _resolve(text)
        if len(_cache) >= _MAX_CACHED:
            _cache.clear()
        _cache[text] = value
        return value


def _resolve(text: str) -> Json:
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if text in _NOT_JSON:
        raise ScalarError(f"`{text}` cannot be written in JSON")
    return _number(text) if text[0] in "+-.0123456789" else text


def _number(text: str) -> Json:
    plain = text if text[0] == "." else text.replace("_", "")
    match = _INTEGER.fullmatch(plain)
    if match:
        sign, hexadecimal, binary, octal, decimal = match.groups()
        digits, base = next(
            (part, b) for part, b in ((hexadecimal, 16), (binary, 2), (octal, 8), (decimal, 10)) if part
        )
        if len(digits) <= 64:  # beyond, it is far out of 64 bits, and a float
            value = int(digits, base) * (-1 if sign == "-" else 1)
            if -_INT64 <= value < _INT64:
                return value
            if 0 < value < 2 * _INT64:
                return float(value)
    return as_json(float(plain)) if _FLOAT.fullmatch(plain) else text


def as_json(value: float) -> int | float:
    """A float as it comes back from JSON: an integer where it is one and fits 64 bits.

    Raises:
        ScalarError: it is infinite.
    """
    if not math.isfinite(value):
        raise ScalarError("a number is too large for JSON")
    if not value.is_integer():
        return value
    from decimal import Decimal  # floats that are whole are rare in manifests

    # Go writes the shortest digits that mean this float and fills up with zeros, and that text is read back
    written = int(Decimal(repr(value)))
    return written if -_INT64 <= written < _INT64 else value


def tagged(tag: str, text: str) -> Json:
    """The value of a scalar with an explicit tag; unknown tags leave text.

    Raises:
        ScalarError: the text is not what the tag says.
    """
    kind = tag.removeprefix("tag:yaml.org,2002:")
    if kind in (tag, "str"):
        return text
    if kind == "binary":
        try:
            return base64.b64decode(text, validate=False).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ScalarError(f"!!binary is not base64 of text: {error}") from error
    value = resolve(text)
    wanted: dict[str, tuple[type, ...]] = {
        "int": (int,),
        "float": (int, float),
        "bool": (bool,),
        "null": (type(None),),
        "timestamp": (str,),
    }
    if kind in wanted and not isinstance(value, wanted[kind]):
        raise ScalarError(f"`{text}` is no !!{kind}")
    return value


def key_text(value: Json) -> str:
    """A key as JSON must have it: text.

    Raises:
        ScalarError: it is null, a map or a list.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"{value:g}"
    raise ScalarError("a key must be text, a number or a boolean")
