"""One member of the fleet, kept up to date in a thread of its own: listed, watched, checked as a whole by a schedule.

Nothing that happens is lost when the database or the cluster is away: it is
in the mirror, and is told when they are back.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import random
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import bartizan
from bartizan.app.watch.check import Checked, Listed, sentry_of, take
from bartizan.app.watch.following import Following, Inbox
from bartizan.app.watch.keeper import add
from bartizan.app.watch.sentry import TEAM_LABEL
from bartizan.app.watch.sources import ContextSource
from bartizan.base.errors import BartizanError, SourceError, StoreError
from bartizan.model.fleet import Generation
from bartizan.model.report import Problem, problem_of
from bartizan.sources.cluster.watch import PROBE_S, ClusterWatch
from bartizan.stores.reports import Moves

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bartizan.app.watch.keeper import Keeper
    from bartizan.app.watch.rules import RuleBook
    from bartizan.app.watch.sources import Source
    from bartizan.app.watch.verdicts import TeamWaiver
    from bartizan.findings.delivery.watching import How
    from bartizan.model.resource import Resource
    from bartizan.sources.cluster.watch import Streams

MemberState: TypeAlias = Literal["starting", "watching", "checking", "away", "stopped"]
"""`away` is a source or a store that does not answer; what is known then is as old as the lag."""

log = logging.getLogger(__name__)

_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 30.0
_LATE: Final = 1.5
"""Intervals after which a whole check comes late: at two, objects turn stale."""
_TAKING_S: Final = 1.0
"""For news, before what they changed is looked at: they may come without end."""


@dataclass(frozen=True, slots=True)
class Timing:
    """When things are done. `interval_s` is between whole checks, `coalesce_s` how long changes wait for each other."""

    interval_s: float = 900.0
    coalesce_s: float = 0.5
    poll_s: float = 2.0
    """Between looks at the files of a folder; repositories are asked thirty times more seldom."""
    patience_s: float = 600.0
    """For all kinds of a cluster to be listed: then the check ends without the rest."""
    probe_s: float = PROBE_S
    """Between questions to a cluster whether it is there."""
    jitter: float = 0.1


@dataclass(frozen=True, slots=True)
class MemberStatus:
    """How a member is, for people. `lag_s` is how old what is known of it may be; nothing before it was heard of."""

    name: str
    kind: str
    state: MemberState
    version: str = ""
    lag_s: float | None = None
    objects: int = 0
    watching: int = 0
    waiting: int = 0
    problems: tuple[Problem, ...] = ()
    generation: int = 0
    checked_at: datetime | None = None
    check_s: float | None = None
    next_check_at: datetime | None = None


@dataclass(slots=True)
class _Checking:
    """A whole check that has begun. `done` is what it came to, once all of it is told."""

    number: int
    started_at: datetime
    began: float
    listing: int
    moves: Moves = field(default_factory=Moves)
    done: Generation | None = None


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who is told of what happens, in the thread of the member it happens to: they must be quick.

    `on_moves` gets the member's name and what changed in the store, once it
    is there. `on_seen` gets the member's name, how an object came to be seen
    (`listed`, `changed`, `deleted`) and the object. `on_sight` is told when a
    cluster does not answer any more, and when it does again.
    """

    on_moves: Callable[[str, Moves], None] = lambda _name, _moves: None
    on_seen: Callable[[str, How, Resource], None] | None = None
    on_sight: Callable[[str, bool], None] = lambda _name, _there: None


@dataclass(frozen=True, slots=True)
class Duty:
    """What members share: the rules they begin with, who keeps what they tell, the time, and the streams of clusters.

    Without `streams` clusters are listed by the schedule, and not watched.
    """

    book: RuleBook
    keeper: Keeper
    clock: Callable[[], datetime]
    streams: Streams | None = None
    timing: Timing = Timing()
    team_label: str = TEAM_LABEL
    listeners: Listeners = Listeners()


class Member:
    """A source with its sentry. Its public methods may be called from any thread."""

    def __init__(self, source: Source, duty: Duty) -> None:
        self.source = source
        self.name = source.name
        self.timing = duty.timing
        self._sentry = sentry_of(source, duty.book, duty.keeper, duty.clock, duty.team_label)
        self._keeper = duty.keeper
        self._clock = duty.clock
        self._on_moves = duty.listeners.on_moves
        self._on_sight = duty.listeners.on_sight
        self._in_sight = True
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._book: RuleBook | None = None
        self._waivers: Sequence[TeamWaiver] | None = None
        self._told_again = False
        self._following: Following | None = None
        self._inbox = Inbox(self._wake.set)
        self._watch: ClusterWatch | None = None
        if isinstance(source, ContextSource) and duty.streams is not None:
            on_seen = duty.listeners.on_seen
            self._following = Following(self._sentry, partial(on_seen, source.name) if on_seen else None)
            self._watch = ClusterWatch(source.cluster, self._inbox, duty.streams, self.timing.probe_s)
        self._thread = threading.Thread(target=self._run, name=f"member {source.name}", daemon=True)
        self._checking: _Checking | None = None
        self._listings = 0
        self._next_check = 0.0
        self._polled = (0.0, "")
        self._dirty_since: float | None = None
        self._heard: float | None = None
        self._away = False
        self._trouble: BartizanError | None = None
        self._pause = _FIRST_PAUSE_S
        self._problems: tuple[Problem, ...] = ()
        self._version = ""
        self._last: tuple[Checked, float] | None = None

    # -- what others ask -----------------------------------------------------

    def start(self) -> None:
        """Begin."""
        if self._watch:
            self._watch.start()
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Stop and wait for it; what is being written is written as a whole or not at all."""
        self._stopping.set()
        self._wake.set()
        if self._watch:
            self._watch.stop()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        self.source.close()

    def adopt(self, book: RuleBook) -> None:
        """Ask other rules from now on."""
        with self._lock:
            self._book = book
        self._wake.set()

    def accept(self, waivers: Sequence[TeamWaiver]) -> None:
        """Other waivers are in force from now on."""
        with self._lock:
            self._waivers = tuple(waivers)
        self._wake.set()

    def tell_again(self) -> None:
        """Tell everything at the next whole check, for the store has made some of it stale."""
        self._told_again = True

    def check_soon(self) -> None:
        """Do a whole check now."""
        self._next_check = 0.0
        self._wake.set()

    def status(self) -> MemberStatus:
        """How it is now."""
        checked, seconds = self._last or (None, None)
        lag = self.lag_s()
        state: MemberState = "watching"
        if self._stopping.is_set():
            state = "stopped"
        elif self._trouble is not None or self._away or (self._watch and self._watch.pulse.problem):
            state = "away"
        elif self._last is None:
            state = "starting"
        elif self._checking is not None:
            state = "checking"
        left = max(self._next_check - time.monotonic(), 0.0)
        return MemberStatus(
            self.name,
            self.source.kind,
            state,
            self._version,
            lag,
            len(self._sentry.mirror),
            len(self._watch.pulse.watching) if self._watch else 0,
            len(self._sentry.dirty) + len(self._sentry.gone),
            self.problems(),
            checked.generation.number if checked else 0,
            checked.generation.ended_at if checked else None,
            seconds,
            self._clock() + timedelta(seconds=left),
        )

    @property
    def version(self) -> str:
        """What runs there, as it was heard last."""
        return self._version

    @property
    def was_checked(self) -> bool:
        """Whether a whole check of it has ended."""
        return self._last is not None

    def lag_s(self) -> float | None:
        """How long ago the source was heard last."""
        heard = self._watch.pulse.heard_at or None if self._watch else self._heard
        return None if heard is None else max(time.monotonic() - heard, 0.0)

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong now: with the source, with what could not be read there, with the store."""
        found = list(self._problems)
        if self._following:
            found = list(self._following.problems)
        pulse = self._watch.pulse.problem if self._watch else None
        if pulse:
            found.insert(0, pulse)
        if self._trouble:
            found.insert(0, problem_of(self._trouble))
        return tuple(found)

    # -- the thread ----------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                wait = self._step()
            except (StoreError, SourceError) as error:
                wait = self._troubled(error)
            except Exception:  # the outermost frame of a thread: one member's fault must not end its watch in silence
                log.exception("member.failed", extra={"cluster": self.name})
                wait = self._troubled(StoreError("a fault in the program", hint="See the log, and report it."))
            else:
                self._trouble, self._pause = None, _FIRST_PAUSE_S
            self._wake.wait(wait)
            self._wake.clear()

    def _troubled(self, error: BartizanError) -> float:
        if self._trouble is None:
            log.warning("member.troubled", extra={"cluster": self.name, "error": error.message})
        self._trouble = error
        self._pause = min(self._pause * 2, _LONGEST_PAUSE_S)
        return self._pause

    def _step(self) -> float:
        """Do what is due. Returns how long nothing else will be."""
        self._take_orders()
        now = time.monotonic()
        if self._following:
            self._see()
            self._take_news()
            if self._last is None and self._checking is None:
                self._begin()
        else:
            self._poll(now)
        if self._checking is None and now >= self._next_check:
            self._begin()
        if self._checking is not None:
            self._go_on(self._checking, now)
        waits = self._look(now)
        until = self._next_check if self._checking is None else now + 0.1
        poll = self._polled[0] if not self._following else until
        return max(min(until, poll, now + waits) - time.monotonic(), 0.0)

    def _take_orders(self) -> None:
        with self._lock:
            book, self._book = self._book, None
            waivers, self._waivers = self._waivers, None
        if book is not None:
            self._sentry.adopt(book)
        if waivers is not None:
            self._sentry.accept(waivers)

    def _see(self) -> None:
        """Tell whether the cluster is in sight, where that is news."""
        there = self._watch is None or self._watch.pulse.problem is None
        if there != self._in_sight:
            self._in_sight = there
            self._on_sight(self.name, there)

    def _take_news(self) -> None:
        following, until = self._following, time.monotonic() + _TAKING_S
        while following and time.monotonic() < until and (news := self._inbox.empty()):
            for one in news:
                following.take(one)

    def _poll(self, now: float) -> None:
        """Look whether files changed, and read them again where they did."""
        due, before = self._polled
        if now < due or self._last is None:
            return
        self._polled = now + self.source.poll_s(self.timing.poll_s), before
        try:
            mark = self.source.mark()
        except SourceError as error:
            self._away = True
            self._problems = (problem_of(error),)
            return
        if mark != before or self._away:
            self._read()
            self._polled = self._polled[0], mark
        elif not self._away:
            self._heard = time.monotonic()

    def _read(self) -> Listed:
        """Read all files again."""
        listed = take(self.source, self._sentry)
        self._problems = tuple(listed.problems)
        self._away = not listed.complete
        if listed.complete:
            self._heard = time.monotonic()
        return listed

    def _begin(self) -> None:
        """Begin a whole check."""
        if self._told_again:
            self._told_again = False
            self._sentry.forget_told()
        at = self._sentry.telling.at()
        number = self._keeper.begin(self.name, at, self._sentry.book.digest, bartizan.__version__)
        if self._watch and self._last is not None:
            self._listings += 1
            self._watch.list_again(self._listings)
        self._checking = _Checking(number, at, time.monotonic(), self._listings)

    def _go_on(self, checking: _Checking, now: float) -> None:
        """Go on with a whole check as far as it goes."""
        if checking.done is None:
            listed = self._listed(checking, now)
            if listed is None:
                return
            self._doubt()
            add(checking.moves, self._sentry.look(listed.seen | listed.doubted, checking.number))
            checking.done = self._generation(checking, listed)
        add(checking.moves, self._keeper.end(checking.done))
        self._last = Checked(checking.done, checking.moves), time.monotonic() - checking.began
        self._checking = None
        spread = 1 + self.timing.jitter * (2 * random() - 1)  # noqa: S311  spreads checks, guards nothing
        self._next_check = time.monotonic() + self.timing.interval_s * spread
        self._said(checking.moves)

    def _doubt(self) -> None:
        """Tell anew what the last check has not confirmed: the store may have made it stale since."""
        if self._last is None:
            return
        last = self._last[0].generation
        late = timedelta(seconds=_LATE * self.timing.interval_s)
        if not last.complete or self._clock() - last.started_at > late:
            self._sentry.forget_told()
        elif last.unlisted:
            self._sentry.forget_told(last.unlisted)

    def _listed(self, checking: _Checking, now: float) -> Listed | None:
        """What there is; nothing while kinds are still being listed."""
        if self._following is None:
            with suppress(SourceError):  # reading it says why
                self._polled = self._polled[0], self.source.mark()  # first: what changes meanwhile is read again
            listed = self._read()
        elif self._following.is_listed(checking.listing):
            listed = self._following.listed()
        elif now - checking.began < self.timing.patience_s:
            return None
        else:
            listed = self._following.listed()
            listed.complete = False
        with suppress(SourceError):  # the last one known stays
            self._version = self.source.version()
        return listed

    def _generation(self, checking: _Checking, listed: Listed) -> Generation:
        book = self._sentry.book
        return Generation(
            self.name,
            checking.number,
            checking.started_at,
            self._sentry.telling.at(),
            listed.complete,
            book.digest,
            bartizan.__version__,
            len(listed.seen),
            (*book.problems, *listed.problems),
            tuple(sorted(listed.unlisted)),
        )

    def _look(self, now: float) -> float:
        """Judge and tell what changed, once it has waited for its like. Returns how long it is still to wait."""
        if not self._sentry.waits or self._last is None:  # before the first check half of what there is would be judged
            self._dirty_since = None
            return self.timing.interval_s
        if self._dirty_since is None:
            self._dirty_since = now
        left = self._dirty_since + self.timing.coalesce_s - now
        if left > 0:
            return left
        self._dirty_since = None
        self._said(self._sentry.look())
        return self.timing.interval_s

    def _said(self, moves: Moves) -> None:
        if moves.pairs or moves.findings or moves.came or moves.went:
            self._on_moves(self.name, moves)
