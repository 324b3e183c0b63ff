"""How often a door opens to one viewer or address: for doors that can be guessed at, and those that cost much.

What guards a secret is counted in the store, for all processes together. What
only guards this process from too much work is counted in it, without a write.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from datetime import timedelta
from hashlib import blake2b
from math import ceil
from threading import Lock
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from bartizan.base.errors import BartizanError
from bartizan.stores import throttle
from bartizan.stores.throttle import Rate

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

    from bartizan.plane.site import Site
    from bartizan.plane.viewer import Viewer

_MOST: Final = 10_000
"""Keys that one process keeps; the one not asked for longest is forgotten."""
_NETWORK: Final = 64
"""Bits of an IPv6 address that are one customer's: the rest they choose as they like."""


class Limit(NamedTuple):
    """`burst` times at once and then one every `every_s` seconds, for each viewer or address.

    `shared` counts in the store. Nobody who is signed in counts as their address.
    """

    name: str
    burst: int
    every_s: float
    by: Literal["viewer", "address"] = "viewer"
    shared: bool = False

    @property
    def rate(self) -> Rate:
        """The limit as the store counts it."""
        return Rate(self.burst, timedelta(seconds=self.every_s))


class TooManyError(BartizanError):
    """It was asked for too often; `wait_s` says when it may be again."""

    def __init__(self, wait: timedelta) -> None:
        self.wait_s = max(1, ceil(wait.total_seconds()))
        super().__init__("this was asked for too often", hint=f"Try again in {self.wait_s} seconds.")


class Limiter:
    """What one process counts itself."""

    def __init__(self) -> None:
        self._until: OrderedDict[bytes, datetime] = OrderedDict()
        self._lock = Lock()

    def admit(self, site: Site, limit: Limit, request: Request, viewer: Viewer) -> None:
        """Count one more.

        Raises:
            TooManyError: that is one too many.
            StoreError: the count is shared, and the database is away.
        """
        whose = f"account {viewer.account}" if limit.by == "viewer" and viewer.account else address(request)
        key = key_of(site, limit.name, whose)
        if limit.shared:
            demand(site, key, limit)
            return
        wait = self._wait(key, limit, site.now())
        if wait:
            raise TooManyError(wait)

    def _wait(self, key: bytes, limit: Limit, now: datetime) -> timedelta:
        every = limit.rate.every
        with self._lock:
            until = max(self._until.pop(key, now), now)
            latest = now + every * (limit.burst - 1)
            self._until[key] = until if until > latest else until + every
            if len(self._until) > _MOST:
                self._until.popitem(last=False)
        return max(until - latest, timedelta())


def demand(site: Site, key: bytes, limit: Limit) -> None:
    """Count one more of a shared limit.

    Raises:
        TooManyError: that is one too many.
    """
    wait = site.store.write(lambda connection: throttle.take(connection, key, limit.rate, site.now()))
    if wait:
        raise TooManyError(wait)


def key_of(site: Site, name: str, whose: str) -> bytes:
    """What is counted under: a digest, so that the store keeps no address and no guessed name."""
    return blake2b(f"{name}\0{whose}".encode("utf-8", "surrogatepass"), key=site.key[:64], digest_size=16).digest()


def address(request: Request) -> str:
    """The network that a request came from; a proxy's word for it where the server trusts that proxy."""
    host = request.client.host if request.client else ""
    try:
        known = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(known if known.version == 4 else ipaddress.ip_network((known, _NETWORK), strict=False))
