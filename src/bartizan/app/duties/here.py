"""Duties done in this process, each in a thread of its own: most of them wait."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from bartizan.app.duties.duty import Lasting, do

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bartizan.app.duties.duty import Duty, Post

_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 60.0
_GOODBYE_S: Final = 15.0
"""For what is under way when the process is to stop; what was acknowledged is kept whatever happens."""


@contextmanager
def on_duty(duties: Iterable[Duty], post: Post) -> Iterator[None]:
    """Do duties while the block runs."""
    stop = Event()
    threads = [Thread(target=keep_doing, args=(duty, post, stop), name=duty.name, daemon=True) for duty in duties]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(_GOODBYE_S)


def keep_doing(duty: Duty, post: Post, stop: Event) -> None:
    """Do one duty until told to stop; what fails is done again, later each time it fails."""
    pause = _FIRST_PAUSE_S
    while not stop.is_set():
        if do(duty, post, stop.wait):
            pause = _FIRST_PAUSE_S
            stop.wait(0 if isinstance(duty, Lasting) else duty.every.total_seconds())
        else:
            stop.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)
