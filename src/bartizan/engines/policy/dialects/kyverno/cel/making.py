"""What a generating policy makes for a trigger, brings up to date, and lets go of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import msgspec

from bartizan.engines.policy.cel.match import MatchResources, compile_match
from bartizan.engines.policy.cel.names import names_of
from bartizan.engines.policy.dialects.kyverno.cel.exceptions import NAME, PolicyException, holds, lift
from bartizan.engines.policy.dialects.kyverno.generation.labels import (
    MANAGED_BY,
    POLICY,
    SOURCE_UID,
    TRIGGER_UID,
    cel_labels,
    labelled,
)
from bartizan.engines.policy.dialects.kyverno.generation.places import (
    UnmadeError,
    check_descent,
    checked_place,
    object_at_place,
)
from bartizan.engines.policy.dialects.kyverno.generation.sync import Wanted, bring_in, reconcile
from bartizan.engines.policy.dialects.kyverno.library import WORLD
from bartizan.engines.policy.lookup import LookupFailedError
from bartizan.lang.cel import CelBudgetError, CelError
from bartizan.model.outcome import PASSED, Broken, Passed
from bartizan.model.resource import ResourceId, identify, labels_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.cel.names import Makers, Names
    from bartizan.engines.policy.dialects.kyverno.generation.labels import Maker
    from bartizan.engines.policy.dialects.kyverno.generation.sync import Terms
    from bartizan.engines.policy.dialects.kyverno.library import World
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.engines.policy.plan import Run
    from bartizan.lang.cel import Expression
    from bartizan.model.change import Change
    from bartizan.model.outcome import Outcome
    from bartizan.model.request import Request

Make: TypeAlias = "Callable[[Names, World], Any]"
"""Hands the objects of one entry of `generate` on to the world."""

_SAID: Final = "policy evaluated successfully"
_KNOWN_BY: Final = (MANAGED_BY, POLICY, TRIGGER_UID)
_NOT_COPIED: Final = frozenset({"uid", "selfLink", "creationTimestamp", "managedFields", "resourceVersion"})


class Matches(NamedTuple):
    """What a policy is about: by its constraints, by them whatever the operation, and by its conditions."""

    applies: Callable[[Request], bool]
    is_about: Callable[[Request], bool]
    kinds: frozenset[str] | None
    after_deletion: bool
    """Whether it is the deletion of a trigger that makes objects."""
    conditions: tuple[tuple[str, Expression], ...]

    @classmethod
    def of(cls, spec: MatchResources, conditions: tuple[tuple[str, Expression], ...], namespace: str) -> Matches:
        """Compile the constraints of a policy, which is for a namespace or for the whole cluster.

        Raises:
            SpecError: they are malformed.
        """
        rules = spec.resource_rules or ()
        match = compile_match(spec, "/spec/matchConstraints")
        of_any = tuple(msgspec.structs.replace(rule, operations=("*",)) for rule in rules)
        about = compile_match(msgspec.structs.replace(spec, resource_rules=of_any), "/spec/matchConstraints")
        return cls(
            _in_namespace(match.applies, namespace),
            _in_namespace(about.applies, namespace),
            match.kinds,
            any("DELETE" in rule.operations for rule in rules),
            conditions,
        )


def _in_namespace(applies: Callable[[Request], bool], namespace: str) -> Callable[[Request], bool]:
    if not namespace:
        return applies
    return lambda request: request.resource.id.namespace == namespace and applies(request)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratingRule:
    """A generating policy, compiled.

    `in_admission` is whether it runs when a trigger comes, `for_existing`
    whether triggers count that were there before the policy, and
    `for_generated` whether those do that were generated themselves.
    """

    maker: Maker
    namespace: str
    matches: Matches
    terms: Terms
    in_admission: bool
    for_existing: bool
    for_generated: bool
    exceptions: tuple[PolicyException, ...]
    now: Callable[[], datetime]
    makers: Makers
    makes: tuple[Make, ...]
    notes: tuple[tuple[str, Expression], ...]

    def want(self, request: Request, lookup: Lookup) -> tuple[Wanted, ...] | Outcome | None:
        """Every object that the policy wants for a trigger, each once.

        An outcome is the word of an exception; nothing where a condition
        does not hold.

        Raises:
            CelError: an expression has no value.
            CelBudgetError: it takes too much work.
            UnmadeError: an object that is wanted cannot be made.
            LookupFailedError: the world cannot be asked.
        """
        names = names_of(request, lambda: lookup, self.makers)
        if self.exceptions:
            lifted = lift(self.exceptions, names, self.now)
            if lifted.outcome is not None:
                return lifted.outcome
            names[NAME] = lifted.narrowing
        return self._made(names, request) if holds(self.matches.conditions, names) else None

    def would_make(self, request: Request, lookup: Lookup) -> tuple[Wanted, ...]:
        """What `want` gives, whatever conditions and exceptions say: of what kinds objects may be there.

        Raises:
            CelError: an expression has no value.
            CelBudgetError: it takes too much work.
            UnmadeError: an object that is wanted cannot be made.
            LookupFailedError: the world cannot be asked.
        """
        return self._made(names_of(request, lambda: lookup, self.makers), request)

    def _made(self, names: Names, request: Request) -> tuple[Wanted, ...]:
        world: World = names[WORLD]
        for make in self.makes:
            make(names, world)
        self._note(names)
        found: dict[ResourceId, Wanted] = {}
        own = cel_labels(self.maker.policy, request.resource.id, request.resource.uid)
        for body in world.generated:
            item = _labelled(body, own)
            found[item.resource] = item
        return tuple(found.values())

    def _note(self, names: Names) -> None:
        """Work the audit annotations out; one that has no value fails the policy."""
        for key, expression in self.notes:
            try:
                expression(names)
            except CelError as error:
                raise CelError(f'failed to evaluate auditAnnotation "{key}": {error}') from error

    def is_mine(self, body: JsonObject, request: Request) -> bool:
        """Whether this policy made an object for this trigger, as its labels have it."""
        labels = labels_of(body)
        return all(labels.get(name) == value for name, value in self._known_by(request).items())

    def made_for(self, request: Request, kinds: Iterable[str], lookup: Lookup) -> list[JsonObject]:
        """The objects of some kinds that this policy made for a trigger.

        Raises:
            LookupFailedError: they cannot be asked for.
        """
        labels = self._known_by(request)
        return [
            body
            for kind in dict.fromkeys(kinds)
            for body in lookup.answer(labelled(kind, labels, self.namespace))
            if self.is_mine(body, request)
        ]

    def _known_by(self, request: Request) -> dict[str, str]:
        """The labels of what was made for a trigger: its uid, and where it has none, for it is in a file, all else."""
        labels = cel_labels(self.maker.policy, request.resource.id, request.resource.uid)
        return {name: labels[name] for name in _KNOWN_BY} if request.resource.uid else labels


def _labelled(body: JsonObject, labels: dict[str, str]) -> Wanted:
    """The object as it is to be made: labelled, and without what a server wrote into what it was copied from."""
    given = identify(body)
    rid = checked_place(given)
    metadata = body["metadata"]
    source = {SOURCE_UID: str(metadata.get("uid") or "")} if metadata.get("resourceVersion") else {}
    own = metadata.get("labels")
    if own is not None and not (isinstance(own, dict) and all(isinstance(value, str) for value in own.values())):
        raise UnmadeError(f"malformed target: the labels of {rid} are no texts")
    kept = {key: value for key, value in metadata.items() if key not in _NOT_COPIED}
    return Wanted(rid, {**body, "metadata": {**kept, "labels": {**(own or {}), **labels, **source}}})


def generating_run(rule: GeneratingRule) -> Run:
    """Judge a request by what the policy wants made for it: a pass, with what is missing or otherwise as changes."""

    def run(request: Request, lookup: Lookup) -> Outcome | None:
        if request.payload:
            return None  # no object of a cluster, which alone triggers anything
        try:
            return _run(rule, request, lookup)
        except (CelError, CelBudgetError, UnmadeError, LookupFailedError) as error:
            return Broken(f"failed to evaluate policy: {error}")

    return run


def _run(rule: GeneratingRule, request: Request, lookup: Lookup) -> Outcome | None:
    matches, synchronizes = rule.matches, rule.terms.synchronize
    if request.operation == "DELETE" and not matches.after_deletion:
        if not synchronizes or not matches.is_about(request):
            return None
        return _released(rule, msgspec.structs.replace(request, operation="CREATE", old=None, memo={}), lookup)
    wanted = rule.want(request, lookup) if matches.applies(request) else None
    if wanted is not None and not isinstance(wanted, tuple):
        return wanted
    before = _before(rule, request) if synchronizes else None
    if wanted is None:
        if before is None or _holds(rule, request, lookup):
            return None
        return _released(rule, before, lookup)
    changes = _changes(rule, request, wanted, lookup)
    if before is not None:
        kept = {item.resource for item in wanted}
        gone = _gone(rule, before, lookup, [_kind(item.resource) for item in wanted])
        changes += tuple(change for change in gone if change.resource not in kept)
    return Passed(_SAID, changes)


def _changes(rule: GeneratingRule, request: Request, wanted: Sequence[Wanted], lookup: Lookup) -> tuple[Change, ...]:
    """What is missing is made, and what the policy made for this trigger is made as it is wanted now."""
    there = {item.resource: object_at_place(item.resource, lookup) for item in wanted}
    mine = [item for item in wanted if not there[item.resource] or rule.is_mine(there[item.resource][0], request)]
    existing = [body for found in there.values() for body in found]
    changes = bring_in(mine, existing, rule.terms._replace(synchronize=True))
    if any(change.before is None for change in changes):
        check_descent(request.resource, lookup)
    return changes


def _before(rule: GeneratingRule, request: Request) -> Request | None:
    """The trigger as it was, where that was one."""
    if request.operation != "UPDATE" or request.old is None:
        return None
    before = msgspec.structs.replace(request, resource=request.old, old=None, memo={})
    return before if rule.matches.is_about(before) else None


def _holds(rule: GeneratingRule, request: Request, lookup: Lookup) -> bool:
    """Whether the object is a trigger still, but for the operation; where that cannot be told, it is."""
    if rule.matches.applies(request) or not rule.matches.is_about(request):
        return False
    created = msgspec.structs.replace(request, operation="CREATE", old=None, memo={})
    try:
        return holds(rule.matches.conditions, names_of(created, lambda: lookup, rule.makers))
    except CelError:
        return True


def _released(rule: GeneratingRule, request: Request, lookup: Lookup) -> Outcome:
    """The trigger is gone, and what was made for it goes too."""
    changes = _gone(rule, request, lookup, ())
    return Passed(_SAID, changes) if changes else PASSED


def _gone(rule: GeneratingRule, before: Request, lookup: Lookup, kinds: Sequence[str]) -> tuple[Change, ...]:
    """What was made for a trigger as it was, of the kinds it was to have then, and of others that are known."""
    created = msgspec.structs.replace(before, operation="CREATE", memo={})
    try:
        then = [_kind(item.resource) for item in rule.would_make(created, lookup)]
    except (CelError, CelBudgetError, UnmadeError):
        if not kinds:
            raise
        then = []
    existing = rule.made_for(before, (*then, *kinds), lookup)
    return reconcile("trigger-gone", rule.maker, rule.terms, (), existing)


def _kind(rid: ResourceId) -> str:
    return f"{rid.api_version}/{rid.kind}"
