"""What a window of history adds up to: counts and durations that can be added to those of the next window.

Everything a figure is made of is either a sum over instants in the window,
each of which is in one window only, or the state at its end. So a quarter
is the sum of its weeks, exactly, and pages of trends need no second reading.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from bartizan.findings.delivery.changes import Change, changes_of
from bartizan.findings.delivery.replicas import Stretch, replica_time, stretches_of
from bartizan.findings.delivery.security import Grant, Known, Life, coverage_at, grants_of, lives_of, waiver_ages
from bartizan.findings.delivery.spans import MICROSECOND, Mark, Sight, overlap, spans
from bartizan.model.delivery import (
    Coverage,
    FindingCaught,
    RolloutBegan,
    SightLost,
    SightRegained,
    Window,
    cluster_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bartizan.model.delivery import Event, Subject
    from bartizan.model.severity import Severity


class History(NamedTuple):
    """Events read once, to be summed over many windows. It tells what happened before `now`."""

    now: datetime
    sights: Mapping[str, Sight]
    changes: list[Change]
    stretches: list[Stretch]
    lives: list[Life]
    grants: list[Grant]
    coverages: list[Coverage]
    caught: list[FindingCaught]


@dataclass(slots=True)
class Standing:
    """The state at the end of a window: what is open, what is waived, what is covered."""

    at: datetime
    open_ages: dict[Severity, list[timedelta]] = field(default_factory=dict)
    waiver_ages: list[timedelta] = field(default_factory=list)
    expired_waivers: int = 0
    coverage: dict[Subject, Known] = field(default_factory=dict)


@dataclass(slots=True)
class Sums:
    """The sums of one window. `counts` and `times` have the names that `figures` reads; times are sorted."""

    window: Window
    standing: Standing
    counts: Counter[str] = field(default_factory=Counter)
    times: dict[str, list[timedelta]] = field(default_factory=dict)
    days: Counter[date] = field(default_factory=Counter)

    def add(self, name: str, time: timedelta) -> None:
        """Take one more duration."""
        self.times.setdefault(name, []).append(time)


def read_history(events: Iterable[Event], now: datetime) -> History:
    """Read what happened before `now`. Neither the order of events nor telling one twice makes a difference.

    Give the events from before the windows too: what was so when a window
    began is known from them alone.
    """
    told = sorted({event for event in events if event.at < now}, key=lambda event: (event.at, type(event).__name__))
    sights = _sights(told)
    return History(
        now,
        sights,
        changes_of(told, sights, now),
        stretches_of(told, sights, now),
        lives_of(told),
        grants_of(told),
        [event for event in told if isinstance(event, Coverage)],
        [event for event in told if isinstance(event, FindingCaught)],
    )


def _sights(events: list[Event]) -> dict[str, Sight]:
    first: dict[str, datetime] = {}
    marks: dict[str, list[Mark]] = {}
    for event in events:
        if cluster := cluster_of(event):
            first.setdefault(cluster, event.at)
        if isinstance(event, SightLost | SightRegained):
            marks.setdefault(cluster, []).append(Mark(event.at, isinstance(event, SightLost)))
    return {cluster: Sight(first[cluster], spans(marks.get(cluster, []))) for cluster in sorted(first)}


def sum_up(history: History, window: Window) -> Sums:
    """Sum a history up over a window."""
    end = min(window.end, history.now)
    sums = Sums(window, _standing(history, end))
    for sight in history.sights.values():
        sums.counts["sight.seen"] += sight.seen(window, history.now) // MICROSECOND
        sums.counts["sight.all"] += overlap(window.begin, window.end, window, history.now) // MICROSECOND
    for change in history.changes:
        _add_change(sums, change)
    for name, count in replica_time(history.stretches, window, history.now)._asdict().items():
        sums.counts[f"replicas.{name}"] += count
    for life in history.lives:
        _add_life(sums, life)
    sums.counts["findings.caught"] += sum(event.at in window for event in history.caught)
    for times in sums.times.values():
        times.sort()
    return sums


def _add_change(sums: Sums, change: Change) -> None:
    counts, window = sums.counts, sums.window
    if change.began.at in window:
        counts[f"changes.{change.verdict}"] += 1
        for signal in {fired.signal for fired in change.fired}:
            counts[f"signal.{signal}"] += 1
    if change.healthy and change.healthy.at in window:
        sums.days[change.healthy.at.astimezone(UTC).date()] += 1
        exact = change.began.exact and change.healthy.exact
        _add_lead(sums, change.began, change.healthy.at, exact=exact)
    if change.fired and change.fired[0].at in window:
        if change.recovered is None:
            counts["recover.open"] += 1
            return
        sums.add("recover", change.recovered - change.fired[0].at)
        counts["recover.exact"] += change.recovered_exact


def _add_lead(sums: Sums, began: RolloutBegan, healthy_at: datetime, *, exact: bool) -> None:
    """The lead of a deployment, from its commit; else from its image. A source that is younger than both is wrong."""
    for name, made_at in (("lead", began.commit_at), ("artifact", began.image_at)):
        if made_at is not None and made_at <= began.at:
            sums.add(name, healthy_at - made_at)
            sums.counts[f"{name}.exact"] += exact
            return
        sums.counts[f"{name}.implausible"] += made_at is not None


def _add_life(sums: Sums, life: Life) -> None:
    span = life.span
    if life.first and span.begin in sums.window:
        sums.counts[f"gate.{life.gate}"] += 1
    if span.begin in sums.window and not life.first:
        sums.counts["findings.reopened"] += 1
    if span.end is None or span.end not in sums.window:
        return
    if not span.good:
        sums.counts["findings.dropped"] += 1
        return
    sums.add(f"mend.{life.severity.label}", span.end - span.begin)
    sums.counts["mend.exact"] += span.exact


def _standing(history: History, at: datetime) -> Standing:
    ages, expired = waiver_ages(history.grants, at)
    standing = Standing(at, {}, ages, expired, coverage_at(history.coverages, history.sights, at))
    for life in history.lives:
        if life.span.begin < at and (life.span.end is None or life.span.end >= at):
            standing.open_ages.setdefault(life.severity, []).append(at - life.span.begin)
    for open_ages in standing.open_ages.values():
        open_ages.sort()
    return standing


def joined(earlier: Sums, later: Sums) -> Sums:
    """The sums of two windows as those of one; `later` begins where `earlier` ends.

    Raises:
        ValueError: it does not.
    """
    if earlier.window.end != later.window.begin:
        raise ValueError("windows that are joined must follow each other")
    names = earlier.times.keys() | later.times.keys()
    return Sums(
        Window(earlier.window.begin, later.window.end),
        later.standing,
        earlier.counts + later.counts,
        {name: sorted(earlier.times.get(name, []) + later.times.get(name, [])) for name in names},
        earlier.days + later.days,
    )
