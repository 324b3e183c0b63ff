"""Accounts as a provider names them and administrators change them, on both engines."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.stores.fleet import START, at

from bartizan.base.errors import SpecError
from bartizan.stores import accounts, people
from bartizan.stores.audit import Act, record
from bartizan.stores.queries.acts import Wanted, acts, latest
from bartizan.stores.queries.pages import Page
from bartizan.stores.scope import Grant

if TYPE_CHECKING:
    from bartizan.stores.open import Store

ANN = accounts.Person("https://login.example", "1", "ann", "ann@example.com", ("*", "red"))


def test_a_person_is_met_again_by_what_the_provider_calls_them(store: Store) -> None:
    with store.writing() as connection:
        first = accounts.meet(connection, ANN, START)
        renamed = ANN._replace(name="ann b.", email="b@example.com", groups=("*",))
        again = accounts.meet(connection, renamed, at(1))
        assert first is not None
        assert again == (first[0], False)
        found = accounts.one(connection, first[0])
        assert found is not None
        assert (found.name, found.email, found.groups, found.signed_in_at) == ("ann", "b@example.com", ("*",), at(1))


def test_a_name_that_is_taken_is_never_shared(store: Store) -> None:
    with store.writing() as connection:
        people.add_account(connection, "ann", START)
        others = [
            ANN,
            ANN._replace(subject="2"),
            ANN._replace(issuer="https://login.example/b"),
            ANN._replace(subject="3"),
        ]
        numbers = [accounts.meet(connection, one, START) for one in others]
        names = [row.name for row in accounts.accounts(connection, Page()).rows]
    assert len({number[0] for number in numbers if number}) == 4
    assert len(set(names)) == 5


def test_a_disabled_person_is_not_met_and_not_made_anew(store: Store) -> None:
    with store.writing() as connection:
        met = accounts.meet(connection, ANN, START)
        assert met is not None
        accounts.disable(connection, met[0], disabled=True)
        assert accounts.meet(connection, ANN, START) is None
        assert accounts.kept_password(connection, met[0]) is None
        assert len(accounts.accounts(connection, Page()).rows) == 1


def test_a_group_has_a_role_once_and_loses_it(store: Store) -> None:
    grant = Grant(teams=("red",))
    with store.writing() as connection:
        ann = people.add_account(connection, "ann", START)
        people.give_role(connection, "viewer", grant, ann)
        assert accounts.give(connection, "viewer", grant, "red")
        assert not accounts.give(connection, "viewer", grant, "red")
        assert accounts.give(connection, "viewer", Grant(), "red")
        of_group = accounts.group_roles(connection)
        assert [(one.role, one.grant, one.group) for one in of_group] == [
            ("viewer", grant, "red"),
            ("viewer", Grant(), "red"),
        ]
        own = accounts.one(connection, ann)
        assert own is not None
        assert accounts.take_role(connection, own.roles[0].number, None) is None
        assert accounts.take_role(connection, of_group[0].number, ann) is None
        assert accounts.take_role(connection, of_group[0].number, None) is not None
        assert people.roles(connection, ann, ["red"]) == [("viewer", grant), ("viewer", Grant())]


def test_links_are_not_among_tokens_and_a_newer_one_shuts_the_older(store: Store) -> None:
    with store.writing() as connection:
        ann = people.add_account(connection, "ann", START)
        for number, scopes in enumerate((["password"], ["enter"], ["read", "ask"])):
            people.add_token(connection, f"s{number}", START, account=ann, name="x", scopes=scopes, ends_at=at(5))
        assert [row.scopes for row in accounts.tokens_of(connection, ann)] == [["read", "ask"]]
        accounts.end_links(connection, ann, "password", at(1))
        held = [people.bearer(connection, f"s{number}", at(1)) is not None for number in range(3)]
        assert held == [False, True, True]
        people.used(connection, 3, at(2))
        token = people.bearer(connection, "s2", at(3))
        assert token is not None
        assert token.used_at == at(2)


def test_a_session_that_is_idle_is_over_until_then_it_is_seen(store: Store) -> None:
    hour = timedelta(hours=1)
    with store.writing() as connection:
        ann = people.add_account(connection, "ann", START)
        people.begin_session(connection, "s", ann, (START, at(12)))
        assert people.session_of(connection, "s", at(0.9), hour) is not None
        assert people.session_of(connection, "s", at(1), hour) is None
        people.seen(connection, "s", at(0.9))
        assert people.session_of(connection, "s", at(1.8), hour) is not None
        people.end_session(connection, "s")
        assert people.session_of(connection, "s", at(1), hour) is None


@pytest.mark.parametrize(
    ("subject", "sid", "left"),
    [("1", "", ["c"]), ("", "x", ["b", "c"]), ("1", "y", ["a", "c"]), ("2", "x", ["a", "b", "c"])],
)
def test_a_provider_ends_its_own_sessions_alone(store: Store, subject: str, sid: str, left: list[str]) -> None:
    with store.writing() as connection:
        met = accounts.meet(connection, ANN, START)
        assert met is not None
        local = people.add_account(connection, "bob", START)
        for secret, number, named in (("a", met[0], "x"), ("b", met[0], "y"), ("c", local, "x")):
            people.begin_session(connection, secret, number, (START, at(12)), sid=named)
        ended = people.end_sessions_of(connection, ANN.issuer, subject, sid)
        held = [secret for secret in "abc" if people.session_of(connection, secret, at(1))]
    assert held == left
    assert ended == 3 - len(left)


def test_the_log_is_read_in_pages_and_by_what_was_done(store: Store) -> None:
    with store.writing() as connection:
        for number, action in enumerate(("role.given", "role.taken", "account.added", "role_given")):
            record(connection, Act(at(number), f"a{number % 2}", action, f"account {number}", {"n": number}))

        def numbers(size: int = 50, after: str = "", **wanted: str) -> list[int]:
            return [row.number for row in acts(connection, Wanted(**wanted), Page(size, after)).rows]

        assert numbers() == [4, 3, 2, 1]
        assert numbers(action="role.") == [2, 1]
        assert numbers(action="role.given") == [1]
        assert numbers(actor="a1", action="role.") == [2]
        assert numbers(subject="account 2") == [3]
        assert numbers(action="%.") == []
        part = acts(connection, Wanted(), Page(3))
        assert numbers(3, part.next) == [1]
        last = latest(connection)
        assert last is not None
        assert last.number == 4
        with pytest.raises(SpecError):
            acts(connection, Wanted(), Page(3, "nonsense"))
