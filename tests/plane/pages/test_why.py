"""Why a score moved: the parts are the whole, for whoever looks, on both engines and on the page."""

from __future__ import annotations

import itertools
import re
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.plane.conftest import NOW
from tests.plane.pages.history import FRAMEWORK, SCOPES, days, live
from tests.stores.fleet import World, at, observed, pod, rules

from bartizan.findings.score import Control, Framework, Standing, movements, points, recompute, shown
from bartizan.findings.score.movement import Movement
from bartizan.model.ledger import CAUSES
from bartizan.stores import clusters
from bartizan.stores.queries import scores
from bartizan.stores.scope import EVERYTHING, Grant, narrowed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.plane.conftest import Browser

    from bartizan.plane.site import Site
    from bartizan.stores.open import Store

_LAW = Framework(FRAMEWORK[0], tuple(map(Control, FRAMEWORK[1])))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_both_ends_are_what_was_said_then_and_the_parts_are_the_way_between(store: Store, seed: int) -> None:
    """Whatever happened, in whatever scope: a past day's score is found again, and its movement split exactly."""
    told = live(store, seed, _LAW)
    with store.reading() as connection:
        for (since, until), name in itertools.product(itertools.combinations(days(), 2), SCOPES):
            between = scores.between(connection, SCOPES[name], since, until)
            for framework, truth in ((None, told.scores), (_LAW, told.frameworks)):
                before = Standing(since, between.before, between.facts_before, framework)
                after = Standing(until, between.after, between.facts_after, framework)
                moved = movements(before, after, between.entries)
                for number, was, now in zip(moved, truth[since, name], truth[until, name], strict=True):
                    assert (number.before, number.after) == (was, now), (since, until, name, framework)
                    assert number.delta is None or sum(number.parts.values(), Fraction()) == number.delta


_SHARES = st.fractions(0, 1, max_denominator=100_000)


@st.composite
def _movements(draw: st.DrawFn) -> Movement:
    """A number that went from one value to another by way of some others."""
    way = [draw(_SHARES) for _ in range(len(CAUSES) + 1)]
    for number in range(1, len(way)):
        if draw(st.booleans()):
            way[number] = way[number - 1]
    return Movement(way[0], way[-1], {cause: way[n + 1] - way[n] for n, cause in enumerate(CAUSES)})


@given(_movements())
def test_what_is_shown_adds_up_and_tells_no_gain_as_a_loss(movement: Movement) -> None:
    """Parts in hundredths of a point add up to the shown whole, are off by less than two, and nothing stays nothing."""
    told = shown(movement)
    assert told is not None
    assert told.before + sum(told.parts.values()) == told.after
    for cause, part in told.parts.items():
        exact = movement.parts[cause] * 10_000
        assert exact * part >= 0
        assert abs(exact - part) < 3
        assert exact or not part


def test_a_movement_without_a_number_is_not_shown() -> None:
    assert shown(Movement(None, Fraction(1, 2), {})) is None


def test_points_have_a_sign() -> None:
    assert [points(one) for one in (259, -5, 0)] == ["+2.59", "\N{MINUS SIGN}0.05", "\N{PLUS-MINUS SIGN}0.00"]


@pytest.fixture
def lived(site: Site) -> Site:
    """A plane whose clock stands at the end of a history of everything."""
    live(site.store, 5, _LAW)
    return site


def _figures(page: str) -> list[tuple[int, int, list[int], int]]:
    """What the page shows of each number: before, after, parts, and all together, in hundredths."""
    found = []
    for section in re.split(r"<h2>", page)[1:]:
        if "data-delta" in section:
            ends = [int(one.replace(".", "")) for one in re.findall(r'class="number">(\d+\.\d\d) %', section)]
            parts = [int(one) for one in re.findall(r'data-part="(-?\d+)"', section)]
            found.append((ends[0], ends[1], parts, int(re.findall(r'data-delta="(-?\d+)"', section)[0])))
    return found


def test_on_the_page_the_parts_add_up_to_what_is_shown(signed_in: Callable[..., Browser], lived: Site) -> None:
    del lived
    browsers = [signed_in("viewer", grant) for grant in (Grant(), Grant(teams=("data",)), Grant(("one",)))]
    told = 0
    for browser, (since, until) in itertools.product(browsers, itertools.pairwise(days())):
        for framework in ("", "law"):
            page = browser.get(f"/trends/why?from={since}&to={until}&framework={framework}")
            for before, after, parts, delta in _figures(page):
                assert before + sum(parts) == after
                assert sum(parts) == delta
                assert len(parts) == len(CAUSES)
                told += 1
    assert told > 40


def test_the_export_is_worked_out_again_byte_for_byte(signed_in: Callable[..., Browser], lived: Site) -> None:
    del lived
    since, until = days()[1], days()[4]
    for query in ("", "&cluster=one", "&team=data", "&framework=law"):
        told = signed_in().get(f"/trends/why.json?from={since}&to={until}{query}")
        assert recompute(told.encode()).decode() == told
        assert '"movements"' in told


def test_a_cause_leads_to_the_entries_behind_it(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    page = signed_in().get("/trends/why?from=2026-03-01&to=2026-03-02&cause=findings&cluster=one")
    rows = re.findall(r"<tr data-row>(.*?)</tr>", page.split('id="ledger"')[1], re.DOTALL)
    assert [re.findall(r">([a-z0-9]+)<", row) for row in rows] == [["latest", "one", "shop", "fail", "pass", "1"]]


def test_a_team_is_told_of_what_is_theirs(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    told = "?from=2026-03-01&to=2026-03-02&cause=findings"
    assert "No pair moved for this cause" in signed_in("viewer", Grant(teams=("data",))).get(f"/trends/why{told}")
    assert "No pair moved for this cause" not in signed_in("viewer", Grant(teams=("payments",))).get(
        f"/trends/why{told}"
    )


def test_a_severity_that_changes_moves_the_score_by_the_rules(store: Store) -> None:
    """Each day is weighed by the rules of that day, for each cluster by its own."""
    world = World(store).join("one", "two")
    for cluster in ("one", "two"):
        mild = rules("roots:low", "latest:low", digest="1")
        world.keep(mild, observed(pod("web"), mild, "fp"), cluster=cluster)
    worse = rules("roots:critical", "latest:low", digest="1")
    world.keep(worse, observed(pod("web"), worse, "fp"), cluster="one", hours=24)
    day = at(0).date()
    with store.reading() as connection:
        between = scores.between(connection, EVERYTHING, day, day + timedelta(days=1))
    moved = movements(
        Standing(day, between.before, between.facts_before),
        Standing(day + timedelta(days=1), between.after, between.facts_after),
        between.entries,
    ).pass_rate
    assert (moved.before, moved.after) == (Fraction(2, 4), Fraction(2, 13))
    assert {cause: part for cause, part in moved.parts.items() if part} == {"rules": Fraction(2, 13) - Fraction(1, 2)}


def test_a_cluster_that_has_left_is_in_no_number(store: Store, world: World) -> None:
    del world
    clusters.leave(store, "two", NOW)
    with store.reading() as connection:
        everything = scores.between(connection, EVERYTHING, at(0).date(), NOW.date())
        one = scores.between(connection, narrowed(EVERYTHING, cluster="one"), at(0).date(), NOW.date())
    assert (everything.before, everything.after) == (one.before, one.after)


@pytest.mark.parametrize(
    "query",
    ["from=2026-03-02&to=2026-03-01", "from=yesterday", "to=2027-01-01", "from=1999-01-01", "cause=magic"],
)
def test_what_cannot_be_asked_is_refused_with_a_hint(signed_in: Callable[..., Browser], query: str) -> None:
    assert 'class="hint"' in signed_in().get(f"/trends/why?{query}", 400)


@pytest.mark.parametrize("query", ["cluster=three", "team=nobody", "framework=none", "cluster=two"])
def test_what_is_not_to_be_seen_is_not_there(signed_in: Callable[..., Browser], world: World, query: str) -> None:
    del world
    signed_in("viewer", Grant(("one",))).get(f"/trends/why?{query}", 404)
