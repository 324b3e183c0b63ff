"""Messages that are to be sent, until they are: at least once each, and never lost with the sender."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from bartizan.stores.bulk import unless_there
from bartizan.stores.schema import outbox

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy import Connection


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


def claim(connection: Connection, at: datetime, lease: timedelta, limit: int = 50) -> list[Message]:
    """Take messages that are due. Who does not say within the lease what became of one has lost it to the next."""
    due = (
        select(outbox)
        .where(outbox.c.state == "waiting", outbox.c.due_at <= at)
        .order_by(outbox.c.due_at, outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(due).all()
    numbers = [row.id for row in rows]
    taken = update(outbox).where(outbox.c.id.in_(numbers)).values(due_at=at + lease, attempts=outbox.c.attempts + 1)
    connection.execute(taken)
    return [Message(row.id, row.key, row.target, row.message, row.attempts + 1) for row in rows]


def waiting(connection: Connection) -> dict[str, int]:
    """How many messages are waiting, and how many are dead."""
    counted = select(outbox.c.state, func.count()).where(outbox.c.state.in_(("waiting", "dead")))
    return {"waiting": 0, "dead": 0} | {row[0]: row[1] for row in connection.execute(counted.group_by(outbox.c.state))}


def sent(connection: Connection, number: int, at: datetime) -> None:
    """Say that a message has arrived."""
    connection.execute(update(outbox).where(outbox.c.id == number).values(state="sent", ended_at=at, last_error=""))


def failed(connection: Connection, number: int, error: str, again: datetime | None, at: datetime) -> None:
    """Say that a message has not arrived; tried again at a time, or dead and for a person to look at."""
    values: dict[str, Any] = {"last_error": error[:1000]}
    values |= {"due_at": again} if again else {"state": "dead", "ended_at": at}
    connection.execute(update(outbox).where(outbox.c.id == number).values(values))
