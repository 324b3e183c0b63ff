"""How counts moved from day to day: from those of now backwards, by what is known to have changed since.

So a day on which nothing happened needs no row, and what an agent reports
late is told on the day it was seen.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, func, select

from bartizan.model.ledger import Entry, Verdict
from bartizan.stores.queries.overview import by_severity
from bartizan.stores.schema import COUNTS, cluster, entry, place, rollup, rule, tally
from bartizan.stores.scope import is_whole, members, within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement, Connection, Select

    from bartizan.stores.scope import Scope


class DayCounts(NamedTuple):
    """Counts at the end of a day, by severity, in the order of `COUNTS`."""

    day: date
    counts: dict[int, tuple[int, ...]]


def trend(connection: Connection, scope: Scope, since: date, until: date, name: str = "") -> list[DayCounts]:
    """The counts at the end of each day from `since` to `until`, of a cluster or of all that the viewer may see.

    A cluster that has left is in none, but in its own.
    """
    number = connection.execute(select(cluster.c.id).where(cluster.c.name == name)).scalar() if name else None
    if name and number is None:
        return []
    now: dict[int, list[int]] = defaultdict(lambda: [0] * len(COUNTS))
    gone = select(cluster.c.id).where(cluster.c.left_at.is_not(None))
    left = set(connection.execute(gone).scalars()) if number is None else set()
    for where, severities in by_severity(connection, scope, number).items():
        if where in left:
            continue
        for severity, here in severities.items():
            now[severity] = [left + right for left, right in zip(now[severity], here, strict=True)]
    moved = _moved(connection, scope, since, number)
    days = [since + timedelta(days=passed) for passed in range((until - since).days + 1)]
    later = sorted((day for day in moved if day > until), reverse=True)
    found = []
    for day in (*later, *reversed(days)):
        if day <= until:
            found.append(DayCounts(day, {severity: tuple(row) for severity, row in sorted(now.items()) if any(row)}))
        for severity, row in moved.get(day, {}).items():
            now[severity] = [left - right for left, right in zip(now[severity], row, strict=True)]
    return found[::-1]


def entries(connection: Connection, scope: Scope, since: date, until: date, name: str = "") -> Iterator[Entry]:
    """The ledger from a day to another, both included: what a movement is explained with."""
    keys = (cluster.c.name, entry.c.day, place.c.namespace, rule.c.name, entry.c.before, entry.c.after, entry.c.cause)
    wanted = (
        select(*keys, func.sum(entry.c.count))
        .select_from(entry)
        .join(place, place.c.id == entry.c.place)
        .join(cluster, cluster.c.id == entry.c.cluster)
        .join(rule, rule.c.id == entry.c.rule)
        .where(entry.c.day.between(since, until), within(scope, entry.c.place))
        .group_by(*keys)
        .order_by(cluster.c.name, entry.c.day)
    )
    if name:
        wanted = wanted.where(cluster.c.name == name)
    for where, day, namespace, named, before, after, cause, count in connection.execute(wanted):
        yield Entry(where, day, namespace, named, Verdict(before), Verdict(after), cause, int(count))


def _moved(connection: Connection, scope: Scope, since: date, number: int | None) -> dict[date, dict[int, list[int]]]:
    found: dict[date, dict[int, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0] * len(COUNTS)))
    if is_whole(scope):
        sums = (func.sum(rollup.c[name]) for name in COUNTS)
        wanted = select(rollup.c.day, rollup.c.severity, *sums).group_by(rollup.c.day, rollup.c.severity)
        wanted = wanted.where(rollup.c.day >= since, members(scope, rollup.c.cluster), *_of(rollup.c.cluster, number))
        for row in connection.execute(wanted):
            found[row[0]][row[1]] = [int(value) for value in row[2:]]
        return found
    for day, severity, before, after, count in connection.execute(_entries(scope, since, number)):
        for verdict, change in ((before, -count), (after, count)):
            if verdict:
                found[day][severity][verdict - 1] += int(change)
    return found


def _entries(scope: Scope, since: date, number: int | None) -> Select[Any]:
    """Entries of places that a viewer may see, by the severity under which they count."""
    keys = (entry.c.day, tally.c.severity, entry.c.before, entry.c.after)
    same = and_(tally.c.place == entry.c.place, tally.c.rule == entry.c.rule)
    return (
        select(*keys, func.sum(entry.c.count))
        .select_from(entry)
        .join(tally, same)
        .where(entry.c.day >= since, within(scope, entry.c.place), *_of(entry.c.cluster, number))
        .group_by(*keys)
    )


def _of(column: ColumnElement[Any], number: int | None) -> list[ColumnElement[bool]]:
    if number is not None:
        return [column == number]
    return [column.in_(select(cluster.c.id).where(cluster.c.left_at.is_(None)))]
