"""Three numbers and why they moved, as programs read them: exact, and the same as on the pages."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from tests.stores.fleet import at

from bartizan.stores.scope import Grant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.plane.api.conftest import Program

pytestmark = pytest.mark.usefixtures("world")


def rates(program: Program, **query: Any) -> dict[str, str]:
    """Pass rates by name, in per cent."""
    return {one["name"]: one["score"]["pass_rate"]["percent"] for one in program.get("/scores", **query)["items"]}


def test_scores_are_told_of_whatever_has_them(program: Callable[..., Program]) -> None:
    asking = program()
    clusters = rates(asking, of="cluster")
    assert clusters == {one["name"]: one["score"]["pass_rate"]["percent"] for one in asking.get("/clusters")["items"]}
    assert rates(asking, of="cluster", cluster="one") == {"one": clusters["one"]}
    assert rates(asking, of="namespace", cluster="one").keys() == {"shop", "batch"}
    assert rates(asking, of="team").keys() == {"payments", "data"}
    assert rates(asking, of="fleet", team="data") == {"fleet": rates(asking, of="team")["data"]}
    assert rates(asking, of="framework", framework="pss") == {"pss": rates(asking)["fleet"]}
    assert rates(asking, of="control", framework="pss") == {"pss:baseline": rates(asking)["fleet"]}
    assert asking.send("GET", "/scores?of=namespace").status_code == 400
    assert asking.send("GET", "/scores?of=framework&framework=nope").status_code == 404
    assert asking.send("GET", "/scores?cluster=nope").status_code == 404


def test_a_teams_scores_are_of_what_it_sees(program: Callable[..., Program]) -> None:
    team = program("viewer", Grant(teams=("data",)))
    assert rates(team) == {"fleet": rates(program(), of="team")["data"]}
    assert rates(team, of="team").keys() == {"data"}


def test_the_parts_of_a_movement_sum_to_it(program: Callable[..., Program]) -> None:
    asking = program()
    for query in ({}, {"cluster": "one"}, {"framework": "pss"}, {"team": "payments"}):
        told = asking.get("/movements", since="2026-03-01", until="2026-03-03", **query)
        for name in ("pass_rate", "coverage", "exception_share"):
            moved = told[name]
            if moved["parts"] is not None:
                parts = sum((Fraction(part) for part in moved["parts"].values()), Fraction())
                whole = Fraction(moved["after"]["exact"]) - Fraction(moved["before"]["exact"])
                assert parts == whole == Fraction(moved["delta"])
    fixed = asking.get("/movements", since="2026-03-01", until="2026-03-03", cluster="one")["pass_rate"]
    assert Fraction(fixed["parts"]["findings"]) > 0
    assert fixed["parts"]["rules"] == "0"


def test_rules_say_what_they_are_and_where_they_fail(program: Callable[..., Program]) -> None:
    asking = program()
    rules = {one["name"]: one for one in asking.get("/rules")["items"]}
    assert rules.keys() == {"roots", "latest", "probes"}
    assert (rules["roots"]["severity"], rules["roots"]["clusters"], rules["roots"]["failing_in"]) == ("critical", 2, 2)
    assert [one["name"] for one in asking.get("/rules", severity="medium")["items"]] == ["latest", "roots"]
    assert [one["name"] for one in asking.get("/rules", q="OOT")["items"]] == ["roots"]
    one = asking.get("/rules/roots", cluster="one")
    assert [(place["cluster"], place["counts"]["failed"]) for place in one["clusters"]] == [("one", 2)]
    assert asking.send("GET", "/rules/no/such%2Frule").status_code == 404


def test_a_framework_is_told_control_by_control(program: Callable[..., Program]) -> None:
    asking = program()
    listed = {one["id"]: one for one in asking.get("/frameworks")["items"]}
    assert "kubernetes-checklist" in listed
    told = asking.get("/frameworks/pss")
    assert told["framework"] == listed["pss"]
    assert [control["id"] for control in told["controls"]] == ["baseline"]
    assert asking.send("GET", "/frameworks/nope").status_code == 404


def test_what_people_attest_counts_until_it_is_withdrawn(program: Callable[..., Program]) -> None:
    asking = program("approver", name="ann")
    controls = asking.get("/frameworks/kubernetes-checklist")["controls"]
    manual = next(one for one in controls if one["manual"] and not one["rules"])
    body = {
        "framework": "kubernetes-checklist",
        "control": manual["id"],
        "statement": "it is so",
        "evidence": "https://wiki.test/1",
        "ends_at": at(24 * 60).isoformat(),
        "percent": 80,
    }
    made = asking.post("/attestations", body, idempotency_key="a")
    assert asking.post("/attestations", body, idempotency_key="a") == made
    assert (made["made_by"], made["holds"]) == ("ann", True)
    name = f"kubernetes-checklist:{manual['id']}"
    assert rates_of_control(asking, name) == {"exact": "4/5", "percent": "80.00"}
    assert [one["number"] for one in asking.get("/attestations", holding=True)["items"]] == [made["number"]]
    for _ in range(2):
        assert asking.send("DELETE", f"/attestations/{made['number']}").status_code == 204
    assert rates_of_control(asking, name) is None
    refused = {**body, "control": "nope"}, {**body, "framework": "nope"}, {**body, "ends_at": at(0).isoformat()}
    for one in refused:
        assert asking.send("POST", "/attestations", json=one).status_code == 400
    part = program("approver", Grant(clusters=("one",)))
    assert part.send("POST", "/attestations", json=body).status_code == 403
    assert part.send("POST", "/attestations", json={**body, "cluster": "two"}).status_code == 403
    assert part.send("POST", "/attestations", json={**body, "cluster": "one"}).status_code == 201
    assert program("viewer").send("POST", "/attestations", json=body).status_code == 403


def rates_of_control(program: Program, name: str) -> Any:
    """The pass rate of a control."""
    found = program.get("/scores", of="control", framework=name.partition(":")[0], limit=500)["items"]
    return next(one["score"]["pass_rate"] for one in found if one["name"] == name)


def test_a_trend_ends_at_the_numbers_of_now(program: Callable[..., Program]) -> None:
    asking = program()
    days = asking.get("/trends", since="2026-03-01", until="2026-03-03")["items"]
    assert [day["day"] for day in days] == ["2026-03-01", "2026-03-02", "2026-03-03"]
    assert days[-1]["score"] == asking.get("/scores")["items"][0]["score"]
    assert days[0]["score"] != days[-1]["score"]
