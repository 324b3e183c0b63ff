"""Answers that cost much and change seldom, such as what past days were like: kept by each process for a while.

A key names everything that an answer depends on, and so the viewer's scope:
nobody is answered with what another may see.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from datetime import datetime, timedelta

T = TypeVar("T")

_MOST: Final = 256


class Recent:
    """Some answers, the last asked for. Threads may share it; two that ask at once may both do the work."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[Hashable, tuple[datetime, Any]] = {}

    def get(self, key: Hashable, now: datetime, span: timedelta, work: Callable[[], T]) -> T:
        """The answer to a key, worked out anew where it is older than `span`."""
        with self._lock:
            found = self._kept.pop(key, None)
            if found is not None and found[0] <= now < found[0] + span:
                self._kept[key] = found
                answer: T = found[1]
                return answer
        made = work()
        with self._lock:
            self._kept[key] = (now, made)
            while len(self._kept) > _MOST:
                del self._kept[next(iter(self._kept))]
        return made
