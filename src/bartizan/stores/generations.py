"""Whole checks of a cluster: whatever a complete one has not seen is gone, and what was not judged for long is stale.

A generation that did not complete closes nothing, and one that could not
list a kind closes nothing of that kind: not to have seen is not to know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, insert, select, update

from bartizan.base.errors import StoreError
from bartizan.stores.prior import BEFORE, before_from, hold
from bartizan.stores.reports import Moves
from bartizan.stores.schema import cluster, generation, resource, stream
from bartizan.stores.schema.columns import micros
from bartizan.stores.writing import Writing

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row

    from bartizan.model.fleet import Generation
    from bartizan.stores.ingest import Ingest
    from bartizan.stores.open import Store

_CHUNK: Final = 2000
"""Resources that are closed in one transaction: their cluster's reports wait for it."""


def begin(store: Store, name: str, at: datetime, policy_digest: str, evaluator: str) -> int:
    """Begin a whole check. Returns its number, which the batches that are part of it carry."""
    return store.write(lambda connection: begin_in(connection, name, at, policy_digest, evaluator))


def begin_in(connection: Connection, name: str, at: datetime, policy_digest: str, evaluator: str) -> int:
    """Begin a whole check in a transaction of the caller's."""
    row = _named(connection, name)
    number = int(row.generation) + 1
    connection.execute(update(cluster).where(cluster.c.id == row.id).values(generation=number))
    values = {"policy_digest": policy_digest, "evaluator": evaluator, "started_at": at}
    connection.execute(insert(generation).values(cluster=row.id, number=number, **values))
    return number


def end(ingest: Ingest, store: Store, done: Generation) -> Moves:
    """End a whole check, and close what it has not seen where it is complete.

    What a watch has brought since the check began is not gone, though the
    check has not seen it. Ending it twice changes nothing the second time.
    """
    at = done.ended_at or done.started_at
    moves = Moves()
    if done.complete:
        listed = [_is_listed(name) for name in done.unlisted]
        unseen = and_(resource.c.generation < done.number, resource.c.last_seen < done.started_at, *listed)
        moves = _over(ingest, store, done.cluster, at, unseen, stale=False)

    def work(connection: Connection) -> None:
        row = _named(connection, done.cluster)
        values: dict[str, Any] = {
            "ended_at": at,
            "complete": done.complete,
            "objects": done.objects,
            "problems": [{"message": one.message} for one in done.problems],
            "unlisted": list(done.unlisted),
        }
        mine = and_(generation.c.cluster == row.id, generation.c.number == done.number)
        connection.execute(update(generation).where(mine).values(values))

    store.write(work)
    return moves


def age(ingest: Ingest, store: Store, name: str, at: datetime, before: datetime) -> Moves:
    """Say of every object of a cluster that was last judged before a time that it is stale: neither pass nor fail."""
    return _over(ingest, store, name, at, resource.c.judged_at < before, stale=True)


def sequence_of(store: Store, name: str, of: str) -> int:
    """The last batch of a stream that is kept: its source goes on with the one after it."""
    wanted = (
        select(stream.c.sequence)
        .join(cluster, cluster.c.id == stream.c.cluster)
        .where(cluster.c.name == name, stream.c.name == of)
    )
    with store.reading() as connection:
        return int(connection.execute(wanted).scalar() or 0)


def _is_listed(unlisted: str) -> ColumnElement[bool]:
    """Whether a resource is of none of the kinds that a name means; `group/*` is all of a group."""
    group, _, kind = unlisted.rpartition("/")
    return resource.c.group != group if kind == "*" else _kind() != unlisted


def _kind() -> ColumnElement[str]:
    from sqlalchemy import case

    return case((resource.c.group == "", resource.c.kind), else_=resource.c.group + "/" + resource.c.kind)


def _over(ingest: Ingest, store: Store, name: str, at: datetime, which: ColumnElement[bool], *, stale: bool) -> Moves:
    """Close or age resources, some in each transaction; one that fails leaves the ones before it done."""
    number = ingest.known.cluster(name)
    moves, last = Moves(), 0
    while True:
        there = BEFORE.where(resource.c.cluster == number, resource.c.gone_at.is_(None), which)
        some = there.where(resource.c.id > last).order_by(resource.c.id).limit(_CHUNK)
        part, last = store.write(lambda connection: _part(connection, ingest, (number, at, stale), some))  # noqa: B023  done before the next
        if part is None:
            return moves
        for field in ("opened", "closed", "pairs", "came", "went"):
            setattr(moves, field, getattr(moves, field) + getattr(part, field))
        moves.findings.extend(part.findings)


def _part(
    connection: Connection, ingest: Ingest, what: tuple[int, datetime, bool], some: Any
) -> tuple[Moves | None, int]:
    number, at, stale = what
    row = hold(connection, number)
    found = [before_from(one) for one in connection.execute(some)]
    if row is None or not found:
        return None, 0
    writing = Writing(connection, ingest.known, number, at)
    for one in found:
        if one.judged_at <= micros(at):
            (writing.age if stale else writing.leave)(one)
    rules = ingest.known.rule_set_of(connection, row.rule_set)
    return writing.write(rules), found[-1].id


def _named(connection: Connection, name: str) -> Row[*tuple[Any, ...]]:
    wanted = select(cluster.c.id, cluster.c.generation).where(cluster.c.name == name)
    row = connection.execute(wanted.with_for_update(key_share=True)).one_or_none()
    if row is None:
        raise StoreError(f"no cluster `{name}` is in the fleet", hint="Let it join first.")
    return row
