"""YAML written by hand: block style, keys as they come, a text quoted only where it must be.

A dumper that keeps to the whole standard takes 30 s for the results of a
fleet; reports need mappings, lists and scalars, and a text in double
quotes, which JSON's escapes nearly are.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from bartizan.base.pointer import escape
from bartizan.outputs.text import to_json

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLAIN: Final = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*")
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_LITERAL: Final = re.compile(r"\S[\t\x20-\x7e\xa0-\u2027\u202a-\ud7ff\n]*")
_BLANK_LINE: Final = re.compile(r"^[ \t]+$", re.MULTILINE)
_UNPRINTED: Final = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")  # YAML 1.2, 5.1: must be escaped


def lines(value: dict[str, Any], indent: str = "") -> Iterator[str]:
    """Write a mapping, a line at a time, without line ends; empty lists and mappings are written as such.

    A text of several lines is a literal block, where YAML has one for it.
    """
    for key, item in value.items():
        name = scalar(key)
        if isinstance(item, dict) and item:
            yield f"{indent}{name}:"
            yield from lines(item, f"{indent}  ")
        elif isinstance(item, list) and item:
            yield f"{indent}{name}:"
            yield from _items(item, indent)
        elif item.__class__ is str and "\n" in item and _is_literal(item):
            yield f"{indent}{name}: {_block_mark(item)}"
            yield from _block(item, f"{indent}  ")
        else:
            yield f"{indent}{name}: {scalar(item)}"


def _items(items: list[Any], indent: str) -> Iterator[str]:
    for item in items:
        if isinstance(item, dict) and item:
            inner = lines(item, f"{indent}  ")
            yield f"{indent}- {next(inner)[len(indent) + 2 :]}"
            yield from inner
        elif item.__class__ is str and "\n" in item and _is_literal(item):
            yield f"{indent}- {_block_mark(item)}"
            yield from _block(item, f"{indent}  ")
        else:
            yield f"{indent}- {scalar(item)}"


def located(value: dict[str, Any], indent: str = "", above: str = "") -> Iterator[tuple[str, str]]:
    """The lines of `lines`, each with the JSON pointer of what begins there; the lines of a text have its pointer."""
    for key, item in value.items():
        name, pointer = scalar(key), f"{above}/{escape(key)}"
        if isinstance(item, dict) and item:
            yield f"{indent}{name}:", pointer
            yield from located(item, f"{indent}  ", pointer)
        elif isinstance(item, list) and item:
            yield f"{indent}{name}:", pointer
            yield from _located_items(item, indent, pointer)
        else:
            for line in lines({key: item}, indent):
                yield line, pointer


def _located_items(items: list[Any], indent: str, above: str) -> Iterator[tuple[str, str]]:
    for number, item in enumerate(items):
        pointer = f"{above}/{number}"
        if isinstance(item, dict) and item:
            inner = located(item, f"{indent}  ", pointer)
            first, _ = next(inner)
            yield f"{indent}- {first[len(indent) + 2 :]}", pointer
            yield from inner
        else:
            for line in _items([item], indent):
                yield line, pointer


def _is_literal(text: str) -> bool:
    """Whether a literal block holds a text as it is: printable, begun without an indent, no line only of blanks."""
    return _LITERAL.fullmatch(text) is not None and _BLANK_LINE.search(text) is None


def _block_mark(text: str) -> str:
    """How a literal block begins: `|-` where its text ends without a line end, `|+` where it ends with several."""
    if not text.endswith("\n"):
        return "|-"
    return "|+" if text.endswith("\n\n") else "|"


def _block(text: str, indent: str) -> Iterator[str]:
    for line in text.removesuffix("\n").split("\n"):
        yield f"{indent}{line}" if line else ""


def scalar(value: Any) -> str:
    """Write one value on one line."""
    if isinstance(value, str):
        return _text(value)
    return _escaped(to_json(value)) if isinstance(value, list | dict) else to_json(value)


@lru_cache(maxsize=4096)  # keys and policies recur
def _text(value: str) -> str:
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return _escaped(to_json(value))


def _escaped(text: str) -> str:
    return _UNPRINTED.sub(lambda match: f"\\u{ord(match.group()):04x}", text)
