"""A stream is told in any order, twice, cut and begun anew; what is kept is what a plain model keeps."""

from __future__ import annotations

import atexit
import itertools
from datetime import timedelta
from functools import cache
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select
from tests.stores.fleet import KEY, START, World, observed, pod, rules
from tests.stores.ledger import assert_counts_hold

from bartizan.app.reporting.packing import pack_batch, pack_end
from bartizan.app.reporting.receiving import Receiver
from bartizan.app.reporting.wire import Begin, End, Message, Told
from bartizan.model.fleet import Generation
from bartizan.model.resource import ResourceId
from bartizan.stores.ingest import Ingest
from bartizan.stores.open import open_store
from bartizan.stores.reports import Batch
from bartizan.stores.schema import cluster, resource

if TYPE_CHECKING:
    from bartizan.stores.open import Store

_RULES = rules("roots", "limits:low")
_NAMES = ("a", "b", "c", "d")
_NUMBERS = itertools.count(1)
_STREAMS = ("1" * 32, "2" * 32)


@cache
def _store() -> Store:
    """One for all examples: each has a cluster of its own in it."""
    folder = TemporaryDirectory()
    store = open_store(f"sqlite:///{folder.name}/x.db")
    atexit.register(folder.cleanup)
    atexit.register(store.close)
    return store


class _Streams(RuleBasedStateMachine):
    """An agent writes a list of messages; the network tells any of them at any time."""

    @initialize()
    def begin(self) -> None:
        self.store = _store()
        self.name = f"c{next(_NUMBERS)}"
        World(self.store).join(self.name)
        self.receiver = Receiver(self.store, Ingest(self.store, KEY))
        self.now = START
        self.messages: dict[str, list[Message]] = {name: [] for name in _STREAMS}
        self.kept: dict[str, int] = {}
        self.current = ""
        self.there: set[str] = set()
        self.in_check: dict[str, set[str] | None] = dict.fromkeys(_STREAMS)
        self.confirmed: set[str] | None = None
        self.receiver.learn(_RULES, self.now)
        self.resume(_STREAMS[0])

    @rule(name=st.sampled_from(_STREAMS))
    def resume(self, name: str) -> None:
        """Another stream ends the one before, with the whole check that ran in it."""
        found = self.receiver.resume(self.name, name, self.now)
        if name != self.current:
            self.current, self.kept = name, {name: 0}
            self.confirmed = None
            self.messages[name] = []
            self.in_check[name] = None
        assert found == self.kept[name]

    @rule(names=st.sets(st.sampled_from(_NAMES), min_size=1), gone=st.sets(st.sampled_from(_NAMES)))
    def tell(self, names: set[str], gone: set[str]) -> None:
        """The agent writes what a watch saw."""
        self._write(self._told(names, gone - names, 0))

    @rule(names=st.sets(st.sampled_from(_NAMES), min_size=1))
    def check(self, names: set[str]) -> None:
        """The agent writes a whole check, as three messages."""
        self._write(Begin(self._later(), "digest", "test"))
        self._write(self._told(names, set(), 1))
        started = self.messages[self.current][-2].at  # type: ignore[union-attr]  # a beginning
        done = Generation(
            "one", 1, started, self._later(), complete=True, policy_digest="", evaluator="", objects=len(names)
        )
        self._write(pack_end(done, b"key"))

    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        """One message comes through, the next or any other, perhaps once more."""
        written = self.messages[self.current]
        if not written:
            return
        here = self.kept[self.current]
        number = data.draw(st.one_of(st.just(min(here + 1, len(written))), st.integers(1, len(written))))
        answer = self.receiver.keep(self.name, self.current, number, written[number - 1], self.now)
        if number == here + 1:
            assert (answer.status, answer.sequence) == ("kept", number)
            self.kept[self.current] = number
            self._apply(written[number - 1])
        else:
            assert (answer.status, answer.sequence) == ("repeated" if number <= here else "gap", here)

    @rule(number=st.integers(1, 3))
    def a_stream_that_is_no_more_says_nothing(self, number: int) -> None:
        other = _STREAMS[1 - _STREAMS.index(self.current)]
        message = self._told({"ghost"}, set(), 0)
        assert self.receiver.keep(self.name, other, number, message, self.now).status == "superseded"

    @invariant()
    def holds_what_was_kept(self) -> None:
        with self.store.reading() as connection:
            mine = select(cluster.c.id).where(cluster.c.name == self.name).scalar_subquery()
            wanted = select(resource.c.name).where(resource.c.gone_at.is_(None), resource.c.cluster == mine)
            assert set(connection.execute(wanted).scalars()) == self.there

    def teardown(self) -> None:
        assert_counts_hold(self.store)

    def _write(self, message: Message) -> None:
        self.messages[self.current].append(message)

    def _later(self) -> object:
        self.now += timedelta(seconds=1)
        return self.now

    def _told(self, names: set[str], gone: set[str], generation: int) -> Told:
        objects = tuple(observed(pod(name), _RULES, "fp" if self.now.second % 2 else "pf") for name in sorted(names))
        ids = tuple(ResourceId("", "v1", "Pod", "shop", name) for name in sorted(gone))
        at = self._later()
        return pack_batch(Batch("one", "", 1, at, _RULES, objects, ids, (), generation), b"key").messages[0]  # type: ignore[arg-type]  # a time

    def _apply(self, message: Message) -> None:
        """What a plain model makes of a message."""
        match message:
            case Begin():
                self.confirmed = set()
            case Told():
                bodies = [bytes(one.body) for one in message.observed]
                seen = {name for name in _NAMES if any(f'"name":"{name}"'.encode() in one for one in bodies)}
                self.there = (self.there | seen) - {one.name for one in message.gone}
                if self.confirmed is not None:
                    self.confirmed |= seen
            case End():
                assert self.confirmed is not None
                self.there &= self.confirmed
                self.confirmed = None


TestStreams = _Streams.TestCase
TestStreams.settings = settings(max_examples=12, stateful_step_count=25, deadline=None)
