"""A plane for each test, on each engine, with a small fleet in it; and browsers that are signed in to it."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient
from tests.stores.conftest import empty_url, server, sqlite_url, store, template, url
from tests.stores.fleet import KEY, World, at, observed, pod, rules

from bartizan.app.settings import Settings
from bartizan.plane.application import application
from bartizan.plane.people.identity import COOKIE, form_token
from bartizan.plane.serving import site_on
from bartizan.stores import people
from bartizan.stores.scope import Grant

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from bartizan.plane.site import Site
    from bartizan.plane.viewer import Role
    from bartizan.stores.open import Store

__all__ = ["empty_url", "server", "sqlite_url", "store", "template", "url"]

NOW = at(50)
"""The clock of the tests: two days after the fleet was first seen."""


class Browser:
    """A browser that is signed in, and sends the form's token as our pages do."""

    def __init__(self, site: Site, session: str) -> None:
        self.client = TestClient(application(site), base_url="http://plane.test", follow_redirects=False)
        self.client.cookies.set(COOKIE, session)
        self.form_token = form_token(site, session) if session else ""

    def get(self, path: str, status: int = 200) -> str:
        """The text of a page."""
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text[:2000]
        return answer.text

    def post(self, path: str, status: int = 303, **fields: str) -> str:
        """Send a form. Returns where it leads, or what it says."""
        answer = self.client.post(path, data={"form_token": self.form_token, **fields})
        assert answer.status_code == status, answer.text[:2000]
        return answer.headers.get("location", "") or answer.text


@pytest.fixture
def site(store: Store) -> Site:
    """A plane with nobody in it, whose clock stands."""
    return site_on(store, KEY, Settings(), lambda: NOW)


@pytest.fixture
def world(site: Site) -> World:
    """Two clusters with two namespaces and two teams, some of whose objects are as they should be."""
    made = World(site.store).join("one", "two")
    asked = rules("roots:critical", "latest:medium", "probes:low")
    for cluster in ("one", "two"):
        made.keep(
            asked,
            observed(pod("web"), asked, "fpp", "payments"),
            observed(pod("db"), asked, "pfp", "payments"),
            observed(pod("job", "batch"), asked, "ffv" if cluster == "one" else "ppp", "data"),
            cluster=cluster,
            hours=1,
        )
    made.keep(asked, observed(pod("db"), asked, "ppp", "payments"), cluster="one", hours=30)
    return made


@pytest.fixture
def signed_in(site: Site) -> Callable[..., Browser]:
    """Make a browser of somebody with a role, everywhere or within a grant."""

    def make(role: Role = "admin", grant: Grant | None = None, name: str = "") -> Browser:
        session = secrets.token_urlsafe(16)

        def work(connection: Connection) -> None:
            number = people.add_account(connection, name or f"{role}-{session[:6]}", NOW)
            people.give_role(connection, role, grant or Grant(), number)
            people.begin_session(connection, session, number, (NOW, NOW + timedelta(hours=1)))

        site.store.write(work)
        return Browser(site, session)

    return make


@pytest.fixture
def nobody(site: Site) -> Browser:
    """A browser that is not signed in."""
    return Browser(site, "")
