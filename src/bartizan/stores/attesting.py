"""What people attest to: withdrawn, read with its history, and as scores take it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select, update

from bartizan.base.errors import SpecError
from bartizan.findings.score import Attestation
from bartizan.stores.schema import attestation, cluster
from bartizan.stores.scope import members

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from bartizan.stores.scope import Scope

_MOST = 1000
"""Attestations that are read of a framework: a hundred controls, renewed each quarter for years."""
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Attested:
    """Somebody's word for a control. `cluster` is empty where it is for the whole fleet."""

    number: int
    cluster: str
    framework: str
    control: str
    percent: int
    statement: str
    evidence: str
    made_by: str
    made_at: datetime
    ends_at: datetime
    withdrawn_at: datetime | None

    def holds(self, at: datetime) -> bool:
        """Whether it counts at a time."""
        return self.made_at <= at < min(self.ends_at, self.withdrawn_at or self.ends_at)


def attested(connection: Connection, scope: Scope, framework: str = "") -> list[Attested]:
    """What was attested, the newest first; that of a cluster to who sees something of it, that of the fleet to all."""
    seen = or_(attestation.c.cluster.is_(None), members(scope, attestation.c.cluster))
    wanted = select(attestation, cluster.c.name.label("cluster_name"))
    wanted = wanted.outerjoin(cluster, cluster.c.id == attestation.c.cluster).where(seen)
    if framework:
        wanted = wanted.where(attestation.c.framework == framework)
    rows = connection.execute(wanted.order_by(attestation.c.id.desc()).limit(_MOST))
    return [_read(row) for row in rows]


def one(connection: Connection, scope: Scope, number: int) -> Attested | None:
    """An attestation by its number; nothing where there is none that the viewer may see."""
    return next((one for one in attested(connection, scope) if one.number == number), None)


def withdraw(connection: Connection, number: int, at: datetime) -> None:
    """Take an attestation back; what it said until then stays said.

    Raises:
        SpecError: it holds no more.
    """
    mine = (attestation.c.id == number) & attestation.c.withdrawn_at.is_(None) & (attestation.c.ends_at > at)
    if not connection.execute(update(attestation).where(mine).values(withdrawn_at=at)).rowcount:
        raise SpecError("this attestation holds no more", hint="Load the page again.")


def for_scores(many: Iterable[Attested], name: str = "") -> list[Attestation]:
    """Attestations as a score of the fleet takes them, or with `name` one of that cluster.

    What is said of one cluster says nothing of the fleet; what is said of the
    fleet is said of each cluster. A day counts whole: the day it was made on
    does, the day on which it ends or is withdrawn does not.
    """
    found = []
    for one in many:
        if one.cluster not in ("", name):
            continue
        end = min(one.ends_at, one.withdrawn_at or one.ends_at)
        until = (end - _MICROSECOND).date() if one.withdrawn_at is None else end.date() - timedelta(days=1)
        if until >= one.made_at.date():
            since = one.made_at.date()
            found.append(Attestation(one.framework, one.control, one.percent, since, until, one.made_by))
    return found


def _read(row: Any) -> Attested:
    words = (row.framework, row.control, row.percent, row.statement, row.evidence, row.made_by)
    return Attested(row.id, row.cluster_name or "", *words, row.made_at, row.ends_at, row.withdrawn_at)
