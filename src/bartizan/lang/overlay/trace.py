"""Patterns in their traced mode: for every key and element, what was met there and whether it held.

The same stages and the same emitter as the fast mode, which writes a note
of each step into the source. LAW: both modes give the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

import msgspec

from bartizan.base.pointer import escape
from bartizan.lang.overlay.compile import descent, load_source, outer_path, placing
from bartizan.lang.overlay.emit import Spot, emit_traced
from bartizan.lang.overlay.nodes import Anchor, Node
from bartizan.lang.overlay.parse import parse
from bartizan.lang.overlay.scalar import holds_alone, operands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bartizan.base.json import Json
    from bartizan.lang.overlay.mismatch import Mismatch

MAX_RECORDS: Final = 20_000
"""Records kept of one check; a pattern over a long list would fill the memory with what nobody reads."""

Verdict: TypeAlias = Literal["held", "failed", "skipped", "unreached"]


@dataclass(slots=True)
class Record:
    """What a key, an element or the whole of a pattern met, at `pointer` in the value.

    `present` is whether the key was there; `reason` why it was skipped.
    """

    label: str
    anchor: Anchor
    wanted: Json
    pointer: str
    value: Json = None
    present: bool = True
    verdict: Verdict | None = None
    reason: str = ""
    spot: int = -1
    children: list[Record] = field(default_factory=list)
    is_kept: bool = True


class Traced(NamedTuple):
    """A check's answer, as the fast mode gives it, with what led to it."""

    mismatch: Mismatch | None
    record: Record


@dataclass(frozen=True, slots=True)
class TracedPattern:
    """A pattern whose `check` says what it did."""

    path: tuple[str, ...]
    inner: Callable[[Json, _Recorder], Mismatch | None]
    spots: tuple[Spot, ...]
    pattern: Json

    def check(self, value: Json) -> Traced:
        """Judge a value, and keep what every part of the pattern met."""
        recorder = _Recorder(self.spots)

        def noted(inner: Json) -> Mismatch | None:
            return self.inner(inner, recorder)

        mismatch = (descent(self.path)(noted) if self.path else noted)(value)
        return Traced(mismatch, _below(self.path, self.pattern, value, recorder.finish()))


def trace_pattern(pattern: Json) -> TracedPattern:
    """Compile a pattern to one that says what it did.

    Raises:
        SpecError: the pattern is malformed; its `pointer` says where.
    """
    path, inner = outer_path(pattern)
    with placing(path):
        check, spots = _compile(msgspec.json.encode(inner))
    return TracedPattern(path, check, spots, pattern)


class Choice(NamedTuple):
    """One operand of a leaf, and whether it matches; `parts` are what must hold together in it, where several must."""

    text: str
    holds: bool
    parts: tuple[Choice, ...] = ()


def choices(pattern: Json, value: Json) -> list[Choice]:
    """The alternatives of a leaf against one value; none where it is a single operand."""
    if not isinstance(pattern, str) or not {"|", "&"} & set(pattern) or isinstance(value, list):
        return []
    found = []
    for parts in operands(pattern):
        each = tuple(Choice(part, holds_alone(part, value)) for part in parts)
        found.append(Choice(" & ".join(parts), all(part.holds for part in each), each if len(each) > 1 else ()))
    return found


@lru_cache(maxsize=512)
def _compile(encoded: bytes) -> tuple[Callable[[Json, _Recorder], Mismatch | None], tuple[Spot, ...]]:
    """Compile a pattern given as JSON, once for all who have the same."""
    source, constants, spots = emit_traced(parse(msgspec.json.decode(encoded)))
    return load_source(source, constants, "traced pattern"), tuple(spots)


class _Recorder:
    """What generated code tells: which spot it has come to with what, and how it left it."""

    __slots__ = ("_at", "_kept", "_latest", "_spots")

    def __init__(self, spots: tuple[Spot, ...]) -> None:
        self._spots = spots
        self._latest: list[Record | None] = [None] * len(spots)
        self._at: dict[int, tuple[Record | None, int]] = {}
        self._kept = 0

    def whole(self, number: int, value: Json) -> None:
        """The pattern begins."""
        self._open(number, "", value, present=True)

    def key(self, number: int, container: dict[str, Any], key: Any) -> None:
        """A key of a map is looked at; `key` may be none where no label matches a wildcard."""
        present = key in container
        step = f"/{escape(str(key))}" if present else self._spots[number].step
        self._open(number, step, container.get(key), present=present)

    def element(self, number: int, value: Json, position: int = -1) -> None:
        """The next element of a list is looked at, or the one at a position."""
        parent = self._latest[self._spots[number].parent]
        index = position
        if position < 0:
            within, last = self._at.get(number, (None, -1))
            index = last + 1 if within is parent else 0
            self._at[number] = parent, index
        self._open(number, f"/{index}", value, present=True)

    def held(self, number: int) -> None:
        """A spot was left and nothing was wrong with it."""
        self._leave(number, "held", "")

    def failed(self, number: int) -> None:
        """What a spot met is not what it wants."""
        self._leave(number, "failed", "")

    def skipped(self, number: int, reason: str) -> None:
        """The pattern is not about what a spot met."""
        self._leave(number, "skipped", reason)

    def weighed(self, number: int, found: Mismatch | None) -> None:
        """A part has given its answer."""
        if found is None:
            self.held(number)
        elif found.skip:
            self.skipped(number, found.message)
        else:
            self.failed(number)

    def finish(self) -> Record | None:
        """The records as a tree, with those that were never come to; `None` where nothing was."""
        whole = self._latest[0]
        if whole is not None:
            self._complete(whole)
        return whole

    def _open(self, number: int, step: str, value: Json, *, present: bool) -> None:
        spot = self._spots[number]
        parent = self._latest[spot.parent] if spot.parent >= 0 else None
        at = (parent.pointer if parent else "") + step
        record = Record(spot.label, spot.anchor, _wanted(spot.node), at, value, present, spot=number)
        self._latest[number] = record
        self._kept += 1
        record.is_kept = self._kept <= MAX_RECORDS
        if parent is not None and record.is_kept:
            parent.children.append(record)

    def _leave(self, number: int, verdict: Verdict, reason: str) -> None:
        record = self._latest[number]
        if record is not None and record.verdict is None:
            record.verdict, record.reason = verdict, reason
            if verdict != "held" and not record.is_kept:
                self._keep(record)

    def _keep(self, record: Record) -> None:
        """What may have decided is kept however many records there are, with what is around it."""
        while not record.is_kept:
            parent = self._latest[self._spots[record.spot].parent]
            if parent is None:
                return
            parent.children.append(record)
            record.is_kept, record = True, parent

    def _complete(self, record: Record) -> None:
        """Say how records ended that were left by way of one below, and add what was not come to."""
        for child in record.children:
            self._complete(child)
        if record.verdict is None:
            last = record.children[-1].verdict if record.children else "held"
            record.verdict = last if last != "unreached" else "held"
        if isinstance(record.value, dict) and record.verdict != "held":
            reached = {child.spot for child in record.children}
            record.children += [
                Record(
                    spot.label, spot.anchor, _wanted(spot.node), record.pointer + spot.step, None, False, "unreached"
                )
                for spot in self._spots
                if spot.parent == record.spot and spot.label and spot.number not in reached
            ]


def _wanted(node: Node) -> Json:
    return node.pattern


def _below(path: tuple[str, ...], pattern: Json, value: Json, inner: Record | None) -> Record:
    """The record of the whole: the plain keys around what was compiled, then what that met."""
    if not path:
        assert inner is not None, "a pattern without a path is always come to"  # noqa: S101 (an invariant of `_outer_path`)
        return inner
    whole = Record("", Anchor.NONE, pattern, "", value)
    record = whole
    for number, step in enumerate(path):
        if not isinstance(record.value, dict):
            record.verdict = "failed"
            break
        at = f"{record.pointer}/{escape(step)}"
        child = Record(step, Anchor.NONE, record.wanted[step], at, record.value.get(step), present=step in record.value)
        record.children.append(child)
        record = child
        if number == len(path) - 1 and inner is not None:
            child.children, child.verdict, child.reason = inner.children, inner.verdict, inner.reason
            _move(child.children, at)
    _same_verdict(whole, record.verdict)
    return whole


def _same_verdict(record: Record, verdict: Verdict | None) -> None:
    """What decided further in is what became of the keys around it."""
    record.verdict = record.verdict or verdict
    for child in record.children if len(record.children) == 1 and record.children[0].verdict is None else ():
        _same_verdict(child, verdict)


def _move(records: Iterable[Record], at: str) -> None:
    """Put records below a pointer."""
    for record in records:
        record.pointer = at + record.pointer
        _move(record.children, at)
