"""Named formats of text, as the API server reads them.

Source: `strfmt` of `k8s.io/kube-openapi`, and the list of formats that
definitions may use; one that is not on it says nothing, which goes for
`int32` and its like.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import date
from typing import TYPE_CHECKING, Final

from bartizan.engines.policy.cel.schema import parse_span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HEX: Final = "[0-9a-fA-F]"
_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_MAC: Final = re.compile(
    rf"({_HEX}{{2}}[:-])(?:{_HEX}{{2}}[:-]){{4}}{_HEX}{{2}}|(?:{_HEX}{{2}}[:-]){{7}}{_HEX}{{2}}|"
    rf"(?:{_HEX}{{2}}[:-]){{19}}{_HEX}{{2}}|{_HEX}{{4}}(?:\.{_HEX}{{4}}){{2}}|"
    rf"{_HEX}{{4}}(?:\.{_HEX}{{4}}){{3}}|{_HEX}{{4}}(?:\.{_HEX}{{4}}){{9}}"
)
_TIME: Final = re.compile(r"(\d{2}):(\d{2}):(\d{2})(.\d+)?(z|[+-]\d{2}:\d{2})", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CARD: Final = re.compile(
    r"4\d{12}(?:\d{3})?|5[1-5]\d{14}|6(?:011|5\d\d)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|(?:2131|1800|35\d{3})\d{11}",
    re.ASCII,
)
_BYTE: Final = r"(25[0-5]|2[0-4]\d|1\d\d?|[1-9]\d?|0)"
_NOT_PART: Final = re.compile(r"[\x00-\x20\x7f]")
_HOST_CHARS: Final = 255
_HOST_PART: Final = 63
_MAX_CHARS: Final = 4096
"""Longer text is of no format but `password`, `byte` and `uri`."""


def is_day(text: str) -> bool:
    """A day: `2006-01-02`."""
    try:
        return _DAY.fullmatch(text) is not None and date.fromisoformat(text) is not None
    except ValueError:
        return False


def _is_moment(text: str) -> bool:
    day, _, rest = text.lower().partition("t")
    match = _TIME.fullmatch(rest.partition("t")[0])
    if match is None or not is_day(day):
        return False
    hours, minutes, seconds = match.groups()[:3]
    return hours <= "23" and minutes <= "59" and seconds <= "59"


def _address(text: str, *, sloppy: bool) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address; where that is `sloppy`, zeros may lead a number of IPv4."""
    if sloppy and ":" not in text:
        parts = text.split(".")
        if not all(part.isascii() and part.isdecimal() for part in parts):
            return None
        text = ".".join(part.lstrip("0") or "0" for part in parts)
    try:
        return None if "%" in text else ipaddress.ip_address(text)
    except ValueError:
        return None


def _is_block(text: str) -> bool:
    address, slash, length = text.partition("/")
    found = _address(address, sloppy=True)
    if found is None or not slash or not (length.isascii() and length.isdecimal()) or len(length) > 3:
        return False
    return int(length) <= found.max_prefixlen


def _is_card(text: str) -> bool:
    digits = re.sub(r"[^0-9]+", "", text)
    if _CARD.fullmatch(digits) is None:
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (1 + place % 2)
        total += number % 10 + 1 if number >= 10 else number
    return total % 10 == 0


def _is_isbn10(text: str) -> bool:
    digits = re.sub(r"[\s-]+", "", text, flags=re.ASCII)
    if re.fullmatch(r"[0-9]{9}[0-9X]", digits) is None:
        return False
    return sum((place + 1) * (10 if digit == "X" else int(digit)) for place, digit in enumerate(digits)) % 11 == 0


def _is_isbn13(text: str) -> bool:
    digits = re.sub(r"[\s-]+", "", text, flags=re.ASCII)
    if re.fullmatch(r"[0-9]{13}", digits) is None:
        return False
    total = sum((1, 3)[place % 2] * int(digit) for place, digit in enumerate(digits[:12]))
    return int(digits[12]) == (10 - total % 10) % 10


def _is_hostname(text: str) -> bool:
    from bartizan.base.regex import compile_regex  # late: it is the one format that Python's own cannot read

    letter = r"a-zA-Z0-9\p{S}\p{L}"
    pattern = (
        rf"^([{letter}]((-?[{letter}]{{0,62}})?)|([{letter}](([-{letter}]{{0,61}}[{letter}])?)(\.)){{1,}}"
        r"([a-zA-Z\p{L}]){2,63})$"
    )
    encoded = text.encode(errors="replace")
    return (
        compile_regex(pattern).search(encoded.decode()) is not None
        and len(encoded) <= _HOST_CHARS
        and all(len(part.encode(errors="replace")) <= _HOST_PART for part in text.split("."))
    )


def _is_email(text: str) -> bool:
    """An address with or without a name before it; the forms nobody writes are left out."""
    bare = text.strip()
    if bare.endswith(">"):
        bare = bare[:-1].rpartition("<")[2]
    local, at, host = bare.rpartition("@")
    word = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]+"
    dotted = rf"{word}(\.{word})*"
    literal = r"\[[0-9A-Fa-f:.]+\]"
    return bool(at and re.fullmatch(rf'{dotted}|"[^"\\]*"', local) and re.fullmatch(rf"{dotted}|{literal}", host))


def _is_uri(text: str) -> bool:
    """An absolute address or an absolute path."""
    if not text or _NOT_PART.search(text.replace(" ", "")):
        return False
    escapes_end = re.search(r"%(?![0-9A-Fa-f]{2})", text.split("?", maxsplit=1)[0]) is None
    if text == "*" or text.startswith("/"):
        return escapes_end
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text)
    if scheme is None:
        return False
    rest = text[scheme.end() :].split("?", maxsplit=1)[0]
    if not rest.startswith("/"):
        return True
    if not rest.startswith("//") or not escapes_end:
        return escapes_end
    host = rest[2:].split("/")[0].rpartition("@")[2]
    return " " not in host and re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]*)(:\d*)?", host, re.ASCII) is not None


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda text: compiled.fullmatch(text) is not None


def _uuid(third: str = "", fourth: str = "") -> Callable[[str], bool]:
    def group(first: str) -> str:
        return f"{first}{_HEX}{{3}}" if first else f"{_HEX}{{4}}"

    return _matches(f"{_HEX}{{8}}-?{_HEX}{{4}}-?{group(third)}-?{group(fourth)}-?{_HEX}{{12}}")


_LONG_NAME: Final = _matches(rf"{_LABEL}(\.{_LABEL})*")
_SHORT_NAME: Final = _matches(_LABEL)
_FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {
    "bsonobjectid": _matches(f"{_HEX}{{24}}"),
    "byte": _matches(
        r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})",
    ),
    "cidr": _is_block,
    "creditcard": _is_card,
    "date": is_day,
    "datetime": _is_moment,
    "duration": lambda text: parse_span(text) is not None,
    "email": _is_email,
    "hexcolor": _matches(f"#?({_HEX}{{3}}|{_HEX}{{6}})"),
    "hostname": _is_hostname,
    "ipv4": lambda text: "." in text and _address(text, sloppy=True) is not None,
    "ipv6": lambda text: ":" in text and _address(text, sloppy=False) is not None,
    "isbn": lambda text: _is_isbn10(text) or _is_isbn13(text),
    "isbn10": _is_isbn10,
    "isbn13": _is_isbn13,
    "k8slongname": lambda text: len(text) <= 253 and _LONG_NAME(text),
    "k8sshortname": lambda text: len(text) <= 63 and _SHORT_NAME(text),
    "mac": lambda text: _MAC.fullmatch(text) is not None and len({*text} & {":", "-"}) < 2,
    "password": lambda _text: True,
    "rgbcolor": _matches(rf"rgb\(\s*{_BYTE}\s*,\s*{_BYTE}\s*,\s*{_BYTE}\s*\)"),
    "ssn": lambda text: len(text) == 11 and re.fullmatch(r"[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}", text) is not None,
    "uri": _is_uri,
    "uuid": _uuid(),
    "uuid3": _uuid("3"),
    "uuid4": _uuid("4", "[89abAB]"),
    "uuid5": _uuid("5", "[89abAB]"),
}
_ANY_LENGTH: Final = frozenset({"password", "byte", "uri"})


def format_named(name: str) -> Callable[[str], bool] | None:
    """What tells whether a text is of a format; `None` where the server knows no such format."""
    plain = name.replace("-", "")
    known = _FORMATS.get(plain)
    if known is None or plain in _ANY_LENGTH:
        return known
    return lambda text: len(text) <= _MAX_CHARS and known(text)
