"""Answers kept for a day, so that a change that is sent twice is done once and answered alike.

The key is taken before the change is made, in its transaction: of two that
come at the same time the second waits for the first, and then reads what was
answered to it. What failed keeps nothing, and may be tried again.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import delete, select, update

from bartizan.stores.bulk import unless_there
from bartizan.stores.schema import answer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection

KEPT: Final = timedelta(days=1)
"""For how long an answer is kept: a client that was cut off tries again within minutes."""
_AT_ONCE: Final = 100
"""Old answers that one new one takes away; so nothing else has to."""


class Kept(NamedTuple):
    """An answer; `request` is the digest of what it answers."""

    request: bytes
    status: int
    headers: dict[str, str]
    body: bytes


def digest_of(*parts: str | bytes) -> bytes:
    """A digest of parts, no two of which can be moved into one another."""
    made = blake2b(digest_size=32)
    for part in parts:
        words = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        made.update(len(words).to_bytes(8, "big") + words)
    return made.digest()


def take(connection: Connection, key: bytes, request: bytes, at: datetime) -> Kept | None:
    """Take a key for a change that is about to be made; or return what was answered to it before."""
    old = select(answer.c.key).where(answer.c.at <= at - KEPT).limit(_AT_ONCE)
    connection.execute(delete(answer).where(answer.c.key.in_(old)))
    connection.execute(delete(answer).where(answer.c.key == key, answer.c.at <= at - KEPT))
    values = {"key": key, "request": request, "at": at}
    taken = unless_there(connection, answer).values(values).returning(answer.c.key)
    if connection.execute(taken).first() is not None:
        return None
    row: Any = connection.execute(select(answer).where(answer.c.key == key)).one()
    return Kept(bytes(row.request), row.status, row.headers, bytes(row.body or b""))


def keep(connection: Connection, key: bytes, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Keep what was answered, sealed where it must be."""
    values = {"status": status, "headers": dict(headers), "body": body}
    connection.execute(update(answer).where(answer.c.key == key).values(values))
