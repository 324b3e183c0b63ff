"""One HTTP exchange with a server that need not be what it says: bounded in time and in bytes.

This stands on httpcore2, the part of httpx2 that holds the connections,
because the deadline of an exchange must hold beneath the HTTP parser: a
server that sends one byte of a header every few seconds never exceeds a
limit for one read.
"""

from __future__ import annotations

import os
import re
import ssl
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlsplit

import httpcore2

import bartizan
from bartizan.base.errors import SourceError, SpecError
from bartizan.sources.registry.errors import SilentError, UntrueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

CONNECT_S: Final = 5.0
"""For a connection and its TLS handshake: a host that needs longer is not there."""
READ_S: Final = 10.0
"""For one read: registries that are alive send something within a second, also while they fetch from their storage."""
ERROR_BYTES: Final = 64 << 10
"""Of an error's body: enough for every message that a registry writes."""
CONNECTIONS: Final = 16
"""Open at a time; more than any of our callers has threads."""
IDLE_S: Final = 30.0
"""How long an unused connection is kept; load balancers drop them after 60 s."""
_PRINTABLE: Final = re.compile(r"[!-~]+")
_USER_AGENT: Final = f"bartizan/{bartizan.__version__}"


class Answer(NamedTuple):
    """What a server said. Names of headers are in lower case; `url` is what was asked."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class _Clock(threading.local):
    """When the exchange of this thread must be over."""

    deadline = 0.0


_CLOCK: Final = _Clock()


def _left(timeout: float | None, failure: type[Exception]) -> float:
    left = _CLOCK.deadline - time.monotonic()
    if left <= 0:
        raise failure("it took too long")
    return left if timeout is None else min(timeout, left)


class _Stream(httpcore2.NetworkStream):
    """A connection whose every read and write ends by the deadline of the exchange."""

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _left(timeout, httpcore2.ConnectTimeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Network(httpcore2.SyncBackend):
    """Sockets with deadlines."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        limit = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(super().connect_tcp(host, port, limit, local_address, socket_options))


class Wire:
    """Connections to servers, kept and shared between threads until `close`.

    `authorities` are certificates (PEM) that are trusted beside the
    system's; `proxy_for` names the proxy for a scheme and a host, or none.
    """

    def __init__(self, authorities: str = "", proxy_for: Callable[[str, str], str] = lambda _scheme, _host: "") -> None:
        self._authorities = authorities
        self._proxy_for = proxy_for
        self._lock = threading.Lock()
        self._pools: dict[tuple[int, str], httpcore2.ConnectionPool] = {}
        self._tls: ssl.SSLContext | None = None

    def close(self) -> None:
        """End all connections."""
        with self._lock:
            for (process, _), pool in self._pools.items():
                if process == os.getpid():
                    pool.close()
            self._pools.clear()

    def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        limit: int,
        deadline: float,
        content: bytes | None = None,
    ) -> Answer:
        """Ask one server once; redirects and refusals are answers. `deadline` is on the monotonic clock.

        Raises:
            SilentError: there is no whole answer.
            UntrueError: the answer is longer than `limit`.
        """
        parts = _address(url)
        pool = self._pool(parts.scheme, parts.netloc)
        _CLOCK.deadline = deadline
        asked = {"Host": parts.netloc, "User-Agent": _USER_AGENT, "Accept-Encoding": "identity", **headers}
        # a thread waits for a connection as long as it may: what is slow then is not the registry
        wait = max(deadline - time.monotonic(), 0.0)
        limits = {"timeout": {"connect": CONNECT_S, "read": READ_S, "write": READ_S, "pool": wait}}
        with (
            _told(parts.netloc, secure=parts.scheme == "https"),
            pool.stream(method, url, headers=list(asked.items()), content=content, extensions=limits) as answer,
        ):
            said = _headers(answer.headers)
            if answer.status >= 400:
                body = _start(answer.iter_stream())
            elif answer.status >= 300:
                body = b""
            else:
                body = _whole(answer.iter_stream(), said.get("content-length", ""), limit, parts.netloc)
            return Answer(url, answer.status, said, body)

    def _pool(self, scheme: str, host: str) -> httpcore2.ConnectionPool:
        proxy = self._proxy_for(scheme, host)
        key = (os.getpid(), proxy)  # a process that was forked must not share its parent's connections
        with self._lock:
            if key not in self._pools:
                self._pools[key] = httpcore2.ConnectionPool(
                    ssl_context=self._context(),
                    proxy=_proxy(proxy) if proxy else None,
                    max_connections=CONNECTIONS,
                    keepalive_expiry=IDLE_S,
                    network_backend=_Network(),
                )
            return self._pools[key]

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
            if self._authorities:
                try:
                    self._tls.load_verify_locations(cadata=self._authorities)
                except ssl.SSLError as error:
                    raise SpecError(
                        f"the registry's certificate authority cannot be read: {error.reason or error}",
                        hint="Give certificates in PEM form.",
                    ) from error
        return self._tls


def _address(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        known = _PRINTABLE.fullmatch(url) and parts.hostname and "@" not in parts.netloc
        if known and (parts.port is None or parts.port > 0):
            return parts
    except ValueError:
        pass  # it has no port that could be one, or half a bracket
    raise UntrueError(f"`{url[:200]}` is no address", hint="Check the image's reference, or ask who runs the registry.")


def _proxy(url: str) -> httpcore2.Proxy:
    try:
        parts = urlsplit(url)
        auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        plain = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        _address(plain)
    except (ValueError, UntrueError) as error:
        raise SpecError("the proxy's address is none", hint="Correct HTTPS_PROXY or HTTP_PROXY.") from error
    return httpcore2.Proxy(plain, auth=auth)


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by name; several of one name are joined as RFC 9110 has it."""
    found: dict[str, str] = {}
    for key, value in pairs:
        name, text = key.decode("latin-1").lower(), value.decode("latin-1")
        found[name] = f"{found[name]}, {text}" if name in found else text
    return found


def _start(stream: Iterable[bytes]) -> bytes:
    body = bytearray()
    for chunk in stream:
        body += chunk
        if len(body) >= ERROR_BYTES:
            break
    return bytes(body[:ERROR_BYTES])


def _whole(stream: Iterable[bytes], length: str, limit: int, host: str) -> bytes:
    said = int(length) if length.isascii() and length.isdecimal() and len(length) < 20 else 0
    body = bytearray()
    if said <= limit:
        for chunk in stream:
            body += chunk
            if len(body) > limit:
                break
        else:
            return bytes(body)
    raise UntrueError(
        f"registry `{host}` sends {f'{said} bytes' if said > limit else 'more bytes'} where {limit} are the most",
        hint="Check what was pushed there: nothing of this kind needs to be so large.",
    )


@contextmanager
def _told(host: str, *, secure: bool) -> Iterator[None]:
    """Failures of the network in the reader's words."""
    try:
        yield
    except httpcore2.ConnectTimeout as error:
        raise SilentError(
            f"registry `{host}` does not answer: there is no connection in time", hint=_is_up(host)
        ) from error
    except (httpcore2.TimeoutException, TimeoutError) as error:
        raise SilentError(f"registry `{host}` does not answer in time", hint=_is_up(host), tries_again=False) from error
    except httpcore2.ConnectError as error:
        raise _unconnected(host, error, secure=secure) from error
    except (httpcore2.RemoteProtocolError, httpcore2.NetworkError) as error:
        raise SilentError(f"registry `{host}` breaks off: {error}", hint=_is_up(host)) from error
    except (httpcore2.ProxyError, httpcore2.UnsupportedProtocol, httpcore2.LocalProtocolError, ImportError) as error:
        raise SilentError(
            f"registry `{host}` cannot be asked: {error}", hint="Check the address and the proxy.", tries_again=False
        ) from error
    except UnicodeError as error:  # the IDNA codec of host names
        raise SourceError(f"`{host}` is no host name", hint="Check the image's reference.") from error


def _unconnected(host: str, error: httpcore2.ConnectError, *, secure: bool) -> SilentError:
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        reason = text.partition("verify failed: ")[2].partition(" (_ssl")[0] or "verification failed"
        return SilentError(
            f"registry `{host}` has a certificate that is not trusted: {reason}",
            hint="Name the certificate authority of the registry, or add it to the system's.",
            tries_again=False,
        )
    if secure and "SSL" in text:
        return SilentError(
            f"registry `{host}` does not speak TLS: {text.partition('] ')[2].partition(' (_ssl')[0] or text}",
            hint="Declare it insecure if it has no TLS on purpose.",
            tries_again=False,
        )
    return SilentError(
        f"registry `{host}` does not answer: {text.partition('] ')[2] or text}".lower(), hint=_is_up(host)
    )


def _is_up(host: str) -> str:
    return f"Check that {host} is up and can be reached from here."


def escaped(text: str) -> str:
    """Text as a part of a URL's path."""
    return quote(text, safe="/:")
