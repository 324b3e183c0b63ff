"""Which tokens of a provider hold, and who is in them (OpenID Connect Core 1.0, section 3.1.3.7).

Only signatures by a key that the provider publishes count: neither `none` nor
a shared secret is an algorithm here, whatever a token says of itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.plane.people.sign_in import EVERYBODY
from bartizan.plane.site import ForbiddenError
from bartizan.stores.accounts import Person

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from joserfc.jwt import Token

    from bartizan.plane.people.oidc.provider import Provider, Tokens
    from bartizan.plane.people.sign_in import SignIn

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_LOGOUT: Final = "http://schemas.openid.net/event/backchannel-logout"
_LONGEST_TOKEN: Final = 100_000  # a person in many groups has a long one
_LONGEST_WORD: Final = 200
_GROUPS: Final = 1000
_AGAIN: Final = "Begin to sign in again; if it stays so, tell who runs the provider."


class Over(NamedTuple):
    """What a provider says is over: one session, by `sid`, or all of a person."""

    subject: str
    sid: str


def identity(provider: Provider, tokens: Tokens, nonce: str, at: datetime) -> dict[str, Any]:
    """The claims of an ID token that was made for us, now, in answer to what we asked.

    Raises:
        ForbiddenError: it is not.
        SourceError: the provider's keys cannot be had.
    """
    from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]  # it has no types
    from joserfc.errors import JoseError

    told = provider.told
    token = _decoded(provider, tokens.id_token)
    params = {"nonce": nonce, "client_id": told.client_id, "access_token": tokens.access_token}
    try:
        claims = CodeIDToken(token.claims, token.header, _expected(told), params)
        claims.validate(int(at.timestamp()), told.clock_skew_s)
    except JoseError as error:
        raise _refused(error) from error
    _demand_words(token.claims, "sub")
    return dict(token.claims)


def over(provider: Provider, logout_token: str, at: datetime) -> Over:
    """What a logout token says (OpenID Connect Back-Channel Logout 1.0, section 2.6).

    Raises:
        ForbiddenError: it is not for us, not from the provider, or no logout token.
        SourceError: the provider's keys cannot be had.
    """
    from authlib.oauth2.claims import JWTClaims  # type: ignore[import-untyped]  # it has no types
    from joserfc.errors import JoseError

    told = provider.told
    token = _decoded(provider, logout_token)
    claims = token.claims
    try:
        essential = {"iat": {"essential": True}, "exp": {"essential": True}}
        JWTClaims(claims, token.header, _expected(told) | essential).validate(int(at.timestamp()), told.clock_skew_s)
    except JoseError as error:
        raise _refused(error) from error
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(_LOGOUT), dict) or "nonce" in claims:
        raise ForbiddenError("this is no logout token")
    subject, sid = claims.get("sub", ""), claims.get("sid", "")
    if not isinstance(subject, str) or not isinstance(sid, str) or not (subject or sid):
        raise ForbiddenError("the logout token names neither a person nor a session")
    return Over(subject, sid)


def person(told: SignIn, claims: Mapping[str, Any]) -> Person:
    """Who somebody is, by their claims. What is no text, or too long, is left out."""
    subject = str(claims["sub"])
    email = _word(claims.get("email"))
    name = _word(found(claims, told.name_claim)) or email or _word(claims.get("name")) or subject[:_LONGEST_WORD]
    groups = found(claims, told.groups_claim)
    listed = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
    words = dict.fromkeys(word for word in map(_word, listed[:_GROUPS]) if word and word != EVERYBODY)
    return Person(told.issuer, subject, name, email, (EVERYBODY, *words))


def found(claims: Mapping[str, Any], path: str) -> Any:
    """A claim by its name or, where there is none of it, by a path of names with dots."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _decoded(provider: Provider, token: str) -> Token:
    from joserfc import jwt
    from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
    from joserfc.jws import JWSRegistry

    registry = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)  # RFC 7515, 4: unknown is ignored
    try:
        if len(token) > _LONGEST_TOKEN:
            raise ForbiddenError("the provider's token is too long", hint="Let it name fewer groups.")
        for again in (False, True):
            keys = provider.keys(again=again)
            if keys is None or not keys.keys:
                break
            try:
                return jwt.decode(token, keys, list(ALGORITHMS), registry)
            except (InvalidKeyIdError, BadSignatureError):
                if again:
                    raise
    except (JoseError, ValueError, TypeError) as error:
        raise _refused(error) from error
    raise ForbiddenError("the provider's token is signed with a key that it does not publish", hint=_AGAIN)


def _expected(told: SignIn) -> dict[str, Any]:
    return {"iss": {"essential": True, "value": told.issuer}, "aud": {"essential": True, "value": told.client_id}}


def _refused(error: Exception) -> ForbiddenError:
    said = getattr(error, "description", "") or getattr(error, "error", "") or "it cannot be read"
    return ForbiddenError(f"the provider's token does not hold: {str(said).rstrip('.').lower()}", hint=_AGAIN)


def _demand_words(claims: Mapping[str, Any], name: str) -> None:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 255:  # Core, section 2: at most 255 characters
        raise ForbiddenError(f"the provider's token has no usable `{name}`", hint=_AGAIN)


def _word(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_WORD:
        return ""
    return "".join(letter for letter in value if letter.isprintable()).strip()
