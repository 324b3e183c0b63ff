"""A policy with anything anywhere in it is looked at without a bug, and everything said has a place and a level."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.engines.policy.kyverno.test_rules import CASES, policy_of
from tests.laws import examples
from tests.spoil import spoil

from bartizan.app.ambient import ambient
from bartizan.engines.policy.dialects.kyverno.lint import REASONS, lint_exception, lint_policy
from bartizan.lang.jmespath import functions_for

_FUNCTIONS: Final = functions_for(ambient())
_FOLDER: Final = Path(__file__).resolve().parents[4] / "cases" / "lint"
_OWN: Final = [
    {
        "apiVersion": "kyverno.io/v1",
        "kind": case.get("kind", "ClusterPolicy"),
        "metadata": {"name": "p", "namespace": "shop", "annotations": {}},
        "spec": {"rules": yaml.safe_load(case["rules"])},
    }
    for file in sorted(_FOLDER.glob("*.yaml"))
    for cases in yaml.safe_load(file.read_text()).values()
    for case in cases
]
_POLICIES: Final = [*_OWN, *map(policy_of, CASES)]
_EXCEPTION: Final = {
    "apiVersion": "kyverno.io/v2",
    "kind": "PolicyException",
    "metadata": {"name": "e", "namespace": "n"},
    "spec": {"exceptions": [{"policyName": "p", "ruleNames": ["a", "b*"]}], "match": {"any": []}},
}


@examples(1500)
@given(st.sampled_from(_POLICIES), st.data())
def test_no_policy_is_a_bug(policy: dict[str, Any], data: st.DataObject) -> None:
    spoiled = deepcopy(policy)
    spoil(spoiled, data)
    for remark in lint_policy(spoiled, _FUNCTIONS):
        assert remark.rule in REASONS
        assert remark.level in ("error", "warning", "note")
        assert remark.message
        assert remark.pointer == "" or remark.pointer.startswith("/")


@examples(300)
@given(st.data())
def test_no_exception_is_a_bug(data: st.DataObject) -> None:
    spoiled = deepcopy(_EXCEPTION)
    spoil(spoiled, data)
    for remark in lint_exception(spoiled, {"p": frozenset({"a"})}):
        assert remark.message
