"""How the numbers came to be what they are: by day, what is new and what was mended by week, and how long that took."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base.errors import SpecError
from bartizan.catalog.scoring import scored
from bartizan.findings.score import Score, attested_on, framework_score, severity_score
from bartizan.model.ledger import Verdict
from bartizan.model.severity import Severity
from bartizan.outputs.charts import Point, trend
from bartizan.plane import compliance, part
from bartizan.plane.render import page
from bartizan.plane.site import Asked, Route, missing
from bartizan.stores.queries import mending, moves
from bartizan.stores.queries.trends import trend as counted_by_day

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection
    from starlette.responses import Response

    from bartizan.catalog.loader import Framework
    from bartizan.plane.compliance import Compliance
    from bartizan.plane.part import Chosen
    from bartizan.stores.queries.moves import DayMoves
    from bartizan.stores.queries.trends import DayCounts

SPANS: Final = (30, 90, 365)
"""Days that a page may show."""
_POINTS: Final = 92
"""Days that a picture shows each for itself; of more, every so many, for nobody sees a third of a pixel."""


class Course(NamedTuple):
    """A number's day by day."""

    day: date
    score: Score


class Week(NamedTuple):
    """What happened to failing pairs in the week that begins on a Monday."""

    begins: date
    new: int
    mended: int
    gone: int
    other: int

    @property
    def net(self) -> int:
        """By how much failing pairs grew."""
        return self.new + self.other - self.mended - self.gone


def _trends(asked: Asked) -> Response:
    now = asked.site.now()
    span = _span(asked.query.get("days", ""))
    since = now.date() - timedelta(days=span)
    with asked.site.store.reading() as connection:
        chosen = part.chosen(asked, connection)
        days = counted_by_day(connection, chosen.scope, since, now.date())
        known = compliance.read(connection, chosen, now)
        framework = _framework(asked.query.get("framework", ""), known)
        course = _by_framework(connection, chosen, known, framework, since) if framework else _course(days)
        weeks = weeks_of(moves.failing_moves(connection, chosen.scope, since))
        begin = datetime.combine(since, time(), UTC)
        mended = mending.mended(connection, chosen.scope, begin, now)
    return page(
        asked,
        "trends.html",
        chosen=chosen,
        spans=SPANS,
        span=span,
        framework=framework,
        frameworks=compliance.known(known.rules.facts.values()),
        score=course[-1].score,
        pictures=pictures(course),
        failing=_failing(days),
        weeks=weeks,
        mended=mended,
        since=since,
    )


def _span(given: str) -> int:
    if given and given not in map(str, SPANS):
        raise SpecError(f"`{given[:20]}` is no span of days", hint="Ask for 30, 90 or 365.")
    return int(given or SPANS[0])


def _framework(name: str, known: Compliance) -> Framework | None:
    if not name:
        return None
    found = compliance.known(known.rules.facts.values()).get(name)
    if found is None:
        raise missing(f"framework `{name[:100]}`")
    return found


def _course(days: Iterable[DayCounts]) -> list[Course]:
    return [Course(one.day, severity_score(one.counts)) for one in days]


def _by_framework(
    connection: Connection, chosen: Chosen, known: Compliance, framework: Framework, since: date
) -> list[Course]:
    """A framework's numbers at the end of each day: from the counts of now backwards, by its controls of now."""
    moved, facts = moves.by_day(connection, chosen.scope, since)
    facts = {**compliance.with_controls(facts), **known.rules.facts}
    counts = {key: list(row) for key, row in known.rules.counts.items()}
    days: dict[date, list[DayMoves]] = {}
    for one in moved:
        days.setdefault(one.day, []).append(one)
    today = known.at.date()
    for day in sorted((day for day in days if day > today), reverse=True):
        _take_back(counts, days[day])
    course = []
    controls = scored(framework)
    for passed in range((today - since).days + 1):
        day = today - timedelta(days=passed)
        holding = attested_on(day, known.attestations)
        course.append(Course(day, framework_score(counts, facts, controls, holding)))
        _take_back(counts, days.get(day, ()))
    return course[::-1]


def _take_back(counts: dict[str, list[int]], moved: Iterable[DayMoves]) -> None:
    for one in moved:
        row = counts.setdefault(one.key, [0] * len(Verdict))
        row[one.before] += one.pairs
        row[one.after] -= one.pairs


def pictures(course: list[Course]) -> list[str]:
    """The three numbers over time; what is not known is a gap."""
    step = -(-len(course) // _POINTS)
    some = course[::-1][::step][::-1]  # the last day is always one of them
    titles = ("Pass rate", "Coverage", "Exception share")
    found = []
    for title, name in zip(titles, Score._fields, strict=True):
        values = [(one.day.isoformat(), getattr(one.score, name)) for one in some]
        found.append(
            trend(title, [Point(day, None if value is None else float(value)) for day, value in values], percent=True)
        )
    return found


def _failing(days: list[DayCounts]) -> list[str]:
    """Failing pairs over time, a picture each severity that has any."""
    step = -(-len(days) // _POINTS)
    some = days[::-1][::step][::-1]
    column = Verdict.FAIL - 1
    found = []
    for severity in sorted(Severity, reverse=True):
        points = [
            Point(one.day.isoformat(), one.counts[severity][column] if severity in one.counts else _nothing(one))
            for one in some
        ]
        if any(point.value for point in points):
            found.append(trend(f"Failing, {severity.label}", points))
    return found


def _nothing(day: DayCounts) -> int | None:
    """A severity without pairs has none that fail, on a day on which there were any pairs at all."""
    return 0 if day.counts else None


def weeks_of(moved: Iterable[DayMoves]) -> list[Week]:
    """What happened to failing pairs, by week, the last first."""
    found: dict[date, Counter[str]] = {}
    for one in moved:
        week = found.setdefault(one.day - timedelta(days=one.day.weekday()), Counter())
        week[_kind(one)] += one.pairs if one.after == Verdict.FAIL or _kind(one) != "other" else -one.pairs
    names = ("new", "mended", "gone", "other")
    return [Week(monday, *(week[name] for name in names)) for monday, week in sorted(found.items(), reverse=True)]


_KINDS: Final[Mapping[tuple[bool, str], str]] = {
    (True, "findings"): "new",
    (True, "scope"): "new",
    (False, "findings"): "mended",
    (False, "scope"): "gone",
}
"""By whether pairs came to fail, and why."""


def _kind(move: DayMoves) -> str:
    return _KINDS.get((move.after == Verdict.FAIL, move.cause), "other")


ROUTES = (Route("GET", "/trends", _trends),)
