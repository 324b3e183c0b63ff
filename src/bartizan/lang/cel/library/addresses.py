"""Why a text is no IP address or block of them, in the words of Go's own reader, which answers quote."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.lang.cel.library.quoting import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

_GROUP: Final = re.compile(r"[0-9a-fA-F]*", re.ASCII)
_GROUPS: Final = 8


class _Problem(NamedTuple):
    text: str
    at: str = ""


def address_problem(text: str) -> str:
    """What is wrong with a text that is no address."""
    problem = _address(text)
    place = f" (at {quoted(problem.at)})" if problem.at else ""
    return f"ParseAddr({quoted(text)}): {problem.text}{place}"


def block_problem(text: str) -> str:
    """What is wrong with a text that is no block of addresses."""
    return f"netip.ParsePrefix({quoted(text)}): {_block(text)}"


def _block(text: str) -> str:
    address, slash, length = text.rpartition("/")
    if not slash:
        return "no '/'"
    if _address(address).text != _FINE:
        return address_problem(address)
    if "%" in address:
        return "IPv6 zones cannot be present in a prefix"
    if not re.fullmatch(r"0|[1-9]\d*", length, re.ASCII):
        return f"bad bits after slash: {quoted(length)}"
    return "prefix length out of range"


_FINE: Final = "fine"


def _address(text: str) -> _Problem:
    for char in text:
        if char == ".":
            return next(_of_four(text), _Problem(_FINE))
        if char == ":":
            return next(_of_eight(text), _Problem(_FINE))
        if char == "%":
            return _Problem("missing IPv6 address")
    return _Problem("unable to parse IP")


def _of_four(text: str) -> Iterator[_Problem]:
    fields, value, digits = 0, 0, 0
    for place, char in enumerate(text):
        if "0" <= char <= "9":
            if digits == 1 and value == 0:
                yield _Problem("IPv4 field has octet with leading zero")
            value, digits = value * 10 + int(char), digits + 1
            if value > 255:
                yield _Problem("IPv4 field has value >255")
        elif char == ".":
            if place in (0, len(text) - 1) or text[place - 1] == ".":
                yield _Problem("IPv4 field must have at least one digit", text[place:])
            if fields == 3:
                yield _Problem("IPv4 address too long")
            fields, value, digits = fields + 1, 0, 0
        else:
            yield _Problem("unexpected character", text[place:])
    if fields < 3:
        yield _Problem("IPv4 address too short")


def _of_eight(text: str) -> Iterator[_Problem]:
    rest, percent, zone = text.partition("%")
    if percent and not zone:
        yield _Problem("zone must be a non-empty string")
    shortened = rest.startswith("::")
    rest = rest[2:] if shortened else rest
    groups = 0
    while groups < _GROUPS and rest:
        match = _GROUP.match(rest)
        digits = match[0] if match else ""
        yield from _in_group(rest, digits)
        if rest[len(digits) : len(digits) + 1] == ".":
            yield from _embedded(rest, groups, shortened=shortened)
            groups, rest = groups + 2, ""
        else:
            groups, rest = groups + 1, rest[len(digits) :]
            yield from _between_groups(rest, shortened=shortened)
            shortened, rest = shortened or rest.startswith("::"), rest.removeprefix(":").removeprefix(":")
    if rest:
        yield _Problem("trailing garbage after address", rest)
    if groups < _GROUPS and not shortened:
        yield _Problem("address string too short")
    if groups == _GROUPS and shortened:
        yield _Problem("the :: must expand to at least one field of zeros")


def _between_groups(rest: str, *, shortened: bool) -> Iterator[_Problem]:
    if rest and rest[0] != ":":
        yield _Problem("unexpected character, want colon", rest)
    if rest == ":":
        yield _Problem("colon must be followed by more characters", rest)
    if shortened and rest.startswith("::"):
        yield _Problem("multiple :: in address", rest[1:])


def _in_group(rest: str, digits: str) -> Iterator[_Problem]:
    if not digits:
        yield _Problem("each colon-separated field must have at least one digit", rest)
    if len(digits) > 4:
        yield _Problem("each group must have 4 or less digits", rest)


def _embedded(rest: str, groups: int, *, shortened: bool) -> Iterator[_Problem]:
    if not shortened and groups != _GROUPS - 2:
        yield _Problem("embedded IPv4 address must replace the final 2 fields of the address", rest)
    if groups + 2 > _GROUPS:
        yield _Problem("too many hex fields to fit an embedded IPv4 at the end of the address", rest)
    yield from _of_four(rest)


def address_error(text: str) -> str:
    """What is wrong with a text as an address of IPv6; empty where nothing is."""
    if ":" not in text and _address(text).text == _FINE:
        return "it is one of IPv4"
    return "" if _address(text).text == _FINE else address_problem(text)
