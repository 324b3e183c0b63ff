"""What a rule written in CEL gives for one request, from cases kept as data, and for the controllers of pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.conformance import ROOT

from bartizan.app.ambient import ambient
from bartizan.engines.policy.dialects.kyverno import compile_policy, expression_compiler
from bartizan.engines.policy.lookup import LookupFailedError, ObjectsQuestion
from bartizan.model.outcome import Broken, Failed, Passed, Skipped
from bartizan.model.request import Request
from bartizan.model.resource import resource_from

if TYPE_CHECKING:
    from bartizan.base.json import Json
    from bartizan.engines.policy.lookup import Question

CASES = yaml.safe_load((ROOT / "tests" / "cases" / "kyverno" / "cel.yaml").read_text())
_WORDS = {Passed: "pass", Failed: "fail", Skipped: "skip", Broken: "error", type(None): "none"}


class Answers:
    """A lookup that knows the parameters of a case, and nothing more."""

    def __init__(self, params: list[dict[str, Any]]) -> None:
        self._params = params

    def answer(self, question: Question) -> Json:
        """The ConfigMaps that are asked for, by name."""
        if not isinstance(question, ObjectsQuestion) or question.kind != "v1/ConfigMap":
            raise LookupFailedError("no world")
        return [item for item in self._params if question.name in ("", item["metadata"]["name"])]


def policy_of(case: dict[str, Any], kind: str = "ConfigMap") -> dict[str, Any]:
    """The policy of a case, as a document."""
    rule: dict[str, Any] = {"name": "r", "match": {"any": [{"resources": {"kinds": [kind]}}]}}
    if "cel" in case:
        rule["validate"] = {"cel": case["cel"], **({"message": case["message"]} if "message" in case else {})}
    rule |= {key: case[key] for key in ("validate", "mutate") if key in case}
    if "conditions" in case:
        rule["celPreconditions"] = case["conditions"]
    spec = {"rules": [rule]}
    return {"apiVersion": "kyverno.io/v1", "kind": "ClusterPolicy", "metadata": {"name": "p"}, "spec": spec}


def object_of(fields: dict[str, Any]) -> dict[str, Any]:
    """A resource with the fields that a case gives."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "n"}, **fields}


@pytest.mark.parametrize("case", [case for case in CASES if "gives" in case], ids=lambda case: case["case"])
def test_rule(case: dict[str, Any]) -> None:
    policy = compile_policy(policy_of(case), expression_compiler(ambient()))
    assert not policy.problems
    old = resource_from(object_of(case["old"])) if "old" in case else None
    operation = case.get("operation", "UPDATE" if old else "CREATE")
    request = Request(resource_from(object_of(case["object"])), operation=operation, old=old)
    (rule,) = policy.rules
    outcome = rule.run(request, Answers(case.get("params", [])))
    assert _WORDS[type(outcome)] == case["gives"], outcome
    if "says" in case:
        assert isinstance(outcome, Failed)
        assert outcome.message == case["says"]


@pytest.mark.parametrize("case", [case for case in CASES if "refused" in case], ids=lambda case: case["case"])
def test_refused(case: dict[str, Any]) -> None:
    policy = compile_policy(policy_of(case), expression_compiler(ambient()))
    (problem, *_) = policy.problems
    assert case["refused"] in problem.message
    assert problem.pointer == case.get("at", problem.pointer)


_POD = {"metadata": {"name": "x", "labels": {"app": "a"}}, "spec": {"hostNetwork": True, "containers": [{"name": "a"}]}}
_CONTROLLERS = {
    "Deployment": ("apps/v1", {"template": _POD}),
    "CronJob": ("batch/v1", {"jobTemplate": {"spec": {"template": _POD}}}),
}


@pytest.mark.parametrize("kind", _CONTROLLERS)
def test_rule_for_pods_judges_the_template_of_a_controller(kind: str) -> None:
    case = {
        "conditions": [{"name": "c", "expression": "object.metadata.labels['app'] == 'a'"}],
        "cel": {
            "variables": [{"name": "host", "expression": "object.spec.hostNetwork"}],
            "expressions": [
                {"expression": "variables.host == false", "messageExpression": "string(object.spec.containers[0].name)"}
            ],
        },
    }
    policy = compile_policy(policy_of(case, "Pod"), expression_compiler(ambient()))
    version, spec = _CONTROLLERS[kind]
    body = {"apiVersion": version, "kind": kind, "metadata": {"name": "x", "namespace": "n"}, "spec": spec}
    request = Request(resource_from(body))
    outcomes = [rule.run(request, Answers([])) for rule in policy.rules if rule.kinds is None or kind in rule.kinds]
    assert [outcome.message for outcome in outcomes if isinstance(outcome, Failed)] == ["a"]
