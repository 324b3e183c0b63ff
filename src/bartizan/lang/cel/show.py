"""Values as a person reads them: as the expressions that would give them, cut short where they are long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.base.quantity import Quantity
from bartizan.lang.cel.library.formats import Format
from bartizan.lang.cel.library.kubernetes import Amount, Semver, Url
from bartizan.lang.cel.library.network import Address, Block
from bartizan.lang.cel.library.times import duration_text, timestamp_text
from bartizan.lang.cel.text import constant_text
from bartizan.lang.cel.values import Duration, Optional, Timestamp, TypeValue, from_key, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_SCALARS: Final = (type(None), bool, int, float, str, bytes)
_MAX_LEVELS: Final = 50


def value_text(value: Any, most: int = 200) -> str:
    """A value in `most` characters, or a few more."""
    parts: list[str] = []
    left = most
    for part in _parts(value, most, 0):
        if left <= 0:
            parts.append("…")
            break
        parts.append(part)
        left -= len(part)
    return "".join(parts)


def _parts(value: Any, most: int, level: int) -> Iterator[str]:
    if level > _MAX_LEVELS:
        yield "…"
    elif isinstance(value, str) and len(value) > most:
        yield f"{constant_text(value[:most])}…"
    elif isinstance(value, _SCALARS):
        yield constant_text(value)
    elif isinstance(value, list):
        yield "["
        for place, item in enumerate(value):
            yield ", " if place else ""
            yield from _parts(item, most, level + 1)
        yield "]"
    elif isinstance(value, dict):
        yield "{"
        for place, (key, item) in enumerate(value.items()):
            yield ", " if place else ""
            yield from _parts(from_key(key), most, level + 1)
            yield ": "
            yield from _parts(item, most, level + 1)
        yield "}"
    elif isinstance(value, Optional):
        yield "optional.of(" if value.present else "optional.none("
        if value.present:
            yield from _parts(value.value, most, level + 1)
        yield ")"
    else:
        yield _opaque(value)


def _opaque(value: Any) -> str:
    write = _WRITERS.get(value.__class__)
    return f"{type_name(value.__class__)}{{…}}" if write is None else write(value)


_WRITERS: Final[Mapping[type, Callable[[Any], str]]] = {
    Timestamp: lambda value: f'timestamp("{timestamp_text(value)}")',
    Duration: lambda value: f'duration("{duration_text(value)}")',
    TypeValue: lambda value: str(value.name),
    Amount: lambda value: f'quantity("{Quantity(value.value)}")',
    Url: lambda value: f"url({constant_text(value.text)})",
    Address: lambda value: f'ip("{value.value}")',
    Block: lambda value: f'cidr("{value.address}/{value.length}")',
    Semver: lambda value: f'semver("{_version(value)}")',
    Format: lambda value: f'format.named("{value.name}").value()',
}


def _version(value: Semver) -> str:
    core, pre = ".".join(map(str, value.version.core)), ".".join(value.version.pre)
    return f"{core}-{pre}" if pre else core
