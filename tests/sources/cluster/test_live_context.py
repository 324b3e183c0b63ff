"""What policies ask of a real API server: lists, objects, and global context entries over them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.conformance import ROOT

from bartizan.app.ambient import ambient
from bartizan.app.global_context import GlobalContext
from bartizan.app.live import ClusterLookup
from bartizan.engines.policy.dialects.kyverno import expression_compiler
from bartizan.engines.policy.dialects.kyverno.global_context import compile_entry
from bartizan.engines.policy.lookup import GlobalQuestion, LookupFailedError
from bartizan.sources.cluster import connect

if TYPE_CHECKING:
    from tests.controlplane.start import ControlPlane

pytestmark = pytest.mark.xdist_group("cluster")

_BARTIZAN = Path(sys.executable).with_name("bartizan")


def _entry(name: str, resource: str, namespace: str, path: str) -> dict[str, Any]:
    return {
        "apiVersion": "kyverno.io/v2beta1",
        "kind": "GlobalContextEntry",
        "metadata": {"name": name},
        "spec": {
            "kubernetesResource": {"version": "v1", "resource": resource, "namespace": namespace},
            "projections": [{"name": "part", "jmesPath": path}],
        },
    }


def _apply_maps(plane: ControlPlane, namespace: str) -> None:
    maps = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": namespace},
            "data": {"k": name},
        }
        for name in ("a", "b")
    ]
    plane.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": maps}))


def test_objects_of_a_cluster_are_whole(control_plane: ControlPlane, namespace: str) -> None:
    """The API server's lists leave the kind of their elements out; an entry has it."""
    _apply_maps(control_plane, namespace)
    path = "[?data.k].{kind: kind, version: apiVersion, name: metadata.name}"
    entry = compile_entry(_entry("maps", "configmaps", namespace, path), expression_compiler(ambient()))
    with connect(kubeconfig=control_plane.kubeconfig) as cluster:
        world = GlobalContext(ClusterLookup(cluster), [entry])
        assert world.answer(GlobalQuestion("maps.part")) == [
            {"kind": "ConfigMap", "version": "v1", "name": "a"},
            {"kind": "ConfigMap", "version": "v1", "name": "b"},
        ]
        with pytest.raises(LookupFailedError, match="no global context entry `none`"):
            world.answer(GlobalQuestion("none"))


def test_forbidden_data_is_an_error_and_no_empty_list(control_plane: ControlPlane, namespace: str) -> None:
    entry = compile_entry(_entry("secrets", "secrets", namespace, "[]"), expression_compiler(ambient()))
    with connect(kubeconfig=control_plane.user("knows-nothing")) as cluster:
        world = GlobalContext(ClusterLookup(cluster), [entry])
        with pytest.raises(LookupFailedError, match=r"has no data: .*forbidden"):
            world.answer(GlobalQuestion("secrets.part"))


def test_scan_reads_entries_beside_the_policies(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> None:
    _apply_maps(control_plane, namespace)
    deny = {
        "conditions": {
            "any": [{"key": "{{ request.object.metadata.name }}", "operator": "AnyIn", "value": "{{ names }}"}]
        }
    }
    rule = {
        "name": "r",
        "match": {"any": [{"resources": {"kinds": ["ConfigMap"]}}]},
        "context": [{"name": "names", "globalReference": {"name": "maps.part"}}],
        "validate": {"message": "m", "deny": deny},
    }
    policy = {
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": {"name": "p"},
        "spec": {"rules": [rule]},
    }
    entry = _entry("maps", "configmaps", namespace, "[?data.k=='a'].metadata.name")
    (tmp_path / "policies.yaml").write_text(f"{json.dumps(policy)}\n---\n{json.dumps(entry)}\n")
    done = subprocess.run(
        [
            *(str(_BARTIZAN), "scan", "--kubeconfig", str(control_plane.kubeconfig), "-n", namespace),
            *("--kind", "ConfigMap", "-p", str(tmp_path / "policies.yaml"), "-o", "json"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert [(item["resource"]["name"], item["result"]) for item in report["findings"]] == [("a", "fail")]
