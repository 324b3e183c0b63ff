"""What the plane does with what agents tell it: each message once, in order, as a whole or not at all.

A cluster has one stream at a time, which its agent begins with the first
record of its spool. An agent that lost its spool begins another, and the one
before is no more: so numbers never have two meanings, and an agent that was
thought dead cannot tell old news.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import delete, select

from bartizan.app.reporting.wire import Answer, Begin, End, Told, digest_of, id_of, observed_of
from bartizan.base.errors import SpecError
from bartizan.model.fleet import Generation
from bartizan.model.report import Problem
from bartizan.stores import bulk, generations
from bartizan.stores.prior import hold
from bartizan.stores.reports import Batch
from bartizan.stores.schema import cluster, stream
from bartizan.stores.schema.columns import micros

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from bartizan.app.reporting.wire import Message
    from bartizan.model.ledger import RuleSet
    from bartizan.stores.ingest import Ingest
    from bartizan.stores.open import Store
    from bartizan.stores.reports import Moves, Receipt

_OURS: Final = "agent/"
"""How the streams of agents begin, beside those of a plane that reads clusters itself."""
_SETS: Final = 200
"""Sets of rules that a process remembers by the names that agents give them."""


class _Place(NamedTuple):
    """Where a stream stands: `last` is the last message kept, `generation` the cluster's whole check that runs."""

    number: int
    generation: int
    last: int | None


class Receiver:
    """The end of all streams in one process; threads may share it. `moved` is told what each message changed."""

    def __init__(
        self, store: Store, ingest: Ingest, moved: Callable[[str, Moves], None] = lambda _cluster, _moves: None
    ) -> None:
        self._store = store
        self._ingest = ingest
        self._moved = moved
        self._sets: dict[str, RuleSet] = {}

    def resume(self, name: str, of: str, now: datetime) -> int:
        """Make a stream the cluster's one; returns the last of its messages that is kept."""

        def work(connection: Connection) -> int:
            place = _place(connection, name, of)
            if place.last is not None:
                return place.last
            others = stream.c.name.startswith(_OURS, autoescape=True)
            connection.execute(delete(stream).where(stream.c.cluster == place.number, others))
            _advance(connection, place, of, 0, now)
            return 0

        return self._store.write(work)

    def learn(self, rules: RuleSet, now: datetime) -> None:
        """Keep a set of rules that messages will name."""
        self._ingest.known.rule_set(rules, now)
        while len(self._sets) >= _SETS:
            self._sets.pop(next(iter(self._sets)), None)
        self._sets[digest_of(rules)] = rules

    def keep(self, name: str, of: str, sequence: int, message: Message, now: datetime) -> Answer:
        """Keep one message of a cluster's stream.

        What an agent says of a time to come is said now: its clock is wrong, and nothing may be known before it is.

        Raises:
            SpecError: it says what cannot be.
            StoreError: the database is away; nothing was kept, or of the end of a whole check a part.
        """
        with self._store.reading() as connection:
            place = _place(connection, name, of)
        if place.last is None:
            return Answer("superseded")
        if sequence != place.last + 1:
            return Answer("repeated" if sequence <= place.last else "gap", place.last)
        match message:
            case Begin():
                return self._begin(name, of, sequence, message, now)
            case Told():
                return self._told(name, of, sequence, message, (place.generation, now))
            case End():
                return self._end(name, of, (sequence, place), message, now)

    def _begin(self, name: str, of: str, sequence: int, message: Begin, now: datetime) -> Answer:
        def work(connection: Connection) -> Answer:
            place, refused = _next(connection, name, of, sequence)
            if refused is not None:
                return refused
            at = min(message.at, now)
            words = (bulk.storable(message.policy_digest), bulk.storable(message.evaluator))
            generations.begin_in(connection, name, at, *words)
            _advance(connection, place, of, sequence, now)
            return Answer("kept", sequence)

        return self._store.write(work)

    def _told(self, name: str, of: str, sequence: int, message: Told, when: tuple[int, datetime]) -> Answer:
        generation, now = when
        rules = self._sets.get(message.rules) or self._ingest.known.rule_set_named(message.rules)
        if rules is None:
            return Answer("rules", sequence - 1)
        if message.in_check and not generation:
            raise SpecError("no whole check of this cluster has begun", hint="Tell its beginning first.")
        batch = Batch(
            name,
            _OURS + of,
            sequence,
            min(message.at, now),
            rules,
            tuple(observed_of(message, rules)),
            tuple(map(id_of, message.gone)),
            tuple(map(id_of, message.seen)),
            generation if message.in_check else 0,
        )
        receipt = self._ingest.keep(batch)
        return self._said(name, receipt)

    def _said(self, name: str, receipt: Receipt) -> Answer:
        if receipt.status == "kept":
            self._moved(name, receipt.changes)
        return Answer(receipt.status, receipt.sequence)

    def _end(self, name: str, of: str, where: tuple[int, _Place], message: End, now: datetime) -> Answer:
        """Close what was not seen, in several transactions; the last moves the stream. Twice is once."""
        sequence, place = where
        if not place.generation:
            raise SpecError("no whole check of this cluster has begun", hint="Tell its beginning first.")
        done = Generation(
            name,
            place.generation,
            min(message.started_at, now),
            min(message.ended_at, now),
            message.complete,
            message.policy_digest,
            message.evaluator,
            message.objects,
            tuple(Problem("world", one.message, hint=one.hint) for one in message.problems),
            message.unlisted,
        )
        self._moved(name, generations.end(self._ingest, self._store, done))

        def work(connection: Connection) -> Answer:
            here, refused = _next(connection, name, of, sequence)
            if refused is not None:
                return refused
            _advance(connection, here, of, sequence, now)
            held = connection.execute(select(cluster.c.objects).where(cluster.c.id == here.number)).scalar_one()
            return Answer("kept", sequence, int(held))

        return self._store.write(work)


def _place(connection: Connection, name: str, of: str) -> _Place:
    wanted = (
        select(cluster.c.id, cluster.c.generation, stream.c.sequence)
        .outerjoin(stream, (stream.c.cluster == cluster.c.id) & (stream.c.name == _OURS + of))
        .where(cluster.c.name == name)
    )
    row = connection.execute(wanted).one_or_none()
    if row is None:
        raise SpecError(f"no cluster `{name}` is in the fleet", hint="Let it join first.")
    return _Place(row.id, int(row.generation), None if row.sequence is None else int(row.sequence))


def _next(connection: Connection, name: str, of: str, sequence: int) -> tuple[_Place, Answer | None]:
    """Hold the cluster, and see that a message is the next of its stream; another request may have been quicker."""
    hold(connection, _place(connection, name, of).number)
    place = _place(connection, name, of)
    if place.last is None:
        return place, Answer("superseded")
    if sequence != place.last + 1:
        return place, Answer("repeated" if sequence <= place.last else "gap", place.last)
    return place, None


def _advance(connection: Connection, place: _Place, of: str, sequence: int, now: datetime) -> None:
    row = (place.number, _OURS + of, sequence, micros(now))
    bulk.put(connection, stream, ["cluster", "name", "sequence", "at"], [row])
