"""What happened to workloads, kept for the metrics of delivery: each event once, however often it is told.

An event is a fact about one instant and is never changed. It stands where its
workload does, so that who may see the workload sees its history.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
import orjson
from sqlalchemy import or_, select

from bartizan.model.delivery import (
    Capacity,
    RolledBack,
    RolloutBegan,
    RolloutFailed,
    RolloutSucceeded,
    SightLost,
    SightRegained,
)
from bartizan.model.resource import ResourceId
from bartizan.stores.bulk import storable, unless_there
from bartizan.stores.prepare import key_of
from bartizan.stores.schema import place, resource, rollout
from bartizan.stores.scope import members, within

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from bartizan.stores.known import Known
    from bartizan.stores.open import Store
    from bartizan.stores.scope import Scope

Happening: TypeAlias = (
    RolloutBegan | RolloutSucceeded | RolloutFailed | RolledBack | Capacity | SightLost | SightRegained
)
"""What a watch of one cluster tells of delivery."""

_SIGHTS: Final = ("sight-lost", "sight-regained")
_CHUNK: Final = 500


def keep(store: Store, known: Known, cluster: str, events: Sequence[Happening]) -> int:
    """Keep what happened in a cluster. Returns how many events are new.

    Raises:
        StoreError: the cluster is not in the fleet, or the database is away; nothing was kept.
    """
    number = known.cluster(cluster)
    total = 0
    for start in range(0, len(events), _CHUNK):
        part = events[start : start + _CHUNK]
        keys = {event: _resource_key(event) for event in part}
        with store.reading() as connection:
            wanted = select(resource.c.key, resource.c.place).where(
                resource.c.cluster == number, resource.c.key.in_([key for key in keys.values() if key])
            )
            placed = {bytes(key): where for key, where in connection.execute(wanted)}
        # of a workload that nobody has told of, only the namespace is known
        bare = {event: (storable(_namespace(event)), "") for event, key in keys.items() if key not in placed}
        places = known.places(number, bare.values())
        rows = [_row(event, places[bare[event]] if event in bare else placed[keys[event]]) for event in part]
        total += store.write(lambda connection: _written(connection, rows))  # noqa: B023  (done before the next)
    return total


def read(
    connection: Connection, scope: Scope, until: datetime, since: datetime | None = None, cluster: int | None = None
) -> list[Happening]:
    """What happened before a time, in order, as far as a viewer may see it; of one cluster by its id.

    That a cluster was out of sight is told to whoever sees anything in it.
    """
    seen = or_(within(scope, rollout.c.place), rollout.c.what.in_(_SIGHTS) & members(scope, place.c.cluster))
    wanted = select(rollout.c.details).join(place, place.c.id == rollout.c.place).where(seen, rollout.c.at < until)
    if since is not None:
        wanted = wanted.where(rollout.c.at >= since)
    if cluster is not None:
        wanted = wanted.where(place.c.cluster == cluster)
    ordered = wanted.order_by(rollout.c.at, rollout.c.id)
    return [msgspec.convert(row.details, _TYPE) for row in connection.execute(ordered)]


_TYPE: Any = Happening


def _written(connection: Connection, rows: Sequence[dict[str, Any]]) -> int:
    there = select(rollout.c.key).where(rollout.c.key.in_([row["key"] for row in rows]))
    known = set(connection.execute(there).scalars())
    new = {row["key"]: row for row in rows if row["key"] not in known}
    if new:
        connection.execute(unless_there(connection, rollout), list(new.values()))
    return len(new)


def _row(event: Happening, where: int) -> dict[str, Any]:
    text = msgspec.json.encode(event)
    workload = None if isinstance(event, SightLost | SightRegained) else event.workload
    return {
        "place": where,
        "key": blake2b(text, digest_size=16).hexdigest(),
        "kind": storable(workload.kind) if workload else "",
        "name": storable(workload.name) if workload else "",
        "what": str(event.__struct_config__.tag),
        "revision": "" if isinstance(event, Capacity | SightLost | SightRegained) else event.revision,
        "at": event.at,
        "details": orjson.loads(text),
    }


def _namespace(event: Happening) -> str:
    return "" if isinstance(event, SightLost | SightRegained) else event.workload.namespace


def _resource_key(event: Happening) -> bytes:
    if isinstance(event, SightLost | SightRegained):
        return b""
    workload = event.workload
    return key_of(ResourceId("apps", "v1", workload.kind, workload.namespace, workload.name))


def of_watch(events: Iterable[Any]) -> list[Happening]:
    """The events that are kept here; findings and waivers have tables of their own."""
    return [event for event in events if isinstance(event, Happening)]
