"""Who sends a request: by the cookie of a session, or by a token.

A browser sends its cookie whoever made it ask, so what changes something
carries the session's form token too, and comes from a page of ours. A program
sends its token on purpose.
"""

from __future__ import annotations

import hmac
from datetime import timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from bartizan.plane.people.sign_in import roles_of_groups
from bartizan.plane.viewer import MAY, Viewer
from bartizan.stores import people

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection
    from starlette.requests import Request

    from bartizan.plane.site import Site
    from bartizan.plane.viewer import Permission
    from bartizan.stores.scope import Grant

COOKIE: Final = "bartizan_session"
FORM_FIELD: Final = "form_token"
FORM_HEADER: Final = "x-form-token"
IDLE: Final = timedelta(hours=1)
"""A session that is not used for so long is over."""
GROUPS_HOLD: Final = timedelta(days=30)
"""For so long after a sign-in, a token of that person has the roles of the groups they then had."""
SCOPES: Final[dict[str, Permission]] = {
    "read": "see",
    "ask": "ask",
    "operate": "operate",
    "approve": "approve",
    "administer": "administer",
}
"""What a token may be for, and the permission that is."""
_FRESH: Final = timedelta(minutes=5)
"""Use is written down no more often: the idle span is an hour, and a token's last use is for people to read."""


def identify(site: Site, request: Request) -> Viewer | None:
    """The viewer of a request; nobody where it carries no credential that holds.

    One short read. Where use should be written down, `request.state.used` says so, for `note_use` after the answer.
    """
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and secret:
        return _by_token(site, request, secret.strip())
    cookie = request.cookies.get(COOKIE, "")
    return _by_session(site, request, cookie) if cookie else None


def note_use(site: Site, used: str | int) -> None:
    """Write down that a session, by its secret, or a token, by its number, is in use.

    Raises:
        StoreError: the database is away, or another writes for long.
    """
    now = site.now()

    def work(connection: Connection) -> None:
        if isinstance(used, int):
            people.used(connection, used, now)
        else:
            people.seen(connection, used, now)

    site.store.write(work)


def form_token(site: Site, session: str) -> str:
    """What the forms of a session carry: bound to it, and telling nothing of it."""
    return blake2b(session.encode(), key=site.key[:64], digest_size=16, person=b"form").hexdigest()


def is_own_form(site: Site, viewer: Viewer, given: str) -> bool:
    """Whether a change was asked for by a page of ours; a program's token is proof by itself."""
    if not viewer.session:
        return True
    return hmac.compare_digest(form_token(site, viewer.session).encode(), given.encode("utf-8", "replace"))


def is_from_elsewhere(site: Site, request: Request) -> bool:
    """Whether a browser says that another site's page sent this. It guards what nobody has signed in for yet."""
    word = request.headers.get("sec-fetch-site")
    if word is not None:
        return word not in ("same-origin", "none")
    origin = request.headers.get("origin")
    if origin is None:
        return False
    ours = {request.headers.get("host", ""), urlsplit(site.settings.public_url).netloc} - {""}
    return urlsplit(origin).netloc not in ours


def _by_session(site: Site, request: Request, secret: str) -> Viewer | None:
    now = site.now()
    with site.store.reading() as connection:
        row = people.session_of(connection, secret, now, IDLE)
        if row is None:
            return None
        roles = people.roles(connection, row.id, row.groups)
    if row.seen_at is None or now - row.seen_at > _FRESH:
        request.state.used = secret
    return Viewer(row.name, _known(site, roles, row.groups), row.id, session=secret)


def _by_token(site: Site, request: Request, secret: str) -> Viewer | None:
    now = site.now()
    with site.store.reading() as connection:
        bearer = people.bearer(connection, secret, now)
        if bearer is None or bearer.account is None:
            return None
        groups = bearer.groups if _holds(bearer.signed_in_at, now) else ()
        roles = people.roles(connection, bearer.account, groups)
    allowed = frozenset(SCOPES[scope] for scope in bearer.scopes if scope in SCOPES)
    if not allowed:
        return None  # a link, which opens its own door alone
    if bearer.used_at is None or now - bearer.used_at > _FRESH:
        request.state.used = bearer.number
    known = _known(site, roles, groups)
    return Viewer(bearer.name, known, bearer.account, permissions=allowed, token=bearer.number)


def _holds(signed_in_at: datetime | None, now: datetime) -> bool:
    return signed_in_at is not None and now - signed_in_at < GROUPS_HOLD


def _known(site: Site, roles: list[tuple[str, Grant]], groups: Sequence[str]) -> tuple[tuple[Any, Grant], ...]:
    """Roles of the store, and those that the settings give to groups; a word of a later release is none."""
    both = [*roles, *roles_of_groups(site, groups)]
    return tuple(dict.fromkeys((name, grant) for name, grant in both if name in MAY))
