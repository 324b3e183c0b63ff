"""How many replicas could serve, for how long: replica-time that is up, down and unknown.

What was seen of a workload holds until it is seen to change or sight of its
cluster is lost. From then on nothing is known of it, until its next event
after sight is regained; that time is neither up nor down.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from bartizan.findings.delivery.spans import MICROSECOND, overlap
from bartizan.model.delivery import Capacity, Workload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from bartizan.findings.delivery.spans import Sight
    from bartizan.model.delivery import Event, Window


class Stretch(NamedTuple):
    """A time over which a workload wanted and had so many replicas; nobody knows how many where `known` is false."""

    begin: datetime
    end: datetime
    desired: int
    available: int
    known: bool


class ReplicaTime(NamedTuple):
    """Unit: microseconds.

    Of replicas: time that was up, that was wanted and seen, and that is
    unknown. Of workloads: time with a replica, and all that was seen.
    """

    up: int = 0
    wanted: int = 0
    unknown: int = 0
    served: int = 0
    watched: int = 0


def stretches_of(events: Iterable[Event], sights: Mapping[str, Sight], now: datetime) -> list[Stretch]:
    """Cut each workload's life into stretches, up to now."""
    steps: dict[Workload, dict[datetime, Capacity]] = {}
    for event in events:
        if isinstance(event, Capacity):
            at = steps.setdefault(event.workload, {})
            # of two in one instant the worse counts
            at[event.at] = max(at.get(event.at, event), event, key=_missing)
    return [stretch for workload in sorted(steps) for stretch in _cut(steps[workload], sights[workload.cluster], now)]


def _missing(event: Capacity) -> tuple[int, int]:
    return event.desired - event.available, event.desired


def _cut(steps: dict[datetime, Capacity], sight: Sight, now: datetime) -> Iterator[Stretch]:
    instants = [*sorted(steps), now]
    for begin, end in pairwise(instants):
        step = steps[begin]
        if step.desired <= 0:
            continue
        available = max(0, min(step.available, step.desired))
        holds = sight.holds_until(begin, end)
        if holds > begin:
            yield Stretch(begin, holds, step.desired, available, known=True)
        if end > holds:
            yield Stretch(holds, end, step.desired, 0, known=False)


def replica_time(stretches: Iterable[Stretch], window: Window, now: datetime) -> ReplicaTime:
    """Add up the stretches in a window."""
    up = wanted = unknown = served = watched = 0
    for stretch in stretches:
        time = overlap(stretch.begin, stretch.end, window, now) // MICROSECOND
        if not stretch.known:
            unknown += stretch.desired * time
            continue
        up += stretch.available * time
        wanted += stretch.desired * time
        watched += time
        served += time if stretch.available else 0
    return ReplicaTime(up, wanted, unknown, served, watched)
