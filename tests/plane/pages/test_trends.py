"""Trends: each day is what was so at its end, for whoever looks; and how long mending took."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest
from tests.plane.conftest import NOW
from tests.plane.pages.history import FRAMEWORK, SCOPES, days, live
from tests.stores.fleet import World, at, observed, pod, rules

from bartizan.findings.score import Control, Framework, severity_score
from bartizan.model.ledger import Verdict
from bartizan.model.resource import identify
from bartizan.model.severity import Severity
from bartizan.plane.pages.trends import Week, weeks_of
from bartizan.plane.render import span
from bartizan.stores import clusters
from bartizan.stores.queries import mending, scores, standings
from bartizan.stores.queries.moves import DayMoves
from bartizan.stores.queries.trends import trend
from bartizan.stores.scope import EVERYTHING, Grant, narrowed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.plane.conftest import Browser

    from bartizan.stores.open import Store

_LAW = Framework(FRAMEWORK[0], tuple(map(Control, FRAMEWORK[1])))


def pictured(page: str, title: str) -> dict[str, str]:
    """What the table behind a picture says of each day."""
    table = page.partition(f"<summary>{title}, as a table</summary>")[2].partition("</table>")[0]
    return dict(re.findall(r'<th scope="row">([^<]+)</th><td>([^<]+)</td>', table))


@pytest.mark.parametrize("seed", [7, 8])
def test_each_day_is_what_was_so_then(store: Store, seed: int) -> None:
    """For who sees whole clusters, whatever became of rules and their severities."""
    told = live(store, seed, _LAW)
    with store.reading() as connection:
        for name in ("everything", "one cluster"):
            for day in trend(connection, SCOPES[name], days()[0], days()[-1]):
                assert severity_score(day.counts) == told.scores[day.day, name], (day.day, name)


def test_the_pictures_say_what_the_days_were(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    page = signed_in().get("/trends?cluster=one")
    rates = pictured(page, "Pass rate")
    assert list(rates)[-4:] == ["2026-02-28", "2026-03-01", "2026-03-02", "2026-03-03"]
    assert list(rates.values())[-4:] == ["not known", "36.8 %", "42.1 %", "42.1 %"]
    assert list(pictured(page, "Failing, medium").values())[-3:] == ["2", "1", "1"]


def test_a_framework_s_trend_ends_at_its_number_of_now(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    page = signed_in().get("/trends?framework=pss&cluster=one")
    assert list(pictured(page, "Pass rate").values())[-4:] == ["not known", "36.8 %", "42.1 %", "42.1 %"]
    numbers = re.findall(r"<dt>Pass rate</dt><dd>([^<]+)</dd>", page)
    assert numbers == ["42.11 %"]


def test_long_spans_show_some_days_and_the_last(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    rates = pictured(signed_in().get("/trends?days=365"), "Pass rate")
    assert len(rates) <= 92
    assert list(rates)[-1] == NOW.date().isoformat()


def test_a_cluster_that_has_left_is_in_no_day(store: Store, world: World) -> None:
    del world
    clusters.leave(store, "two", NOW)
    with store.reading() as connection:
        everything = trend(connection, EVERYTHING, at(0).date(), NOW.date())
        assert everything == trend(connection, narrowed(EVERYTHING, cluster="one"), at(0).date(), NOW.date())
        assert trend(connection, EVERYTHING, at(0).date(), NOW.date(), "two")[-1].counts
        assert standings.names(connection, EVERYTHING, 9)[0] == ["one"]
        assert scores.rules_by(connection, EVERYTHING, "cluster").keys() == {"one"}


def test_weeks_tell_what_came_and_what_went() -> None:
    """Mondays; what came by rules, waivers or freshness is told as what is left of it."""
    monday = date(2026, 3, 2)
    fail, good, none = Verdict.FAIL, Verdict.PASS, Verdict.NONE
    moves = [
        DayMoves(monday, "", good, fail, "findings", 5),
        DayMoves(monday + timedelta(days=6), "", none, fail, "scope", 2),
        DayMoves(monday, "", fail, good, "findings", 3),
        DayMoves(monday, "", fail, none, "scope", 1),
        DayMoves(monday, "", fail, Verdict.WAIVED, "exceptions", 4),
        DayMoves(monday, "", good, fail, "rules", 6),
        DayMoves(monday - timedelta(days=1), "", fail, Verdict.STALE, "freshness", 9),
    ]
    first, second = Week(monday, 7, 3, 1, 2), Week(monday - timedelta(days=7), 0, 0, 0, -9)
    assert weeks_of(moves) == [first, second]
    assert (first.net, second.net) == (5, -9)


def test_time_to_mend_is_from_the_last_opening_to_the_mending(store: Store) -> None:
    """What went with its object is not mended; what was open when we came is not seen to open."""
    world = World(store).join("one")
    asked = rules("roots:critical", "latest:low")
    everything = [(f"p{number}", "ff") for number in range(4)]
    world.keep(asked, *(observed(pod(name), asked, said) for name, said in everything))
    world.keep(asked, observed(pod("p0"), asked, "pp"), hours=2)
    world.keep(asked, observed(pod("p0"), asked, "fp"), hours=10)
    world.keep(asked, observed(pod("p0"), asked, "pp"), hours=15)
    world.keep(asked, observed(pod("p1"), asked, "pf"), hours=20)
    world.keep(asked, gone=(identify(pod("p2")),), hours=21)
    begin = datetime.combine(at(0).date(), time(), UTC)
    with store.reading() as connection:
        found = mending.mended(connection, EVERYTHING, begin, at(100))
        none = mending.mended(connection, (), begin, at(100))
    hours = [timedelta(hours=number) for number in (2, 5, 20)]
    assert [tuple(one) for one in found] == [
        (Severity.CRITICAL, 3, hours[1], hours[2], 1),
        (Severity.LOW, 1, hours[0], hours[0], 0),
    ]
    assert none == []


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (None, "\N{EN DASH}"),
        (timedelta(seconds=20), "20 s"),
        (timedelta(minutes=59, seconds=40), "1 h 0 min"),
        (timedelta(minutes=12), "12 min"),
        (timedelta(days=3, hours=5, minutes=7), "3 d 5 h"),
    ],
)
def test_spans_of_time_are_told_in_two_units(time: timedelta | None, said: str) -> None:
    assert span(time) == said


def test_what_cannot_be_asked_is_refused(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    for query, status in (("days=31", 400), ("framework=none", 404), ("cluster=three", 404), ("team=nobody", 404)):
        signed_in().get(f"/trends?{query}", status)
    signed_in("viewer", Grant(("one",))).get("/trends?cluster=two", 404)
