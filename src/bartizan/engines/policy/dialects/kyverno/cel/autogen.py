"""Policies made for pod controllers from one about Pods.

As the peer does it, the text of the policy is rewritten: `object.spec`
becomes `object.spec.template.spec`. A controller of a kind that is not built
in keeps the policy as it is, and each pod template found in it is judged.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from bartizan.engines.policy.cel.match import MatchResources, ResourceRule
from bartizan.model.resource import Resource, resource_from

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.cel.spec import Autogen
    from bartizan.model.request import Request

_TEMPLATED: Final = {
    "daemonsets": "apps",
    "deployments": "apps",
    "jobs": "batch",
    "replicasets": "apps",
    "statefulsets": "apps",
}
"""Controllers with a pod template right in their spec, and their API group."""
_CRON_JOBS: Final = "cronjobs"
_PATHS: Final = {"defaults": "spec.template", _CRON_JOBS: "spec.jobTemplate.spec.template"}
_OWN: Final = re.compile(r"\b(object|oldObject)\.(spec|metadata)")
_STAYS: Final = re.compile(r"\.namespace(?![A-Za-z0-9_])")
"""What follows `object.metadata` where the controller's own is meant: a template has no namespace."""


class Made(NamedTuple):
    """A policy's spec for controllers. `extracts` is whether it is for the templates found in them."""

    spec: JsonObject
    match: MatchResources
    extracts: bool = False


def made_for_controllers(
    spec: JsonObject,
    match: MatchResources | None,
    autogen: Autogen | None,
    rewrite: Callable[[Json, str], Json] | None = None,
) -> Iterator[Made]:
    """The specs that go with a policy about Pods; none where it is about anything narrower or wider.

    `rewrite` moves a spec's texts to the pod template at a path; the usual
    way is `moved`.
    """
    if match is None or not _is_about_pods(match):
        return
    chosen = autogen.pod_controllers.controllers if autogen and autogen.pod_controllers else None
    names = (*_TEMPLATED, _CRON_JOBS) if chosen is None else chosen
    operations = (match.resource_rules or ())[0].operations
    if not operations:
        return
    groups: dict[str, dict[tuple[str, str], set[str]]] = {}
    for name in names:
        way, group, version, resource = _target(name)
        if way:
            groups.setdefault(way, {}).setdefault((group, version), set()).add(resource)
    for way, targets in sorted(groups.items()):
        rules = tuple(
            ResourceRule((group,), (version,), operations, tuple(sorted(resources)))
            for (group, version), resources in sorted(targets.items())
        )
        constraints = MatchResources(match.namespace_selector, None, rules)
        path = _PATHS.get(way)
        text = spec if path is None else (rewrite or moved)(spec, path)
        yield Made(text if isinstance(text, dict) else spec, constraints, extracts=path is None)


def _is_about_pods(match: MatchResources) -> bool:
    """Whether a policy is about Pods and nothing else, with no narrower condition than their namespace."""
    selector = match.object_selector
    if selector is not None and (selector.match_labels or selector.match_expressions):
        return False
    if match.exclude_resource_rules or len(match.resource_rules or ()) != 1:
        return False
    (rule,) = match.resource_rules or ()
    named = (rule.api_groups, rule.api_versions, rule.resources)
    return not rule.resource_names and named == (("",), ("v1",), ("pods",))


def _target(name: str) -> tuple[str, str, str, str]:
    """How rules for a controller are made, and its group, version and resource; an unknown one is left out."""
    if name in _TEMPLATED:
        return "defaults", _TEMPLATED[name], "v1", name
    if name == _CRON_JOBS:
        return _CRON_JOBS, "batch", "v1", name
    resource, _, rest = name.partition(".")
    version, _, group = rest.partition(".")
    return ("extract", group, version, resource) if resource and version and group else ("", "", "", "")


def moved(value: Json, path: str) -> Json:
    """A spec in which every expression speaks of the pod template at `path` instead of the Pod."""
    if isinstance(value, str):
        return _OWN.sub(lambda found: _moved(found, path), value)
    if isinstance(value, dict):
        return {key: moved(item, path) for key, item in value.items()}
    if isinstance(value, list):
        return [moved(item, path) for item in value]
    return value


def _moved(found: re.Match[str], path: str) -> str:
    if _STAYS.match(found.string, found.end()):
        return found[0]
    return f"{found[1]}.{path}.{found[2]}"


def pods_within(request: Request) -> list[tuple[str, Request]]:
    """The pod templates anywhere in a resource's spec, each as a request about a Pod, with the path it stands at."""
    new, old = request.resource, request.old
    before = dict(_templates(old.body)) if old is not None else {}
    return [(path, _about_pod(request, template, before.get(path))) for path, template in _templates(new.body)]


def _about_pod(request: Request, template: Mapping[str, Any], before: Mapping[str, Any] | None) -> Request:
    parent = request.resource
    return msgspec.structs.replace(
        request,
        resource=_pod(template, parent),
        old=None if before is None else _pod(before, parent),
        memo={},
    )


def _templates(body: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """Whatever is shaped like a pod template below `spec`; nothing is looked for within one."""
    waiting: list[tuple[str, Any]] = [("spec", body.get("spec"))]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, list):
            waiting += [(f"{path}[{index}]", item) for index, item in reversed(list(enumerate(value)))]
        elif isinstance(value, dict):
            if _is_template(value):
                yield path, value
            else:
                waiting += [(f"{path}.{key}", item) for key, item in reversed(value.items())]


def _is_template(value: JsonObject) -> bool:
    spec = value.get("spec")
    if not isinstance(spec, dict) or not isinstance(value.get("metadata", {}), dict):
        return False
    containers = spec.get("containers")
    return isinstance(containers, list) and bool(containers) and all(map(_is_container, containers))


def _is_container(value: Json) -> bool:
    return isinstance(value, dict) and bool(value.get("name")) and isinstance(value.get("image"), str)


def _pod(template: Mapping[str, Any], parent: Resource) -> Resource:
    metadata = dict(template.get("metadata") or {})
    metadata["name"] = metadata.get("name") or parent.id.name
    metadata["namespace"] = metadata.get("namespace") or parent.id.namespace
    return resource_from({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
