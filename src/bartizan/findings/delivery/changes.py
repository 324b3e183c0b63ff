"""Roll-outs as changes: when each became healthy, what said that it failed, and when the workload was well again.

A change is a pod template that the workload has not had before. It is
failed where a signal says so while it is not healthy yet or within
`WATCH` after it became so; sound where we watched all that time (or until
the next change replaced it) and none did; else undecided. Silence decides
nothing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from bartizan.findings.delivery.spans import Mark, by_key
from bartizan.model.delivery import (
    IncidentClosed,
    IncidentOpened,
    RolledBack,
    RolloutBegan,
    RolloutFailed,
    RolloutSucceeded,
    Workload,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bartizan.findings.delivery.spans import Sight, Span
    from bartizan.model.delivery import Event, Signal

WATCH: Final = timedelta(hours=24)
"""For how long after it became healthy a change answers for what goes wrong."""

_Opening: TypeAlias = RolloutBegan | RolledBack
_Outcome: TypeAlias = RolloutSucceeded | RolloutFailed


class Fired(NamedTuple):
    """A signal that fired. `over` is when an incident was closed; other signals end with a healthy roll-out."""

    at: datetime
    signal: Signal
    exact: bool
    over: datetime | None = None


@dataclass(slots=True)
class Change:
    """One change and all that came of it. `healthy` is when it was so first."""

    began: RolloutBegan
    healthy: RolloutSucceeded | None = None
    replaced_at: datetime | None = None
    fired: list[Fired] = field(default_factory=list)
    recovered: datetime | None = None
    recovered_exact: bool = True
    verdict: Literal["failed", "sound", "undecided"] = "undecided"


@dataclass(slots=True)
class _Active:
    """One template's time on a workload; `change` is `None` for one that was set again."""

    begin: datetime
    end: datetime | None
    revision: str
    change: Change | None


def changes_of(events: Iterable[Event], sights: Mapping[str, Sight], now: datetime) -> list[Change]:
    """All changes of a history, in the order of their beginnings."""
    openings: dict[Workload, list[_Opening]] = {}
    outcomes: dict[Workload, list[_Outcome]] = {}
    incidents: list[IncidentOpened | IncidentClosed] = []
    for event in events:
        match event:
            case RolloutBegan() | RolledBack():
                openings.setdefault(event.workload, []).append(event)
            case RolloutSucceeded() | RolloutFailed():
                outcomes.setdefault(event.workload, []).append(event)
            case IncidentOpened() | IncidentClosed():
                incidents.append(event)
            case _:
                pass
    linked = _incidents(incidents)
    changes: list[Change] = []
    for workload, opened in openings.items():
        found = _of_workload(opened, outcomes.get(workload, []), linked.get(workload, []))
        for change in found:
            change.verdict = _verdict(change, sights[workload.cluster], now)
        changes += found
    return sorted(changes, key=lambda change: (change.began.at, change.began.workload, change.began.revision))


def _incidents(events: list[IncidentOpened | IncidentClosed]) -> dict[Workload, list[Span]]:
    marks = ((event.id, Mark(event.at, isinstance(event, IncidentOpened))) for event in events)
    about: dict[str, set[Workload]] = {}
    for event in events:
        if isinstance(event, IncidentOpened) and event.workload:
            about.setdefault(event.id, set()).add(event.workload)
    found: dict[Workload, list[Span]] = {}
    for key, spans in by_key(marks):
        for workload in about.get(key, ()):
            found.setdefault(workload, []).extend(spans)
    return found


def _of_workload(openings: list[_Opening], outcomes: list[_Outcome], incidents: list[Span]) -> list[Change]:
    actives = _actives(openings)
    begins = [active.begin for active in actives]
    well = sorted((event for event in outcomes if isinstance(event, RolloutSucceeded)), key=_instant)
    for success in well:
        active = _meant(actives, begins, success)
        if active and active.change and not active.change.healthy:
            active.change.healthy = success
    for event in sorted(outcomes, key=_instant):
        if isinstance(event, RolloutFailed) and (active := _meant(actives, begins, event)):
            _fire(active, Fired(event.at, event.signal, event.exact))
    for opening in openings:
        if isinstance(opening, RolledBack) and (active := _left(actives, begins, opening)):
            _fire(active, Fired(opening.at, "rollback", opening.exact))
    for incident in incidents:
        last = bisect_right(begins, incident.begin) - 1
        if last >= 0:
            _fire(actives[last], Fired(incident.begin, "incident", exact=True, over=incident.end))
    changes = [active.change for active in actives if active.change]
    for change in changes:
        change.fired.sort(key=lambda fired: fired[:3])
        _recover(change, well)
    return changes


def _instant(event: _Opening | _Outcome) -> tuple[datetime, bool, str]:
    return event.at, not event.exact, event.revision


def _actives(openings: list[_Opening]) -> list[_Active]:
    actives: list[_Active] = []
    # within an instant a change comes before a return, and what is told again is told once
    for opening in sorted(openings, key=lambda event: (event.at, isinstance(event, RolledBack), _telling(event))):
        if actives and actives[-1].revision == opening.revision:
            continue
        change = Change(opening) if isinstance(opening, RolloutBegan) else None
        if actives:
            actives[-1].end = opening.at
            if actives[-1].change:
                actives[-1].change.replaced_at = opening.at
        actives.append(_Active(opening.at, None, opening.revision, change))
    return actives


def _telling(event: _Opening) -> tuple[str, bool, str]:
    # of two tellings the one that knows the commit counts
    times = f"{event.commit_at} {event.image_at}" if isinstance(event, RolloutBegan) else ""
    return event.revision, isinstance(event, RolloutBegan) and event.commit_at is None, f"{event.exact} {times}"


def _meant(actives: list[_Active], begins: list[datetime], event: _Outcome) -> _Active | None:
    """The template an outcome speaks of: one that was active in its instant."""
    return _active_at(actives, begins, event.at, event.revision)


def _left(actives: list[_Active], begins: list[datetime], event: RolledBack) -> _Active | None:
    return _active_at(actives, begins, event.at, event.left)


def _active_at(actives: list[_Active], begins: list[datetime], at: datetime, revision: str) -> _Active | None:
    for index in range(bisect_right(begins, at) - 1, -1, -1):
        active = actives[index]
        if active.end is not None and active.end < at:
            return None
        if active.revision == revision:
            return active
    return None


def _fire(active: _Active, fired: Fired) -> None:
    change = active.change
    if change and (change.healthy is None or fired.at <= change.healthy.at + WATCH):
        change.fired.append(fired)


def _recover(change: Change, well: Sequence[RolloutSucceeded]) -> None:
    """When all is well again: linked incidents are closed, and a healthy roll-out followed the last other signal."""
    if not change.fired:
        return
    ends: list[datetime | None] = [fired.over for fired in change.fired if fired.signal == "incident"]
    exact = all(fired.exact for fired in change.fired)
    signals = [fired.at for fired in change.fired if fired.signal != "incident"]
    if signals:
        last = max(signals)
        later = bisect_left(well, last, key=lambda event: event.at)
        healthy = next(
            (event for event in islice(well, later, None) if _ends(event, last, change.began.revision)), None
        )
        ends.append(healthy.at if healthy else None)
        exact = exact and (healthy is None or healthy.exact)
    known = [end for end in ends if end is not None]
    change.recovered = max(known) if len(known) == len(ends) else None
    change.recovered_exact = exact


def _ends(event: RolloutSucceeded, failed_at: datetime, revision: str) -> bool:
    """Whether a healthy roll-out ends a failure; of the failed template itself it must come later."""
    return event.at > failed_at or (event.at == failed_at and event.revision != revision)


def _verdict(change: Change, sight: Sight, now: datetime) -> Literal["failed", "sound", "undecided"]:
    if change.fired:
        return "failed"
    if change.healthy is None:
        return "undecided"
    end = change.healthy.at + WATCH
    if change.replaced_at is not None:
        end = min(end, change.replaced_at)
    watched = end <= now and change.began.exact and sight.holds_until(change.began.at, end) >= end
    return "sound" if watched else "undecided"
