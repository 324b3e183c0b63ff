"""IP addresses and blocks of them, as Kubernetes has them: no zones, no IPv4 inside IPv6, no leading zeros."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from bartizan.lang.cel.declare import Overload
from bartizan.lang.cel.errors import CelError, no_such_overload
from bartizan.lang.cel.library.addresses import address_problem, block_problem
from bartizan.lang.cel.library.quoting import quoted
from bartizan.lang.cel.types import BOOL, INT, STRING, Type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_IP: Final = Type("net.IP")
_CIDR: Final = Type("net.CIDR")
_MAX_CHARS: Final = 64
_NO_BLOCK: Final = "network address parse error during conversion from string: "
_PREFIX: Final = re.compile(r"(.*)/(0|[1-9]\d{0,2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """An IP address."""

    value: ipaddress.IPv4Address | ipaddress.IPv6Address
    type_name: ClassVar[str] = "net.IP"


@dataclass(frozen=True, slots=True)
class Block:
    """Addresses that begin alike. `address` is as written, and may have bits beyond the prefix."""

    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    length: int
    type_name: ClassVar[str] = "net.CIDR"

    @property
    def network(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
        """The block itself."""
        return ipaddress.ip_network((self.address, self.length), strict=False)


def _read_any(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(text if len(text) <= _MAX_CHARS and text.isascii() else "")
    except ValueError as error:
        problem = address_problem(text)
        raise CelError(f"IP Address {quoted(text)} parse error during conversion from string: {problem}") from error


def _is_mapped(value: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return value.version == 6 and value.ipv4_mapped is not None


def address(text: str) -> Address:
    """Read an address.

    Raises:
        CelError: the text is none.
    """
    value = _read_any(text)
    if "%" in text:
        raise CelError(f"IP address {quoted(text)} with zone value is not allowed")
    if _is_mapped(value):
        raise CelError(f"IPv4-mapped IPv6 address {quoted(text)} is not allowed")
    return Address(value)


def _mapped_address(text: str) -> Address:
    """Read an address, of which one of IPv4 inside IPv6 is the one inside."""
    if ("." in text and ":" in text) or "%" in text:
        raise CelError(f"IP Address {quoted(text)} parse error during conversion from string: not canonical")
    value = _read_any(text)
    inner = value.ipv4_mapped if value.version == 6 else None
    return Address(value if inner is None else inner)


def block(text: str) -> Block:
    """Read a block, `address/length`.

    Raises:
        CelError: the text is none.
    """
    match = _PREFIX.fullmatch(text) if len(text) <= _MAX_CHARS and "%" not in text else None
    try:
        value = None if match is None else _read_any(match[1])
    except CelError:
        value = None
    if match is None or value is None or int(match[2]) > value.max_prefixlen:
        raise CelError(f"{_NO_BLOCK}{_NO_BLOCK}{block_problem(text)}")
    if _is_mapped(value):
        raise CelError(f"{_NO_BLOCK}IPv4-mapped IPv6 address {quoted(text)} is not allowed")
    return Block(value, int(match[2]))


def _contained(text: str) -> Address:
    """An address to look for, of which the reference says no more than that it is none."""
    try:
        return address(text)
    except CelError as error:
        raise no_such_overload() from error


def _succeeds(read: Callable[[str], Any]) -> Callable[[str], bool]:
    def test(text: str) -> bool:
        try:
            read(text)
        except CelError:
            return False
        return True

    return test


def _has_address(outer: Block, inner: Address) -> bool:
    return inner.value.version == outer.address.version and inner.value in outer.network


def _has_block(outer: Block, inner: Block) -> bool:
    if inner.address.version != outer.address.version:
        return False
    return inner.length >= outer.length and inner.network.network_address in outer.network


def _is_global(value: Address) -> bool:
    """Global unicast as Go means it: private addresses are, for instance."""
    held = value.value
    limited = held.version == 4 and int(held) == 0xFFFFFFFF
    return not (limited or held.is_unspecified or held.is_loopback or held.is_multicast or held.is_link_local)


def _is_local_multicast(value: Address) -> bool:
    held = value.value
    if held.version == 4:
        return int(held) >> 8 == 0xE00000
    return int(held) >> 112 & 0xFF0F == 0xFF02


def _member(*parameters: Type, gives: Type, by: Callable[..., Any]) -> Overload:
    return Overload(parameters, gives, by, member=True)


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "ip": (
        Overload((STRING,), _IP, address),
        _member(_CIDR, gives=_IP, by=lambda held: Address(held.address)),
    ),
    "isIP": (Overload((STRING,), BOOL, _succeeds(address)),),
    "ip.isCanonical": (Overload((STRING,), BOOL, lambda text: str(address(text).value) == text),),
    "family": (_member(_IP, gives=INT, by=lambda held: held.value.version),),
    "isUnspecified": (_member(_IP, gives=BOOL, by=lambda held: held.value.is_unspecified),),
    "isLoopback": (_member(_IP, gives=BOOL, by=lambda held: held.value.is_loopback),),
    "isLinkLocalMulticast": (_member(_IP, gives=BOOL, by=_is_local_multicast),),
    "isLinkLocalUnicast": (_member(_IP, gives=BOOL, by=lambda held: held.value.is_link_local),),
    "isGlobalUnicast": (_member(_IP, gives=BOOL, by=_is_global),),
    "cidr": (Overload((STRING,), _CIDR, block),),
    "isCIDR": (Overload((STRING,), BOOL, _succeeds(block)),),
    "containsIP": (
        _member(_CIDR, STRING, gives=BOOL, by=lambda outer, text: _has_address(outer, _contained(text))),
        _member(_CIDR, _IP, gives=BOOL, by=_has_address),
    ),
    "containsCIDR": (
        _member(_CIDR, STRING, gives=BOOL, by=lambda outer, text: _has_block(outer, block(text))),
        _member(_CIDR, _CIDR, gives=BOOL, by=_has_block),
    ),
    "prefixLength": (_member(_CIDR, gives=INT, by=lambda held: held.length),),
    "masked": (_member(_CIDR, gives=_CIDR, by=lambda held: Block(held.network.network_address, held.length)),),
    "string": (
        Overload((_IP,), STRING, lambda held: str(held.value)),
        Overload((_CIDR,), STRING, lambda held: f"{held.address}/{held.length}"),
    ),
}

MAPPED: Final[Mapping[str, tuple[Overload, ...]]] = {
    **FUNCTIONS,
    "isMask": (_member(_CIDR, gives=BOOL, by=lambda held: held.network.network_address == held.address),),
    "ip": (Overload((STRING,), _IP, _mapped_address), *FUNCTIONS["ip"][1:]),
    "isIP": (Overload((STRING,), BOOL, _succeeds(_mapped_address)),),
}
"""As the extension of the language itself has it, where IPv4 inside IPv6 is an address."""
