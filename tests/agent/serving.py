"""A plane over real HTTP: in this process with a clock that tests move, or in one of its own that can be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import uvicorn
from tests.controlplane.start import free_ports
from tests.stores.fleet import KEY

from bartizan.app.reporting import joining
from bartizan.app.settings import Settings
from bartizan.plane.application import application
from bartizan.plane.serving import site_on
from bartizan.stores.open import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.plane.site import Site
    from bartizan.stores.open import Store

ROOT = Path(__file__).parents[2]


def site_of(store: Store, now: Callable[[], datetime]) -> Site:
    """A plane with nobody in it."""
    return site_on(store, KEY, Settings(), now)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """What it shows."""
        return self.now


class Plane:
    """A plane that is served from this process, on one port, and can be cut off and come back."""

    def __init__(self, store: Store, clock: Callable[[], datetime], **tls: Any) -> None:
        self.store = store
        self.clock = clock
        self.port = free_ports(1)[0]
        self.url = f"{'https' if tls else 'http'}://localhost:{self.port}"
        self.site = site_of(store, clock)
        self._tls = tls
        self._server: uvicorn.Server | None = None
        self._thread = threading.Thread()

    def start(self) -> None:
        """Serve."""
        config = uvicorn.Config(
            application(self.site),
            "localhost",
            self.port,
            log_config=None,
            access_log=False,
            lifespan="off",
            **self._tls,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        until(lambda: bool(self._server and self._server.started))

    def cut(self) -> None:
        """Be away."""
        if self._server is not None:
            self._server.should_exit = True
            self._thread.join(10)
            self._server = None

    def invite(self, name: str = "") -> str:
        """A join token."""
        return self.store.write(lambda connection: joining.invite(connection, "tests", self.clock(), name)[0])

    def token(self, name: str) -> str:
        """A token for the agent of a member."""
        return self.store.write(lambda connection: joining.issue(connection, "tests", name, self.clock()))


class Process:
    """A plane in a process of its own."""

    def __init__(self, url: str) -> None:
        self.database = url
        self.port = free_ports(1)[0]
        self.url = f"http://localhost:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Serve."""
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
        code = f"from tests.agent.serving import serve; serve({self.database!r}, {self.port})"
        self._process = subprocess.Popen([sys.executable, "-c", code], env=environment, cwd=ROOT)
        until(self._answers, 30)

    def kill(self) -> None:
        """End it as a power cut does, as far as a process can tell."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        with suppress(httpx2.HTTPError):
            return httpx2.get(f"{self.url}/api/v1/nothing").status_code == 404
        return False


def serve(database: str, port: int) -> None:
    """Serve until killed; the main of such a process."""
    site = site_of(open_store(database, connections=12), lambda: datetime.now(UTC))
    uvicorn.run(application(site), host="localhost", port=port, log_config=None, access_log=False)


def until(is_so: Callable[[], object], within_s: float = 15) -> None:
    """Wait for something that another thread or process does."""
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
