"""How long findings took to mend, from their transitions: medians picked by the database, not rows to sort here."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import BigInteger, case, func, select, type_coerce

from bartizan.model.severity import Severity
from bartizan.stores.schema import cluster, finding, transition
from bartizan.stores.scope import within

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from bartizan.stores.scope import Scope


class Mended(NamedTuple):
    """Findings of a severity that were mended: how many, and how long from opening to end, by nearest rank.

    Of `watched` we saw the opening: what was open when its cluster was first
    looked at may be older than we know.
    """

    severity: Severity
    number: int
    median: timedelta
    p95: timedelta
    watched: int


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
    first_look = type_coerce(cluster.c.joined_at, BigInteger) + cluster.c.interval_s * 1_000_000
    seen = case((type_coerce(opened, BigInteger) > first_look, 1), else_=0)
    lives = (
        select(finding.c.severity, type_coerce(transition.c.at - opened, BigInteger).label("took"), seen.label("seen"))
        .join(finding, finding.c.id == transition.c.finding)
        .join(cluster, cluster.c.id == finding.c.cluster)
        .where(transition.c.change == "fixed", transition.c.at >= begin, transition.c.at < end)
        .where(within(scope, finding.c.place))
        .subquery()
    )
    ranked = select(
        lives.c.severity,
        lives.c.took,
        func.row_number().over(partition_by=lives.c.severity, order_by=lives.c.took).label("rank"),
        func.count().over(partition_by=lives.c.severity).label("number"),
        func.sum(lives.c.seen).over(partition_by=lives.c.severity).label("watched"),
    ).subquery()
    middle, most = (ranked.c.number + 1) // 2, (ranked.c.number * 95 + 99) // 100
    wanted = select(ranked).where((ranked.c.rank == middle) | (ranked.c.rank == most))
    found: dict[int, dict[int, timedelta]] = {}
    numbers: dict[int, tuple[int, int]] = {}
    for severity, took, rank, number, watched in connection.execute(wanted):
        found.setdefault(severity, {})[rank] = timedelta(microseconds=int(took))
        numbers[severity] = number, int(watched)
    return [
        Mended(Severity(one), number, found[one][(number + 1) // 2], found[one][(number * 95 + 99) // 100], watched)
        for one, (number, watched) in sorted(numbers.items(), reverse=True)
    ]
