"""What MutatingPolicies make of resources, from cases kept as data."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import yaml
from tests.conformance import ROOT

from bartizan.app.ambient import ambient
from bartizan.app.given_world import GivenWorld
from bartizan.base.errors import SpecError
from bartizan.engines.policy.chain import run_chain
from bartizan.engines.policy.dialects.kyverno.cel.policy import compile_cel_policy
from bartizan.model.outcome import Broken, Outcome, Passed, Skipped
from bartizan.model.request import Request
from bartizan.model.resource import resource_from

TABLE = yaml.safe_load((ROOT / "tests" / "cases" / "kyverno" / "mutating.yaml").read_text())
_WORDS = {Passed: "pass", Skipped: "skip", Broken: "error"}


def _document(entry: dict[str, Any]) -> dict[str, Any]:
    kind = entry.get("kind", "MutatingPolicy")
    metadata = {"name": "policy", "namespace": "own"}
    return {"apiVersion": "policies.kyverno.io/v1", "kind": kind, "metadata": metadata, "spec": entry["spec"]}


def _text(outcome: Outcome) -> str:
    match outcome:
        case Broken(error):
            return error
        case Skipped(because):
            return because
        case _:
            return outcome.message


CASES = [
    pytest.param(entry, case, id=f"{entry['name']}: {index}")
    for entry in TABLE
    for index, case in enumerate(entry.get("cases", ()))
]


@pytest.mark.parametrize(("entry", "case"), CASES)
def test_resource(entry: dict[str, Any], case: dict[str, Any]) -> None:
    policy = compile_cel_policy(_document(entry), ambient(), exceptions=entry.get("exceptions", ()))
    assert not policy.problems
    assert {rule.does for rule in policy.rules} == {"mutate"}
    body = deepcopy(case["resource"])
    resource = resource_from(body)
    known = [resource_from(item) for item in entry.get("world", ())]
    steps = run_chain(
        policy.rules,
        resource,
        lambda _rule, now: Request(now),
        GivenWorld(lambda: known, is_whole=True),
    )
    assert [_WORDS[type(step.outcome)] for step in steps] == ([case["outcome"]] if "outcome" in case else [])
    assert resource.body == case["resource"]
    if not steps:
        return
    outcome = steps[-1].outcome
    assert case.get("says", "") in _text(outcome)
    changes = outcome.changes if isinstance(outcome, Passed) else ()
    if "changes" in case:
        assert {f"{c.resource.kind}/{c.resource.namespace}/{c.resource.name}": c.after for c in changes} == case[
            "changes"
        ]
        assert steps[-1].resource is resource
    else:
        assert steps[-1].resource.body == case.get("after", case["resource"])
        assert len(changes) == ("after" in case)


@pytest.mark.parametrize("entry", [entry for entry in TABLE if "refused" in entry], ids=lambda entry: entry["name"])
def test_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(SpecError) as refused:
        compile_cel_policy(_document(entry), ambient())
    assert entry["refused"] in str(refused.value)
    assert refused.value.pointer.startswith("/spec/")
