"""The fleet: of many clusters those that were asked for, in the order that was asked for."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.plane.conftest import NOW

from bartizan.findings.score import Sums
from bartizan.model.fleet import Cluster
from bartizan.plane.pages.choosing import BANDS, ROWS, band_of
from bartizan.stores.clusters import join, note
from bartizan.stores.scope import Grant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.plane.conftest import Browser
    from tests.stores.fleet import World

    from bartizan.plane.site import Site

_NAME = re.compile(r'<th scope="row"><a href="/clusters/([^"]+)">')


def shown(page: str) -> list[str]:
    """The clusters on a page, in their order."""
    return _NAME.findall(page)


@pytest.fixture
def many(site: Site, world: World) -> World:
    """The world, and as many clusters again as fill a page, with labels and other states."""
    for number in range(ROWS):
        name = f"cell-{number:02}"
        labels = {"env": "production" if number % 2 else "test", "cell": str(number)}
        join(site.store, Cluster(name, "agent", labels, NOW), 300)
        note(site.store, name, {"last_seen": NOW - timedelta(minutes=number)})
    return world


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=CELL-4", [f"cell-4{n}" for n in range(10)]),
        ("label=cell=7", ["cell-07"]),
        ("label=cell&q=cell-0&label=env=test", ["cell-00", "cell-02", "cell-04", "cell-06", "cell-08"]),
        ("state=late", ["cell-06", "cell-07", "cell-08", "cell-09"]),
        ("q=cell-0&sort=seen", [f"cell-0{n}" for n in range(9, -1, -1)]),
        ("q=cell-0&sort=name", [f"cell-0{n}" for n in range(10)]),
        ("sort=name&page=2", ["one", "two"]),
        ("sort=name&page=99", ["one", "two"]),
        ("band=none&q=cell-00", ["cell-00"]),
        ("q=nothing", []),
    ],
)
def test_what_is_asked_for_is_shown(
    signed_in: Callable[..., Browser], many: World, query: str, names: list[str]
) -> None:
    del many
    assert shown(signed_in().get(f"/?{query}")) == names


@pytest.mark.parametrize("query", ["sort=%00", "page=-1", "page=9999999999999", "band=7", "state=on%20fire", "page=a"])
def test_words_that_are_none_are_passed_over(signed_in: Callable[..., Browser], many: World, query: str) -> None:
    del many
    browser = signed_in()
    assert shown(browser.get(f"/?{query}")) == shown(browser.get("/"))


def test_numbers_are_of_who_is_chosen_and_lead_to_their_findings(
    signed_in: Callable[..., Browser], world: World
) -> None:
    del world
    page = signed_in().get("/?q=two")
    assert "1 <small>of 2</small>" in page
    assert 'href="/findings?cluster=two&amp;severity=critical&amp;most=critical"' in page


def test_who_sees_one_cluster_counts_one(signed_in: Callable[..., Browser], many: World) -> None:
    del many
    page = signed_in("viewer", Grant(clusters=("cell-03",))).get("/")
    assert shown(page) == ["cell-03"]
    assert "cell=4" not in page


@pytest.mark.parametrize(
    ("passed", "decided", "band"),
    [
        (0, 1, "0"),
        (499, 1000, "0"),
        (1, 2, "50"),
        (949, 1000, "90"),
        (19, 20, "95"),
        (999, 1000, "95"),
        (7, 7, "100"),
        (0, 0, "none"),
    ],
)
def test_a_rate_is_in_the_column_that_it_reaches(passed: int, decided: int, band: str) -> None:
    assert band_of(Sums(passed, decided)) == band
    assert band in (*map(str, BANDS), "none")


def test_who_is_not_heard_of_stands_in_no_column_of_a_rate(signed_in: Callable[..., Browser], world: World) -> None:
    del world  # both were last heard of a day ago
    browser = signed_in()
    assert shown(browser.get("/?band=none&sort=name")) == ["one", "two"]
    assert "not known: 2" in browser.get("/")


def test_a_page_that_is_there_already_is_not_sent_again(signed_in: Callable[..., Browser], world: World) -> None:
    browser = signed_in()
    first = browser.client.get("/")
    again = browser.client.get("/", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    world.keep(*_other_news(), cluster="two", hours=40)
    assert browser.client.get("/", headers={"if-none-match": first.headers["etag"]}).status_code == 200


def _other_news() -> tuple[object, ...]:
    from tests.stores.fleet import observed, pod, rules

    asked = rules("roots:critical", "latest:medium", "probes:low")
    return asked, observed(pod("db"), asked, "fff", "payments")
