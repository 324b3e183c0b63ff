"""Documents of admission policies: what is refused, where and why, and that the API server refuses it as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.engines.policy.kubernetes.cases import load, merged
from tests.engines.policy.kubernetes.server import Server

from bartizan.engines.policy.dialects.kubernetes.policy import compile_policies

if TYPE_CHECKING:
    from tests.controlplane.start import ControlPlane

_GROUP = "admissionregistration.k8s.io"
_RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
_RIGHT: dict[str, dict[str, Any]] = {
    "validate": {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "p"},
        "spec": {"matchConstraints": {"resourceRules": [_RULE]}, "validations": [{"expression": "true"}]},
    },
    "mutate": {
        "apiVersion": f"{_GROUP}/v1beta1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": "p"},
        "spec": {
            "reinvocationPolicy": "Never",
            "matchConstraints": {"resourceRules": [_RULE]},
            "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": "Object{}"}}],
        },
    },
    "bind": {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "b"},
        "spec": {"policyName": "p", "validationActions": ["Deny"]},
    },
}
_RESOURCES = {
    "validate": "v1/validatingadmissionpolicies",
    "mutate": "v1beta1/mutatingadmissionpolicies",
    "bind": "v1/validatingadmissionpolicybindings",
}
CASES = load("../documents.yaml")


def _document(case: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    (kind,) = (key for key in _RIGHT if key in case)
    return kind, merged(_RIGHT[kind], case[kind])


@pytest.mark.parametrize("kind", _RIGHT)
def test_the_document_that_is_changed_is_right(kind: str) -> None:
    assert not compile_policies([_RIGHT[kind]]).problems


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["note"])
def test_refused_with_its_place(case: dict[str, Any]) -> None:
    _, document = _document(case)
    (wrong,) = compile_policies([document]).problems
    assert case["said"] in wrong.error.message
    assert wrong.error.pointer == case["at"]
    assert wrong.error.hint


@pytest.mark.xdist_group("cluster")
def test_the_server_refuses_all_of_them(control_plane: ControlPlane) -> None:
    server = Server(control_plane)
    try:
        for kind, document in _RIGHT.items():
            assert _answer(server, kind, document) == 201, kind
        taken = [case["note"] for case in CASES if _answer(server, *_document(case)) == 201]
        assert taken == []
    finally:
        server.close()


def _answer(server: Server, kind: str, document: dict[str, Any]) -> int:
    return server.ask(
        "POST", f"/apis/{_GROUP}/{_RESOURCES[kind]}", document, dryRun="All", fieldValidation="Strict"
    ).status


def test_limits() -> None:
    conditions = [{"name": f"c{number}", "expression": "true"} for number in range(65)]
    annotations = [{"key": f"a{number}", "valueExpression": "'x'"} for number in range(21)]
    for change, at in (
        ({"matchConditions": conditions}, "/spec/matchConditions"),
        ({"auditAnnotations": annotations}, "/spec/auditAnnotations"),
        (
            {"auditAnnotations": [{"key": "a", "valueExpression": f"'{'x' * 5200}'"}]},
            "/spec/auditAnnotations/0/valueExpression",
        ),
    ):
        (wrong,) = compile_policies([merged(_RIGHT["validate"], {"spec": change})]).problems
        assert wrong.error.pointer == at


def test_one_broken_document_does_not_lose_the_others() -> None:
    broken = merged(_RIGHT["validate"], {"metadata": {"name": "q"}, "spec": {"validations": []}})
    compiled = compile_policies([broken, _RIGHT["bind"], _RIGHT["validate"]])
    assert [wrong.document for wrong in compiled.problems] == [0]
    assert [rule.info.id.rule for rule in compiled.rules] == ["b"]
    assert not compiled.remarks


def test_what_is_left_out_is_remarked() -> None:
    lax = merged(
        _RIGHT["validate"],
        {"spec": {"matchConstraints": {"resourceRules": [{k: v for k, v in _RULE.items() if k != "operations"}]}}},
    )
    free = merged(_RIGHT["bind"], {"spec": {"policyName": "other", "validationActions": None}})
    said = [(remark.document, remark.message) for remark in compile_policies([lax, free]).remarks]
    assert [number for number, _ in said] == [0, 1, 0, 1]
    assert "`operations` is left out" in said[0][1]
    assert "`validationActions` is left out" in said[1][1]
    assert "no binding of ValidatingAdmissionPolicy `p`" in said[2][1]
    assert "`other`, which was not given" in said[3][1]
