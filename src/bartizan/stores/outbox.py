"""Messages that are to be sent, until they are: at least once each, and never lost with the sender.

A message may be put in before it is due, and grow until then: see `collect`.
Who sends at the same time as others takes `alone` first, so that a target's
rate is that of all senders together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, func, or_, select, text, update

from bartizan.stores.bulk import unless_there
from bartizan.stores.schema import outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Connection

_LOCK: Final = 0x6F757462  # "outb"


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one target; `attempts` counts the one that is made now."""

    number: int
    key: str
    target: str
    message: Any
    attempts: int


def post(connection: Connection, key: str, target: str, message: Any, at: datetime) -> bool:
    """Put a message in, in the transaction that gives reason to it. Says whether it is new: a key is sent once."""
    row = {"key": key, "target": target, "message": message, "state": "waiting", "due_at": at, "created_at": at}
    return connection.execute(unless_there(connection, outbox).returning(outbox.c.id), row).scalar() is not None


def collect(
    connection: Connection, key: str, target: str, due_at: datetime, at: datetime, grow: Callable[[Any | None], Any]
) -> bool:
    """Put a message in that is not due yet, or let the one of this key grow. Says whether it did either.

    `grow` gets the message that is there, or nothing, and returns the one to
    be kept. One that was claimed already does not grow: the caller chooses
    another key.
    """
    row = connection.execute(select(outbox).where(outbox.c.key == key).with_for_update()).one_or_none()
    if row is None:
        values = {"key": key, "target": target, "message": grow(None), "state": "waiting"}
        made = unless_there(connection, outbox).returning(outbox.c.id)
        return connection.execute(made, {**values, "due_at": due_at, "created_at": at}).scalar() is not None
    if row.state != "waiting" or row.attempts:
        return False
    connection.execute(update(outbox).where(outbox.c.id == row.id).values(message=grow(row.message)))
    return True


def told(connection: Connection, event: str, at: datetime) -> bool:
    """Note that an event was told. Says whether it was not before; kept for as long as messages are."""
    row = {"key": f"told:{event}", "target": "", "message": None, "state": "told", "due_at": at, "created_at": at}
    made = unless_there(connection, outbox).returning(outbox.c.id)
    return connection.execute(made, {**row, "ended_at": at}).scalar() is not None


def alone(connection: Connection) -> None:
    """Let no other transaction that asks for this go on until this one ends. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def due_targets(connection: Connection, at: datetime) -> list[str]:
    """The targets that messages are due for."""
    due = select(outbox.c.target).where(outbox.c.state == "waiting", outbox.c.due_at <= at)
    return list(connection.execute(due.distinct().order_by(outbox.c.target)).scalars())


def used(connection: Connection, target: str, since: datetime, at: datetime, lease: timedelta) -> int:
    """How many messages to a target were tried since a time: those that arrived, and those claimed and not yet done.

    One that failed and is tried again within a lease counts too: it was a request as well.
    """
    arrived = and_(outbox.c.state == "sent", outbox.c.due_at > since, outbox.c.ended_at > since)
    tried = and_(
        outbox.c.state == "waiting", outbox.c.due_at > at, outbox.c.due_at <= at + lease, outbox.c.attempts > 0
    )
    wanted = select(func.count()).select_from(outbox).where(outbox.c.target == target, or_(arrived, tried))
    return int(connection.execute(wanted).scalar_one())


def claim(
    connection: Connection, at: datetime, lease: timedelta, limit: int = 50, target: str | None = None
) -> list[Message]:
    """Take messages that are due, of all targets or one.

    Who does not say within the lease what became of one has lost it to the next.
    """
    whose = [] if target is None else [outbox.c.target == target]
    due = (
        select(outbox)
        .where(outbox.c.state == "waiting", outbox.c.due_at <= at, *whose)
        .order_by(outbox.c.due_at, outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(due).all()
    numbers = [row.id for row in rows]
    taken = update(outbox).where(outbox.c.id.in_(numbers)).values(due_at=at + lease, attempts=outbox.c.attempts + 1)
    connection.execute(taken)
    return [Message(row.id, row.key, row.target, row.message, row.attempts + 1) for row in rows]


def sent(connection: Connection, number: int, at: datetime, note: str = "") -> None:
    """Say that a message has arrived, and what to note of it: a recipient of several that was refused."""
    values = {"state": "sent", "ended_at": at, "last_error": note[:1000]}
    connection.execute(update(outbox).where(outbox.c.id == number).values(values))


def release(connection: Connection, numbers: Sequence[int], at: datetime) -> None:
    """Give back messages that were claimed and not tried: due again at a time, with no attempt counted."""
    mine = and_(outbox.c.id.in_(numbers), outbox.c.state == "waiting", outbox.c.attempts > 0)
    connection.execute(update(outbox).where(mine).values(due_at=at, attempts=outbox.c.attempts - 1))


def postpone(connection: Connection, target: str, until: datetime) -> None:
    """Let all that waits for a target wait until a time at least: it has asked for that."""
    early = and_(outbox.c.target == target, outbox.c.state == "waiting", outbox.c.due_at < until)
    connection.execute(update(outbox).where(early).values(due_at=until))


def failed(connection: Connection, number: int, error: str, again: datetime | None, at: datetime) -> None:
    """Say that a message has not arrived; tried again at a time, or dead and for a person to look at."""
    values: dict[str, Any] = {"last_error": error[:1000]}
    values |= {"due_at": again} if again else {"state": "dead", "ended_at": at}
    mine = and_(outbox.c.id == number, outbox.c.state == "waiting")  # another sender may have been luckier since
    connection.execute(update(outbox).where(mine).values(values))


def again(connection: Connection, number: int, at: datetime) -> bool:
    """Let a dead message live again, as if never tried, under its old key. Says whether there was one."""
    mine = and_(outbox.c.id == number, outbox.c.state == "dead")
    values = {"state": "waiting", "due_at": at, "ended_at": None, "attempts": 0}
    return connection.execute(update(outbox).where(mine).values(**values)).rowcount > 0
