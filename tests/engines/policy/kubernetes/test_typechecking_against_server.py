"""What types say of a policy's expressions: the API server's controller tells it in the policy's status."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from tests.engines.policy.kubernetes.cases import load
from tests.engines.policy.kubernetes.server import Server

from bartizan.engines.policy.cel.kinds import kind_of
from bartizan.engines.policy.cel.openapi import schema_of
from bartizan.engines.policy.dialects.kubernetes.typechecking import type_warnings

if TYPE_CHECKING:
    from tests.controlplane.start import ControlPlane

    from bartizan.engines.policy.cel.openapi import OpenApiSchema

pytestmark = pytest.mark.xdist_group("cluster")

_POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
_PATIENCE_S = 60
_POLL_S = 0.1


class _Served:
    """The schemas that a server serves."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._documents: dict[str, Any] = {}

    def kind(self, group: str, _version: str, resource: str) -> str | None:
        return kind_of(resource, group)

    def schema(self, api_version: str, kind: str) -> OpenApiSchema | None:
        path = f"/openapi/v3/{'apis' if '/' in api_version else 'api'}/{api_version}"
        if path not in self._documents:
            self._documents[path] = self._server.ask("GET", path).body
        return schema_of(self._documents[path], api_version, kind)


def test_the_server_warns_of_the_same(control_plane: ControlPlane) -> None:
    with closing(Server(control_plane)) as server:
        table = load("../types_of_policies.yaml")
        policy = _policy(table)
        made = server.ask("POST", _POLICIES, policy)
        assert made.status == 201, made.message
        theirs = _warnings(server, policy["metadata"]["name"])
        ours = dict(type_warnings(policy, _Served(server)))
    expressions = {f"spec.validations[{index}].expression": text for index, text in enumerate(table["expressions"])}
    for place, text in expressions.items():
        assert ours.get(place) == theirs.get(place), text
    assert 5 < len(theirs) < len(expressions)


def _policy(table: dict[str, Any]) -> dict[str, Any]:
    resources = ["deployments", "statefulsets"]
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": resources}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "types-of-policies"},
        "spec": {
            "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
            "matchConstraints": {"resourceRules": [rule]},
            "variables": table["variables"],
            "validations": [{"expression": text} for text in table["expressions"]],
        },
    }


def _warnings(server: Server, name: str) -> dict[str, str]:
    """What the status of a policy says, once a controller has looked at it."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        status = server.ask("GET", f"{_POLICIES}/{name}").body.get("status") or {}
        if status.get("observedGeneration"):
            server.ask("DELETE", f"{_POLICIES}/{name}")
            warnings = (status.get("typeChecking") or {}).get("expressionWarnings") or []
            return {warning["fieldRef"]: warning["warning"] for warning in warnings}
        assert time.monotonic() < deadline, "no controller looks at the policy"
        time.sleep(_POLL_S)
