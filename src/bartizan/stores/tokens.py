"""The tokens of an account, as their owner sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from bartizan.stores.schema import token

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

_SCOPES = frozenset({"read", "ask", "operate", "approve", "administer"})


def of_account(connection: Connection, number: int) -> list[Row[*tuple[Any, ...]]]:
    """The tokens of an account, the newest first; what only opens a door once is none."""
    columns = (token.c.id, token.c.name, token.c.scopes, token.c.created_at, token.c.ends_at, token.c.revoked_at)
    wanted = select(*columns, token.c.used_at).where(token.c.account == number).order_by(token.c.id.desc())
    return [row for row in connection.execute(wanted) if set(row.scopes) <= _SCOPES]
