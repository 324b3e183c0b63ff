"""How often something may be done, held for all processes that share the store.

One number a key: the time until which what was had is spread, if it were had
at its even rate (the generic cell rate algorithm). So a row says all, two
that knock at once cannot both have the last one, and what is over is removed.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import BigInteger, case, delete, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from bartizan.stores.schema import throttle
from bartizan.stores.schema.columns import micros

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


class Rate(NamedTuple):
    """`burst` at once, then one `every`."""

    burst: int
    every: timedelta


def take(connection: Connection, key: bytes, rate: Rate, at: datetime) -> timedelta:
    """Have one of what `key` names. Returns how long to wait where nothing is left; zero where it was had."""
    now, every = micros(at), rate.every // timedelta(microseconds=1)
    latest = now + every * (rate.burst - 1)
    connection.execute(delete(throttle).where(throttle.c.until < now))
    made: Any = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(throttle)
    later = case((throttle.c.until > now, throttle.c.until), else_=literal(now, BigInteger)) + every
    had = made.values(key=key, until=now + every).on_conflict_do_update(
        index_elements=[throttle.c.key], set_={"until": later}, where=throttle.c.until <= latest
    )
    if connection.execute(had.returning(throttle.c.until)).scalar() is not None:
        return timedelta()
    until = connection.execute(select(throttle.c.until).where(throttle.c.key == key)).scalar_one()
    return timedelta(microseconds=max(until - latest, 1))


def forget(connection: Connection, key: bytes) -> None:
    """Begin anew with a key: who knocked turned out to be known."""
    connection.execute(delete(throttle).where(throttle.c.key == key))
