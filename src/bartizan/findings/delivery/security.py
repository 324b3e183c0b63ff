"""Security in the same stream: findings opened and mended, gates that let them through, waivers, coverage."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.findings.delivery.spans import Mark, by_key
from bartizan.model.delivery import (
    Coverage,
    FindingDropped,
    FindingMended,
    FindingOpened,
    WaiverGranted,
    WaiverWithdrawn,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from bartizan.findings.delivery.spans import Sight, Span
    from bartizan.model.delivery import Event, Gate, Subject
    from bartizan.model.severity import Severity

_DOUBT: Final[Mapping[Gate, int]] = {"unknown": 0, "absent": 1, "passed": 2}


class Life(NamedTuple):
    """One life of a finding. `first` is false for one that came back."""

    span: Span
    severity: Severity
    gate: Gate
    first: bool


class Grant(NamedTuple):
    """A waiver's time, and its renewals: when each was granted, and its last day."""

    span: Span
    until: tuple[tuple[datetime, date], ...]


class Known(NamedTuple):
    """How many things are covered, are not, and could not be judged."""

    covered: int = 0
    bare: int = 0
    unknown: int = 0


def lives_of(events: Iterable[Event]) -> list[Life]:
    """The lives of all findings."""
    marks: list[tuple[str, Mark]] = []
    openings: dict[tuple[str, datetime], list[FindingOpened]] = {}
    for event in events:
        match event:
            case FindingOpened():
                openings.setdefault((event.id, event.at), []).append(event)
                marks.append((event.id, Mark(event.at, opens=True, exact=event.exact)))
            case FindingMended():
                marks.append((event.id, Mark(event.at, opens=False, exact=event.exact)))
            case FindingDropped():
                marks.append((event.id, Mark(event.at, opens=False, good=False)))
            case _:
                pass
    lives: list[Life] = []
    for key, spans in by_key(marks):
        for number, span in enumerate(spans):
            told = openings[key, span.begin]
            gate = min((event.gate for event in told), key=_DOUBT.__getitem__)
            lives.append(Life(span, max(event.severity for event in told), gate, number == 0))
    return lives


def grants_of(events: Iterable[Event]) -> list[Grant]:
    """The times of all waivers."""
    marks: list[tuple[str, Mark]] = []
    days: dict[str, list[tuple[datetime, date]]] = {}
    for event in events:
        match event:
            case WaiverGranted():
                days.setdefault(event.id, []).append((event.at, event.until))
                marks.append((event.id, Mark(event.at, opens=True)))
            case WaiverWithdrawn():
                marks.append((event.id, Mark(event.at, opens=False)))
            case _:
                pass
    return [
        Grant(span, tuple(sorted(day for day in days[key] if span.begin <= day[0] and not _is_over(span, day[0]))))
        for key, spans in by_key(marks)
        for span in spans
    ]


def _is_over(span: Span, at: datetime) -> bool:
    return span.end is not None and span.end < at


def waiver_ages(grants: Iterable[Grant], at: datetime) -> tuple[list[timedelta], int]:
    """The ages of waivers in force at an instant, and how many are kept though their last day is over."""
    ages: list[timedelta] = []
    expired = 0
    for grant in grants:
        if grant.span.begin >= at or (grant.span.end is not None and grant.span.end < at):
            continue
        last_day = max(granted for granted in grant.until if granted[0] < at)[1]
        if at >= datetime.combine(last_day + timedelta(days=1), time(), tzinfo=UTC):
            expired += 1
        else:
            ages.append(at - grant.span.begin)
    return sorted(ages), expired


def coverage_at(events: Iterable[Coverage], sights: Mapping[str, Sight], at: datetime) -> dict[Subject, Known]:
    """What is covered at an instant, over all clusters. What was counted before sight was lost is unknown."""
    latest: dict[tuple[str, Subject], Coverage] = {}
    for event in events:
        if event.at < at:
            key = event.cluster, event.subject
            latest[key] = max(latest.get(key, event), event, key=_telling)
    found: dict[Subject, Known] = {}
    for (cluster, subject), event in sorted(latest.items()):
        before = found.get(subject, Known())
        holds = sights[cluster].holds_until(event.at, at) >= at
        here = Known(event.covered, event.bare, event.unknown) if holds else Known(0, 0, _all(event))
        found[subject] = Known(*(one + other for one, other in zip(before, here, strict=True)))
    return found


def _telling(event: Coverage) -> tuple[datetime, int, int, int]:
    return event.at, -event.covered, event.bare, event.unknown  # of two in one instant the worse counts


def _all(event: Coverage) -> int:
    return event.covered + event.bare + event.unknown
