"""Objects as a user keeps them: YAML or JSON documents, and the difference between two states of one."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, NamedTuple

from bartizan.outputs.terminal_ink import COLOR, PLAIN
from bartizan.outputs.text import printable, to_json
from bartizan.outputs.yaml import lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    Object = dict[str, Any]

_FIRST = ("apiVersion", "kind", "metadata")


class State(NamedTuple):
    """One object before and after; without `before` it is new, without `after` it goes."""

    name: str
    before: Object | None
    after: Object | None


def as_yaml(body: Object) -> str:
    """One YAML document, what every object has first."""
    ordered = {key: body[key] for key in _FIRST if key in body}
    return "\n".join(lines({**ordered, **body})) + "\n"


def as_json(body: Object) -> str:
    """One line of JSON."""
    return to_json(body) + "\n"


def as_difference(state: State, *, color: bool) -> str:
    """A unified difference of an object's YAML; empty where nothing differs."""
    before = as_yaml(state.before).splitlines() if state.before is not None else []
    after = as_yaml(state.after).splitlines() if state.after is not None else []
    return "".join(f"{line}\n" for line in _difference(before, after, state.name, color=color))


def _difference(before: list[str], after: list[str], name: str, *, color: bool) -> Iterator[str]:
    ink = COLOR if color else PLAIN
    names = (f"{name}", f"{name}")
    for line in difflib.unified_diff(before, after, *names, lineterm=""):
        shown = printable(line)
        if line.startswith(("---", "+++")):
            yield f"{ink.bold}{shown}{ink.off}"
        elif line.startswith("@@"):
            yield f"{ink.place}{shown}{ink.off}"
        elif line.startswith("-"):
            yield f"{ink.error}{shown}{ink.off}"
        elif line.startswith("+"):
            yield f"{ink.good}{shown}{ink.off}"
        else:
            yield shown
