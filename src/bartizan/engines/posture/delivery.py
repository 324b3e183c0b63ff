"""Checks on safe delivery: disruption budgets, autoscalers, and workloads that select each other's pods."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from bartizan.engines.posture.facts import Conclusion, Fact, Facts, Template
from bartizan.engines.posture.reading import (
    CONTROLLERS,
    Selected,
    containers,
    declared,
    dig,
    match_labels,
    placed,
    pod_labels,
    selects,
)
from bartizan.model.resource import controller_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.base.json import Json
    from bartizan.model.resource import Resource, ResourceId

_NAMED: Final = 5  # workloads a message names; more would bury them
_REPLICATED: Final = frozenset({"Deployment", "StatefulSet"})
_BUDGET: Final = frozenset({"PodDisruptionBudget"})
_AUTOSCALER: Final = frozenset({"HorizontalPodAutoscaler"})


def _observe_budgets(resource: Resource) -> Fact | None:
    spec = resource.body.get("spec")
    if resource.id.kind == "PodDisruptionBudget":
        labels = match_labels(dig(spec, "selector"))
        return ["budget", labels, dig(spec, "minAvailable"), dig(spec, "maxUnavailable")]
    replicas = dig(spec, "replicas")
    return ["workload", pod_labels(resource), replicas if isinstance(replicas, int) else 1]


def _workloads(facts: Facts) -> Selected:
    return Selected(facts, [(i, fact[1]) for i, (_, fact) in enumerate(facts) if fact[0] == "workload"])


def _missing_budget(facts: Facts) -> Iterator[Conclusion]:
    covered: set[int] = set()
    workloads = _workloads(facts)
    for rid, fact in facts:
        if fact[0] == "budget" and fact[1] is not None:
            covered.update(workloads.by(rid.namespace, fact[1]))
    # a budget with expressions may be anybody's: where there is one, nothing is said of its namespace
    unclear = {placed(rid.namespace) for rid, fact in facts if fact[0] == "budget" and fact[1] is None}
    for index, (rid, fact) in enumerate(facts):
        if fact[0] == "workload" and fact[2] > 1 and index not in covered and placed(rid.namespace) not in unclear:
            message = f"runs {fact[2]} replicas without a PodDisruptionBudget: a drain may stop them all at once"
            yield Conclusion(index, "/spec/replicas", message, str(fact[2]))


def _blocked(facts: Facts) -> Iterator[Conclusion]:
    workloads = _workloads(facts)
    for index, (rid, fact) in enumerate(facts):
        if fact[0] != "budget":
            continue
        replicas = sum(facts[i][1][2] for i in workloads.by(rid.namespace, fact[1])) if fact[1] is not None else 0
        most = _share(fact[3], replicas, up=True)
        if fact[3] is not None and most == 0:
            yield Conclusion(index, "/spec/maxUnavailable", "allows no eviction at all: nodes cannot be drained", "0")
        least = _share(fact[2], replicas, up=True)
        if least is not None and replicas and least >= replicas:
            message = f"wants {fact[2]} of {replicas} pods at all times: nodes cannot be drained"
            yield Conclusion(index, "/spec/minAvailable", message, str(fact[2]))


def _share(value: Json, of: int, *, up: bool) -> int | None:
    """A number of pods, or a percentage of them, rounded as the controller does."""
    if isinstance(value, str) and value.endswith("%") and value[:-1].isdecimal():
        exact = int(value[:-1]) * of / 100
        if of == 0:
            return 0 if value == "0%" else 1
        return math.ceil(exact) if up else math.floor(exact)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _observe_autoscaling(resource: Resource) -> Fact | None:
    if resource.id.kind == "HorizontalPodAutoscaler":
        target = dig(resource.body, "spec", "scaleTargetRef")
        return ["autoscaler", str(dig(target, "kind")), str(dig(target, "name"))]
    run = containers(resource)
    without_requests = [str(c.get("name")) for c in run if not dig(c, "resources", "requests", "cpu")]
    without_probe = [str(c.get("name")) for c in run if not c.get("readinessProbe")]
    return ["workload", declared(resource, "replicas"), without_requests, without_probe]


def _targets(facts: Facts) -> Iterator[tuple[int, int]]:
    """Each autoscaler with the workload it scales."""
    workloads = {_key(rid, rid.kind, rid.name): i for i, (rid, fact) in enumerate(facts) if fact[0] == "workload"}
    for index, (rid, fact) in enumerate(facts):
        if fact[0] == "autoscaler":
            target = workloads.get(_key(rid, fact[1], fact[2]))
            if target is not None:
                yield index, target


def _key(rid: ResourceId, kind: str, name: str) -> tuple[str, str, str]:
    return placed(rid.namespace), kind, name


def _without_requests(facts: Facts) -> Iterator[Conclusion]:
    for index, target in _targets(facts):
        names = facts[target][1][2]
        if names:
            message = (
                f"scales `{facts[target][0].name}` by load, but {', '.join(names)} requests no CPU to measure it by"
            )
            yield Conclusion(index, "/spec/scaleTargetRef", message, ", ".join(names))


def _without_probes(facts: Facts) -> Iterator[Conclusion]:
    for index, target in _targets(facts):
        names = facts[target][1][3]
        if names:
            said = f"adds pods of `{facts[target][0].name}` that get traffic at once"
            message = f"{said}: {', '.join(names)} has no readiness probe"
            yield Conclusion(index, "/spec/scaleTargetRef", message, ", ".join(names))


def _fixed_replicas(facts: Facts) -> Iterator[Conclusion]:
    for index, target in _targets(facts):
        replicas = facts[target][1][1]
        if replicas is not None:
            message = f"is scaled by `{facts[index][0].name}`, and each apply sets it back to {replicas} replicas"
            yield Conclusion(target, "/spec/replicas", message, str(replicas))


def _observe_selectors(resource: Resource) -> Fact | None:
    if controller_of(resource.body) is not None:
        return None  # its controller minds that
    labels = match_labels(dig(resource.body, "spec", "selector"))
    return ["workload", labels, pod_labels(resource)]


def _overlapping(facts: Facts) -> Iterator[Conclusion]:
    pods = Selected(facts, [(i, fact[2]) for i, (_, fact) in enumerate(facts)])
    for index, (rid, fact) in enumerate(facts):
        if not fact[1] or not selects(fact[1], fact[2]):
            continue
        selected = pods.by(rid.namespace, fact[1])
        if len(selected) > 1:  # its own pods are one of them
            others = [other for other in selected[: _NAMED + 1] if other != index][:_NAMED]
            names = ", ".join(f"{facts[i][0].kind} {facts[i][0].name}" for i in others)
            more = len(selected) - 1 - len(others)
            message = (
                f"selects the pods of {names}{f' and {more} more' if more else ''} too: they fight over each other's"
            )
            yield Conclusion(index, "/spec/selector", message, names)


_SCALED: Final = CONTROLLERS | _AUTOSCALER
MISSING_DISRUPTION_BUDGET: Final = Template(_REPLICATED | _BUDGET, _REPLICATED, _observe_budgets, _missing_budget)
DISRUPTION_BLOCKED: Final = Template(_REPLICATED | _BUDGET, _BUDGET, _observe_budgets, _blocked)
AUTOSCALED_WITHOUT_REQUESTS: Final = Template(_SCALED, _AUTOSCALER, _observe_autoscaling, _without_requests)
AUTOSCALED_WITHOUT_PROBES: Final = Template(_SCALED, _AUTOSCALER, _observe_autoscaling, _without_probes)
FIXED_REPLICAS: Final = Template(_SCALED, CONTROLLERS, _observe_autoscaling, _fixed_replicas)
OVERLAPPING_SELECTORS: Final = Template(
    frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"}),
    frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"}),
    _observe_selectors,
    _overlapping,
)
