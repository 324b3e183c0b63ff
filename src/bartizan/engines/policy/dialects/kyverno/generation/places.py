"""Where generated objects are to be: what is there already, and where none can be made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from bartizan.base import wildcard
from bartizan.engines.policy.dialects.kyverno.generation.labels import (
    POLICY,
    RULE,
    TRIGGER_GROUP,
    TRIGGER_KIND,
    TRIGGER_NAMESPACE,
    TRIGGER_UID,
    TRIGGER_VERSION,
)
from bartizan.engines.policy.dialects.kyverno.generation.spec import is_built_in
from bartizan.engines.policy.lookup import ObjectsQuestion
from bartizan.model.resource import identify, labels_of
from bartizan.model.scoping import is_cluster_scoped

if TYPE_CHECKING:
    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.model.resource import Resource, ResourceId

MAX_OBJECTS: Final = 5000
"""Objects one trigger may ask for. The API server lists 500 a page; ten pages of writes for one event are a mistake."""
MAX_GENERATIONS: Final = 8
"""How long a chain of objects may be of which each was generated for the one before; real ones have two or three."""
_MAX_NAME: Final = 253
_EITHER: Final = frozenset("/%")


class UnmadeError(Exception):
    """An object that is wanted cannot be made; the message says why."""


def checked_place(rid: ResourceId) -> ResourceId:
    """The place of an object to be made, without a namespace where its kind has none.

    Raises:
        UnmadeError: there is no such place.
    """
    for field, text in (("apiVersion", rid.api_version), ("kind", rid.kind), ("name", rid.name)):
        if not text:
            raise UnmadeError(f"malformed target: `{field}` is empty")
    for text in (rid.kind, rid.namespace, rid.name):
        if wildcard.is_wildcard(text) or not _EITHER.isdisjoint(text) or len(text) > _MAX_NAME:
            raise UnmadeError(f"malformed target: `{text[:_MAX_NAME]}` is no name")
    if is_cluster_scoped(rid.group, rid.kind):
        return msgspec.structs.replace(rid, namespace="")
    if not rid.namespace and is_built_in(rid.group):
        raise UnmadeError(f"malformed target: {rid} has no namespace")
    return rid


def object_at_place(rid: ResourceId, lookup: Lookup) -> list[JsonObject]:
    """The object at a place, if there is one; names in questions may have wildcards, and those of objects have none."""
    found = lookup.answer(ObjectsQuestion(f"{rid.api_version}/{rid.kind}", rid.namespace, rid.name))
    return [body for body in found if identify(body) == rid][:1]


def check_descent(trigger: Resource, lookup: Lookup) -> None:
    """Refuse to make more for an object at the end of too long a chain of generated ones.

    Rules that trigger each other would go on for ever, each object a new
    trigger; the labels of each lead to the one it was made for.

    Raises:
        UnmadeError: the chain is too long.
    """
    body, kind, uid = trigger.body, trigger.id.kind, trigger.uid
    for _ in range(MAX_GENERATIONS):
        labels = labels_of(body)
        if labels.keys().isdisjoint((POLICY, RULE)) or not labels.get(TRIGGER_UID):
            return
        uid, kind = str(labels[TRIGGER_UID]), str(labels.get(TRIGGER_KIND))
        version = str(labels.get(TRIGGER_VERSION))
        group = labels.get(TRIGGER_GROUP)
        question = ObjectsQuestion(
            f"{group}/{version}/{kind}" if group else f"{version}/{kind}", str(labels.get(TRIGGER_NAMESPACE, ""))
        )
        parent = next(
            (item for item in lookup.answer(question) if (item.get("metadata") or {}).get("uid") == uid), None
        )
        if parent is None:
            return
        body = parent
    raise UnmadeError(f"{trigger.id} is the end of a chain of {MAX_GENERATIONS} generated objects: the rules loop")
