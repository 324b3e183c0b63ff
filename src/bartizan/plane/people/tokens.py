"""Tokens of the interface: each person's own, for some of what they may, until a day within the year.

A token is shown once. What it may is never more than its person may at the
time it is used; and no token makes another, so that one that leaks ends.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from starlette.responses import RedirectResponse

from bartizan.base.errors import SpecError
from bartizan.plane.people.identity import SCOPES
from bartizan.plane.recording import recorded
from bartizan.plane.render import page
from bartizan.plane.site import Asked, ForbiddenError, Route, missing
from bartizan.stores import accounts, people
from bartizan.stores.bulk import storable

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.responses import Response

BEGINNING: Final = "bartizan_"
"""So that scanners for secrets know one."""
_LONGEST_NAME: Final = 100
_DAYS: Final = 365
_LIVE: Final = 50
_WHAT: Final = {
    "read": "see what its person sees",
    "ask": "ask for waivers",
    "operate": "let clusters join, have them checked",
    "approve": "decide on waivers, attest",
    "administer": "change people and roles, read the log",
}


def _tokens(asked: Asked) -> Response:
    return _page(asked)


def _page(asked: Asked, made: str = "") -> Response:
    number = _own(asked)
    with asked.site.store.reading() as connection:
        tokens = accounts.tokens_of(connection, number)
    offered = [(scope, _WHAT[scope], asked.viewer.may(permission)) for scope, permission in SCOPES.items()]
    answer = page(asked, "people_tokens.html", tokens=tokens, made=made, offered=offered, days=_DAYS)
    if made:
        answer.headers["Cache-Control"] = "no-store"
    return answer


def _make(asked: Asked) -> Response:
    number, now, fields = _own(asked), asked.site.now(), asked.form()
    name, days = fields.get("name", "").strip(), fields.get("days", "")
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
        raise SpecError("a token needs a name", hint="Name what will use it, so that it can be revoked later.")
    if not days.isascii() or not days.isdecimal() or len(days) > 4 or not 1 <= int(days) <= _DAYS:
        raise SpecError(f"a token lasts from 1 to {_DAYS} days", hint="Give a number of days.")
    scopes = [
        scope for scope, permission in SCOPES.items() if f"scope_{scope}" in fields and asked.viewer.may(permission)
    ]
    if not scopes:
        raise SpecError("a token needs something that it may", hint="Choose at least one.")
    secret = BEGINNING + secrets.token_urlsafe(32)
    ends = now + timedelta(days=int(days))

    def work(connection: Connection) -> None:
        live = [row for row in accounts.tokens_of(connection, number) if row.revoked_at is None and row.ends_at > now]
        if len(live) >= _LIVE:
            raise SpecError(f"nobody has more than {_LIVE} tokens", hint="Revoke those that nothing uses.")
        more = {"name": storable(name), "account": number, "scopes": scopes, "ends_at": ends}
        made = people.add_token(connection, secret, now, **more)
        told = {"name": name, "scopes": scopes, "ends_at": ends.isoformat()}
        recorded(asked, connection, "token.made", f"token {made}", told)

    asked.site.store.write(work)
    return _page(asked, secret)


def _revoke(asked: Asked) -> Response:
    number = asked.path["number"]

    def work(connection: Connection) -> bool:
        found = accounts.token_of(connection, number)
        mine = found is not None and found.account == asked.viewer.account
        if found is None or not (mine or asked.viewer.may_everywhere("administer")):
            raise missing("such token")
        people.revoke(connection, number, asked.site.now())
        recorded(asked, connection, "token.revoked", f"token {number}", {"name": found.name, "of": found.owner})
        return mine

    mine = asked.site.store.write(work)
    return RedirectResponse("/tokens" if mine else "/people", 303)


def _own(asked: Asked) -> int:
    """The account of who asks, in person.

    Raises:
        ForbiddenError: it is a token that asks.
    """
    if asked.viewer.account is None or asked.viewer.token is not None:
        raise ForbiddenError("no token makes another", hint="Sign in, and make it there.")
    return asked.viewer.account


ROUTES = (
    Route("GET", "/tokens", _tokens),
    Route("POST", "/tokens", _make),
    Route("POST", "/tokens/{number:int}/revoke", _revoke),
)
