"""A store kept in bounds: what is too old is taken away, old days become months, and space is given back.

Everything goes in small transactions, so that reports do not wait for it and
an interrupted run has done a part. Trends stay exact: what is taken together
is summed, and a day's movement becomes its month's.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import delete, func, select, text

from bartizan.stores import bulk
from bartizan.stores.schema import (
    COUNTS,
    METADATA,
    body,
    entry,
    finding,
    generation,
    outbox,
    resource,
    rollout,
    rollup,
    session,
)
from bartizan.stores.schema.columns import days

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Table

    from bartizan.stores.open import Store

_CHUNK: Final = 5000
_KEYS: Final = ["cluster", "day", "place", "rule", "before", "after", "cause"]


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For how many days each kind of history is kept. The audit log and trends are kept for good."""

    closed_findings: int = 400
    gone_bodies: int = 30
    gone_resources: int = 400
    generations: int = 90
    rollouts: int = 400
    messages: int = 30
    daily: int = 120
    """After so many days, entries and rollups of a month are one."""


def prune(store: Store, retention: Retention, at: datetime) -> dict[str, int]:
    """Take away what is older than its time. Returns how many rows of each table.

    A finding takes its transitions along, and an object its body and all its
    findings; an open one is never too old.
    """
    aged = {
        finding: finding.c.closed_at < at - timedelta(days=retention.closed_findings),
        resource: resource.c.gone_at < at - timedelta(days=retention.gone_resources),
        rollout: rollout.c.at < at - timedelta(days=retention.rollouts),
        outbox: outbox.c.ended_at < at - timedelta(days=retention.messages),
    }
    bodies = select(resource.c.id).where(resource.c.gone_at < at - timedelta(days=retention.gone_bodies))
    removed = {"body": _remove(store, body, body.c.resource, body.c.resource.in_(bodies))}
    for table, condition in aged.items():
        removed[table.name] = _remove(store, table, table.c.id, condition)
    removed["session"] = _remove(store, session, session.c.digest, session.c.ends_at < at)
    old = generation.c.ended_at < at - timedelta(days=retention.generations)
    removed["generation"] = store.write(lambda connection: connection.execute(delete(generation).where(old)).rowcount)
    return removed


def compact(store: Store, retention: Retention, today: date) -> int:
    """Make the entries and rollups of whole months that are old one a month. Returns how many rows that spared."""
    spared = 0
    limit = (today - timedelta(days=retention.daily)).replace(day=1)
    while True:
        month = _oldest(store, limit)
        if month is None:
            return spared
        spared += store.write(lambda connection: _join_month(connection, month))  # noqa: B023  done before the next


def settle(store: Store) -> None:
    """Give space back and let the planner count anew. On SQLite writers wait while it runs."""
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        raw: Any = connection.connection.driver_connection
        for statement in (
            ("VACUUM", "ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)")
            if store.dialect == "sqlite"
            else ("VACUUM (ANALYZE)",)
        ):
            raw.execute(statement)


def size(store: Store) -> int:
    """How many bytes the database takes."""
    asked = {
        "sqlite": "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
        "postgresql": "SELECT pg_database_size(current_database())",
    }
    with store.reading() as connection:
        return int(connection.execute(text(asked[store.dialect])).scalar_one())


def sizes(store: Store) -> dict[str, int]:
    """How many bytes the database takes in all and, on PostgreSQL, each table with its indexes."""
    found = {"": size(store)}
    if store.dialect == "sqlite":
        return found
    with store.reading() as connection:
        for table in METADATA.sorted_tables:
            asked = text("SELECT pg_total_relation_size(CAST(:name AS regclass))")
            found[table.name] = int(connection.execute(asked, {"name": f'"{table.name}"'}).scalar_one())
        return found


def _remove(store: Store, table: Table, key: ColumnElement[Any], condition: ColumnElement[bool]) -> int:
    removed = 0
    some = select(key).where(condition).limit(_CHUNK)
    while True:
        gone = store.write(lambda connection: connection.execute(delete(table).where(key.in_(some))).rowcount)
        removed += gone
        if gone < _CHUNK:
            return removed


def _oldest(store: Store, limit: date) -> date | None:
    """The first month before `limit` that still has days other than its first."""
    with store.reading() as connection:
        months = set()
        for table in (entry, rollup):
            found = connection.execute(select(table.c.day).where(table.c.day < limit).distinct()).scalars()
            months |= {day.replace(day=1) for day in found if day.day != 1}
        return min(months, default=None)


def _join_month(connection: Connection, month: date) -> int:
    after = (month + timedelta(days=31)).replace(day=1)
    spared = 0
    for table, keys, sums in (
        (entry, _KEYS, ["count"]),
        (rollup, ["cluster", "day", "severity"], list(COUNTS)),
    ):
        spared += _join(connection, table, (keys, sums), (month, after))
    return spared


def _join(
    connection: Connection, table: Table, columns: tuple[Sequence[str], Sequence[str]], span: tuple[date, date]
) -> int:
    keys, sums = columns
    others = [table.c[name] for name in keys if name != "day"]
    wanted = select(*others, *(func.sum(table.c[name]) for name in sums)).group_by(*others)
    inside = (table.c.day >= span[0], table.c.day < span[1])
    joined = connection.execute(wanted.where(*inside)).all()
    before = connection.execute(delete(table).where(*inside)).rowcount
    place = list(keys).index("day")
    rows = []
    for row in joined:
        values: list[Any] = [int(value) if not isinstance(value, str) else value for value in row]
        values.insert(place, days(span[0]))
        if any(values[len(keys) :]):
            rows.append(tuple(values))
    bulk.insert(connection, table, [*keys, *sums], rows)
    return before - len(rows)
