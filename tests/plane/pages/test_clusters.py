"""Members as their operators see them: tokens, joining, leaving, and forgotten when that is meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select
from tests.plane.conftest import NOW

from bartizan.app.reporting import joining
from bartizan.app.reporting.wire import JoinAsk
from bartizan.stores.queries import overview
from bartizan.stores.schema import audit
from bartizan.stores.scope import EVERYTHING, Grant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.plane.conftest import Browser
    from tests.stores.fleet import World

    from bartizan.plane.site import Site


def members(site: Site) -> dict[str, bool]:
    """Who is in the fleet, and whether they are still."""
    with site.store.reading() as connection:
        return {view.name: view.left_at is None for view in overview.fleet(connection, EVERYTHING)}


def actions(site: Site) -> list[str]:
    with site.store.reading() as connection:
        return list(connection.execute(select(audit.c.action).order_by(audit.c.id)).scalars())


def test_a_join_token_is_shown_once_and_lets_an_agent_join(
    site: Site, world: World, signed_in: Callable[..., Browser]
) -> None:
    del world
    operator = signed_in("operator")
    page = operator.post("/join-tokens", 200, name="three", days="2")
    found = re.search(r'class="join-token" tabindex="0">([\w-]{40,})<', page)
    assert found is not None
    secret = found[1]
    assert secret not in operator.get("/clusters")
    assert "for three" in operator.get("/clusters")
    ask = JoinAsk("three", "identity of three", "t" * 43)
    site.store.write(lambda connection: joining.join(connection, secret, ask, NOW))
    page = operator.get("/clusters")
    assert "made 2026-03-03" in page
    assert operator.post("/clusters/three/tokens/revoke") == "/clusters"
    with site.store.reading() as connection:
        assert joining.reporter(connection, "t" * 43, NOW) is None
    assert actions(site) == ["join-token.make", "cluster.join", "agent-token.revoke"]


def test_a_join_token_is_withdrawn(site: Site, world: World, signed_in: Callable[..., Browser]) -> None:
    del world
    operator = signed_in("operator")
    page = operator.post("/join-tokens", 200, name="", days="1")
    number = re.search(r"/join-tokens/(\d+)/withdraw", page)
    assert number is not None
    operator.post(f"/join-tokens/{number[1]}/withdraw")
    assert "for any name" not in operator.get("/clusters")
    operator.post(f"/join-tokens/{number[1]}/withdraw", 404)
    assert actions(site) == ["join-token.make", "join-token.withdraw"]


def test_a_member_leaves_and_keeps_its_history(site: Site, world: World, signed_in: Callable[..., Browser]) -> None:
    del world
    operator = signed_in("operator")
    assert "Let one go" in operator.get("/clusters/one/going")
    assert operator.post("/clusters/one/leave") == "/clusters"
    assert members(site) == {"one": False, "two": True}
    assert "on 2026-03-03" in operator.get("/clusters")
    assert actions(site) == ["cluster.left"]


def test_a_member_is_forgotten_when_its_name_is_written(
    site: Site, world: World, signed_in: Callable[..., Browser]
) -> None:
    del world
    operator = signed_in("operator")
    assert "does not confirm" in operator.post("/clusters/one/forget", 400, sure="two")
    assert actions(site) == []
    operator.post("/clusters/one/forget", sure="one")
    assert members(site) == {"two": True}
    assert actions(site) == ["cluster.forgotten"]


@pytest.mark.parametrize(
    ("role", "grant", "status"),
    [
        pytest.param("viewer", Grant(), 403, id="a viewer"),
        pytest.param("approver", Grant(), 403, id="an approver"),
        pytest.param("operator", Grant(("two",)), 404, id="an operator of another cluster"),
        pytest.param("operator", Grant(("one",), ("shop",)), 403, id="an operator of a namespace"),
        pytest.param("operator", Grant(teams=("data",)), 403, id="an operator of a team"),
    ],
)
def test_nobody_else_changes_a_member(
    site: Site, world: World, signed_in: Callable[..., Browser], role: str, grant: Grant, status: int
) -> None:
    del world
    browser = signed_in(role, grant)
    browser.get("/clusters/one/going", status)
    browser.post("/clusters/one/leave", status)
    browser.post("/clusters/one/forget", status, sure="one")
    browser.post("/clusters/one/tokens/revoke", status)
    browser.post("/join-tokens", 403, name="", days="1")
    browser.post("/join-tokens/1/withdraw", 403)
    assert members(site) == {"one": True, "two": True}
    assert actions(site) == []


def test_an_operator_of_one_cluster_sees_that_one(world: World, signed_in: Callable[..., Browser]) -> None:
    del world
    page = signed_in("operator", Grant(("two",))).get("/clusters")
    assert ">two<" in page
    assert ">one<" not in page
    assert "Make a join token" not in page


@pytest.mark.parametrize("days", ["0", "91", "x", "", "-1", "9" * 30])
def test_a_join_token_lasts_some_days(world: World, signed_in: Callable[..., Browser], days: str) -> None:
    del world
    assert "lasts from 1 to 90 days" in signed_in().post("/join-tokens", 400, name="", days=days)
