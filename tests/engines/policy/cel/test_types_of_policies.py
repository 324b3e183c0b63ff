"""What the schemas of kinds say of policies: cases as data, definitions of every sort of trouble, and a real server."""

from __future__ import annotations

import json
from contextlib import closing
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance import find_conformance
from tests.laws import examples
from tests.spoil import spoil

from bartizan.app.ambient import ambient
from bartizan.app.options import ClusterChoice
from bartizan.app.policy_check import check_policies
from bartizan.app.policy_check.schemas import KnownKinds
from bartizan.app.policy_check.served import ServedKinds
from bartizan.engines.policy.cel.lint.types import UNFIT
from bartizan.engines.policy.cel.shapes import shape_of
from bartizan.engines.policy.dialects.kyverno.lint.types import type_remarks
from bartizan.lang.cel.types import DYN

if TYPE_CHECKING:
    from tests.controlplane.start import ControlPlane

_TABLE: Final = yaml.safe_load(
    (Path(__file__).resolve().parents[3] / "cases" / "lint" / "types" / "types.yaml").read_text()
)
_CASES: Final[list[dict[str, Any]]] = _TABLE["cases"]


def _policy(case: dict[str, Any]) -> dict[str, Any]:
    kind = case.get("kind", "ValidatingPolicy")
    validations = [{"expression": text, "message": "m"} for text in case.get("expressions", ())]
    if "message" in case:
        validations[0]["messageExpression"] = case["message"]
    variables = [{"name": name, "expression": text} for name, text in case.get("variables", {}).items()]
    if kind == "ClusterPolicy":
        rule = {
            "name": "r",
            "match": {"any": [{"resources": {"kinds": case["kinds"]}}]},
            "validate": {"cel": {"expressions": validations, "variables": variables}},
        }
        spec: dict[str, Any] = {"rules": [rule]}
    else:
        constraints = {"resourceRules": [_rule(case, case.get("resources", ["orders"]))]}
        if "excluded" in case:
            constraints["excludeResourceRules"] = [_rule(case, case["excluded"])]
        spec = {"matchConstraints": constraints, "variables": variables, **yaml.safe_load(case.get("more") or "{}")}
        spec |= {"validations": validations} if validations else {}
        if "mutation" in case:
            change = {"expression": case["mutation"]}
            spec["mutations"] = [{"patchType": "ApplyConfiguration", "applyConfiguration": change}]
        spec |= {"paramKind": case["params"]} if "params" in case else {}
    return {"apiVersion": _VERSIONS.get(kind, "policies.kyverno.io/v1"), "kind": kind, "metadata": _META, "spec": spec}


_META: Final = {"name": "p", "namespace": "shop"}
_VERSIONS: Final = {"ClusterPolicy": "kyverno.io/v1", "ValidatingAdmissionPolicy": "admissionregistration.k8s.io/v1"}


def _rule(case: dict[str, Any], resources: list[str]) -> dict[str, Any]:
    versions = case.get("versions", ["v1"])
    groups = ["shop.example.com"]
    return {"apiGroups": groups, "apiVersions": versions, "operations": ["CREATE"], "resources": resources}


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in _CASES])
def test_what_is_said_and_where(case: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "openapi.json").write_text(json.dumps(_TABLE["openapi"]))
    file = tmp_path / "policy.yaml"
    file.write_text(yaml.safe_dump(_policy(case), width=1000))
    said = [item for item in check_policies([file], openapi=[tmp_path / "openapi.json"]).remarks if item.rule == UNFIT]
    shown = "\n".join(f"{item.at}: {item.message} {item.hint} | {item.line}" for item in said)
    expect = case.get("expect", [])
    assert len(said) == len(expect), shown
    for wanted in expect:
        assert any(
            item.level == "warning"
            and wanted["says"] in f"{item.message}. {item.hint}"
            and item.line[item.at.column - 1 :].startswith(wanted["at"])
            for item in said
        ), f"nothing says {wanted}:\n{shown}"


def test_cases_show_both_sides() -> None:
    assert any(case.get("expect") for case in _CASES)
    assert any(not case.get("expect") for case in _CASES)


_POLICIES = [_policy(case) for case in _CASES if case.get("kind") != "ValidatingAdmissionPolicy"]


@examples(300)
@given(st.sampled_from(_POLICIES), st.data())
def test_no_schema_and_no_policy_is_a_bug(policy: dict[str, Any], data: st.DataObject) -> None:
    """Whatever stands in either, only remarks come of it."""
    document, served = deepcopy(policy), deepcopy(_TABLE["openapi"])
    spoil(served, data)
    if data.draw(st.booleans()):
        spoil(document["spec"], data)
    known = KnownKinds()
    known.add(served)
    for remark in type_remarks(document, ambient(), known):
        assert remark.message
        assert remark.pointer.startswith("/spec/")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(None, id="none"),
        pytest.param({"type": "object"}, id="without fields"),
        pytest.param(
            {"type": "object", "properties": {"a": 1}, "x-kubernetes-preserve-unknown-fields": True}, id="open"
        ),
        pytest.param({"$ref": "#/components/schemas/a"}, id="in a circle"),
    ],
)
def test_what_says_nothing_has_no_shape(body: Any) -> None:
    assert shape_of(body, "K", {"a": {"$ref": "#/components/schemas/a"}}) is None


def test_a_shape_is_read_in_bounded_time() -> None:
    """References are read once each, however often they are made; what nests deeper than anybody writes is open."""
    definitions: dict[str, Any] = {"t0": {"type": "object", "properties": {"x": {"type": "string"}}}}
    for number in range(1, 40):
        reference = {"$ref": f"#/components/schemas/t{number - 1}"}
        definitions[f"t{number}"] = {"type": "object", "properties": {"a": reference, "b": reference}}
    shape = shape_of({"$ref": "#/components/schemas/t39"}, "Bomb", definitions)
    assert shape is not None
    assert len(shape.objects) == 41
    body: dict[str, Any] = {"type": "string"}
    for _ in range(5000):
        body = {"type": "object", "properties": {"a": body}}
    deep = shape_of(body, "Deep")
    assert deep is not None
    assert any(fields.get("a") == DYN for fields in deep.objects.values())


@pytest.mark.xdist_group("cluster")
def test_a_peers_policies_are_right_by_a_real_server(control_plane: ControlPlane) -> None:
    """Every policy in CEL of the library runs as it is meant to, so nothing may be said of one."""
    folder = find_conformance("kyverno-policies")
    if folder is None:
        pytest.skip("the policies are not there")
    choice = ClusterChoice(kubeconfig=control_plane.kubeconfig)
    checked = check_policies([folder], cluster=choice)
    assert [f"{item.at}: {item.message}" for item in checked.remarks if item.rule == UNFIT] == []
    with closing(ServedKinds(choice)) as served:
        known = KnownKinds(served)
        assert known.kind("apps", "v1", "deployments") == "Deployment"
        assert known.kind("apps", "v7", "deployments") is None
        assert {str(kind) for kind in known.kinds("Job")} == {"batch/v1, Kind=Job"}
        assert known.shape("batch/v1", "Job") is not None
