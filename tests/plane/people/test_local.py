"""Local accounts: passwords that are slow to guess, links that work once, sessions that end."""

from __future__ import annotations

import dataclasses
import functools
import statistics
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest
from sqlalchemy import text
from starlette.testclient import TestClient
from tests.plane.conftest import NOW, Browser

from bartizan.base.errors import SpecError
from bartizan.plane.application import application
from bartizan.plane.people import passwords
from bartizan.plane.people.entering import first_link
from bartizan.plane.people.identity import COOKIE, IDLE, form_token
from bartizan.plane.people.local import password_link
from bartizan.plane.people.sessions import SESSION, local_path
from bartizan.stores import accounts, people
from bartizan.stores.scope import Grant

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bartizan.plane.site import Site

WORDS = "plum hammer under seven"
_HASHED = functools.cache(passwords.hashed)
"""A hash is slow on purpose; each test needs one, and none a new one."""


@pytest.fixture
def url(sqlite_url: str) -> str:
    """One engine: what differs between them is tested with the store's own functions."""
    return sqlite_url


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        """The time."""
        return self.at


@pytest.fixture
def clock() -> Clock:
    """The time in the plane of a test."""
    return Clock()


@pytest.fixture
def plane(site: Site, clock: Clock) -> Site:
    """A plane whose clock a test moves, with one local account."""
    made = dataclasses.replace(site, now=clock)
    with made.store.writing() as connection:
        number = people.add_account(connection, "ann", NOW, password_hash=_HASHED(WORDS))
        people.give_role(connection, "viewer", Grant(), number)
    return made


@pytest.fixture
def browser(plane: Site) -> TestClient:
    """A browser that nobody has signed in with."""
    return TestClient(application(plane), base_url="http://plane.test", follow_redirects=False)


def _sign_in(browser: TestClient, name: str = "ann", password: str = WORDS, **more: str) -> int:
    return browser.post("/sign-in", data={"name": name, "password": password, **more}).status_code


def _own_token(site: Site, browser: TestClient) -> str:
    return form_token(site, browser.cookies[COOKIE])


def test_a_password_signs_in_and_its_cookie_is_kept_from_scripts(browser: TestClient) -> None:
    assert 'name="password"' in browser.get("/sign-in?back=/tokens").text
    answer = browser.post("/sign-in", data={"name": "ann", "password": WORDS, "back": "/tokens"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/tokens")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie
    assert browser.get("/").status_code == 200


def test_over_https_the_cookie_stays_there(plane: Site) -> None:
    behind = dataclasses.replace(
        plane, settings=msgspec.structs.replace(plane.settings, public_url="https://plane.example")
    )
    for site, base in ((plane, "https://plane.test"), (behind, "http://plane.test")):
        browser = TestClient(application(site), base_url=base, follow_redirects=False)
        assert (
            "secure" in browser.post("/sign-in", data={"name": "ann", "password": WORDS}).headers["set-cookie"].lower()
        )


@pytest.mark.parametrize(("name", "password"), [("ann", "wrong"), ("nobody", WORDS), ("ann", ""), ("", WORDS)])
def test_nobody_learns_which_of_the_two_was_wrong(browser: TestClient, name: str, password: str) -> None:
    answer = browser.post("/sign-in", data={"name": name, "password": password})
    assert answer.status_code == 403
    assert "do not belong together" in answer.text
    assert COOKIE not in browser.cookies


def test_an_unknown_name_takes_as_long_as_a_known_one() -> None:
    def took(kept: str) -> float:
        spans = []
        for _ in range(3):
            began = time.perf_counter()
            assert not passwords.fits("wrong", kept)
            spans.append(time.perf_counter() - began)
        return statistics.median(spans)

    known, unknown = took(passwords.hashed(WORDS)), took("")
    assert unknown > known / 3


def test_a_session_is_new_at_each_sign_in(plane: Site, browser: TestClient) -> None:
    """Who knew the session before, by whatever way, is not let in with the next."""
    assert _sign_in(browser) == 303
    before = browser.cookies[COOKIE]
    assert _sign_in(browser, form_token=_own_token(plane, browser)) == 303
    assert browser.cookies[COOKIE] != before
    browser.cookies.clear()
    browser.cookies.set(COOKIE, before)
    assert browser.get("/").headers["location"] == "/sign-in"


def test_a_session_ends_when_idle_and_after_its_time(browser: TestClient, clock: Clock) -> None:
    _sign_in(browser)
    clock.at += IDLE - timedelta(seconds=1)
    assert browser.get("/").status_code == 200
    clock.at += IDLE - timedelta(seconds=1)
    assert browser.get("/").status_code == 200
    clock.at += IDLE
    assert browser.get("/").headers["location"] == "/sign-in"
    _sign_in(browser)
    ends = clock.at + SESSION
    while clock.at < ends - timedelta(minutes=50):
        assert browser.get("/").status_code == 200
        clock.at += timedelta(minutes=50)
    clock.at = ends
    assert browser.get("/").headers["location"] == "/sign-in"


def test_use_is_written_down_at_most_every_few_minutes(plane: Site, browser: TestClient, clock: Clock) -> None:
    _sign_in(browser)

    def seen() -> int:
        with plane.store.reading() as connection:
            return int(connection.execute(text("SELECT seen_at FROM session")).scalar_one())

    first = seen()
    clock.at += timedelta(minutes=4)
    browser.get("/")
    assert seen() == first
    clock.at += timedelta(minutes=2)
    browser.get("/")
    assert seen() > first


def test_sign_out_ends_the_session_itself(plane: Site, browser: TestClient) -> None:
    _sign_in(browser)
    secret = browser.cookies[COOKIE]
    assert browser.post("/sign-out", data={"form_token": _own_token(plane, browser)}).status_code == 303
    assert COOKIE not in browser.cookies
    browser.cookies.set(COOKIE, secret)
    assert browser.get("/").headers["location"] == "/sign-in"


def test_who_has_no_role_can_still_sign_out(site: Site) -> None:
    with site.store.writing() as connection:
        number = people.add_account(connection, "bob", NOW)
        people.begin_session(connection, "s" * 40, number, (NOW, NOW + SESSION))
    browser = Browser(site, "s" * 40)
    browser.get("/", 403)
    assert browser.post("/sign-out") == "/sign-in"


def test_guessing_at_an_account_is_slowed_and_told_how_long(plane: Site, clock: Clock) -> None:
    """Counted in the store: another process, which shares nothing else, counts on."""
    one, two = (TestClient(application(plane), base_url="http://plane.test") for _ in range(2))
    told = [_sign_in(browser, password="wrong") for browser in (one, two) * 5]  # noqa: S106  a wrong one
    assert told == [403] * 10
    answer = two.post("/sign-in", data={"name": "ann", "password": WORDS})
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert _sign_in(one, "nobody") == 403
    clock.at += timedelta(seconds=int(answer.headers["retry-after"]))
    assert two.post("/sign-in", data={"name": "ann", "password": WORDS}, follow_redirects=False).status_code == 303


def test_guessing_from_one_network_is_slowed_whatever_the_name(browser: TestClient) -> None:
    told = [browser.get(f"/password?key={number}").status_code for number in range(31)]
    assert told == [403] * 30 + [429]


def test_who_knows_the_password_begins_anew(browser: TestClient, plane: Site) -> None:
    for _ in range(9):
        assert _sign_in(browser, password="wrong") == 403  # noqa: S106  a wrong one
    assert _sign_in(browser) == 303
    for _ in range(2):
        assert _sign_in(browser, password="wrong", form_token=_own_token(plane, browser)) == 403  # noqa: S106  a wrong one


def test_the_store_keeps_neither_names_nor_addresses_of_who_knocks(plane: Site, browser: TestClient) -> None:
    _sign_in(browser, "a very unlikely name", "wrong")
    with plane.store.reading() as connection:
        kept = b"".join(connection.execute(text("SELECT key FROM throttle")).scalars())
    assert b"unlikely" not in kept
    assert b"testclient" not in kept


def test_what_was_counted_is_forgotten_in_time(plane: Site, browser: TestClient, clock: Clock) -> None:
    _sign_in(browser, "one", "wrong")
    clock.at += timedelta(hours=1)
    _sign_in(browser, "two", "wrong")
    with plane.store.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM throttle")).scalar() == 2


def test_a_disabled_account_has_no_password(plane: Site, browser: TestClient) -> None:
    with plane.store.writing() as connection:
        accounts.disable(connection, 1, disabled=True)
    assert _sign_in(browser) == 403


def test_local_accounts_can_be_shut_out(plane: Site) -> None:
    told = {"issuer": "https://login.example", "client_id": "x", "local": False}
    site = dataclasses.replace(plane, settings=msgspec.structs.replace(plane.settings, sign_in=told), rooms={})
    browser = TestClient(application(site), base_url="http://plane.test")
    assert 'name="password"' not in browser.get("/sign-in").text
    assert _sign_in(browser) == 403


@pytest.mark.parametrize(
    "password", ["short", "a" * 30, "ababababababab", "ann" * 5, "Administrator", "passwordpassword", "x" * 201]
)
def test_a_password_that_is_easily_guessed_is_refused(password: str) -> None:
    with pytest.raises(SpecError):
        passwords.check(password, "ann")


def test_a_password_is_known_by_its_letters_not_by_their_encoding() -> None:
    assert passwords.fits("cafe\u0301 cafe\u0301 cafe\u0301", passwords.hashed("café café café"))


def test_a_hash_tells_nothing_twice() -> None:
    one, two = passwords.hashed(WORDS), passwords.hashed(WORDS)
    assert one != two
    assert WORDS not in one
    assert passwords.fits(WORDS, one)
    assert not passwords.fits(WORDS + "x", one)
    assert passwords.is_of_old(one.replace("$15$", "$14$"))
    assert not passwords.is_of_old(one)


# ---- links


def _link(plane: Site) -> str:
    with plane.store.writing() as connection:
        return password_link(plane, connection, 1)


def test_a_link_sets_a_password_once_and_ends_all_sessions(plane: Site, browser: TestClient) -> None:
    _sign_in(browser)
    link, other = _link(plane), TestClient(application(plane), base_url="http://plane.test", follow_redirects=False)
    key = link.partition("=")[2]
    assert "Choose a password" in other.get(link).text
    fields = {"key": key, "password": "another few words", "again": "another few words"}
    assert other.post("/password", data=fields | {"again": "not those"}).status_code == 400
    assert other.post("/password", data=fields | {"password": "short", "again": "short"}).status_code == 400
    assert other.post("/password", data=fields).status_code == 303
    assert other.get("/").status_code == 200
    assert browser.get("/").headers["location"] == "/sign-in"
    browser.cookies.clear()
    assert other.get(link).status_code == 403
    assert browser.post("/password", data=fields).status_code == 403
    assert _sign_in(browser) == 403
    assert _sign_in(browser, password="another few words") == 303  # noqa: S106  a test's


def test_a_newer_link_shuts_the_one_before_and_each_ends(plane: Site, browser: TestClient, clock: Clock) -> None:
    first, second = _link(plane), _link(plane)
    assert browser.get(first).status_code == 403
    assert browser.get(second).status_code == 200
    clock.at += timedelta(hours=24)
    assert browser.get(second).status_code == 403


def test_a_link_is_no_token_of_the_interface(plane: Site, browser: TestClient) -> None:
    for link in (_link(plane), first_link(plane)):
        key = link.partition("=")[2]
        assert browser.get("/", headers={"Authorization": f"Bearer {key}"}).headers["location"] == "/sign-in"
    assert browser.get(f"/enter?key={_link(plane).partition('=')[2]}").status_code == 403
    assert browser.get(f"/password?key={first_link(plane).partition('=')[2]}").status_code == 403


def test_one_s_own_password_is_changed_by_who_knows_it(plane: Site, browser: TestClient) -> None:
    _sign_in(browser)
    fields = {"form_token": _own_token(plane, browser), "password": "another few words", "again": "another few words"}
    assert browser.post("/password", data=fields | {"current": "wrong"}).status_code == 403
    assert browser.post("/password", data=fields | {"current": WORDS}).status_code == 303
    assert browser.get("/").status_code == 200


def test_nobody_sets_a_password_without_a_link(browser: TestClient) -> None:
    assert browser.get("/password").status_code == 403
    fields = {"key": "", "password": "another few words", "again": "another few words"}
    assert browser.post("/password", data=fields).status_code == 403


def test_the_first_link_stays_shut_where_an_administrator_shut_it(site: Site) -> None:
    assert first_link(site).startswith("/enter?key=")
    with site.store.writing() as connection:
        row = accounts.named(connection, "admin")
        assert row is not None
        accounts.disable(connection, row.id, disabled=True)
    assert first_link(site) == "/sign-in"


def test_the_first_link_ends_within_the_hour(plane: Site, browser: TestClient, clock: Clock) -> None:
    link = first_link(plane)
    clock.at += timedelta(hours=1)
    assert browser.get(link).status_code == 403


# ---- what a browser is told


ELSEWHERE = (
    "//evil.example",
    "https://evil.example",
    "/\\evil.example",
    "\\\\evil",
    "javascript:x",
    "",
    "x",
    "/\t/evil.example",
    "/" + "a" * 3000,
    "/a\nSet-Cookie: x=1",
)


@pytest.mark.parametrize("wished", ELSEWHERE)
def test_no_way_back_leads_to_another_host(signed_in: Callable[..., Browser], wished: str) -> None:
    assert local_path(wished) == "/"
    assert signed_in().post("/theme", theme="dark", back=wished) == "/"


def test_no_way_back_from_signing_in_leads_to_another_host(browser: TestClient) -> None:
    answer = browser.post("/sign-in", data={"name": "ann", "password": WORDS, "back": "//evil.example"})
    assert answer.headers["location"] == "/"


def test_a_theme_is_kept_and_only_one_that_there_is(signed_in: Callable[..., Browser]) -> None:
    browser = signed_in()
    assert browser.post("/theme", theme="dark", back="/?x=1") == "/?x=1"
    assert 'data-theme="dark"' in browser.get("/")
    browser.post("/theme", 400, theme='"><script>')
    browser.post("/theme", theme="")
    assert "data-theme" not in browser.get("/")


def test_who_is_sent_to_sign_in_comes_back_to_where_they_were(browser: TestClient) -> None:
    place = browser.get("/tokens?a=b&c=d").headers["location"]
    page = browser.get(place).text
    assert 'name="back" value="/tokens?a=b&amp;c=d"' in page


def test_a_part_of_a_page_leads_the_whole_page_to_sign_in(browser: TestClient) -> None:
    answer = browser.get("/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (204, "/sign-in")
