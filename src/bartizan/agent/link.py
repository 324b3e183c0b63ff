"""Questions to the plane over HTTPS, each answered, refused, or not answered now.

The environment's proxies are used, as every program does (`HTTPS_PROXY`,
`NO_PROXY`). Redirects are not followed: the token is for one address.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import httpx2
import msgspec

from bartizan.app.reporting.wire import MEDIA, Answer, Heard, Hello, JoinAsk, Joined, NewToken, SentWaivers, Welcome
from bartizan.base.errors import SourceError, SpecError, reason_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bartizan.app.reporting.wire import Heartbeat

T = TypeVar("T")

TIMEOUT_S: Final = 30
PATIENCE_S: Final = 120
"""For what the plane has to write: the end of a whole check closes whatever is gone."""
_ANSWERED: Final = frozenset({200, 201, 204, 409, 428})
_LATER: Final = frozenset({408, 425, 500, 502, 503, 504})
_LONGEST_WAIT_S: Final = 300.0


class AwayError(SourceError):
    """The plane does not answer now. `after_s` is when it wants to be asked again; 0 where it does not say."""

    def __init__(self, message: str, *, hint: str = "", after_s: float = 0) -> None:
        super().__init__(message, hint=hint)
        self.after_s = after_s


class BusyError(AwayError):
    """The plane is there, and has its hands full."""


class RefusedError(SourceError):
    """The plane answered, and refused; asking again without a change is useless. `status` is that of HTTP."""

    def __init__(self, message: str, *, status: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


class Link:
    """A connection to a plane. `token` is asked for before each question; threads may share the link."""

    def __init__(self, url: str, token: Callable[[], str], ca_file: Path | None = None, *, plain: bool = False) -> None:
        self.url = checked_url(url, plain=plain)
        self._token = token
        self._client = httpx2.Client(
            base_url=self.url,
            verify=_trust(ca_file),
            timeout=httpx2.Timeout(TIMEOUT_S),
            headers={"Accept": "application/json", "User-Agent": "bartizan-agent"},
        )

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def join(self, secret: str, ask: JoinAsk) -> Joined:
        """Exchange a join token for the one that the agent has made."""
        return self._json("/api/v1/agent/join", ask, Joined, secret)

    def hello(self, hello: Hello) -> Welcome:
        """Say who this is; learn where the stream goes on."""
        return self._json("/api/v1/agent/hello", hello, Welcome)

    def heartbeat(self, beat: Heartbeat) -> Heard:
        """Be heard of."""
        return self._json("/api/v1/agent/heartbeats", beat, Heard)

    def waivers(self) -> SentWaivers:
        """What is accepted in this cluster."""
        return _read(self._ask("GET", "/api/v1/agent/waivers", b"", {}), SentWaivers)

    def renew(self, secret: str) -> Heard:
        """Bring the token that will be used from now on."""
        return self._json("/api/v1/agent/token", NewToken(secret), Heard)

    def put(self, stream: str, number: int, payload: bytes) -> Answer:
        """Send a record of a stream."""
        answer = self._ask("PUT", f"/api/v1/agent/streams/{stream}/{number}", payload, _PACKED, patience=PATIENCE_S)
        return _read(answer, Answer)

    def teach(self, digest: str, payload: bytes) -> None:
        """Send a set of rules."""
        self._ask("PUT", f"/api/v1/agent/rules/{digest}", payload, _PACKED)

    def _json(self, path: str, told: msgspec.Struct, kind: type[T], secret: str = "") -> T:
        answer = self._ask("POST", path, msgspec.json.encode(told), {"Content-Type": "application/json"}, secret)
        return _read(answer, kind)

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes,
        headers: dict[str, str],
        secret: str = "",
        patience: float = TIMEOUT_S,
    ) -> httpx2.Response:
        sent = {**headers, "Authorization": f"Bearer {secret or self._token()}"}
        timeout = httpx2.Timeout(TIMEOUT_S, read=patience)
        try:
            answer = self._client.request(method, path, content=body, headers=sent, timeout=timeout)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            said = str(error) or type(error).__name__
            hint = "Give its certificate authority with --ca-file." if "CERTIFICATE" in said else ""
            raise AwayError(f"the plane at {self.url} does not answer: {said}", hint=hint) from error
        if answer.status_code in _ANSWERED and not _is_problem(answer):
            return answer
        said, hint = _said(answer)
        if answer.status_code == 429:
            raise BusyError(said, hint=hint, after_s=_wait_of(answer))
        if answer.status_code in _LATER:
            raise AwayError(said, hint=hint, after_s=_wait_of(answer))
        raise RefusedError(said, status=answer.status_code, hint=hint)


_PACKED: Final = {"Content-Type": MEDIA, "Content-Encoding": "gzip"}


def checked_url(url: str, *, plain: bool = False) -> str:
    """The address of a plane.

    Raises:
        SpecError: it is none, or would send a token and a cluster's weak points in the clear.
    """
    parts = urlsplit(url)
    try:
        is_address = bool(parts.hostname) and parts.port != 0 and not parts.username and not parts.query
    except ValueError:
        is_address = False
    if not is_address or parts.scheme not in ("http", "https"):
        raise SpecError(f"`{url}` is no address of a plane", hint="Name it as https://plane.example.com.")
    if parts.scheme == "http" and not plain:
        raise SpecError(
            f"`{url}` is not encrypted", hint="Use https, or say --plain-http where something else encrypts it."
        )
    return url.rstrip("/")


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except (OSError, ssl.SSLError) as error:
        said = reason_of(error)
        raise SpecError(f"`{ca_file}` holds no certificates: {said}", hint="Name a file in PEM.") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _is_problem(answer: httpx2.Response) -> bool:
    return answer.headers.get("content-type", "").startswith("application/problem+json")


def _said(answer: httpx2.Response) -> tuple[str, str]:
    """What the plane, or whoever stands before it, said."""
    try:
        told: Any = msgspec.json.decode(answer.content) if _is_problem(answer) else {}
    except msgspec.DecodeError:
        told = {}
    if not isinstance(told, dict) or not told.get("title"):
        return f"the plane answers {answer.status_code} {answer.reason_phrase}".rstrip(), ""
    return f"the plane answers {answer.status_code}: {str(told['title'])[:300]}", str(told.get("detail") or "")[:300]


def _wait_of(answer: httpx2.Response) -> float:
    after = answer.headers.get("retry-after", "")
    return min(float(after), _LONGEST_WAIT_S) if after.isdecimal() else 0.0


def _read(answer: httpx2.Response, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.DecodeError as error:
        raise AwayError("what answers is no plane", hint="Check the address given with --plane.") from error
