"""The tokens that agents report with, by member: when each was made, used and ends, and never the token."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from bartizan.stores.schema import token

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection


class AgentToken(NamedTuple):
    """A token of a member's agent that was not revoked."""

    number: int
    created_at: datetime
    ends_at: datetime | None
    used_at: datetime | None


def agent_tokens(connection: Connection, clusters: Sequence[int]) -> dict[int, list[AgentToken]]:
    """The tokens of clusters that the caller has found its viewer to see, the newest first."""
    if not clusters:
        return {}
    columns = (token.c.cluster, token.c.id, token.c.created_at, token.c.ends_at, token.c.used_at)
    wanted = select(*columns).where(token.c.cluster.in_(clusters), token.c.revoked_at.is_(None))
    found: dict[int, list[AgentToken]] = {}
    for row in connection.execute(wanted.order_by(token.c.id.desc())):
        found.setdefault(row.cluster, []).append(AgentToken(*row[1:]))
    return found
