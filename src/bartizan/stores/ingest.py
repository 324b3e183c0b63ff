"""Reports, kept: one batch is one transaction, there as a whole or not at all, and counted once.

A batch is kept when `keep` returns. A source that did not hear so sends it
again, and is told that it was kept. Reports of one cluster are written one
after the other; those of two clusters do not wait for each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select, update

from bartizan.base.errors import SpecError, StoreError
from bartizan.stores import bulk
from bartizan.stores.counting import weigh_again
from bartizan.stores.known import Known
from bartizan.stores.prepare import Prepared, key_of, prepare
from bartizan.stores.prior import before_of, hold
from bartizan.stores.reports import Receipt
from bartizan.stores.schema import adoption, cluster, resource, stream
from bartizan.stores.schema.columns import days, micros
from bartizan.stores.writing import Writing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from bartizan.stores.known import KnownSet
    from bartizan.stores.open import Store
    from bartizan.stores.prior import ResourceBefore
    from bartizan.stores.reports import Batch


class _Ready(NamedTuple):
    """A batch whose every costly part is done, and which can be tried more than once."""

    batch: Batch
    cluster: int
    rules: KnownSet
    objects: dict[bytes, Prepared]
    places: dict[tuple[str, str], int]
    gone: list[bytes]
    seen: list[bytes]


class Ingest:
    """The way into a store. One a process is enough: it remembers ids between reports, and threads may share it.

    `key` is for the digests of secrets; see `stores.redaction`.
    """

    def __init__(self, store: Store, key: bytes) -> None:
        self._store = store
        self._key = key
        self.known = Known(store)

    def keep(self, batch: Batch) -> Receipt:
        """Keep a batch.

        Raises:
            SpecError: what it says cannot be: verdicts that are none, or of other rules.
            StoreError: the cluster is not in the fleet, or the database is away; nothing was kept.
        """
        ready = self._ready(batch)
        try:
            return self._store.write(lambda connection: self._keep(connection, ready))
        except _ForgottenError:
            self.known.forget()
            ready = self._ready(batch)
            return self._store.write(lambda connection: self._keep(connection, ready))

    def _ready(self, batch: Batch) -> _Ready:
        if batch.stream.startswith(":"):
            raise SpecError("a stream whose name begins with `:` is the plane's own", hint="Give it another name.")
        number = self.known.cluster(batch.cluster)
        rules = self.known.rule_set(batch.rules, batch.at)
        objects = {one.key: one for one in (prepare(one, rules.rules, self._key) for one in batch.observed)}
        places = self.known.places(number, (one.place for one in objects.values()))
        gone, seen = (dict.fromkeys(map(key_of, ids)) for ids in (batch.gone, batch.seen))  # each once
        return _Ready(batch, number, rules, objects, places, list(gone), list(seen))

    def _keep(self, connection: Connection, ready: _Ready) -> Receipt:
        batch = ready.batch
        row = hold(connection, ready.cluster)
        if row is None:
            raise _ForgottenError(f"no cluster `{batch.cluster}` is in the fleet", hint="Let it join first.")
        last = _last(connection, ready.cluster, batch.stream)
        if batch.sequence != last + 1:
            return Receipt("repeated" if batch.sequence <= last else "gap", last)
        writing = Writing(connection, self.known, ready.cluster, batch.at)
        before = before_of(connection, ready.cluster, [*ready.objects, *ready.gone, *ready.seen])
        now = micros(batch.at)
        for key, one in ready.objects.items():
            old = before.get(key)
            if old is None or old.judged_at <= now:  # what is older than what is known is not news
                writing.judge(old, one, ready.places[one.place], ready.rules, batch.generation)
        for key in ready.gone:
            old = before.get(key)
            if old is not None and old.judged_at <= now and key not in ready.objects:
                writing.leave(old)
        adopt(connection, row, ready.rules, self.known, batch.at)
        moves = writing.write(ready.rules)
        _confirm(connection, [before[key] for key in ready.seen if key in before], batch.generation, now)
        _advance(connection, ready)
        return Receipt("kept", batch.sequence, moves)


class _ForgottenError(StoreError):
    """A cluster that was known here is not in the fleet any more, or is there anew."""


def adopt(connection: Connection, row: Row[*tuple[Any, ...]], rules: KnownSet, known: Known, at: datetime) -> None:
    """Make a set of rules the cluster's, and count under its severities."""
    number, before = row
    if before == rules.id:
        return
    connection.execute(update(cluster).where(cluster.c.id == number).values(rule_set=rules.id))
    day = at.date()
    row_of = (number, days(day), rules.id, micros(at))
    bulk.put(connection, adoption, ["cluster", "day", "rule_set", "at"], [row_of])
    if before is None:
        return
    was = {facts.id: facts.severity for facts in known.rule_set_of(connection, before).rules.rules}
    other = {facts.id: int(facts.severity) for facts in rules.rules.rules if was.get(facts.id) != facts.severity}
    if other:
        ids = known.rules(other)
        weigh_again(connection, number, {ids[name]: severity for name, severity in other.items()}, day)


def _last(connection: Connection, number: int, name: str) -> int:
    wanted = select(stream.c.sequence).where(stream.c.cluster == number, stream.c.name == bulk.storable(name))
    return int(connection.execute(wanted).scalar() or 0)


def _confirm(connection: Connection, seen: Iterable[ResourceBefore], generation: int, now: int) -> None:
    """Mark what was seen unchanged. What has turned stale stays so: only judging it again tells what it is."""
    rows = [
        (one.id, max(generation, one.generation), now, one.judged_at if one.is_stale else max(now, one.judged_at))
        for one in seen
        if not one.gone
    ]
    bulk.change(connection, resource, ["id", "generation", "last_seen", "judged_at"], rows)


def _advance(connection: Connection, ready: _Ready) -> None:
    batch, now = ready.batch, micros(ready.batch.at)
    row = (ready.cluster, bulk.storable(batch.stream), batch.sequence, now)
    bulk.put(connection, stream, ["cluster", "name", "sequence", "at"], [row])
    seen = cluster.c.last_seen
    connection.execute(
        update(cluster)
        .where(cluster.c.id == ready.cluster, (seen.is_(None)) | (seen < batch.at))
        .values(last_seen=batch.at)
    )
