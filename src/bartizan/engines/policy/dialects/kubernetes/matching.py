"""Which requests a policy or binding is about, and in which version it is shown what they hold.

With `matchPolicy: Equivalent` a rule also means the same object by another
group or version it is served by. Where such differ by more than the
`apiVersion`, the object cannot be shown, and that is an error, not a pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from bartizan.engines.policy.cel.match import MatchResources, compile_match
from bartizan.engines.policy.cel.names import coordinates
from bartizan.engines.policy.lookup import LookupFailedError, ObjectsQuestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.model.request import Request
    from bartizan.model.resource import Resource

_EQUIVALENT: Final = {
    "horizontalpodautoscalers": (("autoscaling", "v2"), ("autoscaling", "v1")),
    "events": (("", "v1"), ("events.k8s.io", "v1")),
}
"""The built-in resources that one server serves by several names; the shapes of these differ."""
_BUILT_IN_SUFFIX: Final = ".k8s.io"
_EXEMPT_GROUP: Final = "admissionregistration.k8s.io"
_EXEMPT: Final = frozenset(
    {
        *(("authentication.k8s.io", name) for name in ("selfsubjectreviews", "tokenreviews")),
        *(
            ("authorization.k8s.io", name)
            for name in (
                "localsubjectaccessreviews",
                "selfsubjectaccessreviews",
                "selfsubjectrulesreviews",
                "subjectaccessreviews",
            )
        ),
        *(
            (_EXEMPT_GROUP, f"{name}admissionpolic{end}")
            for name in ("validating", "mutating")
            for end in ("ies", "ybindings")
        ),
        *((_EXEMPT_GROUP, f"{name}webhookconfigurations") for name in ("validating", "mutating")),
    }
)
"""The resources that no policy is asked about, so that nobody locks themselves out."""


class Matched(NamedTuple):
    """A request as a policy is shown it. `problem` says why it cannot be shown in the version that was asked for."""

    request: Request
    original: Request
    problem: str = ""


class Matcher(NamedTuple):
    """Whether a request is meant; `kinds` are the only kinds it can be about, where that is known."""

    match: Callable[[Request, Lookup], Matched | None]
    kinds: frozenset[str] | None


def is_exempt(request: Request) -> bool:
    """Whether the API server asks no policy about what is requested."""
    at = coordinates(request)
    return (at.group, at.resource) in _EXEMPT


def compile_matcher(spec: MatchResources, at: str) -> Matcher:
    """Compile `matchConstraints`, or `matchResources` of a binding, that stand at `at`.

    Raises:
        SpecError: a selector has an unknown operator.
    """
    wanted = msgspec.structs.replace(spec, exclude_resource_rules=None)
    meant = compile_match(wanted, at, prefixes=False)
    unwanted = MatchResources(resource_rules=spec.exclude_resource_rules)
    # these stand elsewhere in the document, but whatever can be wrong with them was found before
    excluded = compile_match(unwanted, at, prefixes=False).applies if spec.exclude_resource_rules else None
    fuzzy = spec.match_policy != "Exact"
    groups = _asked_groups(spec)

    def match(request: Request, lookup: Lookup) -> Matched | None:
        applies = meant.applies(request)
        if excluded is None and applies:
            return Matched(request, request)
        others = list(_equivalents(request, lookup, groups)) if fuzzy else []
        if excluded is not None and any(map(excluded, (request, *(item.request for item in others)))):
            return None
        if applies:
            return Matched(request, request)
        return next((item for item in others if meant.applies(item.request)), None)

    return Matcher(match, meant.kinds)


def _asked_groups(spec: MatchResources) -> frozenset[str]:
    """The groups of custom resources of which single versions are meant."""
    rules = (*(spec.resource_rules or ()), *(spec.exclude_resource_rules or ()))
    groups = {group for rule in rules if "*" not in rule.api_versions for group in rule.api_groups}
    return frozenset(group for group in groups if "." in group and not group.endswith(_BUILT_IN_SUFFIX))


def _equivalents(request: Request, lookup: Lookup, groups: frozenset[str]) -> Iterator[Matched]:
    """The same request by other names of its resource."""
    at = coordinates(request)
    here = (at.group, at.version)
    names: Iterable[tuple[str, str]] = _EQUIVALENT.get(at.resource, ())
    if here in names:
        for group, version in names:
            if (group, version) != here:
                said = f"{at.resource} of `{here[0]}/{here[1]}` cannot be converted to `{group}/{version}` here"
                yield Matched(_renamed(request, group, version), request, said)
    elif at.group in groups:
        for version, problem in _custom_versions(at.group, at.resource, at.version, lookup):
            yield Matched(_renamed(request, at.group, version), request, problem)


def _custom_versions(group: str, resource: str, version: str, lookup: Lookup) -> Iterator[tuple[str, str]]:
    """The other served versions of a custom resource, each with why an object cannot be converted to it, if so."""
    try:
        found = lookup.answer(
            ObjectsQuestion("apiextensions.k8s.io/*/CustomResourceDefinition", name=f"{resource}.{group}")
        )
    except LookupFailedError:
        return
    for definition in found if isinstance(found, list) else ():
        spec = definition.get("spec") or {}
        conversion = spec.get("conversion") or {}
        by_webhook = conversion.get("strategy", "None") != "None"
        for item in spec.get("versions") or ():
            other = str(item.get("name"))
            if item.get("served") is True and other != version:
                said = f"{resource}.{group} is converted to `{other}` by a webhook, which is not asked"
                yield other, said if by_webhook else ""


def _renamed(request: Request, group: str, version: str) -> Request:
    """The request, about the same object by another group and version."""
    if request.parent_kind:  # a part has a kind of its own, whatever the version of the whole
        return msgspec.structs.replace(request, parent_group=group, parent_version=version, memo={})
    old = None if request.old is None else _converted(request.old, group, version)
    return msgspec.structs.replace(request, resource=_converted(request.resource, group, version), old=old, memo={})


def with_body(request: Request, body: JsonObject) -> Request:
    """The request, about the resource as it is by now."""
    if body is request.resource.body:
        return request
    return msgspec.structs.replace(request, resource=msgspec.structs.replace(request.resource, body=body), memo={})


def now(matched: Matched, body: JsonObject) -> Matched:
    """What was matched, with the resource as it is by now."""
    if body is matched.original.resource.body:
        return matched
    original = with_body(matched.original, body)
    if matched.request is matched.original:
        return matched._replace(request=original, original=original)
    shown = {**body, "apiVersion": matched.request.resource.id.api_version}
    return matched._replace(request=with_body(matched.request, shown), original=original)


def _converted(resource: Resource, group: str, version: str) -> Resource:
    rid = msgspec.structs.replace(resource.id, group=group, version=version)
    body: JsonObject = {**resource.body, "apiVersion": rid.api_version}
    return msgspec.structs.replace(resource, id=rid, body=body)
