"""Random DeletingPolicies, cluster-wide and namespaced: which objects they would delete, and which cannot be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bartizan.app.ambient import ambient
from bartizan.app.policies import compile_document
from bartizan.base.errors import SpecError
from bartizan.engines.policy.chain import run_chain
from bartizan.engines.policy.dialects.kyverno import expression_compiler
from bartizan.engines.policy.lookup import Offline
from bartizan.model.outcome import Broken, Failed, Passed, Skipped
from bartizan.model.request import Request
from bartizan.model.resource import Resource, resource_from
from tools.differential import cel_matching as parts
from tools.differential.cel_asking import Answers, Asked, Key, differences

if TYPE_CHECKING:
    from random import Random

    from bartizan.engines.policy.plan import Rule

    Document = dict[str, Any]

_WORDS = {Passed: "pass", Failed: "fail", Skipped: "skip", Broken: "error"}


def compare(chance: Random, number: int, shown: int) -> int:
    """Ask about `number` policies; how many answers differ."""
    policies = [_policy(chance, index) for index in range(number)]
    asked = Asked(policies, parts.resources(chance, 8), namespaces=parts.NAMESPACES, goes_on=True)
    return differences("cel-deleting", asked, shown, same=_same, us=_ask_us)[1]


def _same(peer: str, here: str) -> bool:
    return peer.partition(":")[0] == here


def _ask_us(asked: Asked) -> Answers:
    answers = Answers({}, {})
    resources = [resource_from(body) for body in asked.resources]
    compiler = expression_compiler(ambient())
    for policy in asked.policies:
        name = policy["metadata"]["name"]
        try:
            rules = compile_document(policy, compiler, asked.exceptions).rules
        except SpecError as error:
            answers.refused[name] = error.message
            continue
        for resource in resources:
            place: Key = (resource.id.kind, resource.id.namespace, resource.id.name)
            for step in run_chain(rules, resource, _request_for, Offline()):
                answers.verdicts[(name, *place)] = _WORDS[type(step.outcome)]
    return answers


def _request_for(rule: Rule, resource: Resource) -> Request:  # noqa: ARG001 (the port's shape)
    labels = parts.NAMESPACES.get(resource.id.namespace, {})
    return Request(resource=resource, namespace_labels=dict(labels))


def _policy(chance: Random, index: int) -> Document:
    spec: Document = {
        "schedule": "* * * * *",
        "matchConstraints": parts.match_constraints(chance, chance.choice(["", "pods", "deployments"])),
    }
    if chance.random() < 0.8:
        spec["conditions"] = parts.conditions(chance)
    if chance.random() < 0.5:
        spec["variables"] = parts.variables(chance)
        reading = {"name": "read", "expression": chance.choice(parts.READING)}
        spec["conditions"] = [*spec.get("conditions", ()), reading]
    metadata: Document = {"name": f"p{index:04}"}
    kind = "DeletingPolicy"
    if chance.random() < 0.2:
        kind, metadata["namespace"] = "NamespacedDeletingPolicy", chance.choice(["shop", "default"])
    return {"apiVersion": "policies.kyverno.io/v1", "kind": kind, "metadata": metadata, "spec": spec}
