"""`match` and `exclude` of a rule, attribute by attribute: what was wanted, and what the request has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from bartizan.base.json import to_text
from bartizan.engines.policy.dialects.kyverno.match import attributes, compile_match
from bartizan.engines.policy.explanation.draft import Draft, brief

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kyverno.spec import Filter, MatchSpec
    from bartizan.model.request import Request

_POINTERS: Final = {
    "kinds": "/kind",
    "name": "/metadata/name",
    "names": "/metadata/name",
    "namespaces": "/metadata/namespace",
    "annotations": "/metadata/annotations",
    "selector": "/metadata/labels",
}
_OF_USERS: Final = frozenset({"roles", "clusterRoles", "subjects"})


def explain_match(block: MatchSpec | None, request: Request, at: str, *, excluding: bool = False) -> Draft:
    """A block as it met a request; it `held` where the block is about it."""
    holds = compile_match(block, at, excluding=excluding).applies(request)
    kind = "exclude" if excluding else "match"
    draft = Draft(kind, kind, verdict="held" if holds else "failed", at=at)
    if block is None:
        return draft
    if block.any or block.all:
        word, filters = ("any", block.any) if block.any else ("all", block.all or [])
        draft.label = f"{kind}, {word} of {len(filters)}" if len(filters) > 1 else kind
        draft.children = [
            _filter(item, request, f"{at}/{word}/{number}", f"{word}[{number}]", excluding=excluding)
            for number, item in enumerate(filters)
        ]
        draft.because = [child for child in draft.children if child.verdict == draft.verdict]
        if holds and word == "any":
            draft.because = draft.because[:1]
        return draft
    flat = _filter(block, request, at, kind, excluding=excluding)
    draft.children, draft.because, draft.note = flat.children, flat.because, flat.note
    return draft


def _filter(entry: Filter, request: Request, at: str, label: str, *, excluding: bool) -> Draft:
    written = msgspec.to_builtins(entry)
    resources = written.get("resources") or {}
    found = [
        _attribute(name, written[name] if name in _OF_USERS else resources[name], holds(request), request, at)
        for name, holds in attributes(entry, at, excluding=excluding)
    ]
    failed = [child for child in found if child.verdict == "failed"]
    holds = bool(found) and not failed
    draft = Draft("filter", label, verdict="held" if holds else "failed", at=at, children=found)
    draft.because = found if holds else failed[:1]
    if excluding and holds:
        for child in found:
            child.note = f"excluded by {child.note}"
    if not found:
        draft.note = "a filter that asks for nothing matches nothing"
    return draft


def _attribute(name: str, wanted: Json, holds: bool, request: Request, at: str) -> Draft:
    met = _MET[name](request)
    nobody = name in _OF_USERS and request.user is None
    if nobody:
        note = f"{name}: nobody asks here, so that it {'is left out of account' if holds else 'never holds'}"
    elif holds:
        note = f"{name} {brief(_plain(wanted))}, and this is {brief(met)}"
    else:
        note = f"{name} asks for {brief(_plain(wanted))}, and this is {brief(met)}"
    return Draft(
        "attribute",
        name,
        to_text(_plain(wanted)),
        value=msgspec.UNSET if nobody else met,
        verdict="held" if holds else "failed",
        note=note,
        pointer=_POINTERS.get(name),
        at=f"{at}/{name}" if name in _OF_USERS else f"{at}/resources/{name}",
    )


def _plain(wanted: Json) -> Json:
    """A list of one as the one, and without what was left out."""
    if isinstance(wanted, dict):
        return {key: _plain(value) for key, value in wanted.items() if value is not None}
    if isinstance(wanted, list):
        return _plain(wanted[0]) if len(wanted) == 1 else [_plain(item) for item in wanted]
    return wanted


def _kind(request: Request) -> str:
    rid = request.resource.id
    return f"{rid.api_version}/{rid.kind}" + (f"/{request.subresource}" if request.subresource else "")


def _namespace(request: Request) -> str:
    rid = request.resource.id
    return rid.name if rid.kind == "Namespace" else rid.namespace


def _metadata(name: str) -> Callable[[Request], Any]:
    def read(request: Request) -> Json:
        metadata = request.resource.body.get("metadata")
        return (metadata.get(name) if isinstance(metadata, dict) else None) or {}

    return read


def _of_user(name: str) -> Callable[[Request], Any]:
    return lambda request: list(getattr(request.user, name)) if request.user else []


_MET: Final[Mapping[str, Callable[[Request], Any]]] = {
    "operations": lambda request: request.operation,
    "kinds": _kind,
    "name": lambda request: request.resource.id.name,
    "names": lambda request: request.resource.id.name,
    "namespaces": _namespace,
    "annotations": _metadata("annotations"),
    "selector": _metadata("labels"),
    "namespaceSelector": lambda request: request.namespace_labels,
    "roles": _of_user("roles"),
    "clusterRoles": _of_user("cluster_roles"),
    "subjects": lambda request: [request.user.username, *request.user.groups] if request.user else [],
}
