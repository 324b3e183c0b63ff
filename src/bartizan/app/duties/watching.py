"""The lasting duty of each member that a plane reads itself: it joins the fleet, and a garrison keeps watch over it.

A process has one garrison, which begins with its first member: rules are
compiled once, and the streams of all clusters share a thread.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

from bartizan.app.duties.duty import Lasting, Post
from bartizan.app.duties.members import named, rules_of, source_of
from bartizan.app.watch.garrison import Garrison, plane_of
from bartizan.app.watch.member import Timing
from bartizan.model.fleet import Cluster
from bartizan.stores.clusters import join

if TYPE_CHECKING:
    from pathlib import Path

    from bartizan.app.duties.duty import Stopped
    from bartizan.app.settings import Member, Settings
    from bartizan.app.watch.member import MemberStatus

_LONG_S: Final = 3600.0


class Watching:
    """The garrison of this process, once it has something to watch."""

    def __init__(self) -> None:
        self._garrison: Garrison | None = None
        self._lock = Lock()

    def garrison(self, post: Post) -> Garrison:
        """The garrison, begun.

        Raises:
            SpecError: the settings name rules that do not exist.
        """
        with self._lock:
            if self._garrison is None:
                begun = Garrison(
                    plane_of(post.store, post.ingest, post.now),
                    rules_of(post.settings),
                    timing=Timing(post.settings.interval_s),
                    team_label=post.settings.team_label,
                    clock=post.now,
                )
                begun.start()
                self._garrison = begun
            return self._garrison

    def status(self) -> list[MemberStatus]:
        """How the members are that this process watches."""
        return self._garrison.status() if self._garrison else []

    def check_soon(self, name: str) -> None:
        """Do a whole check of a member now, where this process watches it."""
        if self._garrison:
            self._garrison.check_soon(name)

    def stop(self) -> None:
        """End the watch."""
        with self._lock:
            if self._garrison is not None:
                self._garrison.stop()
                self._garrison = None


def duties(settings: Settings, cache: Path, watching: Watching) -> list[Lasting]:
    """One duty a member, and one that minds what agents tell of.

    Raises:
        SpecError: two members have one name, or one cannot be a name.
    """

    def mind(post: Post, stopped: Stopped) -> None:
        watching.garrison(post)
        stopped(_LONG_S)

    return [Lasting("mind", mind), *(_duty(*one, cache, watching) for one in named(settings.clusters).items())]


def _duty(name: str, member: Member, cache: Path, watching: Watching) -> Lasting:
    def watch(post: Post, stopped: Stopped) -> None:
        garrison = watching.garrison(post)
        source = source_of(name, member, cache)
        join(post.store, Cluster(name, source.kind, member.labels, post.now()), post.settings.interval_s)
        garrison.add(source)
        try:
            while not stopped(_LONG_S):
                pass
        finally:
            garrison.remove(name)

    return Lasting(f"watch {name}", watch)
