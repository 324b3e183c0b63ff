"""Expressions that are watched while they run: each in its traced mode, and what ran inside it below it.

What runs is the policy itself, with walks in place of its functions, so that
an explanation cannot differ from the verdict.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from bartizan.lang.cel import CelBudgetError
from bartizan.lang.cel.trace import trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from bartizan.base.errors import SpecError
    from bartizan.engines.policy.cel.listening import Written
    from bartizan.lang.cel import Expression
    from bartizan.lang.cel.trace import Step

_ROOTS: Final = ("object", "oldObject", "params")
_MOST_WORK: Final = 200_000  # cost of what is shown of one expression: a fraction of a second, and pages to read


@dataclass(slots=True, eq=False)
class Event:
    """One run of an expression: where it stands, what every part of it gave, and the variables it asked for first.

    `roots` are the names whose values are parts of what is judged. Without a
    step it ended in something that no expression can: the world failed.
    """

    at: str
    owner: str
    text: str
    roots: Mapping[str, Any]
    step: Step | None = None
    error: str = ""
    children: list[Event] = field(default_factory=list)

    @property
    def value(self) -> Any:
        """What came of it; `None` as well where nothing did."""
        return None if self.step is None else self.step.value


class CelWatch:
    """Keeps what expressions do, in `events`, and which there are, in `expressions`."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.expressions: list[tuple[Written, Expression]] = []
        self._open = self.events

    def begin(self) -> None:
        """Forget what was kept, for another run."""
        self.events = self._open = []

    def compiled(self, expression: Expression, written: Written) -> Expression:
        """The same expression, watched."""
        self.expressions.append((written, expression))
        run = self._watched(expression, written)

        def heard(names: Mapping[str, Any]) -> None:
            event = self._event(expression, written, names)
            self._open.append(event)
            above, self._open = self._open, event.children
            try:
                traced = trace(expression, names, _MOST_WORK)
            finally:
                self._open = above
            event.step, event.error = traced.step, str(traced.error or "")

        return replace(expression, run=run, heard=heard)

    def refused(self, _written: Written, error: SpecError) -> Expression:
        """Nothing is explained of what does not compile."""
        raise error

    @staticmethod
    def _event(expression: Expression, written: Written, names: Mapping[str, Any]) -> Event:
        roots = {name: names[name] for name in _ROOTS if name in names}
        return Event(written.at, written.owner, expression.text, roots)

    def _watched(self, expression: Expression, written: Written) -> Callable[..., Any]:
        def run(names: Mapping[str, Any], budget: list[int] | None = None) -> Any:
            event = self._event(expression, written, names)
            above = self._open
            above.append(event)
            self._open = event.children
            try:
                traced = trace(expression, names, _MOST_WORK)
                event.step, event.error = traced.step, str(traced.error or "")
                # what is left of a budget, only the function that counts can tell; and a walk ends where that may go on
                if budget is not None or isinstance(traced.error, CelBudgetError):
                    self._open = []
                    return expression(names, budget)
            except Exception as error:  # whatever ends it is noted, and goes on its way
                event.error = str(error)
                raise
            finally:
                self._open = above
            if traced.error is not None:
                raise traced.error
            return traced.value

        return run


def every(events: Iterable[Event]) -> Iterator[Event]:
    """Events and all inside them: what was asked for first comes before what asked."""
    for event in events:
        yield from every(event.children)
        yield event
