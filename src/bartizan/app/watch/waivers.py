"""The waivers of the store, as those who judge apply them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.app.watch.verdicts import TeamWaiver
from bartizan.stores.waivers import as_waiver, in_force

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


def waivers_of(connection: Connection, cluster: int, at: datetime) -> tuple[TeamWaiver, ...]:
    """The waivers that hold in a cluster, by its number, at a time: its own, and those of the whole fleet."""
    return tuple(TeamWaiver(as_waiver(row), row.team or "*") for row in in_force(connection, at, cluster))
