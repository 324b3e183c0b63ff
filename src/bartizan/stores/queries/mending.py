"""How long findings took to mend, from their transitions: medians picked by the database, not rows to sort here."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import BigInteger, func, select, type_coerce

from bartizan.model.severity import Severity
from bartizan.stores.schema import finding, transition
from bartizan.stores.scope import within

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from bartizan.stores.scope import Scope


class Mended(NamedTuple):
    """Findings of a severity that were mended: how many, and how long from opening to end, by nearest rank."""

    severity: Severity
    number: int
    median: timedelta
    p95: timedelta


def mended(connection: Connection, scope: Scope, begin: datetime, end: datetime) -> list[Mended]:
    """Findings mended in a stretch of time, by severity, the worst first.

    One whose object went, or that was waived, is not mended. A life begins
    with its opening or, for a finding that came back, with its reopening.
    Of an even number the median is the lower of the two in the middle.
    """
    opening = transition.alias("opening")
    opened = (
        select(func.max(opening.c.at))
        .where(opening.c.finding == transition.c.finding, opening.c.at <= transition.c.at)
        .where(opening.c.change.in_(("opened", "reopened")))
        .scalar_subquery()
    )
    lives = (
        select(finding.c.severity, type_coerce(transition.c.at - opened, BigInteger).label("took"))
        .join(finding, finding.c.id == transition.c.finding)
        .where(transition.c.change == "fixed", transition.c.at >= begin, transition.c.at < end)
        .where(within(scope, finding.c.place))
        .subquery()
    )
    ranked = select(
        lives.c.severity,
        lives.c.took,
        func.row_number().over(partition_by=lives.c.severity, order_by=lives.c.took).label("rank"),
        func.count().over(partition_by=lives.c.severity).label("number"),
    ).subquery()
    middle, most = (ranked.c.number + 1) // 2, (ranked.c.number * 95 + 99) // 100
    wanted = select(ranked).where((ranked.c.rank == middle) | (ranked.c.rank == most))
    found: dict[int, dict[int, timedelta]] = {}
    numbers: dict[int, int] = {}
    for severity, took, rank, number in connection.execute(wanted):
        found.setdefault(severity, {})[rank] = timedelta(microseconds=int(took))
        numbers[severity] = number
    return [
        Mended(Severity(one), number, found[one][(number + 1) // 2], found[one][(number * 95 + 99) // 100])
        for one, number in sorted(numbers.items(), reverse=True)
    ]
