"""The outbox, emptied: at least once, at each target's own pace, and never in silence.

A message is claimed for a lease, sent, and only then said to have arrived.
Who is killed between leaves it to the next, under the same key. One that
fails is tried again for about a day, ever later; one that is refused for
good, or has failed for so long, is dead and waits for a person.
"""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from bartizan.app.notices.sending import LONGEST_S, Outcome, send
from bartizan.app.notices.settings import PagerDuty
from bartizan.model.notice import Item, Notice
from bartizan.model.severity import Severity
from bartizan.stores import outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from bartizan.app.notices.sending import Ways
    from bartizan.app.notices.settings import Notifications, Target
    from bartizan.stores.open import Store
    from bartizan.stores.outbox import Message

LEASE: Final = timedelta(minutes=3)
"""For as long a message is its sender's. Longer than a few messages take to a target that barely answers."""
MOST_ATTEMPTS: Final = 32
"""After 10 s, 20 s, 40 s and so on up to an hour, these are a day."""
_AT_A_TIME: Final = 5
_MOST_A_ROUND: Final = 100
_MINUTE: Final = timedelta(minutes=1)
_FIRST_PAUSE_S: Final = 10.0
_LONGEST_PAUSE_S: Final = 3600.0
_TOGETHER: Final = 4
"""Targets that are served at a time: one that does not answer holds up only its own."""


class Delivered(NamedTuple):
    """What became of messages: arrived, to be tried again, dead."""

    sent: int = 0
    again: int = 0
    dead: int = 0


def deliver(
    store: Store,
    notifications: Notifications,
    clock: Callable[[], datetime],
    ways: Ways,
    chance: Callable[[], float] = random.random,
) -> Delivered:
    """Send what is due, as far as rates allow. Several processes may do so at the same time.

    Raises:
        StoreError: the database is away; what was claimed is claimed again after its lease.
    """
    with store.reading() as connection:
        names = outbox.due_targets(connection, clock())
    if not names:
        return Delivered()
    rounds = [_Round(store, notifications.by_name.get(name), name, clock, ways, chance) for name in names]
    with ThreadPoolExecutor(min(_TOGETHER, len(rounds)), "notices") as pool:
        done = list(pool.map(_Round.run, rounds))
    return Delivered(*map(sum, zip(*done, strict=True)))


def send_test(target: Target, ways: Ways, at: datetime, plane_url: str = "") -> Outcome:
    """Send a test to a target, past the outbox, and say what became of it. A page's incident is ended at once."""
    item = Item("test", Severity.INFO, target.name, "", "If you can read this, notifications arrive.", "")
    incident = f"bartizan/test/{target.name}"
    notice = Notice(
        "test", "test", at, at, counts={"test": 1}, items=(item,), link=plane_url, incident=incident, action="trigger"
    )
    key = f"test-{int(at.timestamp() * 1000):x}"
    outcome = send(target, notice, key, at, ways)
    if isinstance(target, PagerDuty) and not outcome.error:
        over = msgspec.structs.replace(notice, action="resolve")
        outcome = send(target, over, f"{key}-over", at, ways)
    return outcome


class _Round:
    """One target's messages, until none is due or it had its share."""

    def __init__(
        self,
        store: Store,
        target: Target | None,
        name: str,
        clock: Callable[[], datetime],
        ways: Ways,
        chance: Callable[[], float],
    ) -> None:
        self._store = store
        self._target = target
        self._name = name
        self._clock = clock
        self._ways = ways
        self._chance = chance

    def run(self) -> Delivered:
        """Claim and send, a few at a time."""
        total = Delivered()
        while sum(total) < _MOST_A_ROUND:
            claimed_at = self._clock()
            messages = self._claim(claimed_at)
            if not messages:
                break
            done, stopped = self._send_all(messages, claimed_at)
            total = Delivered(*map(sum, zip(total, done, strict=True)))
            if stopped:
                break
        return total

    def _claim(self, at: datetime) -> list[Message]:
        rate = self._target.rate if self._target else _MOST_A_ROUND

        def work(connection: Connection) -> list[Message]:
            outbox.alone(connection)
            left = rate - outbox.used(connection, self._name, at - _MINUTE, at, LEASE)
            if left <= 0:
                return []
            return outbox.claim(connection, at, LEASE, min(left, _AT_A_TIME), self._name)

        return self._store.write(work)

    def _send_all(self, messages: Sequence[Message], claimed_at: datetime) -> tuple[Delivered, bool]:
        """Send them in order; where one says that the target has trouble, the others wait."""
        sent = again = dead = 0
        for place, message in enumerate(messages):
            late = self._clock() > claimed_at + LEASE - timedelta(seconds=3 * LONGEST_S)
            if late:
                self._give_back(messages[place:], 0.0)
                return Delivered(sent, again, dead), True
            outcome = self._sent(message)
            if self._note(message, outcome):
                sent, dead = sent + (not outcome.error), dead + bool(outcome.error)
                continue
            again += 1
            self._give_back(messages[place + 1 :], outcome.after_s or _FIRST_PAUSE_S)
            return Delivered(sent, again, dead), True
        return Delivered(sent, again, dead), False

    def _sent(self, message: Message) -> Outcome:
        if self._target is None:
            return Outcome(f"no target is called `{self._name}` any more", permanent=True)
        if message.attempts > MOST_ATTEMPTS:
            return Outcome("whoever tried to send it was killed", permanent=True)
        try:
            notice = msgspec.convert(message.message, Notice)
        except msgspec.ValidationError as error:
            return Outcome(f"the message cannot be read: {error}", permanent=True)
        return send(self._target, notice, message.key, self._clock(), self._ways)

    def _note(self, message: Message, outcome: Outcome) -> bool:
        """Keep what became of a message. Says whether that was the end of it."""
        now = self._clock()
        if not outcome.error:
            self._store.write(lambda connection: outbox.sent(connection, message.number, now, outcome.note))
            return True
        over = outcome.permanent or message.attempts >= MOST_ATTEMPTS
        again = None if over else now + self._pause(message.attempts, outcome)

        def work(connection: Connection) -> None:
            outbox.failed(connection, message.number, outcome.error, again, now)
            if outcome.after_s is not None and not outcome.permanent:
                outbox.postpone(connection, self._name, now + timedelta(seconds=outcome.after_s))

        self._store.write(work)
        return over

    def _pause(self, attempts: int, outcome: Outcome) -> timedelta:
        """How long until the next try: twice as long each time, by chance a little more or less."""
        seconds = min(_FIRST_PAUSE_S * 2.0 ** (attempts - 1), _LONGEST_PAUSE_S) * (0.75 + self._chance() / 2)
        return timedelta(seconds=max(seconds, outcome.after_s or 0.0))

    def _give_back(self, messages: Sequence[Message], pause_s: float) -> None:
        numbers = [message.number for message in messages]
        if numbers:
            later = self._clock() + timedelta(seconds=pause_s)
            self._store.write(lambda connection: outbox.release(connection, numbers, later))
