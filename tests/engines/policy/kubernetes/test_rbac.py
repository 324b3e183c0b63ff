"""Who may do what by RBAC objects, as a table; the differential test asks the API server the same."""

from __future__ import annotations

from typing import Any

import pytest
from tests.engines.policy.kubernetes.cases import load

from bartizan.app.given_world import GivenWorld
from bartizan.engines.policy.cel.rbac import decide, rbac_of
from bartizan.engines.policy.cel.reviews import access_review
from bartizan.engines.policy.lookup import AccessQuestion, LookupFailedError
from bartizan.model.resource import resource_from

TABLE = load("../rbac.yaml")
_RESOURCES = [resource_from({"apiVersion": "rbac.authorization.k8s.io/v1", **item}) for item in TABLE["objects"]]


def _question(ask: dict[str, Any]) -> AccessQuestion:
    given = {"user": "alice", "groups": ["dev", "system:authenticated"], **ask}
    if given["user"] != "alice" and "groups" not in ask:
        given["groups"] = ["system:authenticated"]
    return AccessQuestion(**{**given, "groups": tuple(given["groups"])})


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["note"])
def test_decision(case: dict[str, Any]) -> None:
    verdict = decide(_question(case["ask"]), rbac_of(GivenWorld(lambda: _RESOURCES)))
    assert verdict.allowed is ("allowed" in case)
    assert case.get("allowed", case.get("said", "")) in verdict.reason
    if not verdict.allowed and "said" not in case:
        assert verdict.reason == ""


def test_what_manifests_do_not_tell_is_unknown() -> None:
    question = _question({"user": "carol", "verb": "get", "resource": "pods", "namespace": "shop"})
    with pytest.raises(LookupFailedError, match="gone"):
        GivenWorld(lambda: _RESOURCES).answer(question)
    assert GivenWorld(lambda: _RESOURCES, is_whole=True).answer(question)["allowed"] is False
    with pytest.raises(LookupFailedError, match="no RBAC objects"):
        GivenWorld(lambda: ()).answer(question)


def test_review_of_a_question() -> None:
    question = AccessQuestion(
        "u",
        ("g",),
        "list",
        "apps",
        "deployments",
        namespace="n",
        label_selector="a in (b,c),!d,e!=f",
        extra='{"k":["v"]}',
    )
    attributes = {"verb": "list", "group": "apps", "version": "*", "resource": "deployments", "namespace": "n"}
    requirements = [
        {"key": "a", "operator": "In", "values": ["b", "c"]},
        {"key": "d", "operator": "DoesNotExist"},
        {"key": "e", "operator": "NotIn", "values": ["f"]},
    ]
    assert access_review(question)["spec"] == {
        "user": "u",
        "groups": ["g"],
        "extra": {"k": ["v"]},
        "resourceAttributes": {**attributes, "labelSelector": {"requirements": requirements}},
    }
    path = access_review(AccessQuestion("u", (), "get", path="/healthz"))
    assert path["spec"]["nonResourceAttributes"] == {"path": "/healthz", "verb": "get"}
