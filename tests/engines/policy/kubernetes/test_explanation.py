"""Explanations of Kubernetes' own policies: the verdict is the policy's own, and what decided is marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.engines.policy.kubernetes.cases import load_cases
from tests.engines.policy.kyverno.test_explain import coherent
from tests.engines.policy.kyverno.test_explain_cel import plain

from bartizan.app.given_world import GivenWorld
from bartizan.engines.policy.dialects.kubernetes.explanation import watch_admission
from bartizan.engines.policy.dialects.kubernetes.policy import compile_policies
from bartizan.model.request import Request, UserInfo
from bartizan.model.resource import resource_from

if TYPE_CHECKING:
    from tests.engines.policy.kubernetes.cases import AdmissionCase

_OPERATIONS: dict[str, Any] = {"create": "CREATE", "update": "UPDATE", "delete": "DELETE", "connect": "CONNECT"}


@pytest.mark.parametrize("case", load_cases(), ids=lambda case: f"{case.name}: {case.note}")
def test_explains_the_outcome_of_the_policy_itself(case: AdmissionCase) -> None:
    """LAW: the outcome that is explained is the one the rule has when nobody watches; and the tree agrees with it."""
    compiled = compile_policies(case.policies)
    watched, problems = watch_admission(case.policies)
    assert [item.rule.info.id for item in watched] == [rule.info.id for rule in compiled.rules]
    assert len(problems) == len(compiled.problems)
    world = GivenWorld(lambda: [resource_from(item) for item in case.objects])
    labels = {"bartizan.test/case": case.name}
    for asked in case.requests[:12]:
        operation = _OPERATIONS.get(asked.verb)
        if operation is None:
            continue
        body = {**asked.body, "metadata": {"namespace": case.name, **(asked.body.get("metadata") or {})}}
        resource = resource_from(body)
        old = resource if operation == "UPDATE" else None
        user = UserInfo(asked.user or "u", asked.groups)
        request = Request(resource, operation, old, user, subresource=asked.part, namespace_labels=labels)
        for rule, item in zip(compiled.rules, watched, strict=True):
            kinds = rule.kinds
            outcome = rule.run(request, world) if kinds is None or resource.id.kind in kinds else None
            explained = item.explain(request, world)
            assert plain(explained.outcome) == plain(outcome)
            coherent(explained)
