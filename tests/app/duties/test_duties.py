"""Duties are done: by one process alone, and by several that share a queue, whichever of them dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import httpx
import pytest

from bartizan.app.duties.duty import Lasting, Post, Recurring
from bartizan.app.duties.health import answering
from bartizan.app.duties.here import on_duty
from bartizan.app.duties.shared import prepare
from bartizan.app.settings import Settings
from bartizan.base.errors import SpecError, StoreError
from bartizan.stores.ingest import Ingest
from bartizan.stores.open import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]
WITHIN_S = 90
"""A loaded machine takes long to start two processes."""


def post(store: Store) -> Post:
    """A post at a store."""
    return Post(store, Ingest(store, b"key"), Settings(), b"key", lambda: datetime.now(UTC))


def until(what: Callable[[], bool]) -> None:
    """Wait for something to become so."""
    deadline = time.monotonic() + WITHIN_S
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_duty_that_fails_is_done_again(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    tries: list[str] = []

    def work(_post: Post) -> None:
        tries.append("try")
        if len(tries) == 1:
            raise StoreError("away")

    with on_duty([Recurring("one", timedelta(hours=1), work)], post(store)):
        until(lambda: len(tries) == 2)
    store.close()


def test_a_lasting_duty_ends_with_its_process(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    begun, ended = Event(), Event()

    def work(_post: Post, stopped: Callable[[float], bool]) -> None:
        begun.set()
        while not stopped(60):
            pass
        ended.set()

    with on_duty([Lasting("one", work)], post(store)):
        assert begun.wait(WITHIN_S)
    assert ended.is_set()
    store.close()


def test_a_file_is_not_shared(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    with pytest.raises(SpecError, match="share a PostgreSQL"):
        prepare(store)
    store.close()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_workers_share_duties_and_inherit_those_of_the_dead(store: Store, url: str, tmp_path: Path) -> None:
    prepare(store)
    prepare(store)  # again does no harm
    log = tmp_path / "log"
    log.touch()
    command = [sys.executable, "-m", "tests.app.duties.worker", url, str(log)]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    workers = [subprocess.Popen(command, cwd=ROOT, env=environment) for _ in range(2)]

    def lines(*words: str) -> list[list[str]]:
        return [parts for parts in map(str.split, log.read_text().splitlines()) if parts[: len(words)] == list(words)]

    try:
        until(lambda: bool(lines("first", "goes")) and bool(lines("second", "goes")) and len(lines("again")) > 2)
        assert len(lines("first", "begins")) == len(lines("second", "begins")) == 1
        holder = int(lines("first", "begins")[0][-1])
        os.kill(holder, signal.SIGKILL)
        killed = len(log.read_text().splitlines())

        def inherited() -> bool:
            after = log.read_text().splitlines()[killed:]
            return any(line.startswith("first goes") and str(holder) not in line for line in after)

        until(inherited)
        survivor = next(one for one in workers if one.pid != holder)
        survivor.terminate()
        assert survivor.wait(WITHIN_S) == 0
        assert lines("first", "ends")[-1][-1] == str(survivor.pid)
    finally:
        for one in workers:
            one.kill()
            one.wait()


def test_a_worker_says_whether_it_is_well(store: Store, url: str) -> None:
    with answering("127.0.0.1", 0, store) as port:
        assert _asked(port, "/healthz") == 200
        assert _asked(port, "/readyz") == 200
        assert _asked(port, "/else") == 404
        if url.startswith("sqlite"):
            file = Path(str(store.engine.url.database))
            store.close()
            file.rename(file.with_suffix(".away"))
            file.mkdir()
            assert _asked(port, "/readyz") == 503
            assert _asked(port, "/healthz") == 200


def _asked(port: int, path: str) -> int:
    return httpx.get(f"http://127.0.0.1:{port}{path}").status_code
