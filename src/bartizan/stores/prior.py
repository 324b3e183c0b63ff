"""What a store says of a cluster before a report changes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import select

from bartizan.model.ledger import Verdict
from bartizan.stores.schema import cluster, resource
from bartizan.stores.schema.columns import micros

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

_CHUNK: Final = 1000

BEFORE: Final = select(
    resource.c.id,
    resource.c.key,
    resource.c.place,
    resource.c.rule_set,
    resource.c.verdicts,
    resource.c.body_digest,
    resource.c.findings_digest,
    resource.c.generation,
    resource.c.judged_at,
    resource.c.gone_at,
)


class ResourceBefore(NamedTuple):
    """What is kept of a resource, as far as the next judgement asks."""

    id: int
    key: bytes
    place: int
    rule_set: int | None
    verdicts: bytes
    body_digest: bytes
    findings_digest: bytes
    generation: int
    judged_at: int
    gone: bool

    @property
    def is_stale(self) -> bool:
        """Whether it was not judged for too long."""
        return Verdict.STALE in self.verdicts


def hold(connection: Connection, number: int) -> Row[*tuple[Any, ...]] | None:
    """Take a cluster for this transaction; nothing where it has left the fleet."""
    wanted = select(cluster.c.id, cluster.c.rule_set).where(cluster.c.id == number)
    return connection.execute(wanted.with_for_update(key_share=True)).one_or_none()


def before_of(connection: Connection, number: int, keys: Sequence[bytes]) -> dict[bytes, ResourceBefore]:
    """What is kept of resources of a cluster, by their keys."""
    found = {}
    for start in range(0, len(keys), _CHUNK):
        some = keys[start : start + _CHUNK]
        for row in connection.execute(BEFORE.where(resource.c.cluster == number, resource.c.key.in_(some))):
            found[bytes(row.key)] = before_from(row)
    return found


def before_from(row: Row[*tuple[Any, ...]]) -> ResourceBefore:
    """One row of `BEFORE`."""
    *columns, judged_at, gone_at = tuple(row)
    return ResourceBefore._make((*columns, micros(judged_at), gone_at is not None))
