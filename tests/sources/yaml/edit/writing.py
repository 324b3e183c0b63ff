"""Trees written as people (and programs) write YAML: every style, at random, with comments all over; and changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bartizan.base.errors import SpecError
from bartizan.sources.yaml.documents import parse_chunk

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

WORDS = (
    *("app", "name", "image", "spec", "registry.example/app:1.4.2", "a: b", "- x", "yes", "on", "0644", "1e3", "~"),
    *("2024-01-01", "", " lead", "trail ", "é ü", "#no", "x # y", "[a", "{", "*", "&a", "!t", "%", "@", "`", "'", '"'),
    *("two\nlines\n", "end\n\n", "no\nend", "\n", "  in\nout\n", "tab\there", "back\\slash", "=", "<<", "null", "12"),
    *(
        "a, b",
        "a]",
        "key: ",
        "-",
        "--",
        "---",
        "...",
        "?",
        ": ",
        "a:b",
        "\u2028",
        "\x85",
        "\x07",
        "😀",
        "0x1f",
        "1_000",
    ),
    *("long " * 30, "a\n\n\nb\n", "x\n ", "\r", "a\r\nb"),
)
NAMES = ("a", "name", "b.c/d", "on", "12", "x y", "é", "true", "<<", "", "-", "k#", "#k", "longer-key", "q'", 'q"', "A")


def tree(rng: Random, depth: int = 4, pool: Sequence[Any] = ()) -> Any:
    """A random value, a map most often; `pool` are values that may stand in several places."""
    kind = rng.random()
    if pool and kind < 0.1:
        return rng.choice(pool)
    if depth == 0 or kind < 0.4:
        return _leaf(rng)
    if kind < 0.75:
        base = rng.choice(pool) if pool and rng.random() < 0.3 else {}
        return {**base, **{rng.choice(NAMES): tree(rng, depth - 1, pool) for _ in range(rng.randint(0, 4))}}
    if kind < 0.85:
        return [{"name": f"n{i}", **_part(rng, depth - 1, pool)} for i in range(rng.randint(0, 3))]
    return [tree(rng, depth - 1, pool) for _ in range(rng.randint(0, 3))]


def _part(rng: Random, depth: int, pool: Sequence[Any]) -> dict[str, Any]:
    return {rng.choice(NAMES): tree(rng, depth, pool) for _ in range(rng.randint(0, 2))}


def _leaf(rng: Random) -> Any:
    return rng.choice((rng.choice(WORDS), rng.choice(WORDS), rng.randint(-5, 2000), True, False, None, 1.5, 1e30, 1e-7))


def root(rng: Random) -> Any:
    """A random document, nearly always a map with something in it."""
    if rng.random() < 0.1:
        return tree(rng)
    if rng.random() < 0.7:
        return {"kind": "K", **_part(rng, 4, ()), **_part(rng, 4, ()), **_part(rng, 4, ())}
    pool = [{f"p{i}": _leaf(rng), **_part(rng, 1, ())} for i in range(2)]
    shared = {f"shared{i}": part for i, part in enumerate(pool)}
    return {"kind": "K", **shared, **_part(rng, 4, pool), **_part(rng, 4, pool), **_part(rng, 4, pool)}


def change(rng: Random, value: Any) -> Any:
    """A few random changes; the result shares all else."""
    for _ in range(rng.randint(1, 3)):
        value = _changed(rng, value)
    return value


def _changed(rng: Random, value: Any) -> Any:
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice(list(value))
        return {name: _changed(rng, item) if name == key else item for name, item in value.items()}
    if isinstance(value, list) and value and rng.random() < 0.7:
        at = rng.randrange(len(value))
        return [_changed(rng, item) if i == at else item for i, item in enumerate(value)]
    if isinstance(value, dict) and rng.random() < 0.9:
        return _other_map(rng, value)
    if isinstance(value, list) and rng.random() < 0.9:
        return _other_list(rng, value)
    return tree(rng, 2)


def _other_map(rng: Random, value: dict[str, Any]) -> dict[str, Any]:
    items = list(value.items())
    if items and rng.random() < 0.5:
        items.pop(rng.randrange(len(items)))
    if rng.random() < 0.6:
        key = rng.choice(NAMES)
        items.insert(rng.randint(0, len(items)), (f"{key}{rng.choice(('', '2'))}", tree(rng, 2)))
    return dict(items)


def _other_list(rng: Random, value: list[Any]) -> list[Any]:
    items = list(value)
    if items and rng.random() < 0.5:
        items.pop(rng.randrange(len(items)))
    if rng.random() < 0.6:
        items.insert(rng.randint(0, len(items)), tree(rng, 2))
    if rng.random() < 0.1:
        rng.shuffle(items)
    return items


class Writer:
    """Writes one document; its habits are drawn once, and broken now and then."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._step = rng.choice((2, 2, 2, 4, 3, 1))
        self._dash = rng.choice((0, 0, 2, 2, 4))
        self._comments = rng.choice((0.0, 0.2, 0.5))
        self._flows = rng.choice((0.0, 0.1, 0.3))
        self._aliases = rng.choice((0.0, 0.0, 0.3))
        self._anchored: list[tuple[str, Any]] = []
        self._number = 0

    def document(self, value: Any) -> str:
        """The text, which reads as the value."""
        rng = self._rng
        if rng.random() < 0.08:
            return json.dumps(value, indent=rng.choice((None, 2, 4)), ensure_ascii=rng.random() < 0.5)
        lines: list[str] = []
        if rng.random() < 0.2:
            lines.append(rng.choice(("---", "--- # start", "---   ")))
        self._comment(lines, 0)
        if isinstance(value, dict) and value:
            self._map(lines, value, 0)
        elif isinstance(value, list) and value:
            self._list(lines, value, 0)
        else:
            lines.append(self._scalar(value, "block") if not isinstance(value, dict | list) else json.dumps(value))
        self._comment(lines, 0)
        newline = rng.choice(("\n", "\n", "\n", "\r\n"))
        return newline.join(lines) + (newline if rng.random() < 0.9 else "")

    def _comment(self, lines: list[str], column: int) -> None:
        rng = self._rng
        while rng.random() < self._comments:
            self._number += 1
            shift = rng.choice((0, 0, 0, 0, 1, 2, -1))
            lines.append(rng.choice((f"{' ' * max(0, column + shift)}# c{self._number}\t: - x", "", "   ")))

    def _tail(self) -> str:
        self._number += 1
        return f"{' ' * self._rng.choice((1, 2, 5))}# t{self._number}" if self._rng.random() < self._comments else ""

    def _map(self, lines: list[str], value: dict[str, Any], column: int, first: str = "") -> None:
        rng = self._rng
        left = self._merged(lines, value, first or " " * column) if self._anchored else value
        first = first if left is value else ""
        for number, (key, item) in enumerate(left.items()):
            if number or not first:
                self._comment(lines, column)
            margin = first if first and not number else " " * column
            name = self._key(key)
            self._value(lines, f"{margin}{name}{rng.choice(('', '', '', ' '))}:", item, column, 0)
        if rng.random() < self._comments / 3:
            self._comment(lines, column)

    def _merged(self, lines: list[str], value: dict[str, Any], lead: str) -> dict[str, Any]:
        """Write a merge key for an anchored map that is part of this one; what is left to be written."""
        for name, held in self._anchored:
            if isinstance(held, dict) and held and held is not value and self._rng.random() < 0.8:
                common = {key for key, item in held.items() if key in value and value[key] is item}
                if common and held.keys() <= value.keys():
                    lines.append(f"{lead}<<: {self._rng.choice(('*', '[*'))}{name}".replace(f"[*{name}", f"[*{name}]"))
                    return {key: item for key, item in value.items() if key not in common}
        return value

    def _list(self, lines: list[str], value: list[Any], column: int, first: str = "") -> None:
        for number, item in enumerate(value):
            if number or not first:
                self._comment(lines, column)
            margin = first if first and not number else " " * column
            self._value(lines, f"{margin}-", item, column, self._rng.choice((2, 2, 2, 3)))

    def _value(self, lines: list[str], lead: str, value: Any, column: int, offset: int) -> None:
        """What stands behind a colon or a dash."""
        rng = self._rng
        known = next((name for name, held in self._anchored if held is value), None)
        if known and rng.random() < 0.9:
            lines.append(f"{lead} *{known}{self._tail()}")
            return
        anchor = self._anchor(value)
        lead += anchor
        if isinstance(value, dict | list) and value and rng.random() >= self._flows:
            self._block(lines, lead, value, column, offset, anchored=bool(anchor))
        elif isinstance(value, dict | list):
            lines.append(f"{lead} {self._flow(value, column + 1)}{self._tail()}")
        elif isinstance(value, str) and "\n" in value and rng.random() < 0.7 and not anchor:
            lines += self._literal(lead, value, column + max(1, self._step, offset))
        elif value is None and rng.random() < 0.5:
            lines.append(lead + self._tail())
        else:
            lines.append(f"{lead}{' ' * rng.choice((1, 1, 1, 3))}{self._scalar(value, 'block')}{self._tail()}")

    def _anchor(self, value: Any) -> str:
        if self._rng.random() >= self._aliases or value in ("", None) or isinstance(value, bool | int | float):
            return ""
        name = f"n{len(self._anchored)}"
        self._anchored.append((name, value))
        return f" &{name}"

    def _block(self, lines: list[str], lead: str, value: Any, column: int, offset: int, *, anchored: bool) -> None:
        write = self._map if isinstance(value, dict) else self._list
        if offset and not anchored and self._rng.random() < 0.9:
            write(lines, value, column + offset, first=lead + " " * (offset - 1))
            return
        inner = column + (offset or (self._step if isinstance(value, dict) else self._dash))
        lines.append(lead + self._tail())
        write(lines, value, inner)

    def _literal(self, lead: str, value: str, inner: int) -> list[str]:
        body = value.split("\n")
        ends = value.endswith("\n")
        mark = "|" if ends and not value.endswith("\n\n") else "|+" if ends else "|-"
        margin = " " * inner
        return [
            f"{lead} {mark}{self._tail()}",
            *(f"{margin}{line}" if line else "" for line in body[:-1] + ([] if ends else body[-1:])),
        ]

    def _flow(self, value: Any, column: int) -> str:
        rng = self._rng
        if not isinstance(value, dict | list):
            return self._scalar(value, "flow")
        parts = (
            [f"{self._key(key)}: {self._flow(item, column)}" for key, item in value.items()]
            if isinstance(value, dict)
            else [self._flow(item, column) for item in value]
        )
        left, right = "{}" if isinstance(value, dict) else "[]"
        if parts and rng.random() < 0.2:
            margin = "\n" + " " * (column + 2)
            return left + margin + f",{margin}".join(parts) + rng.choice(("", ",")) + "\n" + " " * column + right
        space = rng.choice(("", "", " "))
        return left + space + rng.choice((", ", ", ", " , ", ",  ")).join(parts) + space + right

    def _key(self, key: str) -> str:
        return self._scalar(key, "key")

    def _scalar(self, value: Any, place: str) -> str:
        rng = self._rng
        if not isinstance(value, str):
            return json.dumps(value)
        ways = ["'" + value.replace("'", "''") + "'"] if value.isprintable() else []
        ways.append(_double(value))
        if _plain(value, place):
            ways = [value] * 4 + ways
        return rng.choice(ways)


def _double(value: str) -> str:
    text = json.dumps(value, ensure_ascii=not value.isprintable())
    if any(ord(char) > 0xFFFF for char in value):  # JSON's pairs of surrogates are no YAML
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return text


def _plain(value: str, place: str) -> bool:
    if "\n" in value or not value.isprintable():
        return False
    text, wanted = {
        "block": (f"k: {value}\n", {"k": value}),
        "flow": (f"k: [{value}, {{a: {value}}}]\n", {"k": [value, {"a": value}]}),
        "key": (f"{value}: {{{value}: 1}}\n", {value: {value: 1}}),
    }[place]
    try:
        return bool(parse_chunk(text, "", 0, []) == wanted)
    except SpecError:
        return False
