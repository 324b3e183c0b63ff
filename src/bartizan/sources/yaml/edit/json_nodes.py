"""The same tree of a JSON document, by a scanner of our own: YAML has no surrogate pairs, and fewer long keys."""

from __future__ import annotations

import json
import re
from typing import Final

from bartizan.sources.yaml.edit.nodes import Entry, Node

_BLANK: Final = re.compile(r"[ \t\r\n]*")
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_WORD: Final = re.compile(r"[^\s,\]}]+")


def read_json_nodes(text: str) -> Node:
    """The tree of a document that is certainly JSON."""
    at = _BLANK.match(text).end()  # type: ignore[union-attr]  # it matches anything
    return _value(text, at)


def _value(text: str, at: int) -> Node:
    if text[at] == "{":
        return _object(text, at)
    if text[at] == "[":
        return _array(text, at)
    quoted = text[at] == '"'
    found = (_STRING if quoted else _WORD).match(text, at)
    if found is None:
        raise ValueError(f"no JSON at {at}")
    return Node("scalar", at, at, found.end(), json.loads(found[0]), style='"' if quoted else "")


def _object(text: str, start: int) -> Node:
    node = Node("map", start, start, start, None, flow=True)
    at = _next(text, start + 1)
    while text[at] != "}":
        name = _value(text, at)
        at = _next(text, _next(text, name.end) + 1)  # over the colon
        value = _value(text, at)
        node.entries.append(Entry(name, value, str(name.value)))
        at = _next(text, value.end)
        if text[at] == ",":
            at = _next(text, at + 1)
    node.value = {str(entry.key): entry.value.value for entry in node.entries}
    node.end = at + 1
    return node


def _array(text: str, start: int) -> Node:
    node = Node("list", start, start, start, None, flow=True)
    at = _next(text, start + 1)
    while text[at] != "]":
        item = _value(text, at)
        node.items.append(item)
        at = _next(text, item.end)
        if text[at] == ",":
            at = _next(text, at + 1)
    node.value = [item.value for item in node.items]
    node.end = at + 1
    return node


def _next(text: str, at: int) -> int:
    """The next character that is not blank."""
    found = _BLANK.match(text, at)
    return found.end() if found else at
