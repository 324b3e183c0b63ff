"""YAML written by hand: block style, keys as they come, a text quoted only where it must be.

A dumper that keeps to the whole standard takes 30 s for the results of a
fleet; reports need mappings, lists and scalars, and a text in double
quotes, which JSON's escapes nearly are.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from bartizan.outputs.text import to_json

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLAIN: Final = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*")
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_UNPRINTED: Final = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")  # YAML 1.2, 5.1: must be escaped


def lines(value: dict[str, Any], indent: str = "") -> Iterator[str]:
    """Write a mapping, a line at a time, without line ends; empty lists and mappings are written as such."""
    for key, item in value.items():
        name = scalar(key)
        if isinstance(item, dict) and item:
            yield f"{indent}{name}:"
            yield from lines(item, f"{indent}  ")
        elif isinstance(item, list) and item:
            yield f"{indent}{name}:"
            yield from _items(item, indent)
        else:
            yield f"{indent}{name}: {scalar(item)}"


def _items(items: list[Any], indent: str) -> Iterator[str]:
    for item in items:
        if isinstance(item, dict) and item:
            inner = lines(item, f"{indent}  ")
            yield f"{indent}- {next(inner)[len(indent) + 2 :]}"
            yield from inner
        else:
            yield f"{indent}- {scalar(item)}"


def scalar(value: Any) -> str:
    """Write one value on one line."""
    return _text(value) if isinstance(value, str) else to_json(value)


@lru_cache(maxsize=4096)  # keys and policies recur
def _text(value: str) -> str:
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return _UNPRINTED.sub(lambda match: f"\\u{ord(match.group()):04x}", to_json(value))
