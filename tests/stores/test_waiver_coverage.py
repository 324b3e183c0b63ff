"""LAW: a waiver covers just the findings that judging would part off by it, among those that the viewer may see."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import TYPE_CHECKING

from tests.stores.fleet import World, at, observed, pod, rules

from bartizan.app.watch.verdicts import Judged, TeamWaiver, Waivers
from bartizan.model.finding import Finding, RuleId, RuleInfo
from bartizan.model.waiver import Waiver
from bartizan.stores import waivers
from bartizan.stores.queries import findings
from bartizan.stores.queries.overview import fleet
from bartizan.stores.queries.pages import Page
from bartizan.stores.queries.waivers import Filter, Selected, coming_back, coverage, listed, numbers
from bartizan.stores.scope import EVERYTHING, Grant, admits

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bartizan.stores.open import Store
    from bartizan.stores.queries.findings import FindingView
    from bartizan.stores.scope import Scope

NAMES = ("images/tag", "images/registry", "roots")
CHOICES = {
    "namespace": ("", "shop", "batch", "sh*", "nowhere"),
    "team": ("", "payments", "data", "*a*"),
    "policy": ("", "images", "roots", "*s", "?oots"),
    "rule": ("", "tag", "re*", "roots"),
    "kind": ("", "Pod", "P*", "Job"),
    "name": ("", "web", "w*", "db", "nobody"),
    "path": ("", "/spec/containers/0/image", "/spec/*", "/metadata"),
}
SCOPES: tuple[Scope, ...] = (
    EVERYTHING,
    (Grant(("one",)),),
    (Grant(namespaces=("shop",)),),
    (Grant(teams=("data",)),),
    (Grant(("two",), ("batch",)), Grant(teams=("payments",))),
    (),
)


def small_world(store: Store) -> dict[int, str]:
    """Two clusters of pods with three rules. Returns the names of clusters by number."""
    world, asked = World(store).join("one", "two"), rules(*NAMES)
    for cluster in ("one", "two"):
        world.keep(
            asked,
            observed(pod("web"), asked, "ffw", "payments"),
            observed(pod("db"), asked, "pfv", "payments"),
            observed(pod("web", "batch"), asked, "fep", "data"),
            observed(pod("job", "batch"), asked, "vvf", ""),
            cluster=cluster,
        )
    with store.reading() as connection:
        return {view.id: view.name for view in fleet(connection, EVERYTHING)}


def accepted(one: FindingView, selected: Selected, clusters: dict[int, str]) -> bool:
    """Whether a waiver accepts a finding, as who judges would say."""
    words = {
        field: getattr(selected, field) or "*" for field in ("namespace", "policy", "rule", "kind", "name", "path")
    }
    waiver = Waiver("w", "r", "o", date.max, **words, fingerprint=selected.fingerprint)
    if selected.cluster is not None and clusters[selected.cluster] != one.cluster:
        return False
    policy, _, rule = one.rule.partition("/")
    named = (RuleId(policy, rule), RuleId(policy, rule or policy))  # a name alone is kept for both
    found = tuple(
        (0, Finding(RuleInfo(name), one.resource, "fail", one.severity, "", one.pointer, fingerprint=one.fingerprint))
        for name in named
    )
    judged = Waivers([TeamWaiver(waiver, selected.team or "*")], at(0)).apply(Judged(b"\2", found), one.team)
    return any(said.waived_by for _, said in judged.findings)


def test_a_waiver_covers_what_judging_would_part_off(store: Store) -> None:
    clusters = small_world(store)
    chance = random.Random(7)
    with store.reading() as connection:
        wanted = findings.Wanted(states=("open", "waived"))
        every = findings.findings(connection, EVERYTHING, wanted, Page(500)).rows
        assert len(every) == 20
        covering = 0
        for _ in range(250):
            words = {field: chance.choice(choices) for field, choices in CHOICES.items() if chance.random() < 0.4}
            cluster = chance.choice((None, *clusters))
            mark = chance.choice(every).fingerprint if chance.random() < 0.2 else ""
            selected = Selected(cluster, fingerprint=mark, **words)
            scope = chance.choice(SCOPES)
            expected = {
                one.number
                for one in every
                if accepted(one, selected, clusters) and admits(scope, (one.cluster, one.resource.namespace, one.team))
            }
            found = coverage(connection, scope, selected, sample=500)
            assert {one.number for one in found.sample} == expected, selected
            assert found.total == len(expected) == sum(number for _, number in found.places)
            covering += bool(expected)
        assert covering > 50


def test_what_is_looked_at_is_bounded(store: Store) -> None:
    small_world(store)
    with store.reading() as connection:
        found = coverage(connection, EVERYTHING, Selected(kind="Pod"), most=5)
        assert (found.total, found.more) == (5, True)
        found = coverage(connection, EVERYTHING, Selected(kind="Pod"), most=20)
        assert (found.total, found.more) == (20, False)


def test_what_another_waiver_accepts_does_not_come_back(store: Store) -> None:
    clusters = small_world(store)
    one = next(number for number, name in clusters.items() if name == "one")

    def work(connection: Connection) -> tuple[int, int]:
        def granted(cluster: int | None, days: int, **selectors: str) -> int:
            asked = waivers.Asked(selectors, cluster, "because", "ada", at(0) + timedelta(days=days))
            number = waivers.ask(connection, asked, at(0))
            waivers.decide(connection, number, "approved", "bob", at(0))
            return number

        first = granted(one, 10, namespace="batch")
        granted(one, 20, policy="images", rule="tag")
        granted(None, 5, namespace="batch")
        return first, granted(None, 30, kind="Pod", name="nobody")

    first, _ = store.write(work)
    with store.reading() as connection:
        row = waivers.one(connection, EVERYTHING, first)
        back = coming_back(connection, EVERYTHING, row)
        assert [(found.cluster, found.rule) for found in back.sample] == [("one", "images/registry")]


def test_waivers_are_listed_by_where_they_are_in_their_lives(store: Store) -> None:
    small_world(store)

    def work(connection: Connection) -> list[int]:
        made = []
        for days, decision in ((5, ""), (5, "approved"), (40, "approved"), (40, "refused"), (1, "approved"), (1, "")):
            asked = waivers.Asked({"rule": "tag"}, None, "because", "ada", at(0) + timedelta(days=days))
            made.append(waivers.ask(connection, asked, at(0)))
            if decision:
                waivers.decide(connection, made[-1], decision, "bob", at(0))
        return made

    made = store.write(work)
    now = at(48)
    with store.reading() as connection:

        def shown(kind: str) -> list[int]:
            part = listed(connection, EVERYTHING, Filter(kind), now, Page())  # type: ignore[arg-type]  # a word of the table
            return [made.index(row.id) for row in reversed(part.rows)]

        assert {kind: shown(kind) for kind in ("asked", "in-force", "ending", "ended")} == {
            "asked": [0],
            "in-force": [1, 2],
            "ending": [1],
            "ended": [3, 4, 5],
        }
        assert numbers(connection, EVERYTHING, now) == {"asked": 1, "in-force": 2, "ending": 1, "ended": 3}
        assert numbers(connection, (Grant(("one",)),), now) == {"asked": 0, "in-force": 0, "ending": 0, "ended": 0}
