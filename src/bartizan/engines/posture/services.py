"""Checks on Services: what they select, and the ports they promise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.engines.posture.facts import Conclusion, Fact, Facts, Template
from bartizan.engines.posture.reading import PODS, Selected, containers, dig, objects, pod_labels, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.model.resource import Resource

_TRACKS: Final = ("track", "version", "color", "colour", "slot", "app.kubernetes.io/version", "release-track")
_ENDPOINTS: Final = frozenset({"Endpoints", "EndpointSlice"})
_SERVICE: Final = frozenset({"Service"})


def _observe(resource: Resource) -> Fact | None:
    kind = resource.id.kind
    if kind == "Service":
        spec = resource.body.get("spec")
        ports = [dig(port, "targetPort") or dig(port, "port") for port in objects(dig(spec, "ports"))]
        return ["service", texts(dig(spec, "selector")), str(dig(spec, "type") or ""), ports]
    if kind in _ENDPOINTS:
        name = dig(resource.body, "metadata", "labels", "kubernetes.io/service-name") or resource.id.name
        return ["endpoints", str(name)]
    if kind == "ReplicaSet" and dig(resource.body, "spec", "replicas") == 0:
        return None  # of a release that is no more
    labels = pod_labels(resource)
    declared = [port for container in containers(resource) for port in objects(container.get("ports"))]
    return ["pod", labels, [[port.get("name"), port.get("containerPort")] for port in declared]]


def _pods(facts: Facts) -> Selected:
    return Selected(facts, [(i, fact[1]) for i, (_, fact) in enumerate(facts) if fact[0] == "pod"])


def _services(facts: Facts) -> Iterator[tuple[int, str, Fact]]:
    for index, (rid, fact) in enumerate(facts):
        if fact[0] == "service" and fact[2] != "ExternalName":
            yield index, rid.namespace, fact


def _dangling(facts: Facts) -> Iterator[Conclusion]:
    pods = _pods(facts)
    for index, namespace, fact in _services(facts):
        if fact[1] and not pods.by(namespace, fact[1]):
            said = ", ".join(f"{key}={value}" for key, value in fact[1].items())
            yield Conclusion(index, "/spec/selector", f"selects no pods: nothing here has the labels {said}", said)


def _unknown_port(facts: Facts) -> Iterator[Conclusion]:
    pods = _pods(facts)
    for index, namespace, fact in _services(facts):
        chosen = pods.by(namespace, fact[1]) if fact[1] else []
        declared = [port for pod in chosen for port in facts[pod][1][2]]
        if not declared:
            continue  # pods need not declare their ports, and then nothing is known
        known: set[Any] = {value for port in declared for value in port if value is not None}
        for number, target in enumerate(fact[3]):
            if target not in known:
                pointer = f"/spec/ports/{number}"
                yield Conclusion(
                    index, pointer, f"sends to port `{target}`, which its pods do not declare", str(target)
                )


def _undeclared(facts: Facts) -> Iterator[Conclusion]:
    declared = {(rid.namespace, fact[1]) for rid, fact in facts if fact[0] == "endpoints"}
    for index, (rid, fact) in enumerate(facts):
        leads_nowhere = fact[0] == "service" and not fact[1] and fact[2] != "ExternalName"
        if leads_nowhere and (rid.namespace, rid.name) not in declared:
            message = "has neither a selector nor an EndpointSlice: nothing says where it leads"
            yield Conclusion(index, "/spec", message)


def _several_tracks(facts: Facts) -> Iterator[Conclusion]:
    """A service over pods of several tracks, where another service of the namespace picks one of them."""
    pods = _pods(facts)
    picky: dict[tuple[str, str], bool] = {}
    for _, namespace, fact in _services(facts):
        for key in _TRACKS:
            if key in fact[1]:
                picky[namespace, key] = True
    for index, namespace, fact in _services(facts):
        for key in _TRACKS:
            if key in fact[1] or not picky.get((namespace, key)):
                continue
            values = sorted({facts[pod][1][1][key] for pod in pods.by(namespace, fact[1]) if key in facts[pod][1][1]})
            if fact[1] and len(values) > 1:
                message = f"sends to every `{key}` at once ({', '.join(values)}), while another Service picks one"
                yield Conclusion(index, "/spec/selector", message, ", ".join(values))


DANGLING_SERVICE: Final = Template(PODS | _SERVICE, _SERVICE, _observe, _dangling)
UNKNOWN_TARGET_PORT: Final = Template(PODS | _SERVICE, _SERVICE, _observe, _unknown_port)
UNDECLARED_EXTERNAL: Final = Template(_ENDPOINTS | _SERVICE, _SERVICE, _observe, _undeclared)
SEVERAL_TRACKS: Final = Template(PODS | _SERVICE, _SERVICE, _observe, _several_tracks)
