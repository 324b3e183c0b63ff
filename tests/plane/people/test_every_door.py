"""Laws of all doors of the plane, walked along its table: a new one is held to them without a new test."""

from __future__ import annotations

import itertools
import re
import secrets
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient
from tests.plane.conftest import NOW, Browser
from tests.stores.fleet import KEY, World, observed, pod, rules

from bartizan.app.settings import Settings
from bartizan.plane.application import DOORS, application
from bartizan.plane.people.identity import COOKIE
from bartizan.plane.serving import site_on
from bartizan.plane.viewer import MAY
from bartizan.stores import people
from bartizan.stores.open import open_store
from bartizan.stores.schema import METADATA
from bartizan.stores.scope import Grant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bartizan.plane.site import Route, Site

    SignedIn = Callable[..., Browser]

ENTRANCES = ("/enter", "/sign-in/oidc/callback")
"""What a GET may change: they let somebody in who shows what only they were given."""
_COUNTED = {"throttle": (), "session": ("seen_at",), "token": ("used_at",)}
"""What is counted along with each request: tables, and columns of them."""
_PART = re.compile(r"\{(\w+)(?::(\w+))?\}")
_WORDS = {"name": "one", "cluster": "one", "namespace": "shop", "team": "payments", "rule": "roots"}

ELSEWHERE: tuple[dict[str, str], ...] = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://plane.test.evil.example"},
)
"""What a browser says of a form that another site sends."""
CHANGING = [route for route in DOORS if route.method != "GET"]
READING = [route for route in DOORS if route.method == "GET"]
GUARDED = [route for route in DOORS if route.needs is not None]


def _id(route: Route) -> str:
    return f"{route.method} {route.path}"


def _path(route: Route) -> str:
    return _PART.sub(lambda part: "1" if part[2] == "int" else _WORDS.get(part[1], "1"), route.path)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One plane for all: what holds here is that nothing changes."""
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('doors')}/x.db")
    yield site_on(store, KEY, Settings(), lambda: NOW)
    store.close()


@pytest.fixture(scope="module")
def world(site: Site) -> World:
    """A cluster with an object that is not as it should be."""
    made, asked = World(site.store).join("one"), rules("roots:critical", "latest:medium")
    made.keep(asked, observed(pod("web"), asked, "fp", "payments"), cluster="one", hours=1)
    return made


def _state(site: Site) -> dict[str, list[Any]]:
    """All that is kept, without what is only counted."""
    with site.store.reading() as connection:
        return {
            table.name: [
                tuple(value for name, value in row._mapping.items() if name not in _COUNTED.get(table.name, ()))  # noqa: SLF001  its public name
                for row in connection.execute(table.select())
            ]
            for table in METADATA.sorted_tables
            if _COUNTED.get(table.name) != ()
        }


@pytest.mark.parametrize("route", CHANGING, ids=_id)
def test_a_form_of_another_session_changes_nothing(site: Site, signed_in: SignedIn, world: World, route: Route) -> None:
    del world
    browser, other = signed_in(), signed_in()
    before = _state(site)
    for token in ({}, {"form_token": ""}, {"form_token": "0" * 32}, {"form_token": other.form_token}):
        answer = browser.client.request(route.method, _path(route), data={"name": "x", **token})
        assert answer.status_code == 403
    assert _state(site) == before


@pytest.mark.parametrize("route", CHANGING, ids=_id)
def test_a_form_of_another_site_changes_nothing(site: Site, signed_in: SignedIn, nobody: Browser, route: Route) -> None:
    browser = signed_in()
    before = _state(site)
    fields = {"name": "x", "form_token": browser.form_token}
    for one, headers in itertools.product((browser, nobody), ELSEWHERE):
        answer = one.client.request(route.method, _path(route), data=fields, headers=headers)
        assert answer.status_code in (401, 403)
    assert _state(site) == before


@pytest.mark.parametrize("route", GUARDED, ids=_id)
def test_nobody_is_refused(nobody: Browser, world: World, route: Route) -> None:
    del world
    answer = nobody.client.request(route.method, _path(route))
    if route.method == "GET" and route.surface == "page":
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in")
    else:
        assert answer.status_code == 401
    assert "roots" not in answer.text


@pytest.mark.parametrize("route", GUARDED, ids=_id)
def test_who_may_not_is_refused(site: Site, signed_in: SignedIn, world: World, route: Route) -> None:
    del world
    without = next((role for role, may in MAY.items() if route.needs not in may), None)
    browser = signed_in(without or "viewer")
    if without is None:  # each role may see: somebody without a role
        with site.store.writing() as connection:
            session = secrets.token_urlsafe(16)
            number = people.add_account(connection, f"without a role {session}", NOW)
            people.begin_session(connection, session, number, (NOW, NOW.replace(year=NOW.year + 1)))
        browser = Browser(site, session)
    before = _state(site)
    answer = browser.client.request(route.method, _path(route), data={"form_token": browser.form_token})
    assert answer.status_code == 403
    assert _state(site) == before


@pytest.mark.parametrize("route", [route for route in READING if route.path not in ENTRANCES], ids=_id)
def test_reading_changes_nothing(site: Site, signed_in: SignedIn, world: World, route: Route) -> None:
    del world
    browser = signed_in()
    before = _state(site)
    assert browser.client.get(_path(route)).status_code < 500 or route.path.startswith("/sign-in/oidc")
    assert _state(site) == before


@pytest.mark.parametrize("route", DOORS, ids=_id)
def test_a_body_or_a_query_that_nobody_would_send_is_no_error_of_ours(
    signed_in: SignedIn, world: World, route: Route
) -> None:
    """Hostile words in every place: refused or taken, and never a 500."""
    del world
    browser = signed_in()
    hostile = "'\"><script>\0\ud800;--".encode("utf-8", "surrogatepass")
    query = "&".join(f"{name}=%27%00%ff%3Cb%3E" for name in ("key", "after", "back", "q", "cluster", "state", "code"))
    names = ("name", "role", "group", "password", "again", "key", "back", "days", "clusters", "logout_token")
    body = (
        b"form_token=" + browser.form_token.encode() + b"".join(b"&" + name.encode() + b"=" + hostile for name in names)
    )
    answer = browser.client.request(
        route.method, f"{_path(route)}?{query}", content=body if route.method != "GET" else None
    )
    assert answer.status_code < 500
    assert "><script>" not in answer.text


def test_a_token_needs_no_form_and_a_cookie_beside_it_gives_it_nothing(site: Site, signed_in: SignedIn) -> None:
    """Where both are sent, the token counts: it is what was sent on purpose."""
    root = signed_in()
    with site.store.writing() as connection:
        ann = people.add_account(connection, "ann", NOW)
        people.give_role(connection, "viewer", Grant(), ann)
        people.add_token(connection, "t", NOW, account=ann, name="x", scopes=["read"])
    client = TestClient(application(site), base_url="http://plane.test", follow_redirects=False)
    client.cookies.set(COOKIE, root.client.cookies[COOKIE])
    assert client.get("/people").status_code == 200
    assert client.get("/people", headers={"Authorization": "Bearer t"}).status_code == 403
    assert client.get("/people", headers={"Authorization": "Bearer wrong"}).status_code == 303


def test_no_door_that_guards_a_secret_is_without_a_limit() -> None:
    guessable = {"/enter", "/password", "/sign-in"}
    for route in DOORS:
        if route.path in guessable and _id(route) != "GET /sign-in":
            assert route.limit is not None
            assert route.limit.shared
