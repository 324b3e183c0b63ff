"""Which findings were open in a part of the fleet at the end of a day, from their transitions."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import select

from bartizan.base.errors import SpecError
from bartizan.stores.schema import finding, rule, transition
from bartizan.stores.scope import within

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Connection

    from bartizan.stores.scope import Scope

MOST: Final = 20_000
"""Findings of one side that are compared at once."""
_TURNS: Final = ("opened", "reopened", "fixed", "gone")


class Open(NamedTuple):
    """A finding that was open."""

    number: int
    fingerprint: str
    rule: str
    severity: int


def open_at(connection: Connection, scope: Scope, day: date | None) -> list[Open]:
    """Findings open at the end of a day, or now; a waived one is as open as any.

    Raises:
        SpecError: there are too many to be compared.
    """
    wanted = select(finding.c.id, finding.c.fingerprint, rule.c.name, finding.c.severity).join(
        rule, rule.c.id == finding.c.rule
    )
    wanted = wanted.where(within(scope, finding.c.place))
    if day is None:
        wanted = wanted.where(finding.c.closed_at.is_(None))
    else:
        end = datetime.combine(day + timedelta(days=1), time(), UTC)
        last = (
            select(transition.c.change)
            .where(transition.c.finding == finding.c.id, transition.c.at < end, transition.c.change.in_(_TURNS))
            .order_by(transition.c.at.desc(), transition.c.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        wanted = wanted.where(finding.c.first_seen < end, last.in_(("opened", "reopened")))
    rows = connection.execute(wanted.limit(MOST + 1)).all()
    if len(rows) > MOST:
        raise SpecError(f"more than {MOST:,} findings cannot be compared", hint="Choose a namespace or a team.")
    return [Open(*row) for row in rows]
