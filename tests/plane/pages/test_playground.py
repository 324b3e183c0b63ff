"""The playground: what a policy says of an object, marked in its lines, and to nobody who may not see it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.plane.conftest import NOW
from tests.stores.fleet import observed, pod, rules

from bartizan.app.trial.pace import Pace
from bartizan.stores import documents
from bartizan.stores.documents import PolicyText
from bartizan.stores.queries.pages import Page
from bartizan.stores.queries.resources import Wanted, resources
from bartizan.stores.scope import EVERYTHING, Grant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.plane.conftest import Browser
    from tests.stores.fleet import World

    from bartizan.plane.pages.playground import TrialRoom
    from bartizan.plane.site import Site

POLICY = """apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: images}
spec:
  rules:
  - name: tagged
    match: {any: [{resources: {kinds: [Pod]}}]}
    validate:
      failureAction: Enforce
      message: name a tag
      pattern: {spec: {containers: [{image: "*:*"}]}}
"""
OBJECT = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: app\n    image: nginx\n"


def number_of(site: Site, cluster: str, name: str) -> int:
    with site.store.reading() as connection:
        found = resources(connection, EVERYTHING, Wanted(cluster=cluster, name=name), Page(1)).rows
    return found[0].number


def test_what_a_policy_says_is_marked_at_its_line(room: TrialRoom, signed_in: Callable[..., Browser]) -> None:
    del room
    page = signed_in().post("/playground", 200, policy=POLICY, resource=OBJECT)
    assert "images/tagged" in page
    assert "would be refused" in page
    assert "Line 8 of the object" in page
    marked = re.search(
        r'<span class="row marked"><span class="at">8</span>([^<]*)</span><span class="said">([^<]*)<', page
    )
    assert marked is not None
    assert marked.groups() == ("    image: nginx", "images/tagged: name a tag")
    assert "What decided" in page


def test_a_policy_that_passes_says_so(room: TrialRoom, signed_in: Callable[..., Browser]) -> None:
    del room
    page = signed_in().post("/playground", 200, policy=POLICY, resource=OBJECT.replace("nginx", "nginx:1"))
    assert ">passes<" in page
    assert "row marked" not in page


def test_a_change_is_shown_as_a_difference(room: TrialRoom, signed_in: Callable[..., Browser]) -> None:
    del room
    mutates = (
        POLICY.split("    validate:", maxsplit=1)[0]
        + "    mutate: {patchStrategicMerge: {metadata: {labels: {team: web}}}}\n"
    )
    page = signed_in().post("/playground", 200, policy=mutates, resource=OBJECT)
    assert '<span class="add">+    team: web' in page


def test_what_is_wrong_with_a_policy_has_its_line(room: TrialRoom, signed_in: Callable[..., Browser]) -> None:
    del room
    page = signed_in().post("/playground", 200, policy=POLICY.replace("match:", "mtch:"), resource=OBJECT)
    assert "Policy, line 7" in page


def test_an_object_of_the_fleet_is_found_and_picked(
    site: Site, world: World, room: TrialRoom, signed_in: Callable[..., Browser]
) -> None:
    del world, room
    browser = signed_in()
    page = browser.post("/playground", 200, policy=POLICY, resource="", q="web")
    picks = re.findall(r'name="pick" value="(\d+)"', page)
    assert str(number_of(site, "one", "web")) in picks
    page = browser.post("/playground", 200, policy=POLICY, resource="", pick=picks[0])
    assert f'name="number" value="{picks[0]}"' in page
    assert "Pod shop/web" in page
    assert "images/tagged" in page


def test_a_secret_stays_one(site: Site, world: World, room: TrialRoom, signed_in: Callable[..., Browser]) -> None:
    del room
    asked = rules("roots")
    secret = {**pod("keys"), "kind": "Secret", "data": {"password": "aHVudGVyMg=="}}
    world.keep(asked, observed(secret, asked, "p"), hours=49)
    page = signed_in().get(f"/playground?resource={number_of(site, 'one', 'keys')}")
    assert "aHVudGVyMg" not in page
    assert "redacted:" in page


def test_a_team_picks_of_its_own_alone(
    site: Site, world: World, room: TrialRoom, signed_in: Callable[..., Browser]
) -> None:
    del world, room
    team = signed_in("viewer", Grant(teams=("data",)))
    foreign = number_of(site, "one", "web")
    team.get(f"/playground?resource={foreign}", 404)
    team.post("/playground", 404, policy=POLICY, resource="", pick=str(foreign))
    assert 'name="pick"' not in team.post("/playground", 200, policy="", resource="", q="web")
    assert 'name="pick"' in team.post("/playground", 200, policy="", resource="", q="job")


@pytest.mark.parametrize("whose", ["own", "foreign"])
def test_labels_of_a_namespace_are_known_where_the_object_is_seen(
    site: Site, world: World, room: TrialRoom, signed_in: Callable[..., Browser], whose: str
) -> None:
    del room
    asked = rules("roots")
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"tier": "prod"}}}
    world.keep(asked, observed(space, asked, "p"), hours=49)
    chosen = POLICY.replace("kinds: [Pod]", "kinds: [Pod], namespaceSelector: {matchLabels: {tier: prod}}")
    browser = signed_in("viewer", Grant(namespaces=("shop",) if whose == "own" else ("batch",)))
    placed = OBJECT.replace("  name: web", "  name: web\n  namespace: shop")
    number = str(number_of(site, "one", "web"))
    page = browser.post("/playground", 200, policy=chosen, resource=placed, number=number)
    assert (">fails<" in page) == (whose == "own")


def test_a_check_is_a_start(room: TrialRoom, signed_in: Callable[..., Browser]) -> None:
    del room
    browser = signed_in()
    assert "kind: ClusterPolicy" in browser.get("/playground?check=privileged-container")
    page = browser.post("/playground", 200, do="start", check="privileged-container", policy="mine", resource="")
    assert "kind: ClusterPolicy" in page
    browser.get("/playground?check=nothing", 404)


def test_a_rule_that_is_asked_opens_with_an_object_that_fails_it(
    site: Site, world: World, room: TrialRoom, signed_in: Callable[..., Browser]
) -> None:
    del room
    asked = rules("images/tagged")
    for name, namespace, team in (("web", "shop", "payments"), ("job", "batch", "data")):
        world.keep(asked, observed(pod(name, namespace), asked, "f", team), cluster="two", hours=49)
    site.store.write(lambda connection: documents.keep(connection, [PolicyText("images", POLICY, "images.yaml")], NOW))
    page = signed_in().get("/playground?rule=images/tagged&team=data")
    assert "name a tag" in page
    assert "Pod batch/job" in page
    assert "what-if?rule=images%2Ftagged" in page
    assert "name a tag" in signed_in().get("/what-if?rule=images/tagged")
    team = signed_in("viewer", Grant(teams=("none",)))
    team.get("/playground?rule=images/tagged", 404)
    team.get("/what-if?rule=images/tagged", 404)
    assert "kind: ClusterPolicy" in signed_in().get("/playground?rule=privileged-container")


def test_who_asks_too_often_waits(site: Site, room: TrialRoom, signed_in: Callable[..., Browser]) -> None:
    site.rooms["trials"] = replace(room, pace=Pace(2, 0.0))
    ada, bob = signed_in(name="ada"), signed_in(name="bob")
    for _ in range(2):
        ada.post("/playground", 200, policy=POLICY, resource=OBJECT)
    assert "too often" in ada.post("/playground", 429, policy=POLICY, resource=OBJECT)
    by_script = ada.client.post(
        "/playground",
        data={"policy": POLICY, "resource": OBJECT},
        headers={"hx-request": "true", "x-form-token": ada.form_token},
    )
    assert (by_script.status_code, "too often" in by_script.text) == (200, True)
    bob.post("/playground", 200, policy=POLICY, resource=OBJECT)


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        pytest.param({"policy": "x" * (257 << 10), "resource": OBJECT}, 200, "more than 256 KiB", id="a long policy"),
        pytest.param(
            {"policy": POLICY, "resource": "x" * (1025 << 10)}, 200, "more than 1,024 KiB", id="a long object"
        ),
        pytest.param({"policy": POLICY, "resource": "x" * (5 << 20)}, 413, "bytes", id="a long form"),
        pytest.param({"policy": POLICY, "resource": "[1"}, 200, "Object, line", id="a broken object"),
        pytest.param({"policy": POLICY, "resource": "a: 1"}, 200, "no object of Kubernetes", id="no object"),
        pytest.param({"policy": "a: 1", "resource": OBJECT}, 200, "no policy in this text", id="no policy"),
        pytest.param({"policy": POLICY, "resource": f"{OBJECT}---\n{OBJECT}"}, 200, "2 objects", id="two objects"),
    ],
)
def test_what_cannot_be_tried_is_told(
    room: TrialRoom, signed_in: Callable[..., Browser], fields: dict[str, str], status: int, said: str
) -> None:
    del room
    assert said in signed_in().post("/playground", status, **fields)


def test_hostile_words_are_shown_as_words(room: TrialRoom, signed_in: Callable[..., Browser]) -> None:
    del room
    script = "</textarea></pre><script>alert(1)</script>"
    page = signed_in().post(
        "/playground",
        200,
        policy=POLICY.replace("name a tag", f"'{script}'"),
        resource=f"{OBJECT}    # {script}\n",
        q=script,
    )
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
