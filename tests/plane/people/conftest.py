"""A provider of OpenID Connect that really runs, and a plane that sends its people there."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import msgspec
import pytest
import uvicorn
from starlette.testclient import TestClient
from tests.conformance import missing
from tests.controlplane.start import free_ports
from tests.plane.conftest import Browser, nobody, signed_in, site, world
from tests.stores.conftest import empty_url, server, sqlite_url, store, template, url
from tests.stores.fleet import KEY

from bartizan.app.settings import Settings
from bartizan.plane.application import application
from bartizan.plane.serving import site_on
from bartizan.stores.open import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.plane.site import Site

__all__ = [
    "Browser",
    "empty_url",
    "nobody",
    "server",
    "signed_in",
    "site",
    "sqlite_url",
    "store",
    "template",
    "url",
    "world",
]

HOW_TO_GET_IT = "idpyoidc is not installed: it is the provider that sign-in is tested against"
PASSWORDS = {"ann": "ann's own words", "bob": "bob's own words"}
SECRET = "the plane's secret"  # noqa: S105  of a provider that lives as long as the tests


class Provider(NamedTuple):
    """A provider that runs, and the plane it was told of."""

    issuer: str
    plane: str

    def admin(self, act: str, **told: Any) -> None:
        """Do what its administrator does: `groups` of somebody, or `rotate` its keys."""
        httpx.post(f"{self.issuer}/admin/{act}", json=told).raise_for_status()


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """The provider, as a process of its own."""
    if importlib.util.find_spec("idpyoidc") is None:
        missing(HOW_TO_GET_IT)
    folder = tmp_path_factory.mktemp("provider")
    (folder / "passwords.json").write_text(json.dumps(PASSWORDS))
    made = Provider(*(f"http://127.0.0.1:{port}" for port in free_ports(2)))
    program = str(Path(__file__).with_name("provider_process.py"))
    arguments = [made.issuer.rpartition(":")[2], made.plane, str(folder / "passwords.json")]
    with (folder / "talk").open("wb") as talk:
        process = subprocess.Popen([sys.executable, program, *arguments], stdout=talk, stderr=talk, cwd=folder)
    try:
        _wait(made.issuer, process, folder / "talk")
        yield made
    finally:
        process.terminate()
        process.wait(10)


def _wait(issuer: str, process: subprocess.Popen[bytes], talk: Path) -> None:
    until = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < until:
        try:
            if httpx.get(f"{issuer}/.well-known/openid-configuration").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"the provider does not start: {talk.read_text(errors='replace')[-3000:]}")


class Plane:
    """A plane whose people sign in at the provider, by the real clock; each browser of it has its own cookies."""

    def __init__(self, site: Site, provider: Provider) -> None:
        self.site, self.provider = site, provider

    def browser(self) -> TestClient:
        """A browser that nobody has used yet."""
        return TestClient(application(self.site), base_url=self.provider.plane, follow_redirects=False)

    def begin(self, browser: TestClient, back: str = "/") -> str:
        """Ask to sign in. Returns where the browser is sent to."""
        answer = browser.get("/sign-in/oidc", params={"back": back})
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def at_provider(self, place: str, name: str = "ann", client: httpx.Client | None = None) -> str:
        """Log in at the provider. Returns where it sends the browser back to, as a path of the plane."""
        if client is None:
            with httpx.Client() as there:
                return self.at_provider(place, name, there)
        form = client.get(place)
        assert form.status_code == 200, form.text
        token = form.text.partition('name="token" value="')[2].partition('"')[0]
        fields = {"token": token, "username": name, "password": PASSWORDS[name]}
        answer = client.post(f"{self.provider.issuer}/verify/user", data=fields)
        assert answer.status_code == 303, answer.text
        back = str(answer.headers["location"])
        assert back.startswith(f"{self.provider.plane}/sign-in/oidc/callback?")
        return back.removeprefix(self.provider.plane)

    def sign_in(self, browser: TestClient, name: str = "ann", back: str = "/") -> httpx.Response:
        """All of it. Returns what the plane answers in the end."""
        return browser.get(self.at_provider(self.begin(browser, back), name))


ROLES = [{"group": "payments", "role": "viewer", "teams": ["payments"]}, {"group": "security", "role": "admin"}]


@pytest.fixture
def plane(provider: Provider, tmp_path: Path) -> Iterator[Plane]:
    """A plane that knows the provider."""
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    told = {
        "issuer": provider.issuer,
        "client_id": "plane",
        "client_secret_file": str(tmp_path / "secret"),
        "name": "The company",
        "roles": ROLES,
    }
    settings = msgspec.structs.replace(Settings(), sign_in=told, public_url=provider.plane)
    opened = open_store(f"sqlite:///{tmp_path}/plane.db")
    made = site_on(opened, KEY, settings, lambda: datetime.now(UTC))
    try:
        yield Plane(made, provider)
    finally:
        opened.close()


@contextmanager
def served(plane: Plane) -> Iterator[None]:
    """Serve a plane where the provider believes that it is."""
    port = int(plane.provider.plane.rpartition(":")[2])
    config = uvicorn.Config(application(plane.site), host="127.0.0.1", port=port, log_config=None, lifespan="off")
    serving = uvicorn.Server(config)
    thread = threading.Thread(target=serving.run)
    thread.start()
    try:
        while not serving.started and thread.is_alive():
            time.sleep(0.01)
        yield
    finally:
        serving.should_exit = True
        thread.join()
