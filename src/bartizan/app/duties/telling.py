"""The duty to tell: what is new in the fleet becomes notices, and those that are due are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.app.duties.duty import Lasting
from bartizan.app.notices import deliver, look, open_ways, read_notifications

if TYPE_CHECKING:
    from bartizan.app.duties.duty import Post, Stopped
    from bartizan.app.notices import Notifications
    from bartizan.app.settings import Settings

_LOOK_S: Final = 2.0


def told_by(settings: Settings) -> Notifications:
    """Who is told of what, as the settings say.

    Raises:
        SpecError: the settings of notifications cannot be used.
    """
    told = {"plane_url": settings.public_url} if settings.public_url else {}
    return read_notifications({**told, **settings.notifications})


def duties(settings: Settings) -> list[Lasting]:
    """Nothing where nobody is to be told.

    Raises:
        SpecError: the settings of notifications cannot be used.
    """
    notifications = told_by(settings)
    if not notifications.targets:
        return []

    def tell(post: Post, stopped: Stopped) -> None:
        since = post.now()
        with open_ways() as ways:
            while not stopped(_LOOK_S):
                look(post.store, notifications, post.now(), listening_since=since)
                deliver(post.store, notifications, post.now, ways)

    return [Lasting("tell", tell)]
