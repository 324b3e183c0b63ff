"""What happened in the fleet since somebody last looked, as events; and the look that announces it.

Nothing is told by who writes reports: a report that was kept is told by the
next look, whatever was killed in between. What was looked at is noted in the
transaction that puts the messages into the outbox, so it is told once.
"""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from bartizan.app.notices.announcing import announce
from bartizan.findings.score import WEIGHTS
from bartizan.fleet.state import lease_of, state
from bartizan.model.notice import Event, Item
from bartizan.model.severity import Severity
from bartizan.stores import outbox
from bartizan.stores.prior import hold
from bartizan.stores.queries import news
from bartizan.stores.queries.overview import by_severity
from bartizan.stores.scope import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from bartizan.app.notices.settings import Notifications
    from bartizan.model.fleet import ClusterState
    from bartizan.model.notice import NoticeKind
    from bartizan.stores.open import Store
    from bartizan.stores.queries.news import Pulse

_STATES: Final[Mapping[ClusterState, int]] = {"current": 0, "late": 1, "unknown": 2}
_STATE_KINDS: Final[Mapping[ClusterState, tuple[NoticeKind, Severity]]] = {
    "current": ("cluster-back", Severity.INFO),
    "late": ("cluster-late", Severity.LOW),
    "unknown": ("cluster-unknown", Severity.HIGH),
}
_OLD_NEWS: Final = timedelta(days=1)
"""A first check that ended longer ago is none: notices were switched on later."""
_LOOK_BACK: Final = timedelta(days=7)
"""Waivers asked for or ended longer ago are not told; below the time for which messages are kept."""
_MILLION: Final = 1_000_000


def look(store: Store, notifications: Notifications, at: datetime, *, listening_since: datetime | None = None) -> int:
    """Announce whatever is new in the fleet. Returns how many messages were made or grew.

    `listening_since` is when the plane began to hear of its clusters: one
    cannot have been silent before. Several processes may look at the same time.
    """
    if not notifications.rules:
        return 0
    with store.reading() as connection:
        found = news.with_news(connection)
    told = 0
    for number, name in found:
        told += store.write(lambda connection: _tell_findings(connection, notifications, (number, name), at))  # noqa: B023  done before the next

    def rest(connection: Connection) -> int:
        outbox.alone(connection)
        events = [
            *state_events(connection, at, listening_since),
            *score_events(connection, at, notifications.score_points),
            *waiver_events(connection, at, notifications.soon),
        ]
        return announce(connection, notifications, events, at)

    told += store.write(rest)
    store.write(lambda connection: news.catch_up_quiet(connection, at))
    return told


def _tell_findings(connection: Connection, notifications: Notifications, member: tuple[int, str], at: datetime) -> int:
    outbox.alone(connection)
    return announce(connection, notifications, finding_events(connection, *member, at), at)


def finding_events(connection: Connection, number: int, name: str, at: datetime) -> list[Event]:
    """What happened to a cluster's findings since this was last asked, and note that it was.

    Of a cluster that was never looked at: all that is open once its first
    check has ended, and nothing before.
    """
    before = news.mark(connection, number, news.TOLD)
    if before is not None:
        upto = news.last_transition(connection, number, before.number)
        events = news.changes(connection, number, name, before.number, upto)
        news.set_mark(connection, number, news.TOLD, upto, at)
        return events
    checked = news.first_checked(connection, number)
    if checked is None or hold(connection, number) is None:  # held: no report is between the number and what is open
        return []
    news.set_mark(connection, number, news.TOLD, news.last_transition(connection, number), at)
    return news.standing(connection, number, name, at) if checked > at - _OLD_NEWS else []


def state_events(connection: Connection, at: datetime, listening_since: datetime | None = None) -> list[Event]:
    """Clusters whose state is another than when this was last asked, and note that it was."""
    before = news.marks(connection, news.STATE)
    events = []
    for pulse in news.pulses(connection):
        heard = max(filter(None, (pulse.last_seen or pulse.joined_at, listening_since)))
        now = state(heard, lease_of(pulse.interval_s, pulse.lease_s), at)
        was = before.get(pulse.id)
        if was is not None and was.number == _STATES[now]:
            continue
        news.set_mark(connection, pulse.id, news.STATE, _STATES[now], at)
        if was is not None or now != "current":
            events.append(_state_event(pulse, now, at))
    return events


def _state_event(pulse: Pulse, now: ClusterState, at: datetime) -> Event:
    kind, severity = _STATE_KINDS[now]
    seen = pulse.last_seen
    text = f"last heard of at {seen:%Y-%m-%d %H:%M} UTC" if seen else "never heard of since it joined"
    item = Item(kind, severity, pulse.name, "", text, "")
    return Event(kind, at, pulse.name, severity=severity, items=(item,))


def score_events(connection: Connection, at: datetime, points: int) -> list[Event]:
    """Clusters whose pass rate moved by so many points since this last said so, and note that it did."""
    before = news.marks(connection, news.SCORE)
    names = dict(news.members(connection))
    events = []
    for number, sums in by_severity(connection, EVERYTHING).items():
        rate = _pass_rate(sums)
        if rate is None or number not in names:
            continue
        now, was = int(rate * _MILLION), before.get(number)
        if was is None:
            if news.first_checked(connection, number) is not None:
                news.set_mark(connection, number, news.SCORE, now, at)
        elif abs(now - was.number) >= points * _MILLION // 100:
            news.set_mark(connection, number, news.SCORE, now, at)
            events.append(_score_event(names[number], was.number, now, at))
    return events


def _pass_rate(sums: Mapping[int, tuple[int, ...]]) -> Fraction | None:
    """The pass rate of `findings.score`, from counts by severity: of each, those that pass and fail come first."""
    passed = sum(WEIGHTS[Severity(severity)] * counts[0] for severity, counts in sums.items())
    decided = sum(WEIGHTS[Severity(severity)] * (counts[0] + counts[1]) for severity, counts in sums.items())
    return Fraction(passed, decided) if decided else None


def _score_event(name: str, was: int, now: int, at: datetime) -> Event:
    kind: NoticeKind = "score-fell" if now < was else "score-rose"
    severity = Severity.MEDIUM if now < was else Severity.INFO
    text = f"the pass rate went from {was / 10_000:.1f} % to {now / 10_000:.1f} %"
    item = Item(kind, severity, name, "", text, "")
    return Event(kind, at, name, severity=severity, items=(item,))


def waiver_events(connection: Connection, at: datetime, soon: timedelta) -> list[Event]:
    """Waivers that are asked for, end soon or have ended; each says the same however often it is asked."""
    return [
        _waiver_event(row, kind, at)
        for row in news.waivers_at(connection, at, soon, _LOOK_BACK)
        for kind in _what_of(row, at, soon)
    ]


def _what_of(row: Row[*tuple[Any, ...]], at: datetime, soon: timedelta) -> Iterator[NoticeKind]:
    if row.state == "asked":
        if row.ends_at > at:
            yield "waiver-asked"
    elif row.ends_at <= at:
        yield "waiver-ended"
    elif row.ends_at - row.decided_at > soon:  # one that is shorter was known to end soon
        yield "waiver-expiring"


def _waiver_event(row: Row[*tuple[Any, ...]], kind: NoticeKind, at: datetime) -> Event:
    severity = Severity.MEDIUM if kind == "waiver-ended" else Severity.LOW
    chosen = ((name, getattr(row, name)) for name in ("policy", "rule", "kind", "namespace", "name", "team"))
    where = ", ".join(f"{name} {value[:100]}" for name, value in chosen if value)
    cluster = row.cluster_name or ""
    until = f"{row.ends_at:%Y-%m-%d %H:%M} UTC"
    ends = {"waiver-asked": f"until {until}", "waiver-expiring": f"ends at {until}"}.get(kind, f"ended at {until}")
    text = f"asked for by {row.asked_by[:100]}, {ends}: {row.reason[:300]}"
    item = Item(
        kind, severity, f"waiver {row.id}", f"{where} in {cluster or 'the whole fleet'}", text, f"/waivers/{row.id}"
    )
    return Event(
        kind, at, cluster, row.namespace, row.team, row.rule, severity,
        items=(item,), id=f"waiver:{row.id}:{kind}", topic=str(row.id),
    )  # fmt: skip  # a row as it is told
