"""A provider: what it says of itself and its keys, kept for an hour, and the calls that a sign-in makes to it.

A key that is not known is asked for at once, so that a provider may change
its keys whenever it likes; but not more often than every few seconds, so that
made-up tokens do not make us ask.
"""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from bartizan.app.settings import secret_from
from bartizan.base.errors import SourceError
from bartizan.plane.people.sign_in import sign_in_of
from bartizan.plane.site import ForbiddenError, missing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from joserfc.jwk import KeySet

    from bartizan.plane.people.sign_in import SignIn
    from bartizan.plane.site import Site

T = TypeVar("T")

_HOLDS_S: Final = 3600
_PAUSE_S: Final = 5
_LARGEST: Final = 1 << 20
_ROOM: Final = "provider"
_OPENING: Final = Lock()


class Metadata(msgspec.Struct, frozen=True):
    """What we need of a provider's discovery document (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class Tokens(msgspec.Struct, frozen=True):
    """What a code is exchanged for."""

    id_token: str
    access_token: str = ""


class Provider:
    """The connection to one provider, for the life of a process. `clock` counts seconds, and never goes back."""

    def __init__(self, told: SignIn, secret: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.told = told
        self._secret = secret
        self._clock = clock
        self._lock = Lock()
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, KeySet] | None = None
        self._asked_again: float | None = None

    def metadata(self) -> Metadata:
        """What the provider says of itself.

        Raises:
            SourceError: it is away, or what it says cannot be trusted.
        """
        with self._lock:
            if self._metadata is None or self._clock() - self._metadata[0] > _HOLDS_S:
                self._metadata = (self._clock(), self._discover())
            return self._metadata[1]

    def keys(self, *, again: bool = False) -> KeySet | None:
        """The provider's keys; `again` for a key that is not among them, which is nothing if that was just done.

        Raises:
            SourceError: it is away, or these are no keys.
        """
        metadata = self.metadata()
        with self._lock:
            now = self._clock()
            if again and self._asked_again is not None and now - self._asked_again < _PAUSE_S:
                return None
            if again or self._keys is None or now - self._keys[0] > _HOLDS_S:
                self._asked_again = now if again else self._asked_again
                self._keys = (now, _key_set(self._call("GET", metadata.jwks_uri)))
            return self._keys[1]

    def exchange(self, code: str, verifier: str, redirect_uri: str) -> Tokens:
        """Exchange a code for tokens (RFC 6749, section 4.1.3, with RFC 7636).

        Raises:
            ForbiddenError: the provider does not take it: it was used, is too old, or not ours.
            SourceError: the provider is away.
        """
        metadata = self.metadata()
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self.told.client_id,
            "code_verifier": verifier,
        }
        login = None
        if self._secret and "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            login = (self.told.client_id, self._secret)
        elif self._secret:
            fields["client_secret"] = self._secret
        answer = self._call("POST", metadata.token_endpoint, fields=fields, login=login)
        return _converted(answer, Tokens, "its answer to a code")

    def user(self, access_token: str) -> dict[str, Any]:
        """What the provider's page about a user says; empty where it has none."""
        endpoint = self.metadata().userinfo_endpoint
        if not endpoint or not access_token:
            return {}
        answer = self._call("GET", endpoint, bearer=access_token)
        return _converted(answer, dict[str, Any], "what it says of a user")

    def _discover(self) -> Metadata:
        issuer = self.told.issuer
        url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        found = _converted(self._call("GET", url), Metadata, "what it says of itself")
        if found.issuer != issuer:
            hint = "Give `issuer` exactly as the provider does, with or without the slash at its end."
            raise SourceError(f"the provider calls itself `{found.issuer}` and not `{issuer}`", hint=hint)
        if urlsplit(issuer).scheme == "https":
            urls = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri)
            for one in (*urls, found.userinfo_endpoint, found.end_session_endpoint):
                if one and urlsplit(one).scheme != "https":
                    raise SourceError(f"the provider names `{one}`, which is not HTTPS")
        return found

    def _call(
        self,
        method: str,
        url: str,
        *,
        fields: Mapping[str, str] | None = None,
        login: tuple[str, str] | None = None,
        bearer: str = "",
    ) -> bytes:
        """Ask the provider. An answer that is too long is none."""
        import httpx2

        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
        try:
            with (
                httpx2.Client(timeout=self.told.timeout_s, follow_redirects=False) as client,
                client.stream(method, url, data=fields, auth=login, headers=headers) as answer,
            ):
                body = bytearray()
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > _LARGEST:
                        raise SourceError(f"the sign-in provider's answer from `{_host(url)}` is too long")
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            hint = "Try again; local accounts can sign in meanwhile."
            raise SourceError(f"the sign-in provider at `{_host(url)}` does not answer: {error}", hint=hint) from error
        if fields is not None and answer.status_code in (400, 401, 403):
            raise ForbiddenError(f"the provider took no code from us: {_reason(body)}", hint="Begin to sign in again.")
        if answer.status_code != 200:
            raise SourceError(f"the sign-in provider at `{_host(url)}` answers {answer.status_code}")
        return bytes(body)


def provider_of(site: Site) -> Provider:
    """The provider that the settings name.

    Raises:
        NotThereError: they name none.
        SpecError: its secret is not where they say.
    """
    told = sign_in_of(site)
    if not told.issuer:
        raise missing("sign-in provider")
    with _OPENING:
        known: Provider | None = site.rooms.get(_ROOM)
        if known is None:
            secret = secret_from(told.client_secret_env, told.client_secret_file)
            known = site.rooms[_ROOM] = Provider(told, secret)
        return known


def _key_set(body: bytes) -> KeySet:
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    told = _converted(body, dict[str, Any], "its keys")
    usable = [key for key in told.get("keys") or () if isinstance(key, dict) and key.get("kty") in ("RSA", "EC", "OKP")]
    try:
        return KeySet.import_key_set({"keys": [key for key in usable if key.get("use", "sig") == "sig"]})
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise SourceError("the sign-in provider's keys cannot be read") from error


def _converted(body: bytes, kind: type[T], what: str) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise SourceError(f"the sign-in provider cannot be understood: {what}: {error}") from error


def _reason(body: bytes | bytearray) -> str:
    """The short word of RFC 6749, section 5.2; nothing else of the answer, which could repeat what was sent."""
    try:
        told = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return "it does not say why"
    word = told.get("error") if isinstance(told, dict) else None
    return f"`{word[:60]}`" if isinstance(word, str) and word.isprintable() else "it does not say why"


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]
