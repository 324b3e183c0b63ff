"""The garrison: all members that one process keeps watch over, with the rules and waivers they share.

A member has a thread, which sleeps almost always; the streams of all clusters
share one. What the plane decides (rules, waivers) is looked for here, and
handed to the members, who judge again what it can match.
"""

from __future__ import annotations

import gc
import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from bartizan.app.policy_texts import policy_texts
from bartizan.app.watch.ageing import age_members, last_seen_of, waivers_of
from bartizan.app.watch.delivery import Delivery
from bartizan.app.watch.keeper import LocalKeeper
from bartizan.app.watch.marks import files_mark
from bartizan.app.watch.member import Duty, Listeners, Member, Timing
from bartizan.app.watch.rules import load_rules
from bartizan.app.watch.sentry import TEAM_LABEL
from bartizan.base.errors import BartizanError, SpecError, StoreError
from bartizan.model.report import problem_of
from bartizan.sources.cluster.watch import PROBE_S, Streams
from bartizan.stores import rollouts
from bartizan.stores.clusters import note
from bartizan.stores.documents import keep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from bartizan.app.watch.keeper import Keeper
    from bartizan.app.watch.member import MemberStatus
    from bartizan.app.watch.rules import RuleBook, RuleSettings
    from bartizan.app.watch.sources import Source
    from bartizan.app.watch.verdicts import TeamWaiver
    from bartizan.findings.delivery.watching import How
    from bartizan.model.report import Problem
    from bartizan.model.resource import Resource
    from bartizan.stores.ingest import Ingest
    from bartizan.stores.open import Store
    from bartizan.stores.reports import Moves
    from bartizan.stores.rollouts import Happening

log = logging.getLogger(__name__)

_TICK_S: Final = 1.0
_FRESH_S: Final = 3 * PROBE_S
"""How long ago a source may have been heard for its member to count as seen."""
_AGEING_S: Final = 60.0
_NOTE_S: Final = 15.0
"""Between heartbeats of a member of which there is nothing else to say."""
_PROBLEMS: Final = 100
"""Problems of a member that are kept: a folder of a thousand broken files makes its point before."""


@dataclass(frozen=True, slots=True)
class Plane:
    """What a garrison needs of the plane it belongs to.

    `waivers` are those in force for a member, `note` says what is new of one,
    `age` makes stale what was not judged for long, `rollouts` keeps what
    happened to workloads, `last_seen` is when a member was heard of before,
    and `show` keeps the texts of the policies that are asked.
    """

    keeper: Keeper
    waivers: Callable[[str], Sequence[TeamWaiver]] = lambda _name: ()
    note: Callable[[str, Mapping[str, Any]], None] = lambda _name, _values: None
    age: Callable[[], Mapping[str, Moves]] = dict
    rollouts: Callable[[str, Sequence[Happening]], object] = lambda _name, _events: None
    last_seen: Callable[[str], datetime | None] = lambda _name: None
    show: Callable[[Sequence[Path]], None] = lambda _policies: None


def plane_of(store: Store, ingest: Ingest, clock: Callable[[], datetime] | None = None) -> Plane:
    """A plane whose store is in this process, with the one way into it."""
    now = clock or utc_now
    return Plane(
        LocalKeeper(ingest, store),
        lambda name: waivers_of(store, name, now()),
        lambda name, values: note(store, name, values),
        lambda: age_members(ingest, store, now()),
        lambda name, events: rollouts.keep(store, ingest.known, name, events),
        lambda name: last_seen_of(store, name),
        lambda policies: store.write(lambda connection: keep(connection, policy_texts(policies), now())),
    )


class Garrison:
    """Members, kept up to date from `start` to `stop`."""

    def __init__(
        self,
        plane: Plane,
        settings: RuleSettings,
        *,
        timing: Timing | None = None,
        team_label: str = TEAM_LABEL,
        listeners: Listeners | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self._plane = plane
        self._settings = settings
        self._timing = timing or Timing()
        self._team_label = team_label
        self._clock = clock or utc_now
        self._delivery = Delivery(plane.rollouts, self._clock)
        self._listeners = self._with_delivery(listeners or Listeners())
        self._rules_mark = self._mark()
        self._book = load_rules(settings)
        gc.freeze()  # what is compiled is there for good
        self._members: dict[str, Member] = {}
        self._waivers: dict[str, tuple[TeamWaiver, ...]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._streams = Streams()
        self._trouble: BartizanError | None = None
        self._aged = time.monotonic()
        self._shown = ""
        self._noted: dict[str, tuple[float, dict[str, Any]]] = {}
        self._thread = threading.Thread(target=self._run, name="garrison", daemon=True)

    @property
    def book(self) -> RuleBook:
        """The rules that are asked now."""
        return self._book

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the rules or the store."""
        return (*self._book.problems, *((problem_of(self._trouble),) if self._trouble else ()))

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Stop everything, and wait for it."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        with self._lock:
            members = list(self._members.values())
            self._members.clear()
        threads = [threading.Thread(target=member.stop) for member in members]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._streams.stop()
        for member in members:
            self._delivery.end(member.name)
        with suppress(StoreError):  # the next to watch them will say that they were out of sight
            self._delivery.flush([member.name for member in members])

    def _with_delivery(self, given: Listeners) -> Listeners:
        """Listeners that hear of roll-outs too."""
        on_seen, on_sight = given.on_seen, given.on_sight

        def seen(name: str, how: How, resource: Resource) -> None:
            self._delivery.seen(name, how, resource)
            if on_seen:
                on_seen(name, how, resource)

        def sight(name: str, there: bool) -> None:
            self._delivery.sight(name, there=there)
            on_sight(name, there)

        return Listeners(given.on_moves, seen, sight)

    def add(self, source: Source) -> None:
        """Watch a source, whose name has joined the fleet.

        Raises:
            SpecError: it is watched already, or its credentials cannot be used.
        """
        plane = self._plane
        with self._lock:
            if source.name in self._members:
                raise SpecError(f"`{source.name}` is watched already")
            duty = Duty(
                self._book, plane.keeper, self._clock, self._streams, self._timing, self._team_label, self._listeners
            )
            self._members[source.name] = member = Member(source, duty)
        try:
            if source.kind == "context":
                self._delivery.begin(source.name, plane.last_seen(source.name))
            self._hand_waivers(member)
        except StoreError as error:  # they will come with the next tick
            self._trouble = error
        member.start()

    def remove(self, name: str) -> None:
        """Watch a source no more; one that is not watched is none the less so."""
        with self._lock:
            member = self._members.pop(name, None)
            self._waivers.pop(name, None)
            self._noted.pop(name, None)
        if member is not None:
            member.stop()
            self._delivery.end(name)
            with suppress(StoreError):  # the next to watch it will say that it was out of sight
                self._delivery.flush([name])

    def check_soon(self, name: str = "") -> None:
        """Do a whole check of a member now, or of all."""
        for member in self._all():
            if name in ("", member.name):
                member.check_soon()

    def tell_again(self, name: str = "") -> None:
        """Tell everything of a member, or of all, at the next whole check: its keeper has forgotten some of it."""
        for member in self._all():
            if name in ("", member.name):
                member.tell_again()

    def status(self) -> list[MemberStatus]:
        """How every member is, by name."""
        return sorted((member.status() for member in self._all()), key=lambda status: status.name)

    def look(self) -> None:
        """Look for changed rules and waivers now; what `start` does every second.

        Raises:
            StoreError: the store is away.
            SpecError: the settings name what there is not any more; the rules are as before.
        """
        self._look_at_rules()
        members = self._all()
        for member in members:
            self._hand_waivers(member)
        for member in members:
            self._note(member)
        self._delivery.flush([member.name for member in members if member.was_checked])
        now = time.monotonic()
        if now - self._aged >= _AGEING_S:
            self._aged = now
            aged = self._plane.age()
            for member in members:
                if member.name in aged:
                    member.tell_again()
                    self._listeners.on_moves(member.name, aged[member.name])

    def _all(self) -> list[Member]:
        with self._lock:
            return list(self._members.values())

    def _run(self) -> None:
        while not self._stopping.wait(_TICK_S):
            try:
                self.look()
            except BartizanError as error:
                if self._trouble is None:
                    log.warning("garrison.troubled", extra={"error": error.message})
                self._trouble = error
            except Exception:  # the outermost frame of a thread: without it nobody would hear of new rules
                log.exception("garrison.failed")
            else:
                self._trouble = None

    def _mark(self) -> str:
        paths: list[Path] = [*self._settings.policies, *self._settings.exceptions]
        return files_mark(paths) if paths else ""

    def _look_at_rules(self) -> None:
        mark = self._mark()
        if mark != self._shown:
            self._plane.show(self._settings.policies)
            self._shown = mark
        if mark == self._rules_mark:
            return
        self._rules_mark = mark
        book = load_rules(self._settings)
        log.info("rules.changed", extra={"digest": book.digest, "problems": len(book.problems)})
        self._book = book
        for member in self._all():
            member.adopt(book)

    def _hand_waivers(self, member: Member) -> None:
        waivers = tuple(self._plane.waivers(member.name))
        if waivers != self._waivers.get(member.name, ()):
            self._waivers[member.name] = waivers
            member.accept(waivers)

    def _note(self, member: Member) -> None:
        """Say that a member was heard of; where it was not, its last sight stands still, and its state turns so."""
        lag, now = member.lag_s(), time.monotonic()
        problems = [{"message": one.message, "hint": one.hint} for one in member.problems()[:_PROBLEMS]]
        values: dict[str, Any] = {"problems": problems}
        if member.version:
            values["version"] = member.version
        noted_at, noted = self._noted.get(member.name, (-_NOTE_S, {}))
        if values == noted and now - noted_at < _NOTE_S:
            return
        heard = lag is not None and lag < _FRESH_S
        self._plane.note(member.name, {**values, "last_seen": self._clock()} if heard else values)
        self._noted[member.name] = now, values


def utc_now() -> datetime:
    """The clock of a plane."""
    return datetime.now(UTC)
