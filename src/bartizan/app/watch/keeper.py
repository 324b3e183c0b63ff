"""Where verdicts go: a store in this process, or one behind a wire.

What crosses is plain and bounded, so that an agent can spool it to disk and
send it later. Whoever keeps a batch answers for it from then on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from bartizan.base.errors import StoreError
from bartizan.stores.reports import Batch, Moves

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bartizan.model.fleet import Generation
    from bartizan.model.ledger import RuleSet
    from bartizan.model.resource import ResourceId
    from bartizan.stores.ingest import Ingest
    from bartizan.stores.open import Store
    from bartizan.stores.reports import Observed, Receipt

_ANSWERS: Final = 4
"""Tries to agree with a keeper on the number of the next batch; two are enough unless others write beside us."""


class Keeper(Protocol):
    """Keeps what is told of members of the fleet. Every method may raise `StoreError`: nothing was kept then."""

    def begin(self, cluster: str, at: datetime, policy_digest: str, evaluator: str) -> int:
        """Begin a whole check. Returns its number."""

    def keep(self, batch: Batch) -> Receipt:
        """Keep a batch, or say which one is next."""

    def end(self, done: Generation) -> Moves:
        """End a whole check."""

    def sequence(self, cluster: str, stream: str) -> int:
        """The last batch of a stream that is kept."""


class LocalKeeper:
    """Keeps in a store of this process."""

    def __init__(self, ingest: Ingest, store: Store) -> None:
        self._ingest = ingest
        self._store = store

    def begin(self, cluster: str, at: datetime, policy_digest: str, evaluator: str) -> int:
        """Begin a whole check. Returns its number."""
        from bartizan.stores import generations  # brings the database's library, which an agent does without

        return generations.begin(self._store, cluster, at, policy_digest, evaluator)

    def keep(self, batch: Batch) -> Receipt:
        """Keep a batch, or say which one is next."""
        return self._ingest.keep(batch)

    def end(self, done: Generation) -> Moves:
        """End a whole check."""
        from bartizan.stores import generations

        return generations.end(self._ingest, self._store, done)

    def sequence(self, cluster: str, stream: str) -> int:
        """The last batch of a stream that is kept."""
        from bartizan.stores import generations

        return generations.sequence_of(self._store, cluster, stream)


class Telling:
    """One stream of one member to its keeper.

    What is told is how things are, so a batch of which nobody knows whether
    it was kept is not sent again: the next one says it too.
    """

    def __init__(self, keeper: Keeper, cluster: str, stream: str, clock: Callable[[], datetime]) -> None:
        self.keeper = keeper
        self.cluster = cluster
        self._stream = stream
        self._clock = clock
        self._next: int | None = None
        self._last: datetime | None = None

    def at(self) -> datetime:
        """Now, and never before what was said last: a clock that is set back must not make news old."""
        now = self._clock()
        self._last = now if self._last is None else max(now, self._last)
        return self._last

    def send(
        self,
        rules: RuleSet,
        observed: Sequence[Observed] = (),
        gone: Sequence[ResourceId] = (),
        seen: Sequence[ResourceId] = (),
        generation: int = 0,
    ) -> Moves:
        """Tell of objects.

        Raises:
            StoreError: nothing was kept.
        """
        if self._next is None:
            self._next = self.keeper.sequence(self.cluster, self._stream) + 1
        what = (rules, tuple(observed), tuple(gone), tuple(seen), generation)
        for _ in range(_ANSWERS):
            receipt = self.keeper.keep(Batch(self.cluster, self._stream, self._next, self.at(), *what))
            self._next = receipt.sequence + 1
            if receipt.status == "kept":
                return receipt.changes
        raise StoreError(
            f"another process tells of `{self.cluster}` in the stream `{self._stream}`",
            hint="Let one process watch a cluster.",
        )


def add(total: Moves, more: Moves) -> None:
    """Add what one batch changed to what others did."""
    for field in ("opened", "closed", "pairs", "came", "went"):
        setattr(total, field, getattr(total, field) + getattr(more, field))
    total.findings.extend(more.findings)
