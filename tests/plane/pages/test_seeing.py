"""Who may see a part sees that part on every page, and learns nothing of the rest: no name, no number, no sum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bartizan.stores.queries import resources
from bartizan.stores.queries.pages import Page
from bartizan.stores.scope import EVERYTHING, Grant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.plane.conftest import Browser
    from tests.stores.fleet import World

    from bartizan.plane.site import Site

_PATHS = (
    "/",
    "/?sort=failing",
    "/clusters/one",
    "/clusters/one/namespaces/batch",
    "/findings?state=any",
    "/findings?namespace=shop&state=any",
    "/findings?team=payments",
    "/search?q=web",
    "/search?q=shop",
    "/search?q=pay",
    "/formula",
)


_OTHERS = ("web</bdi></a>", "db</bdi></a>", "payments</bdi>", "/namespaces/shop")
"""How pages name what is of the other team; a question that is told back is no such place."""


@pytest.mark.parametrize("path", _PATHS)
def test_a_team_reads_of_nobody_else(signed_in: Callable[..., Browser], world: World, path: str) -> None:
    del world
    page = signed_in("viewer", Grant(teams=("data",))).get(path)
    assert [word for word in _OTHERS if word in page] == []


def test_who_sees_everything_reads_of_everybody(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    browser = signed_in()
    pages = [browser.get(path) for path in _PATHS]
    assert [word for word in _OTHERS if not any(word in page for page in pages)] == []


def test_objects_of_others_are_not_there(signed_in: Callable[..., Browser], site: Site, world: World) -> None:
    del world
    with site.store.reading() as connection:
        every = resources.resources(connection, EVERYTHING, resources.Wanted(), Page(100)).rows
    team = signed_in("viewer", Grant(teams=("data",)))
    assert {one.team for one in every} == {"data", "payments"}
    for one in every:
        for path in (f"/resources/{one.number}", f"/resources/{one.number}/yaml"):
            team.get(path, 200 if one.team == "data" else 404)


@pytest.mark.parametrize(
    "path",
    ["/clusters/one/namespaces/shop", "/clusters/one/namespaces/", "/clusters/none", "/clusters/none/namespaces/x"],
)
def test_what_one_may_not_see_and_what_is_not_there_read_alike(
    signed_in: Callable[..., Browser], world: World, path: str
) -> None:
    del world
    said = signed_in("viewer", Grant(teams=("data",))).get(path, 404)
    assert "Not here" in said


def test_who_sees_one_cluster_sees_none_of_another(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    one = signed_in("viewer", Grant(clusters=("one",)))
    one.get("/clusters/two", 404)
    assert "two" not in one.get("/search?q=two").partition("<main")[2].partition('id="hits"')[2].replace(
        "two</bdi>", ""
    )


def test_problems_of_a_cluster_are_for_who_sees_all_of_it(
    signed_in: Callable[..., Browser], site: Site, world: World
) -> None:
    del world
    from bartizan.stores.clusters import note

    note(site.store, "one", {"problems": [{"message": "`secrets` of payments cannot be listed"}]})
    assert "cannot be listed" in signed_in().get("/clusters/one")
    assert "cannot be listed" not in signed_in("viewer", Grant(teams=("data",))).get("/clusters/one")


def test_an_object_is_downloaded_once(signed_in: Callable[..., Browser], site: Site, world: World) -> None:
    del world
    with site.store.reading() as connection:
        number = resources.resources(connection, EVERYTHING, resources.Wanted(name="web"), Page(1)).rows[0].number
    browser = signed_in()
    first = browser.client.get(f"/resources/{number}/yaml")
    assert first.text.startswith("apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n")
    again = browser.client.get(f"/resources/{number}/yaml", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304


def test_search_in_part_is_what_the_page_has(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    browser = signed_in()
    whole = browser.get("/search?q=bad")
    part = browser.client.get("/search?q=bad", headers={"hx-request": "true"}).text
    assert part[part.index('<div id="hits">') :].strip() in whole
    assert "<html" not in part
