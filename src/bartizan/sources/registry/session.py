"""Talking to registries: which scheme, who we are, where it sends us, and how often we ask again.

Source: OCI distribution specification 1.1; for tokens, the distribution
project's "Token Authentication Specification" and its OAuth2 form.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

import orjson

from bartizan.sources.registry.address import is_local, schemes
from bartizan.sources.registry.challenge import Challenge, parse_challenges
from bartizan.sources.registry.credentials import Credential, Keychain, find_credential
from bartizan.sources.registry.errors import NotThereError, RefusedError, SilentError, UntrueError
from bartizan.sources.registry.once import Once
from bartizan.sources.registry.wire import Wire, escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.base.errors import SourceError
    from bartizan.sources.registry.address import Place
    from bartizan.sources.registry.wire import Answer

TOTAL_S: Final = 30.0
"""For one question with its redirects, tokens and repetitions; an admission request is given up after 30 s too."""
ATTEMPTS: Final = 3
"""Tries of one request, 0.2 and 0.4 s apart unless the registry says when: for one that is replaced or busy."""
GIVE_UP_AFTER: Final = 3
"""Questions in a row that a registry leaves unanswered before no more are asked, so that a scan of many images ends."""
REDIRECTS: Final = 5
"""Registries send blobs to their storage, once; some through one more address."""
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 10.0
_TRY_AGAIN: Final = frozenset({429, 500, 502, 503, 504})
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_TOKEN_S: Final = 60
"""How long a token holds that does not say; so says the specification."""
_TOKEN_MARGIN_S: Final = 10
_TOKEN_BYTES: Final = 1 << 20
_MOST_TOKENS: Final = 10_000
_PROBE_BYTES: Final = 64 << 10
_TOKEN: Final = re.compile(r"[!-~]+")
_ASK: Final = "Ask whoever runs the registry."


@dataclass(frozen=True, slots=True)
class Access:
    """What one question may use beyond the settings: plain HTTP, and credentials instead of the settings' own."""

    insecure: bool = False
    keychains: tuple[Keychain, ...] | None = None


ORDINARY: Final = Access()


@dataclass(frozen=True, slots=True)
class Settings:
    """What all questions share.

    `authorities` are certificates in PEM form that are trusted beside the
    system's; `insecure` are hosts that may have no TLS; `proxy_for` names
    the proxy for a scheme and a host.
    """

    keychains: tuple[Keychain, ...] = ()
    authorities: str = ""
    insecure: frozenset[str] = frozenset()
    proxy_for: Callable[[str, str], str] = field(default=lambda _scheme, _host: "")
    total_s: float = TOTAL_S


class Wanted(NamedTuple):
    """What is asked of a repository: a path, the media types that will do, and the most bytes."""

    path: str
    accept: str
    limit: int


class _Token(NamedTuple):
    text: str
    until: float


class Session:
    """A conversation with any number of registries; threads may share it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._wire = Wire(settings.authorities, settings.proxy_for)
        self._schemes: Once[str] = Once(_MOST_TOKENS)
        self._credentials: Once[Credential | None] = Once(_MOST_TOKENS)
        self._challenges: dict[tuple[str, Access], Challenge] = {}
        self._tokens: dict[tuple[str, ...], _Token] = {}
        self._silences: dict[str, list[SilentError]] = {}

    def close(self) -> None:
        """End all connections."""
        self._wire.close()

    def get(self, place: Place, wanted: Wanted, access: Access) -> Answer:
        """GET something of a repository; an answer below 400.

        Raises:
            NotThereError, RefusedError, SilentError, UntrueError, SourceError: there is none.
        """
        silences = self._silences.setdefault(place.host, [])
        if len(silences) >= GIVE_UP_AFTER:
            raise silences[-1].with_traceback(None)  # each raise would lengthen the trace of one that is kept
        try:
            answer = self._authorized(place, wanted, access, time.monotonic() + self._settings.total_s)
        except SilentError as error:
            silences.append(error)
            raise
        silences.clear()
        if answer.status >= 400:
            raise _refusal(place, answer, is_known=self._credential(place, access) is not None)
        return answer

    def _authorized(self, place: Place, wanted: Wanted, access: Access, deadline: float) -> Answer:
        """Ask; where we must say who we are, say so and ask again."""
        scheme = self._scheme(place.host, access, deadline)
        # a URL is used as it is where a page of a list named the next one
        at = f"/v2/{escaped(place.repository)}/" if not wanted.path.startswith("/") else ""
        url = f"{scheme}://{place.host}{at}{wanted.path}"
        headers = {"Accept": wanted.accept}
        known = self._challenges.get((place.host, access))
        said = self._authorization(known, place, access, deadline, scope="") if known else ""
        answer = self._patient(url, _with(headers, said), wanted.limit, deadline)
        if answer.status != 401:
            return answer
        challenge = _pick(answer, place.host)
        self._challenges[place.host, access] = challenge
        scope = challenge.parameters.get("scope", "")
        fresh = self._authorization(challenge, place, access, deadline, scope=scope, refused=said)
        if not fresh or fresh == said:
            return answer
        return self._patient(url, _with(headers, fresh), wanted.limit, deadline)

    def _scheme(self, host: str, access: Access, deadline: float) -> str:
        insecure = access.insecure or host in self._settings.insecure
        ways = schemes(host, insecure=insecure)
        if len(ways) == 1:
            return ways[0]
        return self._schemes.get((host, insecure), lambda: self._probe(host, ways, deadline))

    def _probe(self, host: str, ways: tuple[str, ...], deadline: float) -> str:
        """The first way that is answered. No credentials are sent."""
        failures: dict[str, SilentError] = {}
        for way in ways:
            try:
                answer = self._wire.exchange("GET", f"{way}://{host}/v2/", {}, limit=_PROBE_BYTES, deadline=deadline)
            except SilentError as error:
                failures[way] = error
                continue
            if way == "https" or answer.status != 400 or b"https" not in answer.body.lower():
                return way
        raise failures["https"]

    def _patient(self, url: str, headers: Mapping[str, str], limit: int, deadline: float) -> Answer:
        """GET, and GET again while it may help."""
        pause = _FIRST_PAUSE_S
        for left in range(ATTEMPTS - 1, -1, -1):
            try:
                answer = self._followed(url, headers, limit, deadline)
            except SilentError as error:
                if not left or not error.tries_again or time.monotonic() + pause > deadline:
                    raise
            else:
                wait = _wanted_pause(answer, pause)
                if answer.status not in _TRY_AGAIN or not left or time.monotonic() + wait > deadline:
                    return answer
                pause = wait
            time.sleep(pause)
            pause *= 2
        raise AssertionError("the last attempt returns or raises")

    def _followed(self, url: str, headers: Mapping[str, str], limit: int, deadline: float) -> Answer:
        """GET, wherever the registry sends us; another host is not told who we are."""
        for _ in range(REDIRECTS + 1):
            answer = self._wire.exchange("GET", url, headers, limit=limit, deadline=deadline)
            if answer.status not in _MOVED:
                return answer
            location = answer.headers.get("location", "")
            old = urlsplit(url)
            try:
                target = urljoin(url, location)
                new = urlsplit(target)
            except ValueError as error:
                raise UntrueError(
                    f"registry `{old.netloc}` sends us to `{location[:200]}`, which is no address", hint=_ASK
                ) from error
            if new.scheme not in ("http", "https") or (old.scheme, new.scheme) == ("https", "http"):
                raise UntrueError(
                    f"registry `{old.netloc}` sends us to `{target[:200]}`, which is not safe",
                    hint="Ask whoever runs the registry: its storage needs an https address.",
                )
            if (old.scheme, old.netloc) != (new.scheme, new.netloc):
                headers = {key: value for key, value in headers.items() if key != "Authorization"}
            url = target
        raise UntrueError(f"registry `{urlsplit(url).netloc}` sends us on and on", hint=_ASK)

    def _credential(self, place: Place, access: Access) -> Credential | None:
        keychains = self._settings.keychains if access.keychains is None else access.keychains

        def find() -> Credential | None:
            return next((found for chain in keychains if (found := find_credential(chain, place))), None)

        return self._credentials.get((place, access), find) if keychains else None

    def _authorization(
        self, challenge: Challenge, place: Place, access: Access, deadline: float, *, scope: str, refused: str = ""
    ) -> str:
        """The `Authorization` header that a challenge wants; empty where we have nothing to say."""
        credential = self._credential(place, access)
        if challenge.scheme == "basic":
            return credential.basic if credential else ""
        if credential and credential.registry_token:
            if not _TOKEN.fullmatch(credential.registry_token):
                raise RefusedError(
                    f"the token for `{place.host}` is none",
                    status=401,
                    hint="Correct `registrytoken` where it is kept.",
                )
            return f"Bearer {credential.registry_token}"
        scope = scope or f"repository:{place.repository}:pull"
        ask = _TokenQuestion(challenge.parameters.get("realm", ""), challenge.parameters.get("service", ""), scope)
        key = (*ask, repr(access.insecure), *_identity(credential))
        held = self._tokens.get(key)
        if held and held.until > time.monotonic() and refused != f"Bearer {held.text}":
            return f"Bearer {held.text}"
        token = self._fetch_token(ask, place, access, credential, deadline)
        if len(self._tokens) >= _MOST_TOKENS:
            self._tokens.clear()
        self._tokens[key] = token
        return f"Bearer {token.text}"

    def _fetch_token(
        self, ask: _TokenQuestion, place: Place, access: Access, credential: Credential | None, deadline: float
    ) -> _Token:
        realm = _split(ask.realm)
        is_here = is_local(place.host) and is_local(realm.netloc)
        plain = is_here or access.insecure or place.host in self._settings.insecure
        if realm.scheme not in (("https", "http") if plain else ("https",)) or not realm.netloc:
            raise RefusedError(
                f"registry `{place.host}` wants tokens from `{ask.realm[:200]}`, where they would not be secret",
                status=401,
                hint="Ask whoever runs the registry: its token server needs an https address.",
            )
        answer = self._patient_token(ask, credential, deadline)
        if answer.status >= 400:
            raise _refusal(place, answer, is_known=credential is not None)
        try:
            said = orjson.loads(answer.body)
            text, seconds = said.get("token") or said["access_token"], said.get("expires_in") or _TOKEN_S
            until = time.monotonic() + float(seconds) - _TOKEN_MARGIN_S
            if not _TOKEN.fullmatch(text):
                raise ValueError("not a token")  # noqa: TRY301 (it is handled as everything else that is no token)
        except (orjson.JSONDecodeError, KeyError, AttributeError, TypeError, ValueError) as error:
            raise RefusedError(
                f"the token server `{realm.netloc}` of `{place.host}` answers without a token",
                status=401,
                hint="Check that the registry's configuration names the right token server.",
            ) from error
        return _Token(text, until)

    def _patient_token(self, ask: _TokenQuestion, credential: Credential | None, deadline: float) -> Answer:
        query = [("service", ask.service), *(("scope", scope) for scope in ask.scope.split())]
        if credential and credential.identity_token:
            form = [("grant_type", "refresh_token"), ("client_id", "bartizan"), *query]
            content = urlencode([*form, ("refresh_token", credential.identity_token)]).encode()
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            return self._wire.exchange(
                "POST", ask.realm, headers, limit=_TOKEN_BYTES, deadline=deadline, content=content
            )
        if credential and credential.username:
            query.append(("account", credential.username))
        url = f"{ask.realm}{'&' if '?' in ask.realm else '?'}{urlencode(query)}"
        return self._patient(url, _with({}, credential.basic if credential else ""), _TOKEN_BYTES, deadline)


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


class _TokenQuestion(NamedTuple):
    realm: str
    service: str
    scope: str


def _identity(credential: Credential | None) -> tuple[str, ...]:
    return (credential.username, credential.password, credential.identity_token) if credential else ()


def _with(headers: Mapping[str, str], authorization: str) -> dict[str, str]:
    return {**headers, "Authorization": authorization} if authorization else dict(headers)


def _pick(answer: Answer, host: str) -> Challenge:
    """The challenge that we can meet; a token before a password, which then goes to fewer servers."""
    found: dict[str, Challenge] = {}
    for challenge in parse_challenges(answer.headers.get("www-authenticate", "")):
        found.setdefault(challenge.scheme, challenge)
    for scheme in ("bearer", "basic"):
        if scheme in found:
            return found[scheme]
    known = ", ".join(found) or "nothing"
    raise RefusedError(
        f"registry `{host}` wants to know who asks, and takes {known}",
        status=401,
        hint="Use one with basic or token authentication.",
    )


def _wanted_pause(answer: Answer, pause: float) -> float:
    """What `Retry-After` says, in seconds or as a date; a long one is cut, for somebody waits."""
    after = answer.headers.get("retry-after", "").strip()
    if after.isascii() and after.isdecimal():
        return min(float(after[:10]), _LONGEST_PAUSE_S)
    with suppress(ValueError, TypeError):
        at = parsedate_to_datetime(after).timestamp()
        return min(max(at - time.time(), 0.0), _LONGEST_PAUSE_S)
    return pause


def _refusal(place: Place, answer: Answer, *, is_known: bool) -> SourceError:
    """What a status above 400 means to the reader."""
    reason, status = _reason(answer), answer.status
    host = urlsplit(answer.url).netloc
    asked = f"registry `{place.host}`" if host == place.host else f"`{host}`, which `{place.host}` sends us to,"
    if status == 404:
        hint = "Check the name and the tag, or log in: some registries hide what strangers may not see."
        return NotThereError(f"registry `{place.host}` has no such thing in `{place.repository}`: {reason}", hint=hint)
    if status in (401, 403):
        login = f"Log in with `docker login {place.host}`, or give credentials."
        hint = "Check that the credentials are right and may pull this image." if is_known else login
        return RefusedError(f"{asked} refuses `{place.repository}`: {reason}", status=status, hint=hint)
    if status == 429:
        hint = "Wait, or log in: registries let those they know ask more often."
        return RefusedError(f"{asked} is asked too often: {reason}", status=status, hint=hint)
    return RefusedError(f"{asked} fails: {reason}", status=status, hint="Try again, or ask whoever runs the registry.")


def _reason(answer: Answer) -> str:
    """The message of the specification's error document, or of those that others write; else the status."""
    found: Any = None
    with suppress(orjson.JSONDecodeError, AttributeError, LookupError, TypeError):
        body = orjson.loads(answer.body)
        first = body["errors"][0] if body.get("errors") else body
        found = first.get("message") or first.get("details") or first.get("code") or first.get("error")
    text = " ".join("".join(c if c.isprintable() else " " for c in found).split()) if isinstance(found, str) else ""
    return f"{text[:200]} (HTTP {answer.status})" if text else f"HTTP {answer.status}"
