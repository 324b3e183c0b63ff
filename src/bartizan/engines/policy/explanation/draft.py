"""An explanation while it is put together: parts that know which of those below them decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bartizan.base.json import to_text
from bartizan.model.outcome import Broken, Failed, Passed, Skipped
from bartizan.model.trace import Node

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bartizan.base.json import Json
    from bartizan.model.outcome import Outcome
    from bartizan.model.trace import Verdict

_LONGEST: Final = 80  # characters of a value in a sentence
_SHOWN: Final = frozenset({dict, list, str, int, float, bool, type(None)})


@dataclass(slots=True, eq=False)
class Draft:
    """A node to be; `because` are those of `children` that made it what it is."""

    kind: str
    label: str
    text: str = ""
    value: Any = msgspec.UNSET
    verdict: Verdict = "value"
    note: str = ""
    pointer: str | None = None
    at: str = ""
    begins: int = -1
    children: list[Draft] = field(default_factory=list)
    because: list[Draft] = field(default_factory=list)

    def finish(self, *, decided: bool = True) -> Node:
        """The node, and all below; of those below a part that decided, the ones it names did."""
        children = tuple(
            child.finish(decided=decided and any(child is one for one in self.because)) for child in self.children
        )
        # what an expression was asked of may be everything there is, which is no value to show
        value = self.value if self.value.__class__ in _SHOWN else msgspec.UNSET
        return Node(
            kind=self.kind,
            label=self.label,
            text=self.text,
            value=value,
            verdict=self.verdict,
            note=self.note,
            pointer=self.pointer,
            at=self.at,
            begins=self.begins,
            decided=decided,
            children=children,
        )


def verdict_of(outcome: Outcome | None) -> Verdict:
    """An outcome as the verdict of what decided it."""
    match outcome:
        case Passed():
            return "held"
        case Failed():
            return "failed"
        case Skipped() | None:
            return "skipped"
        case Broken():
            return "error"


def brief(value: Json) -> str:
    """A value in a sentence: as JSON, cut where nobody would read on; a text is without its quotes."""
    if value is msgspec.UNSET:
        return "nothing"
    text = value if isinstance(value, str) else to_text(value)
    text = " ".join(text.split())
    return f"`{text}`" if len(text) <= _LONGEST else f"`{text[:_LONGEST]}…`"


def errors_in(drafts: Iterable[Draft]) -> list[Draft]:
    """Those that could not be worked out."""
    return [draft for draft in drafts if draft.verdict == "error"]
