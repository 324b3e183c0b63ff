"""What the plane minds of the store for all members, its own and those that agents tell of."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from bartizan.app.watch.verdicts import TeamWaiver
from bartizan.model.waiver import Waiver
from bartizan.stores import generations
from bartizan.stores.schema import cluster
from bartizan.stores.waivers import in_force, name_of

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Row

    from bartizan.stores.ingest import Ingest
    from bartizan.stores.open import Store
    from bartizan.stores.reports import Moves

INTERVALS: Final = 2
"""After how many intervals without a judgement an object is stale: one whole check may fail."""
_ANY: Final = "*"
_SELECTORS: Final = ("policy", "rule", "kind", "namespace", "name", "path")


def age_members(ingest: Ingest, store: Store, at: datetime) -> dict[str, Moves]:
    """Make stale what was not judged for two intervals of its cluster. Returns what changed, by cluster.

    Raises:
        StoreError: the database is away; what was aged stays so.
    """
    with store.reading() as connection:
        wanted = select(cluster.c.name, cluster.c.interval_s).where(cluster.c.interval_s > 0)
        members = list(connection.execute(wanted))
    aged = {}
    for name, interval_s in members:
        moves = generations.age(ingest, store, name, at, at - timedelta(seconds=INTERVALS * interval_s))
        if moves.pairs:
            aged[name] = moves
    return aged


def last_seen_of(store: Store, name: str) -> datetime | None:
    """When a member was heard of last; nothing before it was."""
    with store.reading() as connection:
        return connection.execute(select(cluster.c.last_seen).where(cluster.c.name == name)).scalar()


def waivers_of(store: Store, name: str, at: datetime) -> tuple[TeamWaiver, ...]:
    """The waivers that hold for a member at a time."""
    with store.reading() as connection:
        number = connection.execute(select(cluster.c.id).where(cluster.c.name == name)).scalar()
        return tuple(_waiver(row) for row in in_force(connection, at, number if number is not None else -1))


def _waiver(row: Row[*tuple[Any, ...]]) -> TeamWaiver:
    """A row as a waiver. What it leaves open is any; it is in force, and so has no last day here."""
    chosen = {name: getattr(row, name) or _ANY for name in _SELECTORS}
    waiver = Waiver(name_of(row.id), row.reason, row.asked_by, date.max, fingerprint=row.fingerprint, **chosen)
    return TeamWaiver(waiver, row.team or _ANY)
