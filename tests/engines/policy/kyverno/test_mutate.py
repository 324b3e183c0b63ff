"""What rules that mutate make of an object, from cases kept as data."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance import ROOT
from tests.laws import examples
from tests.spoil import spoil

from bartizan.app.ambient import ambient
from bartizan.app.given_world import GivenWorld
from bartizan.base.errors import SpecError
from bartizan.engines.policy.chain import run_chain
from bartizan.engines.policy.dialects.kyverno import compile_policy, expression_compiler
from bartizan.model.outcome import Broken, Passed, Skipped
from bartizan.model.request import Request
from bartizan.model.resource import resource_from

if TYPE_CHECKING:
    from bartizan.engines.policy.chain import Step
    from bartizan.engines.policy.plan import Rule
    from bartizan.model.resource import Resource

CASES = yaml.safe_load((ROOT / "tests/cases/kyverno/mutate.yaml").read_text())
RUNNING = [case for case in CASES if "refused" not in case]
_COMPILER = expression_compiler(ambient())


def policy_of(mutate: object) -> dict[str, Any]:
    """A policy with one rule, for any kind."""
    rule = {"name": "r", "match": {"any": [{"resources": {"kinds": ["*"]}}]}, "mutate": mutate}
    metadata = {"name": "p", "annotations": {"pod-policies.kyverno.io/autogen-controllers": "none"}}
    return {"apiVersion": "kyverno.io/v1", "kind": "ClusterPolicy", "metadata": metadata, "spec": {"rules": [rule]}}


def run(policy: dict[str, Any], body: dict[str, Any], world: list[Any]) -> list[Step]:
    """What a policy's rules say of an object."""
    compiled = compile_policy(policy, _COMPILER)
    for problem in compiled.problems:
        raise problem
    known = GivenWorld(lambda: map(resource_from, world), is_whole=True)

    def request_for(rule: Rule, resource: Resource) -> Request:  # noqa: ARG001 (the port's shape)
        return Request(resource)

    return run_chain(compiled.rules, resource_from(body), request_for, known)


def object_of(case: dict[str, Any]) -> dict[str, Any]:
    """The object of a case, with a name."""
    body = deepcopy(case["object"])
    body["metadata"] = {"name": "one", "namespace": "shop", **body.get("metadata", {})}
    return dict(body)


@pytest.mark.parametrize("case", RUNNING, ids=lambda case: case["case"])
def test_case(case: dict[str, Any]) -> None:
    body = object_of(case)
    before = deepcopy(body)
    (step,) = run(policy_of(case["mutate"]), body, case.get("world", []))
    assert body == before
    outcome = step.outcome
    if "gives" in case:
        assert isinstance(outcome, {"skip": Skipped, "error": Broken}[case["gives"]]), outcome
        assert case.get("says", "") in str(getattr(outcome, "error", ""))
        return
    assert isinstance(outcome, Passed), outcome
    if "others" in case:
        assert {change.resource.name for change in outcome.changes} == case["others"].keys()
        for change in outcome.changes:
            assert_has(change.after, case["others"][change.resource.name])
        assert step.resource.body is body
    else:
        assert_has(step.resource.body, case["after"])


def assert_has(value: Any, wanted: Any) -> None:
    """Every part that is wanted is there, and what is wanted to be null is not."""
    if isinstance(wanted, dict):
        assert isinstance(value, dict), value
        for key, item in wanted.items():
            if item is None:
                assert key not in value
            else:
                assert_has(value.get(key), item)
    elif isinstance(wanted, list):
        assert isinstance(value, list), value
        assert len(value) == len(wanted), value
        for item, part in zip(value, wanted, strict=True):
            assert_has(item, part)
    else:
        assert value == wanted


@pytest.mark.parametrize("case", [case for case in CASES if "refused" in case], ids=lambda case: case["case"])
def test_malformed_rule_is_refused_with_its_place(case: dict[str, Any]) -> None:
    (problem,) = compile_policy(policy_of(case["mutate"]), _COMPILER).problems
    assert case["refused"] in problem.message
    assert problem.pointer.startswith("/spec/rules/0/mutate")
    assert problem.hint


@examples(600)
@given(st.sampled_from(RUNNING), st.data())
def test_no_rule_that_mutates_is_a_bug(case: dict[str, Any], data: st.DataObject) -> None:
    """Anything anywhere in a rule is refused with a place, or gives an outcome."""
    policy = policy_of(deepcopy(case["mutate"]))
    spoil(policy["spec"]["rules"][0], data)
    with suppress(SpecError):
        run(policy, object_of(case), case.get("world", []))


@examples(400)
@given(st.sampled_from(RUNNING), st.data())
def test_no_object_that_is_mutated_is_a_bug(case: dict[str, Any], data: st.DataObject) -> None:
    """Anything anywhere in an object gives an outcome, and the object stays as it was."""
    body = object_of(case)
    spoil(body, data)
    before = deepcopy(body)
    run(policy_of(case["mutate"]), body, case.get("world", []))
    assert body == before
