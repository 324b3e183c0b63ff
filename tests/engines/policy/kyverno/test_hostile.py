"""A policy with anything anywhere in it is compiled, or refused with a place; and what is compiled never crashes."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engines.policy.kyverno.test_rules import CASES, Answers, exceptions_of, object_of, policy_of
from tests.laws import examples
from tests.spoil import spoil

from bartizan.app.ambient import ambient
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno import compile_policy, decode_exception, expression_compiler
from bartizan.model.request import Request, UserInfo
from bartizan.model.resource import resource_from

_COMPILER = expression_compiler(ambient())
_RICH: Final = {
    "case": "every field of a match",
    "policy": {"validationFailureActionOverrides": [{"action": "Enforce", "namespaces": ["n"]}], "background": False},
    "before": [
        {
            "name": "rich",
            "match": {
                "any": [
                    {
                        "resources": {
                            "kinds": ["ConfigMap", "v1/Pod"],
                            "names": ["o*"],
                            "namespaces": ["*"],
                            "operations": ["CREATE"],
                            "annotations": {"a": "b"},
                            "selector": {
                                "matchLabels": {"a": "b"},
                                "matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}],
                            },
                            "namespaceSelector": {"matchLabels": {"a": "*"}},
                        },
                        "subjects": [{"kind": "User", "name": "jo"}],
                        "roles": ["n:r"],
                        "clusterRoles": ["edit"],
                    }
                ]
            },
            "exclude": {"resources": {"kinds": ["Secret"]}},
            "skipBackgroundRequests": True,
            "validate": {
                "failureAction": "Audit",
                "failureActionOverrides": [{"action": "Enforce", "namespaceSelector": {"matchLabels": {"a": "b"}}}],
                "podSecurity": {
                    "level": "restricted",
                    "version": "v1.30",
                    "exclude": [
                        {"controlName": "Capabilities", "images": ["*"], "restrictedField": "x", "values": ["y"]}
                    ],
                },
            },
        }
    ],
    "validate": {"pattern": {"spec": {"=(a)": "!*x & ?*", "^(b)": [{"(c)": ">1"}], "X(d)": None, "+(e)": "1-2 | 5"}}},
    "object": {
        "metadata": {"name": "one", "namespace": "n", "labels": {"a": "b"}, "annotations": {"a": "b"}},
        "spec": {},
    },
}
_ALL: Final = [*CASES, _RICH]


@examples(1000)
@given(st.sampled_from(_ALL), st.data())
def test_no_policy_is_a_bug(case: dict[str, Any], data: st.DataObject) -> None:
    policy = deepcopy(policy_of(case))
    spoil(policy, data)
    try:
        compiled = compile_policy(policy, _COMPILER, exceptions=exceptions_of(case))
    except SpecError:
        return
    user = UserInfo("jo", ("devs",), ("n:r",), ("edit",))
    request = Request(resource_from(object_of(case["object"])), user=user, namespace_labels={"a": "b"})
    for rule in compiled.rules:
        rule.action(request)
        rule.run(request, Answers(case.get("answers", {})))


@examples(300)
@given(st.sampled_from(_ALL), st.data())
def test_no_resource_is_a_bug(case: dict[str, Any], data: st.DataObject) -> None:
    compiled = compile_policy(policy_of(case), _COMPILER, exceptions=exceptions_of(case))
    body = deepcopy(object_of(case["object"]))
    spoil(body, data)
    for rule in compiled.rules:
        rule.run(Request(resource_from(body), user=UserInfo("jo")), Answers(case.get("answers", {})))


@examples(200)
@given(st.sampled_from([case for case in CASES if "exceptions" in case]), st.data())
def test_no_exception_is_a_bug(case: dict[str, Any], data: st.DataObject) -> None:
    exceptions = deepcopy(exceptions_of(case))
    spoil(exceptions[0], data)
    try:
        for exception in exceptions:
            decode_exception(exception)
        compiled = compile_policy(policy_of(case), _COMPILER, exceptions=exceptions)
    except SpecError:
        return
    for rule in compiled.rules:
        rule.run(Request(resource_from(object_of(case["object"]))), Answers({}))


@pytest.mark.parametrize(
    "selector",
    [
        {"matchLabels": 3},
        {"matchLabels": {"a": {}}},
        {"matchExpressions": 3},
        {"matchExpressions": [3]},
        {"matchExpressions": [{"key": "a", "operator": {}}]},
        {"matchExpressions": [{"key": "a", "operator": "Has"}]},
        {"matchExpressions": [{"key": "a", "operator": "In", "values": 3}]},
        {"matchExpressions": [{"key": "a", "operator": "In", "values": [{}]}]},
        {"matchLabel": {"a": "b"}},
    ],
    ids=str,
)
@pytest.mark.parametrize("field", ["selector", "namespaceSelector"])
def test_a_selector_of_the_wrong_shape_is_refused_with_its_place(field: str, selector: Any) -> None:
    policy = policy_of(CASES[0])
    policy["spec"]["rules"][0]["match"] = {"any": [{"resources": {"kinds": ["ConfigMap"], field: selector}}]}
    (problem,) = compile_policy(policy, _COMPILER).problems
    assert problem.pointer.startswith(f"/spec/rules/0/match/any/0/resources/{field}/match")
    assert problem.hint
