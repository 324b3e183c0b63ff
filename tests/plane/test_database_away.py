"""The database goes and comes back: pages say so, programs are told when to try again, and all is well afterwards."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from tests.plane.conftest import NOW, Browser
from tests.stores import postgresql
from tests.stores.fleet import KEY, World, observed, pod, rules

from bartizan.app.settings import Settings
from bartizan.plane.people.entering import first_link
from bartizan.plane.serving import site_on
from bartizan.stores.open import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHIN_S = 30


@pytest.fixture
def own_server() -> Iterator[postgresql.Server]:
    """A PostgreSQL that this test may stop."""
    with postgresql.running() as running:
        yield running


def test_pages_say_that_the_database_is_away_and_recover(own_server: postgresql.Server) -> None:
    own_server.sql("CREATE DATABASE away")
    store = open_store(own_server.url("away"))
    site = site_on(store, KEY, Settings(), lambda: NOW)
    asked = rules("roots:critical")
    World(store).join("one").keep(asked, observed(pod("web"), asked, "f"))
    browser = Browser(site, "")
    browser.get(first_link(site), 303)
    assert "roots is bad" in browser.get("/")

    own_server.stop()
    told = browser.client.get("/findings?cluster=one")
    assert (told.status_code, told.headers["retry-after"]) == (503, "5")
    assert "The database is away" in told.text
    assert "What was acknowledged is kept" in told.text
    assert browser.client.get("/healthz").status_code == 200
    ready = browser.client.get("/readyz")
    assert ready.status_code == 503
    assert ready.headers["content-type"] == "application/problem+json"

    own_server.start()
    deadline = time.monotonic() + WITHIN_S
    while browser.client.get("/readyz").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert "roots is bad" in browser.get("/findings?cluster=one")
    store.close()
