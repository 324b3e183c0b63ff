"""Where a browser leaves for the provider and comes back, and where the provider says that a session is over.

What was asked waits in a cookie that is sealed, and not in the store: another
process may answer, and who never comes back leaves nothing behind.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import msgspec
from starlette.responses import RedirectResponse, Response

from bartizan.base.errors import SpecError
from bartizan.plane.limits import Limit
from bartizan.plane.people import sealing, sessions
from bartizan.plane.people.identity import IDLE
from bartizan.plane.people.oidc import claims
from bartizan.plane.people.oidc.provider import provider_of
from bartizan.plane.people.sign_in import sign_in_of
from bartizan.plane.recording import noted
from bartizan.plane.site import Asked, ForbiddenError, Route
from bartizan.stores import accounts, people

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bartizan.plane.people.oidc.provider import Provider, Tokens
    from bartizan.stores.accounts import Person

PENDING: Final = "bartizan_sign_in"
_PATH: Final = "/sign-in/oidc"
_SPAN: Final = timedelta(minutes=10)
_PURPOSE: Final = "sign-in"
_HINT: Final = "sign-out"
_LARGEST_HINT: Final = 16_384
_LONGEST_SID: Final = 2000
_KNOCKS: Final = Limit("oidc", burst=30, every_s=2, by="address")


class Pending(msgspec.Struct, frozen=True):
    """A sign-in that was begun, and what the provider's answer must match."""

    state: str
    nonce: str
    verifier: str
    back: str
    until: float


def farewell(asked: Asked) -> str:
    """Where a browser goes to end its session at the provider too; empty where that has no such place, or is away."""
    site, secret = asked.site, asked.viewer.session
    told = sign_in_of(site)
    if not told.issuer or not secret:
        return ""
    with site.store.reading() as connection:
        row = people.session_of(connection, secret, site.now(), IDLE)
    if row is None or row.issuer != told.issuer:
        return ""
    endpoint = provider_of(site).metadata().end_session_endpoint
    if not endpoint:
        return ""
    query = {"client_id": told.client_id, "post_logout_redirect_uri": f"{_base(asked)}/sign-in"}
    hint = sealing.unseal(secret.encode(), _HINT, row.hint) if row.hint else None
    if hint is not None:
        query["id_token_hint"] = hint.decode()
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"


def _leave(asked: Asked) -> Response:
    from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]  # it has no types

    provider = provider_of(asked.site)
    metadata, told = provider.metadata(), provider.told
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    back = sessions.local_path(asked.query.get("back", "/"))
    pending = Pending(state, nonce, verifier, back, (asked.site.now() + _SPAN).timestamp())
    query = {
        "response_type": "code",
        "client_id": told.client_id,
        "redirect_uri": f"{_base(asked)}{_PATH}/callback",
        "scope": " ".join(told.scopes),
        "state": state,
        "nonce": nonce,
        "code_challenge": create_s256_code_challenge(verifier),
        "code_challenge_method": "S256",
    }
    endpoint = metadata.authorization_endpoint
    answer = RedirectResponse(f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}", 303)
    sealed = sealing.to_text(sealing.seal(asked.site.key, _PURPOSE, msgspec.json.encode(pending)))
    answer.set_cookie(
        PENDING,
        sealed,
        int(_SPAN.total_seconds()),
        path=_PATH,
        httponly=True,
        samesite="lax",
        secure=sessions.is_secure(asked),
    )
    return answer


def _come_back(asked: Asked) -> Response:
    site = asked.site
    provider = provider_of(site)
    pending = _pending(asked)
    _match(asked, provider, pending)
    redirect_uri = f"{_base(asked)}{_PATH}/callback"
    tokens = provider.exchange(asked.query.get("code", ""), pending.verifier, redirect_uri)
    told = claims.identity(provider, tokens, pending.nonce, site.now())
    who = claims.person(provider.told, _more(provider, tokens, told))
    secret = _let_in(asked, who, tokens, told)
    answer = sessions.enter(asked, secret, pending.back)
    answer.delete_cookie(PENDING, path=_PATH, httponly=True, samesite="lax", secure=sessions.is_secure(asked))
    return answer


def _pending(asked: Asked) -> Pending:
    """What this browser began.

    Raises:
        ForbiddenError: it began nothing here, or too long ago.
    """
    sealed = sealing.from_text(asked.request.cookies.get(PENDING, ""))
    plain = sealing.unseal(asked.site.key, _PURPOSE, sealed)
    pending = None if plain is None else msgspec.json.decode(plain, type=Pending)
    if pending is None or pending.until < asked.site.now().timestamp():
        hint = "Begin at the sign-in page, in this browser."
        raise ForbiddenError("this sign-in was not begun here, or too long ago", hint=hint)
    return pending


def _match(asked: Asked, provider: Provider, pending: Pending) -> None:
    """Refuse an answer that is not to our question, not from our provider, or a refusal itself."""
    query = asked.query
    if not hmac.compare_digest(pending.state.encode(), query.get("state", "").encode("utf-8", "replace")):
        raise ForbiddenError("the provider's answer is to another sign-in", hint="Begin to sign in again.")
    named = query.get("iss")  # RFC 9207: against answers of one provider that are sent to another
    demanded = provider.metadata().authorization_response_iss_parameter_supported
    if (named is not None or demanded) and named != provider.told.issuer:
        raise ForbiddenError("the answer is not from the provider that was asked", hint="Begin to sign in again.")
    if "error" in query:
        said = query["error"][:60]
        raise ForbiddenError(f"the provider let nobody in: `{said}`", hint="Begin again, or ask who runs it.")


def _more(provider: Provider, tokens: Tokens, told: dict[str, Any]) -> dict[str, Any]:
    """The claims and, where the ID token leaves out name or groups, what the provider's user page adds."""
    names = (provider.told.groups_claim, provider.told.name_claim)
    if all(claims.found(told, name) is not None for name in names):
        return told
    user = provider.user(tokens.access_token)
    if user.get("sub") != told["sub"]:  # Core, section 5.3.2: another's page must not be used
        return told
    return user | told


def _let_in(asked: Asked, who: Person, tokens: Tokens, told: dict[str, Any]) -> str:
    site = asked.site
    sid = told.get("sid")
    known = {"groups": list(who.groups), "sid": sid if isinstance(sid, str) and len(sid) <= _LONGEST_SID else ""}

    def work(connection: Connection) -> str | None:
        met = accounts.meet(connection, who, site.now())
        if met is None:
            return None
        number, is_new = met
        if is_new:
            row = accounts.one(connection, number)
            name = row.name if row else who.name
            noted(site, connection, name, "account.added", f"account {number}", {"issuer": who.issuer})
        secret = sessions.begin(asked, connection, number, "provider", **known)
        if len(tokens.id_token) <= _LARGEST_HINT:
            hint = sealing.seal(secret.encode(), _HINT, tokens.id_token.encode())
            people.keep_hint(connection, secret, hint)
        return secret

    secret = site.store.write(work)
    if secret is None:
        raise ForbiddenError("this account is disabled", hint="Ask an administrator of this plane.")
    return secret


def _told_it_is_over(asked: Asked) -> Response:
    site = asked.site
    provider = provider_of(site)
    try:
        over = claims.over(provider, asked.form().get("logout_token", ""), site.now())
    except ForbiddenError as error:
        raise SpecError(error.message, hint=error.hint) from error  # 400, as the specification says

    def work(connection: Connection) -> None:
        count = people.end_sessions_of(connection, provider.told.issuer, over.subject, over.sid)
        if count:
            told = {"subject": over.subject[:255], "sessions": count}
            noted(site, connection, provider.told.issuer, "session.ended", "sessions of the provider", told)

    site.store.write(work)
    return Response(headers={"Cache-Control": "no-store"})


def _base(asked: Asked) -> str:
    """Where browsers find this plane: as the settings say, or as this one did."""
    told = asked.site.settings.public_url
    return (told or str(asked.request.base_url)).rstrip("/")


ROUTES = (
    Route("GET", _PATH, _leave, needs=None, limit=_KNOCKS),
    Route("GET", f"{_PATH}/callback", _come_back, needs=None, limit=_KNOCKS),
    Route("POST", f"{_PATH}/logout", _told_it_is_over, needs=None, surface="api", body_bytes=1 << 17, limit=_KNOCKS),
)
