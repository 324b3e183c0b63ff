"""Duties of the store itself: what is too old goes, and what was not judged for too long is said to be stale."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bartizan.app.duties.duty import Recurring
from bartizan.stores import generations, upkeep
from bartizan.stores.queries.overview import fleet
from bartizan.stores.scope import EVERYTHING

if TYPE_CHECKING:
    from bartizan.app.duties.duty import Post

STALE_INTERVALS: Final = 2
"""What was not judged for so many intervals of its cluster is not known any more."""


def _prune(post: Post) -> None:
    now = post.now()
    upkeep.prune(post.store, post.settings.retention, now)
    upkeep.compact(post.store, post.settings.retention, now.date())


def _age(post: Post) -> None:
    with post.store.reading() as connection:
        members = fleet(connection, EVERYTHING)
    now = post.now()
    for one in members:
        if one.left_at is None and one.interval_s:
            since = now - STALE_INTERVALS * timedelta(seconds=one.interval_s)
            generations.age(post.ingest, post.store, one.name, now, since)


DUTIES: Final = (
    Recurring("prune", timedelta(hours=6), _prune),
    Recurring("age", timedelta(minutes=1), _age),
)
