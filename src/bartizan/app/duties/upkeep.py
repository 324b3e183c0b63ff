"""Duties of the store itself: what is too old goes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bartizan.app.duties.duty import Recurring
from bartizan.stores import upkeep

if TYPE_CHECKING:
    from bartizan.app.duties.duty import Post


def _prune(post: Post) -> None:
    now = post.now()
    upkeep.prune(post.store, post.settings.retention, now)
    upkeep.compact(post.store, post.settings.retention, now.date())


DUTIES: Final = (Recurring("prune", timedelta(hours=6), _prune),)
