"""Policies: what the fleet is asked, and one rule with its text, its effect and its course."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.plane.conftest import NOW
from tests.stores.fleet import World, at, observed, pod, rules

from bartizan.app.policy_texts import policy_texts
from bartizan.app.watch.garrison import plane_of
from bartizan.catalog.loader import load_catalog
from bartizan.sources.yaml import Document, load_documents
from bartizan.stores import clusters, documents
from bartizan.stores.documents import LONGEST, PolicyText
from bartizan.stores.ingest import Ingest
from bartizan.stores.scope import Grant

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.plane.conftest import Browser

    from bartizan.plane.site import Site
    from bartizan.stores.open import Store

_POLICY = """apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata:
  name: ours
spec:
  rules: []
"""


def rows(page: str) -> list[tuple[str, list[str]]]:
    """The rules that a page lists, with their numbers: failing, passing, warning, waived, unknown, clusters."""
    found = re.findall(
        r'<tr data-row>\s*<th scope="row"><a href="/policies/[^"]+">([^<]+)</a>(.*?)</tr>', page, re.DOTALL
    )
    return [(name, re.findall(r'<td class="number[^"]*">(?:<a[^>]*>)?([^<]*)', rest)) for name, rest in found]


def test_rules_are_counted_by_what_they_say(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    assert rows(signed_in().get("/policies")) == [
        ("roots", ["3", "3", "0", "0", "0", "2 of 2"]),
        ("latest", ["2", "4", "0", "0", "0", "2 of 2"]),
        ("probes", ["0", "5", "0", "1", "0", "0 of 2"]),
    ]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("only=failing", ["roots", "latest"]),
        ("order=name", ["latest", "probes", "roots"]),
        ("severity=medium", ["roots", "latest"]),
        ("q=ROO", ["roots"]),
        ("q=nothing", []),
        ("framework=pss&cluster=two&only=failing", ["roots", "latest"]),
        ("framework=other", []),
        ("team=data&cluster=two&only=failing", []),
        ("page=2", []),
    ],
)
def test_rules_are_chosen(signed_in: Callable[..., Browser], world: World, query: str, names: list[str]) -> None:
    del world
    assert [name for name, _ in rows(signed_in().get(f"/policies?{query}"))] == names


def test_a_team_counts_its_own(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    found = dict(rows(signed_in("viewer", Grant(teams=("data",))).get("/policies")))
    assert found["roots"] == ["1", "1", "0", "0", "0", "1 of 2"]


@pytest.mark.parametrize("query", ["page=0", "page=x", "severity=bad", "order=magic", f"page={'9' * 40}"])
def test_what_cannot_be_asked_is_refused(signed_in: Callable[..., Browser], query: str) -> None:
    signed_in().get(f"/policies?{query}", 400)


def test_more_rules_than_a_page_holds_come_in_pages(signed_in: Callable[..., Browser], site: Site) -> None:
    asked = rules(*(f"rule-{number:03}" for number in range(230)))
    World(site.store).join("one").keep(asked, observed(pod("a"), asked, "f" * 230))
    browser, found, path = signed_in(), [], "/policies?order=name"
    while path:
        page = browser.get(path)
        found += [name for name, _ in rows(page)]
        after = re.search(r'<a href="([^"]+)" rel="next">', page)
        path = after[1].replace("&amp;", "&") if after else ""
    assert found == [f"rule-{number:03}" for number in range(230)]


def test_a_rule_shows_where_it_fails_and_since_when(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    page = signed_in().get("/policies/latest")
    assert 'href="/findings?rule=latest">2 failing</a>' in page
    assert "/what-if" not in page
    places = re.findall(r'<th scope="row"><a href="/policies/latest\?(\w+)=(\w+)">.*?</th>(.*?)</tr>', page, re.DOTALL)
    numbers = [(kind, name, re.findall(r">(\d+)<", rest)[:2]) for kind, name, rest in places]
    assert numbers == [
        ("cluster", "one", ["1", "2"]),
        ("cluster", "two", ["1", "2"]),
        ("namespace", "batch", ["1", "1"]),
        ("namespace", "shop", ["1", "3"]),
    ]
    days = re.findall(r'<th scope="row">(2026-03-0\d|2026-02-28)</th><td>([^<]+)</td>', page)
    assert days == [("2026-02-28", "not known"), ("2026-03-01", "3"), ("2026-03-02", "2"), ("2026-03-03", "2")]


def test_a_check_brings_its_reason_text_and_examples(signed_in: Callable[..., Browser]) -> None:
    """Though nobody asks it yet."""
    check = load_catalog().checks["writable-root"]
    page = signed_in().get("/policies/writable-root")
    assert check.why.split(",")[0] in page
    assert page.count("<details><summary><span") == len(check.examples)
    assert "It is asked of nothing here" in page
    text = signed_in().get("/policies/writable-root?as=yaml")
    (document,) = load_documents(text.encode(), "x")
    assert isinstance(document, Document)
    assert isinstance(document.body, dict)
    assert document.body["kind"] == "ClusterPolicy"


def test_a_policy_of_the_users_shows_its_text_of_now_and_before(signed_in: Callable[..., Browser], site: Site) -> None:
    asked = rules("ours/no-latest", "team/theirs/x")
    World(site.store).join("one").keep(asked, observed(pod("a"), asked, "fp"))

    def work(connection: Any) -> None:
        documents.keep(connection, [PolicyText("ours", "old: <b>1</b>", "p.yaml")], at(0))
        documents.keep(connection, [PolicyText("ours", "new: 2", "q.yaml"), PolicyText("team/theirs", "t: 3")], at(24))
        documents.keep(connection, [PolicyText("ours", "old: <b>1</b>", "p.yaml")], at(30))
        documents.keep(connection, [PolicyText("team", "x" * (LONGEST + 1))], at(30))

    site.store.write(work)
    page = signed_in().get("/policies/ours/no-latest")
    texts = re.findall(r"<pre tabindex=\"0\"><code>(.*?)</code></pre>", page, re.DOTALL)
    assert texts == ["old: &lt;b&gt;1&lt;/b&gt;", "new: 2"]
    assert 'href="/what-if?rule=ours%2Fno-latest"' in page
    assert signed_in().get("/policies/ours/no-latest?as=yaml") == "old: <b>1</b>"
    assert "t: 3" in signed_in().get("/policies/team%2Ftheirs%2Fx")


def test_a_rule_nobody_may_see_is_not_there(signed_in: Callable[..., Browser], site: Site) -> None:
    asked = rules("secret-rule")
    world = World(site.store).join("one", "two")
    world.keep(asked, observed(pod("a"), asked, "f"), cluster="one")
    signed_in("viewer", Grant(("two",))).get("/policies/secret-rule", 404)
    signed_in("viewer", Grant(("one",))).get("/policies/secret-rule")
    signed_in().get("/policies/no/such", 404)
    signed_in().get("/policies/secret-rule?as=yaml", 404)
    clusters.leave(site.store, "one", NOW)
    signed_in().get("/policies/secret-rule", 404)


def test_texts_are_read_from_the_policies_files(tmp_path: Path) -> None:
    """Each by the name its rules begin with; what is no policy, or cannot be read, is passed over."""
    (tmp_path / "a.yaml").write_text(f"{_POLICY}---\nkind: Pod\n---\n{{\n")
    namespaced = _POLICY.replace("ClusterPolicy", "Policy").replace("name: ours", "name: ours\n  namespace: shop")
    (tmp_path / "b.yaml").write_text(namespaced)
    found = list(policy_texts([tmp_path]))
    assert [(one.policy, one.source.rpartition("/")[2]) for one in found] == [
        ("ours", "a.yaml"),
        ("shop/ours", "b.yaml"),
    ]
    assert replace(found[0], source="") == PolicyText("ours", _POLICY)


def test_a_garrison_keeps_the_texts_of_what_it_asks(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(_POLICY)
    plane_of(store, Ingest(store, b"key"), lambda: NOW).show([tmp_path])
    with store.reading() as connection:
        (kept,) = documents.texts(connection, "ours")
    assert (kept.text.content, kept.first_seen) == (_POLICY, NOW)
