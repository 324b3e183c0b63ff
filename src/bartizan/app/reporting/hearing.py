"""What a heartbeat changes, and what the plane has to say to an agent in its answer."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import func, select, update

from bartizan.app.reporting.wire import Heard, SentWaiver, SentWaivers
from bartizan.stores.bulk import storable
from bartizan.stores.schema import cluster, total
from bartizan.stores.waivers import in_force, name_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from bartizan.app.reporting.joining import Reporter
    from bartizan.app.reporting.wire import Heartbeat
    from bartizan.stores.open import Store

_SELECTORS: Final = ("policy", "rule", "kind", "namespace", "name", "path", "team")


def hear(store: Store, who: Reporter, beat: Heartbeat, interval_s: int, now: datetime) -> Heard:
    """Note that an agent is there.

    One that has reports older than its lease is not heard of by this: what is
    known of its cluster is as old as they are, until they are here.
    """
    problems = [{"message": one.message, "hint": one.hint} for one in beat.problems]
    values = {"lease_s": beat.lease_s, "interval_s": beat.interval_s, "problems": problems}
    if beat.kubernetes:
        values["version"] = storable(beat.kubernetes)

    def work(connection: Connection) -> None:
        mine = cluster.c.name == who.cluster
        connection.execute(update(cluster).where(mine).values(values))
        if beat.lag_s <= beat.lease_s:
            seen = cluster.c.last_seen
            connection.execute(update(cluster).where(mine, seen.is_(None) | (seen < now)).values(last_seen=now))

    store.write(work)
    with store.reading() as connection:
        wanted = select(func.sum(total.c.stale)).join(cluster, cluster.c.id == total.c.cluster)
        stale = bool(connection.execute(wanted.where(cluster.c.name == who.cluster)).scalar())
        return Heard(interval_s, who.ends_at, _in_force(connection, who, now).digest, stale)


def waivers_for(store: Store, who: Reporter, now: datetime) -> SentWaivers:
    """The waivers that are in force for a cluster: its agent applies them where it judges."""
    with store.reading() as connection:
        return _in_force(connection, who, now)


def _in_force(connection: Connection, who: Reporter, now: datetime) -> SentWaivers:
    number = connection.execute(select(cluster.c.id).where(cluster.c.name == who.cluster)).scalar()
    found = tuple(
        SentWaiver(
            name_of(row.id),
            row.reason,
            row.asked_by,
            row.ends_at,
            fingerprint=row.fingerprint,
            **{name: getattr(row, name) or "*" for name in _SELECTORS},
        )
        for row in in_force(connection, now, number if number is not None else -1)
    )
    return SentWaivers(blake2b(msgspec.msgpack.encode(found), digest_size=16).hexdigest(), found)
