"""Match constraints, part by part: what a rule asks for, and what the request has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from bartizan.engines.policy.cel.kinds import plural
from bartizan.engines.policy.cel.match import MatchResources, ResourceRule, compile_match
from bartizan.engines.policy.explanation.draft import Draft, brief
from bartizan.model.resource import labels_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.base.json import Json
    from bartizan.model.request import Request

_ALL: Final = ("*",)
_ANY: Final = ResourceRule(_ALL, _ALL, _ALL, ("*/*",))


class _Asked(NamedTuple):
    """An attribute of a rule: how the document calls it, what the request has, and where that stands."""

    name: str
    field: str
    met: Callable[[Request], Any]
    pointer: str


def _resource(request: Request) -> str:
    name = plural(request.resource.id.kind)
    return f"{name}/{request.subresource}" if request.subresource else name


_ATTRIBUTES: Final = (
    _Asked("apiGroups", "api_groups", lambda request: request.resource.id.group, "/apiVersion"),
    _Asked("apiVersions", "api_versions", lambda request: request.resource.id.version, "/apiVersion"),
    _Asked("operations", "operations", lambda request: request.operation, ""),
    _Asked("resources", "resources", _resource, "/kind"),
    _Asked("scope", "scope", lambda request: "Namespaced" if request.resource.id.namespace else "Cluster", ""),
    _Asked("resourceNames", "resource_names", lambda request: request.resource.id.name, "/metadata/name"),
)


def explain_constraints(
    spec: MatchResources, request: Request, at: str, label: str = "match", *, any_operation: bool = False
) -> Draft:
    """Constraints as they met a request; they `held` where the policy is about it."""
    if any_operation:
        rules = tuple(msgspec.structs.replace(rule, operations=_ALL) for rule in spec.resource_rules or ())
        spec = msgspec.structs.replace(spec, resource_rules=rules)
    draft = Draft("match", label, at=at, verdict=_verdict(spec, request))
    if spec.resource_rules:
        draft.children.append(_rules(spec.resource_rules, request, f"{at}/resourceRules", "resourceRules"))
    labels = {"kubernetes.io/metadata.name": request.resource.id.namespace, **request.namespace_labels}
    if spec.namespace_selector is not None:
        narrow = MatchResources(namespace_selector=spec.namespace_selector)
        draft.children.append(_selector("namespaceSelector", narrow, request, labels, at))
    if spec.object_selector is not None:
        narrow = MatchResources(object_selector=spec.object_selector)
        draft.children.append(_selector("objectSelector", narrow, request, labels_of(request.resource.body), at))
    if spec.exclude_resource_rules:
        where = f"{at}/excludeResourceRules"
        excluded = _rules(spec.exclude_resource_rules, request, where, "excludeResourceRules")
        excluded.verdict = "failed" if excluded.verdict == "held" else "held"
        excluded.note = "excluded by its resource rules" if excluded.verdict == "failed" else ""
        excluded.because = []
        draft.children.append(excluded)
    failed = [child for child in draft.children if child.verdict == "failed"]
    draft.because = draft.children if draft.verdict == "held" else failed[:1]
    return draft


def _verdict(spec: MatchResources, request: Request) -> Any:
    return "held" if compile_match(spec, "").applies(request) else "failed"


def _rules(rules: tuple[ResourceRule, ...], request: Request, at: str, label: str) -> Draft:
    children = [_rule(rule, request, f"{at}/{number}", f"[{number}]") for number, rule in enumerate(rules)]
    held = [child for child in children if child.verdict == "held"]
    if len(children) == 1:
        (draft,) = children
        draft.label = label
        return draft
    named = f"{label}, one of {len(rules)}"
    return Draft(
        "filter", named, at=at, verdict="held" if held else "failed", children=children, because=held[:1] or children
    )


def _rule(rule: ResourceRule, request: Request, at: str, label: str) -> Draft:
    draft = Draft("filter", label, at=at, verdict=_verdict(MatchResources(resource_rules=(rule,)), request))
    draft.children = [
        _attribute(asked, getattr(rule, asked.field), request, at)
        for asked in _ATTRIBUTES
        if getattr(rule, asked.field) or asked.field not in ("scope", "resource_names")
    ]
    failed = [child for child in draft.children if child.verdict == "failed"]
    draft.because = draft.children if draft.verdict == "held" else failed[:1]
    return draft


def _attribute(asked: _Asked, wanted: Any, request: Request, at: str) -> Draft:
    changed: dict[str, Any] = {asked.field: wanted}
    alone = msgspec.structs.replace(_ANY, **changed)
    verdict = _verdict(MatchResources(resource_rules=(alone,)), request)
    shown: Json = list(wanted) if isinstance(wanted, tuple) else wanted
    shown = shown[0] if isinstance(shown, list) and len(shown) == 1 else shown
    met = asked.met(request)
    text = shown if isinstance(shown, str) else brief(shown).strip("`")
    called = asked.name
    note = (
        f"{called} {_named(shown)}, and this is {_named(met)}"
        if verdict == "held"
        else f"{called} asks for {_named(shown)}, and this is {_named(met)}"
    )
    return Draft(
        "attribute",
        called,
        text,
        value=met,
        verdict=verdict,
        note=note,
        pointer=asked.pointer or None,
        at=f"{at}/{called}",
    )


def _named(value: Json) -> str:
    return '`""`' if value == "" else brief(value)


def _selector(name: str, narrow: MatchResources, request: Request, labels: dict[str, Any], at: str) -> Draft:
    selector = narrow.namespace_selector or narrow.object_selector
    shown = {key: value for key, value in msgspec.to_builtins(selector).items() if value}
    verdict = _verdict(narrow, request)
    note = f"{name} asks for {brief(shown)}, and the labels are {brief(labels)}" if verdict == "failed" else ""
    is_own = name == "objectSelector" or request.resource.id.kind == "Namespace"
    return Draft(
        "attribute",
        name,
        brief(shown).strip("`"),
        value=labels,
        verdict=verdict,
        note=note,
        pointer="/metadata/labels" if is_own else None,
        at=f"{at}/{name}",
    )
