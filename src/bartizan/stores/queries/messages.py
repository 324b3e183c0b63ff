"""Messages that wait, were sent, or are dead: what an operator looks at when nobody heard of something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy import func, select

from bartizan.stores.queries.pages import paged
from bartizan.stores.schema import outbox

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from bartizan.stores.queries.pages import Page, Part

MessageState = Literal["waiting", "sent", "dead"]
STATES: Final[tuple[MessageState, ...]] = ("waiting", "sent", "dead")


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message. `last_error` is why it did not arrive when it was tried last."""

    number: int
    key: str
    target: str
    message: Any
    state: MessageState
    created_at: datetime
    due_at: datetime
    ended_at: datetime | None
    attempts: int
    last_error: str


def messages(
    connection: Connection, page: Page, states: Sequence[MessageState] = ("waiting", "dead"), target: str = ""
) -> Part[MessageView]:
    """Messages of these states, the newest first. For who may see the whole fleet: they name what is in it."""
    wanted = select(outbox).where(outbox.c.state.in_(states))
    if target:
        wanted = wanted.where(outbox.c.target == target)
    return paged(connection, wanted, [outbox.c.id], page, _read)


def message_counts(connection: Connection) -> dict[str, dict[MessageState, int]]:
    """How many messages of each target are in each state, for a page and for metrics."""
    wanted = select(outbox.c.target, outbox.c.state, func.count()).where(outbox.c.state.in_(STATES))
    found: dict[str, dict[MessageState, int]] = {}
    for target, state, count in connection.execute(wanted.group_by(outbox.c.target, outbox.c.state)):
        found.setdefault(target, {})[state] = int(count)
    return found


def _read(row: Any) -> MessageView:
    words = (row.id, row.key, row.target, row.message, row.state)
    return MessageView(*words, row.created_at, row.due_at, row.ended_at, row.attempts, row.last_error)
