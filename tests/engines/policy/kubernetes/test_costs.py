"""What the expressions of a policy may cost, without a server: a quick evaluation says what a counted one says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.engines.policy.kubernetes.cases import CASE_LABEL, AdmissionCase, load_cases

from bartizan.app.given_world import GivenWorld
from bartizan.engines.policy.dialects.kubernetes.admission import mutate, rule_on
from bartizan.engines.policy.dialects.kubernetes.metering import Budget, meter_for
from bartizan.engines.policy.dialects.kubernetes.policy import compile_policies
from bartizan.model.request import Request
from bartizan.model.resource import resource_from

if TYPE_CHECKING:
    from bartizan.engines.policy.cel.names import Names
    from bartizan.lang.cel.limits import Meter

KINDS = ("costs", "validating", "mutating")
SLOW = ("too much work", "too much work in all")  # and nothing that other cases do not have
CASES = [case for case in load_cases() if case.name.startswith(KINDS) and case.note not in SLOW]
ENDS = ("running out of cost budget", "actual cost limit exceeded")


def _said(case: AdmissionCase) -> list[str]:
    compiled = compile_policies(case.policies)
    labels = {CASE_LABEL: case.name}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": case.name, "labels": labels}}
    world = GivenWorld(lambda: [resource_from(namespace)], is_whole=True)
    said = []
    for asked in case.requests:
        if asked.verb != "create":
            continue
        metadata: dict[str, Any] = {"name": "unnamed", **asked.body["metadata"], "namespace": case.name}
        resource = resource_from({**asked.body, "metadata": metadata})
        request = Request(resource, namespace=namespace, namespace_labels=labels)
        made = mutate(compiled.policies, request, world)
        said.append(f"{made} {rule_on(compiled.policies, request, world)}")
    return said


@pytest.mark.parametrize("case", CASES, ids=[f"{case.name}: {case.note}" for case in CASES])
def test_counting_changes_nothing(case: AdmissionCase, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = _said(case)

    def counted(budget: Budget, names: Names, *, counted: bool) -> Meter:
        del counted
        names.account = meter = meter_for(names, budget.total)
        return meter

    monkeypatch.setattr(Budget, "open", counted)
    assert _said(case) == quick


def test_the_cases_come_to_both_limits() -> None:
    said = [text for case in CASES if case.name.startswith("costs-1") for text in _said(case)]
    for end in ENDS:
        assert any(end in text for text in said)
    assert any(not any(end in text for end in ENDS) for text in said)
