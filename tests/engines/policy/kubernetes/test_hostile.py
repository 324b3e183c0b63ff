"""A policy, binding, parameter or object with anything anywhere in it is judged or refused, and never a bug."""

from __future__ import annotations

from copy import deepcopy

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.engines.policy.kubernetes.cases import load, load_cases
from tests.laws import examples
from tests.spoil import spoil

from bartizan.app.given_world import GivenWorld
from bartizan.engines.policy.chain import run_chain
from bartizan.engines.policy.dialects.kubernetes.admission import mutate, rule_on
from bartizan.engines.policy.dialects.kubernetes.explanation import watch_admission
from bartizan.engines.policy.dialects.kubernetes.policy import compile_policies
from bartizan.model.request import Request, UserInfo
from bartizan.model.resource import resource_from

_CASES = load_cases()
_BANK = [body for name, body in load("objects.yaml").items() if not name.startswith("kept")]
_CLUSTER = load("cluster.yaml")


@given(st.data())
@examples(150)
def test_never_a_bug(data: st.DataObject) -> None:
    case = deepcopy(data.draw(st.sampled_from(_CASES)))
    body = deepcopy(data.draw(st.sampled_from(_BANK)))
    documents, held = case.policies, [*case.objects, *deepcopy(_CLUSTER)]
    spoil(data.draw(st.sampled_from([*documents, body, *held])), data)
    compiled = compile_policies(documents)
    for wrong in compiled.problems:
        assert "\n" not in wrong.error.message
    world = GivenWorld(lambda: [resource_from(item) for item in held])
    resource = resource_from(body)
    for operation in ("CREATE", "UPDATE", "DELETE"):
        request = Request(resource, operation, resource, UserInfo("u", ("authors",)))  # type: ignore[arg-type]  # as listed
        mutate(compiled.policies, request, world)
        rule_on(compiled.policies, request, world)
    run_chain(compiled.rules, resource, lambda _rule, about: Request(about), world)
    for item in watch_admission(documents)[0]:
        explained = item.explain(Request(resource), world)
        assert explained.root.children
        msgspec.json.encode(explained.root)
