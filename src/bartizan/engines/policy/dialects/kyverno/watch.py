"""A compiler of expressions that keeps everything a rule does, for `explain`.

Whoever compiles a part of a rule asks `watch_of(compiler)`, once, and where
a rule is watched wraps the part in `around`. What runs is then the rule
itself, so that an explanation cannot differ from the verdict; a rule that is
not watched is compiled as if this were not here.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kyverno.variables import Compiler, Template
    from bartizan.engines.policy.lookup import Lookup, Question
    from bartizan.lang.jmespath import Functions
    from bartizan.lang.overlay import Mismatch, Pattern

Answer = TypeVar("Answer")


class Event(msgspec.Struct, eq=False):
    """Something that ran: what kind of part, where in the policy, what came of it and what ran inside.

    `value` is what it returned, unset while it has not; `detail` is the
    part as written, or the trace that its language kept.
    """

    kind: str
    at: str = ""
    text: str = ""
    detail: Any = None
    value: Any = msgspec.UNSET
    error: str = ""
    children: list[Event] = []

    def inside(self, kind: str) -> list[Event]:
        """All of one kind within it, however deep, in order."""
        return [found for child in self.children for found in ([child] if child.kind == kind else child.inside(kind))]


class Watch:
    """Compiles expressions in their traced mode, and keeps the events of a run as a tree, in `events`."""

    def __init__(self, functions: Functions) -> None:
        self.events: list[Event] = []
        self.texts: dict[str, None] = {}
        """Expressions that were compiled, in order."""
        self.patterns: list[tuple[str, Json]] = []
        """Patterns that were compiled, each with where it stands."""
        self._functions = functions
        self._open: list[Event] = []

    def begin(self) -> None:
        """Forget what was kept, for another run."""
        self.events, self._open = [], []

    def __call__(self, text: str) -> Callable[[Any], Json]:
        """Compile an expression, as every `Compiler` does."""
        from bartizan.lang.jmespath.trace import Recorder, trace_expression

        traced = trace_expression(text, self._functions)
        self.texts[text] = None

        def evaluate(value: Json) -> Json:
            recorder = Recorder()
            with self.happening(Event("expression", text=text, detail=recorder)) as event:
                event.value = traced(value, recorder)
            return event.value

        return evaluate

    @contextmanager
    def happening(self, event: Event) -> Iterator[Event]:
        """Keep what happens meanwhile inside `event`."""
        self._begin(event)
        try:
            yield event
        except Exception as error:  # whatever ends a part is noted and goes on its way
            event.error = str(error)
            raise
        finally:
            self._end(event)

    def around(
        self, kind: str, at: str, part: Callable[..., Answer], *, text: str = "", detail: Any = None
    ) -> Callable[..., Answer]:
        """The part, keeping an event of every call."""

        def watched(*arguments: Any) -> Answer:
            with self.happening(Event(kind, at, text or _element_of(arguments), detail)) as event:
                event.value = answer = part(*arguments)
            return answer

        return watched

    def template(self, kind: str, template: Template, at: str = "") -> Template:
        """The template, keeping what it is filled in with."""
        render = template.render
        return template if render is None else template._replace(render=self.around(kind, at, render))

    def pattern(self, document: Json, at: str, source: str) -> Pattern:
        """A pattern in its traced mode."""
        from bartizan.lang.overlay import Pattern
        from bartizan.lang.overlay.trace import trace_pattern

        traced = trace_pattern(document)
        self.patterns.append((at, document))

        def check(value: Json) -> Mismatch | None:
            with self.happening(Event("pattern", at)) as event:
                event.value, event.detail = traced.check(value)
            mismatch: Mismatch | None = event.value
            return mismatch

        return Pattern(check, source)

    def elements(self, at: str, read: Callable[..., list[Json]]) -> Callable[..., list[Json]]:
        """A reader of a loop's list, whose elements keep what happens while the loop is at them."""

        def watched(*arguments: Any) -> list[Json]:
            with self.happening(Event("list", at)) as event:
                event.value = elements = read(*arguments)
            return _Elements(elements, self, at)

        return watched

    def visit(self, elements: list[Json], at: str) -> Iterator[Json]:
        """Go through elements; a loop that stops early has ended the last one."""
        for index, element in enumerate(elements):
            event = Event("element", at, str(index), value=element)
            self._begin(event)
            try:
                yield element
            finally:
                self._end(event)

    def lookup(self, world: Lookup) -> Lookup:
        """The world, keeping what it is asked and what it says."""
        return _WatchedLookup(self, world)

    def _begin(self, event: Event) -> None:
        (self._open[-1].children if self._open else self.events).append(event)
        self._open.append(event)

    def _end(self, event: Event) -> None:
        # what is still open inside ended without saying so, as loops do that stop early
        for place, item in enumerate(self._open):
            if item is event:
                del self._open[place:]
                return


class _Elements(list[Any]):
    """The elements of a loop, watched while they are gone through."""

    def __init__(self, elements: list[Json], watch: Watch, at: str) -> None:
        super().__init__(elements)
        self._watch, self._at = watch, at

    def __iter__(self) -> Iterator[Json]:
        return self._watch.visit(list(super().__iter__()), self._at)


class _WatchedLookup:
    """Answers as the world does, and keeps it."""

    def __init__(self, watch: Watch, world: Lookup) -> None:
        self.watch, self.world = watch, world

    def answer(self, question: Question) -> Json:
        """The world's answer."""
        from bartizan.engines.policy.lookup import describe

        with self.watch.happening(Event("question", text=describe(question))) as event:
            event.value = self.world.answer(question)
        return event.value


def _element_of(arguments: tuple[Any, ...]) -> str:
    """Which element of a loop a part is asked about, as far as its scope knows."""
    for argument in arguments:
        if isinstance(argument, dict) and "elementIndex" in argument:
            return f"element[{argument['elementIndex']}]"
    return ""


def watched_loop(
    compiler: Compiler, at: str, read: Callable[..., list[Json]], judge: Callable[..., Answer]
) -> tuple[Callable[..., list[Json]], Callable[..., Answer]]:
    """A loop's list and what judges an element, kept where the loop is watched."""
    watch = watch_of(compiler)
    return (read, judge) if watch is None else (watch.elements(at, read), watch.around("judge", at, judge))


def watched_patch(compiler: Compiler, at: str, template: Template) -> Template:
    """A patch, kept as it is filled in where its rule is watched."""
    watch = watch_of(compiler)
    return template if watch is None else watch.template("patch", template, at)


def watch_of(compiler: Compiler) -> Watch | None:
    """The watch, where expressions are compiled by one."""
    return compiler if isinstance(compiler, Watch) else None


def by_place(events: Iterable[Event], kind: str) -> dict[str, Event]:
    """Events of one kind by where in the policy their part stands; of several the first, which the others repeat."""
    found: dict[str, Event] = {}
    for event in events:
        if event.kind == kind:
            found.setdefault(event.at, event)
    return found
