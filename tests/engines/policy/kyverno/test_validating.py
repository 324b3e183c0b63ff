"""What a ValidatingPolicy gives for one request, from cases kept as data, and for the controllers of pods."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.conformance import ROOT

from bartizan.app.ambient import ambient
from bartizan.app.given_world import GivenWorld
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno.cel.policy import compile_cel_policy
from bartizan.model.outcome import Broken, Failed, Passed, Skipped
from bartizan.model.request import Request
from bartizan.model.resource import payload_from, resource_from

CASES = yaml.safe_load((ROOT / "tests" / "cases" / "kyverno" / "validating.yaml").read_text())
_WORDS = {Passed: "pass", Failed: "fail", Skipped: "skip", Broken: "error", type(None): "none"}
_RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}


def policy_of(case: dict[str, Any]) -> dict[str, Any]:
    """The policy of a case, as a document."""
    rules = [{**_RULE, **case.get("rule", {})}]
    spec = {"matchConstraints": {"resourceRules": rules, **case.get("match", {})}, **case["spec"]}
    return {
        "apiVersion": "policies.kyverno.io/v1",
        "kind": case.get("kind", "ValidatingPolicy"),
        "metadata": {"name": "p", "namespace": case.get("namespace", "")},
        "spec": spec,
    }


def exceptions_of(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The exceptions of a case, as documents."""
    for_this = [{"name": "p", "kind": case.get("kind", "ValidatingPolicy")}]
    return [
        {
            "apiVersion": "policies.kyverno.io/v1",
            "kind": "PolicyException",
            "metadata": {"name": f"e{index}", "namespace": "n"},
            "spec": {"policyRefs": for_this, **spec},
        }
        for index, spec in enumerate(case.get("exceptions", []))
    ]


def request_of(case: dict[str, Any]) -> Request:
    """The request of a case."""
    if "payload" in case:
        return Request(payload_from(case["payload"], "payload.json"), payload="json")
    body, old = ({**_CONFIG_MAP, **case[key]} if key in case else None for key in ("object", "old"))
    assert body is not None
    operation = case.get("operation", "UPDATE" if old else "CREATE")
    return Request(resource_from(body), operation=operation, old=resource_from(old) if old else None)


_CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "n"}}


@pytest.mark.parametrize("case", [case for case in CASES if "gives" in case], ids=lambda case: case["case"])
def test_policy(case: dict[str, Any]) -> None:
    policy = compile_cel_policy(policy_of(case), ambient(), exceptions=exceptions_of(case))
    world = [resource_from(body) for body in case.get("world", [])]
    (rule,) = policy.rules
    outcome = rule.run(request_of(case), GivenWorld(lambda: world, is_whole=False))
    assert _WORDS[type(outcome)] == case["gives"], outcome
    if "says" in case:
        assert said(outcome) == case["says"]


def said(outcome: object) -> str:
    """The words of an outcome."""
    match outcome:
        case Failed(message) | Passed(message):
            return message
        case Skipped(because):
            return because
        case Broken(error):
            return error
    return ""


@pytest.mark.parametrize("case", [case for case in CASES if "refused" in case], ids=lambda case: case["case"])
def test_refused(case: dict[str, Any]) -> None:
    with pytest.raises(SpecError) as refused:
        compile_cel_policy(policy_of(case), ambient(), exceptions=exceptions_of(case))
    assert case["refused"] in refused.value.message
    assert refused.value.pointer == case["at"]


_POD = {
    "metadata": {"labels": {"app": "a"}},
    "spec": {"hostNetwork": True, "containers": [{"name": "a", "image": "b"}]},
}
_CONTROLLERS = {
    "Pod": ("v1", {**_POD, "metadata": {"name": "x", "labels": {"app": "a"}}}),
    "Deployment": ("apps/v1", {"spec": {"template": _POD}}),
    "CronJob": ("batch/v1", {"spec": {"jobTemplate": {"spec": {"template": _POD}}}}),
    "JobSet": ("jobset.x-k8s.io/v1", {"spec": {"replicatedJobs": [{"template": {"spec": {"template": _POD}}}]}}),
}
_OF_PODS = {
    "rule": {"resources": ["pods"]},
    "spec": {
        "autogen": {"podControllers": {"controllers": ["deployments", "cronjobs", "jobsets.v1.jobset.x-k8s.io"]}},
        "validations": [
            {
                "expression": "!object.spec.hostNetwork || object.metadata.namespace != 'n'",
                "messageExpression": "'of ' + object.metadata.labels.app",
            }
        ],
    },
}


@pytest.mark.parametrize("kind", _CONTROLLERS)
def test_controllers_are_judged_by_their_pods(kind: str) -> None:
    version, body = _CONTROLLERS[kind]
    metadata = {"name": "x", "namespace": "n", **body.get("metadata", {})}
    request = Request(resource_from({"apiVersion": version, "kind": kind, **body, "metadata": metadata}))
    policy = compile_cel_policy(policy_of(_OF_PODS), ambient())
    outcomes = [rule.run(request, GivenWorld(list, is_whole=False)) for rule in policy.rules]
    (outcome,) = (outcome for outcome in outcomes if outcome is not None)
    place = " (pod template at spec.replicatedJobs[0].template.spec.template)" if kind == "JobSet" else ""
    assert said(outcome) == f"of a{place}"


@pytest.mark.parametrize(
    "narrower",
    [
        {"match": {"objectSelector": {"matchLabels": {"a": "b"}}}},
        {"rule": {"resources": ["pods"], "resourceNames": ["a"]}},
        {"rule": {"resources": ["pods", "services"]}},
    ],
)
def test_a_policy_about_some_pods_is_for_no_controller(narrower: dict[str, Any]) -> None:
    assert len(compile_cel_policy(policy_of({**_OF_PODS, **narrower}), ambient()).rules) == 1
