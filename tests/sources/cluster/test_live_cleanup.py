"""Cleaning up a real API server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.conformance import ROOT

from bartizan.app.cleanup import CleanupInputs, delete, live_world, plan, prepare, read_cleanups
from bartizan.app.live import ClusterLookup
from bartizan.app.options import ClusterChoice
from bartizan.sources.cluster import connect

if TYPE_CHECKING:
    from tests.controlplane.start import ControlPlane

    from bartizan.model.cleanup import CleanupReport

pytestmark = pytest.mark.xdist_group("cluster")

_BARTIZAN = Path(sys.executable).with_name("bartizan")


def _config_map(namespace: str, name: str, **metadata: Any) -> dict[str, Any]:
    named = {"name": name, "namespace": namespace, **metadata}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": named}


def _policy(folder: Path, namespace: str, **spec: Any) -> Path:
    matched = {"any": [{"resources": {"kinds": ["ConfigMap"], "selector": {"matchLabels": {"old": "yes"}}}}]}
    document = {
        "apiVersion": "kyverno.io/v2",
        "kind": "CleanupPolicy",
        "metadata": {"name": "old-maps", "namespace": namespace},
        "spec": {"match": matched, "schedule": "0 3 * * *", **spec},
    }
    file = folder / "policy.yaml"
    file.write_text(json.dumps(document))
    return file


def _apply(plane: ControlPlane, *bodies: dict[str, Any]) -> None:
    plane.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(bodies)}))


def _names(plane: ControlPlane, namespace: str, kind: str = "configmaps") -> set[str]:
    listed = plane.run("get", kind, "-n", namespace, "-o", "name")
    return {line.rpartition("/")[2] for line in listed.splitlines()} - {"kube-root-ca.crt"}


def _run(config: Path, *arguments: str | Path) -> tuple[int, dict[str, Any], str]:
    done = subprocess.run(
        [str(_BARTIZAN), "cleanup", "--kubeconfig", str(config), "-o", "json", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def _report(config: Path, policy: Path) -> CleanupReport:
    with prepare(
        CleanupInputs(policy=(policy,), cluster=ClusterChoice(kubeconfig=config)), datetime.now(UTC)
    ) as session:
        return session.report


def test_nothing_goes_until_it_is_asked_for(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> None:
    labels = {"labels": {"old": "yes"}}
    _apply(control_plane, _config_map(namespace, "a", **labels), _config_map(namespace, "b"))
    policy = _policy(tmp_path, namespace)
    code, said, _ = _run(control_plane.kubeconfig, "-p", policy)
    assert code == 1
    assert [item["resource"]["name"] for item in said["policies"][0]["delete"]] == ["a"]
    assert _names(control_plane, namespace) == {"a", "b"}

    code, said, errors = _run(control_plane.kubeconfig, "-p", policy, "--delete")
    assert code == 2, "nobody is there to be asked"
    assert "--yes" in errors
    assert _names(control_plane, namespace) == {"a", "b"}

    code, said, errors = _run(control_plane.kubeconfig, "-p", policy, "--delete", "--yes", "-n", namespace)
    assert code == 0, errors
    assert [(item["resource"]["name"], item["result"]) for item in said["deleted"]] == [("a", "deleted")]
    assert _names(control_plane, namespace) == {"b"}

    code, said, _ = _run(control_plane.kubeconfig, "-p", policy, "--delete", "--yes", "-n", namespace)
    assert (code, said["policies"][0]["delete"]) == (0, [])


def test_times_to_live_of_a_cluster(control_plane: ControlPlane, namespace: str) -> None:
    def labelled(name: str, ttl: str) -> dict[str, Any]:
        return _config_map(namespace, name, labels={"cleanup.kyverno.io/ttl": ttl})

    _apply(control_plane, labelled("over", "0s"), labelled("later", "2000-01-01"), labelled("never", "soon"))
    _apply(control_plane, labelled("lives", "1000d"))
    code, said, _ = _run(control_plane.kubeconfig)
    lives = {item["resource"]["name"]: item for item in said["ttl"] if item["resource"]["namespace"] == namespace}
    assert code == 1
    assert {name for name, item in lives.items() if item["over"]} == {"over", "later"}
    assert lives["never"]["ends"] is None
    assert "soon" in lives["never"]["problem"]


def test_changed_objects_stay_and_gone_ones_are_said(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    """A deletion is of the state that was judged: another one may have a reason to stay."""
    labels = {"labels": {"old": "yes"}}
    _apply(control_plane, *(_config_map(namespace, name, **labels) for name in ("changed", "gone", "made-anew", "old")))
    policies, entries, problems = read_cleanups([_policy(tmp_path, namespace)])
    assert (entries, problems) == ([], [])
    with connect(kubeconfig=control_plane.kubeconfig) as cluster:
        world, problems = live_world(cluster, policies, ClusterLookup(cluster), CleanupInputs(ttl=False))
        assert problems == []
        report = plan(policies, world, datetime.now(UTC))
        wanted = [item for item in report.deletions if item.resource.namespace == namespace]
        control_plane.run("label", "configmap", "changed", "-n", namespace, "new=yes")
        control_plane.run("delete", "configmap", "gone", "made-anew", "-n", namespace)
        _apply(control_plane, _config_map(namespace, "made-anew", **labels))
        done = {item.deletion.resource.name: item for item in delete(cluster, wanted)}
    assert {name: item.result for name, item in done.items()} == {
        "changed": "failed",
        "gone": "gone",
        "made-anew": "failed",
        "old": "deleted",
    }
    assert "changed since it was judged" in done["changed"].message
    assert _names(control_plane, namespace) == {"changed", "made-anew"}


def test_forbidden_deletion_is_said_and_the_rest_goes_on(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    labels = {"labels": {"old": "yes"}}
    _apply(control_plane, *(_config_map(namespace, name, **labels) for name in ("a", "b")))
    named = ["--resource=configmaps", "-n", namespace]
    control_plane.run("create", "role", "one", "--verb=delete", "--resource-name=b", *named)
    control_plane.run("create", "rolebinding", "one", "--role=one", "--user=cleaner", "-n", namespace)
    reader = f"reads-{namespace}"
    control_plane.run("create", "clusterrole", reader, "--verb=list", "--resource=configmaps")
    control_plane.run("create", "clusterrolebinding", reader, f"--clusterrole={reader}", "--user=cleaner")
    code, said, errors = _run(
        control_plane.user("cleaner"), "-p", _policy(tmp_path, namespace), "--delete", "--yes", "-n", namespace
    )
    assert code == 3
    assert [(item["resource"]["name"], item["result"]) for item in said["deleted"]] == [
        ("a", "failed"),
        ("b", "deleted"),
    ]
    assert "forbidden" in said["deleted"][0]["message"]
    assert "hint" in errors
    assert any(item["message"].startswith("`secrets`") for item in said["problems"]), "other kinds may have the label"
    assert _names(control_plane, namespace) == {"a"}


def test_propagation_is_the_policy_s(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> None:
    """Orphan leaves what the object owned."""
    owner = _config_map(namespace, "owner", labels={"old": "yes"})
    _apply(control_plane, owner)
    uid = control_plane.run("get", "configmap", "owner", "-n", namespace, "-o", "jsonpath={.metadata.uid}").strip()
    owned = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}
    _apply(control_plane, _config_map(namespace, "child", ownerReferences=[owned]))
    policy = _policy(tmp_path, namespace, deletionPropagationPolicy="Orphan")
    assert _report(control_plane.kubeconfig, policy).runs[0].deletions[0].propagation == "Orphan"
    code, _, errors = _run(control_plane.kubeconfig, "-p", policy, "--delete", "--yes", "-n", namespace)
    assert code == 0, errors
    control_plane.run("wait", "--for=delete", "configmap/owner", "-n", namespace, "--timeout=30s")
    left = yaml.safe_load(control_plane.run("get", "configmap", "child", "-n", namespace, "-o", "yaml"))
    assert not left["metadata"].get("ownerReferences")


def test_kinds_in_other_versions_and_kinds_that_are_not_there(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"maxReplicas": 4, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
    }
    _apply(control_plane, scaler)
    kinds = ["autoscaling/v1/HorizontalPodAutoscaler", "castle.example/v1/Drawbridge"]
    policy = _policy(tmp_path, namespace, match={"any": [{"resources": {"kinds": kinds}}]})
    (run,) = _report(control_plane.kubeconfig, policy).runs
    assert [str(item.resource) for item in run.deletions] == [f"HorizontalPodAutoscaler {namespace}/web"]
    assert [item.path for item in run.deletions] == [
        f"/apis/autoscaling/v1/namespaces/{namespace}/horizontalpodautoscalers/web"
    ]
    assert run.notes == ("the cluster lists no kind `castle.example/v1/Drawbridge`",)
