"""What Kubernetes adds for its own values: quantities, versions, URLs, named formats, and finding by pattern."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import parse_qs, quote

from bartizan.base.quantity import Quantity, parse_quantity
from bartizan.base.semver import Version, parse_version
from bartizan.lang.cel.declare import Overload
from bartizan.lang.cel.errors import CelError
from bartizan.lang.cel.library.standard import regex
from bartizan.lang.cel.operators import overflow
from bartizan.lang.cel.types import BOOL, DOUBLE, INT, STRING, Type, list_of, map_of
from bartizan.lang.cel.values import INT_MAX, INT_MIN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from fractions import Fraction

_QUANTITY: Final = Type("kubernetes.Quantity")
_SEMVER: Final = Type("kubernetes.Semver")
_URL: Final = Type("kubernetes.URL")


@dataclass(frozen=True, slots=True, order=True)
class Amount:
    """A quantity; `1Ki` and `1024` are equal, however they are written."""

    value: Fraction
    type_name: ClassVar[str] = "kubernetes.Quantity"


@dataclass(frozen=True, slots=True, order=True)
class Semver:
    """A semantic version; build metadata takes no part in comparison."""

    version: Version
    type_name: ClassVar[str] = "kubernetes.Semver"


@dataclass(frozen=True, slots=True)
class Url:
    """An absolute URL, or an absolute path. Two are equal if they are written alike."""

    text: str
    scheme: str = field(compare=False)
    host: str = field(compare=False)
    path: str = field(compare=False)
    query: str = field(compare=False)
    type_name: ClassVar[str] = "kubernetes.URL"


def _reads(read: Callable[..., Any]) -> Callable[..., bool]:
    def test(*given: Any) -> bool:
        try:
            read(*given)
        except CelError:
            return False
        return True

    return test


def _member(*parameters: Type, gives: Type, by: Callable[..., Any], grows: bool = False) -> Overload:
    return Overload(parameters, gives, by, member=True, grows=grows)


def _compare(left: Any, right: Any) -> int:
    return -1 if left < right else 1 if right < left else 0


# quantities


def _amount(text: str) -> Amount:
    quantity = parse_quantity(text)
    if quantity is None:
        raise CelError(f"invalid quantity {text[:80]!r}")
    return Amount(quantity.value)


def _is_integer(amount: Amount) -> bool:
    return amount.value.denominator == 1 and INT_MIN <= amount.value <= INT_MAX


def _as_integer(amount: Amount) -> int:
    if not _is_integer(amount):
        raise CelError(f"cannot convert value to integer: {Quantity(amount.value)}")
    return int(amount.value)


def _sign(amount: Amount) -> int:
    return (amount.value > 0) - (amount.value < 0)


_QUANTITIES: Final[Mapping[str, tuple[Overload, ...]]] = {
    "quantity": (Overload((STRING,), _QUANTITY, _amount),),
    "isQuantity": (Overload((STRING,), BOOL, _reads(_amount)),),
    "sign": (Overload((_QUANTITY,), INT, _sign),),  # no member, whatever the server's documentation says
    "isGreaterThan": (_member(_QUANTITY, _QUANTITY, gives=BOOL, by=lambda left, right: left > right),),
    "isLessThan": (_member(_QUANTITY, _QUANTITY, gives=BOOL, by=lambda left, right: left < right),),
    "compareTo": (_member(_QUANTITY, _QUANTITY, gives=INT, by=_compare),),
    "asApproximateFloat": (_member(_QUANTITY, gives=DOUBLE, by=lambda amount: float(amount.value)),),
    "asInteger": (_member(_QUANTITY, gives=INT, by=_as_integer),),
    "isInteger": (_member(_QUANTITY, gives=BOOL, by=_is_integer),),
    "add": (
        _member(_QUANTITY, _QUANTITY, gives=_QUANTITY, by=lambda left, right: Amount(left.value + right.value)),
        _member(_QUANTITY, INT, gives=_QUANTITY, by=lambda left, right: Amount(left.value + right)),
    ),
    "sub": (
        _member(_QUANTITY, _QUANTITY, gives=_QUANTITY, by=lambda left, right: Amount(left.value - right.value)),
        _member(_QUANTITY, INT, gives=_QUANTITY, by=lambda left, right: Amount(left.value - right)),
    ),
}

# versions


def _semver(text: str, normalize: bool = False) -> Semver:
    version = parse_version(_normalized(text) if normalize else text)
    if version is None:
        raise CelError(f"invalid semantic version {text[:80]!r}")
    return Semver(version)


def _normalized(text: str) -> str:
    """Without a leading `v` and zeros, and with the numbers that are missing."""
    core, mark, rest = re.fullmatch(r"v?([^-+]*)([-+]?)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]  # matches any text
    numbers = [number.lstrip("0") or ("0" if number else "") for number in core.split(".")]
    if len(numbers) < 3 and mark:
        return text  # a version with a suffix must be whole
    return ".".join([*numbers, *["0"] * (3 - len(numbers))]) + mark + rest


def _number(place: int) -> Callable[[Semver], int]:
    def read(held: Semver) -> int:
        number = held.version.core[place]
        if number > INT_MAX:
            raise overflow()
        return number

    return read


_VERSIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "semver": (Overload((STRING,), _SEMVER, _semver), Overload((STRING, BOOL), _SEMVER, _semver)),
    "isSemver": (Overload((STRING,), BOOL, _reads(_semver)), Overload((STRING, BOOL), BOOL, _reads(_semver))),
    "isGreaterThan": (_member(_SEMVER, _SEMVER, gives=BOOL, by=lambda left, right: left > right),),
    "isLessThan": (_member(_SEMVER, _SEMVER, gives=BOOL, by=lambda left, right: left < right),),
    "compareTo": (_member(_SEMVER, _SEMVER, gives=INT, by=_compare),),
    "major": (_member(_SEMVER, gives=INT, by=_number(0)),),
    "minor": (_member(_SEMVER, gives=INT, by=_number(1)),),
    "patch": (_member(_SEMVER, gives=INT, by=_number(2)),),
}

# URLs

_SCHEME: Final = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):(.*)", re.DOTALL | re.ASCII)
_HOST: Final = re.compile(
    r"(?:[^@/]*@)?((?:\[[0-9a-fA-F:.%a-zA-Z]+\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=\"<>]|[^\x00-\x7f]|%[0-9a-fA-F]{2})*)(?::\d*)?)"
)
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9a-fA-F]{2})")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_PATH_SAFE: Final = "/!$&'()*+,;=:@-._~%[]"


def parse_url(text: str) -> Url:
    """Read what may stand in the first line of an HTTP request, as Go does."""
    match = _SCHEME.fullmatch(text)
    scheme, rest = (match[1].lower(), match[2]) if match else ("", text)
    path, _, query = rest.partition("?")
    host = ""
    if _CONTROL.search(text) or not rest or (not scheme and not path.startswith("/")):
        raise CelError(f"URL parse error during conversion from string: {text[:80]!r}")
    if scheme and not path.startswith("/"):
        return Url(text, scheme, "", "", query)
    if scheme and path.startswith("//"):
        authority, slash, path = path[2:].partition("/")
        path = slash + path
        found = _HOST.fullmatch(authority)
        if found is None:
            raise CelError(f"URL parse error during conversion from string: {text[:80]!r}")
        host = found[1]
    if _BAD_ESCAPE.search(path):
        raise CelError(f"URL parse error during conversion from string: {text[:80]!r}")
    return Url(text, scheme, host, quote(path, safe=_PATH_SAFE), query)


def _hostname(url: Url) -> str:
    if url.host.startswith("["):
        return url.host[1:].partition("]")[0]
    return url.host.rpartition(":")[0] if _port(url) or url.host.endswith(":") else url.host


def _port(url: Url) -> str:
    after = url.host.rpartition("]")[2] if url.host.startswith("[") else url.host
    return after.rpartition(":")[2] if ":" in after else ""


def _query(url: Url) -> dict[str, list[str]]:
    try:
        return parse_qs(url.query, keep_blank_values=True, max_num_fields=1000)
    except ValueError as error:
        raise CelError("a URL's query with too many fields") from error


_URLS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "url": (Overload((STRING,), _URL, parse_url),),
    "isURL": (Overload((STRING,), BOOL, _reads(parse_url)),),
    "getScheme": (_member(_URL, gives=STRING, by=lambda url: url.scheme),),
    "getHost": (_member(_URL, gives=STRING, by=lambda url: url.host),),
    "getHostname": (_member(_URL, gives=STRING, by=_hostname),),
    "getPort": (_member(_URL, gives=STRING, by=_port),),
    "getEscapedPath": (_member(_URL, gives=STRING, by=lambda url: url.path),),
    "getQuery": (_member(_URL, gives=map_of(STRING, list_of(STRING)), by=_query),),
}

# patterns


def _find(text: str, pattern: str) -> str:
    match = regex(pattern).search(text)
    return "" if match is None else str(match.group(0))


def _find_all(text: str, pattern: str, count: int = -1) -> list[str]:
    found: list[str] = []
    for match in regex(pattern).finditer(text):
        if 0 <= count <= len(found):
            break
        found.append(match.group(0))
    return found


_PATTERNS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "find": (_member(STRING, STRING, gives=STRING, by=_find),),
    "findAll": (
        _member(STRING, STRING, gives=list_of(STRING), by=_find_all, grows=True),
        _member(STRING, STRING, INT, gives=list_of(STRING), by=_find_all, grows=True),
    ),
}

TABLES: Final = (_QUANTITIES, _VERSIONS, _URLS, _PATTERNS)
"""What Kubernetes adds, one table a family."""
