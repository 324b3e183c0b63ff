"""The audit log in pages, the newest act first: for administrators of the whole fleet alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select

from bartizan.stores.bulk import storable
from bartizan.stores.queries.pages import Page, Part, paged
from bartizan.stores.schema import audit

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


class ActView(NamedTuple):
    """An act as it was written down. `digest` binds it to all before it."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: dict[str, Any]
    digest: str


class Wanted(NamedTuple):
    """Which acts; what is empty does not choose. `action` is one, or with a dot at its end all that begin so."""

    actor: str = ""
    action: str = ""
    subject: str = ""


def acts(connection: Connection, wanted: Wanted, page: Page) -> Part[ActView]:
    """A page of the log."""
    query = select(audit)
    for given, column in ((wanted.actor, audit.c.actor), (wanted.subject, audit.c.subject)):
        if given:
            query = query.where(column == storable(given))
    if wanted.action.endswith("."):
        query = query.where(audit.c.action.startswith(storable(wanted.action), autoescape=True))
    elif wanted.action:
        query = query.where(audit.c.action == storable(wanted.action))
    return paged(connection, query, [audit.c.id], page, _read)


def latest(connection: Connection) -> ActView | None:
    """The newest act: its digest, kept elsewhere, shows later whether the log was cut off."""
    row = connection.execute(select(audit).order_by(audit.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _read(row)


def _read(row: Any) -> ActView:
    return ActView(row.id, row.at, row.actor, row.action, row.subject, row.details, bytes(row.digest).hex())
