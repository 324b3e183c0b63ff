"""How often one person may ask: a few at once, and then so many a second."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

_MOST: Final = 10_000
"""People that are remembered; who is forgotten has waited long enough."""


class Pace:
    """Tokens in a bucket for each who asks; `burst` at first, and `per_s` more each second."""

    def __init__(self, burst: int, per_s: float) -> None:
        self._burst = burst
        self._per_s = per_s
        self._lock = threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def admits(self, name: str, at: float) -> bool:
        """Whether somebody may ask now; `at` is in seconds, of a clock that does not go back."""
        with self._lock:
            left, since = self._left.pop(name, (float(self._burst), at))
            left = min(self._burst, left + max(0.0, at - since) * self._per_s)
            admitted = left >= 1
            self._left[name] = (left - 1 if admitted else left, at)
            while len(self._left) > _MOST:
                self._left.popitem(last=False)
            return admitted
