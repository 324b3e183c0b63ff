"""`format` of the strings extension: `%s %d %f %e %b %o %x %X`, each with the types it takes."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias

from bartizan.base.json import number_text
from bartizan.lang.cel.errors import CelError
from bartizan.lang.cel.library.times import timestamp_text
from bartizan.lang.cel.operators import sized, sized_through
from bartizan.lang.cel.values import Duration, Timestamp, TypeValue, UInt, from_key, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Clause: TypeAlias = "Callable[[Any, int], str]"
"""What writes a value, with so many decimal places."""
_CLAUSE: Final = re.compile(r"%(?:(%)|(?:\.(\d{1,4}))?([a-zA-Z])|(.?))", re.DOTALL | re.ASCII)
_MAX_PLACES: Final = 1000  # decimal places; more than any double has
MAX_DEPTH: Final = 64
"""Levels of lists and maps inside one value."""
STRING_CLAUSE: Final = (
    "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, "
    "and timestamps"
)
PLACES: Final = 6
"""Decimal places, where none are asked for."""


def format_text(template: str, values: list[Any]) -> str:
    """Fill the clauses of a template with values, one each.

    Raises:
        CelError: a clause is unknown, has no value, or one of a type that it does not take.
    """
    return fill(template, values, _CLAUSES)


def fill(template: str, values: list[Any], clauses: Mapping[str, Clause]) -> str:
    """As `format_text`, with the clauses of a dialect; each gets a value and the decimal places that were asked for."""
    sized_through(values)
    used = 0

    def filled(match: re.Match[str]) -> str:
        nonlocal used
        percent, places, verb, wrong = match.groups()
        if percent:
            return "%"
        if not verb and not wrong:
            raise CelError("unexpected end of string")
        clause = clauses.get(verb)
        if clause is None or int(places or 0) > _MAX_PLACES:
            raise CelError(f'could not parse formatting clause: unrecognized formatting clause "{verb or wrong}"')
        if used >= len(values):
            raise CelError(f"index {used} out of range")
        used += 1
        return clause(values[used - 1], PLACES if places is None else int(places))

    return str(sized(_CLAUSE.sub(filled, template)))


def refuse(clause: str, value: Any) -> NoReturn:
    """Fail, for a value of a type that a clause does not take."""
    raise CelError(f"error during formatting: {clause}, was given {name_of(value)}")


def _special(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _plain(value: float) -> str:
    return number_text(value) if math.isfinite(value) else _special(value)


def _text(value: Any, depth: int = 0) -> str:
    if depth > MAX_DEPTH:
        raise CelError("error during formatting: values nest too deep")
    if value.__class__ is list:
        return f"[{', '.join(_text(item, depth + 1) for item in value)}]"
    if isinstance(value, dict):
        entries = [(_text(from_key(key)), _text(item, depth + 1)) for key, item in value.items()]
        return f"{{{', '.join(f'{key}: {item}' for key, item in sorted(entries))}}}"
    write = _TEXTS.get(value.__class__)
    if write is None:
        refuse(
            STRING_CLAUSE,
            value,
        )
    return write(value)


def _decimal(value: Any, _places: int) -> str:
    if value.__class__ is int or value.__class__ is UInt:
        return str(int(value))
    if value.__class__ is float:
        return _plain(value)
    refuse("decimal clause can only be used on integers", value)


def _real(code: str, clause: str) -> Callable[[Any, int], str]:
    def write(value: Any, places: int) -> str:
        if value.__class__ not in (int, UInt, float):
            refuse(f"{clause} clause can only be used on doubles", value)
        number = float(value)
        return f"{number:.{places}{code}}" if math.isfinite(number) else _special(number)

    return write


def binary(value: Any, _places: int) -> str:
    """Write a whole number or a truth value in base 2."""
    if value.__class__ not in (int, UInt, bool):
        refuse("only integers and bools can be formatted as binary", value)
    return f"{int(value):b}"


def octal(value: Any, _places: int) -> str:
    """Write a whole number in base 8."""
    if value.__class__ not in (int, UInt):
        refuse("octal clause can only be used on integers", value)
    return f"{int(value):o}"


def hexadecimal(value: Any, _places: int) -> str:
    """Write a whole number in base 16, or the bytes of a text."""
    if value.__class__ is int or value.__class__ is UInt:
        return f"{int(value):x}"
    if value.__class__ is str:
        return str(value.encode().hex())
    if value.__class__ is bytes:
        return str(value.hex())
    refuse("only integers, byte buffers, and strings can be formatted as hex", value)


_TEXTS: Final[Mapping[type, Callable[[Any], str]]] = {
    type(None): lambda _value: "null",
    str: str,
    bool: lambda value: "true" if value else "false",
    int: str,
    UInt: lambda value: str(int(value)),
    float: _plain,
    bytes: lambda value: str(value.decode(errors="replace")),
    Timestamp: timestamp_text,
    Duration: lambda value: f"{_plain(value.nanoseconds / 10**9)}s",
    TypeValue: lambda value: str(value.name),
}
_CLAUSES: Final[Mapping[str, Clause]] = {
    "s": lambda value, _places: _text(value),
    "d": _decimal,
    "f": _real("f", "fixed-point"),
    "e": _real("e", "scientific"),
    "b": binary,
    "o": octal,
    "x": hexadecimal,
    "X": lambda value, places: hexadecimal(value, places).upper(),
}
