"""A cluster in memory, with a controller that does what generating policies say after each event."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bartizan.app.ambient import ambient
from bartizan.app.given_world import GivenWorld
from bartizan.engines.policy.dialects.kyverno.cel.generating import compile_generating
from bartizan.engines.policy.dialects.kyverno.cel.making import GeneratingRule, generating_run
from bartizan.engines.policy.dialects.kyverno.cel.spec import is_of_group, read_head
from bartizan.engines.policy.dialects.kyverno.generation.sync import reconcile
from bartizan.model.outcome import Passed
from bartizan.model.request import Request
from bartizan.model.resource import identify, labels_of, resource_from
from bartizan.model.scoping import in_default_namespace

if TYPE_CHECKING:
    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.plan import Run
    from bartizan.model.change import Change
    from bartizan.model.outcome import Outcome
    from bartizan.model.request import Operation
    from bartizan.model.resource import Resource, ResourceId

_POLICIES = frozenset({"GeneratingPolicy", "NamespacedGeneratingPolicy"})
_SOURCE = "generate.kyverno.io/source-uid"


class _Installed(NamedTuple):
    rule: GeneratingRule
    run: Run
    triggers: set[ResourceId]


class Pretended:
    """Objects by their identity. Each gets a uid, and each write a new version."""

    def __init__(self) -> None:
        self.objects: dict[ResourceId, JsonObject] = {}
        self.outcomes: list[Outcome] = []
        self._policies: dict[str, _Installed] = {}
        self._exceptions: list[JsonObject] = []
        self._written = 0

    def apply(self, body: JsonObject) -> None:
        """Create or change an object, or install a policy or an exception."""
        if is_of_group(body, _POLICIES):
            self._install(body)
            return
        if is_of_group(body, ("PolicyException",)):
            self._exceptions.append(body)
            return
        placed = in_default_namespace(resource_from(body))
        before = self.objects.get(placed.id)
        after = _over(before, placed.body) if before else placed.body
        self._write(placed.id, after)
        self._happened("UPDATE" if before else "CREATE", self._at(placed.id), resource_from(before) if before else None)

    def delete(self, reference: JsonObject) -> None:
        """Delete the object, or take out the policy, of a kind and name."""
        if is_of_group(reference, _POLICIES):
            rule = self._policies.pop(str(reference["name"])).rule
            made = [body for body in self.objects.values() if _SOURCE not in labels_of(body)]
            self._do(reconcile("policy-gone", rule.maker, rule.terms, (), made))
            return
        metadata = {key: reference[key] for key in ("name", "namespace") if key in reference}
        kind = {key: reference[key] for key in ("apiVersion", "kind")}
        gone = self._at(in_default_namespace(resource_from({**kind, "metadata": metadata})).id)
        del self.objects[gone.id]
        for policy in self._policies.values():
            policy.triggers.discard(gone.id)
        self._happened("DELETE", gone, None)

    def has(self, wanted: JsonObject) -> bool:
        """Whether an object is there that has everything that is named."""
        found = self.objects.get(in_default_namespace(resource_from(wanted)).id)
        return found is not None and _is_within(wanted, found)

    def _install(self, document: JsonObject) -> None:
        head = read_head(document)
        rule = compile_generating(document, head, ambient(), self._exceptions)
        known = self._policies.get(head.name)
        policy = _Installed(rule, generating_run(rule), known.triggers if known else set())
        self._policies[head.name] = policy
        if rule.for_existing:
            for rid in list(self.objects):
                resource = self._at(rid)
                self._ask(policy, Request(resource, namespace_labels=self._labels(resource)))
        self._keep()

    def _happened(self, operation: Operation, resource: Resource, old: Resource | None) -> None:
        for policy in list(self._policies.values()):
            self._ask(policy, Request(resource, operation=operation, old=old, namespace_labels=self._labels(resource)))
        self._keep()

    def _keep(self) -> None:
        """Put right what policies synchronize, for every trigger that they had."""
        for policy in self._policies.values():
            if policy.rule.terms.synchronize:
                for rid in sorted(policy.triggers):
                    resource = self._at(rid)
                    self._ask(policy, Request(resource, namespace_labels=self._labels(resource)))

    def _ask(self, policy: _Installed, request: Request) -> None:
        resources = [resource_from(body) for body in self.objects.values()]
        outcome = policy.run(request, GivenWorld(lambda: resources, is_whole=True))
        if outcome is None:
            return
        self.outcomes.append(outcome)
        if isinstance(outcome, Passed):
            if request.operation != "DELETE" and request.resource.id in self.objects:
                policy.triggers.add(request.resource.id)
            self._do(outcome.changes)

    def _do(self, changes: tuple[Change, ...]) -> None:
        for change in changes:
            if change.after is None:
                del self.objects[change.resource]
            else:
                self._write(change.resource, change.after)

    def _write(self, rid: ResourceId, body: JsonObject) -> None:
        self._written += 1
        metadata = body.get("metadata") or {}
        uid = (self.objects.get(rid) or {}).get("metadata", {}).get("uid", f"u-{self._written}")
        kept = {**body, "metadata": {**metadata, "uid": uid, "resourceVersion": str(self._written)}}
        assert identify(kept) == rid
        self.objects[rid] = kept

    def _at(self, rid: ResourceId) -> Resource:
        return resource_from(self.objects[rid])

    def _labels(self, resource: Resource) -> dict[str, str]:
        spaces = [
            body for rid, body in self.objects.items() if (rid.kind, rid.name) == ("Namespace", resource.id.namespace)
        ]
        return labels_of(spaces[0]) if spaces else {}


def _over(before: JsonObject, after: JsonObject) -> JsonObject:
    """An object applied over what is there, which keeps what is not named."""
    merged = {**before, **after}
    for key, value in after.items():
        if isinstance(value, dict) and isinstance(before.get(key), dict):
            merged[key] = _over(before[key], value)
    return merged


def _is_within(wanted: Json, found: Json) -> bool:
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            key in found and _is_within(value, found[key]) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(wanted) == len(found)
            and all(_is_within(one, other) for one, other in zip(wanted, found, strict=True))
        )
    return wanted == found
