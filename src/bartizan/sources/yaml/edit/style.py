"""How a document is written: what new lines must look like to be at home in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bartizan.sources.yaml.edit.nodes import Node


@dataclass(frozen=True, slots=True)
class Style:
    """`step` is how far a map stands inside its key, `dash` how far a list's dash does.

    `json` allows no other YAML. `careful` is for a second try: no text as a
    block, and no blank lines kept where something was.
    """

    newline: str = "\n"
    step: int = 2
    dash: int = 0
    quote: Literal["'", '"'] = '"'
    json: bool = False
    careful: bool = False


def column(text: str, at: int) -> int:
    """How many characters stand before `at` in its line."""
    return at - line_start(text, at)


def line_start(text: str, at: int) -> int:
    """Where the line of `at` begins."""
    return text.rfind("\n", 0, at) + 1


def line_end(text: str, at: int) -> int:
    """Where the line of `at` ends, before its line break."""
    end = text.find("\n", at)
    if end < 0:
        return len(text)
    return end - 1 if end > at and text[end - 1] == "\r" else end


def next_line(text: str, at: int) -> int:
    """Where the line after that of `at` begins; the end of the text where there is none."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def detect(text: str, root: Node, *, json: bool) -> Style:
    """What a document does most often; what people do most often where it says nothing."""
    steps: Counter[int] = Counter()
    dashes: Counter[int] = Counter()
    quotes: Counter[str] = Counter()
    _count(text, root, steps, dashes, quotes)
    newline = "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
    if json:
        return Style(newline, _json_step(text, root), json=True)
    step = _most(steps, 2)
    return Style(newline, step, _most(dashes, 0), "'" if quotes["'"] > quotes['"'] else '"')


def _most(counter: Counter[int], default: int) -> int:
    return counter.most_common(1)[0][0] if counter else default


def _count(text: str, node: Node, steps: Counter[int], dashes: Counter[int], quotes: Counter[str]) -> None:
    if node.style in ("'", '"'):
        quotes[node.style] += 1
    for entry in node.entries:
        value = entry.value
        if not node.flow and not value.flow and (value.entries or value.items):
            below = column(text, value.entries[0].name.start if value.entries else value.body)
            counter = steps if value.entries else dashes
            counter[below - column(text, entry.name.start)] += 1
        _count(text, entry.name, steps, dashes, quotes)
        _count(text, value, steps, dashes, quotes)
    for item in node.items:
        _count(text, item, steps, dashes, quotes)


def _json_step(text: str, root: Node) -> int:
    """How far the first member stands inside; 0 where all is on one line."""
    first = root.entries[0].name.start if root.entries else root.items[0].start if root.items else root.start
    between = text[root.body + 1 : first]
    return max(1, column(text, first) - column(text, root.body)) if "\n" in between else 0
