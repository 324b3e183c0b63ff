"""Accounts, tokens and the log in a browser: what is changed is written down, and nobody gives themselves more."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from tests.plane.conftest import NOW, Browser

from bartizan.plane.people.grants import grant_of, words_of
from bartizan.stores import accounts, people
from bartizan.stores.audit import Act, broken_at, record
from bartizan.stores.queries.acts import Wanted, acts
from bartizan.stores.queries.pages import Page
from bartizan.stores.scope import Grant

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.plane.site import Site

    SignedIn = Callable[..., Browser]


def _acts(site: Site) -> list[tuple[str, str, str]]:
    """What was done, the first first; sign-ins left out."""
    with site.store.reading() as connection:
        assert broken_at(connection) is None
        rows = acts(connection, Wanted(), Page(500)).rows
    return [(row.actor, row.action, row.subject) for row in reversed(rows) if row.action != "session.begun"]


def _number(site: Site, name: str) -> int:
    with site.store.reading() as connection:
        row = accounts.named(connection, name)
    assert row is not None
    return int(row.id)


def _key(page: str) -> str:
    found = re.search(r"/password\?key=([\w-]+)", page)
    assert found is not None
    return found[1]


def test_an_account_is_added_and_its_person_comes_in_by_the_link(
    site: Site, signed_in: SignedIn, nobody: Browser
) -> None:
    admin = signed_in(name="root")
    page = admin.post("/people", 200, name="ann", email="ann@example.com", role="operator", teams="red, blue")
    key = _key(page)
    assert key not in admin.get(f"/people/{_number(site, 'ann')}")
    fields = {"key": key, "password": "another few words", "again": "another few words"}
    assert nobody.post("/password", **fields) == "/"
    assert "<summary>ann</summary>" in nobody.get("/")
    listed = admin.get("/people")
    assert "operator: teams red, blue" in listed
    number = _number(site, "ann")
    assert _acts(site) == [
        ("root", "account.added", f"account {number}"),
        ("ann", "password.set", f"account {number}"),
    ]


def test_roles_are_given_and_taken(site: Site, signed_in: SignedIn) -> None:
    admin = signed_in(name="root")
    signed_in("viewer", Grant(teams=("red",)), "ann")
    number = _number(site, "ann")
    assert (
        admin.post(f"/people/{number}/roles", role="approver", clusters="one two", namespaces="(none)")
        == f"/people/{number}"
    )
    admin.post(f"/people/{number}/roles", role="approver", clusters="one two", namespaces="(none)")
    with site.store.reading() as connection:
        found = accounts.one(connection, number)
    assert found is not None
    given = found.roles
    assert [(one.role, one.grant) for one in given] == [
        ("viewer", Grant(teams=("red",))),
        ("approver", Grant(clusters=("one", "two"), namespaces=("",))),
    ]
    admin.post(f"/people/{number}/roles/{given[0].number}/take")
    admin.post(f"/people/{number}/roles/{given[0].number}/take", 404)
    admin.post(f"/people/{number}/roles", 400, role="emperor")
    admin.post("/people/999/roles", 404, role="viewer")
    assert [act[1] for act in _acts(site)] == ["role.given", "role.taken"]


def test_a_disabled_account_is_out_at_once_and_back_by_an_administrator(site: Site, signed_in: SignedIn) -> None:
    admin, ann = signed_in(name="root"), signed_in("viewer", name="ann")
    number = _number(site, "ann")
    ann.get("/")
    admin.post(f"/people/{number}/disable")
    assert ann.client.get("/").headers["location"] == "/sign-in"
    admin.post(f"/people/{number}/link", 400)
    admin.post(f"/people/{number}/enable")
    assert ann.client.get("/").headers["location"] == "/sign-in"
    _key(admin.post(f"/people/{number}/link", 200))
    assert [act[1] for act in _acts(site)] == ["account.disabled", "account.enabled", "link.made"]


def test_sessions_of_another_are_ended(site: Site, signed_in: SignedIn) -> None:
    admin, ann = signed_in(), signed_in("viewer", name="ann")
    admin.post(f"/people/{_number(site, 'ann')}/sign-out")
    assert ann.client.get("/").headers["location"] == "/sign-in"
    admin.get("/")


def test_nobody_locks_themselves_out(site: Site, signed_in: SignedIn) -> None:
    admin = signed_in(name="root")
    number = _number(site, "root")
    admin.post(f"/people/{number}/disable", 400)
    with site.store.reading() as connection:
        found = accounts.one(connection, number)
    assert found is not None
    admin.post(f"/people/{number}/roles/{found.roles[0].number}/take", 400)
    admin.post(f"/people/{number}/roles", role="admin", clusters="one")
    with site.store.reading() as connection:
        found = accounts.one(connection, number)
    assert found is not None
    admin.post(f"/people/{number}/roles/{found.roles[1].number}/take")
    admin.get("/people")


def test_who_administers_a_part_gives_nobody_the_rest(site: Site, signed_in: SignedIn) -> None:
    part = signed_in("admin", Grant(teams=("red",)), "part")
    number = _number(site, "part")
    for path in ("/people", f"/people/{number}", "/audit", "/audit.csv", "/audit/check"):
        part.get(path, 403)
    for path in (
        "/people",
        "/people/groups",
        f"/people/{number}/roles",
        f"/people/{number}/link",
        f"/people/{number}/enable",
    ):
        part.post(path, 403, name="x", group="x", role="admin")
    assert _acts(site) == []


def test_groups_have_roles_by_settings_and_by_administrators(site: Site, signed_in: SignedIn) -> None:
    admin = signed_in()
    admin.post("/people/groups", group="security", role="approver", clusters="one")
    admin.post("/people/groups", group="security", role="approver", clusters="one")
    admin.post("/people/groups", 400, group=" ", role="viewer")
    assert "clusters one" in admin.get("/people")
    with site.store.reading() as connection:
        given = accounts.group_roles(connection)
    assert len(given) == 1
    admin.post(f"/people/groups/{given[0].number}/take")
    admin.post(f"/people/groups/{given[0].number}/take", 404)
    assert [act[1:] for act in _acts(site)] == [("role.given", "group security"), ("role.taken", "group security")]


@pytest.mark.parametrize(
    ("fields", "grant", "words"),
    [
        ({}, Grant(), "everywhere"),
        ({"teams": " "}, Grant(), "everywhere"),
        ({"teams": "red,blue red"}, Grant(teams=("red", "blue")), "teams red, blue"),
        ({"namespaces": "(none)"}, Grant(namespaces=("",)), "namespaces (none)"),
        ({"clusters": "a", "teams": "b"}, Grant(clusters=("a",), teams=("b",)), "clusters a; teams b"),
    ],
)
def test_a_grant_is_read_from_a_form_and_told_in_words(fields: dict[str, str], grant: Grant, words: str) -> None:
    assert grant_of(fields) == grant
    assert words_of(grant) == words


def test_a_grant_of_nothing_is_not_told_as_everything() -> None:
    assert words_of(Grant(teams=())) == "no teams"


@pytest.mark.parametrize("name", ["", " ", "a" * 101, "a\nb", "\u202eadmin"])
def test_a_name_that_cannot_be_read_is_refused(signed_in: SignedIn, name: str) -> None:
    signed_in().post("/people", 400, name=name, role="viewer")


def test_a_name_is_shown_and_never_run(signed_in: SignedIn) -> None:
    admin = signed_in()
    admin.post("/people", 200, name="<script>alert(1)</script>", role="viewer", teams="<b>")
    for path in ("/people", "/audit"):
        page = admin.get(path)
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page
    admin.post("/people", 400, name="<script>alert(1)</script>", role="viewer")


# ---- tokens


def _token(browser: Browser, **fields: str) -> str:
    page = browser.post("/tokens", 200, **({"name": "ci", "days": "30", "scope_read": "on"} | fields))
    found = re.search(r'<code id="token">(bartizan_[\w-]+)</code>', page)
    assert found is not None
    return found[1]


def _by(site: Site, token: str) -> Any:
    return Browser(site, "").client, {"Authorization": f"Bearer {token}"}


def test_a_token_is_shown_once_and_works_until_it_is_revoked(site: Site, signed_in: SignedIn) -> None:
    ann = signed_in("viewer", name="ann")
    token = _token(ann)
    client, headers = _by(site, token)
    assert client.get("/", headers=headers).status_code == 200
    page = ann.get("/tokens")
    assert token not in page
    assert "just now" in page
    with site.store.reading() as connection:
        assert token.encode() not in connection.execute(text("SELECT digest FROM token")).scalar_one()
    ann.post("/tokens/1/revoke")
    assert client.get("/", headers=headers).headers["location"] == "/sign-in"
    assert [act[:2] for act in _acts(site)] == [("ann", "token.made"), ("ann", "token.revoked")]


def test_a_token_may_no_more_than_it_was_made_for(site: Site, signed_in: SignedIn) -> None:
    root = signed_in(name="root")
    client, headers = _by(site, _token(root))
    assert client.get("/people", headers=headers).status_code == 403
    client, headers = _by(site, _token(root, scope_administer="on"))
    assert client.get("/people", headers=headers).status_code == 200


def test_a_token_may_no_more_than_its_person_may_now(site: Site, signed_in: SignedIn) -> None:
    root = signed_in(name="root")
    other = signed_in(name="other")
    client, headers = _by(site, _token(other, scope_administer="on"))
    with site.store.reading() as connection:
        found = accounts.one(connection, _number(site, "other"))
    assert found is not None
    root.post(f"/people/{found.number}/roles/{found.roles[0].number}/take")
    assert client.get("/people", headers=headers).status_code == 403
    root.post(f"/people/{found.number}/disable")
    assert client.get("/", headers=headers).headers["location"] == "/sign-in"


def test_a_viewer_is_offered_no_more_than_they_may(signed_in: SignedIn) -> None:
    viewer = signed_in("viewer")
    assert "scope_administer" not in viewer.get("/tokens")
    viewer.post("/tokens", 400, name="x", days="1", scope_administer="on")


@pytest.mark.parametrize(
    "fields",
    [{"days": "0"}, {"days": "366"}, {"days": "x"}, {"days": "٣"}, {"name": ""}, {"scope_read": "", "name": " "}],
)
def test_a_token_that_cannot_be_is_refused(signed_in: SignedIn, fields: dict[str, str]) -> None:
    signed_in().post("/tokens", 400, **({"name": "ci", "days": "30", "scope_read": "on"} | fields))


def test_no_token_makes_another(site: Site, signed_in: SignedIn) -> None:
    client, headers = _by(site, _token(signed_in(), scope_administer="on"))
    fields = {"name": "x", "days": "1", "scope_read": "on"}
    assert client.post("/tokens", data=fields, headers=headers).status_code == 403
    assert client.get("/tokens", headers=headers).status_code == 403


def test_what_a_token_does_is_done_in_its_person_s_name(site: Site, signed_in: SignedIn) -> None:
    """Who asks for a waiver with a session cannot approve it with a token: they are one name."""
    client, headers = _by(site, _token(signed_in(name="root"), scope_administer="on"))
    assert client.post("/people/groups", data={"group": "g", "role": "viewer"}, headers=headers).status_code == 303
    with site.store.reading() as connection:
        act = acts(connection, Wanted(action="role.given"), Page()).rows[0]
    assert (act.actor, act.details["by_token"]) == ("root", 1)


def test_nobody_revokes_what_is_another_s_but_administrators(signed_in: SignedIn) -> None:
    ann, bob, root = signed_in("viewer", name="ann"), signed_in("approver", name="bob"), signed_in()
    _token(ann)
    bob.post("/tokens/1/revoke", 404)
    bob.post("/tokens/99/revoke", 404)
    assert root.post("/tokens/1/revoke") == "/people"
    assert "revoked" in ann.get("/tokens")


def test_nobody_has_tokens_without_end(signed_in: SignedIn) -> None:
    ann = signed_in("viewer")
    for _ in range(50):
        _token(ann)
    ann.post("/tokens", 400, name="one more", days="1", scope_read="on")


def test_groups_hold_for_a_token_for_a_month_after_the_last_sign_in(site: Site) -> None:
    person = accounts.Person("https://login.example", "1", "ann", "", ("*", "red"))
    with site.store.writing() as connection:
        met = accounts.meet(connection, person, NOW - timedelta(days=29))
        assert met is not None
        accounts.give(connection, "viewer", Grant(), "red")
        people.add_token(
            connection, "s", NOW, account=met[0], name="x", scopes=["read"], ends_at=NOW + timedelta(days=300)
        )
    client, headers = _by(site, "s")
    assert client.get("/", headers=headers).status_code == 200
    with site.store.writing() as connection:
        accounts.signed_in(connection, met[0], NOW - timedelta(days=30))
    assert client.get("/", headers=headers).status_code == 403


# ---- the log


def test_the_log_is_read_by_who_what_and_to_what(site: Site, signed_in: SignedIn) -> None:
    with site.store.writing() as connection:
        for number in range(250):
            record(connection, Act(NOW, f"a{number % 2}", "role.given", f"account {number}", {"n": number}))
    root = signed_in()
    first = root.get("/audit?actor=a1")
    assert 'id="act-250"' in first
    assert 'id="act-249"' not in first
    older = re.search(r'href="(/audit\?[^"]*after=[^"]*)"', first)
    assert older is not None
    second = root.get(older[1].replace("&amp;", "&"))
    assert 'id="act-50"' in second
    assert 'id="act-49"' not in second
    assert "Nothing of the kind" in root.get("/audit?action=nothing")
    root.get("/audit?after=nonsense", 400)


def test_a_log_that_was_tampered_with_shows(site: Site, signed_in: SignedIn) -> None:
    root = signed_in()
    assert "Nothing is written yet" in root.get("/audit/check")
    for name in ("x", "y", "z"):
        root.post("/people/groups", group=name, role="viewer")
    page = root.get("/audit/check")
    assert "follows from the one before" in page
    with site.store.writing() as connection:
        if site.store.dialect == "sqlite":
            connection.execute(text("DROP TRIGGER audit_is_written_once_update"))
        else:
            connection.execute(text("DROP TRIGGER audit_is_written_once ON audit"))
        connection.execute(text("UPDATE audit SET subject = 'group other' WHERE id = 2"))
    page = root.get("/audit/check")
    assert "tampered" in page
    assert "Row 2 " in page


def test_the_log_as_csv_has_each_row_and_runs_nothing(site: Site, signed_in: SignedIn) -> None:
    with site.store.writing() as connection:
        for number in range(1200):
            record(connection, Act(NOW, "=cmd|' /C calc'!A0", "x", f'a "quoted", {number}\nline', {"n": number}))
    answer = signed_in().client.get("/audit.csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert [int(row[0]) for row in rows[1:]] == list(range(1200, 0, -1))
    assert rows[1][2] == "'=cmd|' /C calc'!A0"
    assert rows[1][4] == 'a "quoted", 1199\nline'


def test_checking_the_whole_log_is_slowed(signed_in: SignedIn) -> None:
    root = signed_in()
    told = [root.client.get("/audit/check").status_code for _ in range(7)]
    assert told == [200] * 6 + [429]
    assert signed_in().client.get("/audit/check").status_code == 200
