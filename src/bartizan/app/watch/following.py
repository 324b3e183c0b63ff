"""What a watched cluster says, taken into a mirror: by the one thread that judges it, in the order in which it came."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Final

from bartizan.app.watch.check import Listed, is_unlisted
from bartizan.app.watch.sources import listing_of, stale_group
from bartizan.findings.lifecycle import ObjectKey, key_of
from bartizan.model.report import Problem
from bartizan.sources.cluster.news import (
    Deleted,
    Discovered,
    ListingBegan,
    ListingEnded,
    Seen,
    Unknown,
    Vanished,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bartizan.app.watch.sentry import Sentry
    from bartizan.findings.delivery.watching import How
    from bartizan.model.resource import Resource
    from bartizan.sources.cluster.discovery import Kind
    from bartizan.sources.cluster.news import News

_ROOM: Final = 1000
"""News that may wait: two pages of a listing. What is decoded and not yet packed takes ten times the memory."""


class Inbox:
    """News on their way from the thread of the streams to the one that judges."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._news: deque[News] = deque()

    def take(self, news: Sequence[News]) -> None:
        """Keep news for later."""
        with self._lock:
            self._news.extend(news)
        self._wake()

    def is_full(self) -> bool:
        """Whether more should wait."""
        return len(self._news) >= _ROOM

    def empty(self) -> list[News]:
        """All that came, in order."""
        with self._lock:
            news, self._news = list(self._news), deque()
        return news


class Following:
    """What is known of the kinds of a cluster, beside its objects."""

    def __init__(self, sentry: Sentry, seen: Callable[[How, Resource], None] | None = None) -> None:
        self.kinds: dict[str, Kind] = {}
        """Those there are, by how a generation names them."""
        self._sentry = sentry
        self._observe = seen
        self._listing: dict[str, set[ObjectKey]] = {}
        self._known: set[str] = set()
        self._unknown: dict[str, Problem] = {}
        self._stale: dict[str, Problem] = {}
        self._number = -1
        self._waits_for: set[str] = set()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is not known now."""
        return (*self._stale.values(), *self._unknown.values())

    def is_listed(self, listing: int) -> bool:
        """Whether every kind has answered since it was asked for the listing of that number."""
        return self._number >= listing and not self._waits_for

    def listed(self) -> Listed:
        """What there is, as far as it is known."""
        unlisted = {*self._stale, *self._unknown, *self._waits_for}
        entries = self._sentry.mirror.entries
        seen = {key for key in entries if key.listing in self._known and not is_unlisted(key, unlisted)}
        return Listed(seen, set(), unlisted, list(self.problems), complete=self._number >= 0)

    def take(self, news: News) -> None:
        """Learn one thing."""
        match news:
            case Seen() | Deleted():
                self._change(news)
            case ListingBegan(kind):
                self._listing[listing_of(kind)] = set()
            case ListingEnded(kind):
                self._end(listing_of(kind))
            case Unknown(kind, problem):
                self._miss(listing_of(kind), problem)
            case Vanished(kind):
                message = f"the server has no `{kind.plural}` any more"
                self._miss(listing_of(kind), Problem("world", message, hint="It was there a moment ago."))
            case Discovered():
                self._discover(news)

    def _change(self, news: Seen | Deleted) -> None:
        key = key_of(news.resource.id)
        if isinstance(news, Deleted):
            self._sentry.drop(key)
            how: How = "deleted"
        else:
            self._sentry.put(news.resource)
            self._listing.get(listing_of(news.kind), set()).add(key)
            how = "listed" if news.listed else "changed"
        if self._observe:
            self._observe(how, news.resource)

    def _end(self, name: str) -> None:
        """A kind is known as a whole: what was not seen is not there."""
        seen = self._listing.pop(name, set())
        kind = name.rpartition("/")[2]
        for key in [one for one in self._sentry.mirror.by_kind.get(kind, ()) if one.listing == name]:
            if key not in seen:
                self._forget(key)
        self._known.add(name)
        self._unknown.pop(name, None)
        self._waits_for.discard(name)

    def _forget(self, key: ObjectKey) -> None:
        """An object is gone, and nobody saw it go."""
        if self._observe:
            self._observe("deleted", self._sentry.mirror.resource(key))
        self._sentry.drop(key)

    def _miss(self, name: str, problem: Problem) -> None:
        self._listing.pop(name, None)
        self._unknown[name] = problem
        self._waits_for.discard(name)

    def _discover(self, news: Discovered) -> None:
        """The kinds there are now. Of one that is no more, everything is gone; of a group that is silent, nothing."""
        self.kinds = {listing_of(kind): kind for kind in news.kinds}
        self._stale = {stale_group(problem): problem for problem in news.problems}
        gone = self._known | self._unknown.keys()
        for name in gone - self.kinds.keys():
            if f"{name.rpartition('/')[0]}/*" in self._stale:
                continue
            for key in [one for one in self._sentry.mirror.entries if one.listing == name]:
                self._sentry.drop(key)
            self._known.discard(name)
            self._unknown.pop(name, None)
        self._waits_for &= self.kinds.keys()
        if news.listing > self._number:
            self._number = news.listing
            self._waits_for = set(self.kinds)
