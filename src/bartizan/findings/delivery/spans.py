"""Things that begin and end: incidents, findings, waivers, and the gaps in our own sight.

What begins twice has begun once, and what ends without a beginning is
nothing. Where a beginning and an end fall into one instant, what was there
before stays and what was not is there for no time: so that the order of
events within an instant never matters, and an end is never better news than
it is.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bartizan.model.delivery import Window

MICROSECOND = timedelta(microseconds=1)


class Mark(NamedTuple):
    """A beginning or an end. `exact` is that of its event; `good` is false for an end that mended nothing."""

    at: datetime
    opens: bool
    exact: bool = True
    good: bool = True


class Span(NamedTuple):
    """From a beginning to an end; without `end` it goes on."""

    begin: datetime
    end: datetime | None
    exact: bool = True
    good: bool = True


def spans(marks: Iterable[Mark]) -> list[Span]:
    """Pair beginnings with ends, in the order of time."""
    found: list[Span] = []
    current: Span | None = None
    for at, group in groupby(sorted(marks), key=attrgetter("at")):
        marked = list(group)
        opening = [mark for mark in marked if mark.opens]
        closing = [mark for mark in marked if not mark.opens]
        if current and closing and not opening:
            found.append(_closed(current, at, closing))
            current = None
        elif not current and opening:
            current = Span(at, None, all(mark.exact for mark in opening))
            if closing:
                found.append(_closed(current, at, closing))
                current = None
    return [*found, current] if current else found


def _closed(span: Span, at: datetime, closing: list[Mark]) -> Span:
    exact = span.exact and all(mark.exact for mark in closing)
    return Span(span.begin, at, exact, all(mark.good for mark in closing))


class Sight:
    """When we saw a cluster: from `first` on, but for the gaps. A snapshot, made once and asked often."""

    def __init__(self, first: datetime, gaps: list[Span]) -> None:
        self.first = first
        self.gaps = gaps
        self._begins = [gap.begin for gap in gaps]

    def is_blind(self, at: datetime) -> bool:
        """Whether an instant is in a gap; that of regaining sight is in none."""
        last = bisect_right(self._begins, at) - 1
        return last >= 0 and _reaches_beyond(self.gaps[last], at)

    def holds_until(self, at: datetime, until: datetime) -> datetime:
        """How long what was seen at an instant is known to hold: until sight was lost, however shortly, or `until`."""
        if self.is_blind(at):
            return at
        after = bisect_right(self._begins, at)
        # a gap of no length at this very instant ends before what was seen in it
        return min(until, self._begins[after]) if after < len(self._begins) else until

    def seen(self, window: Window, now: datetime) -> timedelta:
        """How much of a window, up to now, we saw."""
        whole = overlap(self.first, now, window, now)
        return whole - sum(
            (overlap(max(gap.begin, self.first), gap.end or now, window, now) for gap in self.gaps), timedelta()
        )


def _reaches_beyond(gap: Span, at: datetime) -> bool:
    return gap.end is None or gap.end > at


def overlap(begin: datetime, end: datetime, window: Window, now: datetime) -> timedelta:
    """How much of a stretch lies in a window, up to now."""
    return max(timedelta(), min(end, window.end, now) - max(begin, window.begin))


def by_key(items: Iterable[tuple[str, Mark]]) -> Iterator[tuple[str, list[Span]]]:
    """The spans of each of many things, in the order of their names."""
    marks: dict[str, list[Mark]] = {}
    for key, mark in items:
        marks.setdefault(key, []).append(mark)
    for key in sorted(marks):
        yield key, spans(marks[key])
