"""How software is delivered, and how safely: metrics with their definitions, and how much of each we really saw."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

import orjson
from starlette.responses import Response

from bartizan.base.errors import SpecError
from bartizan.findings.delivery import Share
from bartizan.findings.score import severity_score
from bartizan.outputs.charts import Point, trend
from bartizan.plane import delivering, part
from bartizan.plane.render import page, span
from bartizan.plane.site import Asked, Route
from bartizan.stores.queries.trends import trend as counted_by_day

if TYPE_CHECKING:
    from datetime import date
    from fractions import Fraction

    from sqlalchemy import Connection

    from bartizan.findings.delivery import Figure
    from bartizan.plane.delivering import Delivered
    from bartizan.plane.part import Chosen

SPANS: Final = (7, 30, 90)
"""Days that a page may show."""


def _delivery(asked: Asked) -> Response:
    now, days = asked.site.now(), _days(asked)
    with asked.site.store.reading() as connection:
        chosen = part.chosen(asked, connection)
        found = delivering.read(connection, chosen.scope, _begin(now, days), now)
        compliance = _compliance(connection, chosen, found)
    return page(
        asked,
        "delivery.html",
        chosen=chosen,
        spans=SPANS,
        days=days,
        found=found,
        words=words,
        compliance=compliance,
        picture=_picture(found),
    )


def _csv(asked: Asked) -> Response:
    name, found = _export(asked)
    return Response(delivering.as_csv(found), headers=_as_file(f"{name}.csv"), media_type="text/csv")


def _json(asked: Asked) -> Response:
    name, found = _export(asked)
    told = {
        "begin": found.window.begin,
        "end": found.window.end,
        "figures": list(delivering.rows(found)),
        "definitions": {key: metric.definition.meaning for key, metric in found.metrics.items()},
    }
    return Response(orjson.dumps(told), headers=_as_file(f"{name}.json"), media_type="application/json")


def _export(asked: Asked) -> tuple[str, Delivered]:
    now, days = asked.site.now(), _days(asked)
    with asked.site.store.reading() as connection:
        chosen = part.chosen(asked, connection)
        return f"delivery-{now.date()}", delivering.read(connection, chosen.scope, _begin(now, days), now)


def _as_file(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-cache"}


def _days(asked: Asked) -> int:
    given = asked.query.get("days", "")
    if given and given not in map(str, SPANS):
        raise SpecError(f"`{given[:20]}` is no window", hint="Ask for 7, 30 or 90 days.")
    return int(given or SPANS[1])


def _begin(now: datetime, days: int) -> datetime:
    return datetime.combine(now.date() - timedelta(days=days - 1), time(), UTC)


def _compliance(
    connection: Connection, chosen: Chosen, found: Delivered
) -> list[tuple[str, Fraction | None, Fraction | None]]:
    """The three numbers at the end of the day before the window, and now: title, then, now."""
    since, until = found.window.begin.date() - timedelta(days=1), found.window.end.date()
    days = counted_by_day(connection, chosen.scope, since, until)
    titles = ("Pass rate", "Coverage", "Exception share")
    return list(zip(titles, severity_score(days[0].counts), severity_score(days[-1].counts), strict=True))


def _picture(found: Delivered) -> str:
    day: date = found.window.begin.date()
    points = []
    while day <= found.window.end.date():
        points.append(Point(day.isoformat(), found.days.get(day, 0)))
        day += timedelta(days=1)
    return trend("Deployments by day", points)


def words(value: Figure) -> str:
    """A figure for people; a dash where nothing is known."""
    match value:
        case None:
            return "\N{EN DASH}"
        case Share():
            share = value.value
            if share is None:
                return "\N{EN DASH}"
            few = value.whole < 1_000_000
            return f"{share * 100:.1f} %" + (f" ({value.part:,} of {value.whole:,})" if few else "")
        case timedelta():
            return span(value)
        case float():
            return f"{value:,.1f}"
        case int():
            return f"{value:,}"


ROUTES = (
    Route("GET", "/delivery", _delivery),
    Route("GET", "/delivery.csv", _csv),
    Route("GET", "/delivery.json", _json),
)
