"""The fleet at one sight: how far each cluster is from compliant, how much of that is known, and what is worst."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from bartizan.findings.score import severity_score
from bartizan.fleet import state
from bartizan.model.ledger import Verdict
from bartizan.model.severity import Severity
from bartizan.outputs.charts import Part, Point, stacked, trend
from bartizan.plane.render import page
from bartizan.plane.site import Asked, Route
from bartizan.stores.queries import findings, overview
from bartizan.stores.queries.pages import Page
from bartizan.stores.queries.trends import DayCounts
from bartizan.stores.queries.trends import trend as counted_by_day

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from starlette.responses import Response

    from bartizan.findings.score import Score
    from bartizan.model.fleet import ClusterState
    from bartizan.stores.queries.overview import ClusterView, Counts

DAYS: Final = 30
_WORST: Final = 8
_LEAST_LEASE_S: Final = 60
"""Even a cluster that is watched is not expected to be heard of more often."""


@dataclass(frozen=True, slots=True)
class ClusterRow:
    """A cluster with its numbers. `failing` counts its failing pairs by severity, the worst first."""

    view: ClusterView
    state: ClusterState
    score: Score
    failing: tuple[tuple[Severity, int], ...]


def row_of(view: ClusterView, now: datetime) -> ClusterRow:
    """What a cluster's row says."""
    known = state(view.last_seen, view.lease_s or max(view.interval_s, _LEAST_LEASE_S), now)
    return ClusterRow(view, known, severity_score(view.counts), failing(view.counts))


def failing(counts: Mapping[int, Counts]) -> tuple[tuple[Severity, int], ...]:
    """How many pairs fail, by severity, the worst first."""
    column = Verdict.FAIL - 1
    return tuple((one, counts[one][column] if one in counts else 0) for one in sorted(Severity, reverse=True))


def summed(many: Iterable[Mapping[int, Counts]]) -> dict[int, Counts]:
    """Counts by severity of several together."""
    found: dict[int, Counts] = {}
    for counts in many:
        for severity, row in counts.items():
            old = found.get(severity)
            found[severity] = row if old is None else tuple(left + right for left, right in zip(old, row, strict=True))
    return found


def pairs_picture(title: str, counts: Mapping[int, Counts]) -> str:
    """A bar of all pairs by what is said of them; what is not known is a part of it."""
    by = [sum(row[verdict - 1] for row in counts.values()) for verdict in Verdict if verdict]
    passed, failed, warned, errors, _skipped, waived, stale = by
    parts = (
        Part("pass", passed, "good"),
        Part("fail", failed, "bad"),
        Part("warn", warned, "warn"),
        Part("waived", waived, "accepted"),
        Part("unknown", errors + stale, "unknown"),
    )
    return stacked(title, parts)


def trend_picture(title: str, days: Sequence[DayCounts]) -> str:
    """The pass rate at the end of each day."""
    points = []
    for day in days:
        rate = severity_score(day.counts).pass_rate
        points.append(Point(day.day.isoformat(), None if rate is None else float(rate)))
    return trend(title, points, percent=True)


def _fleet(asked: Asked) -> Response:
    now, scope = asked.site.now(), asked.viewer.scope()
    with asked.site.store.reading() as connection:
        members = overview.fleet(connection, scope)
        days = counted_by_day(connection, scope, (now - timedelta(days=DAYS)).date(), now.date())
        worst = findings.findings(connection, scope, findings.Wanted(severity=Severity.HIGH), Page(_WORST))
    rows = [row_of(view, now) for view in members if view.left_at is None]
    rows.sort(key=lambda row: (row.score.pass_rate is None, row.score.pass_rate or Fraction(), row.view.name))
    counts = summed(row.view.counts for row in rows)
    return page(
        asked,
        "fleet.html",
        rows=rows,
        score=severity_score(counts),
        failing=failing(counts),
        objects=sum(row.view.objects for row in rows),
        pairs=pairs_picture("What is said of all pairs of object and rule", counts),
        trend=trend_picture(f"Pass rate, the last {DAYS} days", days),
        worst=worst.rows,
        unknown=sum(row.state == "unknown" for row in rows),
    )


ROUTES = (Route("GET", "/", _fleet),)
