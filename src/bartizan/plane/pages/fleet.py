"""The fleet at one sight: how far each cluster is from compliant, how much of that is known, and what is worst."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bartizan.findings.score import severity_score, severity_sums
from bartizan.model.ledger import Verdict
from bartizan.model.severity import Severity
from bartizan.outputs.charts import Column, Part, Point, columns, stacked, trend
from bartizan.plane.pages.choosing import BANDS, choice_of, choose, column_of
from bartizan.plane.render import page
from bartizan.plane.site import Asked, Route
from bartizan.stores.queries import findings, overview
from bartizan.stores.queries.pages import Page
from bartizan.stores.queries.trends import DayCounts
from bartizan.stores.queries.trends import trend as counted_by_day

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection
    from starlette.responses import Response

    from bartizan.findings.score import Score, Sums
    from bartizan.model.fleet import ClusterState
    from bartizan.outputs.charts import Tone
    from bartizan.stores.queries.overview import ClusterView, Counts

DAYS: Final = 30
_WORST: Final = 8
_WORST_FIRST: Final = tuple(sorted(Severity, reverse=True))
_FAILED: Final = Verdict.FAIL - 1
_LABELS: Final = 40
_PAST: Final = timedelta(minutes=5)
"""How long past days stand as they were read: only a late report changes one."""
_POOR: Final = 70
_FAIR: Final = 90
"""Per cent below which a column is red, and amber; they colour a picture, and decide nothing."""


@dataclass(frozen=True, slots=True)
class ClusterRow:
    """A cluster with its numbers. `failing` counts its failing pairs by severity, the worst first."""

    view: ClusterView
    state: ClusterState
    sums: Sums
    failing: tuple[tuple[Severity, int], ...]

    @property
    def score(self) -> Score:
        """The three numbers; worked out for who is shown, for a fleet has a thousand."""
        return self.sums.score()


def row_of(view: ClusterView, now: datetime) -> ClusterRow:
    """What a cluster's row says."""
    return ClusterRow(view, view.state(now), severity_sums(view.counts), failing(view.counts))


def failing(counts: Mapping[int, Counts]) -> tuple[tuple[Severity, int], ...]:
    """How many pairs fail, by severity, the worst first."""
    return tuple((one, counts[one][_FAILED] if one in counts else 0) for one in _WORST_FIRST)


def summed(many: Iterable[Mapping[int, Counts]]) -> dict[int, Counts]:
    """Counts by severity of several together."""
    rows: dict[int, list[Counts]] = defaultdict(list)
    for counts in many:
        for severity, row in counts.items():
            rows[severity].append(row)
    return {severity: tuple(map(sum, zip(*each, strict=True))) for severity, each in rows.items()}


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


def bands_picture(title: str, rows: Iterable[ClusterRow]) -> str:
    """How many clusters have which pass rate; each column leads to them."""
    counted = Counter(column_of(row) for row in rows)
    made = []
    for low, high in zip(BANDS, (*BANDS[1:], None), strict=True):
        label = f"{low}\N{EN DASH}{high}" if high is not None else f"{low}"
        tone: Tone = "bad" if low < _POOR else "warn" if low < _FAIR else "good"
        made.append(Column(label, counted[str(low)], tone, f"/?band={low}"))
    if counted["none"]:
        made.append(Column("not known", counted["none"], "unknown", "/?band=none"))
    return columns(title, made, "pass rate")


def course(asked: Asked, connection: Connection, now: Mapping[int, Counts], name: str = "") -> list[DayCounts]:
    """The counts at the end of each of the last days, and those of `now`; past days are read every few minutes."""
    scope, today = asked.viewer.scope(), asked.site.now().date()
    since = today - timedelta(days=DAYS)
    before = asked.site.recent.get(
        ("course", scope, since, name),
        asked.site.now(),
        _PAST,
        lambda: counted_by_day(connection, scope, since, today, name)[:-1],
    )
    return [*before, DayCounts(today, dict(now))]


def _fleet(asked: Asked) -> Response:
    now, scope = asked.site.now(), asked.viewer.scope()
    choice = choice_of(asked.query)
    with asked.site.store.reading() as connection:
        members = overview.fleet(connection, scope)
        days = course(asked, connection, summed(view.counts for view in members))
        worst = findings.findings(connection, scope, findings.Wanted(severity=Severity.HIGH), Page(_WORST))
    rows = [row_of(view, now) for view in members if view.left_at is None]
    chosen = choose(rows, choice)
    counts = summed(row.view.counts for row in chosen.every)
    return page(
        asked,
        "fleet.html",
        joined=len(rows),
        choice=choice,
        chosen=chosen,
        labels=_labels(rows),
        score=severity_score(counts),
        failing=failing(counts),
        objects=sum(row.view.objects for row in chosen.every),
        pairs=pairs_picture("What is said of all pairs of object and rule", counts),
        bands=bands_picture("Clusters by pass rate, per cent", chosen.every),
        trend=trend_picture(f"Pass rate, the last {DAYS} days", days),
        worst=worst.rows,
        unknown=sum(row.state == "unknown" for row in chosen.every),
    )


def _labels(rows: Iterable[ClusterRow]) -> list[str]:
    """The labels that most clusters share, to choose by."""
    counted = Counter(f"{key}={value}" for row in rows for key, value in row.view.labels.items())
    return sorted(label for label, _ in counted.most_common(_LABELS))


ROUTES = (Route("GET", "/", _fleet),)
