"""Plain block YAML, read by lines: the fast road for what nearly every manifest is.

One regular expression cuts the document into lines of `- key: value`; a
stack of containers by indentation puts them together. Whatever is not
certainly of that form (anchors, tags, quotes with escapes, plain text over
several lines, anything odd) is left to the exact road, so this one never
has to explain an error. A differential test holds the two equal.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from bartizan.base.errors import SpecError
from bartizan.sources.yaml.block_scalars import HELD, hold
from bartizan.sources.yaml.scalars import SPECIAL_STARTS, ScalarError, resolve

if TYPE_CHECKING:
    from bartizan.base.json import Json

MAX_DEPTH: Final = 200
"""Maps and lists inside each other; Kubernetes refuses objects far below."""

UNCERTAIN: Final = object()
"""The answer for a document that needs the exact road."""

FLOW: Final = -1
"""In a list of lines: the value before is written on one line, with whatever is in it."""

_LINES: Final = re.compile(
    r"^(?:"
    r"(?:#[^\n]*|---)?"  # nothing, a comment or the document's own start, at the margin
    r"|( *)(-? *)(?:"  # indentation, and the dash of a list
    r"([A-Za-z_][\w./-]*|[=^X<+]?\([\w./*?-]+\)):(?: +([^\n]*))?"  # a key without quotes, or in an anchor; its value
    r"|([^\n]*)"  # an element without a key, a comment, or something else
    r"))$",
    re.MULTILINE | re.ASCII,
)
_QUOTED: Final = re.compile(r"""'([^'\n]*)'|"([^"\\\n]*)\"""")
_ITEM: Final = re.compile(r"""'([^'\n]+)'|"([^"\\\n]+)"|([A-Za-z_][\w./-]*)""", re.ASCII)
_PLAIN_LIST: Final = re.compile(rf"\[ *(?:(?:{_ITEM.pattern})(?: *, *(?:{_ITEM.pattern}))*)? *\]", re.ASCII)
_VALUE: Final = re.compile(r"""'([^'\n]*)'|"([^"\\\n]*)"|([A-Za-z_0-9][\w./-]*)""", re.ASCII)
_PAIR: Final = re.compile(rf"(?<![\w./-])([A-Za-z_][\w./-]*): +(?:{_VALUE.pattern})", re.ASCII)
_PLAIN_MAP: Final = re.compile(rf"\{{ *{_PAIR.pattern}(?: *, *{_PAIR.pattern})* *\}}", re.ASCII)
_INDICATORS: Final = frozenset("-?:,[]{}#&*!|>'\"%@`")
_MARKS: Final = frozenset("&*!#")
_NO_VALUE: Final = frozenset(("#", HELD))
_KEY_WORDS: Final = frozenset(
    [
        "y",
        "Y",
        "yes",
        "Yes",
        "YES",
        "on",
        "On",
        "ON",
        "true",
        "True",
        "TRUE",
        "n",
        "N",
        "no",
        "No",
        "NO",
        "off",
        "Off",
        "OFF",
        "false",
        "False",
        "FALSE",
        "null",
        "Null",
        "NULL",
    ]
)


class _UncertainError(Exception):
    """This document is for the exact road."""


def parse_blocks(text: str, lines: list[int]) -> Any:
    """Read one document, or say `UNCERTAIN`.

    `lines` takes, for each key and element in the order in which they are
    read, the number of its line in the document, from 0; `FLOW` after one
    says that its value is written on that line as a whole.
    """
    if not text.replace("\n", "").isprintable():  # a tab, a carriage return, or something stranger
        return UNCERTAIN
    held: list[str] = []
    if ": |" in text or ": >" in text:
        found = hold(text)
        if found is None:
            return UNCERTAIN
        text, held = found
    try:
        return _build(text, lines, held)
    except (_UncertainError, ScalarError):
        return UNCERTAIN


def _build(text: str, lines: list[int], held: list[str]) -> Json:  # noqa: C901, PLR0912, PLR0915 (one loop over all lines: a call a line would halve its speed)
    root: dict[str, Json] = {}
    # the innermost container is kept in names of its own; the stack holds those around it
    stack: list[tuple[int, Any]] = []
    indent = 0
    top: Any = root
    is_map = True
    waiting: str | None = None  # the key of `top` whose value has not begun yet
    number = -1
    for margin, dash, key, value, bare in _LINES.findall(text):
        number += 1
        if not key and not bare:
            if dash.startswith("-"):
                raise _UncertainError  # an element that begins on the next line, or is null
            continue
        column = len(margin)
        if not dash:
            if bare:
                if bare[0] == "#":
                    continue
                raise _UncertainError
            if waiting is not None and column > indent:
                child: Any = {}
                top[waiting] = child
                stack.append((indent, top))
                indent, top, is_map = column, child, True
                if len(stack) > MAX_DEPTH:
                    raise _UncertainError
            elif column != indent or not is_map:
                while column < indent or (column == indent and top.__class__ is list):
                    if not stack:
                        raise _UncertainError
                    indent, top = stack.pop()
                if column != indent:
                    raise _UncertainError
                is_map = True
            waiting = None
        else:
            if dash[0] != "-":
                raise _UncertainError
            if waiting is not None and column >= indent:
                child = []
                top[waiting] = child
                stack.append((indent, top))
                indent, top = column, child
                if len(stack) > MAX_DEPTH:
                    raise _UncertainError
            else:
                while column < indent or (column == indent and top.__class__ is dict):
                    if not stack:
                        raise _UncertainError
                    indent, top = stack.pop()
                if column != indent or top.__class__ is not list:
                    raise _UncertainError
            waiting = None
            is_map = False
            lines.append(number)
            if bare:
                if len(dash) < 2:
                    raise _UncertainError  # `-text` is text
                child = _scalar(bare)
                top.append(child)
                if isinstance(child, dict | list):
                    lines.append(FLOW)
                continue
            if len(dash) < 2:
                raise _UncertainError
            child = {}
            top.append(child)
            stack.append((indent, top))
            indent, top, is_map = column + len(dash), child, True
        if key in top or key in _KEY_WORDS:
            raise _UncertainError
        lines.append(number)
        if value:
            top[key] = child = _scalar(value)
            if isinstance(child, dict | list):
                lines.append(FLOW)
            elif value[0] in _NO_VALUE:
                if value[0] == HELD:
                    top[key] = held[int(value[1:])]
                else:  # a comment alone is no value, and what follows may be
                    waiting = key
        else:
            top[key] = None
            waiting = key
    return root or None


def _scalar(text: str) -> Json:
    """The value of what stands after a colon or a dash."""
    first = text[0]
    if first in _INDICATORS:
        return _marked(text)
    if " #" in text:
        text = text[: text.index(" #")]
    text = text.rstrip(" ")
    if ": " in text or text[-1] == ":":
        raise _UncertainError
    return resolve(text) if first in SPECIAL_STARTS else text


def _marked(text: str) -> Json:
    """A scalar that begins with a mark: quotes, a flow collection, or a dash that is no list."""
    first = text[0]
    if first == "#":
        return None
    if first in "'\"":
        quoted = _QUOTED.fullmatch(text.rstrip(" "))
        if quoted is None:
            raise _UncertainError
        return quoted[1] if quoted[1] is not None else quoted[2]
    if first in "[{":
        return _flow(text)
    if first == "-" and text[1:2] not in ("", " ") and " #" not in text and ": " not in text and text[-1] not in ": ":
        return resolve(text)
    raise _UncertainError


@lru_cache(maxsize=2048)
def _flow(text: str) -> Json:
    """A flow collection on one line; the same text gives the same (shared, never changed) value."""
    if _PLAIN_LIST.fullmatch(text):
        return [quoted or double or resolve(word) for quoted, double, word in _ITEM.findall(text[1:])]
    if text == "{}":
        return {}
    if _PLAIN_MAP.fullmatch(text):
        return _plain_map(text)
    from bartizan.sources.yaml.events import parse_events  # late: libyaml takes longer to import than a file to read

    if not _MARKS.isdisjoint(_QUOTED.sub("", text)):
        raise _UncertainError
    try:
        return parse_events(text, "", 0)
    except SpecError as error:
        raise _UncertainError from error


def _plain_map(text: str) -> dict[str, Json]:
    """A map of plain keys and plain or quoted values, on one line."""
    made: dict[str, Json] = {}
    for key, quoted, double, word in _PAIR.findall(text):
        if key in made or key in _KEY_WORDS:
            raise _UncertainError
        made[key] = resolve(word) if word else quoted or double
    return made
