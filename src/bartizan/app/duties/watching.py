"""The lasting duty of each member that a plane reads itself: joined, checked, and checked again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.app.duties.duty import Lasting, Post
from bartizan.app.duties.members import named, rules_of, source_of
from bartizan.app.watch.check import check, sentry_of
from bartizan.app.watch.keeper import LocalKeeper
from bartizan.app.watch.rules import load_rules
from bartizan.model.fleet import Cluster
from bartizan.stores.clusters import join, note

if TYPE_CHECKING:
    from pathlib import Path

    from bartizan.app.duties.duty import Stopped
    from bartizan.app.settings import Member, Settings


def duties(settings: Settings, cache: Path) -> list[Lasting]:
    """One duty a member.

    Raises:
        SpecError: two members have one name, or one cannot be a name.
    """
    return [_duty(name, member, cache) for name, member in named(settings.clusters).items()]


def _duty(name: str, member: Member, cache: Path) -> Lasting:
    def work(post: Post, stopped: Stopped) -> None:
        source = source_of(name, member, cache)
        interval = post.settings.interval_s
        join(post.store, Cluster(name, source.kind, member.labels, post.now()), interval)
        keeper = LocalKeeper(post.ingest, post.store)
        sentry = sentry_of(source, load_rules(rules_of(post.settings)), keeper, post.now, post.settings.team_label)
        try:
            while True:
                done = check(source, sentry)
                problems = [{"message": one.message, "hint": one.hint} for one in done.generation.problems]
                note(post.store, name, {"version": source.version(), "problems": problems, "last_seen": post.now()})
                if stopped(interval):
                    return
        finally:
            source.close()

    return Lasting(f"watch {name}", work)
