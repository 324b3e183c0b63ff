"""Every check of the catalogue on its own examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bartizan.app.ambient import ambient
from bartizan.app.policy_tests.world import RecordedWorld
from bartizan.app.selection import compile_checks
from bartizan.catalog import CheckSpec, Example, export_policy, load_catalog
from bartizan.engines.policy.dialects.kyverno import compile_policy, expression_compiler
from bartizan.engines.policy.lookup import Offline
from bartizan.model.outcome import Broken, Failed, Passed
from bartizan.model.request import Request
from bartizan.model.resource import resource_from

if TYPE_CHECKING:
    from bartizan.base.json import JsonObject

CATALOG = load_catalog()
CHECKS = list(CATALOG.checks.values())
CASES = [
    pytest.param(check, example, id=f"{check.id}: {example.name}") for check in CHECKS for example in check.examples
]


def verdict(check: CheckSpec, objects: list[JsonObject]) -> str:
    """What the check says of the first resource."""
    chosen = compile_checks([check])
    resources = [resource_from(body) for body in objects]
    rules = [rule for rule in chosen.rules if rule.kinds is None or resources[0].id.kind in rule.kinds]
    outcomes: list[Any] = [rule.run(Request(resources[0], memo={}), Offline()) for rule in rules]
    for cross in chosen.checks:
        seen = [(r.id, cross.observe(r)) for r in resources if r.id.kind in cross.kinds]
        facts = [(rid, fact) for rid, fact in seen if fact is not None]
        objecting = {facts[conclusion.number][0] for conclusion in cross.conclude(facts)}
        outcomes.append(Failed("") if resources[0].id in objecting else Passed())
    if any(isinstance(outcome, Failed) for outcome in outcomes):
        return "fail"
    return "pass" if any(isinstance(outcome, Passed) for outcome in outcomes) else "skip"


@pytest.mark.parametrize(("check", "example"), CASES)
def test_example_gets_its_verdict(check: CheckSpec, example: Example) -> None:
    expected = {"pass": {"pass", "skip"}}.get(example.expect, {example.expect})
    assert verdict(check, example.every) in expected


@pytest.mark.parametrize(
    ("check", "example"), [case for case in CASES if isinstance(case.values[0], CheckSpec) and case.values[0].export]
)
def test_exported_policy_gives_the_same_verdict(check: CheckSpec, example: Example) -> None:
    """What native code compares, the policy asks the cluster for: here one that holds the example's objects."""
    compiler = expression_compiler(ambient())
    policy = compile_policy(export_policy(check), compiler)
    assert not policy.problems
    resources = [resource_from(body) for body in example.every]
    world = RecordedWorld(resources, (), (), lambda text, value: compiler(text)(value))
    outcomes = [rule.run(Request(resources[0]), world) for rule in policy.rules]
    assert not [outcome for outcome in outcomes if isinstance(outcome, Broken)]
    assert any(isinstance(outcome, Failed) for outcome in outcomes) is (example.expect == "fail")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_check_has_a_form_as_a_policy(check: CheckSpec) -> None:
    assert check.policy or check.export


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_check_shows_both_sides(check: CheckSpec) -> None:
    assert {"pass", "fail"} <= {example.expect for example in check.examples}
