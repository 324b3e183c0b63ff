"""A progress bar that appears only when work takes long enough to be worth one."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

APPEARS_AFTER_S: Final = 0.5


class Bar:
    """A bar on standard error. Nothing is imported or shown for short work."""

    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._start = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def update(self, done: int, total: int) -> None:
        """Say how much is done, in any unit."""
        if self._bar is None:
            if time.monotonic() - self._start < APPEARS_AFTER_S or done >= total:
                return
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self._doing, total=total)
        self._bar.update(self._task, completed=done, total=total)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()


@contextmanager
def progress(doing: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error for long work at a terminal; silence in a pipe. `doing` is one word, such as scanning."""
    if not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    bar = Bar(doing)
    try:
        yield bar.update
    finally:
        bar.close()
