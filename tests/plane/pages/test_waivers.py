"""Waivers in the browser: asked for by one person, decided by another, and over when their time is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select
from tests.plane.conftest import NOW, Browser

from bartizan.app.settings import Settings, Waiving
from bartizan.app.watch.ageing import waivers_of
from bartizan.stores import audit, people, waivers
from bartizan.stores.queries.findings import Wanted, findings
from bartizan.stores.queries.pages import Page
from bartizan.stores.schema import audit as audit_table
from bartizan.stores.schema import waiver as waiver_table
from bartizan.stores.scope import EVERYTHING, Grant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stores.fleet import World

    from bartizan.plane.site import Site

SOON = (NOW + timedelta(days=10)).date().isoformat()
ROOTS = {"cluster": "one", "namespace": "shop", "policy": "roots", "reason": "needs it until the move", "ends": SOON}


def rows(site: Site) -> list[Any]:
    with site.store.reading() as connection:
        return list(connection.execute(select(waiver_table).order_by(waiver_table.c.id)))


def acts(site: Site) -> list[tuple[str, str, str]]:
    with site.store.reading() as connection:
        assert audit.broken_at(connection) is None
        found = connection.execute(select(audit_table).order_by(audit_table.c.id))
        return [(row.actor, row.action, row.subject) for row in found]


def finding_of(site: Site, rule: str, namespace: str) -> int:
    with site.store.reading() as connection:
        found = findings(connection, EVERYTHING, Wanted(rule=rule, namespace=namespace), Page(1)).rows
    return found[0].number


def test_a_waiver_lives_from_asking_to_its_end(site: Site, world: World, signed_in: Callable[..., Browser]) -> None:
    del world
    ada, bob = signed_in("viewer", name="ada"), signed_in("approver", name="bob")
    where = ada.post("/waivers", **ROOTS)
    assert where == "/waivers/1"
    assert "another person decides" in ada.get(where)
    assert "another person decides" in ada.get("/waivers/W-1")
    assert "Approve" in bob.get(where)
    assert bob.post(f"{where}/decide", decision="approved", comment="until then") == where
    page = ada.get(where)
    assert "in force" in page
    assert "until then" in page
    assert "ending" not in acts(site)[0]
    assert "needs it until the move" in ada.get("/waivers?show=ending")
    assert bob.post(f"{where}/end") == where
    assert "needs it until the move" in ada.get("/waivers?show=ended")
    assert acts(site) == [
        ("ada", "waiver.asked", "waiver 1"),
        ("bob", "waiver.approved", "waiver 1"),
        ("bob", "waiver.ended", "waiver 1"),
    ]


def test_nobody_decides_on_their_own(site: Site, world: World, signed_in: Callable[..., Browser]) -> None:
    del world
    ada = signed_in("admin", name="ada")
    where = ada.post("/waivers", **ROOTS)
    assert "Approve" not in ada.get(where)
    assert "cannot decide on it" in ada.post(f"{where}/decide", 400, decision="approved")
    assert rows(site)[0].state == "asked"


def test_the_same_person_by_token_is_the_same_person(
    site: Site, world: World, signed_in: Callable[..., Browser]
) -> None:
    del world
    ada = signed_in("admin", name="ada")

    def work(connection: Any) -> None:
        number = people.account_of(connection, "ada").id  # type: ignore[union-attr]  # made above
        people.add_token(connection, "s" * 43, NOW, name="mine", account=number, scopes=["ask", "read"])

    site.store.write(work)
    answer = Browser(site, "").client.post("/waivers", data=ROOTS, headers={"authorization": f"Bearer {'s' * 43}"})
    assert answer.status_code == 303
    assert rows(site)[0].asked_by == "ada"
    ada.post("/waivers/1/decide", 400, decision="approved")


def test_it_shows_what_it_would_cover_before_it_is_asked(world: World, signed_in: Callable[..., Browser]) -> None:
    del world
    page = signed_in().post("/waivers/preview", 200, policy="roots")
    assert "<strong>3</strong> findings: 3 critical" in page
    assert ">batch<" in page
    page = signed_in().post("/waivers/preview", 200, policy="roots", cluster="two")
    assert "<strong>1</strong> finding:" in page
    assert "meets no open finding" in signed_in().post("/waivers/preview", 200, policy="nothing")


@pytest.mark.parametrize(
    ("breadth", "chosen"),
    [
        ("finding", {"fingerprint"}),
        ("object", {"policy", "kind", "name"}),
        ("namespace", {"policy"}),
    ],
)
def test_a_finding_fills_the_form(
    site: Site, world: World, signed_in: Callable[..., Browser], breadth: str, chosen: set[str]
) -> None:
    del world
    number = finding_of(site, "roots", "shop")
    page = signed_in().get(f"/waivers/new?finding={number}&breadth={breadth}")
    filled = {
        field
        for field in ("fingerprint", "policy", "rule", "kind", "name", "path", "team")
        if f'id="{field}" name="{field}" value=""' not in page
    }
    assert filled == chosen
    assert "<strong>1</strong> finding:" in page


REFUSED = [
    pytest.param({"reason": " "}, 400, "needs a reason", id="no reason"),
    pytest.param({"ends": "2026-02-30"}, 400, "is no day", id="no day"),
    pytest.param({"ends": "2026-03-02"}, 400, "is over", id="a day that is over"),
    pytest.param({"ends": "2028-01-01"}, 400, "365 days at most", id="beyond a year"),
    pytest.param({"policy": "*", "namespace": ""}, 400, "accept everything", id="everything"),
    pytest.param({"cluster": "three"}, 404, "no cluster", id="no such cluster"),
    pytest.param({"reason": "x" * 2001}, 400, "more than 2000", id="too long"),
]


@pytest.mark.parametrize(("change", "status", "said"), REFUSED)
def test_what_cannot_be_asked_is_told_and_kept_in_the_form(
    site: Site, world: World, signed_in: Callable[..., Browser], change: dict[str, str], status: int, said: str
) -> None:
    del world
    assert said in signed_in().post("/waivers", status, **ROOTS | change)
    assert rows(site) == []


def test_a_wide_waiver_has_to_be_meant(site: Site, world: World, signed_in: Callable[..., Browser]) -> None:
    del world
    narrow = replace(site, settings=Settings(waivers=Waiving(many=2)))
    browser = Browser(narrow, signed_in().client.cookies["bartizan_session"])
    wide = ROOTS | {"cluster": "", "namespace": ""}
    assert "would cover 3 findings" in browser.post("/waivers", 400, **wide)
    assert browser.post("/waivers", **wide, sure="yes") == "/waivers/1"


BEYOND = [
    pytest.param({"namespace": ""}, id="all namespaces"),
    pytest.param({"namespace": "batch"}, id="another namespace"),
    pytest.param({"namespace": "sho*"}, id="a wildcard over namespaces"),
    pytest.param({"team": ""}, id="all teams"),
    pytest.param({"team": "data"}, id="another team"),
    pytest.param({"team": "*"}, id="a wildcard over teams"),
    pytest.param({"cluster": ""}, id="the whole fleet"),
]


@pytest.mark.parametrize("change", BEYOND)
def test_a_team_asks_and_decides_for_itself_alone(
    site: Site, world: World, signed_in: Callable[..., Browser], change: dict[str, str]
) -> None:
    del world
    grant = Grant(("one",), ("shop",), ("payments",))
    team, root = signed_in("viewer", grant), signed_in("admin")
    mine = ROOTS | {"team": "payments"}
    assert "more than you may ask for" in team.post("/waivers", 403, **mine | change)
    assert rows(site) == []
    root.post("/waivers", **mine | change)
    decider = signed_in("approver", grant)
    assert decider.post("/waivers/1/decide", 404 if change else 403, decision="approved")
    assert decider.get("/waivers/1", 404)
    assert "until the move" not in decider.get("/waivers?show=asked")
    decider.post("/waivers/1/end", 404)
    root.post("/waivers", **mine)
    assert decider.post("/waivers/2/decide", decision="approved") == "/waivers/2"


def test_a_team_is_counted_its_own_findings_alone(world: World, signed_in: Callable[..., Browser]) -> None:
    del world
    team = signed_in("viewer", Grant(teams=("data",)))
    page = team.post("/waivers/preview", 200, policy="roots")
    assert "<strong>1</strong> finding:" in page
    assert "shop" not in page


def test_who_may_see_whole_clusters_does_not_decide_for_the_fleet(
    site: Site, world: World, signed_in: Callable[..., Browser]
) -> None:
    del world, site
    root, of_one = signed_in("admin"), signed_in("approver", Grant(("one",)))
    root.post("/waivers", **ROOTS | {"cluster": ""})
    of_one.post("/waivers/1/decide", 404, decision="approved")
    both = signed_in("approver", Grant(("one",)))
    root.post("/waivers", **ROOTS)
    assert both.post("/waivers/2/decide", decision="approved") == "/waivers/2"


def test_only_who_asked_or_could_decide_ends_it(world: World, signed_in: Callable[..., Browser]) -> None:
    del world
    ada, eve = signed_in("viewer", name="ada"), signed_in("viewer", name="eve")
    where = ada.post("/waivers", **ROOTS)
    assert "may not end" in eve.post(f"{where}/end", 403)
    assert ada.post(f"{where}/end") == where
    assert "ended already" in ada.post(f"{where}/end", 400)


def test_a_waiver_that_is_over_holds_nowhere_any_more(
    site: Site, world: World, signed_in: Callable[..., Browser]
) -> None:
    del world
    where = signed_in(name="ada").post("/waivers", **ROOTS)
    signed_in("approver").post(f"{where}/decide", decision="approved")
    ends_at = rows(site)[0].ends_at
    (held,) = waivers_of(site.store, "one", NOW)
    assert held.waiver.id == waivers.name_of(1)
    assert (held.waiver.policy, held.waiver.namespace, held.team) == ("roots", "shop", "*")
    assert waivers_of(site.store, "one", ends_at - timedelta(seconds=1))
    assert waivers_of(site.store, "one", ends_at) == ()
    assert waivers_of(site.store, "two", NOW) == ()
    with site.store.writing() as connection:
        account = people.account_of(connection, "ada")
        assert account is not None
        people.begin_session(connection, "of later", account.id, (ends_at, ends_at + timedelta(hours=1)))
    later = Browser(replace(site, now=lambda: ends_at), "of later")
    assert "until the move" not in later.get("/waivers?show=in-force")
    assert "until the move" in later.get("/waivers?show=ended")
    assert "What comes back" not in later.get(where)


def test_it_says_what_comes_back_when_it_ends(site: Site, world: World, signed_in: Callable[..., Browser]) -> None:
    """The world has a finding of `probes` that is waived in the namespace `batch` of cluster `one`."""
    del world
    ada, bob = signed_in(name="ada"), signed_in("approver", name="bob")
    probes = ROOTS | {"policy": "probes", "namespace": "batch"}
    ada.post("/waivers", **probes)
    bob.post("/waivers/1/decide", decision="approved")
    assert "<strong>1</strong> finding:" in ada.get("/waivers/1").split("What comes back")[1]
    ada.post("/waivers", **probes | {"policy": "prob*", "ends": (NOW + timedelta(days=60)).date().isoformat()})
    bob.post("/waivers/2/decide", decision="approved")
    assert "<strong>0</strong> findings." in ada.get("/waivers/1").split("What comes back")[1]
    assert "<strong>1</strong> finding:" in ada.get("/waivers/2").split("What comes back")[1]
    assert len(rows(site)) == 2


def test_renewing_asks_again_for_the_same(site: Site, world: World, signed_in: Callable[..., Browser]) -> None:
    del world
    ada = signed_in("viewer", name="ada")
    ada.post("/waivers", **ROOTS)
    page = ada.get("/waivers/new?renew=1")
    assert 'value="roots"' in page
    assert "needs it until the move</textarea>" in page
    ada.post("/waivers", **ROOTS, renews="1")
    assert [row.state for row in rows(site)] == ["asked", "asked"]


@pytest.mark.parametrize(
    "path", ["/waivers/9", "/waivers/x", f"/waivers/{'9' * 40}", "/waivers/new?finding=77", "/waivers/new?renew=a"]
)
def test_what_is_not_there_is_said(world: World, signed_in: Callable[..., Browser], path: str) -> None:
    del world
    assert "Not here" in signed_in().get(path, 404)


def test_hostile_words_are_shown_as_words(world: World, signed_in: Callable[..., Browser]) -> None:
    del world
    script = "<script>alert(1)</script>"
    where = signed_in().post("/waivers", **ROOTS | {"name": script, "reason": f"{script} \0"})
    for path in (where, "/waivers", f"/waivers?person={script}"):
        assert script not in signed_in().get(path)


def test_names_of_waivers_lead_back_to_their_numbers() -> None:
    assert waivers.number_of(waivers.name_of(12)) == 12
    assert [waivers.number_of(name) for name in ("db-move", "W-", "W-x", "W-\u0661", "12", f"W-{'9' * 19}")] == [
        None
    ] * 6
