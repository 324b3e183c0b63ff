"""Schemas as types of CEL, and JSON as values of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.conformance import ROOT

from bartizan.base.errors import SpecError
from bartizan.engines.policy.cel.openapi import schema_of
from bartizan.engines.policy.cel.schema import Declared, declare, escaped
from bartizan.engines.policy.dialects.kubernetes.crd.nodes import read_schema
from bartizan.lang.cel import CelError, Environment, compile_expression
from bartizan.lang.cel.library import KUBERNETES

if TYPE_CHECKING:
    from tests.controlplane.start import ControlPlane

CASES = yaml.safe_load((ROOT / "tests" / "cases" / "kubernetes" / "types.yaml").read_text())


def _environment(declared: Declared) -> Environment:
    return Environment({"self": declared.type}, KUBERNETES, declared.objects, homogeneous=True)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["note"])
def test_a_schema_is_a_type(case: dict[str, Any]) -> None:
    declared = declare(read_schema(case["schema"], ""), "self")
    assert declared is not None
    environment = _environment(declared)
    names = {"self": declared.value(case["value"])}
    for text, value in case.get("gives", {}).items():
        assert compile_expression(text, environment)(names) == value, text
    for text, error in case.get("fails", {}).items():
        with pytest.raises(CelError, match=error):
            compile_expression(text, environment)(names)
    for text in case.get("refused", ()):
        with pytest.raises(SpecError):
            compile_expression(text, environment)


@pytest.mark.parametrize("schema", [{}, {"x-kubernetes-preserve-unknown-fields": True}, {"type": "array"}])
def test_what_no_schema_describes_has_no_type(schema: dict[str, Any]) -> None:
    assert declare(read_schema(schema, ""), "self") is None


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a", "a"),
        ("in", "__in__"),
        ("inn", "inn"),
        ("a--b", "a__dash____dash__b"),
        ("", None),
        ("1", None),
        ("a b", None),
    ],
)
def test_names_are_escaped(name: str, written: str | None) -> None:
    assert escaped(name) == written


_DOCUMENT = {
    "components": {
        "schemas": {
            "example.Thing": {
                "type": "object",
                "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Thing"}],
                "properties": {
                    "tree": {"allOf": [{"$ref": "#/components/schemas/example.Tree"}], "description": "a tree"},
                    "port": {"$ref": "#/components/schemas/example.Port"},
                    "lost": {"$ref": "#/components/schemas/nowhere"},
                },
            },
            "example.Tree": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "below": {"type": "array", "items": {"$ref": "#/components/schemas/example.Tree"}},
                },
            },
            "example.Port": {"type": "string", "format": "int-or-string"},
        }
    }
}


def test_references_are_followed_once_round() -> None:
    found = schema_of(_DOCUMENT, "example.com/v1", "Thing")
    assert found is not None
    declared = declare(found, "self", is_resource=True)
    assert declared is not None
    environment = _environment(declared)
    for text in ("self.tree.below[0] == self.tree.below[1]", "self.port == 1", "self.metadata.name == self.tree.name"):
        compile_expression(text, environment)
    for text in ("self.tree.below[0].name == ''", "self.lost == ''", "self.tree.none == ''"):
        with pytest.raises(SpecError):
            compile_expression(text, environment)
    assert schema_of(_DOCUMENT, "example.com/v1", "Other") is None
    assert schema_of({"components": 1}, "v1", "Thing") is None


def test_references_that_multiply_are_bounded() -> None:
    schemas: dict[str, Any] = {"t0": {"type": "string"}}
    for number in range(1, 40):
        reference = {"$ref": f"#/components/schemas/t{number - 1}"}
        schemas[f"t{number}"] = {"type": "object", "properties": {"a": reference, "b": reference}}
    schemas["t39"]["x-kubernetes-group-version-kind"] = [{"group": "", "version": "v1", "kind": "Bomb"}]
    found = schema_of({"components": {"schemas": schemas}}, "v1", "Bomb")
    assert found is not None
    with pytest.raises(SpecError, match="more than"):
        declare(found, "self")


@pytest.mark.xdist_group("cluster")
def test_the_documents_of_a_server(control_plane: ControlPlane) -> None:
    document = json.loads(control_plane.run("get", "--raw", "/openapi/v3/apis/apps/v1"))
    found = schema_of(document, "apps/v1", "Deployment")
    assert found is not None
    declared = declare(found, "object", is_resource=True)
    assert declared is not None
    environment = _environment(declared)
    for text in (
        "self.spec.replicas > 1 && self.spec.template.spec.containers.all(c, c.image != '')",
        "self.metadata.labels['app'] == 'x' && self.metadata.creationTimestamp > timestamp('2024-01-01T00:00:00Z')",
        "self.spec.strategy.rollingUpdate.maxSurge == 1",
    ):
        assert str(compile_expression(text, environment).type) == "bool"
    with pytest.raises(SpecError, match="unknown field `replica`"):
        compile_expression("self.spec.replica > 1", environment)
