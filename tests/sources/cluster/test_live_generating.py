"""A GeneratingPolicy that reads a real API server: what it copies has kinds, names and no marks of the server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bartizan.app.ambient import ambient
from bartizan.app.live import ClusterLookup
from bartizan.engines.policy.dialects.kyverno.cel.policy import compile_cel_policy
from bartizan.model.outcome import Passed
from bartizan.model.request import Request
from bartizan.model.resource import resource_from
from bartizan.sources.cluster import connect

if TYPE_CHECKING:
    from pathlib import Path

    from tests.controlplane.start import ControlPlane

pytestmark = pytest.mark.xdist_group("cluster")


def test_objects_of_a_list_are_copied_and_taken_by_the_server(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    target = f"{namespace}-copies"
    for name in ("a", "b"):
        control_plane.run("create", "secret", "generic", name, "-n", namespace, f"--from-literal=a={name}")
        control_plane.run("label", "secret", name, "-n", namespace, "copied=yes")
    control_plane.run("create", "namespace", target)
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["namespaces"]}]
    listed = f'resource.list("v1", "secrets", "{namespace}", {{"copied": "yes"}})'
    kind = '"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole"'
    role = f'{{{kind}, "metadata": {{"name": "of-" + object.metadata.name}}}}'
    document = {
        "apiVersion": "policies.kyverno.io/v1",
        "kind": "GeneratingPolicy",
        "metadata": {"name": "p"},
        "spec": {
            "matchConstraints": {"resourceRules": rules},
            "useServerSideApply": True,
            "generate": [{"expression": f"generator.apply(object.metadata.name, [{listed}, {role}])"}],
        },
    }
    (rule,) = compile_cel_policy(document, ambient()).rules
    trigger = resource_from(json.loads(control_plane.run("get", "namespace", target, "-o", "json")))
    with connect(kubeconfig=control_plane.kubeconfig) as cluster:
        outcome = rule.run(Request(trigger), ClusterLookup(cluster))
        assert isinstance(outcome, Passed), outcome
        made = [change.after for change in outcome.changes]
        assert [str(change.resource) for change in outcome.changes] == [
            f"Secret {target}/a",
            f"Secret {target}/b",
            f"ClusterRole of-{target}",
        ]
        file = tmp_path / "made.json"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": made}))
        control_plane.run("apply", "--server-side", "-f", str(file))
        again = rule.run(Request(trigger), ClusterLookup(cluster))
        assert isinstance(again, Passed)
        assert again.changes == (), "what the server has added is no difference"
    copy = json.loads(control_plane.run("get", "secret", "a", "-n", target, "-o", "json"))
    source = json.loads(control_plane.run("get", "secret", "a", "-n", namespace, "-o", "json"))
    assert copy["data"] == source["data"]
    assert copy["metadata"]["labels"]["generate.kyverno.io/source-uid"] == source["metadata"]["uid"]
    assert copy["metadata"]["labels"]["generate.kyverno.io/trigger-uid"] == trigger.uid
    control_plane.run("delete", "clusterrole", f"of-{target}")
