"""What is new in the fleet since somebody last looked: for notices, and so for no viewer's scope.

Transitions of one cluster are written one report after the other, so their
ids are in the order in which they were committed: a number per cluster is
enough to know what was looked at. It stands in `stream`, beside the
sequences of the cluster's own reports, under a name that no source has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import and_, func, or_, select

from bartizan.model.notice import Event, Item
from bartizan.model.severity import Severity
from bartizan.stores import bulk
from bartizan.stores.prior import hold
from bartizan.stores.schema import cluster, finding, generation, place, resource, rule, stream, transition, waiver
from bartizan.stores.schema.columns import micros

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from sqlalchemy import Connection, Row, Select

    from bartizan.model.notice import NoticeKind

TOLD: Final = ":told"
"""The stream that says up to which transition a cluster's news was told."""
STATE: Final = ":state"
"""The one that says which state of the cluster was told last."""
SCORE: Final = ":score"
"""The one that says which score was told last, in millionths."""

_BEHIND: Final = 10_000
"""How many transitions of others a quiet cluster may fall behind before its number is set anew."""
_MARGIN: Final = 5_000
"""How far below the last it is set: SQLite gives numbers again where the last rows were taken away."""
_SAMPLES: Final = 5
"""Findings that are listed of each place, rule and change; a notice takes the worst of all."""
_LONGEST: Final = 500
"""Characters that are kept of each text of a finding."""
_KINDS: Final[dict[str, NoticeKind]] = {
    "opened": "opened",
    "reopened": "reopened",
    "unwaived": "reopened",
    "fixed": "fixed",
    "gone": "fixed",
    "waived": "waived",
}
_LOOK_BACK_CHECKS: Final = 2
"""Whole checks that ended and were not complete, after which a cluster counts as seen all the same."""


class Open(NamedTuple):
    """Where findings of a rule are open."""

    namespace: str
    team: str
    check: str
    severity: Severity
    frameworks: tuple[str, ...]


class Pulse(NamedTuple):
    """When a cluster was heard of, and how often it promised to be."""

    id: int
    name: str
    joined_at: datetime
    last_seen: datetime | None
    interval_s: int
    lease_s: int


class Mark(NamedTuple):
    """What was told last in a stream of ours, and when."""

    number: int
    at: datetime


def with_news(connection: Connection) -> list[tuple[int, str]]:
    """The clusters of which something was not told yet, or nothing ever, as id and name."""
    told = {row.cluster: row.sequence for row in _marks(connection, TOLD)}
    last: dict[int, int] = {}
    if told:
        since = select(transition.c.cluster, func.max(transition.c.id)).where(transition.c.id > min(told.values()))
        last = {row[0]: row[1] for row in connection.execute(since.group_by(transition.c.cluster))}
    return [
        (number, name)
        for number, name in members(connection)
        if number not in told or last.get(number, 0) > told[number]
    ]


def catch_up_quiet(connection: Connection, at: datetime, *, behind: int = _BEHIND, margin: int = _MARGIN) -> None:
    """Set the numbers of clusters that were quiet for long, so that nobody reads what happened to others since.

    The cluster is held meanwhile: none of its transitions is being written
    under a number that is passed over.
    """
    last = connection.execute(select(func.max(transition.c.id))).scalar() or 0
    for row in _marks(connection, TOLD):
        if last - row.sequence <= behind + margin or hold(connection, row.cluster) is None:
            continue
        mine = select(func.max(transition.c.id)).where(_of(row.cluster), transition.c.id > row.sequence)
        if connection.execute(mine).scalar() is None:
            set_mark(connection, row.cluster, TOLD, last - margin, at)


def members(connection: Connection) -> list[tuple[int, str]]:
    """The members of the fleet, as id and name."""
    wanted = select(cluster.c.id, cluster.c.name).where(cluster.c.left_at.is_(None)).order_by(cluster.c.id)
    return [(row.id, row.name) for row in connection.execute(wanted)]


def number_of(connection: Connection, name: str) -> int | None:
    """The id of a member of the fleet."""
    return connection.execute(select(cluster.c.id).where(cluster.c.name == bulk.storable(name))).scalar()


def mark(connection: Connection, number: int, name: str) -> Mark | None:
    """What was told last of a cluster."""
    wanted = select(stream.c.sequence, stream.c.at).where(stream.c.cluster == number, stream.c.name == name)
    row = connection.execute(wanted).one_or_none()
    return None if row is None else Mark(row.sequence, row.at)


def marks(connection: Connection, name: str) -> dict[int, Mark]:
    """What was told last of each cluster."""
    return {row.cluster: Mark(row.sequence, row.at) for row in _marks(connection, name)}


def set_mark(connection: Connection, number: int, name: str, sequence: int, at: datetime) -> None:
    """Say what was told last of a cluster."""
    bulk.put(connection, stream, ["cluster", "name", "sequence", "at"], [(number, name, sequence, micros(at))])


def last_transition(connection: Connection, number: int, after: int = 0) -> int:
    """The number of the last transition of a cluster, where there is one after a number; else that number."""
    mine = (_of(number), transition.c.id > after) if after else (transition.c.cluster == number,)
    return int(connection.execute(select(func.max(transition.c.id)).where(*mine)).scalar() or after)


def first_checked(connection: Connection, number: int) -> datetime | None:
    """When a cluster was first seen whole; nothing while its first check runs."""
    ended = select(generation.c.ended_at, generation.c.complete)
    mine = and_(generation.c.cluster == number, generation.c.ended_at.is_not(None))
    rows = connection.execute(ended.where(mine).order_by(generation.c.number).limit(_LOOK_BACK_CHECKS)).all()
    whole = next((row.ended_at for row in rows if row.complete), None)
    if whole is None and len(rows) >= _LOOK_BACK_CHECKS:
        whole = rows[-1].ended_at
    return whole


def changes(connection: Connection, number: int, name: str, after: int, upto: int) -> list[Event]:
    """What happened to a cluster's findings: an event for each change, place, rule and severity."""
    same = (transition.c.change, finding.c.place, finding.c.rule, finding.c.severity)
    told = (
        select(
            transition.c.change.label("what"),
            transition.c.at.label("at"),
            finding.c.id.label("finding"),
            func.row_number().over(partition_by=same, order_by=transition.c.id).label("place_in_group"),
            func.count().over(partition_by=same).label("total"),
        )
        .join(finding, finding.c.id == transition.c.finding)
        .where(_of(number), transition.c.id > after, transition.c.id <= upto)
        # what was accepted when it came is no news of something wrong
        .where(or_(transition.c.change.in_(("fixed", "gone", "waived")), finding.c.state != "waived"))
        .where(transition.c.change.in_(_KINDS))
    )
    return list(_events(connection, name, told))


def standing(connection: Connection, number: int, name: str, at: datetime) -> list[Event]:
    """What is open in a cluster that was seen whole for the first time."""
    same = (finding.c.place, finding.c.rule, finding.c.severity)
    told = select(
        finding.c.id.label("finding"),
        func.row_number().over(partition_by=same, order_by=finding.c.id).label("place_in_group"),
        func.count().over(partition_by=same).label("total"),
    ).where(*_open(number))
    return list(_events(connection, name, told, at))


def open_in(connection: Connection, number: int) -> list[Open]:
    """Where findings are open in a cluster, by place and rule."""
    same = (place.c.namespace, place.c.team, rule.c.name, finding.c.severity, rule.c.id)
    wanted = (
        select(*same)
        .select_from(finding)
        .join(place, place.c.id == finding.c.place)
        .join(rule, rule.c.id == finding.c.rule)
        .where(*_open(number))
        .distinct()
    )
    rows = connection.execute(wanted).all()
    rules = connection.execute(select(rule.c.id, rule.c.frameworks)) if rows else ()
    frameworks = {number: tuple(names) for number, names in rules}
    return [Open(*row[:3], Severity(row.severity), frameworks[row.id]) for row in rows]


def pulses(connection: Connection) -> list[Pulse]:
    """The members that promised to be heard of."""
    names = (cluster.c.id, cluster.c.name, cluster.c.joined_at, cluster.c.last_seen)
    columns = (*names, cluster.c.interval_s, cluster.c.lease_s)
    wanted = select(*columns).where(cluster.c.left_at.is_(None), cluster.c.interval_s > 0).order_by(cluster.c.id)
    return [Pulse(*row) for row in connection.execute(wanted)]


def waivers_at(connection: Connection, at: datetime, soon: timedelta, back: timedelta) -> list[Row[*tuple[Any, ...]]]:
    """Waivers asked for or ended within `back`, or about to end within `soon`, with the names of their clusters."""
    asked = and_(waiver.c.state == "asked", waiver.c.asked_at > at - back)
    ending = and_(waiver.c.state == "approved", waiver.c.ends_at > at - back, waiver.c.ends_at <= at + soon)
    ended = and_(waiver.c.state == "ended", waiver.c.decided_at.is_not(None), waiver.c.ends_at > at - back)
    named = select(waiver, cluster.c.name.label("cluster_name")).outerjoin(cluster, cluster.c.id == waiver.c.cluster)
    return list(connection.execute(named.where(or_(asked, ending, ended)).order_by(waiver.c.id)))


def _marks(connection: Connection, name: str) -> list[Row[*tuple[Any, ...]]]:
    wanted = select(stream.c.cluster, stream.c.sequence, stream.c.at).where(stream.c.name == name)
    return list(connection.execute(wanted.order_by(stream.c.cluster)))


def _of(number: int) -> Any:
    """The condition that a transition is of a cluster, for who chooses by id: no engine may take another index."""
    return transition.c.cluster + 0 == number


def _open(number: int) -> tuple[Any, ...]:
    return finding.c.cluster == number, finding.c.closed_at.is_(None), finding.c.state == "open"


def _events(connection: Connection, name: str, told: Select[Any], at: datetime | None = None) -> Iterator[Event]:
    """Events of findings that were counted and numbered in groups; those of a group come one after the other."""
    inner = told.subquery()
    what = [inner.c.what] if at is None else []
    when = [inner.c.at] if at is None else []
    wanted = (
        select(
            inner.c.total, inner.c.place_in_group, finding.c.id, finding.c.severity, finding.c.message, rule.c.name,
            rule.c.frameworks, place.c.namespace, place.c.team, resource.c.kind, resource.c.name.label("resource_name"),
            *what, *when,
        )
        .select_from(inner)
        .join(finding, finding.c.id == inner.c.finding)
        .join(rule, rule.c.id == finding.c.rule)
        .join(place, place.c.id == finding.c.place)
        .join(resource, resource.c.id == finding.c.resource)
        .where(inner.c.place_in_group <= _SAMPLES)
        .order_by(*what, finding.c.place, finding.c.rule, finding.c.severity, inner.c.place_in_group)
    )  # fmt: skip  # one row
    group: list[Row[*tuple[Any, ...]]] = []
    for row in connection.execute(wanted):
        if row.place_in_group == 1 and group:
            yield _event(name, group, at)
            group = []
        group.append(row)
    if group:
        yield _event(name, group, at)


def _event(name: str, rows: list[Row[*tuple[Any, ...]]], at: datetime | None) -> Event:
    first = rows[0]
    kind: NoticeKind = "first-check" if at is not None else _KINDS[first.what]
    return Event(
        kind,
        at or max(row.at for row in rows),
        name,
        first.namespace,
        first.team,
        first.name,
        Severity(first.severity),
        tuple(first.frameworks),
        first.total,
        tuple(_item(kind, name, row) for row in rows),
    )


def _item(kind: NoticeKind, name: str, row: Row[*tuple[Any, ...]]) -> Item:
    whom = f"{row.namespace}/{row.resource_name}" if row.namespace else row.resource_name
    where = f"{row.kind} {whom} in {name}"
    words = (row.name[:_LONGEST], where[:_LONGEST], row.message[:_LONGEST])
    return Item(kind, Severity(row.severity), *words, f"/findings/{row.id}")
