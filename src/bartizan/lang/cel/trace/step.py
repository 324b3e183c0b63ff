"""What a walk leaves: for each part of an expression what it gave and what it cost, and which of them decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_Part: TypeAlias = Literal["name", "field", "call", "and", "or", "choice", "list", "map", "object", "bind", "constant"]
Kind: TypeAlias = _Part | Literal["all", "exists", "loop", "turn"]
MAX_STEPS: Final = 20_000
"""Steps kept of one walk; a loop over a long list would fill the memory with what nobody reads."""


@dataclass(slots=True)
class Step:
    """One evaluation of a part: its text, where that begins, and what came of it.

    With an `error` it has no value, and neither has one that was not
    `reached`. A turn of a loop has the member it was about as its value.
    `cost` is its own and that of what is below it. `decided` marks the way
    from the whole to what decided.
    """

    kind: Kind
    text: str
    at: int
    value: Any = None
    error: str = ""
    cost: int = 0
    reached: bool = True
    decided: bool = False
    children: list[Step] = field(default_factory=list)


def mark_decided(step: Step) -> None:
    """Mark the way to what decided: the term that was false, the branch that was taken, the turn that ended a loop."""
    step.decided = True
    for child in _deciding(step):
        mark_decided(child)


def _deciding(step: Step) -> Iterable[Step]:
    reached = [child for child in step.children if child.reached]
    if step.error:
        # the first error is the whole's, unless a function made one of its own
        return [child for child in reached if child.error == step.error][:1]
    return _CHOSEN.get(step.kind, _none)(step, reached)


def _none(_step: Step, _reached: list[Step]) -> list[Step]:
    return []


def _all(_step: Step, reached: list[Step]) -> list[Step]:
    return reached


def _last(_step: Step, reached: list[Step]) -> list[Step]:
    return reached[-1:]


def _terms(step: Step, reached: list[Step]) -> list[Step]:
    decisive = step.kind == "or"
    if step.value is not decisive:
        return reached
    return [child for child in reached if child.value is decisive and not child.error][:1]


def _operand(step: Step, reached: list[Step]) -> list[Step]:
    return reached if step.text.startswith("!") else []


def _turns(step: Step, reached: list[Step]) -> list[Step]:
    """A loop that ended early did so in its last turn; else every turn has its share and none is pointed out."""
    return reached[-1:] if step.value is (step.kind == "exists") else []


_CHOSEN: Final[dict[str, Callable[[Step, list[Step]], list[Step]]]] = {
    "and": _terms,
    "or": _terms,
    "choice": _all,
    "call": _operand,
    "all": _turns,
    "exists": _turns,
    "turn": _last,
    "bind": _last,
}
