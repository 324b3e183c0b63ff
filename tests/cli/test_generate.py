"""`bartizan apply` with rules that generate: objects from manifests alone, sources of clones among them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml
from tests.cli.command import bartizan

from bartizan.app.given_world import GivenWorld
from bartizan.engines.policy.lookup import ObjectsQuestion
from bartizan.model.resource import resource_from
from bartizan.model.scoping import in_default_namespace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bartizan.model.resource import Resource

_SPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
_SOURCE = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "pull", "namespace": "default"},
    "data": {"a": ""},
}
_IN = "{{ request.object.metadata.name }}"


def _files(folder: Path, generate: dict[str, Any], *objects: dict[str, Any]) -> tuple[str, str]:
    match = {"any": [{"resources": {"kinds": ["Namespace"]}}]}
    rules = [{"name": "r", "match": match, "generate": generate}]
    head = {"apiVersion": "kyverno.io/v1", "kind": "ClusterPolicy", "metadata": {"name": "p"}}
    policy, resources = folder / "policy.yaml", folder / "resources.yaml"
    policy.write_text(json.dumps({**head, "spec": {"rules": rules}}))
    resources.write_text("\n---\n".join(map(json.dumps, objects)))
    return str(policy), str(resources)


def test_clone_is_made_of_what_is_given(tmp_path: Path) -> None:
    target = {"apiVersion": "v1", "kind": "Secret", "name": "pull", "namespace": _IN}
    clone = {**target, "clone": {"namespace": "default", "name": "pull"}}
    policy, resources = _files(tmp_path, clone, _SPACE, _SOURCE)
    done = bartizan("apply", policy, "-r", resources, "-o", "yaml")
    assert done.code == 0, done.err
    (made,) = [body for body in yaml.safe_load_all(done.out) if body and body["kind"] == "Secret"]
    assert made["data"] == _SOURCE["data"]
    assert (made["metadata"]["namespace"], made["metadata"]["labels"]["generate.kyverno.io/policy-name"]) == (
        "shop",
        "p",
    )


def test_what_is_given_already_is_left_alone(tmp_path: Path) -> None:
    target = {
        "apiVersion": "v1",
        "kind": "Secret",
        "name": "pull",
        "namespace": "default",
        "data": {"data": {"a": "b"}},
    }
    policy, resources = _files(tmp_path, target, _SPACE, _SOURCE)
    done = bartizan("apply", policy, "-r", resources, "-o", "yaml")
    assert done.code == 0, done.err
    assert "kind: Secret" not in done.out


def test_source_that_is_not_given_is_named(tmp_path: Path) -> None:
    target = {"apiVersion": "v1", "kind": "Secret", "name": "pull", "namespace": _IN}
    policy, resources = _files(tmp_path, {**target, "clone": {"namespace": "default", "name": "pull"}}, _SPACE)
    done = bartizan("apply", policy, "-r", resources)
    assert done.code == 1
    assert "there is no Secret default/pull to clone" in done.err


_PLACELESS = {**_SOURCE, "metadata": {"name": "no-namespace"}}


def test_manifests_are_read_once_and_only_when_asked_about() -> None:
    reads = 0

    def read() -> Iterator[Resource]:
        nonlocal reads
        reads += 1
        yield from map(in_default_namespace, map(resource_from, (_SPACE, _SOURCE, _PLACELESS)))

    given = GivenWorld(read)
    assert reads == 0
    assert given.answer(ObjectsQuestion("v1/Secret", "default", "pull")) == [_SOURCE]
    assert given.answer(ObjectsQuestion("v1/Secret", "other", "pull")) == []
    assert len(given.answer(ObjectsQuestion("*/Secret", "default", "*"))) == 2
    assert len(given.answer(ObjectsQuestion("v1/*"))) == 3
    assert reads == 1


def test_policy_in_cel_makes_copies_and_templates(tmp_path: Path) -> None:
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["namespaces"]}]
    copied = 'generator.apply(object.metadata.name, [resource.get("v1", "secrets", "default", "pull")])'
    value = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: of-(( object.metadata.name ))\n  namespace: default\n"
    entries = [{"expression": copied}, {"template": {"value": value, "interpolate": "cel"}}]
    spec = {"matchConstraints": {"resourceRules": rules}, "generate": entries}
    head = {"apiVersion": "policies.kyverno.io/v1", "kind": "GeneratingPolicy", "metadata": {"name": "p"}}
    policy, resources = tmp_path / "policy.yaml", tmp_path / "resources.yaml"
    policy.write_text(json.dumps({**head, "spec": spec}))
    resources.write_text("\n---\n".join(map(json.dumps, (_SPACE, _SOURCE))))
    done = bartizan("apply", str(policy), "-r", str(resources), "-o", "yaml")
    assert done.code == 0, done.err
    made = {body["kind"]: body for body in yaml.safe_load_all(done.out) if body and body["kind"] != "Namespace"}
    assert made["Secret"]["data"] == _SOURCE["data"]
    assert made["Secret"]["metadata"]["namespace"] == "shop"
    assert (made["ConfigMap"]["metadata"]["name"], made["ConfigMap"]["metadata"]["namespace"]) == ("of-shop", "default")


def test_what_deletes_is_not_applied(tmp_path: Path) -> None:
    """A policy that deletes is for a clean-up, and says nothing of an object that is applied."""
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["namespaces"]}]
    spec = {"matchConstraints": {"resourceRules": rules}, "schedule": "0 3 * * *"}
    spec["conditions"] = [{"name": "never", "expression": "false"}]
    head = {"apiVersion": "policies.kyverno.io/v1", "kind": "DeletingPolicy", "metadata": {"name": "p"}}
    policy, resources = tmp_path / "policy.yaml", tmp_path / "resources.yaml"
    policy.write_text(json.dumps({**head, "spec": spec}))
    resources.write_text(json.dumps(_SPACE))
    done = bartizan("apply", str(policy), "-r", str(resources), "-o", "yaml")
    assert done.code == 0
    assert done.err == "1 resource: nothing changed; pass 0, fail 0, warn 0, error 0, skip 0\n"
