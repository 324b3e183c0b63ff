"""Scores with all they are made from, as a document that can be worked out again without the plane."""

from __future__ import annotations

from datetime import date  # noqa: TC003  (msgspec reads the annotations of a record)
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import UNSET, Meta, UnsetType

from bartizan.base.errors import SpecError
from bartizan.catalog.scoring import scored
from bartizan.findings.score import Day, export
from bartizan.plane import compliance
from bartizan.plane.api.parts import InPart, chosen
from bartizan.plane.api.trends import days_of
from bartizan.stores import attesting
from bartizan.stores.queries import scores
from bartizan.stores.queries.placing import placed

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bartizan.plane.api.operation import Call, Nothing

MOST: Final = 200_000
"""Tallies of one export: a hundred rules in two thousand namespaces. A larger fleet is exported by cluster."""


class MovementFilter(InPart, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of which part of the fleet, and on which day; with `since`, why it moved from then on."""

    since: Annotated[date, Meta(description="The day before, where a movement is wanted.")] | UnsetType = UNSET
    until: Annotated[date, Meta(description="The day; today.")] | UnsetType = UNSET


def score_export(call: Call[MovementFilter, Nothing], connection: Connection) -> bytes:
    """Write the export.

    Raises:
        SpecError: it would be of more than an export holds.
    """
    given = call.given
    today = call.now.date()
    until = today if given.until is UNSET else given.until
    since, until = days_of(until if given.since is UNSET else given.since, until, today)
    where = chosen(call, connection, given)
    between = scores.between(connection, where.scope, since, until)
    tallies = placed(connection, where.scope, (since, until), between.names, MOST)
    if len(tallies) > MOST:
        raise SpecError(f"there are more than {MOST:,} counts", hint="Export one `cluster` at a time.")
    sides = compliance.with_controls(between.facts_before), compliance.with_controls(between.facts_after)
    frameworks = tuple(scored(one) for one in compliance.known((*sides[0].values(), *sides[1].values())).values())
    words = tuple(attesting.for_scores(attesting.attested(connection, where.scope), where.cluster))
    after = Day(until, tuple(sides[1].values()), tuple(tallies), frameworks, words)
    if given.since is UNSET:
        return export(after)
    before = Day(since, tuple(sides[0].values()), tuple(between.before), frameworks, words)
    return export(after, before, between.entries)
