"""`generate` of a rule, compiled: from a trigger and the sources it copies to the objects it wants.

One pure function, which the command line, the tests and the controllers in a
cluster all call. Sources and what exists already are read through the
engine's `Lookup`; what to do about them is for `generate_sync` to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from bartizan.base.json import to_text
from bartizan.engines.policy.dialects.kyverno.context import compile_context
from bartizan.engines.policy.dialects.kyverno.foreach import element_names, list_reader
from bartizan.engines.policy.dialects.kyverno.generation.labels import (
    Maker,
    downstream_of,
    maker_labels,
    source_labels,
    trigger_labels,
)
from bartizan.engines.policy.dialects.kyverno.generation.loops import same_kind
from bartizan.engines.policy.dialects.kyverno.generation.places import (
    MAX_OBJECTS,
    UnmadeError,
    check_descent,
    checked_place,
    object_at_place,
)
from bartizan.engines.policy.dialects.kyverno.generation.spec import (
    TARGET_FIELDS,
    TargetSpec,
    read_generate,
    targets_of,
)
from bartizan.engines.policy.dialects.kyverno.generation.sync import Terms, Wanted, bring_in, reconcile
from bartizan.engines.policy.dialects.kyverno.preconditions import compile_conditions
from bartizan.engines.policy.dialects.kyverno.variables import as_text, compile_template, has_variables
from bartizan.engines.policy.document import object_at
from bartizan.engines.policy.lookup import LookupFailedError, ObjectsQuestion
from bartizan.model.outcome import PASSED, Broken, Outcome, Passed, Skipped
from bartizan.model.resource import ResourceId, identify
from bartizan.model.scoping import is_cluster_scoped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.generation.spec import CloneListSpec, GenerateSpec
    from bartizan.engines.policy.dialects.kyverno.rule import PolicyMeta
    from bartizan.engines.policy.dialects.kyverno.scope import Scope
    from bartizan.engines.policy.dialects.kyverno.spec import MatchSpec, RuleSpec
    from bartizan.engines.policy.dialects.kyverno.validate import Judge, ScopeOf
    from bartizan.engines.policy.dialects.kyverno.variables import Compiler
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.engines.policy.plan import Run
    from bartizan.model.request import Request
    from bartizan.model.resource import Resource

Make: TypeAlias = "Callable[[Request, Scope], Iterator[Wanted]]"
"""The objects that one target of a rule wants for a request."""

_NOT_COPIED: Final = frozenset({"uid", "selfLink", "creationTimestamp", "managedFields", "resourceVersion"})


@dataclass(frozen=True, slots=True)
class GenerateRule:
    """A rule that generates, compiled.

    `kinds` are the kinds it makes as far as they are known before it runs,
    `for_existing` is whether triggers count that were there before the
    policy, `after_deletion` whether it is the deletion of the trigger that
    makes objects.
    """

    maker: Maker
    terms: Terms
    kinds: tuple[str, ...]
    for_existing: bool
    after_deletion: bool
    _makes: tuple[Make, ...]

    def want(self, request: Request, scope: ScopeOf) -> tuple[Wanted, ...] | Broken:
        """Every object that the rule wants for a trigger, each once; or why that cannot be told.

        Raises:
            UnresolvedError: a variable has no value.
        """
        found: dict[ResourceId, Wanted] = {}
        try:
            inner = scope()
            for make in self._makes:
                for item in make(request, inner):
                    if item.resource in found and not self.terms.synchronize:
                        continue  # the first has made it, and it is left alone from then on
                    found[item.resource] = item
                    if len(found) > MAX_OBJECTS:
                        return Broken(f"the rule asks for more than {MAX_OBJECTS} objects")
        except (UnmadeError, LookupFailedError) as error:
            return Broken(str(error))
        return tuple(found.values())


def compile_generate(spec: RuleSpec, meta: PolicyMeta, compiler: Compiler, at: str) -> GenerateRule:
    """Compile `generate` of the rule that stands at `at`.

    Raises:
        SpecError: something is malformed, or can never be made.
    """
    where = f"{at}/generate"
    document = object_at(spec.generate, where)
    own = read_generate(document, meta.namespace, where)
    looping = same_kind(spec, own, where)
    if looping is not None:
        raise looping
    maker = Maker(meta.name, meta.namespace, spec.name)
    if own.foreach is None:
        makes = [_target(document, maker, compiler, where)]
    else:
        makes = [_loop(loop, maker, compiler, f"{where}/foreach/{i}") for i, loop in enumerate(document["foreach"])]
    return GenerateRule(
        maker,
        Terms(own.synchronize, own.orphan_downstream_on_policy_delete, meta.server_side_apply),
        tuple(dict.fromkeys(_kinds(own, where))),
        meta.generate_existing if own.generate_existing is None else own.generate_existing,
        "DELETE" in _operations(spec.match),
        tuple(makes),
    )


def generate_judge(rule: GenerateRule) -> Judge:
    """Judge a request by what the rule wants made for it: a pass, with what is missing or otherwise as changes."""

    def judge(request: Request, scope: ScopeOf) -> Outcome | None:
        try:
            wanted = rule.want(request, scope)
            if isinstance(wanted, Broken):
                return wanted
            lookup = scope().lookup
            existing = [body for item in wanted for body in object_at_place(item.resource, lookup)]
            changes = bring_in(wanted, existing, rule.terms)
            if any(change.before is None for change in changes):
                check_descent(request.resource, lookup)
        except (UnmadeError, LookupFailedError) as error:
            return Broken(str(error))
        return Passed(changes=changes) if changes else PASSED

    return judge


def releasing(run: Run, matches: Callable[[Request], bool], rule: GenerateRule) -> Run:
    """A rule that also lets go of what it made for a trigger that is gone, or that it is no longer about.

    `matches` is whether the rule is about a request, preconditions aside: a
    deletion does not ask for them.
    """

    def run_or_release(request: Request, lookup: Lookup) -> Outcome | None:
        if request.operation == "DELETE" and not rule.after_deletion:
            return _released(rule, request, lookup) if rule.terms.synchronize and matches(request) else None
        outcome = run(request, lookup)
        if rule.terms.synchronize and request.old is not None and request.operation == "UPDATE":
            before = msgspec.structs.replace(request, resource=request.old, old=None, memo={})
            if outcome is None and matches(before):
                return _released(rule, request, lookup)
            if isinstance(outcome, Skipped) and not outcome.waived_by and isinstance(run(before, lookup), Passed):
                return _released(rule, request, lookup)
        return outcome

    return run_or_release


def _released(rule: GenerateRule, request: Request, lookup: Lookup) -> Outcome:
    """The trigger is gone, and what was made for it goes too."""
    try:
        existing = [body for kind in rule.kinds for body in _downstream(kind, rule.maker, request.resource, lookup)]
    except LookupFailedError as error:
        return Broken(str(error))
    changes = reconcile("trigger-gone", rule.maker, rule.terms, (), existing)
    return Passed(changes=changes) if changes else PASSED


def _downstream(kind: str, maker: Maker, trigger: Resource, lookup: Lookup) -> list[JsonObject]:
    for question in downstream_of(kind, maker, trigger):
        found = lookup.answer(question)
        if found:
            return list(found)
    return []


def _kinds(spec: GenerateSpec, at: str) -> Iterator[str]:
    for target, _ in targets_of(spec, at):
        clones = target.clone_list
        if clones is not None and clones.kinds:
            yield from (kind for kind in clones.kinds if not has_variables(kind))
        elif not has_variables(target.api_version + target.kind):
            yield f"{target.api_version}/{target.kind}"


def _operations(match: MatchSpec | None) -> set[str]:
    """The operations a rule names, in any of its filters."""
    if match is None:
        return set()
    filters = [match, *(match.any or ()), *(match.all or ())]
    return {word for entry in filters if entry.resources for word in entry.resources.operations or ()}


def _loop(loop: JsonObject, maker: Maker, compiler: Compiler, at: str) -> Make:
    """A target for each element of a list, in a scope of its own."""
    elements_of = list_reader(loop.get("list", ""), compiler, f"{at}/list", strict=True)
    loaders = compile_context(loop.get("context"), compiler, f"{at}/context")
    block = loop.get("preconditions")
    conditions = compile_conditions(block, compiler, f"{at}/preconditions") if block else None
    make = _target(loop, maker, compiler, at)

    def run(request: Request, scope: Scope) -> Iterator[Wanted]:
        for index, element in enumerate(elements_of(scope)):
            if element is None:
                continue
            inner = scope.nested(element_names(element, index, 0, request), loaders)
            if conditions is None or conditions(inner).holds:
                yield from make(request, inner)

    return run


def _target(document: JsonObject, maker: Maker, compiler: Compiler, at: str) -> Make:
    """What one target wants; its kind, name, data and sources may all hold variables."""
    fields = {name: document[name] for name in TARGET_FIELDS if document.get(name) is not None}
    template = compile_template(fields, compiler, at=at)
    labels = maker_labels(maker)

    def make(request: Request, scope: Scope) -> Iterator[Wanted]:
        try:
            target = msgspec.convert(template(scope), TargetSpec)
        except msgspec.ValidationError as error:
            raise UnmadeError(f"malformed target: {error}") from error
        own = labels | trigger_labels(request.resource.id, request.resource.uid)
        if target.clone is not None and target.clone.name:
            rid = _target_id(target)
            source = _source(rid, target.clone.namespace, target.clone.name, scope.lookup)
            if source is not None:
                yield _clone(rid, source, own)
        elif target.clone_list is not None and target.clone_list.kinds:
            yield from _clones(target.clone_list, target.namespace, own, scope.lookup)
        else:
            yield _made(_target_id(target), {} if target.data is None else target.data, own)

    return make


def _target_id(target: TargetSpec) -> ResourceId:
    """Where the target is to be."""
    group, _, version = target.api_version.rpartition("/")
    return checked_place(ResourceId(group, version, target.kind, target.namespace, target.name))


def _source(rid: ResourceId, namespace: str, name: str, lookup: Lookup) -> JsonObject | None:
    """The object to copy; none where the target is that object."""
    place = msgspec.structs.replace(rid, namespace="" if _is_clusters(rid) else namespace, name=name)
    if (place.namespace, place.name) == (rid.namespace, rid.name):
        return None
    found = object_at_place(place, lookup)
    if not found:
        raise UnmadeError(f"there is no {place} to clone")
    return found[0]


def _clones(spec: CloneListSpec, namespace: str, labels: dict[str, str], lookup: Lookup) -> Iterator[Wanted]:
    """A copy of every object of some kinds, but for those that are in the target's namespace already."""
    selector = "" if spec.selector is None else to_text(_plain(spec.selector))
    for kind in spec.kinds or ():
        for body in lookup.answer(ObjectsQuestion(kind, spec.namespace, selector=selector)):
            source = identify(body)
            if source.namespace == namespace or _is_clusters(source):
                continue
            if not spec.namespace or source.namespace == spec.namespace:
                yield _clone(msgspec.structs.replace(source, namespace=namespace), body, labels)


def _plain(selector: msgspec.Struct) -> Json:
    return msgspec.to_builtins(selector)


def _is_clusters(rid: ResourceId) -> bool:
    return is_cluster_scoped(rid.group, rid.kind)


def _clone(rid: ResourceId, source: JsonObject, labels: dict[str, str]) -> Wanted:
    """A copy, without what the server wrote into the original, and without owners from another namespace."""
    origin = identify(source)
    metadata = source.get("metadata") or {}
    left_out = _NOT_COPIED if origin.namespace == rid.namespace else _NOT_COPIED | {"ownerReferences"}
    copied = {name: value for name, value in metadata.items() if name not in left_out}
    return _made(rid, {**source, "metadata": copied}, source_labels(origin, str(metadata.get("uid") or "")) | labels)


def _made(rid: ResourceId, data: Json, labels: dict[str, str]) -> Wanted:
    """The object, with its own identity and labels, whatever the data says of them."""
    if not isinstance(data, dict):
        raise UnmadeError(f"malformed target: the data of {rid} is no mapping")
    if data.get("kind") and data["kind"] != rid.kind:
        raise UnmadeError(f"malformed target: the data of {rid} is of the kind `{data['kind']}`")
    given = _mapping(data.get("metadata"), "metadata", rid)
    own = _mapping(given.get("labels"), "labels", rid)
    if any(value is None or isinstance(value, dict | list) for value in own.values()):
        raise UnmadeError(f"malformed target: a label of {rid} is no text")
    own = {name: as_text(value) for name, value in own.items()}
    metadata: dict[str, Any] = {"name": rid.name, **({"namespace": rid.namespace} if rid.namespace else {})}
    kept = {key: value for key, value in given.items() if key not in {"name", "namespace", "labels", "resourceVersion"}}
    metadata |= {**kept, "labels": {**own, **labels}}
    rest = {key: value for key, value in data.items() if key not in {"apiVersion", "kind", "metadata"}}
    body = {"apiVersion": rid.api_version, "kind": rid.kind, "metadata": metadata, **rest}
    return Wanted(rid, body)


def _mapping(value: Json, name: str, rid: ResourceId) -> JsonObject:
    if value is not None and not isinstance(value, dict):
        raise UnmadeError(f"malformed target: `{name}` of {rid} is no mapping")
    return value or {}
