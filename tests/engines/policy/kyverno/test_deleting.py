"""DeletingPolicies, from cases kept as data: what a clean-up would delete, and what a test is told."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any, Final

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance import ROOT
from tests.laws import examples
from tests.spoil import spoil

from bartizan.app.ambient import ambient
from bartizan.app.cleanup import World, plan
from bartizan.app.given_world import GivenWorld
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno.cel.deleting import compile_scheduled
from bartizan.engines.policy.dialects.kyverno.cel.policy import compile_cel_policy
from bartizan.engines.policy.dialects.kyverno.cleanup import ResourceSelector
from bartizan.model.outcome import Broken, Failed, Passed
from bartizan.model.request import Request
from bartizan.model.resource import Resource, labels_of, payload_from, resource_from

CASES: Final = yaml.safe_load((ROOT / "tests" / "cases" / "kyverno" / "deleting.yaml").read_text())
_AT: Final = datetime(2026, 11, 20, 12, tzinfo=UTC)
_METADATA: Final = ("name", "namespace", "labels", "deletionTimestamp")
_PODS: Final = {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}]}


def _ids(group: str) -> list[str]:
    return [str(case["case"]) for case in CASES[group]]


def _document(case: dict[str, Any], **fields: Any) -> dict[str, Any]:
    spec = {"matchConstraints": _PODS, "schedule": "0 3 * * *", **case.get("spec", {})}
    namespace = case.get("namespace")
    metadata = {"name": "p", **({"namespace": namespace} if namespace else {}), **fields.pop("metadata", {})}
    kind = "NamespacedDeletingPolicy" if namespace else "DeletingPolicy"
    given = {key: value for key, value in spec.items() if value is not None}
    return {"apiVersion": "policies.kyverno.io/v1", "kind": kind, "metadata": metadata, "spec": given, **fields}


def _exceptions(case: dict[str, Any]) -> list[dict[str, Any]]:
    head = {"apiVersion": "policies.kyverno.io/v1", "kind": "PolicyException", "metadata": {"name": "e"}}
    return [{**head, "spec": spec} for spec in case.get("exceptions", ())]


def _object(fields: dict[str, Any]) -> Resource:
    metadata = {key: fields[key] for key in _METADATA if key in fields}
    rest = {key: value for key, value in fields.items() if key not in _METADATA}
    return resource_from({"apiVersion": "v1", **rest, "metadata": metadata})


@pytest.mark.parametrize("case", CASES["policies"], ids=_ids("policies"))
def test_policy_deletes(case: dict[str, Any]) -> None:
    objects = tuple(map(_object, case["objects"]))
    namespaces = {item.id.name: labels_of(item.body) for item in objects if item.id.kind == "Namespace"}
    world = World(GivenWorld(lambda: objects, is_whole=True), namespaces, objects, (), {})
    policy = compile_scheduled(_document(case), ambient(), exceptions=_exceptions(case))
    (run,) = plan([policy], world, _AT).runs
    assert [item.resource.name for item in run.deletions] == case["deletes"]
    assert len(run.problems) == case.get("errors", 0)
    assert all(item.because.startswith("it matches `/spec/matchConstraints`") for item in run.deletions)


@pytest.mark.parametrize("case", CASES["rows"], ids=_ids("rows"))
def test_test_is_told(case: dict[str, Any]) -> None:
    (rule,) = compile_cel_policy(_document(case), ambient(), exceptions=_exceptions(case)).rules
    payload = case.get("payload", "")
    resource = payload_from(case["object"], "file") if payload else resource_from(case["object"])
    assert rule.does == "delete"
    assert rule.kinds is None or not payload or resource.id.kind in rule.kinds
    outcome = rule.run(Request(resource, payload=payload), GivenWorld(lambda: [resource]))
    match outcome:
        case Passed(message, changes):
            assert (case["result"], case["says"]) == ("pass", message)
            assert [(change.before, change.after) for change in changes] == [(resource.body, None)]
        case Failed(message):
            assert (case["result"], case["says"]) == ("fail", message)
        case Broken(message):
            assert (case["result"], case["says"]) == ("error", message)
        case _:
            assert (case["result"], outcome) == ("none", None)


@pytest.mark.parametrize("case", CASES["refused"], ids=_ids("refused"))
def test_policy_is_refused(case: dict[str, Any]) -> None:
    document = _document(case)
    for key in [key for key, value in case["spec"].items() if value is None]:
        document["spec"][key] = None
    for refuses in (compile_scheduled, compile_cel_policy):
        with pytest.raises(SpecError) as error:
            refuses(document, ambient())
        assert error.value.pointer == case["at"]


def test_policy_says_when_and_what() -> None:
    metadata = {"creationTimestamp": "2026-11-01T00:00:00Z"}
    status = {"lastExecutionTime": "2026-11-20T03:00:00Z"}
    rules = [{"apiGroups": ["", "apps"], "apiVersions": ["v1"], "resources": ["pods", "deployments"]}]
    spec = {"matchConstraints": {"resourceRules": rules}, "deletionPropagationPolicy": "Orphan"}
    document = _document({"spec": spec, "namespace": "shop"}, metadata=metadata, status=status)
    policy = compile_scheduled(document, ambient())
    assert (policy.kind, policy.full_name, policy.propagation) == ("NamespacedDeletingPolicy", "shop/p", "Orphan")
    assert policy.due(_AT) == datetime(2026, 11, 21, 3, tzinfo=UTC)
    assert policy.kinds == (
        ResourceSelector("", "v1", "pods"),
        ResourceSelector("", "v1", "deployments"),
        ResourceSelector("apps", "v1", "pods"),
        ResourceSelector("apps", "v1", "deployments"),
    )


def test_a_policy_without_constraints_says_that_it_deletes_nothing() -> None:
    policy = compile_scheduled(_document({"spec": {"matchConstraints": None}}), ambient())
    (run,) = plan([policy], World(GivenWorld(list), {}, (), (), {}), _AT).runs
    assert run.notes == ("it names no kind of object, and deletes nothing",)


@examples(500)
@given(st.sampled_from(CASES["policies"]), st.sampled_from(["policy", "objects", "exceptions"]), st.data())
def test_nothing_is_a_bug(case: dict[str, Any], spoiled: str, data: st.DataObject) -> None:
    document, exceptions = deepcopy(_document(case)), deepcopy(_exceptions(case))
    bodies = [deepcopy(_object(fields).body) for fields in case["objects"]]
    if spoiled == "policy" or (spoiled == "exceptions" and not exceptions):
        parts = {key: document[key] for key in ("metadata", "spec")} | {"status": {"lastExecutionTime": "2026-11-01"}}
        spoil(parts, data)
        document |= parts
    else:
        spoil(bodies if spoiled == "objects" else exceptions, data)
    try:
        policy = compile_scheduled(document, ambient(), exceptions=exceptions)
    except SpecError:
        return
    objects = tuple(resource_from(body) for body in bodies if isinstance(body, dict))
    report = plan([policy], World(GivenWorld(lambda: objects), {}, objects, (), {}), _AT)
    assert len(report.deletions) <= len(objects)
