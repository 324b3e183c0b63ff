"""Answers that are had once: whoever asks the same at the same time waits for the one that asked first.

A run sees one world: a tag that moves while a scan runs does not move for
the scan. What is kept is bounded by its bytes, the oldest going first.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

from bartizan.base.errors import BartizanError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

Value = TypeVar("Value")


class Once(Generic[Value]):
    """A table that fills itself; `weigh` is what a value counts towards `limit`. Failures are kept too."""

    def __init__(self, limit: int, weigh: Callable[[Value], int] = lambda _value: 1) -> None:
        self._limit = limit
        self._weigh = weigh
        self._lock = threading.Lock()
        self._held: OrderedDict[Hashable, Future[Value]] = OrderedDict()
        self._weights: dict[Hashable, int] = {}
        self._weight = 0

    def __bool__(self) -> bool:
        """Whether anything has been asked."""
        return bool(self._held)

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of a key, made by the first that asks."""
        with self._lock:
            future = self._held.get(key)
            is_first = future is None
            if future is None:
                future = self._held[key] = Future()
        if is_first:
            self._fill(key, future, make)
        error = future.exception()
        if error is not None:
            raise error.with_traceback(None)  # each raise would lengthen the trace of one that is kept
        return future.result()

    def _fill(self, key: Hashable, future: Future[Value], make: Callable[[], Value]) -> None:
        try:
            value = make()
        except BartizanError as error:
            future.set_exception(error)
            self._keep(key, 1)
        else:
            future.set_result(value)
            self._keep(key, self._weigh(value))
        finally:
            if not future.done():  # a bug or an interrupt: nobody may wait for ever
                with self._lock:
                    self._held.pop(key, None)
                future.cancel()

    def _keep(self, key: Hashable, weight: int) -> None:
        with self._lock:
            self._weights[key] = weight
            self._weight += weight
            while self._weight > self._limit and len(self._weights) > 1:
                oldest = next(iter(self._weights))
                self._weight -= self._weights.pop(oldest)
                self._held.pop(oldest, None)
