"""Which rules Kyverno makes for pod controllers, and what becomes of them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.conformance import ROOT

from bartizan.app.ambient import ambient
from bartizan.engines.policy.dialects.kyverno import compile_policy, expression_compiler
from bartizan.engines.policy.dialects.kyverno.autogen import ANNOTATION, generated_rules

CASES = yaml.safe_load((ROOT / "tests" / "cases" / "kyverno" / "autogen.yaml").read_text())


def _rule(number: int, given: dict[str, Any]) -> dict[str, Any]:
    blocks = {
        block: {"any": [{"resources": one} for one in given[block]]} for block in ("match", "exclude") if block in given
    }
    return {"name": f"r{number}", **blocks, "validate": given.get("validate", {"deny": {}})}


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_autogen(case: dict[str, Any]) -> None:
    rules = [_rule(number, given) for number, given in enumerate(case["rules"])]
    annotations = {ANNOTATION: case["annotation"]} if "annotation" in case else {}
    made = generated_rules(rules, annotations)
    assert {one.rule["name"]: sorted(one.kinds) for one in made} == case["gives"]
    metadata = {"name": "p", "annotations": annotations}
    document = {
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": metadata,
        "spec": {"rules": rules},
    }
    policy = compile_policy(document, expression_compiler(ambient()))
    assert [rule.info.id.rule for rule in policy.rules] == [*(rule["name"] for rule in rules), *case["gives"]]


def test_patterns_variables_and_names_move_under_the_template() -> None:
    rule = {
        "name": "n" * 63,
        "match": {"resources": {"kinds": ["Pod"]}},
        "preconditions": {"all": [{"key": "{{ request.object.metadata.name }}", "operator": "Equals", "value": "x"}]},
        "validate": {
            "message": "{{ request.oldObject.spec.a }}",
            "pattern": {"spec": {"a": "{{request.object.spec.b}}"}},
        },
    }
    (made,) = generated_rules([rule], {ANNOTATION: "CronJob"})
    below = "spec.jobTemplate.spec.template"
    assert made.rule == {
        "name": f"autogen-cronjob-{'n' * 47}",
        "match": {"resources": {"kinds": ["batch/v1/CronJob"]}},
        "preconditions": {
            "all": [{"key": f"{{{{ request.object.{below}.metadata.name }}}}", "operator": "Equals", "value": "x"}]
        },
        "validate": {
            "message": f"{{{{ request.oldObject.{below}.spec.a }}}}",
            "pattern": {
                "spec": {
                    "jobTemplate": {"spec": {"template": {"spec": {"a": f"{{{{request.object.{below}.spec.b}}}}"}}}}
                }
            },
        },
    }
