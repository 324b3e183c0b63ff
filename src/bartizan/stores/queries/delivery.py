"""What the metrics of delivery are worked out from: roll-outs as events, waivers, and findings summed by severity.

A row of `rollout` is an event of `model.delivery`: `what` is its tag,
`kind`, `name` and its place the workload, `details` its other fields. A row
of another tag is passed over, so that a newer agent may tell more.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from sqlalchemy import func, or_, select

from bartizan.fleet.state import LATE_LEASES, lease_of
from bartizan.model.delivery import Event, SightLost, SightRegained, WaiverGranted, WaiverWithdrawn
from bartizan.model.ledger import Verdict
from bartizan.model.severity import Severity
from bartizan.stores.queries import overview
from bartizan.stores.schema import cluster, finding, place, rollout, transition, waiver
from bartizan.stores.scope import members, within, within_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import Connection

    from bartizan.stores.scope import Scope

MOST: Final = 50_000
"""Events that are read at once, the newest first."""
_AGED: Final = 20_000
"""Open findings of a severity of which the age in the middle is looked for: of more it would take too long."""
_WAIVERS: Final = 10_000
_MICROSECOND: Final = timedelta(microseconds=1)


class Standing(NamedTuple):
    """Open findings of a severity: how many pairs fail now, and how long those in the middle are open.

    `age` is nothing where none is open, or too many to be ranked.
    """

    severity: Severity
    failing: int
    age: timedelta | None


def events(connection: Connection, scope: Scope, begin: datetime, now: datetime) -> tuple[list[Event], bool]:
    """Events from `begin` on of what the viewer may see, and whether the oldest were left out.

    A cluster is seen from the first that it told of its workloads: one that
    tells nothing is not quiet, but not seen. Where it was not heard of for two
    leases, we have lost sight of it.
    """
    wanted = select(rollout, place.c.namespace, cluster.c.name.label("cluster_name"))
    wanted = wanted.join(place, place.c.id == rollout.c.place).join(cluster, cluster.c.id == place.c.cluster)
    wanted = wanted.where(within(scope, rollout.c.place), rollout.c.at >= begin, rollout.c.at < now)
    rows = connection.execute(wanted.order_by(rollout.c.at.desc()).limit(MOST + 1)).all()
    found = [event for event in map(_event, rows[:MOST]) if event is not None]
    found += _sights(connection, scope, begin, now)
    found += _waivers(connection, scope, now)
    return found, len(rows) > MOST


def standing(connection: Connection, scope: Scope, now: datetime) -> list[Standing]:
    """Open findings by severity, the worst first."""
    counts: dict[int, int] = {}
    for severities in overview.by_severity(connection, scope).values():
        for severity, row in severities.items():
            counts[severity] = counts.get(severity, 0) + row[Verdict.FAIL - 1]
    return [
        Standing(Severity(severity), number, _age(connection, scope, severity, number, now))
        for severity, number in sorted(counts.items(), reverse=True)
        if number
    ]


def changes(connection: Connection, scope: Scope, begin: datetime, end: datetime) -> dict[str, int]:
    """How many findings went through each change in a stretch of time."""
    wanted = select(transition.c.change, func.count()).join(finding, finding.c.id == transition.c.finding)
    wanted = wanted.where(transition.c.at >= begin, transition.c.at < end, within(scope, finding.c.place))
    rows = connection.execute(wanted.group_by(transition.c.change))
    return {row[0]: int(row[1]) for row in rows}


def _event(row: Any) -> Event | None:
    details = row.details if isinstance(row.details, dict) else {}
    workload = {"cluster": row.cluster_name, "namespace": row.namespace, "kind": row.kind, "name": row.name}
    told = {
        "id": row.key,
        **details,
        "event": row.what,
        "at": row.at,
        "cluster": row.cluster_name,
        "workload": workload if row.name else None,
        "revision": row.revision,
    }
    try:
        event: Event = msgspec.convert(told, Event)
    except msgspec.ValidationError:
        return None
    return event


def _sights(connection: Connection, scope: Scope, begin: datetime, now: datetime) -> Iterator[Event]:
    """From when on, before the window's own events, a cluster told of its workloads; and when it fell silent."""
    told = select(rollout.c.id).join(place, place.c.id == rollout.c.place).where(place.c.cluster == cluster.c.id)
    told = told.where(within(scope, rollout.c.place), rollout.c.at < now)
    before = told.where(rollout.c.at < begin).exists()
    wanted = select(cluster, before.label("before")).where(members(scope, cluster.c.id), told.exists())
    for row in connection.execute(wanted):
        if row.before:
            yield SightRegained(begin, row.name)
        last = min(filter(None, (row.last_seen or row.joined_at, row.left_at)))
        if now - last >= LATE_LEASES * timedelta(seconds=lease_of(row.interval_s, row.lease_s)):
            yield SightLost(last, row.name)


def _waivers(connection: Connection, scope: Scope, now: datetime) -> Iterator[Event]:
    mine = within_names(scope, waiver.c.cluster, waiver.c.namespace, waiver.c.team)
    decided = or_(waiver.c.state == "approved", (waiver.c.state == "ended") & waiver.c.decided_at.is_not(None))
    wanted = select(waiver).where(mine, decided).order_by(waiver.c.id.desc()).limit(_WAIVERS)
    for row in connection.execute(wanted):
        yield WaiverGranted(row.decided_at, str(row.id), (row.ends_at - _MICROSECOND).date())
        if row.state == "ended" and row.ends_at < now:
            yield WaiverWithdrawn(row.ends_at, str(row.id))


def _age(connection: Connection, scope: Scope, severity: int, number: int, now: datetime) -> timedelta | None:
    if number > _AGED:
        return None
    still = (finding.c.closed_at.is_(None), finding.c.state == "open", finding.c.verdict == int(Verdict.FAIL))
    mine = select(finding.c.opened_at).where(*still, finding.c.severity == severity, within(scope, finding.c.place))
    how_many = connection.execute(select(func.count()).select_from(mine.subquery())).scalar_one()
    middle = mine.order_by(finding.c.opened_at).offset(how_many // 2).limit(1)
    opened_at: datetime | None = connection.execute(middle).scalar()
    return None if opened_at is None else now - opened_at
