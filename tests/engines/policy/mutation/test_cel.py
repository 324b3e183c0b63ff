"""Mutations in CEL, as a table of expressions and what they make of a Pod."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
import yaml
from tests.conformance import ROOT

from bartizan.base.errors import SpecError
from bartizan.engines.policy.cel.environment import Vocabulary
from bartizan.engines.policy.cel.expressions import MutationSpec
from bartizan.engines.policy.cel.mutate import PATCH_FUNCTIONS, compile_mutation, patch_types
from bartizan.engines.policy.cel.names import Names, makers_of
from bartizan.engines.policy.document import decode
from bartizan.engines.policy.lookup import Offline
from bartizan.engines.policy.mutation.errors import PatchError
from bartizan.engines.policy.mutation.structured_types import shape_of_kind, shape_of_resource
from bartizan.lang.cel import CelError
from bartizan.lang.cel.library import KUBERNETES
from bartizan.model.request import Request
from bartizan.model.resource import resource_from

TABLE = yaml.safe_load((ROOT / "tests" / "cases" / "mutation" / "cel.yaml").read_text())
ENVIRONMENT = Vocabulary({**KUBERNETES, **PATCH_FUNCTIONS}, constructible=patch_types).environment()
CASES = [("ApplyConfiguration", case) for case in TABLE["merges"]] + [("JSONPatch", case) for case in TABLE["patches"]]


def _names(body: dict[str, Any]) -> Names:
    names = Names(Request(resource_from(body)), Offline, makers_of({}))
    names["object"] = body
    return names


def _spec(kind: str, expression: str) -> MutationSpec:
    field = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}[kind]
    return decode({"patchType": kind, field: {"expression": expression}}, MutationSpec, "/mutations/0")


@pytest.mark.parametrize(("kind", "case"), CASES, ids=[case["expression"] for _, case in CASES])
def test_mutation(kind: str, case: dict[str, Any]) -> None:
    pod, before = TABLE["pod"], deepcopy(TABLE["pod"])
    spec = _spec(kind, case["expression"])
    if "refused" in case:
        with pytest.raises(SpecError) as refused:
            compile_mutation(spec, ENVIRONMENT, "/mutations/0")
        assert case["refused"] in str(refused.value)
        assert refused.value.pointer.startswith("/mutations/0/")
        return
    mutation = compile_mutation(spec, ENVIRONMENT, "/mutations/0")
    names = _names(pod)
    if "error" in case:
        with pytest.raises((PatchError, CelError)) as ended:
            mutation.apply(names, pod, lambda: shape_of_kind("v1", "Pod"))
        assert case["error"] in str(ended.value)
        assert pod == before
        return
    after = mutation.apply(names, pod, lambda: shape_of_kind("v1", "Pod"))
    assert pod == before
    if case.get("unchanged"):
        assert after is pod
        return
    assert isinstance(after, dict)
    assert after == {**pod, **case["gives"]}
    json.dumps(after)
    for part in ("metadata", "spec"):
        if part not in case["gives"]:
            assert after[part] is pod[part]


def test_expression_is_needed() -> None:
    spec = decode({"patchType": "JSONPatch"}, MutationSpec, "/mutations/0")
    with pytest.raises(SpecError, match="needs `jsonPatch`"):
        compile_mutation(spec, ENVIRONMENT, "/mutations/0")


def test_kind_that_nobody_knows_is_an_error() -> None:
    mutation = compile_mutation(_spec("ApplyConfiguration", "Object{}"), ENVIRONMENT, "")
    with pytest.raises(PatchError, match="type converter must not be nil"):
        mutation.apply(_names({}), {}, lambda: None)


def test_atomic_parts_are_replaced_without_guard() -> None:
    expression = 'Object{spec: Object.spec{nodeSelector: {"a": "b"}}}'
    mutation = compile_mutation(_spec("ApplyConfiguration", expression), ENVIRONMENT, "")
    pod = {**TABLE["pod"], "spec": {"nodeSelector": {"c": "d"}}}
    after = mutation.apply(_names(pod), pod, lambda: shape_of_kind("v1", "Pod"), guard=False)
    assert after == {**pod, "spec": {"nodeSelector": {"a": "b"}}}


def test_schema_that_refers_to_nothing_is_anything() -> None:
    expression = 'Object{spec: Object.spec{a: Object.spec.a{b: "c"}}}'
    mutation = compile_mutation(_spec("ApplyConfiguration", expression), ENVIRONMENT, "")
    body = {"apiVersion": "e.com/v1", "kind": "W", "metadata": {"name": "w"}, "spec": {"a": {"d": [1]}}}
    for schema in (None, {}, {"type": "object", "x-kubernetes-preserve-unknown-fields": True}):
        after = mutation.apply(_names(body), body, lambda one=schema: shape_of_resource(one))
        assert isinstance(after, dict)
        assert after["spec"] == {"a": {"d": [1], "b": "c"}}
