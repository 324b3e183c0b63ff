"""From the spool to the plane, in order, each record until it is kept; and heartbeats beside it.

A record is sent until the plane says that it has it. Where the plane has less
than it said before (it was restored from a back-up), or more than the spool
ever held (the spool was), numbers cannot be trusted: another stream begins,
and with it a whole check.
"""

from __future__ import annotations

import logging
import random
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

import bartizan
from bartizan.agent.link import AwayError, BusyError
from bartizan.app.reporting.packing import pack_problems
from bartizan.app.reporting.wire import End, Heartbeat, Hello, read, read_message, unpacked
from bartizan.base.errors import BartizanError
from bartizan.model.report import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bartizan.agent.keeper import SpoolKeeper
    from bartizan.agent.link import Link
    from bartizan.agent.spool import Record, Spool
    from bartizan.agent.tokens import TokenFile
    from bartizan.app.reporting.wire import Answer, SentWaiver

_LOG: Final = logging.getLogger("bartizan.agent")
_SHORTEST_S: Final = 0.5
_LONGEST_S: Final = 60.0
"""Between two tries: a plane that comes back is not met by its whole fleet in one second, nor left waiting for long."""
_IDLE_S: Final = 1.0
"""How long one look for new records takes; a stop is noticed after it."""
RENEWED_BEFORE: Final = timedelta(days=30)
"""A token is renewed so long before it ends: an agent may be cut off for a month and still be known."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Health:
    """What is to be said of this agent, gathered by its threads, each writing its own field."""

    kubernetes: str = ""
    policy_digest: str = ""
    interval_s: int = 3600
    """How often the whole cluster is checked: as the plane wants it, once it said so."""
    watching: tuple[Problem, ...] = ()
    sending: str = ""
    differs: bool = False
    """Whether the plane holds other objects than were seen, or verdicts it does not believe any more."""
    wants_check: threading.Event = field(default_factory=threading.Event)
    """Set where the plane was not told something: all is to be told again, at once."""
    waivers: tuple[SentWaiver, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """Who talks to which plane, and how often it promises to."""

    link: Link
    token: TokenFile
    cluster: str
    identity: str
    lease_s: int
    clock: Callable[[], datetime]


class _Named(msgspec.Struct):
    """Of a record, the digest of its rules."""

    rules: str


def pauses(shortest_s: float = _SHORTEST_S, longest_s: float = _LONGEST_S) -> Callable[[bool], float]:
    """How long to wait after each failure: twice as long as before, and anything from half of that on."""
    failures = 0

    def pause(succeeded: bool) -> float:
        nonlocal failures
        failures = 0 if succeeded else failures + 1
        return 0.0 if succeeded else min(longest_s, shortest_s * 2 ** min(failures - 1, 20)) * random.uniform(0.5, 1)  # noqa: S311  spreads agents, guards nothing

    return pause


class Sender:
    """Sends until it is stopped. One thread runs `run`, another `beat`."""

    def __init__(
        self,
        line: Line,
        spool: Spool,
        keeper: SpoolKeeper,
        health: Health,
        pause: Callable[[bool], float] | None = None,
    ) -> None:
        self._pause = pause or pauses()
        self._line = line
        self._spool = spool
        self._keeper = keeper
        self._health = health
        self._stop = threading.Event()
        self._waivers = ""

    def stop(self) -> None:
        """Let both threads end after the request that is under way."""
        self._stop.set()

    def run(self) -> None:
        """Send whatever is in the spool, and whatever comes."""
        pause, is_resumed = self._pause, False
        while not self._stop.is_set():
            try:
                if not is_resumed:
                    self._resume()
                    is_resumed = True
                self._send()
                self._health.sending = ""
                pause(True)
            except BusyError as error:
                self._stop.wait(max(_SHORTEST_S, error.after_s) * random.uniform(0.3, 1))  # noqa: S311  as above
            except BartizanError as error:
                is_resumed = False
                self._say(error)
                self._stop.wait(max(pause(False), error.after_s if isinstance(error, AwayError) else 0))

    def beat(self) -> None:
        """Be heard of, three times a lease, and renew the token in time."""
        while not self._stop.is_set():
            try:
                self.beat_once()
            except BartizanError as error:
                _LOG.info("heartbeat.failed", extra={"reason": error.message})
            self._stop.wait(self._line.lease_s / 3 * random.uniform(0.8, 1))  # noqa: S311  as above

    def beat_once(self) -> None:
        """Be heard of.

        Raises:
            SourceError: the plane is away, or does not want to hear.
            StoreError: a renewed token cannot be kept.
        """
        now = self._line.clock()
        oldest = self._spool.oldest_at()
        lag_s = 0.0 if oldest is None else max(0.0, (now - _EPOCH).total_seconds() - oldest / 1e6)
        health, line = self._health, self._line
        problems = tuple(pack_problems(self._problems(), b"", 90))
        beat = Heartbeat(
            line.lease_s,
            health.interval_s,
            bartizan.__version__,
            health.kubernetes[:256],
            health.policy_digest[:256],
            lag_s,
            self._spool.waiting,
            problems,
        )
        heard = line.link.heartbeat(beat)
        health.interval_s = heard.interval_s
        if heard.stale and not self._spool.waiting:
            health.differs = True
        if heard.waivers != self._waivers:
            told = line.link.waivers()
            health.waivers, self._waivers = told.waivers, told.digest
        if heard.ends_at is not None and heard.ends_at - now < RENEWED_BEFORE:
            line.token.renew(line.link)

    def _resume(self) -> None:
        """Agree with the plane on the next record."""
        line = self._line
        welcome = line.link.hello(Hello(line.cluster, line.identity, self._spool.name, bartizan.__version__))
        self._health.interval_s = welcome.interval_s
        self._go_on_from(welcome.sequence)

    def _go_on_from(self, last: int) -> None:
        if not self._spool.go_on_from(last):
            self._begin_anew(f"the plane has {last} records, and the spool holds others")
            raise AwayError("another stream begins", hint="The whole cluster is told again.")

    def _begin_anew(self, reason: str) -> None:
        _LOG.warning("spool.anew", extra={"reason": reason, "dropped": self._spool.waiting})
        self._spool.renew()
        self._health.wants_check.set()

    def _send(self) -> None:
        """Send the next record, if there is one soon."""
        number = self._spool.first
        if not self._spool.wait(number, _IDLE_S if not self._stop.is_set() else 0):
            return
        record = self._spool.get(number)
        if record is None:  # the spool was begun anew meanwhile
            raise AwayError("another stream begins")
        answer = self._line.link.put(self._spool.name, number, record.payload)
        match answer.status:
            case "kept":
                self._spool.go_on_from(number)
                self._compare(record, answer)
            case "repeated" | "gap":
                self._go_on_from(answer.sequence)
            case "rules":
                self._teach(record)
            case "superseded":
                raise AwayError("another agent reported for this cluster", hint="Run one agent in each cluster.")

    def _teach(self, record: Record) -> None:
        digest = read(unpacked(record.payload, "gzip"), _Named).rules
        rules = self._keeper.rules_of(digest)
        if rules is None:
            self._begin_anew("the rules of a record are lost")
            raise AwayError("another stream begins")
        self._line.link.teach(digest, rules)

    def _compare(self, record: Record, answer: Answer) -> None:
        """At the end of a whole check: whether the plane holds as many objects as were seen. Else all is told again."""
        if answer.objects is None:
            return
        end = read_message(unpacked(record.payload, "gzip"))
        if isinstance(end, End) and end.complete and not end.unlisted and end.objects != answer.objects:
            _LOG.warning("plane.differs", extra={"here": end.objects, "there": answer.objects})
            self._health.differs = True

    def _problems(self) -> Iterator[Problem]:
        yield from self._health.watching
        if self._health.sending:
            yield Problem("world", self._health.sending)
        if self._spool.is_full:
            yield Problem(
                "world", "the agent's spool is full, and changes are not kept", hint="See why it cannot send."
            )
        if self._keeper.unsendable:
            names = ", ".join(f"`{name}`" for name in list(self._keeper.unsendable)[:5])
            yield Problem("world", f"{len(self._keeper.unsendable)} objects are too large or too deep to send: {names}")

    def _say(self, error: BartizanError) -> None:
        """Once for each thing that goes wrong, not once for each try."""
        if self._health.sending != error.message:
            _LOG.warning("sending.waits", extra={"reason": error.message, "hint": error.hint})
        self._health.sending = error.message
