"""Teams: three numbers each, and for one of them where and what."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

from tests.plane.conftest import NOW

from bartizan.findings.score import percent, sums
from bartizan.stores import clusters
from bartizan.stores.queries import scores, standings
from bartizan.stores.scope import EVERYTHING, Grant, narrowed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.plane.conftest import Browser
    from tests.stores.fleet import World

    from bartizan.stores.open import Store


def rows(page: str) -> dict[str, list[str]]:
    """The numbers of each row, by its name."""
    found = re.findall(r'<tr data-row>\s*<th scope="row"><a href="[^"]+">([^<]+)</a></th>(.*?)</tr>', page, re.DOTALL)
    return {name: re.findall(r'<td class="number[^"]*">([^<]+)</td>', rest) for name, rest in found}


def test_each_team_has_its_numbers(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    found = rows(signed_in().get("/teams"))
    assert found["data"] == [f"{percent(Fraction(13, 25))} %", "100.00 %", f"{percent(Fraction(1, 6))} %", "2", "2"]
    assert found["payments"][0] == f"{percent(Fraction(30, 52))} %"
    assert rows(signed_in("viewer", Grant(teams=("data",))).get("/teams")).keys() == {"data"}
    assert rows(signed_in().get("/teams?cluster=one"))["data"][0] == "0.00 %"


def test_the_database_works_out_the_same_numbers(store: Store, world: World) -> None:
    del world
    with store.reading() as connection:
        for one in standings.teams(connection, EVERYTHING, 9):
            counts, facts = scores.rules(connection, narrowed(EVERYTHING, team=one.name))
            assert sums(counts, facts).score() == one.score
        for one in standings.namespaces(connection, EVERYTHING, 9):
            part = narrowed(EVERYTHING, cluster=one.cluster, namespace=one.name)
            counts, facts = scores.rules(connection, part)
            assert sums(counts, facts).score() == one.score


def test_a_team_s_page_shows_what_is_theirs(signed_in: Callable[..., Browser], world: World, store: Store) -> None:
    del world
    page = signed_in().get("/teams/data")
    assert rows(page)["batch"][-1] in ("0", "2")
    assert ">shop<" not in page
    signed_in("viewer", Grant(teams=("payments",))).get("/teams/data", 404)
    signed_in().get("/teams/nobody", 404)
    for name in ("one", "two"):
        clusters.leave(store, name, NOW)
    assert "Nothing was judged yet" in signed_in().get("/teams")
