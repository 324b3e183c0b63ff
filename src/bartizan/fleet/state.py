"""How much of what is known of a cluster can be believed, from when it was last heard of."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from bartizan.model.fleet import ClusterState

LATE_LEASES: Final = 2
"""For how many leases a silent cluster is late; after them nothing is known of it. One lost report is no outage."""

_SHORTEST_S: Final = 60
_LONGEST_S: Final = 300


def lease_of(interval_s: int, lease_s: int = 0) -> int:
    """How often a cluster is heard of at least, in seconds: as it promised, or by how far its whole checks are apart.

    A member beats between its checks; so that one which is checked once a day is not taken for well for two days.
    """
    return lease_s or min(max(interval_s, _SHORTEST_S), _LONGEST_S)


def state(last_seen: datetime | None, lease_s: float, now: datetime) -> ClusterState:
    """The state of a cluster that promised to be heard of once a lease.

    One never heard of is unknown. So is one heard of in the future, by more
    than a lease: a clock is wrong, and how old its report is cannot be told.

    Raises:
        ValueError: the lease is not a time.
    """
    if not lease_s > 0:
        raise ValueError(f"a lease of {lease_s} seconds")
    if last_seen is None:
        return "unknown"
    silent, lease = now - last_seen, timedelta(seconds=lease_s)
    if silent < -lease or silent >= LATE_LEASES * lease:
        return "unknown"
    return "late" if silent > lease else "current"
