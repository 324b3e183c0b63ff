"""What rules generate, put before a real API server: made, edited, put right again, and deleted."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from bartizan.app.ambient import ambient
from bartizan.app.live import ClusterLookup
from bartizan.engines.policy.dialects.kyverno import compile_policy, expression_compiler
from bartizan.model.outcome import Passed
from bartizan.model.request import Request
from bartizan.model.resource import resource_from
from bartizan.sources.cluster import connect

if TYPE_CHECKING:
    from tests.controlplane.start import ControlPlane

    from bartizan.base.json import JsonObject
    from bartizan.model.change import Change
    from bartizan.model.request import Operation

pytestmark = pytest.mark.xdist_group("cluster")

_IN = "{{ request.object.metadata.name }}"
_RBAC = "rbac.authorization.k8s.io"
_TARGETS: dict[str, dict[str, Any]] = {
    "a NetworkPolicy": {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "name": "default-deny",
        "namespace": _IN,
        "data": {"spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}},
    },
    "a ResourceQuota": {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "name": "quota",
        "namespace": _IN,
        "data": {"spec": {"hard": {"requests.cpu": "4", "pods": 10}}},
    },
    "a RoleBinding": {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "name": "owners",
        "namespace": _IN,
        "data": {
            "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "view"},
            "subjects": [{"apiGroup": _RBAC, "kind": "Group", "name": "owners"}],
        },
    },
    "an object without data": {"apiVersion": "v1", "kind": "ServiceAccount", "name": "runner", "namespace": _IN},
    "a clone of what the cluster shares": {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRole",
        "name": "view-{{ request.object.metadata.name }}",
        "clone": {"name": "view"},
    },
    "clones of a list": {
        "namespace": _IN,
        "cloneList": {"namespace": "kube-system", "kinds": ["v1/ConfigMap", "v1/ServiceAccount"]},
    },
    "one for each element": {
        "foreach": [
            {
                "list": "['a', 'b']",
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "name": "made-{{ element }}",
                "namespace": _IN,
                "data": {"data": {"of": "{{ element }}"}},
            }
        ]
    },
}


class Server:
    """A rule, and the server that its objects are for."""

    def __init__(self, plane: ControlPlane, generate: JsonObject) -> None:
        self._plane = plane
        rule = {"name": "r", "match": {"any": [{"resources": {"kinds": ["Namespace"]}}]}, "generate": generate}
        document = {"apiVersion": "kyverno.io/v1", "kind": "ClusterPolicy", "metadata": {"name": "p"}}
        policy = compile_policy({**document, "spec": {"rules": [rule]}}, expression_compiler(ambient()))
        assert not policy.problems
        self._rule = policy.rules[0]

    def get(self, *what: str) -> JsonObject:
        """One object."""
        found: JsonObject = json.loads(self._plane.run("get", *what, "-o", "json"))
        return found

    def changes(self, trigger: JsonObject, operation: Operation = "CREATE") -> tuple[Change, ...]:
        """What the rule wants done, as the cluster is now."""
        with connect(kubeconfig=self._plane.kubeconfig) as cluster:
            outcome = self._rule.run(Request(resource_from(trigger), operation=operation), ClusterLookup(cluster))
        assert isinstance(outcome, Passed), outcome
        return outcome.changes

    def do(self, verb: str, body: JsonObject, *flags: str) -> None:
        """One change, as a controller does it: whole objects and no patches."""
        command = [str(self._plane.kubectl), f"--kubeconfig={self._plane.kubeconfig}", verb, *flags, "-f", "-"]
        done = subprocess.run(command, input=json.dumps(body), text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("generate", _TARGETS.values(), ids=list(_TARGETS))
def test_server_takes_what_a_rule_makes(control_plane: ControlPlane, namespace: str, generate: dict[str, Any]) -> None:
    server = Server(control_plane, generate)
    changes = server.changes(server.get("namespace", namespace))
    assert changes
    for change in changes:
        assert change.before is None
        assert change.after is not None
        server.do("create", change.after, "--dry-run=server", "--validate=strict")


def test_synchronized_clone_lives_and_dies_with_its_trigger(control_plane: ControlPlane, namespace: str) -> None:
    source = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": namespace, "namespace": "default"}}
    target = {"apiVersion": "v1", "kind": "Secret", "name": "copy", "namespace": _IN, "synchronize": True}
    server = Server(control_plane, {**target, "clone": {"namespace": "default", "name": namespace}})
    server.do("create", {**source, "stringData": {"key": "value"}})
    trigger = server.get("namespace", namespace)

    (made,) = server.changes(trigger)
    assert made.before is None
    assert made.after is not None
    server.do("create", made.after)
    assert server.changes(trigger) == (), "once made there is nothing left to do"

    control_plane.run("patch", "secret", "copy", f"--namespace={namespace}", "--patch", '{"data": {"more": "eA=="}}')
    (righted,) = server.changes(trigger, "UPDATE")
    assert righted.after is not None
    server.do("replace", righted.after)
    assert server.get("secret", "copy", f"--namespace={namespace}")["data"] == {"key": "dmFsdWU="}
    assert server.changes(trigger) == ()

    control_plane.run("patch", "secret", namespace, "--namespace=default", "--patch", '{"data": {"key": "bmV3"}}')
    (followed,) = server.changes(trigger, "UPDATE")
    assert followed.after is not None
    server.do("replace", followed.after)
    assert server.get("secret", "copy", f"--namespace={namespace}")["data"] == {"key": "bmV3"}

    (gone,) = server.changes(trigger, "DELETE")
    assert gone.after is None
    assert str(gone.resource) == f"Secret {namespace}/copy"
