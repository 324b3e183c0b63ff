"""Admission policies in force in a real API server, which decides, warns, notes and mutates as we do."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from tests.engines.policy.kubernetes.both import PLAIN, Both, path_of
from tests.engines.policy.kubernetes.cases import CASE_LABEL, AdmissionCase, load, load_cases
from tests.engines.policy.kubernetes.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.controlplane.start import ControlPlane

pytestmark = pytest.mark.xdist_group("cluster")

CASES = load_cases()
_PATIENCE_S = 60
_POLL_S = 0.1
_ADMISSION = "/apis/admissionregistration.k8s.io"
_NOTED = "validation.policy.admission.k8s.io/validation_failure"


def test_there_are_many_policies_and_requests() -> None:
    kinds = [policy["kind"] for case in CASES for policy in case.policies]
    assert kinds.count("ValidatingAdmissionPolicy") + kinds.count("MutatingAdmissionPolicy") >= 40
    assert min(kinds.count("ValidatingAdmissionPolicy"), kinds.count("MutatingAdmissionPolicy")) >= 15
    assert sum(len(case.requests) for case in CASES) >= 300


@pytest.fixture(scope="module")
def both(control_plane: ControlPlane) -> Iterator[Both]:
    """The server with all policies in force."""
    with closing(Server(control_plane)) as server:
        yield from _prepared(server)


def _prepared(server: Server) -> Iterator[Both]:
    bank = load("objects.yaml")
    for body in load("cluster.yaml"):
        server.make(path_of(body, ""), body)
    kept = [body for name, body in bank.items() if name.startswith("kept")]
    _until(lambda: server.ask("GET", "/apis/example.com/v1/namespaces/default/widgets").status == 200)
    for name, labels in ((PLAIN, {}), *((case.name, {CASE_LABEL: case.name, **case.labels}) for case in CASES)):
        server.make("/api/v1/namespaces", _named("v1", "Namespace", name, labels=labels))
    for case in CASES:
        for body in (*_needed(case, kept), *case.objects):
            server.make(path_of(body, case.name), body)
    for body in kept:
        server.make(path_of(body, PLAIN), body)
    both = Both(server, _known(server))
    for case in CASES:
        for asked in case.requests:
            both.plain(asked)
    made = list(_put_in_force(server))
    yield both
    for path in made:
        server.ask("DELETE", path)


def _needed(case: AdmissionCase, kept: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is there before, of what a case asks about."""
    names = {
        "Deployment" if asked.verb == "scale" else "Pod" if asked.verb in ("connect", "evict") else asked.body["kind"]
        for asked in case.requests
        if asked.verb != "create"
    }
    return [body for body in kept if body["kind"] in names]


def _named(version: str, kind: str, name: str, **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, **metadata}}


def _known(server: Server) -> list[dict[str, Any]]:
    """Who may do what there, and the kinds."""
    found: list[dict[str, Any]] = []
    for group, kind in (
        ("rbac.authorization.k8s.io", "Role"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("rbac.authorization.k8s.io", "RoleBinding"),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ):
        listed = server.ask("GET", f"/apis/{group}/v1/{kind.lower()}s").body["items"]
        found += [{"apiVersion": f"{group}/v1", "kind": kind, **item} for item in listed]
    return found


def _put_in_force(server: Server) -> Iterator[str]:
    """Make all policies, and then one of each kind whose doing shows that the server knows all before it."""
    probes = [
        {"match": "configmaps", "validations": [{"expression": "!object.metadata.name.startsWith('probe')"}]},
        {
            "match": "configmaps",
            "matchConditions": [{"name": "probe", "expression": "object.metadata.name.startsWith('probe')"}],
            "mutations": [
                {
                    "patchType": "JSONPatch",
                    "jsonPatch": {"expression": "[JSONPatch{op: 'add', path: '/data', value: {'seen': 'yes'}}]"},
                }
            ],
        },
    ]
    documents = [document for case in CASES for document in case.policies]
    for verb, spec in zip(("validate", "mutate"), probes, strict=True):
        documents += _probe(verb, spec)
    for document in documents:
        path = f"{_ADMISSION}/{document['apiVersion'].rpartition('/')[2]}/{_resource(document['kind'])}"
        answer = server.ask("POST", path, document)
        assert answer.status == 201, f"{document['metadata']['name']}: {answer.message}"
        yield f"{path}/{document['metadata']['name']}"
    probe = {**_named("v1", "ConfigMap", "probe-0"), "data": {}}
    path = f"/api/v1/namespaces/{PLAIN}/configmaps"
    _until(lambda: server.ask("POST", path, probe, dryRun="All").status == 422)
    mutated = {**_named("v1", "ConfigMap", "probe-0"), "data": {}}
    validating = f"{_ADMISSION}/v1/validatingadmissionpolicybindings/probe-validate"
    server.ask("DELETE", validating)
    _until(lambda: server.ask("POST", path, mutated, dryRun="All").body.get("data") == {"seen": "yes"})


def _probe(verb: str, spec: dict[str, Any]) -> list[dict[str, Any]]:
    kind = "ValidatingAdmissionPolicy" if verb == "validate" else "MutatingAdmissionPolicy"
    version = "v1" if verb == "validate" else "v1beta1"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    rest = {key: value for key, value in spec.items() if key != "match"}
    api = f"admissionregistration.k8s.io/{version}"
    name = f"probe-{verb}"
    more: dict[str, Any] = {"validationActions": ["Deny"]} if verb == "validate" else {}
    policy = {"matchConstraints": {"resourceRules": [rule]}, **rest}
    if verb == "mutate":
        policy["reinvocationPolicy"] = "Never"
    return [
        {**_named(api, kind, name), "spec": policy},
        {**_named(api, f"{kind}Binding", name), "spec": {"policyName": name, **more}},
    ]


def _resource(kind: str) -> str:
    return f"{kind.lower()[:-1]}ies" if kind.endswith("y") else f"{kind.lower()}s"


def _until(holds: Any) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "the server does not get ready"
        time.sleep(_POLL_S)


@pytest.mark.parametrize("case", CASES, ids=[f"{case.name}: {case.note}" for case in CASES])
def test_the_server_decides_the_same(both: Both, case: AdmissionCase) -> None:
    notes: dict[str, dict[str, str]] = {}
    differing = both.differences(case, audit=notes)
    if case.differs:
        assert differing, f"this does not differ any more: {case.differs}"
        return
    assert not differing, "\n".join(differing)
    _check_notes(both, case, notes)


def _check_notes(both: Both, case: AdmissionCase, notes: dict[str, dict[str, str]]) -> None:
    """The audit log has what we would note; it is written a moment after the answer."""
    if not any(notes.values()):
        return
    names = tuple(f"{policy['metadata']['name']}/" for policy in case.policies)
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        log = both.server.noted()
        theirs = {
            number: {key: value for key, value in log.get(number, {}).items() if key == _NOTED or key.startswith(names)}
            for number in notes
        }
        if theirs == notes or time.monotonic() > deadline or all(number in log for number in notes):
            break
        time.sleep(_POLL_S)
    assert theirs == notes
