"""Who comes in, and what is told to who does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.plane.people.entering import first_link
from bartizan.stores.scope import Grant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.plane.conftest import Browser
    from tests.stores.fleet import World

    from bartizan.plane.site import Site


def test_the_first_link_signs_in_once(site: Site, nobody: Browser) -> None:
    link = first_link(site)
    answer = nobody.client.get(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "No cluster has joined yet" in nobody.get("/")
    assert nobody.client.get(link).status_code == 403


def test_nobody_sees_nothing(nobody: Browser, world: World) -> None:
    del world
    assert nobody.client.get("/").headers["location"] == "/sign-in"


def test_every_answer_is_kept_to_itself(nobody: Browser) -> None:
    for path in ("/", "/nothing", "/api/v1/nothing", "/assets/nothing"):
        headers = nobody.client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_assets_are_kept_for_good_and_packed(site: Site, nobody: Browser) -> None:
    answer = nobody.client.get(site.assets.url("plane.css"), headers={"accept-encoding": "gzip"})
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"


def test_a_team_sees_its_own(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    page = signed_in("viewer", Grant(teams=("data",))).get("/")
    assert "batch" in page
    assert "/namespaces/shop" not in page


def test_the_fleet_shows_its_worst_first(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    page = signed_in().get("/")
    assert "roots is bad" in page
    assert page.index(">one<") < page.index(">two<")
