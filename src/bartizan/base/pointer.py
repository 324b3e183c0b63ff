"""JSON pointers (RFC 6901): how a finding names a place inside a resource.

A pointer here is a string such as `/spec/containers/0/image`; the empty
string is the whole document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bartizan.base.json import Json


def join(parts: Iterable[str | int]) -> str:
    """Write a pointer from unescaped parts."""
    return "".join(f"/{escape(str(part))}" for part in parts)


def escape(part: str) -> str:
    """Escape one part: `~` and `/` are the pointer's own."""
    return part.replace("~", "~0").replace("/", "~1")


def split(pointer: str) -> list[str]:
    """Take a pointer apart into unescaped parts; the leading slash may be missing."""
    body = pointer.removeprefix("/").removesuffix("/")
    return [part.replace("~1", "/").replace("~0", "~") for part in body.split("/")] if body else []


def resolve(document: Json, pointer: str) -> Json:
    """The value at `pointer`.

    Raises:
        LookupError: nothing is there.
    """
    value = document
    for part in split(pointer):
        if isinstance(value, dict):
            value = value[part]
        elif isinstance(value, list) and part.isdecimal():
            value = value[int(part)]
        else:
            raise LookupError(pointer)
    return value
