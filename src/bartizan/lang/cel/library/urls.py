"""URLs as Kubernetes reads them, which is how Go does: what may stand in the first line of an HTTP request."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final, NoReturn
from urllib.parse import quote, unquote

from bartizan.lang.cel.declare import Overload
from bartizan.lang.cel.errors import CelError
from bartizan.lang.cel.library.addresses import address_error
from bartizan.lang.cel.library.quoting import quoted
from bartizan.lang.cel.types import BOOL, STRING, Type, list_of, map_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_URL: Final = Type("kubernetes.URL")
_SCHEME: Final = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)?:", re.ASCII)
_ESCAPE: Final = re.compile(r"%(?:[0-9a-fA-F]{2})?", re.DOTALL)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_PORT: Final = re.compile(r"(?::\d*)?", re.ASCII)
_ODD: Final = re.compile(
    r"""%(?:[0-9a-fA-F]{2})?|[^A-Za-z0-9!$&'()*+,;=:\[\]<>"\-_.~\x80-\U0010ffff]"""
)  # what a host has beyond plain characters
_USER: Final = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*", re.ASCII)
_PATH_SAFE: Final = "$&+,/:;=@-_.~"
_PATH_ENCODED: Final = re.compile(r"[A-Za-z0-9$&+,/:;=@\-_.~!'()*\[\]%]*", re.ASCII)
_MAX_FIELDS: Final = 1000


@dataclass(frozen=True, slots=True)
class Url:
    """An absolute URL, or an absolute path. Two are equal if they are written alike."""

    text: str
    scheme: str = field(compare=False)
    host: str = field(compare=False)
    path: str = field(compare=False)
    query: str = field(compare=False)
    type_name: ClassVar[str] = "kubernetes.URL"


class _UrlError(Exception):
    """Why a text is no URL."""


def parse_url(text: str) -> Url:
    """Read a URL.

    Raises:
        CelError: the text is none.
    """
    try:
        _parsed(text)
        before, _, fragment = text.partition("#")
        parts = _parsed(before, after_request=True)
        _check_escapes(fragment)
        return Url(text, *parts)
    except _UrlError as problem:
        raise CelError(f"URL parse error during conversion from string: parse {quoted(text)}: {problem}") from problem


def url_problem(text: str) -> str:
    """Why a text is no URL; empty where it is one."""
    try:
        _parsed(text)
    except _UrlError as problem:
        return f"parse {quoted(text)}: {problem}"
    return ""


def _parsed(text: str, *, after_request: bool = False) -> tuple[str, str, str, str]:
    """The scheme, host, escaped path and query; read twice, where `//host` is one only the second time."""
    if _CONTROL.search(text):
        _fail("net/url: invalid control character in URL")
    if not text:
        _fail("empty url")
    if text == "*":
        return "", "", "*", ""
    match = _SCHEME.match(text)
    if match is not None and match[1] is None:
        _fail("missing protocol scheme")
    scheme, rest = (match[1].lower(), text[match.end() :]) if match else ("", text)
    rest, _, query = rest.partition("?")
    if not rest.startswith("/"):
        if scheme:
            return scheme, "", "", query
        _fail("invalid URI for request")
    host = ""
    if rest.startswith("//") and (scheme or (after_request and not rest.startswith("///"))):
        authority, slash, path = rest[2:].partition("/")
        host, rest = _host(authority), slash + path
    return scheme, host, _escaped_path(rest), query


def _fail(problem: str) -> NoReturn:
    raise _UrlError(problem)


def _host(authority: str) -> str:
    user, at, host = authority.rpartition("@")
    if host.rfind("[") > 0:
        _fail("invalid IP-literal")
    if host.startswith("["):
        host = _literal(host)
    else:
        port = host[host.rfind(":") :] if ":" in host else ""
        if not _PORT.fullmatch(port):
            _fail(f"invalid port {quoted(port)} after host")
        host = _unescaped_host(host)
    if at:
        if not _USER.fullmatch(user):
            _fail("net/url: invalid userinfo")
        _check_escapes(user)
    return host


def _literal(host: str) -> str:
    """An address of IPv6 between brackets, and the port behind it."""
    inner, bracket, port = host[1:].rpartition("]")
    if not bracket:
        _fail("missing ']' in host")
    if not _PORT.fullmatch(port):
        _fail(f"invalid port {quoted(port)} after host")
    before, zone, after = inner.partition("%25")
    address = _unescaped_host(before) + (f"%{unquote(after)}" if zone else "")
    problem = address_error(address)
    if problem:
        _fail(f"invalid host: {problem}" if ":" in address or "." not in address else "invalid IP-literal")
    return f"[{address}]{port}"


def _unescaped_host(host: str) -> str:
    for match in _ODD.finditer(host):
        if match[0][0] != "%":
            _fail(f"invalid character {quoted(match[0])} in host name")
        if len(match[0]) < 3 or (match[0] != "%25" and int(match[0][1], 16) < 8):
            _fail(f"invalid URL escape {quoted(host[match.start() : match.start() + 3])}")
    return unquote(host)


def _check_escapes(text: str) -> None:
    for match in _ESCAPE.finditer(text):
        if len(match[0]) < 3:
            _fail(f"invalid URL escape {quoted(text[match.start() : match.start() + 3])}")


def _escaped_path(path: str) -> str:
    _check_escapes(path)
    if _PATH_ENCODED.fullmatch(path):
        return path
    return quote(unquote(path, errors="surrogateescape"), safe=_PATH_SAFE, errors="surrogateescape")


def _hostname(url: Url) -> str:
    host, _ = _host_and_port(url)
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def _host_and_port(url: Url) -> tuple[str, str]:
    before, colon, port = url.host.rpartition(":")
    if colon and _PORT.fullmatch(f":{port}"):
        return before, port
    return url.host, ""


def _query(url: Url) -> dict[str, list[str]]:
    pairs = url.query.split("&")
    if len(pairs) > _MAX_FIELDS:
        raise CelError("a URL's query with too many fields")
    found: dict[str, list[str]] = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        if not pair or ";" in pair or any(len(match[0]) < 3 for match in _ESCAPE.finditer(pair)):
            continue  # what is malformed is left out
        found.setdefault(unquote(key.replace("+", " ")), []).append(unquote(value.replace("+", " ")))
    return found


def _is_url(text: str) -> bool:
    return not url_problem(text)


def _part(read: Callable[[Url], str]) -> tuple[Overload, ...]:
    return (Overload((_URL,), STRING, read, member=True),)


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "url": (Overload((STRING,), _URL, parse_url),),
    "isURL": (Overload((STRING,), BOOL, _is_url),),
    "getScheme": _part(lambda url: url.scheme),
    "getHost": _part(lambda url: url.host),
    "getHostname": _part(_hostname),
    "getPort": _part(lambda url: _host_and_port(url)[1]),
    "getEscapedPath": _part(lambda url: url.path),
    "getQuery": (Overload((_URL,), map_of(STRING, list_of(STRING)), _query, member=True),),
}
