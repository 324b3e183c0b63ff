"""Whole checks of a source into a store, on both engines."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select
from tests.app.watch.fleet import Post, Shelf, checks, deployment, findings, owned, pod, verdicts, write
from tests.app.watch.recount import assert_counts

from bartizan.app.watch.rules import RuleSettings
from bartizan.app.watch.sources import FolderSource
from bartizan.model.ledger import Verdict
from bartizan.stores.schema import finding, place, resource

if TYPE_CHECKING:
    from bartizan.stores.open import Store

_RULE = "privileged-container"


def _policy(name: str, kind: str = "ConfigMap") -> dict[str, Any]:
    return {
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": {"name": name},
        "spec": {
            "rules": [
                {
                    "name": "labelled",
                    "match": {"any": [{"resources": {"kinds": [kind]}}]},
                    "validate": {"message": "name an owner", "pattern": {"metadata": {"labels": {"owner": "?*"}}}},
                }
            ]
        },
    }


def _config(name: str, namespace: str = "shop") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}}


def test_no_ghost_outlives_a_generation_when_a_thousand_objects_and_some_policies_go(
    store: Store, tmp_path: Path
) -> None:
    """Measure M2 of the plane."""
    policies = [write(tmp_path, f"p{number}.yaml", _policy(f"owned-{number}")) for number in range(4)]
    settings = RuleSettings(checks=checks(_RULE).checks, policies=(tmp_path,))
    bodies = [_config(f"c{n}", f"ns-{n % 7}") for n in range(900)] + [pod(f"p{n}", f"ns-{n % 7}") for n in range(300)]
    post = Post(store, Shelf(*bodies), settings)
    first = post.check()
    assert first.moves.opened == len(findings(store)) == 900 * 4 + 300
    chosen = random.Random(6)  # the same thousand in every run
    post.source.bodies = chosen.sample(post.source.bodies, 200)
    for file in policies[1:]:
        file.unlink()
    from bartizan.app.watch.rules import load_rules

    post.sentry.adopt(load_rules(settings))
    second = post.check()
    assert second.moves.went == 1000
    left = {body["metadata"]["name"] for body in post.source.bodies}
    assert post.open() == {("owned-0/labelled" if name[0] == "c" else _RULE, name) for name in left}
    assert_counts(store)


def test_a_second_check_of_the_same_tells_nothing_and_confirms_all(store: Store) -> None:
    post = Post(store, Shelf(pod(), deployment()), checks(_RULE))
    assert post.check().moves.came == 2
    again = post.check()
    assert (again.moves.pairs, again.moves.opened, again.generation.objects) == (0, 0, 2)
    with store.reading() as connection:
        assert {row.generation for row in connection.execute(select(resource.c.generation))} == {2}


def test_a_kind_that_cannot_be_listed_closes_nothing_of_it(store: Store) -> None:
    shelf = Shelf(pod("a"), pod("b"), deployment("c"))
    post = Post(store, shelf, checks(_RULE))
    post.check()
    shelf.bodies = []
    shelf.unlisted = {"Pod"}
    done = post.check()
    assert done.complete
    assert post.open() == {(_RULE, "a"), (_RULE, "b")}
    assert [one.message for one in done.generation.problems] == ["`Pod` is unknown: forbidden"]
    with store.reading() as connection:
        kept = connection.execute(select(resource.c.generation).where(resource.c.kind == "Pod"))
        assert {row.generation for row in kept} == {1}  # not seen, and so not confirmed
    shelf.unlisted = set()
    post.check()
    assert post.open() == set()
    assert_counts(store)


def test_all_of_a_group_can_be_unknown(store: Store) -> None:
    shelf = Shelf(deployment("c"), pod("a"))
    post = Post(store, shelf, checks(_RULE))
    post.check()
    shelf.bodies, shelf.unlisted = [], {"apps/*"}
    post.check()
    assert post.open() == {(_RULE, "c")}


def test_a_source_that_is_away_closes_nothing(store: Store) -> None:
    shelf = Shelf(pod("a"), pod("b"))
    post = Post(store, shelf, checks(_RULE))
    post.check()
    shelf.bodies, shelf.away = [pod("a", privileged=False)], True
    done = post.check()
    assert not done.complete
    assert post.open() == {(_RULE, "b")}
    assert "the shelf is away" in [one.message for one in done.generation.problems]


def test_copies_are_said_once_and_weigh_nothing(store: Store) -> None:
    replicas = {"apiVersion": "apps/v1", "kind": "ReplicaSet"}
    current = {**deployment("web-1"), **replicas}
    past = {**deployment("web-0"), **replicas, "spec": {**deployment()["spec"], "replicas": 0}}
    shelf = Shelf(
        *(owned(pod(f"web-1-{number}"), "ReplicaSet", "web-1") for number in range(3)),
        owned(current, "Deployment", "web"),
        owned(past, "Deployment", "web"),
        deployment("web"),
        pod("alone"),
    )
    post = Post(store, shelf, checks(_RULE))
    post.check()
    assert post.open() == {(_RULE, "web"), (_RULE, "alone")}
    assert verdicts(store, "Pod", "web-1-0") == {_RULE: Verdict.SKIP}
    assert_counts(store)
    # the Deployment is mended, and its old pods are not: they are findings of their own from now on
    shelf.bodies[5] = deployment("web", privileged=False)
    post.sentry.put(_resource(shelf.bodies[5]))
    post.sentry.look()
    assert post.open() == {(_RULE, name) for name in ("web-1", "alone")}
    shelf.bodies[3] = owned({**deployment("web-1", privileged=False), **replicas}, "Deployment", "web")
    post.sentry.put(_resource(shelf.bodies[3]))
    post.sentry.look()
    assert post.open() == {(_RULE, name) for name in ("web-1-0", "web-1-1", "web-1-2", "alone")}
    before = post.open()
    post.check()  # a whole check says the same
    assert post.open() == before
    assert_counts(store)


def _resource(body: dict[str, Any]) -> Any:
    from bartizan.model.resource import resource_from

    return resource_from(body)


def test_an_orphan_speaks_for_itself(store: Store) -> None:
    from bartizan.findings.lifecycle import ObjectKey

    post = Post(
        store, Shelf(owned(pod("p"), "StatefulSet", "db"), {**deployment("db"), "kind": "StatefulSet"}), checks(_RULE)
    )
    post.check()
    assert post.open() == {(_RULE, "db")}
    post.sentry.drop(ObjectKey("apps", "StatefulSet", "shop", "db"))
    post.sentry.look()
    assert post.open() == {(_RULE, "p")}


def test_teams_are_of_the_object_or_of_its_namespace(store: Store) -> None:
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "shop", "labels": {"app.kubernetes.io/part-of": "till"}},
    }
    shelf = Shelf(namespace, pod("a"), pod("b", labels={"app.kubernetes.io/part-of": "cart"}), pod("c", "elsewhere"))
    post = Post(store, shelf, checks(_RULE))
    post.check()
    assert _teams(store) == {"a": "till", "b": "cart", "c": "", "shop": "till"}
    moved = {**namespace, "metadata": {"name": "shop", "annotations": {"app.kubernetes.io/part-of": "desk"}}}
    post.sentry.put(_resource(moved))
    post.sentry.look()
    assert _teams(store) == {"a": "desk", "b": "cart", "c": "", "shop": "desk"}
    assert_counts(store)


def _teams(store: Store) -> dict[str, str]:
    wanted = select(resource.c.name, place.c.team).join(place, place.c.id == resource.c.place)
    with store.reading() as connection:
        return dict(connection.execute(wanted).all())


def test_checks_across_objects_speak_where_their_neighbours_change(store: Store) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    }
    post = Post(store, Shelf(service, deployment("web")), checks("dangling-service"))
    post.check()
    assert post.open() == set()
    assert verdicts(store, "Service", "web") == {"dangling-service": Verdict.PASS}
    from bartizan.findings.lifecycle import ObjectKey

    post.sentry.drop(ObjectKey("apps", "Deployment", "shop", "web"))
    post.sentry.look()
    assert post.open() == {("dangling-service", "web")}
    post.sentry.put(_resource(deployment("web")))
    post.sentry.look()
    assert post.open() == set()
    assert_counts(store)


def test_findings_of_files_say_where_they_are(lite: Store, tmp_path: Path) -> None:
    write(tmp_path, "web.yaml", pod("a"))
    (tmp_path / "broken.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: [\n")
    (tmp_path / "again.yaml").write_text((tmp_path / "web.yaml").read_text())
    post = Post(lite, FolderSource("one", tmp_path), checks(_RULE))
    done = post.check()
    assert post.open() == {(_RULE, "a")}
    messages = [one.message for one in done.generation.problems]
    assert len(messages) == 2
    assert messages[1] == "Pod shop/a is in `again.yaml:5:3` too"
    with lite.reading() as connection:
        row = connection.execute(select(finding)).one()
    assert row.location.startswith("again.yaml:")
    assert "privileged" in row.excerpt


def test_what_a_broken_file_held_is_not_gone(lite: Store, tmp_path: Path) -> None:
    file = write(tmp_path, "web.yaml", pod("a"))
    write(tmp_path, "db.yaml", pod("b"))
    post = Post(lite, FolderSource("one", tmp_path), checks(_RULE))
    post.check()
    whole = file.read_text()
    file.write_text(whole.replace("{", "[", 1))
    assert post.check().generation.problems
    assert post.open() == {(_RULE, "a"), (_RULE, "b")}
    assert verdicts(lite, "Pod", "a") == {_RULE: Verdict.STALE}
    assert verdicts(lite, "Pod", "b") == {_RULE: Verdict.FAIL}
    assert post.check().moves.pairs == 0
    file.write_text(whole)
    assert (post.check().moves.opened, post.open()) == (0, {(_RULE, "a"), (_RULE, "b")})
    assert verdicts(lite, "Pod", "a") == {_RULE: Verdict.FAIL}
    assert_counts(lite)


def test_a_folder_that_is_no_more_is_away(lite: Store, tmp_path: Path) -> None:
    write(tmp_path / "k8s", "web.yaml", pod("a"))
    post = Post(lite, FolderSource("one", tmp_path / "k8s"), checks(_RULE))
    post.check()
    (tmp_path / "k8s").rename(tmp_path / "moved")
    assert not post.check().complete
    assert post.open() == {(_RULE, "a")}


@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_every_rule_of_the_catalogue_runs_on_the_examples(lite: Store, level: str) -> None:
    examples = Path(__file__).parents[3] / "examples"
    post = Post(lite, FolderSource("one", examples), RuleSettings(pod_security=(level,)))
    done = post.check()
    assert done.moves.opened > 50
    assert not [one for one in done.generation.problems if one.kind == "world"]
    assert_counts(lite)
