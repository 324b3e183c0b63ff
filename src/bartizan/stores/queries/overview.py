"""The fleet, its clusters and their namespaces in numbers: read from counts that are kept, never from rows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from bartizan.fleet import lease_of, state
from bartizan.model.ledger import RuleFacts, Tally
from bartizan.model.severity import Severity
from bartizan.stores.known import facts_of
from bartizan.stores.schema import COUNTS, cluster, edition, place, resource, rule, rule_set, tally, total
from bartizan.stores.scope import is_whole, members, wholes, within

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

    from bartizan.model.fleet import ClusterState
    from bartizan.stores.scope import Scope

Counts = tuple[int, ...]
"""Counts by verdict, in the order of `COUNTS`."""


@dataclass(frozen=True, slots=True)
class ClusterView:
    """One member as the viewer may see it; `objects` and `counts` are of what they may see of it."""

    id: int
    name: str
    kind: str
    labels: dict[str, str]
    version: str
    joined_at: datetime
    left_at: datetime | None
    last_seen: datetime | None
    interval_s: int
    generation: int
    objects: int
    problems: list[dict[str, Any]]
    counts: dict[int, Counts] = field(default_factory=dict)
    """By severity."""
    lease_s: int = 0
    """How often it promises to be heard of; 0 where that is the interval."""

    def state(self, now: datetime) -> ClusterState:
        """How much of what is known of it can be believed."""
        return state(self.last_seen, lease_of(self.interval_s, self.lease_s), now)


@dataclass(frozen=True, slots=True)
class NamespaceView:
    """One namespace of a cluster, of all its teams that the viewer may see."""

    cluster: str
    namespace: str
    teams: tuple[str, ...]
    objects: int
    counts: dict[int, Counts]


def fleet(connection: Connection, scope: Scope, name: str = "") -> list[ClusterView]:
    """All members that the viewer may see something of, or the one of a name, in the order of names."""
    only = [cluster.c.name == name] if name else []
    wanted = select(cluster, wholes(scope, cluster.c.id).label("whole"))
    rows = connection.execute(wanted.where(members(scope, cluster.c.id), *only).order_by(cluster.c.name)).all()
    number = rows[0].id if name and rows else None
    sums = by_severity(connection, scope, number)
    objects = {} if is_whole(scope) else _objects(connection, scope, number)
    return [
        ClusterView(
            row.id, row.name, row.kind, row.labels, row.version, row.joined_at, row.left_at, row.last_seen,
            row.interval_s, row.generation,
            row.objects if row.whole else objects.get(row.id, 0),
            row.problems if row.whole else [],
            sums.get(row.id, {}),
            row.lease_s,
        )
        for row in rows
    ]  # fmt: skip  # as the columns stand


def number_of(connection: Connection, scope: Scope, name: str) -> int | None:
    """The number of a cluster by its name; nothing where there is none of which the viewer may see something."""
    wanted = select(cluster.c.id).where(cluster.c.name == name, members(scope, cluster.c.id))
    return connection.execute(wanted).scalar()


def by_severity(connection: Connection, scope: Scope, number: int | None = None) -> dict[int, dict[int, Counts]]:
    """Counts by cluster and severity."""
    if is_whole(scope):
        wanted = select(total.c.cluster, total.c.severity, *(total.c[name] for name in COUNTS))
        wanted = wanted.where(members(scope, total.c.cluster), *_equal(total.c.cluster, number))
    else:
        sums = (func.sum(tally.c[name]) for name in COUNTS)
        wanted = select(tally.c.cluster, tally.c.severity, *sums).group_by(tally.c.cluster, tally.c.severity)
        wanted = wanted.where(within(scope, tally.c.place), *_equal(tally.c.cluster, number))
    found: dict[int, dict[int, Counts]] = defaultdict(dict)
    kept = is_whole(scope)
    for row in connection.execute(wanted):
        counts = row[2:]  # as kept; PostgreSQL's sums are decimals
        found[row[0]][row[1]] = counts if kept else tuple(map(int, counts))
    return found


def namespaces(connection: Connection, scope: Scope, name: str) -> list[NamespaceView]:
    """The namespaces of a cluster in which the viewer may see something."""
    mine = select(place).join(cluster, cluster.c.id == place.c.cluster).where(cluster.c.name == name)
    places = {row.id: row for row in connection.execute(mine.where(within(scope, place.c.id)))}
    counts: dict[str, dict[int, Counts]] = defaultdict(dict)
    sums = (func.sum(tally.c[one]) for one in COUNTS)
    grouped = select(tally.c.place, tally.c.severity, *sums).group_by(tally.c.place, tally.c.severity)
    number = next((row.cluster for row in places.values()), None)
    for row in connection.execute(grouped.where(within(scope, tally.c.place), tally.c.cluster == number)):
        old = counts[places[row.place].namespace].get(row.severity, (0,) * len(COUNTS))
        counts[places[row.place].namespace][row.severity] = tuple(
            left + int(right) for left, right in zip(old, row[2:], strict=True)
        )
    objects: dict[str, int] = defaultdict(int)
    live = select(resource.c.place, func.count()).where(resource.c.place.in_(places), resource.c.gone_at.is_(None))
    for number, count in connection.execute(live.group_by(resource.c.place)):
        objects[places[number].namespace] += count
    teams: dict[str, set[str]] = defaultdict(set)
    for row in places.values():
        teams[row.namespace].add(row.team)
    return [
        NamespaceView(name, one, tuple(sorted(teams[one] - {""})), objects[one], counts[one]) for one in sorted(teams)
    ]


def tallies(
    connection: Connection, scope: Scope, name: str = "", team: str | None = None, namespace: str | None = None
) -> list[Tally]:
    """Counts by cluster, namespace and rule: what scores are made of. Teams that share a namespace are one tally."""
    sums = [func.sum(tally.c[one]) for one in COUNTS]
    keys = (cluster.c.name, place.c.namespace, rule.c.name)
    wanted = (
        select(*keys, *sums)
        .select_from(tally)
        .join(place, place.c.id == tally.c.place)
        .join(cluster, cluster.c.id == tally.c.cluster)
        .join(rule, rule.c.id == tally.c.rule)
        .where(within(scope, tally.c.place))
        .group_by(*keys)
        .order_by(*keys)
    )
    if name:
        wanted = wanted.where(cluster.c.name == name)
    if team is not None:
        wanted = wanted.where(place.c.team == team)
    if namespace is not None:
        wanted = wanted.where(place.c.namespace == namespace)
    return [Tally(*row[:3], *map(int, row[3:])) for row in connection.execute(wanted) if any(row[3:])]


def facts(connection: Connection, scope: Scope, name: str) -> dict[str, RuleFacts]:
    """The rules asked of a cluster now, by name, as that cluster has them."""
    wanted = select(rule_set.c.editions).join(cluster, cluster.c.rule_set == rule_set.c.id)
    editions = connection.execute(wanted.where(cluster.c.name == name, members(scope, cluster.c.id))).scalar()
    return {one.id: one for one in facts_of(connection, editions or [])}


def facts_on(connection: Connection, scope: Scope, name: str, at: datetime) -> dict[str, RuleFacts]:
    """What each rule was for a cluster at a time: the newest edition of its name that was there."""
    current = facts(connection, scope, name)
    wanted = select(edition, rule.c.name).join(rule, rule.c.id == edition.c.rule).where(edition.c.first_seen <= at)
    found = {}
    for row in connection.execute(wanted.where(rule.c.name.in_(current)).order_by(edition.c.first_seen, edition.c.id)):
        found[row.name] = RuleFacts(row.name, Severity(row.severity), tuple(row.frameworks), row.digest)
    return found


def _objects(connection: Connection, scope: Scope, number: int | None) -> dict[int, int]:
    live = select(resource.c.cluster, func.count()).where(resource.c.gone_at.is_(None), within(scope, resource.c.place))
    grouped = live.where(*_equal(resource.c.cluster, number)).group_by(resource.c.cluster)
    return {row[0]: row[1] for row in connection.execute(grouped)}


def _equal(column: ColumnElement[Any], number: int | None) -> list[ColumnElement[bool]]:
    return [] if number is None else [column == number]
