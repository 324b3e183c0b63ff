"""Reading what checks compare out of resources that may be malformed: the wrong type counts as absent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson

from bartizan.model.workload import pod_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.posture.facts import Facts
    from bartizan.model.resource import Resource

CONTROLLERS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"})
"""Workloads that keep pods running, as services and budgets select them."""
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
PODS = CONTROLLERS | {"Pod", "Job", "CronJob"}


def dig(body: Json, *path: str) -> Json:
    """The value at a path of keys; null where there is none."""
    for step in path:
        body = body.get(step) if isinstance(body, dict) else None
    return body


def declared(resource: Resource, field: str) -> Json:
    """A field of `spec` as people wrote it: in a cluster every field has a value, and the last manifest says whose."""
    if not resource.uid:
        return dig(resource.body, "spec", field)
    text = dig(resource.body, "metadata", "annotations", _LAST_APPLIED)
    try:
        return dig(orjson.loads(text), "spec", field) if isinstance(text, str) else None
    except orjson.JSONDecodeError:
        return None


def texts(value: Json) -> dict[str, str]:
    """A map of text to text, such as labels."""
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, dict) else {}


def objects(value: Json) -> list[JsonObject]:
    """The objects in a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def pod_labels(resource: Resource) -> dict[str, str]:
    """The labels of a workload's pods."""
    part = pod_of(resource.id.kind, resource.body)
    return texts(part.metadata.get("labels")) if part else {}


def containers(resource: Resource) -> list[JsonObject]:
    """The containers of a workload that run all the time: sidecars among the init containers, then the others."""
    part = pod_of(resource.id.kind, resource.body)
    if part is None:
        return []
    sidecars = [item for item in objects(part.spec.get("initContainers")) if item.get("restartPolicy") == "Always"]
    return sidecars + objects(part.spec.get("containers"))


def placed(namespace: str) -> str:
    """The namespace a manifest without one is created in."""
    return namespace or "default"


class Selected:
    """Pods by namespace and label, so that a selector meets only pods that have its rarest label."""

    def __init__(self, facts: Facts, pods: Iterable[tuple[int, Mapping[str, str]]]) -> None:
        self._labels: dict[int, Mapping[str, str]] = {}
        self._by_label: dict[tuple[str, str, str], list[int]] = {}
        self._by_namespace: dict[str, list[int]] = {}
        self._known: dict[tuple[str, tuple[tuple[str, str], ...]], list[int]] = {}
        for index, labels in pods:
            namespace = placed(facts[index][0].namespace)
            self._labels[index] = labels
            self._by_namespace.setdefault(namespace, []).append(index)
            for key, value in labels.items():
                self._by_label.setdefault((namespace, key, value), []).append(index)

    def by(self, namespace: str, selector: Mapping[str, str]) -> list[int]:
        """The facts whose pods an equality selector picks; an empty selector picks all of the namespace."""
        where = placed(namespace)
        if not selector:
            return self._by_namespace.get(where, [])
        question = (where, tuple(selector.items()))
        found = self._known.get(question)
        if found is None:
            lists = [self._by_label.get((where, key, value), []) for key, value in selector.items()]
            found = [index for index in min(lists, key=len) if selects(selector, self._labels[index])]
            self._known[question] = found
        return found


def selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether an equality selector picks these labels."""
    return all(labels.get(key) == value for key, value in selector.items())


def match_labels(selector: Json) -> dict[str, str] | None:
    """The equalities of a label selector; `None` where it has expressions, which this does not follow."""
    if not isinstance(selector, dict) or selector.get("matchExpressions"):
        return None
    return texts(selector.get("matchLabels"))
