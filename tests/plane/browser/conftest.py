"""A plane that is served, and Debian's Chromium to look at it; one of each serves all tests here."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import axe_playwright_python
import pytest
import uvicorn
from playwright.sync_api import sync_playwright
from tests.conformance import missing
from tests.plane.browser.pages import PAGES, Shown
from tests.plane.browser.seed import NOW, World, seed

from bartizan.app.settings import Settings
from bartizan.plane.application import THREADS, application
from bartizan.plane.render import THEME
from bartizan.plane.serving import site_on
from bartizan.stores.open import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from bartizan.plane.site import Site

_KEY: Final = b"the key of the tests in a browser"
_AXE: Final = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_HOW_TO_GET_IT: Final = "Chromium is not there: `apt-get install chromium`, and `make deps` for what drives it"


@dataclass(slots=True)
class Served:
    """A plane at an address."""

    url: str
    world: World


@dataclass(slots=True)
class Visit:
    """A page that is open, and what its loading asked for and complained of."""

    page: Page
    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)
    bytes_sent: float = 0
    """What went over the wire for it and all that belongs to it, headers and all."""

    def objections(self) -> list[str]:
        """What axe-core objects to, each with the element that it means."""
        self.page.evaluate(_AXE)
        found = self.page.evaluate("tags => axe.run({runOnly: {type: 'tag', values: tags}})", _RULES)
        return [
            f"{one['id']} ({one['impact']}): {node['html'][:200]} {node['any'][0]['message'] if node['any'] else ''}"
            for one in found["violations"]
            for node in one["nodes"]
        ]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser. One a module: while it runs, no test of its thread may run an event loop of its own."""
    program = shutil.which("chromium")
    if program is None:
        missing(_HOW_TO_GET_IT)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A seeded plane behind a real server."""
    url = f"sqlite:///{tmp_path_factory.mktemp('plane')}/plane.db"
    store = open_store(url, connections=THREADS)
    site = site_on(store, _KEY, Settings(), lambda: NOW)
    world = seed(site)
    with _serving(site) as address:
        yield Served(address, world)
    store.close()


@contextmanager
def _serving(site: Site) -> Iterator[str]:
    """A server, and its address, for as long as the block lasts."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application(site), log_config=None, access_log=False, lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listening.close()


@dataclass(slots=True)
class Looked:
    """A page as it is looked at: in light, in dark, and without a script."""

    shown: Shown
    light: Visit
    dark: Visit
    plain: Visit


@contextmanager
def _opening(chromium: Browser, served: Served) -> Iterator[Callable[..., Visit]]:
    """Opens pages as the administrator, each in a browser that knows nothing yet."""
    opened = []

    def open_(
        path: str, theme: str = "light", width: int = 1280, *, javascript: bool = True, settled: bool = False
    ) -> Visit:
        context = chromium.new_context(
            viewport={"width": width, "height": 800},
            java_script_enabled=javascript,
            reduced_motion="reduce",
            color_scheme="light",
        )
        opened.append(context)
        cookies = {served.world.cookie[0]: served.world.cookie[1], THEME: theme}
        context.add_cookies([{"name": name, "value": value, "url": served.url} for name, value in cookies.items()])
        made = Visit(context.new_page())
        _listen(made)
        address = served.url + path.format_map(served.world.places)
        answer = made.page.goto(address, wait_until="networkidle" if settled else "load")
        assert answer is not None
        assert answer.status == 200, made.page.content()[:2000]
        return made

    yield open_
    for context in opened:
        context.close()


@pytest.fixture
def visit(chromium: Browser, served: Served) -> Iterator[Callable[..., Visit]]:
    """Open a page; with `settled` only when it asks for nothing more."""
    with _opening(chromium, served) as open_:
        yield open_


@pytest.fixture(scope="module", params=PAGES, ids=lambda shown: shown.path)
def looked(request: pytest.FixtureRequest, chromium: Browser, served: Served) -> Iterator[Looked]:
    """Each page of the table, opened once for all that is checked of it."""
    shown: Shown = request.param
    with _opening(chromium, served) as open_:
        light = open_(shown.path, settled=True)
        yield Looked(shown, light, open_(shown.path, "dark"), open_(shown.path, javascript=False))


def _listen(visit: Visit) -> None:
    page = visit.page
    page.on("request", lambda request: visit.hosts.add(urlsplit(request.url).netloc))
    page.on("console", lambda said: visit.complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")

    def count(event: dict[str, Any]) -> None:
        visit.bytes_sent += event["encodedDataLength"]

    wire.on("Network.loadingFinished", count)
