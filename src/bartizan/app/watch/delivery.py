"""What watches see of roll-outs, read as events of delivery and handed on to be kept.

The memory of a cluster's workloads is this process's alone. When it begins
anew, what happened meanwhile is not known: the cluster was out of sight from
when it was heard of last, and is told so.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from bartizan.findings.delivery.watching import WORKLOADS, Memory, Observation, lose_sight, observe, regain_sight
from bartizan.model.delivery import SightLost, SightRegained
from bartizan.stores.rollouts import of_watch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bartizan.findings.delivery.watching import How
    from bartizan.model.resource import Resource
    from bartizan.stores.rollouts import Happening

_KINDS: Final = {("apps", kind) for kind in (*WORKLOADS, "ReplicaSet", "ControllerRevision")} | {("", "Pod")}
_MOST: Final = 20_000
"""Events of a cluster that may wait for the store; what is older is forgotten, and the cluster was out of sight."""


class Delivery:
    """The events of all members. What happens may be said from any thread; `flush` is for one alone."""

    def __init__(self, keep: Callable[[str, Sequence[Happening]], object], clock: Callable[[], datetime]) -> None:
        self._keep = keep
        self._clock = clock
        self._lock = threading.Lock()
        self._memories: dict[str, Memory] = {}
        self._waiting: dict[str, list[Happening]] = {}

    def begin(self, cluster: str, last_seen: datetime | None) -> None:
        """A member is watched from now on, and was heard of by somebody before."""
        now = self._clock()
        with self._lock:
            self._memories[cluster] = Memory(cluster)
            if last_seen is not None and last_seen < now:
                self._add(cluster, [SightLost(last_seen, cluster), SightRegained(now, cluster)])

    def seen(self, cluster: str, how: How, resource: Resource) -> None:
        """An object came to be seen."""
        if (resource.id.group, resource.id.kind) not in _KINDS:
            return
        with self._lock:
            memory = self._memories.setdefault(cluster, Memory(cluster))
            self._add(cluster, of_watch(observe(memory, Observation(self._clock(), how, resource.body), {})))

    def sight(self, cluster: str, *, there: bool) -> None:
        """A member does not answer any more, or does again."""
        with self._lock:
            memory = self._memories.setdefault(cluster, Memory(cluster))
            turn = regain_sight if there else lose_sight
            self._add(cluster, of_watch(turn(memory, self._clock())))

    def end(self, cluster: str) -> None:
        """A member is watched no more."""
        with self._lock:
            if self._memories.pop(cluster, None) is not None:
                self._add(cluster, [SightLost(self._clock(), cluster)])

    def flush(self, clusters: Sequence[str]) -> None:
        """Hand on what happened in clusters.

        Raises:
            StoreError: it could not be kept, and will be handed on again.
        """
        for cluster in clusters:
            with self._lock:
                events = self._waiting.pop(cluster, [])
            if not events:
                continue
            try:
                self._keep(cluster, events)
            except BaseException:
                with self._lock:
                    self._waiting[cluster] = events + self._waiting.get(cluster, [])
                raise

    def _add(self, cluster: str, events: Sequence[Happening]) -> None:
        waiting = self._waiting.setdefault(cluster, [])
        waiting += events
        if len(waiting) > _MOST:
            first, *kept = waiting[-_MOST // 2 :]
            self._waiting[cluster] = [SightLost(waiting[0].at, cluster), SightRegained(first.at, cluster), first, *kept]
