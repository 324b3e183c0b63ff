"""Block scalars (`|` and `>`) taken out of a document before the fast road reads its lines.

Each leaves a mark in its place and as many empty lines as it had, so that
the lines after it keep their numbers. Only what is certain is taken: no
indentation indicators, no comments after the header, no folded lines that
are indented further than the first.
"""

from __future__ import annotations

import re
from typing import Final

HELD: Final = "\0"
"""Begins the mark that stands for a block scalar; its number follows. No document that is read has one."""

_HEADER: Final = re.compile(r"^( *(?:- +)*)[A-Za-z_][\w./-]*: +([|>][-+]?) *$", re.MULTILINE | re.ASCII)


def hold(text: str) -> tuple[str, list[str]] | None:
    """The document with marks for its block scalars, and their values; `None` where one is not certain."""
    held: list[str] = []
    pieces: list[str] = []
    done = 0
    for header in _HEADER.finditer(text):
        if header.start() < done:
            continue  # it stands in the text of the one before
        body, end = _body(text, header.end() + 1, len(header[1]))
        value = _value(body, header[2])
        if value is None:
            return None
        pieces += (text[done : header.start(2)], f"{HELD}{len(held)}", "\n" * (len(body) + 1))
        held.append(value)
        done = end
    pieces.append(text[done:])
    return "".join(pieces), held


def _body(text: str, start: int, parent: int) -> tuple[list[str], int]:
    """The lines that belong to a block scalar below a key at column `parent`, and where they end."""
    lines: list[str] = []
    at = start
    while at < len(text):
        end = text.find("\n", at)
        if end < 0:
            return [], at  # without a last line break its end is a matter of its own
        line = text[at:end]
        if line and not line.isspace() and len(line) - len(line.lstrip(" ")) <= parent:
            break
        lines.append(line)
        at = end + 1
    return lines, at


def _value(lines: list[str], header: str) -> str | None:
    """The text of a block scalar; `None` where it is not certain."""
    if not lines or not lines[0] or lines[0].isspace():
        return None
    indent = len(lines[0]) - len(lines[0].lstrip(" "))
    margin = " " * indent
    content: list[str] = []
    for line in lines:
        if line.startswith(margin):
            content.append(line[indent:])
        elif not line or line.isspace():
            content.append("")
        else:
            return None
    breaks = 0
    while not content[-1]:
        content.pop()
        breaks += 1
    body = "\n".join(content) if header[0] == "|" else _folded(content)
    if body is None:
        return None
    tail = {"": "\n", "-": "", "+": "\n" * (breaks + 1)}[header[1:]]
    return body + tail


def _folded(lines: list[str]) -> str | None:
    """Lines as one, with a break for each empty line between them."""
    if any(line.startswith(" ") for line in lines):
        return None
    parts = [lines[0]]
    breaks = 0
    for line in lines[1:]:
        if not line:
            breaks += 1
            continue
        parts.append("\n" * breaks if breaks else " ")
        parts.append(line)
        breaks = 0
    return "".join(parts)
