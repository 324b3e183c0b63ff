"""The agent's keeper: what is told goes into the spool, and counts as kept when it is on the disk.

So judging does not wait for the plane, and a cut of a day is a longer spool.
When the spool has no room the teller is refused, and tells again: nothing is
dropped that nobody knows of.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from bartizan.agent.files import write_whole
from bartizan.agent.spool import SpoolFullError
from bartizan.app.reporting.packing import pack_batch, pack_end
from bartizan.app.reporting.wire import Begin, digest_of, pack
from bartizan.stores.reports import Moves, Receipt
from bartizan.stores.storable import storable

if TYPE_CHECKING:
    from pathlib import Path

    from bartizan.agent.spool import Spool
    from bartizan.model.fleet import Generation
    from bartizan.model.ledger import RuleSet
    from bartizan.stores.reports import Batch

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_UNSENDABLE: Final = 50
"""Names of objects that are told as a problem; the first make the point."""


class SpoolKeeper:
    """Keeps in a spool. `rules` is a folder for sets of rules, by digest. Threads may share it."""

    def __init__(self, spool: Spool, rules: Path, key: bytes) -> None:
        self._spool = spool
        self._rules = rules
        self._key = key
        self._lock = threading.Lock()
        self._sequences: dict[str, int] = {}
        self._generation = 0
        self._of = ""
        self._known: set[str] = set()
        self._last = _EPOCH
        self._begun = Begin(_EPOCH, "", "")
        self._is_half = False
        self.needs_check = False
        """Whether something was refused, so that only a whole check can tell all of it."""
        self.unsendable: dict[str, None] = {}
        """Objects that no plane would take, by name."""
        last = spool.get(spool.next - 1)
        if last is not None:
            self._last = _EPOCH + timedelta(microseconds=last.at)

    @property
    def begun(self) -> int:
        """How many whole checks have begun."""
        return self._generation

    def begin(self, cluster: str, at: datetime, policy_digest: str, evaluator: str) -> int:
        """Begin a whole check. Returns its number, which is this process's own: the plane gives another."""
        del cluster
        with self._lock:
            self._begin(Begin(self._later(at), storable(policy_digest)[:256], storable(evaluator)[:256]))
            self._is_half = False
            self._generation += 1
            self.unsendable.clear()
            return self._generation

    def keep(self, batch: Batch) -> Receipt:
        """Keep a batch.

        Raises:
            StoreError: there is no room, or the disk refuses; what was kept of it is kept twice when it is told again.
        """
        with self._lock:
            last = self._sequences.get(batch.stream, 0)
            if batch.sequence != last + 1:
                return Receipt("repeated" if batch.sequence <= last else "gap", last)
            self._keep_rules(batch.rules)
            packed = pack_batch(batch, self._key)
            for name in packed.unsendable:
                if len(self.unsendable) < _UNSENDABLE:
                    self.unsendable[name] = None
            if batch.generation:
                self._go_on()
            for message in packed.messages:
                at = self._later(message.at)
                self._append(pack(msgspec.structs.replace(message, at=at)), at, self._of if batch.generation else "")
            self._sequences[batch.stream] = batch.sequence
            return Receipt("kept", batch.sequence)

    def end(self, done: Generation) -> Moves:
        """End a whole check. What it closes only the plane knows."""
        with self._lock:
            self._go_on()
            at = self._later(done.ended_at or done.started_at)
            whole = done.complete and not self._is_half
            began = max(self._begun.at, done.started_at)
            done = msgspec.structs.replace(done, started_at=began, ended_at=at, complete=whole)
            self._append(pack(pack_end(done, self._key)), at, self._of)
        return Moves()

    def sequence(self, cluster: str, stream: str) -> int:
        """The last batch of a stream of this process that is kept."""
        del cluster
        return self._sequences.get(stream, 0)

    def rules_of(self, digest: str) -> bytes | None:
        """A set of rules as it is sent; nothing where its file is gone."""
        try:
            return (self._rules / digest).read_bytes()
        except OSError:
            return None

    def _begin(self, begin: Begin) -> None:
        self._of = self._spool.name
        self._append(pack(begin), begin.at, self._of)
        self._begun = begin

    def _go_on(self) -> None:
        """Go on with a whole check. One whose beginning went with its spool is half of one: it closes nothing."""
        if self._of != self._spool.name:
            self._begin(msgspec.structs.replace(self._begun, at=self._later(self._begun.at)))
            self._is_half = True

    def _append(self, payload: bytes, at: datetime, of: str) -> None:
        try:
            self._spool.append(payload, (at - _EPOCH) // _MICROSECOND, of)
        except SpoolFullError:
            self.needs_check = True
            raise

    def _later(self, at: datetime) -> datetime:
        """A time that is not before what was told last: a clock that was set back must not make news old."""
        self._last = max(self._last, at)
        return self._last

    def _keep_rules(self, rules: RuleSet) -> None:
        """Keep a set before what names it; there is one for each change of policies."""
        digest = digest_of(rules)
        if digest in self._known:
            return
        write_whole(self._rules / digest, pack(rules))
        self._known.add(digest)
