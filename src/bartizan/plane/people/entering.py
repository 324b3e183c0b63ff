"""The first way in: a link that the command prints, which works once and needs no password.

A plane on a laptop has one person, who started it; so whoever can read what
the command printed is the administrator. There is no default password.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bartizan.plane.limits import Limit
from bartizan.plane.people import sessions
from bartizan.plane.recording import noted
from bartizan.plane.site import Asked, ForbiddenError, Route
from bartizan.stores import accounts, people
from bartizan.stores.scope import Grant

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.responses import Response

    from bartizan.plane.site import Site

_LINK: Final = timedelta(hours=1)
_LOCAL: Final = "admin"
_PURPOSE: Final = "first link"
_KNOCKS: Final = Limit("first link", burst=20, every_s=10, by="address", shared=True)


def first_link(site: Site) -> str:
    """Make the path of a link that signs in the administrator of this plane, once and within the hour.

    Where an administrator has disabled that account, it stays shut: the path is of the sign-in page.
    """
    secret = secrets.token_urlsafe(32)
    now = site.now()

    def work(connection: Connection) -> bool:
        row = accounts.named(connection, _LOCAL)
        if row is not None and (row.disabled or row.issuer):
            return False
        number = people.add_account(connection, _LOCAL, now) if row is None else int(row.id)
        if ("admin", Grant()) not in people.roles(connection, number):
            people.give_role(connection, "admin", Grant(), number)
            noted(site, connection, "bartizan up", "role.given", f"account {number}", {"role": "admin"})
        people.add_token(connection, secret, now, name=_PURPOSE, account=number, scopes=["enter"], ends_at=now + _LINK)
        noted(site, connection, "bartizan up", "link.made", f"account {number}")
        return True

    return f"/enter?key={secret}" if site.store.write(work) else "/sign-in"


def _enter(asked: Asked) -> Response:
    site, key = asked.site, asked.query.get("key", "")

    def work(connection: Connection) -> str | None:
        bearer = people.bearer(connection, key, site.now())
        if bearer is None or bearer.account is None or bearer.scopes != ("enter",):
            return None
        people.revoke(connection, bearer.number, site.now())
        return sessions.begin(asked, connection, bearer.account, "link")

    secret = site.store.write(work)
    if secret is None:
        raise ForbiddenError("this link was used, or is too old", hint="Start `bartizan up` again for another.")
    return sessions.enter(asked, secret)


ROUTES = (Route("GET", "/enter", _enter, needs=None, limit=_KNOCKS),)
