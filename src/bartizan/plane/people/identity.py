"""Who sends a request: by the cookie of a session, or by a token.

A browser sends its cookie whoever made it ask, so what changes something
carries the session's form token too. A program sends its token on purpose.
"""

from __future__ import annotations

import hmac
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from bartizan.plane.viewer import MAY, Viewer
from bartizan.stores import people

if TYPE_CHECKING:
    from typing import Any

    from starlette.requests import Request

    from bartizan.plane.site import Site

COOKIE: Final = "bartizan_session"
FORM_FIELD: Final = "form_token"
FORM_HEADER: Final = "x-form-token"
_SCOPES: Final = {"read": "see", "ask": "ask", "operate": "operate", "approve": "approve", "administer": "administer"}


def identify(site: Site, request: Request) -> Viewer | None:
    """The viewer of a request; nobody where it carries no credential that holds."""
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and secret:
        return _by_token(site, secret.strip())
    cookie = request.cookies.get(COOKIE, "")
    return _by_session(site, cookie) if cookie else None


def form_token(site: Site, session: str) -> str:
    """What the forms of a session carry: bound to it, and telling nothing of it."""
    return blake2b(session.encode(), key=site.key[:64], digest_size=16, person=b"form").hexdigest()


def is_own_form(site: Site, viewer: Viewer, given: str) -> bool:
    """Whether a change was asked for by a page of ours; a program's token is proof by itself."""
    if not viewer.session:
        return True
    return hmac.compare_digest(form_token(site, viewer.session).encode(), given.encode("utf-8", "replace"))


def _by_session(site: Site, secret: str) -> Viewer | None:
    with site.store.reading() as connection:
        row = people.session_of(connection, secret, site.now())
        if row is None:
            return None
        roles = people.roles(connection, row.id, row.groups)
    return Viewer(row.name, _known(roles), row.id, session=secret)


def _by_token(site: Site, secret: str) -> Viewer | None:
    with site.store.reading() as connection:
        bearer = people.bearer(connection, secret, site.now())
        if bearer is None or bearer.account is None:
            return None
        roles = people.roles(connection, bearer.account)
    allowed = frozenset(_SCOPES[scope] for scope in bearer.scopes if scope in _SCOPES)
    return Viewer(f"token {bearer.number}", _known(roles), bearer.account, permissions=allowed)  # type: ignore[arg-type]  # words of a table


def _known(roles: list[tuple[str, Any]]) -> tuple[Any, ...]:
    return tuple((name, grant) for name, grant in roles if name in MAY)
