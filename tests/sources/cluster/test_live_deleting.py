"""DeletingPolicies on a real API server: what they name there, and where the cluster's own policies are from."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.conformance import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.controlplane.start import ControlPlane

pytestmark = pytest.mark.xdist_group("cluster")

_BARTIZAN: Final = Path(sys.executable).with_name("bartizan")
_GROUP: Final = "policies.kyverno.io"
_OLD: Final = {"name": "old", "expression": 'object.metadata.?labels.?old.orValue("") == "yes"'}


def _config_map(namespace: str, name: str, **labels: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def _policy(name: str, *resources: str, namespace: str = "", **spec: Any) -> dict[str, Any]:
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": list(resources)}]
    given = {"matchConstraints": {"resourceRules": rules}, "schedule": "0 3 * * *", "conditions": [_OLD], **spec}
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    kind = "NamespacedDeletingPolicy" if namespace else "DeletingPolicy"
    return {"apiVersion": f"{_GROUP}/v1", "kind": kind, "metadata": metadata, "spec": given}


def _apply(plane: ControlPlane, *bodies: dict[str, Any]) -> None:
    plane.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(bodies)}))


def _run(config: Path, *arguments: str | Path) -> tuple[int, dict[str, Any], str]:
    done = subprocess.run(
        [str(_BARTIZAN), "cleanup", "--kubeconfig", str(config), "-o", "json", "--no-ttl", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def _names(plane: ControlPlane, namespace: str) -> set[str]:
    listed = plane.run("get", "configmaps", "-n", namespace, "-o", "name")
    return {line.rpartition("/")[2] for line in listed.splitlines()} - {"kube-root-ca.crt"}


def test_objects_are_deleted_once_it_is_asked_for(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> None:
    _apply(control_plane, _config_map(namespace, "a", old="yes"), _config_map(namespace, "b"))
    file = tmp_path / "policy.yaml"
    read = f'resource.get("v1", "configmaps", "{namespace}", "b").metadata.name == "b"'
    conditions = [_OLD, {"name": "read", "expression": read}]
    file.write_text(json.dumps(_policy("old", "configmaps", "drawbridges", conditions=conditions)))
    code, said, errors = _run(control_plane.kubeconfig, "-p", file, "-n", namespace)
    assert code == 1, errors
    (policy,) = said["policies"]
    assert (policy["kind"], policy["policy"], policy["problems"]) == ("DeletingPolicy", "old", [])
    assert [item["resource"]["name"] for item in policy["delete"]] == ["a"]
    assert policy["notes"] == ["the cluster lists no resource `v1/drawbridges`"]
    assert _names(control_plane, namespace) == {"a", "b"}
    code, said, errors = _run(control_plane.kubeconfig, "-p", file, "-n", namespace, "--delete", "--yes")
    assert code == 0, errors
    assert _names(control_plane, namespace) == {"b"}


def _crd(kind: str, plural: str, scope: str) -> dict[str, Any]:
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": anything, "status": anything}}}
    names = {"kind": kind, "plural": plural, "singular": kind.lower()}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{_GROUP}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"},
        },
        "spec": {"group": _GROUP, "scope": scope, "names": names, "versions": [version]},
    }


@pytest.fixture
def kinds(control_plane: ControlPlane) -> Iterator[None]:
    crds = (
        _crd("DeletingPolicy", "deletingpolicies", "Cluster"),
        _crd("NamespacedDeletingPolicy", "namespaceddeletingpolicies", "Namespaced"),
        _crd("PolicyException", "policyexceptions", "Namespaced"),
    )
    _apply(control_plane, *crds)
    names = [f"crd/{crd['metadata']['name']}" for crd in crds]
    control_plane.run("wait", "--for=condition=established", "--timeout=30s", *names)
    yield
    control_plane.run("delete", "--timeout=60s", *names)


@pytest.mark.usefixtures("kinds")
def test_policies_and_exceptions_of_a_cluster(control_plane: ControlPlane, namespace: str) -> None:
    _apply(control_plane, *(_config_map(namespace, name, old="yes") for name in ("a", "kept")))
    spec = {
        "policyRefs": [{"name": "own", "kind": "NamespacedDeletingPolicy"}],
        "matchConditions": [{"name": "kept", "expression": 'object.metadata.name == "kept"'}],
    }
    metadata = {"name": "kept", "namespace": namespace}
    exception = {"apiVersion": f"{_GROUP}/v1", "kind": "PolicyException", "metadata": metadata, "spec": spec}
    broken = _policy("broken", "configmaps", schedule="often")
    _apply(control_plane, _policy("own", "configmaps", namespace=namespace), exception, broken)
    code, said, errors = _run(control_plane.kubeconfig, "-n", namespace)
    assert code == 2, errors
    assert "DeletingPolicy broken" in errors
    (policy,) = (item for item in said["policies"] if item["policy"] == f"{namespace}/own")
    assert [item["resource"]["name"] for item in policy["delete"]] == ["a"]
    assert policy["due"]

    reader = f"deleting-{namespace}"
    resources = f"--resource=configmaps,deletingpolicies.{_GROUP},namespaceddeletingpolicies.{_GROUP}"
    control_plane.run("create", "clusterrole", reader, "--verb=get,list", resources)
    control_plane.run("create", "clusterrolebinding", reader, f"--clusterrole={reader}", "--user=half-blind")
    _, said, errors = _run(control_plane.user("half-blind"), "-n", namespace)
    assert "policyexceptions" in errors
    assert not [item for item in said["policies"] if item["policy"] == f"{namespace}/own"], "an exception may keep it"
