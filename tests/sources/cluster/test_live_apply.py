"""`bartizan apply` on a real API server: what would change there, and that nothing does."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.cli.command import bartizan

if TYPE_CHECKING:
    from pathlib import Path

    from tests.controlplane.start import ControlPlane

pytestmark = pytest.mark.xdist_group("cluster")

_RULES: dict[str, dict[str, Any]] = {
    "label": {"mutate": {"patchStrategicMerge": {"metadata": {"labels": {"+(team)": "{{ owner.data.team }}"}}}}},
    "secret": {
        "mutate": {
            "targets": [{"apiVersion": "v1", "kind": "Secret", "namespace": "{{ request.namespace }}", "name": "s*"}],
            "patchStrategicMerge": {"metadata": {"labels": {"used-by": "{{ request.object.metadata.name }}"}}},
        }
    },
    "copy": {
        "generate": {
            "apiVersion": "v1",
            "kind": "Secret",
            "name": "copy",
            "namespace": "{{ request.namespace }}",
            "synchronize": True,
            "clone": {"name": "source", "namespace": "{{ request.namespace }}"},
        }
    },
}


def _policy(*names: str) -> str:
    context = [{"name": "owner", "configMap": {"name": "owner", "namespace": "{{ request.namespace }}"}}]
    match = {"any": [{"resources": {"kinds": ["Pod"]}}]}
    rules = [{"name": name, "match": match, "context": context, **_RULES[name]} for name in names]
    spec = {"background": False, "rules": rules}
    policy = {"apiVersion": "kyverno.io/v1", "kind": "ClusterPolicy", "metadata": {"name": "live"}, "spec": spec}
    return json.dumps(policy)


def _put(plane: ControlPlane, namespace: str) -> None:
    pod = {"containers": [{"name": "app", "image": "registry.example/app:1"}], "automountServiceAccountToken": False}
    plane.apply(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "List",
                "items": [
                    _object("ConfigMap", "owner", namespace, data={"team": "red"}),
                    _object("Secret", "source", namespace, stringData={"a": "b"}),
                    _object("ServiceAccount", "default", namespace),
                    _object("Pod", "web", namespace, spec=pod),
                ],
            }
        )
    )


def _object(kind: str, name: str, namespace: str, **rest: object) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, **rest}


def test_what_would_change_is_said_and_nothing_does(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    _put(control_plane, namespace)
    (tmp_path / "policy.yaml").write_text(_policy("label", "secret", "copy"))
    before = control_plane.run("get", "pods,secrets,configmaps", "-n", namespace, "-o", "json")
    where = ("--kubeconfig", control_plane.kubeconfig, "--namespace", namespace, "--kind", "Pod")
    done = bartizan("apply", tmp_path / "policy.yaml", *where, "-o", "yaml")
    assert done.code == 0, done.err
    made = {(item["kind"], item["metadata"]["name"]): item for item in yaml.safe_load_all(done.out)}
    assert made.keys() == {("Pod", "web"), ("Secret", "source"), ("Secret", "copy")}
    assert made["Pod", "web"]["metadata"]["labels"] == {"team": "red"}
    assert made["Secret", "source"]["metadata"]["labels"] == {"used-by": "web"}
    assert made["Secret", "copy"]["data"] == {"a": "Yg=="}
    assert control_plane.run("get", "pods,secrets,configmaps", "-n", namespace, "-o", "json") == before


def test_cluster_is_the_one_that_kubectl_talks_to(
    control_plane: ControlPlane, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put(control_plane, namespace)
    (tmp_path / "policy.yaml").write_text(_policy("label"))
    monkeypatch.setitem(os.environ, "KUBECONFIG", str(control_plane.kubeconfig))
    done = bartizan("apply", tmp_path / "policy.yaml", "--cluster", "--namespace", namespace, "--kind", "Pod")
    assert done.code == 0, done.err
    assert "+    team: red" in done.out
