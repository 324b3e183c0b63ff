"""Where things stand, worked out by the database: rules, namespaces and teams with what is said of them now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import case, func, literal, select

from bartizan.findings.score import WEIGHTS, Sums
from bartizan.model.severity import Severity
from bartizan.stores.schema import COUNTS, cluster, place, rule, tally
from bartizan.stores.scope import members, within

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from bartizan.findings.score import Score
    from bartizan.stores.scope import Scope

Group: TypeAlias = Literal["cluster", "namespace", "team"]

GROUPS: Final[dict[Group, ColumnElement[Any]]] = {
    "cluster": cluster.c.name,
    "namespace": place.c.namespace,
    "team": place.c.team,
}


class AskedRule(NamedTuple):
    """A rule that is asked where the viewer may see: its counts, and in how many clusters it is asked, and fails."""

    number: int
    name: str
    severity: Severity
    frameworks: tuple[str, ...]
    counts: list[int]
    clusters: int
    failing_in: int


class GroupCounts(NamedTuple):
    """Counts of one rule in a cluster or namespace."""

    name: str
    counts: list[int]


class Space(NamedTuple):
    """A namespace of a cluster, or a team, with its numbers; `namespaces` are those of a team."""

    cluster: str
    name: str
    score: Score
    failing: int
    namespaces: int


def names(connection: Connection, scope: Scope, limit: int) -> tuple[list[str], list[str]]:
    """Clusters and teams of which the viewer may see something, by name: at most `limit` of each."""
    there = select(cluster.c.name).where(members(scope, cluster.c.id), cluster.c.left_at.is_(None))
    teams = select(place.c.team).where(within(scope, place.c.id), place.c.team != "").distinct()
    clusters = connection.execute(there.order_by(cluster.c.name).limit(limit)).scalars()
    return list(clusters), list(connection.execute(teams.order_by(place.c.team).limit(limit)).scalars())


def asked(connection: Connection, scope: Scope, name: str = "") -> list[AskedRule]:
    """The rules that are asked, or the one of a name: those that have pairs, by name."""
    fails = case((tally.c.failed > 0, tally.c.cluster))
    often = (func.count(tally.c.cluster.distinct()), func.count(fails.distinct()), func.max(tally.c.severity))
    wanted = select(tally.c.rule, *often, *sums()).join(cluster, cluster.c.id == tally.c.cluster)
    wanted = wanted.where(within(scope, tally.c.place), cluster.c.left_at.is_(None)).group_by(tally.c.rule)
    if name:
        wanted = wanted.where(tally.c.rule == select(rule.c.id).where(rule.c.name == name).scalar_subquery())
    known = {row.id: row for row in connection.execute(select(rule))}
    found = []
    for number, clusters, failing_in, severity, *numbers in connection.execute(wanted):
        counts = [0, *map(int, numbers)]
        if any(counts):
            row = known[number]
            what = (number, row.name, Severity(severity), tuple(row.frameworks))
            found.append(AskedRule(*what, counts, clusters, failing_in))
    return sorted(found, key=lambda one: one.name)


def where_asked(connection: Connection, scope: Scope, number: int, group: Group, limit: int) -> list[GroupCounts]:
    """Where a rule is asked, by cluster, namespace or team, where most fail first."""
    column = GROUPS[group]
    wanted = select(column, *sums()).select_from(tally).join(cluster, cluster.c.id == tally.c.cluster)
    if group != "cluster":
        wanted = wanted.join(place, place.c.id == tally.c.place)
    wanted = wanted.where(tally.c.rule == number, within(scope, tally.c.place), cluster.c.left_at.is_(None))
    most = func.sum(tally.c.failed).desc()
    rows = connection.execute(wanted.group_by(column).order_by(most, column).limit(limit))
    return [GroupCounts(row[0], [0, *map(int, row[1:])]) for row in rows]


def namespaces(connection: Connection, scope: Scope, limit: int) -> list[Space]:
    """The numbers of namespaces, where most fails first."""
    return _spaces(connection, scope, (cluster.c.name, place.c.namespace), limit)


def teams(connection: Connection, scope: Scope, limit: int) -> list[Space]:
    """The numbers of teams, where most fails first; what is of no team is one without a name."""
    return _spaces(connection, scope, (literal(""), place.c.team), limit)


def _spaces(
    connection: Connection, scope: Scope, keys: tuple[ColumnElement[str], ColumnElement[str]], limit: int
) -> list[Space]:
    """Numbers worked out by the database, as `findings.score.Sums` divides them."""
    counts = tally.c
    weight = case({int(severity): weight for severity, weight in WEIGHTS.items()}, value=counts.severity)
    judged = counts.passed + counts.failed + counts.warned + counts.waived
    parts = (
        weight * counts.passed,
        weight * (counts.passed + counts.failed),
        judged,
        judged + counts.errors + counts.stale,
        counts.waived,
        counts.passed + counts.failed + counts.waived,
    )
    failing = func.sum(counts.failed)
    several = func.count(place.c.id.distinct())
    wanted = select(keys[0].label("its_owner"), keys[1].label("its_name"), failing, several, *map(func.sum, parts))
    wanted = wanted.select_from(tally).join(cluster, cluster.c.id == counts.cluster)
    wanted = wanted.join(place, place.c.id == counts.place).where(within(scope, counts.place))
    wanted = wanted.where(cluster.c.left_at.is_(None))
    rows = connection.execute(
        wanted.group_by("its_owner", "its_name").order_by(failing.desc(), "its_owner", "its_name").limit(limit)
    )
    return [Space(row[0], row[1], Sums(*map(int, row[4:])).score(), int(row[2]), row[3]) for row in rows]


def sums() -> list[ColumnElement[int]]:
    """The counts of tallies, summed."""
    return [func.sum(tally.c[name]) for name in COUNTS]
