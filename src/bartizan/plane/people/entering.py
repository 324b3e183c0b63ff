"""The first way in: a link that the command prints, which works once and needs no password.

A plane on a laptop has one person, who started it; so whoever can read what
the command printed is the administrator. There is no default password.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from starlette.responses import RedirectResponse

from bartizan.plane.people.identity import COOKIE
from bartizan.plane.site import Asked, ForbiddenError, Route
from bartizan.stores import people
from bartizan.stores.scope import Grant

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.responses import Response

    from bartizan.plane.site import Site

SESSION: Final = timedelta(hours=12)
_LINK: Final = timedelta(hours=1)
_LOCAL: Final = "admin"
_PURPOSE: Final = "first link"


def first_link(site: Site) -> str:
    """Make the path of a link that signs in the administrator of this plane, once and within the hour."""
    secret = secrets.token_urlsafe(32)
    now = site.now()

    def work(connection: Connection) -> None:
        row = people.account_of(connection, _LOCAL)
        number = people.add_account(connection, _LOCAL, now) if row is None else int(row.id)
        people.give_role(connection, "admin", Grant(), number)
        people.add_token(connection, secret, now, name=_PURPOSE, account=number, scopes=["enter"], ends_at=now + _LINK)

    site.store.write(work)
    return f"/enter?key={secret}"


def _enter(asked: Asked) -> Response:
    site, secret, session = asked.site, asked.query.get("key", ""), secrets.token_urlsafe(32)
    now = site.now()

    def work(connection: Connection) -> bool:
        bearer = people.bearer(connection, secret, now)
        if bearer is None or bearer.account is None or bearer.scopes != ("enter",):
            return False
        people.revoke(connection, bearer.number, now)
        people.begin_session(connection, session, bearer.account, (now, now + SESSION))
        return True

    if not site.store.write(work):
        raise ForbiddenError("this link was used, or is too old", hint="Start `bartizan up` again for another.")
    answer = RedirectResponse("/", 303)
    answer.set_cookie(COOKIE, session, int(SESSION.total_seconds()), httponly=True, samesite="lax", path="/",
                      secure=asked.request.url.scheme == "https")  # fmt: skip
    return answer


ROUTES = (Route("GET", "/enter", _enter, needs=None),)
