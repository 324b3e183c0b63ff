"""Two clusters side by side, or one at two times."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.plane.conftest import NOW
from tests.stores.fleet import World, observed, pod, rules

from bartizan.model.resource import identify
from bartizan.stores.queries import comparing
from bartizan.stores.scope import EVERYTHING, Grant

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from tests.plane.conftest import Browser

    from bartizan.plane.site import Site
    from bartizan.stores.open import Store


def lists(page: str) -> dict[str, int]:
    """What the page counts, by the titles of its lists."""
    return {title: int(number) for title, number in re.findall(r"<h3>([^<]+): (\d+)</h3>", page)}


def test_two_clusters(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    page = signed_in().get("/compare?here=one&there=two")
    found = lists(page)
    assert found["Only one on 2026-03-03"] == 3
    assert found["Only two on 2026-03-03"] == 1
    assert found["Both"] == 1
    assert found["Asked of both, and not the same"] == 0


def test_one_cluster_at_two_times(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    page = signed_in().get("/compare?here=one&then=2026-03-01")
    found = lists(page)
    assert (found["Only one on 2026-03-03"], found["Only one on 2026-03-01"], found["Both"]) == (0, 1, 4)
    assert "/policies/latest" in page.partition("Only one on 2026-03-01: 1</h3>")[2].partition("</table>")[0]
    assert 'href="/trends/why?cluster=one&amp;from=2026-03-01&amp;to=2026-03-03"' in page


def test_what_the_other_is_not_asked_is_kept_apart(signed_in: Callable[..., Browser], site: Site) -> None:
    world = World(site.store).join("one", "two")
    ours, theirs = rules("roots", "latest", digest="1"), rules("roots", digest="2")
    world.keep(ours, observed(pod("a"), ours, "pf"), cluster="one")
    world.keep(theirs, observed(pod("a"), theirs, "f"), cluster="two")
    found = lists(signed_in().get("/compare?here=one&there=two"))
    assert found["Asked only of one on 2026-03-03"] == 1
    assert found["Asked of both, and not the same"] == 1
    assert found["Only two on 2026-03-03"] == 1
    assert found["one on 2026-03-03; nobody asked two on 2026-03-03"] == 1
    assert found["Only one on 2026-03-03"] == 0


def test_a_side_is_what_the_viewer_may_see_of_it(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    team = signed_in("viewer", Grant(teams=("data",)))
    found = lists(team.get("/compare?here=one&there=two"))
    assert (found["Only one on 2026-03-03"], found["Only two on 2026-03-03"], found["Both"]) == (3, 0, 0)
    signed_in("viewer", Grant(("one",))).get("/compare?here=one&there=two", 404)


def test_a_finding_is_open_on_the_days_on_which_it_was(store: Store) -> None:
    """Opened, mended, back, gone with its object: each day by the transitions until its end."""
    world = World(store).join("one")
    asked = rules("roots")
    for day, verdict in ((0, "f"), (1, "p"), (3, "f")):
        world.keep(asked, observed(pod("a"), asked, verdict), hours=24 * day)
    world.keep(asked, gone=(identify(pod("a")),), hours=24 * 5)
    first = NOW.date() - timedelta(days=2)
    with store.reading() as connection:
        found = [bool(comparing.open_at(connection, EVERYTHING, first + timedelta(days=day))) for day in range(-1, 7)]
        assert comparing.open_at(connection, EVERYTHING, None) == []
    assert found == [False, True, False, False, True, True, False, False]


def test_too_many_are_not_compared(
    signed_in: Callable[..., Browser], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    del world
    monkeypatch.setattr(comparing, "MOST", 2)
    assert "cannot be compared" in signed_in().get("/compare?here=one&there=two", 400)


def test_the_same_is_said_to_be_the_same(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    assert "There is no difference" in signed_in().get("/compare?here=one&there=one&then=2026-03-03")


def test_without_a_choice_it_says_what_can_be_chosen(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    page = signed_in().get("/compare")
    assert "Choose what to compare" in page
    assert "<option>two</option>" in page
    signed_in().get("/compare?here=three", 404)
    signed_in().get("/compare?here=one&at=soon", 400)
