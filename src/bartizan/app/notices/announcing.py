"""Events put into the outbox, as notices that grow until they are due.

A notice of a group is one row, and its key names the window it gathers in:
what happens within the window joins it, after a restart as well as before.
So a batch of a thousand findings is one message, and a digest is one too.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bartizan.app.notices.gathering import (
    Group,
    admits,
    gathered,
    group_of,
    joined,
    part_of,
    wants,
)
from bartizan.app.notices.settings import PagerDuty
from bartizan.model.notice import Notice
from bartizan.stores import outbox
from bartizan.stores.queries import news

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from bartizan.app.notices.settings import Notifications, Rule
    from bartizan.model.notice import Action, Event
    from bartizan.stores.queries.news import Open

_MONDAY: Final = datetime(1970, 1, 5, tzinfo=UTC)
"""Where windows begin: weeks with Mondays, days at midnight in UTC."""
_DAY: Final = timedelta(days=1)
_STORM: Final = 10
"""So many clusters whose state changed at once are one notice: what broke is not in them."""
_TRIES: Final = 100
_OVER: Final = frozenset({"fixed", "waived"})


def announce(connection: Connection, notifications: Notifications, events: Iterable[Event], at: datetime) -> int:
    """Put what rules tell of these events into the outbox. Returns how many messages were made or grew.

    An event that has an `id` and was announced before is passed over. It is
    all in the caller's transaction: with it or not at all.
    """
    outbox.alone(connection)
    fresh = [event for event in events if not event.id or outbox.told(connection, event.id, at)]
    if not fresh:
        return 0
    return sum(_tell(connection, notifications, rule, fresh, at) for rule in notifications.rules)


def _tell(connection: Connection, notifications: Notifications, rule: Rule, events: list[Event], at: datetime) -> int:
    groups: dict[Group, list[Event]] = {}
    for event in events:
        if wants(rule, event):
            groups.setdefault(group_of(rule, event), []).append(event)
    told = 0
    targets = notifications.by_name
    paged = any(isinstance(targets[name], PagerDuty) for name in rule.targets)
    for group, mine in _calmed(groups).items():
        notice = gathered(rule, group, mine, notifications.plane_url)
        settled = _settled(connection, rule, group, mine) if paged else {}
        for name in rule.targets:
            if not isinstance(targets[name], PagerDuty):
                told += _put(connection, rule, (name, group), notice, at)
                continue
            first, others = _actions(notice, group, settled)
            if first:
                acted = msgspec.structs.replace(notice, action=first)
                told += _put(connection, rule, (name, group), acted, at)
            for other in others:
                over = gathered(rule, other, mine, notifications.plane_url)
                told += _put(connection, rule, (name, other), msgspec.structs.replace(over, action="resolve"), at)
    return told


def _calmed(groups: dict[Group, list[Event]]) -> dict[Group, list[Event]]:
    """The groups, with a storm of clusters that change their state as one."""
    states = [group for group in groups if group.family == "state"]
    if len(states) <= _STORM:
        return groups
    calm = {group: events for group, events in groups.items() if group.family != "state"}
    calm[Group("", "state")] = [event for group in states for event in groups[group]]
    return calm


def _settled(connection: Connection, rule: Rule, group: Group, events: list[Event]) -> dict[Group, bool]:
    """Of the incidents that these events may end: whether nothing of them is left."""
    kinds = {event.kind for event in events}
    if group.family == "findings" and kinds & _OVER:
        number = news.number_of(connection, group.cluster)
        left = [] if number is None else [one for one in news.open_in(connection, number) if admits(rule, one)]
        here = not any(_is_of(rule, one, group) for one in left)
        # the first check's incident is about the whole cluster, whatever notices are about later
        return {group: here} if rule.by == "cluster" else {group: here, Group(group.cluster, "first-check"): not left}
    if "cluster-back" in kinds:
        return {Group("", "state"): not any(mark.number for mark in news.marks(connection, news.STATE).values())}
    return {}


def _is_of(rule: Rule, whose: Open, group: Group) -> bool:
    return part_of(rule, whose) == group.part


def _actions(notice: Notice, group: Group, settled: dict[Group, bool]) -> tuple[Action | None, list[Group]]:
    """What a notice does to its incident, and which others it ends."""
    action = notice.action
    if group in settled:
        action = "resolve" if settled[group] else action
    if action == "resolve" and group == Group("", "state") and not settled.get(group, True):
        action = None
    return action, [other for other, over in settled.items() if over and other != group]


def _put(connection: Connection, rule: Rule, whom: tuple[str, Group], notice: Notice, at: datetime) -> int:
    """Put a notice in, or let the one that waits grow. Senders that disagree on the time may need another key."""
    target, group = whom
    due = due_at(rule, at)

    def grow(before: Any | None) -> Any:
        whole = notice if before is None else joined(msgspec.convert(before, Notice), notice)
        return msgspec.to_builtins(whole)

    for number in range(_TRIES):
        words = "\0".join((rule.name, target, group.key, due.isoformat(), str(number)))
        if outbox.collect(connection, sha256(words.encode()).hexdigest()[:32], target, due, at, grow):
            return 1
    raise AssertionError(f"{_TRIES} messages of one window were sent before it ended")


def due_at(rule: Rule, at: datetime) -> datetime:
    """The end of the window that a time is in. A digest of days ends at the rule's hour."""
    period = rule.period
    if not period:
        return at
    start = _MONDAY
    if rule.mode == "digest" and period >= _DAY:
        start += timedelta(hours=rule.hour)
    return start + ((at - start) // period + 1) * period
