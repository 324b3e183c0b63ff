"""Which exceptions lift a rule for a request, from cases kept as data."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import yaml
from tests.conformance import ROOT

from bartizan.app.ambient import ambient
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno import compile_policy, decode_exception, expression_compiler
from bartizan.engines.policy.lookup import Offline
from bartizan.model.outcome import Broken, Failed, Passed, Skipped
from bartizan.model.request import Request, UserInfo
from bartizan.model.resource import resource_from

CASES = yaml.safe_load((ROOT / "tests" / "cases" / "kyverno" / "exceptions.yaml").read_text())
_WORDS = {Passed: "pass", Failed: "fail", Skipped: "skip", Broken: "error", type(None): "none"}


def _policy(case: dict[str, Any]) -> dict[str, Any]:
    kinds = ["ConfigMap", "Pod", "Namespace"]
    rule = {"name": "check", "match": {"any": [{"resources": {"kinds": kinds}}]}, "validate": {"deny": {}}}
    rule = {key: value for key, value in {**rule, **case.get("rule", {})}.items() if value is not None}
    metadata = {"name": "p", **({"namespace": "n"} if case.get("namespaced") else {})}
    kind = "Policy" if case.get("namespaced") else "ClusterPolicy"
    return {"apiVersion": "kyverno.io/v1", "kind": kind, "metadata": metadata, "spec": {"rules": [rule]}}


def _exception(number: int, given: dict[str, Any]) -> dict[str, Any]:
    named = {"policyName": given.get("policy", "p"), "ruleNames": given.get("names", ["check"])}
    kinds = ["ConfigMap", "Pod"]
    spec = {"exceptions": [named], "match": {"any": [{"resources": {"kinds": kinds}}]}, **given.get("spec", {})}
    metadata = {"name": given.get("name", f"e{number}"), "namespace": given.get("namespace", "n")}
    return {"apiVersion": "kyverno.io/v2", "kind": "PolicyException", "metadata": metadata, "spec": spec}


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_exception(case: dict[str, Any]) -> None:
    exceptions = [_exception(number, given) for number, given in enumerate(case["exceptions"])]
    policy = compile_policy(_policy(case), expression_compiler(ambient()), exceptions=exceptions)
    assert not policy.problems
    metadata = {"name": "one", "namespace": "n"}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, **case.get("object", {})}
    user = msgspec.convert(case["user"], UserInfo) if "user" in case else None
    (rule,) = [rule for rule in policy.rules if rule.info.id.rule == case.get("judged", "check")]
    outcome = rule.run(Request(resource_from(body), user=user), Offline())
    waived_by = case.get("waived_by", "")
    assert _WORDS[type(outcome)] == case.get("gives", "skip" if waived_by else "fail"), outcome
    assert (outcome.waived_by if isinstance(outcome, Skipped) else "") == waived_by


REFUSED = [
    ("no spec", {}, "", "needs a `spec`"),
    ("no rule names", {"spec": {"exceptions": [{"policyName": "p"}]}}, "/spec/exceptions/0", "ruleNames"),
    ("an unknown field", {"spec": {"exceptions": [], "until": "2027"}}, "/spec/until", "unknown field"),
]


@pytest.mark.parametrize(("name", "fields", "at", "says"), REFUSED, ids=[case[0] for case in REFUSED])
def test_exception_is_refused(name: str, fields: dict[str, Any], at: str, says: str) -> None:
    with pytest.raises(SpecError, match=says) as error:
        decode_exception(
            {"apiVersion": "kyverno.io/v2", "kind": "PolicyException", "metadata": {"name": name}, **fields}
        )
    assert error.value.pointer == at
    assert error.value.hint


def test_filter_outside_any_and_all_is_a_problem() -> None:
    """The API server would drop or refuse it; dropped, the exception would lift less than it says."""
    spec = {"match": {"resources": {"kinds": ["Pod"]}}}
    policy = compile_policy(_policy({}), expression_compiler(ambient()), exceptions=[_exception(0, {"spec": spec})])
    (problem,) = policy.problems
    assert "outside `any` and `all`" in problem.message
