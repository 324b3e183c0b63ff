"""Confined processes as the plane holds them: started fresh, asked in turn, killed when they do not answer.

They are programs of their own and no forks of this process, which has many
threads: a child of it could wait for a lock that nobody will open.
"""

from __future__ import annotations

import atexit
import logging
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import bartizan
from bartizan.app.trial.wire import Bug, Spent, answer_in, packed, read, write
from bartizan.base.errors import SourceError, SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import msgspec

    from bartizan.app.trial.wire import Answer, Try

_LOG: Final = logging.getLogger("bartizan.trial")
_START_S: Final = 30.0
"""For a process to read all code, on a machine that is busy."""
_ANSWER_S: Final = 8.0
_TURN_S: Final = 2.0
"""How long one who asks waits for a process that is free."""
_WAITING: Final = 2
_SPENT: Final = {
    "time": "it takes more time than a trial has",
    "memory": "it takes more memory than a trial has",
}


class Process:
    """One confined process. It ends when this one does, for then its standard input does."""

    def __init__(self, mode: Literal["try", "judge"]) -> None:
        package = str(Path(bartizan.__file__).parent.parent)
        # nothing of our environment: what opens a cluster or a database may be in it
        self._process = subprocess.Popen(  # noqa: S603  our own program, by its full name
            [sys.executable, "-P", "-B", "-m", "bartizan.app.trial.worker", mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PYTHONPATH": package, "LC_ALL": "C.UTF-8", "PATH": ""},
            cwd="/",
            start_new_session=True,
        )
        self.has_answered = False
        """Whether it is past its start."""

    def ask(self, message: msgspec.Struct, seconds: float) -> Answer:
        """Send a message and wait for what comes of it; a process that gives no answer is over.

        Raises:
            SpecError: what is tried takes too much.
            SourceError: the process ended, or met a bug of ours, which is logged.
        """
        ends = time.monotonic() + seconds
        assert self._process.stdin is not None  # noqa: S101  as it was started
        assert self._process.stdout is not None  # noqa: S101
        try:
            write(self._process.stdin.fileno(), packed(message))
            body = read(self._process.stdout.fileno(), lambda: ends - time.monotonic())
            answer = answer_in(body) if body else None
        except TimeoutError as error:
            self.kill()
            raise _spent("time") from error
        except (OSError, ValueError) as error:
            self.kill()
            raise _ended() from error
        if answer is None:
            self.kill()
            raise _spent("time") if self._process.returncode == -signal.SIGXCPU else _ended()
        self.has_answered = True
        if isinstance(answer, Spent):
            raise _spent(answer.what)
        if isinstance(answer, Bug):
            _LOG.error("trial.failed", extra={"said": answer.text})
            raise _ended()
        return answer

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """End it, and wait until it has ended."""
        with suppress(OSError):
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._process.wait()


class Trials:
    """A few processes that try policies, for many who ask."""

    def __init__(self, most: int = 2) -> None:
        self._turns = threading.Semaphore(most)
        self._queue = threading.Semaphore(most + _WAITING)
        self._lock = threading.Lock()
        self._idle: list[Process] = []
        self._known = False
        """Whether a process was started at all."""
        atexit.register(self.close)

    def ask(self, asked: Try) -> Answer:
        """Try a policy.

        Raises:
            SpecError: it takes too much.
            SourceError: too many are asking, or the process has ended.
        """
        with self._turn(), self._process() as (process, is_new):
            return process.ask(asked, _ANSWER_S + (_START_S if is_new else 0))

    def warm(self) -> None:
        """Have a process ready before somebody asks; it starts while they write."""
        with self._lock:
            if not self._idle and not self._known:
                self._known = True
                self._idle.append(Process("try"))

    def close(self) -> None:
        """End all processes that are idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.kill()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._queue.acquire(blocking=False):
            raise _busy()
        try:
            if not self._turns.acquire(timeout=_TURN_S):
                raise _busy()
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._queue.release()

    @contextmanager
    def _process(self) -> Iterator[tuple[Process, bool]]:
        with self._lock:
            process = self._idle.pop() if self._idle else None
            self._known = True
        if process is not None and process.is_over:
            process.kill()
            process = None
        if process is None:
            process = Process("try")
        try:
            yield process, not process.has_answered
        finally:
            if not process.is_over:
                with self._lock:
                    self._idle.append(process)


def _spent(what: str) -> SpecError:
    return SpecError(_SPENT.get(what, _SPENT["time"]), hint="Make it smaller, or its expressions simpler.")


def _ended() -> SourceError:
    return SourceError("the trial ended without an answer", hint="The log of this plane says why.")


def _busy() -> SourceError:
    return SourceError("too many policies are being tried", hint="Wait a moment, and try again.")
