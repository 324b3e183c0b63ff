"""`format` as the API server has it: an older edition, which writes fractions as one does in English.

What stands inside a list or map is written as the language writes it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from bartizan.lang.cel.errors import CelError
from bartizan.lang.cel.library.formatting import (
    MAX_DEPTH,
    STRING_CLAUSE,
    binary,
    fill,
    hexadecimal,
    octal,
    refuse,
)
from bartizan.lang.cel.library.quoting import quoted
from bartizan.lang.cel.library.standard import number_text
from bartizan.lang.cel.library.times import duration_text, timestamp_text
from bartizan.lang.cel.values import Duration, Timestamp, TypeValue, UInt, from_key, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.lang.cel.library.formatting import Clause

_SPECIAL: Final = frozenset({"NaN", "Infinity", "-Infinity"})
_RAISED: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def format_as_kubernetes(template: str, values: list[Any]) -> str:
    """Fill the clauses of a template with values, one each.

    Raises:
        CelError: a clause is unknown, has no value, or one of a type that it does not take.
    """
    return fill(template, values, _CLAUSES)


def _text(value: Any, _places: int) -> str:
    if value.__class__ is list or isinstance(value, dict):
        return _literal(value)
    write = _TEXTS.get(value.__class__)
    if write is None:
        refuse(STRING_CLAUSE, value)
    return write(value)


def _literal(value: Any, depth: int = 0) -> str:
    """A value as the language writes it."""
    if depth > MAX_DEPTH:
        raise CelError("error during formatting: values nest too deep")
    if value.__class__ is list:
        return f"[{', '.join(_literal(item, depth + 1) for item in value)}]"
    if isinstance(value, dict):
        entries = sorted((_key(from_key(key)), _literal(item, depth + 1)) for key, item in value.items())
        return f"{{{', '.join(f'{key}:{item}' for key, item in entries)}}}"
    write = _LITERALS.get(value.__class__) or _TEXTS.get(value.__class__)
    if write is None:
        raise CelError(f"error during formatting: no formatting function for {name_of(value)}")
    return write(value)


def _key(key: Any) -> str:
    if key.__class__ not in (str, bool, int, UInt):
        raise CelError(f"error during formatting: no formatting function for map key of type {name_of(key)}")
    return _literal(key)


def _decode(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        problem = "invalid UTF-8 in bytes, cannot convert to string"
        raise CelError(f'error during formatting: could not convert argument "{problem}" to string') from error


def _real_literal(value: float) -> str:
    return f"{value:.6f}" if math.isfinite(value) else f'"{number_text(value)}"'


def _decimal(value: Any, _places: int) -> str:
    if value.__class__ is not int and value.__class__ is not UInt:
        refuse("decimal clause can only be used on integers", value)
    return str(int(value))


def _number(value: Any, clause: str) -> float:
    if value.__class__ is not float and not (value.__class__ is str and value in _SPECIAL):
        refuse(f"{clause} clause can only be used on doubles", value)
    return float(value)


def _unusual(value: float) -> str:
    return "NaN" if math.isnan(value) else "∞" if value > 0 else "-∞"


def _fixed(value: Any, places: int) -> str:
    number = _number(value, "fixed-point")
    return f"{number or 0.0:,.{places}f}" if math.isfinite(number) else _unusual(number)


def _scientific(value: Any, width: int) -> str:
    """The number that is asked for is taken for the width, not for the decimal places."""
    number = _number(value, "scientific")
    if not math.isfinite(number):
        return _unusual(number).rjust(width)
    digits, _, power = f"{number or 0.0:e}".partition("e")
    return f"{digits}\u00d710{power.removeprefix('+').translate(_RAISED)}".rjust(width)


_TEXTS: Final[Mapping[type, Callable[[Any], str]]] = {
    type(None): lambda _value: "null",
    str: str,
    bool: lambda value: "true" if value else "false",
    int: str,
    UInt: lambda value: str(int(value)),
    float: number_text,
    bytes: _decode,
    Timestamp: timestamp_text,
    Duration: duration_text,
    TypeValue: lambda value: str(value.name),
}
_LITERALS: Final[Mapping[type, Callable[[Any], str]]] = {
    str: quoted,
    bytes: lambda value: f"b{quoted(_decode(value))}",
    float: _real_literal,
    Timestamp: lambda value: f'timestamp("{timestamp_text(value)}")',
    Duration: lambda value: f'duration("{duration_text(value)}")',
}
_CLAUSES: Final[Mapping[str, Clause]] = {
    "s": _text,
    "d": _decimal,
    "f": _fixed,
    "e": _scientific,
    "b": binary,
    "o": octal,
    "x": hexadecimal,
    "X": lambda value, places: hexadecimal(value, places).upper(),
}
