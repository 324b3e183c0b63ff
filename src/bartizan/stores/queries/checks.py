"""The whole checks of a cluster, the last first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from bartizan.stores.schema import cluster, generation
from bartizan.stores.scope import wholes

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from bartizan.stores.scope import Scope


@dataclass(frozen=True, slots=True)
class CheckView:
    """One whole check. `ended_at` is nothing while it runs; `unlisted` are kinds that could not be listed."""

    number: int
    started_at: datetime
    ended_at: datetime | None
    complete: bool
    evaluator: str
    objects: int
    problems: list[dict[str, str]]
    unlisted: list[str]


def checks(connection: Connection, scope: Scope, name: str, limit: int = 10) -> list[CheckView]:
    """The last checks of a cluster. What went wrong in them is for who sees all of the cluster."""
    columns = (
        generation.c.number,
        generation.c.started_at,
        generation.c.ended_at,
        generation.c.complete,
        generation.c.evaluator,
        generation.c.objects,
        generation.c.problems,
        generation.c.unlisted,
    )
    wanted = select(*columns).join(cluster, cluster.c.id == generation.c.cluster)
    wanted = wanted.where(cluster.c.name == name, wholes(scope, cluster.c.id))
    return [CheckView(*row) for row in connection.execute(wanted.order_by(generation.c.number.desc()).limit(limit))]
