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
    incident_of,
    joined,
    part_of,
    wants,
    with_ends,
)
from bartizan.app.notices.settings import PagerDuty
from bartizan.model.notice import Notice
from bartizan.stores import outbox
from bartizan.stores.queries import news

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
    told = 0
    targets = notifications.by_name
    pagers = [name for name in rule.targets if isinstance(targets[name], PagerDuty)]
    others = [name for name in rule.targets if name not in pagers]
    if others:
        for group, notice, _ in _grouped(rule, events, notifications.plane_url):
            told += sum(_put(connection, rule, (name, group), notice, at) for name in others)
    if pagers:
        for group, notice in _pages(connection, with_ends(rule), events, notifications.plane_url):
            told += sum(_put(connection, rule, (name, group), notice, at) for name in pagers)
    return told


def _grouped(
    rule: Rule, events: list[Event], plane_url: str, *, ends: bool = True
) -> Iterator[tuple[Group, Notice, list[Event]]]:
    groups: dict[Group, list[Event]] = {}
    for event in events:
        if wants(rule, event):
            groups.setdefault(group_of(rule, event), []).append(event)
    for group, mine in _calmed(groups, ends=ends).items():
        yield group, gathered(rule, group, mine, plane_url), mine


def _pages(connection: Connection, rule: Rule, events: list[Event], plane_url: str) -> Iterator[tuple[Group, Notice]]:
    """Notices that do something to an incident: a finding that is over ends it with the last of its kind."""
    left = _Left(connection, rule)
    # clusters that are back end their incidents one by one, as those began that were no storm
    for group, notice, mine in _grouped(rule, events, plane_url, ends=False):
        if notice.kind == "waiver-asked":
            if group.cluster:  # somebody looks at what is wrong there; a waiver is no incident of its own
                about = Group(group.cluster, "findings", part_of(rule, mine[0]))
                yield group, msgspec.structs.replace(notice, incident=incident_of(rule, about))
            continue
        settled = _settled(left, group, mine)
        action: Action | None = "resolve" if settled.get(group) else notice.action
        if action:
            yield group, msgspec.structs.replace(notice, action=action)
        for other, over in settled.items():
            if over and other != group:
                ended = gathered(rule, other, mine, plane_url)
                yield other, msgspec.structs.replace(ended, action="resolve")


class _Left:
    """What is open of what a rule is about, asked once for each cluster."""

    def __init__(self, connection: Connection, rule: Rule) -> None:
        self.connection = connection
        self.rule = rule
        self._known: dict[str, list[Open]] = {}

    def of(self, name: str) -> list[Open]:
        """Where findings are open in a cluster."""
        if name not in self._known:
            number = news.number_of(self.connection, name)
            found = [] if number is None else news.open_in(self.connection, number)
            self._known[name] = [one for one in found if admits(self.rule, one)]
        return self._known[name]


def _calmed(groups: dict[Group, list[Event]], *, ends: bool) -> dict[Group, list[Event]]:
    """The groups, with a storm of clusters that change their state as one; `ends` says whether of those back too."""
    states = [
        group
        for group, events in groups.items()
        if group.family == "state" and (ends or all(event.kind != "cluster-back" for event in events))
    ]
    if len(states) <= _STORM:
        return groups
    calm = {group: events for group, events in groups.items() if group not in states}
    calm[Group("", "state")] = [event for group in states for event in groups[group]]
    return calm


def _settled(left: _Left, group: Group, events: list[Event]) -> dict[Group, bool]:
    """Of the incidents that these events may end: whether nothing of them is left."""
    kinds = {event.kind for event in events}
    if group.family == "findings" and kinds & _OVER:
        found = left.of(group.cluster)
        here = all(part_of(left.rule, one) != group.part for one in found)
        if left.rule.by == "cluster":
            return {group: here}
        # the first check's incident is about the whole cluster, whatever notices are about later
        return {group: here, Group(group.cluster, "first-check"): not found}
    if "cluster-back" in kinds:
        silent = any(mark.number for mark in news.marks(left.connection, news.STATE).values())
        return {Group("", "state"): not silent}
    return {}


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
