"""Members of the fleet: joined, changed, and forgotten with all their history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from bartizan.base.errors import StoreError
from bartizan.stores.bulk import storable
from bartizan.stores.schema import body, cluster, entry, finding, place, resource, tally, transition

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from bartizan.model.fleet import Cluster
    from bartizan.stores.open import Store


def join(store: Store, member: Cluster, interval_s: int = 0) -> int:
    """Let a cluster join; one that is there keeps its history and takes the new kind and labels. Returns its id."""
    return store.write(lambda connection: joining(connection, member, interval_s))


def joining(connection: Connection, member: Cluster, interval_s: int = 0) -> int:
    """Let a cluster join, in a transaction that does more."""
    name = storable(member.name)
    values = {"kind": member.kind, "labels": member.labels, "interval_s": interval_s, "left_at": None}
    found = connection.execute(select(cluster.c.id).where(cluster.c.name == name)).scalar()
    if found is None:
        made = insert(cluster).values(name=name, joined_at=member.joined_at, **values).returning(cluster.c.id)
        return int(connection.execute(made).scalar_one())
    connection.execute(update(cluster).where(cluster.c.id == found).values(**values))
    return int(found)


def note(store: Store, name: str, values: Mapping[str, Any]) -> None:
    """Say what is new of a member: its `version`, `problems`, `labels`, `last_seen` or `interval_s`."""
    if not values.keys() <= {"version", "problems", "labels", "last_seen", "interval_s"}:
        raise ValueError(f"a member has no {sorted(values)}")
    changed = store.write(
        lambda connection: connection.execute(update(cluster).where(cluster.c.name == name).values(**values)).rowcount
    )
    if not changed:
        raise StoreError(f"no cluster `{name}` is in the fleet", hint="Let it join first.")


def leave(store: Store, name: str, at: datetime) -> None:
    """Let a member go and keep what is known of it; it may join again."""
    store.write(lambda connection: leaving(connection, name, at))


def leaving(connection: Connection, name: str, at: datetime) -> None:
    """Let a member go, in a transaction that does more."""
    connection.execute(update(cluster).where(cluster.c.name == name).values(left_at=at))


def forget(store: Store, name: str) -> None:
    """Take a cluster away with everything that was ever said of it."""
    store.write(lambda connection: forgetting(connection, name))


def forgetting(connection: Connection, name: str) -> None:
    """Take a cluster away, in a transaction that does more."""
    number = connection.execute(select(cluster.c.id).where(cluster.c.name == name).with_for_update()).scalar()
    if number is None:
        return
    mine = select(resource.c.id).where(resource.c.cluster == number)
    connection.execute(delete(body).where(body.c.resource.in_(mine)))
    for table in (transition, finding, entry, tally, resource, place):
        connection.execute(delete(table).where(table.c.cluster == number))
    connection.execute(delete(cluster).where(cluster.c.id == number))
