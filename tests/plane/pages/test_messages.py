"""Messages as operators see them: dead ones with their reason, sent again; targets tried against a real server."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.app.notices import services
from tests.plane.conftest import NOW, Browser

from bartizan.app.settings import Settings
from bartizan.stores import outbox
from bartizan.stores.queries.messages import messages
from bartizan.stores.queries.pages import Page
from bartizan.stores.scope import Grant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bartizan.plane.site import Site


@pytest.fixture
def web() -> Iterator[services.Web]:
    with services.web() as running:
        yield running


@pytest.fixture
def dead(site: Site) -> int:
    """A message that could not be sent; beside it one waits."""

    def work(connection: object) -> None:
        outbox.post(connection, "k1", "chat", {}, NOW)  # type: ignore[arg-type]  # a connection
        outbox.post(connection, "k2", "pager", {}, NOW)  # type: ignore[arg-type]

    site.store.write(work)
    with site.store.writing() as connection:
        (claimed,) = outbox.claim(connection, NOW, timedelta(minutes=1), target="chat")
        outbox.failed(connection, claimed.number, "<b>410 Gone</b>", None, NOW)
    return claimed.number


def test_a_dead_message_has_its_reason_and_is_sent_again(
    site: Site, dead: int, signed_in: Callable[..., Browser]
) -> None:
    operator = signed_in("operator")
    page = operator.get("/messages")
    assert "&lt;b&gt;410 Gone" in page
    assert "not in the settings" in page
    assert operator.post(f"/messages/{dead}/again") == "/messages"
    with site.store.reading() as connection:
        states = {row.key: row.state for row in messages(connection, Page()).rows}
    assert states == {"k1": "waiting", "k2": "waiting"}
    operator.post(f"/messages/{dead}/again", 404)


def test_messages_are_chosen_by_state_and_target(dead: int, signed_in: Callable[..., Browser]) -> None:
    del dead
    operator = signed_in("operator")
    assert "<code>k2</code>" not in operator.get("/messages?state=dead")
    assert "<code>k1</code>" not in operator.get("/messages?target=pager")
    assert "There is none" in operator.get("/messages?state=sent")


@pytest.mark.parametrize(
    ("role", "grant"), [("viewer", Grant()), ("operator", Grant(("one",))), ("operator", Grant(teams=("data",)))]
)
def test_only_who_operates_the_whole_fleet_sees_them(
    dead: int, signed_in: Callable[..., Browser], role: str, grant: Grant
) -> None:
    browser = signed_in(role, grant)
    browser.get("/messages", 403)
    browser.post(f"/messages/{dead}/again", 403)
    browser.post("/messages/test", 403, target="chat")


def test_a_target_is_tried(
    site: Site, web: services.Web, signed_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_URL", f"{web.url}/slack/T0/B0/hush-hush")
    monkeypatch.setenv("AWAY_URL", "http://127.0.0.1:9/hush")
    told = {
        "targets": [
            {"name": "chat", "kind": "slack", "url_env": "SLACK_URL"},
            {"name": "away", "kind": "slack", "url_env": "AWAY_URL"},
        ],
        "rules": [],
    }
    named = replace(site, settings=Settings(notifications=told))
    operator = Browser(named, signed_in("operator").client.cookies["bartizan_session"])
    assert "The test to chat was accepted" in operator.post("/messages/test", 200, target="chat")
    page = operator.post("/messages/test", 200, target="away")
    assert "The test to away did not arrive" in page
    assert "hush" not in page
    operator.post("/messages/test", 404, target="nobody")
