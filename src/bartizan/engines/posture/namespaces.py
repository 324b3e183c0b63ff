"""Checks on namespaces: what every one of them should hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.engines.posture.facts import Conclusion, Fact, Facts, Template
from bartizan.engines.posture.reading import dig, placed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.model.resource import Resource

_SYSTEM: Final = frozenset({"kube-system", "kube-public", "kube-node-lease"})
_NAMESPACE: Final = frozenset({"Namespace"})


def _observe(resource: Resource) -> Fact | None:
    match resource.id.kind:
        case "Namespace":
            return None if resource.id.name in _SYSTEM else ["namespace"]
        case "NetworkPolicy":
            spec = resource.body.get("spec")
            everything = not dig(spec, "podSelector", "matchLabels") and not dig(
                spec, "podSelector", "matchExpressions"
            )
            types = dig(spec, "policyTypes")
            ingress = "Ingress" in types if isinstance(types, list) else True
            return ["deny"] if everything and ingress and not dig(spec, "ingress") else None
        case _:
            return ["quota"]


def _without(word: str, message: str) -> Template:
    kind = "NetworkPolicy" if word == "deny" else "ResourceQuota"

    def conclude(facts: Facts) -> Iterator[Conclusion]:
        held = {placed(rid.namespace) for rid, fact in facts if fact[0] == word}
        for index, (rid, fact) in enumerate(facts):
            if fact[0] == "namespace" and rid.name not in held:
                yield Conclusion(index, "/metadata/name", message)

    return Template(_NAMESPACE | {kind}, _NAMESPACE, _observe, conclude)


MISSING_DEFAULT_DENY: Final = _without("deny", "has no NetworkPolicy that denies by default: every pod may be reached")
MISSING_QUOTA: Final = _without("quota", "has no ResourceQuota: what runs in it may take the whole cluster")
