"""What becomes of generated objects when something changes: pure, from what is wanted and what exists.

An object that a rule makes follows its trigger, its source and its policy
only where the rule says `synchronize`; without it, it is made once and then
left alone. Whoever watches a cluster says what happened; here is said what
to do about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from bartizan.engines.policy.dialects.kyverno.generation.labels import is_made_by, without_maker
from bartizan.model.change import Change
from bartizan.model.resource import ResourceId, identify

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.generation.labels import Maker

Event: TypeAlias = Literal[
    "trigger", "trigger-gone", "source", "source-gone", "downstream", "policy", "policy-gone", "target"
]
"""What happened.

`trigger`: it appeared, or changed and still matches, or a policy that
generates for existing triggers appeared. `trigger-gone`: it was deleted, or
no longer matches. `source`, `source-gone`: the copied object changed, or was
deleted. `downstream`: a generated object was edited or deleted. `policy`:
the rule says something else of the same objects. `policy-gone`: the policy,
or the rule in it, was deleted. `target`: the rule now names other objects.
"""

_SERVER_FIELDS: Final = (
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
)
"""What the API server writes, and no rule can want otherwise."""


class Wanted(NamedTuple):
    """One object that a rule wants, whole."""

    resource: ResourceId
    body: JsonObject


class Terms(NamedTuple):
    """What a rule says of the life of its objects.

    `merges` is a policy with `useServerSideApply`, which leaves alone the
    fields it does not name; any other makes the object what it wants.
    """

    synchronize: bool = False
    orphans: bool = False
    merges: bool = False


def reconcile(
    event: Event, maker: Maker, terms: Terms, wanted: Sequence[Wanted], existing: Iterable[JsonObject]
) -> tuple[Change, ...]:
    """What to do with the objects of a rule after an event.

    `wanted` is what the rule wants now, for one trigger; it does not matter
    where something is gone. `existing` are the objects that stand in the
    places of the wanted ones, and those whose labels say that the rule made
    them (for that trigger, or from that source). Nothing is deleted that the
    rule has not made. Once done, the same question has no changes.
    """
    match event:
        case "trigger":
            return bring_in(wanted, existing, terms)
        case "source" | "downstream" | "policy":
            return bring_in(wanted, existing, terms) if terms.synchronize else ()
        case "trigger-gone" | "source-gone":
            return _delete(maker, existing) if terms.synchronize else ()
        case "policy-gone":
            return _delete(maker, existing) if terms.synchronize and not terms.orphans else ()
        case "target":
            return _disown(maker, wanted, existing)


def bring_in(wanted: Sequence[Wanted], existing: Iterable[JsonObject], terms: Terms) -> tuple[Change, ...]:
    """Make what is missing; and, where the rule synchronizes, what is otherwise than wanted as it is wanted."""
    there = {_place(identify(body)): body for body in existing}
    changes: list[Change] = []
    for resource, body in wanted:
        before = there.get(_place(resource))
        if before is None:
            changes.append(Change(resource, None, body))
        elif terms.synchronize:
            after = _merged(before, body) if terms.merges else _replaced(before, body)
            if after is not before:
                changes.append(Change(resource, before, after))
    return tuple(changes)


def _place(rid: ResourceId) -> tuple[str, str, str, str]:
    """Where an object is, whatever the version it is shown in."""
    return rid.group, rid.kind, rid.namespace, rid.name


def _delete(maker: Maker, existing: Iterable[JsonObject]) -> tuple[Change, ...]:
    return tuple(Change(identify(body), body, None) for body in existing if is_made_by(body, maker))


def _disown(maker: Maker, wanted: Sequence[Wanted], existing: Iterable[JsonObject]) -> tuple[Change, ...]:
    kept = {_place(item.resource) for item in wanted}
    left = [body for body in existing if is_made_by(body, maker) and _place(identify(body)) not in kept]
    return tuple(Change(identify(body), body, without_maker(body)) for body in left)


def _replaced(before: JsonObject, wanted: JsonObject) -> JsonObject:
    """The object as wanted, but for what the server has written into it; `before` itself where nothing differs."""
    metadata = before.get("metadata") or {}
    owned = {field: metadata[field] for field in _SERVER_FIELDS if field in metadata}
    after = {**wanted, "metadata": {**wanted["metadata"], **owned}}
    if "status" in before and "status" not in wanted:
        after["status"] = before["status"]
    shared: JsonObject = _shared(before, after)
    return shared


def _merged(before: JsonObject, wanted: JsonObject) -> JsonObject:
    metadata = before.get("metadata") or {}
    theirs = {field: metadata[field] for field in _SERVER_FIELDS if field in metadata}
    over = {**wanted, "metadata": {**wanted["metadata"], **theirs}}
    shared: JsonObject = _shared(before, _over(before, over))
    return shared


def _over(before: Json, wanted: Json) -> Json:
    """Fields of maps one by one; a list is taken as a whole."""
    if isinstance(before, dict) and isinstance(wanted, dict):
        return {**before, **{key: _over(before.get(key), value) for key, value in wanted.items()}}
    return wanted


def _shared(before: Json, after: Json) -> Json:
    """`after`, made of the very parts of `before` that are equal."""
    if before.__class__ is not after.__class__:
        return after
    if isinstance(after, dict):
        parts = {key: _shared(before[key], value) if key in before else value for key, value in after.items()}
        same = len(parts) == len(before) and all(key in before and parts[key] is before[key] for key in parts)
        return before if same else parts
    if isinstance(after, list):
        items = [_shared(before[at], item) if at < len(before) else item for at, item in enumerate(after)]
        same = len(items) == len(before) and all(one is other for one, other in zip(items, before, strict=True))
        return before if same else items
    return before if before == after else after
