"""Rules about policies in CEL: cases as data, a policy and what must be said of it, each where it must stand."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.laws import examples
from tests.spoil import spoil

from bartizan.app.ambient import ambient
from bartizan.app.policy_check import check_policies
from bartizan.app.policy_check.reasons import REASONS
from bartizan.engines.policy.cel.lint.table import RULES
from bartizan.engines.policy.dialects.kyverno.cel.policy import is_cel_policy
from bartizan.engines.policy.dialects.kyverno.lint.cel import lint_cel_exception, lint_cel_policy

FOLDER = Path(__file__).resolve().parents[4] / "cases" / "lint" / "cel"
CASES: dict[str, list[dict[str, Any]]] = {
    rule: cases for file in sorted(FOLDER.glob("*.yaml")) for rule, cases in yaml.safe_load(file.read_text()).items()
}
_OF_PODS = "{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}"


def policy_text(case: dict[str, Any]) -> str:
    """The policy of a case, with what every policy has around it; or its documents, which are written out."""
    if "documents" in case:
        return str(case["documents"])
    constraints = f"matchConstraints:\n  resourceRules:\n  - {case.get('rule', _OF_PODS)}\n"
    return (
        f"apiVersion: policies.kyverno.io/{case.get('version', 'v1')}\n"
        f"kind: {case.get('kind', 'ValidatingPolicy')}\n"
        "metadata: {name: p}\n"
        "spec:\n" + indent(f"{constraints}{case['spec'].rstrip()}\n", "  ")
    )


@pytest.mark.parametrize(
    ("rule", "case"),
    [pytest.param(rule, case, id=f"{rule}: {case['name']}") for rule, cases in CASES.items() for case in cases],
)
def test_what_is_said_and_where(rule: str, case: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(policy_text(case))
    everything = check_policies([file]).remarks
    said = [remark for remark in everything if remark.rule == rule]
    shown = "\n".join(f"{item.at}: {item.level}: {item.rule}: {item.message} {item.hint}" for item in everything)
    assert len(said) == len(case["expect"]), shown
    for wanted in case["expect"]:
        assert any(
            item.level == wanted["level"]
            and wanted["says"] in f"{item.message}. {item.hint}"
            and item.line[item.at.column - 1 :].startswith(wanted["at"])
            for item in said
        ), f"nothing says {wanted}:\n{shown}"


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_every_rule_has_cases_of_both_sides(rule: str) -> None:
    cases = CASES.get(rule, [])
    assert any(case["expect"] for case in cases)
    assert any(not case["expect"] for case in cases)


def test_every_rule_has_a_reason_in_one_sentence() -> None:
    for _, why in REASONS.values():
        assert why.endswith(".")
        assert why.count(". ") == 0


def test_cases_name_rules_that_exist() -> None:
    assert set(CASES) <= set(REASONS)


_POLICIES = [yaml.safe_load(policy_text(case)) for cases in CASES.values() for case in cases if "spec" in case]


@examples(600)
@given(st.sampled_from(_POLICIES), st.data())
def test_no_policy_is_a_bug(policy: dict[str, Any], data: st.DataObject) -> None:
    spoiled = deepcopy(policy)
    spoil(spoiled, data)
    if not is_cel_policy(spoiled):
        return
    for remark in lint_cel_policy(spoiled, ambient()):
        assert remark.rule in REASONS
        assert remark.message
        assert remark.pointer == "" or remark.pointer.startswith("/")


EXCEPTION = {
    "apiVersion": "policies.kyverno.io/v1",
    "kind": "PolicyException",
    "metadata": {"name": "e", "namespace": "n"},
    "spec": {"policyRefs": [{"name": "p", "kind": "ValidatingPolicy"}], "expiresAt": "2999-01-01T00:00:00Z"},
}
_KNOWN = [("ValidatingPolicy", "p"), ("MutatingPolicy", "m")]


@pytest.mark.parametrize(
    ("spec", "expect"),
    [
        pytest.param({}, [], id="for a policy that is there"),
        pytest.param(
            {"policyRefs": [{"name": "q", "kind": "ValidatingPolicy"}]},
            [("stray-exception", "/spec/policyRefs/0/name", "no ValidatingPolicy `q`")],
            id="for one that is not",
        ),
        pytest.param(
            {"policyRefs": [{"name": "m", "kind": "ValidatingPolicy"}]},
            [("stray-exception", "/spec/policyRefs/0/kind", "`m` is a MutatingPolicy")],
            id="for one of another kind",
        ),
        pytest.param(
            {"expiresAt": "2020-01-01T00:00:00Z"},
            [("ended-exception", "/spec/expiresAt", "it ended at")],
            id="that has ended",
        ),
        pytest.param({"expiresAt": None}, [("endless-exception", "/spec", "without an end")], id="without an end"),
        pytest.param({"expiresAt": "soon"}, [("unreadable-policy", "/spec/expiresAt", "no moment")], id="no moment"),
        pytest.param(
            {"policyRefs": []}, [("unreadable-policy", "/spec/policyRefs", "is for no policy")], id="for nothing"
        ),
    ],
)
def test_exceptions(spec: dict[str, Any], expect: list[tuple[str, str, str]]) -> None:
    document = {**EXCEPTION, "spec": {**EXCEPTION["spec"], **spec}}  # type: ignore[dict-item]  # as YAML has it
    said = list(lint_cel_exception(document, _KNOWN, ambient().now()))
    assert [(item.rule, item.pointer) for item in said] == [(rule, at) for rule, at, _ in expect]
    assert all(words in item.message for item, (_, _, words) in zip(said, expect, strict=True))


@examples(200)
@given(st.data())
def test_no_exception_is_a_bug(data: st.DataObject) -> None:
    spoiled: dict[str, Any] = deepcopy(EXCEPTION)
    spoil(spoiled, data)
    for remark in lint_cel_exception(spoiled, _KNOWN, ambient().now()):
        assert remark.message
