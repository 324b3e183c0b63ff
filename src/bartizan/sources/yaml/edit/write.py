"""New values as text, in block style as people write manifests, or in flow style and JSON.

A text is quoted only where our reader would take it for something else
without: it is asked, so that the two cannot disagree.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from bartizan.base.errors import SpecError
from bartizan.sources.yaml.events import parse_events
from bartizan.sources.yaml.scalars import ScalarError, key_text, resolve

if TYPE_CHECKING:
    from bartizan.base.json import Json
    from bartizan.sources.yaml.edit.style import Style

_PLAIN: Final = re.compile(r"[A-Za-z_/](?:[\w./-]|[:@=+](?=[\w./-]))*(?: [\w./-]+)*", re.ASCII)
_MARGIN: Final = re.compile(r"[ \t]")


def scalar_text(value: Json, style: Style, place: str = "block", like: str = "") -> str:
    """Write one value on one line; `like` is the quote of the value before or of its neighbours."""
    if isinstance(value, str):
        return _text(value, style, place, like)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if style.json or isinstance(value, int):
        return json.dumps(value)
    return repr(value)


def _text(value: str, style: Style, place: str, like: str) -> str:
    if style.json:
        return json.dumps(value, ensure_ascii=not value.isprintable())
    if like not in ("'", '"'):
        if reads_plain(value, place):
            return value
        like = style.quote
    if like == "'" and value.isprintable():
        doubled = value.replace("'", "''")
        return f"'{doubled}'"
    return _double(value)


def _double(value: str) -> str:
    """Double quotes, with everything escaped that cannot be seen."""
    return '"' + "".join(_escaped(char) for char in value) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if char == " " or char.isprintable():
        return char
    named = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(char)
    if named:
        return named
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


@lru_cache(maxsize=4096)
def reads_plain(value: str, place: str) -> bool:
    """Whether a text can stand without quotes."""
    if not value or not value.isprintable():
        return False
    try:
        read = resolve(value)
        if not isinstance(read, str):
            return place == "key" and value.isdecimal() and key_text(read) == value
    except ScalarError:
        return False
    boundary = value.startswith(("---", "...", "%"))  # at the margin these are no text
    return _PLAIN.fullmatch(value) is not None or (not boundary and _passes_trial(value, place))


def _passes_trial(value: str, place: str) -> bool:
    template, wanted = _TRIALS[place]
    try:
        return bool(parse_events(template.format(value), "", 0) == _fill(wanted, value))
    except SpecError:
        return False


_TRIALS: Final[dict[str, tuple[str, str]]] = {
    "block": ("k: {0} # c\nz: 1\n", "block"),
    "flow": ("[{0}, {{{0}: {0}}}, {0} ]\n", "flow"),
    "key": ("{0}: 1\nz: {{{0}: 1}}\n", "key"),
}


def _fill(place: str, value: str) -> Json:
    if place == "block":
        return {"k": value, "z": 1}
    return [value, {value: value}, value] if place == "flow" else {value: 1, "z": {value: 1}}


def literal(value: Json, like: str = "") -> str:
    """The mark of a literal block that can hold a value, or nothing: text of several lines, with no odd blanks.

    Empty lines at its end are only kept in a block where one was (`like`),
    for those behind it would be taken for more of them.
    """
    if not isinstance(value, str) or "\n" not in value:
        return ""
    lines = value.rstrip("\n").split("\n")
    if not "".join(lines).replace("\t", "").isprintable() or not lines[-1].strip() or _MARGIN.match(lines[0]):
        return ""
    first = next(line for line in lines if line)
    if _MARGIN.match(first) or any(line and not line.strip() for line in lines):
        return ""
    breaks = len(value) - len(value.rstrip("\n"))
    return ("|-", "|")[breaks] if breaks < 2 else "|+" if like in ("|", ">") else ""


def value_text(value: Json, column: int, style: Style, like: str = "", offset: int = 0) -> tuple[str, list[str]]:
    """What stands behind a key or dash at `column`, and the lines below it, without line breaks.

    `offset` is how far behind its dash an element of a list stands, and 0
    behind a key.
    """
    mark = literal(value, like) if not (style.careful or style.json) else ""
    if mark and like not in ("'", '"'):
        margin = " " * (column + (offset or style.step))
        body = str(value).removesuffix("\n")
        return mark, [f"{margin}{line}" if line else "" for line in body.split("\n")]
    if not isinstance(value, dict | list):
        return scalar_text(value, style, like=like), []
    if not value:
        return "{}" if isinstance(value, dict) else "[]", []
    inner = column + (offset or (style.step if isinstance(value, dict) else style.dash))
    lines = map_lines(value, inner, style) if isinstance(value, dict) else list_lines(value, inner, style)
    return (lines[0][inner:], lines[1:]) if offset else ("", lines)


def map_lines(value: dict[str, Json], column: int, style: Style) -> list[str]:
    """The lines of a map whose keys stand at `column`."""
    return [line for key, item in value.items() for line in entry_lines(key, item, column, style)]


def entry_lines(key: str, value: Json, column: int, style: Style) -> list[str]:
    """The lines of one pair."""
    head, below = value_text(value, column, style)
    margin = " " * column
    return [f"{margin}{scalar_text(key, style, 'key')}:{f' {head}' if head else ''}", *below]


def list_lines(value: list[Json], column: int, style: Style) -> list[str]:
    """The lines of a list whose dashes stand at `column`."""
    return [line for item in value for line in item_lines(item, column, style)]


def item_lines(value: Json, column: int, style: Style, *, offset: int = 2, like: str = "") -> list[str]:
    """The lines of one element."""
    head, below = value_text(value, column, style, like, offset)
    return [f"{' ' * column}-{' ' * (offset - 1)}{head}", *below]


def flow_text(value: Json, style: Style, column: int = 0, like: str = "", *, spread: bool = False) -> str:
    """Write a value in flow style; `spread` puts each member on a line of its own, inside `column`."""
    if not isinstance(value, dict | list):
        return scalar_text(value, style, "flow", like)
    inner = column + style.step
    if isinstance(value, dict):
        members = [
            f"{scalar_text(key, style, 'key', like)}: {flow_text(item, style, inner, like, spread=spread)}"
            for key, item in value.items()
        ]
        first, last = "{", "}"
    else:
        members = [flow_text(item, style, inner, like, spread=spread) for item in value]
        first, last = "[", "]"
    if spread and members:
        margin = f"{style.newline}{' ' * inner}"
        return first + margin + f",{margin}".join(members) + f"{style.newline}{' ' * column}{last}"
    return first + ", ".join(members) + last
