"""Tokens of one's own: made, listed and revoked. What a token opens is told once and kept nowhere."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from bartizan.base.errors import SpecError
from bartizan.plane.api.filters import Numbered, Paging, links, part
from bartizan.plane.api.operation import Call, Nothing, Operation, Told
from bartizan.plane.api.records import Next
from bartizan.plane.people.identity import SCOPES
from bartizan.plane.people.tokens import BEGINNING
from bartizan.plane.site import ForbiddenError, missing
from bartizan.stores import accounts, people

if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy import Connection


_LONGEST: Final = timedelta(days=366)
TokenScope: TypeAlias = Literal["read", "ask", "operate", "approve", "administer"]
_LIVE: Final = 50
"""Tokens of one person that open something at a time."""


class Making(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token to be made: what it is for, what it may do of what you may, and until when, within a year."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    scopes: Annotated[tuple[TokenScope, ...], Meta(min_length=1, max_length=5)]
    ends_at: Annotated[datetime, Meta(tz=True)]


class Token(msgspec.Struct, frozen=True):
    """A token, without what it opens by."""

    number: int
    name: str
    scopes: tuple[TokenScope, ...]
    created_at: datetime
    ends_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None


class Tokens(msgspec.Struct, frozen=True):
    """A page of your tokens, the newest first."""

    items: list[Token]
    next: Next


class NewToken(msgspec.Struct, frozen=True):
    """A token that was made. `secret` is told this once."""

    token: Token
    secret: str


def _list(call: Call[Paging, Nothing], connection: Connection) -> Told:
    found = accounts.tokens_of(connection, _account(call))
    rows, after = part(found, lambda row: f"{2**63 - row.id:020}", call.given.limit, call.given.after)
    return Told(Tokens([_told(row) for row in rows], after), links(call, after))


def _make(call: Call[Nothing, Making], connection: Connection) -> Told:
    number, body = _account(call), call.body
    if call.asked.viewer.token is not None:  # so that one that leaks ends
        raise ForbiddenError("no token makes another", hint="Sign in, and make it there.")
    scopes = sorted(set(body.scopes))
    for scope in scopes:
        if not call.asked.viewer.may(SCOPES[scope]):
            raise ForbiddenError(f"you may not `{scope}`, so no token of yours may", hint="Leave that scope out.")
    if not call.now < body.ends_at <= call.now + _LONGEST:
        raise SpecError("a token must end, within a year", hint="Choose another `ends_at`.")
    live = [row for row in accounts.tokens_of(connection, number) if row.revoked_at is None and row.ends_at > call.now]
    if len(live) >= _LIVE:
        raise SpecError(f"nobody has more than {_LIVE} tokens", hint="Revoke those that nothing uses.")
    secret = f"{BEGINNING}{secrets.token_urlsafe(32)}"
    more = {"name": body.name, "account": number, "scopes": scopes, "ends_at": body.ends_at}
    made = people.add_token(connection, secret, call.now, **more)
    call.record(
        connection, "token.made", f"token {made}", {"name": body.name, "scopes": scopes, "ends_at": body.ends_at}
    )
    row = next(one for one in accounts.tokens_of(connection, number) if one.id == made)
    return Told(NewToken(_told(row), secret), {"Location": f"/api/v1/tokens/{made}"})


def _revoke(call: Call[Numbered, Nothing], connection: Connection) -> Told:
    row = next((one for one in accounts.tokens_of(connection, _account(call)) if one.id == call.given.number), None)
    if row is None:
        raise missing(f"token {call.given.number}")
    if row.revoked_at is None:
        people.revoke(connection, row.id, call.now)
        call.record(connection, "token.revoked", f"token {row.id}", {})
    return Told(None)


def _account(call: Call[Any, Any]) -> int:
    number = call.asked.viewer.account
    if number is None:
        raise ForbiddenError("this is no token of a person", hint="Sign in, or use a token of your own.")
    return number


def _told(row: Any) -> Token:
    times = (row.created_at, row.ends_at, row.revoked_at, row.used_at)
    return Token(row.id, row.name, tuple(scope for scope in row.scopes if scope in SCOPES), *times)


OPERATIONS: Final = (
    Operation(
        name="list_tokens", method="GET", path="/tokens", tag="Tokens", given=Paging, answer=Tokens,
        summary="Your tokens, the newest first", handle=_list,
    ),
    Operation(
        name="make_token", method="POST", path="/tokens", tag="Tokens", body=Making, answer=NewToken, status=201,
        summary="Make a token", handle=_make,
        description="For a session alone: no token makes another. It may do no more than you may.",
    ),
    Operation(
        name="revoke_token", method="DELETE", path="/tokens/{number}", tag="Tokens", given=Numbered, status=204,
        summary="Revoke a token", handle=_revoke, refusals=(404,),
    ),
)  # fmt: skip  # a line says what, another does how
