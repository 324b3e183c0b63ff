"""Rules about policies: cases as data, a policy and what must be said of it, each where it must stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bartizan.app.policy_check import check_policies
from bartizan.engines.policy.dialects.kyverno.lint import REASONS
from bartizan.engines.policy.dialects.kyverno.lint.table import RULES

FOLDER = Path(__file__).resolve().parents[4] / "cases" / "lint"
CASES: dict[str, list[dict[str, Any]]] = {
    rule: cases for file in sorted(FOLDER.glob("*.yaml")) for rule, cases in yaml.safe_load(file.read_text()).items()
}


def policy_text(case: dict[str, Any]) -> str:
    """The policy of a case, with what every policy has around its rules."""
    namespace = f", namespace: {case['namespace']}" if "namespace" in case else ""
    annotations = f", annotations: {{{case['annotations']}}}" if "annotations" in case else ""
    lines = [
        "apiVersion: kyverno.io/v1",
        f"kind: {case.get('kind', 'ClusterPolicy')}",
        f"metadata: {{name: p{namespace}{annotations}}}",
        "spec:",
        *([f"  {case['spec']}"] if "spec" in case else []),
        "  rules:" if case["rules"].startswith("-") else f"  rules: {case['rules']}",
    ]
    rules = [f"  {line}" for line in case["rules"].splitlines()] if case["rules"].startswith("-") else []
    return "\n".join([*lines, *rules]) + "\n"


@pytest.mark.parametrize(
    ("rule", "case"),
    [pytest.param(rule, case, id=f"{rule}: {case['name']}") for rule, cases in CASES.items() for case in cases],
)
def test_what_is_said_and_where(rule: str, case: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(policy_text(case))
    said = [remark for remark in check_policies([file]).remarks if remark.rule == rule]
    shown = "\n".join(f"{item.at}: {item.level}: {item.message} {item.hint}" for item in said)
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
    assert len(REASONS) == len(RULES) + 1, "two rules have one id"
    for _, why in REASONS.values():
        assert why.endswith(".")
        assert why[0].isupper() or why.startswith("`")


def test_cases_name_rules_that_exist() -> None:
    assert set(CASES) <= set(REASONS)
