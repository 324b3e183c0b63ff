"""The log of all that people and programs changed: written once, each row bound to the one before it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

import orjson
from sqlalchemy import insert, select, text

from bartizan.stores.bulk import storable
from bartizan.stores.schema import audit
from bartizan.stores.schema.columns import micros

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection

_LOCK: Final = 0x61756469  # "audi": one writer at a time, for each row needs the one before
_BEGINNING: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Act:
    """Something that somebody did."""

    at: datetime
    actor: str
    action: str
    subject: str
    details: Mapping[str, Any]


def record(connection: Connection, act: Act) -> int:
    """Write an act down, in the transaction that does it: neither is there without the other."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    last = connection.execute(select(audit.c.id, audit.c.digest).order_by(audit.c.id.desc()).limit(1)).one_or_none()
    number, before = (last.id + 1, bytes(last.digest)) if last else (1, _BEGINNING)
    words = (storable(act.actor), storable(act.action), storable(act.subject))
    details = orjson.loads(storable(orjson.dumps(dict(act.details), default=str).decode()))
    digest = _digest(before, (number, micros(act.at), *words, details))
    row = dict(zip(("actor", "action", "subject"), words, strict=True))
    connection.execute(insert(audit).values(id=number, at=act.at, details=details, digest=digest, **row))
    return number


def broken_at(connection: Connection) -> int | None:
    """The first row of the log that does not follow from the one before it; nothing where all do.

    A log that was cut off at its end still follows: keep the last digest
    elsewhere, as an export does, and compare it.
    """
    before, expected = _BEGINNING, 1
    wanted = select(audit).order_by(audit.c.id).execution_options(yield_per=1000)
    with connection.execute(wanted) as rows:
        for row in rows:
            told = (row.id, micros(row.at), row.actor, row.action, row.subject, row.details)
            if row.id != expected or bytes(row.digest) != _digest(before, told):
                return expected
            before, expected = bytes(row.digest), expected + 1
    return None


def _digest(before: bytes, row: tuple[Any, ...]) -> bytes:
    return blake2b(before + orjson.dumps(row, option=orjson.OPT_SORT_KEYS), digest_size=32).digest()
