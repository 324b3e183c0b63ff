"""Sessions: begun with a new secret at each sign-in, kept in a cookie that scripts cannot read, and ended for good.

Also what a browser itself is told to keep: which theme it likes.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import RedirectResponse

from bartizan.base.errors import SpecError
from bartizan.plane.people.identity import COOKIE
from bartizan.plane.recording import noted
from bartizan.plane.render import THEME
from bartizan.plane.site import Asked, Route
from bartizan.stores import accounts, people

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.responses import Response

SESSION: Final = timedelta(hours=12)
_YEAR_S: Final = 365 * 24 * 3600
_LONGEST: Final = 2000
"""Characters of a place to go back to."""


def begin(asked: Asked, connection: Connection, number: int, how: str, **more: Any) -> str:
    """Begin a session of an account, in the transaction that let its person in. Returns the secret.

    The session that this browser had before ends: nobody who knew it comes in
    with the next one. `more` is as in `people.begin_session`.
    """
    now, secret = asked.site.now(), secrets.token_urlsafe(32)
    before = asked.request.cookies.get(COOKIE, "")
    if before:
        people.end_session(connection, before)
    people.begin_session(connection, secret, number, (now, now + SESSION), **more)
    accounts.signed_in(connection, number, now)
    found = accounts.one(connection, number)
    noted(asked.site, connection, found.name if found else "", "session.begun", f"account {number}", {"how": how})
    return secret


def enter(asked: Asked, secret: str, back: str = "/") -> Response:
    """Lead somebody on who was let in."""
    answer = RedirectResponse(local_path(back), 303)
    _set(asked, answer, COOKIE, secret, int(SESSION.total_seconds()))
    return answer


def leave(asked: Asked, answer: Response) -> Response:
    """Let a browser forget its session."""
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=is_secure(asked))
    return answer


def is_secure(asked: Asked) -> bool:
    """Whether the browser speaks HTTPS with this plane, itself or by a proxy."""
    return asked.request.url.scheme == "https" or asked.site.settings.public_url.startswith("https:")


def local_path(wished: str) -> str:
    """A place of this plane to go to; its beginning, where what was wished could lead to another host."""
    harmless = wished.isprintable() and "\\" not in wished and len(wished) <= _LONGEST
    return wished if harmless and wished.startswith("/") and not wished.startswith("//") else "/"


def _theme(asked: Asked) -> Response:
    fields = asked.form()
    theme = fields.get("theme", "")
    if theme not in ("", "light", "dark"):
        raise SpecError("there is no such theme", hint="Choose `light`, `dark`, or neither.")
    answer = RedirectResponse(local_path(fields.get("back", "/")), 303)
    _set(asked, answer, THEME, theme, _YEAR_S if theme else 0)
    return answer


def _set(asked: Asked, answer: Response, name: str, value: str, span_s: int) -> None:
    answer.set_cookie(name, value, span_s, path="/", httponly=True, samesite="lax", secure=is_secure(asked))


ROUTES = (Route("POST", "/theme", _theme, needs=None, body_bytes=8192),)
