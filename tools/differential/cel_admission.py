"""Random ValidatingAdmissionPolicies without bindings, asked of the peer's command line.

With a binding it forgets what the policy matches; those are asked of the API
server itself, by the tests.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bartizan.app.admission import compile_admission
from bartizan.sources.yaml import Document as Read
from bartizan.sources.yaml import load_documents
from tools.differential import cel_matching as parts
from tools.differential.cel_asking import Asked, differences
from tools.differential.cel_validating import validation

if TYPE_CHECKING:
    from random import Random

    Document = dict[str, Any]

_UNKNOWN = {"userInfo", "namespaceObject"}
"""What a scan of files does not know."""
_CONDITIONS = tuple(text for text in parts.CONDITIONS if "userInfo" not in text)
_VERSION = "admissionregistration.k8s.io/v1"


def compare(chance: Random, number: int, shown: int) -> int:
    """Ask about four times `number` policies, but for those that an API server refuses; how many answers differ."""
    policies = []
    for index in range(number * 4):
        policy = _policy(chance, index)
        read = load_documents(json.dumps(policy).encode(), "p")
        if not compile_admission([item for item in read if isinstance(item, Read)]).problems:
            policies.append(policy)
    resources = [item for item in parts.resources(chance, 8) if item["kind"] != "Namespace"]
    asked = Asked(policies, resources, namespaces=parts.NAMESPACES)
    return differences("cel-admission", asked, shown, same=_same)[1]


def _same(peer: str, here: str) -> bool:
    if peer.startswith("skip"):
        return here == "nothing" or here.startswith("skip")
    return peer.partition(":")[0] == here.partition(":")[0]


def _policy(chance: Random, index: int) -> Document:
    spec: Document = {"matchConstraints": parts.match_constraints(chance), "variables": parts.variables(chance)}
    for rule in [*spec["matchConstraints"]["resourceRules"], *spec["matchConstraints"].get("excludeResourceRules", ())]:
        if "*" in rule["resources"] or "*/*" in rule["resources"]:
            rule["resources"] = ["*"]
    spec["failurePolicy"] = "Fail"  # with the other one the peer leaves out what has no value, and a scan says it
    if chance.random() < 0.4:
        spec["matchConditions"] = [
            item for item in parts.conditions(chance) if not _UNKNOWN & set(item["expression"].split("."))
        ]
    spec["validations"] = [validation(chance, _CONDITIONS, reads=True) for _ in range(chance.choice([1, 1, 2]))]
    return {
        "apiVersion": _VERSION,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": f"p{index:04}"},
        "spec": spec,
    }
