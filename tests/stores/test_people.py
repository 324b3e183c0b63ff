"""Waivers are decided by another person and end; tokens and sessions open nothing once they are over."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from tests.stores.fleet import START, World, at

from bartizan.base.errors import SpecError
from bartizan.stores import people, waivers
from bartizan.stores.scope import EVERYTHING, Grant

if TYPE_CHECKING:
    from bartizan.stores.open import Store


def _asked(cluster: int | None = 1, **selectors: str) -> waivers.Asked:
    return waivers.Asked(selectors, cluster, "mended next week", "ann", at(48))


def test_a_waiver_holds_from_its_approval_to_its_end(store: Store) -> None:
    World(store).join("one", "two")
    with store.writing() as connection:
        number = waivers.ask(connection, _asked(rule="roots"), START)
        assert waivers.in_force(connection, at(1), 1) == []
        with pytest.raises(SpecError, match="cannot decide"):
            waivers.decide(connection, number, "approved", "ann", at(2))
        waivers.decide(connection, number, "approved", "bob", at(2))
        with pytest.raises(SpecError, match="no waiver waits"):
            waivers.decide(connection, number, "refused", "bob", at(3))
        held = {hour: len(waivers.in_force(connection, at(hour), 1)) for hour in (1, 2, 47, 48, 49)}
        assert held == {1: 0, 2: 1, 47: 1, 48: 0, 49: 0}
        assert waivers.in_force(connection, at(3), 2) == []
        waivers.end(connection, number, at(5))
        assert waivers.in_force(connection, at(6), 1) == []


def test_a_waiver_shows_to_who_sees_all_it_is_for(store: Store) -> None:
    World(store).join("one", "two")
    with store.writing() as connection:
        for cluster, namespace in ((None, ""), (1, ""), (1, "shop"), (2, "shop")):
            waivers.ask(connection, _asked(cluster, namespace=namespace), START)

        def seen(*grants: Grant) -> list[int]:
            return sorted(row.id for row in waivers.waivers(connection, grants))

        assert seen(*EVERYTHING) == [1, 2, 3, 4]
        assert seen() == []
        assert seen(Grant(clusters=("one",))) == [2, 3]
        assert seen(Grant(namespaces=("shop",))) == [3, 4]
        assert seen(Grant(clusters=("two",), namespaces=("shop", ""))) == [4]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (_asked()._replace(reason=" "), "needs a reason"),
        (_asked()._replace(ends_at=START), "must end in the future"),
        (_asked(colour="red"), "cannot choose by `colour`"),
    ],
)
def test_a_waiver_that_cannot_be_is_refused(store: Store, asked: waivers.Asked, message: str) -> None:
    with store.writing() as connection, pytest.raises(SpecError, match=message):
        waivers.ask(connection, asked, START)


def test_a_token_opens_until_it_is_revoked_or_over(store: Store) -> None:
    World(store).join("one")
    with store.writing() as connection:
        ann = people.add_account(connection, "ann", START, email="ann@example.com")
        mine = people.add_token(connection, "s1", START, account=ann, name="ci", scopes=["read"], ends_at=at(5))
        people.add_token(connection, "s2", START, cluster=1, name="agent")
        assert people.bearer(connection, "s1", at(1)) == people.Bearer(mine, ann, "", ("read",), "ann")
        agent = people.bearer(connection, "s2", at(1000))
        assert agent is not None
        assert agent.cluster == "one"
        assert people.bearer(connection, "s1", at(5)) is None
        assert people.bearer(connection, "s3", at(1)) is None
        people.revoke(connection, mine, at(1))
        assert people.bearer(connection, "s1", at(2)) is None
        assert b"s1" not in connection.execute(text("SELECT digest FROM token")).scalars().all()


def test_a_session_ends_with_its_account(store: Store) -> None:
    with store.writing() as connection:
        ann = people.add_account(connection, "ann", START)
        people.begin_session(connection, "s", ann, (START, START + timedelta(hours=8)))
        found = people.session_of(connection, "s", at(1))
        assert found is not None
        assert found.name == "ann"
        assert people.session_of(connection, "s", at(8)) is None
        connection.execute(text("UPDATE account SET disabled = true"))
        assert people.session_of(connection, "s", at(1)) is None
        assert people.account_of(connection, "ann") is None


def test_roles_are_one_s_own_and_those_of_groups(store: Store) -> None:
    with store.writing() as connection:
        ann = people.add_account(connection, "ann", START)
        people.give_role(connection, "viewer", Grant(teams=("red",)), number=ann)
        people.give_role(connection, "approver", Grant(), group="security")
        assert people.roles(connection, ann) == [("viewer", Grant(teams=("red",)))]
        assert people.roles(connection, ann, ["security", ""]) == [
            ("viewer", Grant(teams=("red",))),
            ("approver", Grant()),
        ]
