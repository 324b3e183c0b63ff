"""Sign-in by a password of this plane, how a password is set, and sign-out.

Guessing is counted for each account and each network, in the store. So who
guesses at one account can keep its person from its password for a while, but
not from a session, from the provider, nor from the link that `bartizan up`
prints.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from starlette.responses import RedirectResponse

from bartizan.base.errors import BartizanError, SpecError
from bartizan.plane.limits import Limit, address, demand, key_of
from bartizan.plane.people import passwords, sessions
from bartizan.plane.people.oidc import doors as oidc
from bartizan.plane.people.sign_in import sign_in_of
from bartizan.plane.recording import noted, recorded
from bartizan.plane.render import page
from bartizan.plane.site import Asked, ForbiddenError, Route
from bartizan.plane.viewer import Viewer
from bartizan.stores import accounts, people, throttle

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.responses import Response

    from bartizan.plane.site import Site

LINK: Final = timedelta(hours=24)
_BY_ADDRESS: Final = Limit("sign-in by address", burst=30, every_s=10, by="address", shared=True)
_BY_ACCOUNT: Final = Limit("sign-in by account", burst=10, every_s=60, shared=True)
_SCOPE: Final = "password"
_LONGEST_NAME: Final = 200
_BODY: Final = 16_384
_LOG: Final = logging.getLogger("bartizan.plane.people")


class _Who(NamedTuple):
    """Whose password is to be set, and what lets them: a link, or the session they are in."""

    number: int
    name: str
    key: str


def password_link(site: Site, connection: Connection, number: int) -> str:
    """Make the path of a link by which the person of an account sets its password, once and within a day."""
    secret, now = secrets.token_urlsafe(32), site.now()
    accounts.end_links(connection, number, _SCOPE, now)
    people.add_token(connection, secret, now, name="password link", account=number, scopes=[_SCOPE], ends_at=now + LINK)
    return f"/password?key={secret}"


def _page(asked: Asked) -> Response:
    return _sign_in_page(asked, asked.query.get("back", "/"))


def _sign_in_page(asked: Asked, back: str, error: BartizanError | None = None) -> Response:
    told = sign_in_of(asked.site)
    place = sessions.local_path(back)
    return page(
        asked,
        "sign_in.html",
        200 if error is None else 403,
        error=error,
        back=place,
        local=told.local,
        provider=told.name if told.issuer else "",
        provider_place=f"/sign-in/oidc?back={quote(place, safe='')}",
    )


def _sign_in(asked: Asked) -> Response:
    site, fields = asked.site, asked.form()
    if not sign_in_of(site).local:
        raise ForbiddenError("local accounts do not sign in here", hint="Sign in by the provider.")
    name, password = fields.get("name", "").strip()[:_LONGEST_NAME], fields.get("password", "")
    key = key_of(site, _BY_ACCOUNT.name, name)
    demand(site, key, _BY_ACCOUNT)
    number = _fitting(site, name, password)
    secret = None
    if number is not None:
        secret = site.store.write(lambda connection: _let_in(asked, connection, (number, password), key))
    if secret is None:
        _LOG.warning("sign_in.refused", extra={"address": address(asked.request)})
        hint = "Try again, or ask an administrator for a link to a new password."
        error = ForbiddenError("the name and the password do not belong together", hint=hint)
        return _sign_in_page(asked, fields.get("back", "/"), error)
    return sessions.enter(asked, secret, fields.get("back", "/"))


def _fitting(site: Site, name: str, password: str) -> int | None:
    """The account that a name and a password open. A name that nobody has takes as long as one that somebody has."""
    with site.store.reading() as connection:
        row = accounts.named(connection, name)
    known = row is not None and not row.issuer and not row.disabled
    fits = passwords.fits(password, row.password_hash if row is not None and known else "")
    return int(row.id) if row is not None and fits else None


def _let_in(asked: Asked, connection: Connection, who: tuple[int, str], key: bytes) -> str | None:
    number, password = who
    row: Any = accounts.kept_password(connection, number)
    if row is None:
        return None  # disabled while the password was tried
    throttle.forget(connection, key)
    if passwords.is_of_old(row.password_hash):
        accounts.set_password(connection, number, passwords.hashed(password))
    return sessions.begin(asked, connection, number, "password")


def _sign_out(asked: Asked) -> Response:
    site, secret = asked.site, asked.viewer.session
    try:
        onward = oidc.farewell(asked)
    except BartizanError:
        onward = ""  # the provider is away: who leaves here leaves
    if secret:

        def work(connection: Connection) -> None:
            people.end_session(connection, secret)
            recorded(asked, connection, "session.ended", f"account {asked.viewer.account}")

        site.store.write(work)
    if not onward:
        return sessions.leave(asked, RedirectResponse("/sign-in", 303))
    # by a header and not by a redirect: `form-action` keeps a form's answer from leading to another host
    gone = replace(asked, viewer=Viewer("", ()))
    answer = sessions.leave(asked, page(gone, "sign_in_left.html", onward=onward, provider=sign_in_of(site).name))
    answer.headers["Refresh"] = f"0; url={onward}"
    return answer


def _password_page(asked: Asked) -> Response:
    who = _allowed(asked, asked.query.get("key", ""))
    return page(asked, "people_password.html", name=who.name, key=who.key, shortest=passwords.SHORTEST)


def _set_password(asked: Asked) -> Response:
    site, fields = asked.site, asked.form()
    who = _allowed(asked, fields.get("key", ""))
    password = fields.get("password", "")
    if password != fields.get("again", ""):
        raise SpecError("the two passwords differ", hint="Go back, and write it twice.")
    passwords.check(password, who.name)
    if not who.key:
        demand(site, key_of(site, _BY_ACCOUNT.name, who.name), _BY_ACCOUNT)
        if _fitting(site, who.name, fields.get("current", "")) != who.number:
            raise ForbiddenError("the current password is another", hint="Ask an administrator for a link.")
    hashed = passwords.hashed(password)

    def work(connection: Connection) -> str:
        if who.key:
            bearer = people.bearer(connection, who.key, site.now())
            if bearer is None:
                raise _used_up()
            people.revoke(connection, bearer.number, site.now())
        accounts.set_password(connection, who.number, hashed)
        people.end_sessions(connection, who.number)
        noted(site, connection, who.name, "password.set", f"account {who.number}", {"by_link": bool(who.key)})
        throttle.forget(connection, key_of(site, _BY_ACCOUNT.name, who.name))
        return sessions.begin(asked, connection, who.number, "new password")

    return sessions.enter(asked, site.store.write(work))


def _allowed(asked: Asked, key: str) -> _Who:
    """Whose password may be set.

    Raises:
        ForbiddenError: the link was used or is too old, or who is signed in has no password here.
    """
    site, viewer = asked.site, asked.viewer
    with site.store.reading() as connection:
        if key:
            bearer = people.bearer(connection, key, site.now())
            if bearer is None or bearer.account is None or bearer.scopes != (_SCOPE,):
                raise _used_up()
            return _Who(bearer.account, bearer.name, key)
        found = accounts.one(connection, viewer.account) if viewer.account and viewer.session else None
    if found is None or not found.has_password:
        raise ForbiddenError("there is no password of yours here", hint="Ask an administrator for a link.")
    return _Who(found.number, found.name, "")


def _used_up() -> ForbiddenError:
    return ForbiddenError("this link was used, or is too old", hint="Ask an administrator for another.")


ROUTES = (
    Route("GET", "/sign-in", _page, needs=None),
    Route("POST", "/sign-in", _sign_in, needs=None, body_bytes=_BODY, limit=_BY_ADDRESS),
    Route("POST", "/sign-out", _sign_out, needs=None, body_bytes=_BODY),
    Route("GET", "/password", _password_page, needs=None, limit=_BY_ADDRESS),
    Route("POST", "/password", _set_password, needs=None, body_bytes=_BODY, limit=_BY_ADDRESS),
)
