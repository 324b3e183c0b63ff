"""Frameworks: their numbers for whoever looks, the controls behind them, and what people attest to."""

from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select
from tests.plane.conftest import NOW
from tests.stores.fleet import World, at, observed, pod, rules

from bartizan.catalog.loader import load_catalog
from bartizan.findings.score import Attestation, percent, severity_score, sums
from bartizan.model.ledger import RuleFacts, RuleSet
from bartizan.model.severity import Severity
from bartizan.plane import compliance
from bartizan.stores import attesting, audit, waivers
from bartizan.stores.queries import overview, scores
from bartizan.stores.schema import attestation
from bartizan.stores.schema import audit as log
from bartizan.stores.scope import EVERYTHING, Grant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.plane.conftest import Browser

    from bartizan.plane.site import Site

_LIST = "/frameworks/kubernetes-checklist"
_WORD = {"control": "image-scanning", "percent": "80", "statement": "all are scanned", "evidence": "run 7"}


def row(page: str, name: str) -> list[str]:
    """The cells of a framework's row."""
    found = re.search(rf'<a href="/frameworks/{name}[^"]*">.*?</tr>', page, re.DOTALL)
    assert found, name
    return re.findall(r'<td class="number[^"]*">([^<]*)</td>', found[0])


def control(page: str, name: str) -> str:
    """What a framework's page says of a control."""
    return page.split(f'id="control-{name}"')[1].split("<tr data-row", maxsplit=1)[0]


def test_a_framework_has_its_three_numbers(signed_in: Callable[..., Browser], world: World) -> None:
    """Worked out by hand from the world's verdicts.

    one: web fpp, db ppp, job ffv; two: web fpp, db pfp, job ppp; roots weigh 10, latest 2, probes 1.
    """
    del world
    passed = (2 + 1) + (10 + 2 + 1) + 0 + (2 + 1) + (10 + 1) + (10 + 2 + 1)
    failed = 10 + 0 + (10 + 2) + 10 + 2 + 0
    page = signed_in().get("/frameworks")
    assert row(page, "pss")[:3] == [f"{percent(Fraction(passed, passed + failed))} %", "100.00 %", "5.56 %"]


@pytest.mark.parametrize(
    ("query", "grant", "passed", "decided"),
    [
        ("?cluster=one", Grant(), 3 + 13 + 0, 13 + 13 + 12),
        ("?team=data", Grant(), 0 + 13, 12 + 13),
        ("?cluster=two&namespace=shop", Grant(), 3 + 11, 26),
        ("", Grant(teams=("payments",)), 3 + 13 + 3 + 11, 52),
        ("?cluster=one", Grant(namespaces=("batch",)), 0, 12),
    ],
)
def test_a_part_of_the_fleet_has_its_own(
    signed_in: Callable[..., Browser], world: World, query: str, grant: Grant, passed: int, decided: int
) -> None:
    del world
    page = signed_in("viewer", grant).get(f"/frameworks{query}")
    assert row(page, "pss")[0] == f"{percent(Fraction(passed, decided))} %"


def test_a_control_is_served_by_the_rules_that_name_it_and_those_that_it_names(
    signed_in: Callable[..., Browser], site: Site
) -> None:
    """The list of checks of `image-provenance` stands with the control, not with each check."""
    demand = load_catalog().frameworks["kubernetes-checklist"].controls["image-provenance"]
    facts = (RuleFacts(demand.checks[0], Severity.HIGH), RuleFacts("mine", Severity.LOW, ("mine:1",)))
    world = World(site.store).join("one")
    asked = RuleSet("x", facts)
    world.keep(asked, observed(pod("a"), asked, "fp"), observed(pod("b"), asked, "pf"))
    page = signed_in().get(_LIST)
    said = control(page, "image-provenance")
    assert f'href="/findings?rule={demand.checks[0]}">1 failing</a>' in said
    assert "not attested" in said
    assert "50.00 %" in said
    assert row(signed_in().get("/frameworks"), "mine")[0] == "50.00 %"


def test_the_numbers_of_rules_and_of_severities_are_the_same(site: Site, world: World) -> None:
    del world
    with site.store.reading() as connection:
        counts, facts = scores.rules(connection, EVERYTHING)
        by_severity: dict[int, list[int]] = {}
        for one in overview.by_severity(connection, EVERYTHING).values():
            for severity, found in one.items():
                row = by_severity.setdefault(severity, [0] * len(found))
                by_severity[severity] = [left + right for left, right in zip(row, found, strict=True)]
    assert sums(counts, facts).score() == severity_score(by_severity)


def acts(site: Site) -> list[tuple[str, str, str, Any]]:
    """What the audit log says."""
    with site.store.reading() as connection:
        assert audit.broken_at(connection) is None
        rows = connection.execute(select(log).order_by(log.c.id))
        return [(one.actor, one.action, one.subject, one.details.get("cluster")) for one in rows]


def test_an_attestation_counts_until_it_is_withdrawn(signed_in: Callable[..., Browser], site: Site) -> None:
    ann = signed_in("approver", name="ann")
    assert "not attested" in control(ann.get(_LIST), "image-scanning")
    assert ann.post(f"{_LIST}/attest", **_WORD) == f"{_LIST}#attestations"
    page = ann.get(_LIST)
    assert "80.00 %" in control(page, "image-scanning")
    assert "80 % by ann, until 2026-06-01" in control(page, "image-scanning")
    assert row(ann.get("/frameworks"), "kubernetes-checklist")[-1] == "1 of 20"
    assert "run 7" in page
    ann.post(f"{_LIST}/withdraw", number="1")
    page = ann.get(_LIST)
    assert "not attested" in control(page, "image-scanning")
    assert ">withdrawn<" in page
    assert "holds no more" in ann.post(f"{_LIST}/withdraw", 400, number="1")
    place = "kubernetes-checklist:image-scanning"
    assert acts(site) == [("ann", "attestation.made", place, ""), ("ann", "attestation.withdrawn", place, None)]


def test_an_attestation_for_a_cluster_is_none_for_the_fleet(
    signed_in: Callable[..., Browser], site: Site, world: World
) -> None:
    del world
    ann = signed_in("approver", Grant(("one",)), "ann")
    ann.post(f"{_LIST}/attest", 403, **_WORD)
    ann.post(f"{_LIST}/attest", 404, **_WORD, cluster="two")
    assert ann.post(f"{_LIST}/attest", **_WORD, cluster="one") == f"{_LIST}?cluster=one#attestations"
    everybody = signed_in("viewer")
    assert "not attested" in control(everybody.get(_LIST), "image-scanning")
    assert "not attested" in control(everybody.get(f"{_LIST}?cluster=two"), "image-scanning")
    assert "80.00 %" in control(everybody.get(f"{_LIST}?cluster=one"), "image-scanning")
    assert "run 7" not in signed_in("viewer", Grant(("two",))).get(_LIST)
    signed_in("approver", Grant(("two",))).post(f"{_LIST}/withdraw", 404, number="1")
    signed_in("approver", Grant(("one",), ("shop",))).post(f"{_LIST}/withdraw", 403, number="1")
    assert [act[1:] for act in acts(site)] == [("attestation.made", "kubernetes-checklist:image-scanning", "one")]


@pytest.mark.parametrize(
    ("field", "given", "status"),
    [
        ("percent", "101", 400),
        ("percent", "-1", 400),
        ("percent", "\u0663", 400),
        ("statement", " ", 400),
        ("evidence", "x" * 4001, 400),
        ("until", "2026-02-31", 400),
        ("until", "2026-03-02", 400),
        ("until", "2036-03-02", 400),
        ("control", "pod-privileges", 400),
        ("control", "nothing", 404),
        ("cluster", "nowhere", 404),
        ("form_token", "stolen", 403),
    ],
)
def test_what_cannot_be_attested_changes_nothing(
    signed_in: Callable[..., Browser], site: Site, field: str, given: str, status: int
) -> None:
    signed_in("approver").post(f"{_LIST}/attest", status, **{**_WORD, field: given})
    with site.store.reading() as connection:
        assert connection.execute(select(attestation)).all() == []
    assert acts(site) == []


def test_who_may_not_approve_cannot_attest(signed_in: Callable[..., Browser]) -> None:
    for role in ("viewer", "operator"):
        browser = signed_in(role)
        assert '<button class="main">Attest' not in browser.get(_LIST)
        browser.post(f"{_LIST}/attest", 403, **_WORD)


def test_what_somebody_wrote_is_shown_and_not_run(signed_in: Callable[..., Browser]) -> None:
    ann = signed_in("approver")
    ann.post(f"{_LIST}/attest", **{**_WORD, "statement": "<script>alert(1)</script>\x00", "evidence": "'; DROP--"})
    page = ann.get(_LIST)
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_days_count_whole(site: Site) -> None:
    """The day on which a word is given counts; the one on which it ends or is withdrawn does not."""

    def work(connection: Any) -> None:
        values = {"framework": "f", "statement": "s", "evidence": "e", "made_by": "ann"}
        for number, days in enumerate((3, 30, 30), 1):
            waivers.attest(connection, {**values, "control": f"c{number}", "ends_at": at(24 * days)}, at(0))
        attesting.withdraw(connection, 2, at(48))
        attesting.withdraw(connection, 3, at(1))

    site.store.write(work)
    with site.store.reading() as connection:
        found = attesting.for_scores(attesting.attested(connection, EVERYTHING))
    first = at(0).date()
    assert sorted(found) == [
        Attestation("f", "c1", 100, first, first + timedelta(days=3), "ann"),
        Attestation("f", "c2", 100, first, first + timedelta(days=1), "ann"),
    ]


def test_an_attestation_that_is_over_says_so(signed_in: Callable[..., Browser], site: Site) -> None:
    def work(connection: Any) -> None:
        values = {"framework": "kubernetes-checklist", "control": "image-scanning", "made_by": "ann"}
        ends = {"ends_at": NOW - timedelta(hours=1), "statement": "s", "evidence": "e"}
        waivers.attest(connection, {**values, **ends}, NOW - timedelta(days=9))

    site.store.write(work)
    page = signed_in().get(_LIST)
    assert "not attested" in control(page, "image-scanning")
    assert ">over<" in page


def test_a_framework_that_is_not_there(signed_in: Callable[..., Browser]) -> None:
    assert "there is no framework" in signed_in().get("/frameworks/nothing", 404)


def test_every_control_of_the_catalogue_is_on_its_page(signed_in: Callable[..., Browser]) -> None:
    browser = signed_in()
    for name, framework in compliance.known(()).items():
        page = browser.get(f"/frameworks/{name}")
        assert re.findall(r'id="control-([^"]+)"', page) == _in_groups(framework.controls)


def _in_groups(controls: Any) -> list[str]:
    groups: dict[tuple[str, str], list[str]] = {}
    for name, one in controls.items():
        groups.setdefault((one.layer, one.phase), []).append(name)
    return [name for group in groups.values() for name in group]


def test_clusters_that_are_asked_alike_are_one_row_a_rule(site: Site) -> None:
    """However many they are: what a page reads grows with rules and with how they differ, not with the fleet."""
    names = [f"c{number:02}" for number in range(12)]
    world = World(site.store).join(*names)
    alike, other = rules("roots:high", "latest:low"), rules("roots:low", "latest:low")
    for name in names:
        world.keep(alike, observed(pod("a"), alike, "fp"), observed(pod("b", "batch"), alike, "pp"), cluster=name)
    with site.store.reading() as connection:
        counts, facts = scores.rules(connection, EVERYTHING)
    assert sorted((facts[key].id, row[1:3]) for key, row in counts.items()) == [
        ("latest", [24, 0]),
        ("roots", [12, 12]),
    ]
    world.keep(other, observed(pod("a"), other, "fp"), observed(pod("b", "batch"), other, "pp"), cluster="c00", hours=1)
    with site.store.reading() as connection:
        counts, facts = scores.rules(connection, EVERYTHING)
    assert sorted((facts[key].id, facts[key].severity, row[1:3]) for key, row in counts.items()) == [
        ("latest", Severity.LOW, [2, 0]),
        ("latest", Severity.LOW, [22, 0]),
        ("roots", Severity.LOW, [1, 1]),
        ("roots", Severity.HIGH, [11, 11]),
    ]
