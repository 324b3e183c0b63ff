"""What an expression gave, and the tree of its parts, for people and for machines."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from bartizan.lang.cel import CelBudgetError
from bartizan.lang.cel.operators import sized_through
from bartizan.lang.cel.show import value_text
from bartizan.lang.cel.values import Optional, from_key
from bartizan.outputs.terminal_ink import COLOR, PLAIN
from bartizan.outputs.text import clip, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bartizan.base.json import Json, JsonObject
    from bartizan.lang.cel.trace import Step

_LEAST = 30  # columns that a value has at least
_MOST = 4000  # characters of a value in JSON


def as_json(value: Any) -> Json:
    """A value as JSON: bytes in base64, times as text, what an optional holds or null, others as they are written.

    What is too large or nests too deep for that is cut, as text.
    """
    try:
        return _as_json(sized_through(value))
    except CelBudgetError:
        return value_text(value, _MOST)


def _as_json(value: Any) -> Json:
    if value is None or isinstance(value, (bool, str, float)):
        return value
    write = next((write for kind, write in _WRITERS if isinstance(value, kind)), _opaque)
    return write(value)


def _opaque(value: Any) -> str:
    """`duration("1h")` is its text alone."""
    text = value_text(value, _MOST)
    return text.partition("(")[2][1:-2] if text.endswith('")') else text


def _key(key: Any) -> str:
    held = from_key(key)
    return held if isinstance(held, str) else value_text(held)


_WRITERS: Final[tuple[tuple[type, Callable[[Any], Json]], ...]] = (
    (dict, lambda value: {_key(key): _as_json(item) for key, item in value.items()}),
    (list, lambda value: [_as_json(item) for item in value]),
    (bytes, lambda value: base64.b64encode(value).decode()),
    (Optional, lambda value: _as_json(value.value) if value.present else None),
    (int, int),
)


def step_json(step: Step) -> JsonObject:
    """A step with all below it."""
    made: JsonObject = {"kind": step.kind, "text": step.text, "column": step.at + 1}
    if not step.reached:
        return {**made, "reached": False}
    came = {"error": step.error} if step.error else {"value": as_json(step.value)}
    made |= {**came, "cost": step.cost, "decided": step.decided}
    return {**made, "children": [step_json(child) for child in step.children]} if step.children else made


def tree_lines(step: Step, *, width: int, color: bool, costs: bool, level: int = 0) -> Iterator[str]:
    """A line for every step: what it says and what that gave. `>` marks what decided, `·` what was not asked."""
    ink = COLOR if color else PLAIN
    mark = ">" if step.decided else " " if step.reached else "·"
    room = max(width - 2 * level - 6, _LEAST)
    text = clip(one_line(step.text), room * 2 // 3 if step.reached else room)
    if not step.reached:
        yield f"{ink.dim}{mark} {'  ' * level}{text} not evaluated{ink.off}"
        return
    left = max(room - len(text), _LEAST)
    came = f"{ink.error}{step.error}{ink.off}" if step.error else clip(one_line(value_text(step.value, left)), left)
    spent = f"{ink.dim}  (cost {step.cost:,}){ink.off}" if costs else ""
    word = "!" if step.error else "="
    bold = ink.bold if step.decided else ""
    yield f"{bold}{mark} {'  ' * level}{text}{ink.off if bold else ''} {word} {came}{spent}"
    for child in step.children:
        yield from tree_lines(child, width=width, color=color, costs=costs, level=level + 1)
