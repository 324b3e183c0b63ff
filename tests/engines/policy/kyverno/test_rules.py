"""What one rule gives for one request, from cases kept as data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.conformance import ROOT

from bartizan.app.ambient import ambient
from bartizan.engines.policy.dialects.kyverno import compile_policy, expression_compiler
from bartizan.engines.policy.lookup import (
    ApiQuestion,
    ConfigMapQuestion,
    GlobalQuestion,
    ImageQuestion,
    LookupFailedError,
)
from bartizan.model.outcome import Broken, Failed, Passed, Skipped
from bartizan.model.request import Request
from bartizan.model.resource import resource_from

if TYPE_CHECKING:
    from bartizan.base.json import Json
    from bartizan.engines.policy.lookup import Question

CASES = yaml.safe_load((ROOT / "tests" / "cases" / "kyverno" / "rules.yaml").read_text())
_WORDS = {Passed: "pass", Failed: "fail", Skipped: "skip", Broken: "error", type(None): "none"}
_MATCH = {"any": [{"resources": {"kinds": ["ConfigMap"]}}]}
_RULE = ("validate", "mutate", "preconditions", "context", "exclude")


class Answers:
    """A lookup that knows what the case says, and nothing more."""

    def __init__(self, known: dict[str, Any]) -> None:
        self._known = known

    def answer(self, question: Question) -> Json:
        """What the case has for a question."""
        match question:
            case ConfigMapQuestion(namespace, name):
                kind, key = "configmaps", f"{namespace}/{name}"
            case ApiQuestion(url, method, data):
                kind, key = "calls", f"{method} {url} {data}".rstrip()
            case ImageQuestion(key):
                kind = "images"
            case GlobalQuestion(key):
                kind = "global"
        if key not in self._known.get(kind, {}):
            raise LookupFailedError(f"no {key}")
        return self._known[kind][key]


def policy_of(case: dict[str, Any]) -> dict[str, Any]:
    """The policy of a case, as a document."""
    own = {"name": "r", **{key: case[key] for key in _RULE if key in case}}
    rules = [{"match": _MATCH, **rule} for rule in [*case.get("before", ()), own]]
    spec = {**case.get("policy", {}), "rules": rules}
    return {"apiVersion": "kyverno.io/v1", "kind": "ClusterPolicy", "metadata": {"name": "p"}, "spec": spec}


def exceptions_of(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The exceptions of a case, as documents."""
    head = {"apiVersion": "kyverno.io/v2", "kind": "PolicyException", "metadata": {"name": "e", "namespace": "n"}}
    return [
        {
            **head,
            "spec": {
                "exceptions": [{"policyName": given["policyName"], "ruleNames": given["ruleNames"]}],
                "match": given["match"],
                **({"conditions": given["conditions"]} if "conditions" in given else {}),
            },
        }
        for given in case.get("exceptions", ())
    ]


def object_of(fields: dict[str, Any]) -> dict[str, Any]:
    """A resource with the fields that a case gives."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "n"}, **fields}


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_rule(case: dict[str, Any]) -> None:
    policy = compile_policy(policy_of(case), expression_compiler(ambient()), exceptions=exceptions_of(case))
    assert not policy.problems
    old = resource_from(object_of(case["old"])) if "old" in case else None
    request = Request(
        resource_from(object_of(case["object"])),
        operation=case.get("operation", "UPDATE" if old else "CREATE"),
        old=old,
    )
    before = json.dumps(request.resource.body)
    (rule,) = [rule for rule in policy.rules if rule.info.id.rule == "r"]
    outcome = rule.run(request, Answers(case.get("answers", {})))
    assert _WORDS[type(outcome)] == case["gives"], outcome
    if isinstance(outcome, Failed):
        assert outcome.message.startswith(case.get("says", ""))
        assert outcome.pointer == case.get("at", outcome.pointer)
    assert json.dumps(request.resource.body) == before, "what is judged may not be changed"
