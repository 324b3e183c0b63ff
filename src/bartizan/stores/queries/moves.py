"""What moved, out of the ledger: behind a cause, by day, and what came to fail or ceased to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import func, or_, select

from bartizan.model.ledger import Verdict
from bartizan.stores.queries.eras import Eras
from bartizan.stores.schema import cluster, entry, place, rule
from bartizan.stores.scope import within

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy import Connection

    from bartizan.model.ledger import RuleFacts
    from bartizan.stores.scope import Scope

LEDGER: Final = 200
"""Entries that a page shows of a cause."""


class Moved(NamedTuple):
    """So many pairs of a rule in a namespace of a cluster went from one verdict to another, over some days."""

    rule: str
    cluster: str
    namespace: str
    before: Verdict
    after: Verdict
    cause: str
    pairs: int


class DayMoves(NamedTuple):
    """How many pairs of a key went from one verdict to another on a day."""

    day: date
    key: str
    before: Verdict
    after: Verdict
    cause: str
    pairs: int


def by_day(
    connection: Connection, scope: Scope, since: date, number: int | None = None
) -> tuple[list[DayMoves], dict[str, RuleFacts]]:
    """Movements after a day, day by day, by the keys of `scores.rules`, and what these are; or of one rule alone.

    A rule counts under what it is now, whatever it was on the day.
    """
    eras = Eras(connection, scope)
    wanted = select(entry.c.day, entry.c.rule, entry.c.before, entry.c.after, entry.c.cause, func.sum(entry.c.count))
    wanted = wanted.join(cluster, cluster.c.id == entry.c.cluster)
    wanted, era = eras.group(wanted, entry.c.cluster)
    wanted = wanted.add_columns(era.label("its_era")).where(entry.c.day > since, within(scope, entry.c.place))
    if number is not None:
        wanted = wanted.where(entry.c.rule == number)
    keys = (entry.c.day, entry.c.rule, entry.c.before, entry.c.after, entry.c.cause, "its_era")
    rows = connection.execute(wanted.group_by(*keys).order_by(entry.c.day)).all()
    names = eras.names({(row.its_era, row.rule) for row in rows})
    moves = [
        DayMoves(row[0], _key(row.its_era, row.rule), Verdict(row[2]), Verdict(row[3]), row[4], int(row[5]))
        for row in rows
    ]
    return moves, {_key(*key): eras.facts(key) for key in names}


def ledger(
    connection: Connection, scope: Scope, days: tuple[date, date], cause: str, only: Sequence[str] | None = None
) -> tuple[list[Moved], int]:
    """The entries behind one cause between the ends of two days, the largest first, and how many there are in all.

    What happened and was undone the same way cancels out in a score; here
    both show. `only` are the rules that are asked for, by name.
    """
    keys = (rule.c.name, cluster.c.name, place.c.namespace, entry.c.before, entry.c.after, entry.c.cause)
    total = func.sum(entry.c.count)
    grouped = (
        select(*keys, total.label("number"))
        .select_from(entry)
        .join(rule, rule.c.id == entry.c.rule)
        .join(cluster, cluster.c.id == entry.c.cluster)
        .join(place, place.c.id == entry.c.place)
        .where(entry.c.day > days[0], entry.c.day <= days[1], entry.c.cause == cause)
        .where(within(scope, entry.c.place), cluster.c.left_at.is_(None))
        .group_by(*keys)
    )
    if only is not None:
        grouped = grouped.where(rule.c.name.in_(only))
    every = int(connection.execute(select(func.count()).select_from(grouped.subquery())).scalar_one())
    found = connection.execute(grouped.order_by(total.desc(), *keys).limit(LEDGER))
    return [Moved(*row[:3], Verdict(row[3]), Verdict(row[4]), row[5], int(row[6])) for row in found], every


def failing_moves(connection: Connection, scope: Scope, since: date) -> list[DayMoves]:
    """By day after `since`, how many pairs came to fail or ceased to, from or to which verdict and why. No key."""
    keys = (entry.c.day, entry.c.before, entry.c.after, entry.c.cause)
    wanted = select(*keys, func.sum(entry.c.count)).join(cluster, cluster.c.id == entry.c.cluster).group_by(*keys)
    ours = or_(entry.c.before == int(Verdict.FAIL), entry.c.after == int(Verdict.FAIL))
    wanted = wanted.where(entry.c.day > since, ours, within(scope, entry.c.place), cluster.c.left_at.is_(None))
    return [
        DayMoves(day, "", Verdict(before), Verdict(after), cause, int(pairs))
        for day, before, after, cause, pairs in connection.execute(wanted.order_by(entry.c.day))
    ]


def _key(era: int, number: int) -> str:
    return f"{number}.{era}"
