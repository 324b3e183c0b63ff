"""How the numbers went, day by day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from bartizan.base.errors import SpecError
from bartizan.findings.score import severity_score
from bartizan.plane.api import records
from bartizan.plane.api.filters import ClusterName
from bartizan.plane.api.operation import Call, Nothing, Operation, Told
from bartizan.plane.api.parts import known
from bartizan.stores.queries import trends

if TYPE_CHECKING:
    from sqlalchemy import Connection

MOST_DAYS: Final = 400
_USUAL: Final = 30


class Span(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From a day through another."""

    cluster: ClusterName = ""
    since: Annotated[date, Meta(description="The first day; 30 days before the last.")] | UnsetType = UNSET
    until: Annotated[date, Meta(description="The last day; today.")] | UnsetType = UNSET


class Trend(msgspec.Struct, frozen=True):
    """The numbers at the end of each day."""

    items: list[records.Day]


def days_of(since: date | UnsetType, until: date | UnsetType, today: date) -> tuple[date, date]:
    """The days that are asked for.

    Raises:
        SpecError: they are too many, in the wrong order, or not yet.
    """
    last = today if until is UNSET else until
    first = last - timedelta(days=min(_USUAL, last.toordinal() - 1)) if since is UNSET else since
    if last > today:
        raise SpecError(f"`{last}` is yet to come", hint=f"Today is {today}, in UTC.")
    if first > last:
        raise SpecError(f"`{first}` is after `{last}`", hint="Give the earlier day as `since`.")
    if (last - first).days > MOST_DAYS:
        raise SpecError(f"from `{first}` to `{last}` is too long", hint=f"Ask for {MOST_DAYS} days at most.")
    return first, last


def _trend(call: Call[Span, Nothing], connection: Connection) -> Told:
    first, last = days_of(call.given.since, call.given.until, call.now.date())
    known(call, connection, call.given.cluster)
    found = trends.trend(connection, call.scope, first, last, call.given.cluster)
    return Told(
        Trend([
            records.Day(one.day, records.score(severity_score(one.counts)), records.severities(one.counts))
            for one in found
        ])
    )  # fmt: skip  # one list


OPERATIONS: Final = (
    Operation(
        name="get_trend", method="GET", path="/trends", tag="Scores", given=Span, answer=Trend,
        summary="The numbers at the end of each day", handle=_trend,
        description="Of a cluster, or of all that you may see.", refusals=(404,),
    ),
)  # fmt: skip  # a line says what, another does how
