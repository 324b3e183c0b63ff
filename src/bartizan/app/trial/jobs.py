"""What-if: a policy judged over all that a viewer may see, as a job that tells how far it is and can be stopped.

A job lives in the process that started it. It reads the store in pieces and
sends each to a confined process; so neither memory nor the threads that
answer requests grow with the fleet.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from bartizan.app.trial.outlook import Outlook
from bartizan.app.trial.processes import Process
from bartizan.app.trial.wire import Begin, Begun, Item, Judged, Piece, Told, Tried
from bartizan.base.errors import BartizanError, SourceError
from bartizan.stores.queries import inventory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from bartizan.stores.open import Store
    from bartizan.stores.queries.inventory import Kept
    from bartizan.stores.scope import Scope

State: TypeAlias = Literal["waiting", "running", "done", "cancelled", "failed"]
_LOG: Final = logging.getLogger("bartizan.trial")
_OBJECTS: Final = 500
_BYTES: Final = 1 << 20
"""Of compressed bodies in a piece: they are ten times as much when they are read."""
_PIECE_S: Final = 60.0
_START_S: Final = 45.0
_RULE_SETS: Final = 1000


class Job:
    """One what-if. Only its owner is told of it."""

    def __init__(self, owner: str, scope: Scope, policy: str, at: datetime) -> None:
        self.id = secrets.token_urlsafe(9)
        self.owner = owner
        self.scope = scope
        self.policy = policy
        self.started_at = at
        self.state: State = "waiting"
        self.total = 0
        self.done = 0
        self.seconds = 0.0
        self.error: BartizanError | None = None
        self.problems: list[Told] = []
        self.notes: list[Told] = []
        self.outlook = Outlook(())
        self._cancelled = threading.Event()

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ("done", "cancelled", "failed")

    def cancel(self) -> None:
        """Stop it before the next piece; what was found so far stays."""
        self._cancelled.set()

    def run(self, store: Store) -> None:
        """Judge everything; what goes wrong is said in `error`."""
        began = time.monotonic()
        process = Process("judge")
        self.state = "running"
        try:
            self._judge(store, process, began)
            self.state = "cancelled" if self._cancelled.is_set() else "done"
        except BartizanError as error:
            self.error, self.state = error, "failed"
        except Exception:  # noqa: BLE001  (the outermost frame of a thread: a bug is logged; its reader is told no more)
            _LOG.exception("what-if.failed")
            self.error, self.state = (
                SourceError("something is wrong in this plane", hint="Its log says what."),
                "failed",
            )
        finally:
            self.seconds = time.monotonic() - began
            process.kill()

    def _judge(self, store: Store, process: Process, began: float) -> None:
        begun = process.ask(Begin(self.policy), _START_S)
        if isinstance(begun, Tried):
            self.problems = begun.problems
            return
        if not isinstance(begun, Begun):
            raise SourceError("the trial answered something else")
        self.problems, self.notes = begun.problems, begun.notes
        if not begun.rules:
            return
        self.outlook = Outlook(begun.rules)
        with store.reading() as connection:
            self.total = inventory.count(connection, self.scope, begun.kinds)
        known: dict[int, dict[str, int]] = {}
        for numbers in self._pieces(store, begun.kinds):
            if self._cancelled.is_set():
                return
            kept, items = self._read(store, numbers, known, labelled=begun.wants_namespaces)
            judged = process.ask(Piece(items), _PIECE_S)
            if not isinstance(judged, Judged):
                raise SourceError("the trial answered something else")
            self.outlook.add(kept, judged, known)
            self.done += len(numbers)
            self.seconds = time.monotonic() - began

    def _pieces(self, store: Store, kinds: list[str] | None) -> Iterator[list[int]]:
        """Numbers of objects, in pieces of a bounded size."""
        after = 0
        while True:
            with store.reading() as connection:
                found = inventory.sizes(connection, self.scope, kinds, after, _OBJECTS)
            if not found:
                return
            after = found[-1][0]
            piece: list[int] = []
            size = 0
            for number, length in found:
                if piece and size + length > _BYTES:
                    yield piece
                    piece, size = [], 0
                piece.append(number)
                size += length
            yield piece

    def _read(
        self, store: Store, numbers: list[int], known: dict[int, dict[str, int]], *, labelled: bool
    ) -> tuple[list[Kept], list[Item]]:
        names = {one.rule.name for one in self.outlook.rules}
        with store.reading() as connection:
            kept = inventory.objects(connection, self.scope, numbers)
            if len(known) > _RULE_SETS:
                known.clear()
            for number in {one.rule_set for one in kept if one.rule_set is not None} - known.keys():
                columns = inventory.columns_of(connection, number)
                known[number] = {name: column for name, column in columns.items() if name in names}
            wanted = {(one.cluster, one.namespace) for one in kept if one.namespace} if labelled else set()
            labels = inventory.labels_of_namespaces(connection, wanted)
        return kept, [Item(one.content, labels.get((one.cluster, one.namespace), {})) for one in kept]


class Jobs:
    """The what-ifs of a process: some run, some are over and can still be read."""

    def __init__(self, running: int = 2, kept: int = 20) -> None:
        self._running = running
        self._kept = kept
        self._lock = threading.Lock()
        self._jobs: OrderedDict[str, Job] = OrderedDict()

    def start(self, job: Job, store: Store) -> None:
        """Start a job.

        Raises:
            SourceError: its owner has one that runs, or too many run.
        """
        with self._lock:
            running = [one for one in self._jobs.values() if not one.is_over]
            if any(one.owner == job.owner for one in running):
                raise SourceError("you have a what-if that runs", hint="Wait for it, or stop it.")
            if len(running) >= self._running:
                raise SourceError("too many what-ifs run", hint="Wait a moment, and try again.")
            self._jobs[job.id] = job
            for one in [one for one in self._jobs.values() if one.is_over][: max(0, len(self._jobs) - self._kept)]:
                del self._jobs[one.id]
        threading.Thread(target=job.run, args=(store,), name=f"what-if {job.id}", daemon=True).start()

    def of(self, owner: str) -> list[Job]:
        """The jobs of somebody, the last first."""
        with self._lock:
            return [one for one in reversed(self._jobs.values()) if one.owner == owner]

    def find(self, owner: str, number: str) -> Job | None:
        """A job by its id; nothing where it is somebody else's."""
        with self._lock:
            job = self._jobs.get(number)
        return job if job is not None and job.owner == owner else None
