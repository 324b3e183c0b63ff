"""A worker process of the tests: its duties write down who does them, one line each time, into a file."""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from bartizan.app.duties.duty import Lasting, Post, Recurring
from bartizan.app.duties.shared import work
from bartizan.app.settings import Settings
from bartizan.stores.ingest import Ingest
from bartizan.stores.open import open_store

if TYPE_CHECKING:
    from bartizan.app.duties.duty import Stopped


def main(url: str, log: Path) -> None:
    """Work until told to stop."""

    def write(line: str) -> None:
        with log.open("a") as out:  # a short line is appended whole
            out.write(f"{line} {os.getpid()}\n")

    def watch(name: str) -> Lasting:
        def keep(_post: Post, stopped: Stopped) -> None:
            write(f"{name} begins")
            while not stopped(0.2):
                write(f"{name} goes on")
            write(f"{name} ends")

        return Lasting(name, keep)

    store = open_store(url)
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    post = Post(store, Ingest(store, b"key"), Settings(), b"key", lambda: datetime.now(UTC))
    again = Recurring("again", timedelta(seconds=1), lambda _post: write("again is done"))
    work([watch("first"), watch("second"), again], post, 4, stop)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
