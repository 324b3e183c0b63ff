"""Delivery: roll-outs kept as rows come out as figures; what was not seen is not counted as quiet."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from html import unescape
from io import StringIO
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from sqlalchemy import insert, select, update
from tests.plane.conftest import NOW

from bartizan.findings.delivery import DEFINITIONS, Share
from bartizan.model.delivery import RolloutBegan, RolloutSucceeded, SightLost, Workload
from bartizan.plane.pages.delivery import words
from bartizan.stores import waivers
from bartizan.stores.queries import delivery
from bartizan.stores.schema import cluster, place, rollout
from bartizan.stores.scope import EVERYTHING, Grant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.plane.conftest import Browser
    from tests.stores.fleet import World

    from bartizan.plane.site import Site


def tell(site: Site, where: tuple[str, str], hours: float, what: str, revision: str = "1", **details: Any) -> None:
    """Keep an event of a workload called web, so many hours ago."""

    def work(connection: Any) -> None:
        named = select(place.c.id).join(cluster, cluster.c.id == place.c.cluster)
        number = connection.execute(named.where(cluster.c.name == where[0], place.c.namespace == where[1])).scalar()
        key = f"{where}{hours}{what}{revision}"
        row = {"kind": "Deployment", "name": "web", "what": what, "revision": revision, "details": details}
        connection.execute(insert(rollout).values(place=number, key=key, at=NOW - timedelta(hours=hours), **row))

    site.store.write(work)


@pytest.fixture
def delivered(site: Site, world: World) -> Site:
    """Three deployments in one, one of them failed; one in the other, three hours after its commit."""
    del world
    shop = ("one", "shop")
    for number, hours in enumerate((200.0, 150.0, 100.0)):
        tell(site, shop, hours, "rollout-began", str(number))
        tell(site, shop, hours - 1, "rollout-succeeded", str(number))
    tell(site, shop, 140, "rollout-failed", "1", signal="crash-loop")
    tell(site, shop, 138, "rollout-succeeded", "1")
    committed = (NOW - timedelta(hours=93)).isoformat()
    tell(site, ("two", "batch"), 91, "rollout-began", "9", commit_at=committed)
    tell(site, ("two", "batch"), 90, "rollout-succeeded", "9")
    site.store.write(lambda connection: connection.execute(update(cluster).values(last_seen=NOW)))
    return site


def figures(browser: Browser, query: str = "") -> dict[str, dict[str, str]]:
    """The export as a table, by metric and figure."""
    found: dict[str, dict[str, str]] = {}
    for row in csv.DictReader(StringIO(browser.get(f"/delivery.csv{query}"))):
        found.setdefault(row["metric"], {})[row["figure"]] = row["value"]
    return found


def test_what_was_kept_comes_out_as_figures(signed_in: Callable[..., Browser], delivered: Site) -> None:
    del delivered
    found = figures(signed_in())
    assert found["deployment-frequency"]["deployments"] == "4"
    assert found["lead-time"]["median"] == "10800.0"
    assert found["change-failure-rate"]["failed"] == "1"
    assert found["change-failure-rate"]["rate"] == "0.25"
    assert found["change-failure-rate"]["by-crash-loop"] == "1"
    assert found["time-to-recover"]["median"] == "7200.0"
    assert found["time-to-mend"]["medium-median"] == "104400.0"


@pytest.mark.parametrize(
    ("query", "grant", "deployments"),
    [
        ("?cluster=one", Grant(), "3"),
        ("?team=data", Grant(), "1"),
        ("", Grant(("two",)), "1"),
        ("?days=7", Grant(), "3"),
    ],
)
def test_a_part_has_its_own(
    signed_in: Callable[..., Browser], delivered: Site, query: str, grant: Grant, deployments: str
) -> None:
    del delivered
    assert figures(signed_in("viewer", grant), query)["deployment-frequency"]["deployments"] == deployments


def test_a_fleet_that_tells_nothing_is_not_quiet(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    page = signed_in().get("/delivery")
    frequency = page.partition('<section id="deployment-frequency">')[2].partition("</section>")[0]
    assert "no data" in frequency
    assert 'class="tag' not in frequency


def test_every_metric_has_its_definition_and_its_share(signed_in: Callable[..., Browser], delivered: Site) -> None:
    del delivered
    page = signed_in().get("/delivery")
    for one in DEFINITIONS:
        section = unescape(page.partition(f'<section id="{one.id}">')[2].partition("</section>")[0])
        assert one.title in section
        assert one.meaning[:40] in section
        assert "<dt>Confident data</dt>" in section


def test_both_exports_say_the_same(signed_in: Callable[..., Browser], delivered: Site) -> None:
    del delivered
    told = orjson.loads(signed_in().get("/delivery.json?cluster=one"))
    table = figures(signed_in(), "?cluster=one")
    assert {(one["metric"], one["figure"]) for one in told["figures"]} == {
        (metric, figure) for metric, rest in table.items() for figure in rest
    }
    for one in told["figures"]:
        assert table[one["metric"]][one["figure"]] == ("" if one["value"] is None else str(one["value"]))
    assert told["definitions"].keys() == {one.id for one in DEFINITIONS}


def test_a_row_is_an_event_and_an_odd_one_is_passed_over(site: Site, world: World) -> None:
    del world
    tell(site, ("one", "shop"), 5, "rollout-began", "a", exact=False, later_field=1)
    tell(site, ("one", "shop"), 4, "of-a-newer-agent", "a")
    tell(site, ("one", "shop"), 3, "rollout-began", "b", commit_at="not a time")
    tell(site, ("one", "shop"), 2, "rollout-succeeded", "a")
    workload = Workload("one", "shop", "Deployment", "web")
    with site.store.reading() as connection:
        found, cut = delivery.events(connection, EVERYTHING, NOW - timedelta(days=9), NOW)
        nothing, _ = delivery.events(connection, (), NOW - timedelta(days=9), NOW)
    assert not cut
    assert nothing == []
    lost = [one for one in found if isinstance(one, SightLost)]
    assert [one for one in found if one not in lost] == [
        RolloutSucceeded(NOW - timedelta(hours=2), workload, "a"),
        RolloutBegan(NOW - timedelta(hours=5), workload, "a", exact=False),
    ]
    assert [one.cluster for one in lost] == ["one"]  # it was last heard of long ago


def test_waivers_in_force_have_an_age(signed_in: Callable[..., Browser], site: Site, world: World) -> None:
    del world

    def work(connection: Any) -> None:
        for day in (3, 5):
            asked = waivers.Asked({"rule": "roots"}, None, "because", "ann", NOW + timedelta(days=9))
            number = waivers.ask(connection, asked, NOW - timedelta(days=day))
            waivers.decide(connection, number, "approved", "ben", NOW - timedelta(days=day))
        waivers.end(connection, number, NOW - timedelta(days=1))

    site.store.write(work)
    found = figures(signed_in())["waiver-age"]
    assert (found["in-force"], found["oldest"]) == ("1", str(3 * 86400.0))


def test_more_than_is_read_is_said(
    signed_in: Callable[..., Browser], delivered: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    del delivered
    monkeypatch.setattr(delivery, "MOST", 3)
    assert "the oldest events are left out" in signed_in().get("/delivery")


def test_figures_are_told_in_words() -> None:
    values = (None, Share(1, 4), Share(0, 0), Share(10**9, 2 * 10**9), timedelta(hours=5), 1234, 2.5)
    dash = "\N{EN DASH}"
    assert [words(one) for one in values] == [dash, "25.0 % (1 of 4)", dash, "50.0 %", "5 h 0 min", "1,234", "2.5"]


def test_the_page_shows_the_compliance_of_both_ends(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    page = signed_in().get("/delivery?cluster=one")
    row = re.search(r"<th scope=\"row\">Pass rate</th>(.*?)</tr>", page, re.DOTALL)
    assert row
    assert re.findall(r">([^<]+)</td>", row[1]) == ["\N{EN DASH}", "42.11 %"]
    signed_in().get("/delivery?days=8", 400)
    signed_in().get("/delivery.csv?cluster=three", 404)
