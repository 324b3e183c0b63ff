"""MutatingPolicy: what is changed of a resource on its way in, or of others when one comes by.

The peer answers `success` for a resource that its conditions let through,
whether or not anything changes. A policy that names targets changes them, and
never the resource that triggered it; one that changes existing resources
without naming targets is its own target, so that asking about each resource
is all there is to do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bartizan.engines.policy.cel.expressions import (
    AnnotationSpec,
    ConditionSpec,
    MutationSpec,
    VariableSpec,
    compile_annotations,
    compile_conditions,
    compile_variables,
)
from bartizan.engines.policy.cel.kinds import plural
from bartizan.engines.policy.cel.match import Match, MatchResources, compile_match, within
from bartizan.engines.policy.cel.mutate import PATCH_FUNCTIONS, compile_mutation, patch_types
from bartizan.engines.policy.cel.names import makers_of, names_of
from bartizan.engines.policy.dialects.kyverno.cel.autogen import made_for_controllers
from bartizan.engines.policy.dialects.kyverno.cel.exceptions import NAME, PolicyException, exceptions_for, holds, lift
from bartizan.engines.policy.dialects.kyverno.cel.spec import (
    FAILURE_POLICIES,
    MODES,
    Autogen,
    Switch,
    WebhookConfiguration,
    one_of,
)
from bartizan.engines.policy.dialects.kyverno.cel.targets import TargetConstraints, Targets, compile_targets
from bartizan.engines.policy.dialects.kyverno.cel.vocabulary import makers_for, vocabulary_for
from bartizan.engines.policy.document import Record, decode
from bartizan.engines.policy.lookup import LookupFailedError, ObjectsQuestion
from bartizan.engines.policy.mutation.errors import PatchError
from bartizan.engines.policy.mutation.same import same
from bartizan.engines.policy.mutation.structured_types import ANYTHING, shape_of_kind, shape_of_resource
from bartizan.engines.policy.plan import Rule
from bartizan.lang.cel import CelBudgetError, CelError, functions_of
from bartizan.model.change import Change
from bartizan.model.outcome import Broken, Outcome, Passed, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.cel.environment import Vocabulary
    from bartizan.engines.policy.cel.mutate import Mutation
    from bartizan.engines.policy.cel.names import Makers, Names
    from bartizan.engines.policy.dialects.kyverno.cel.spec import Head
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.engines.policy.mutation.structured_types import Shape
    from bartizan.engines.policy.plan import Run
    from bartizan.lang.cel import Environment, Expression
    from bartizan.lang.jmespath import Ambient
    from bartizan.model.request import Request
    from bartizan.model.resource import Resource

_REINVOCATION: Final = frozenset({"Never", "IfNeeded"})
_SUCCESS: Final = "success"
_UNMATCHED: Final = Skipped("skip")
_EXTRACTED: Final = Skipped("extraction mode: mutation for custom workload CRDs is not yet supported")
_DEFINITIONS: Final = "apiextensions.k8s.io/v1/CustomResourceDefinition"
_PLACE: Final = re.compile(r"\b(object|oldObject|Object)\.(spec|metadata\.labels|metadata\.annotations)", re.ASCII)
_ROOT: Final = re.compile(r"\s*Object[ \t\r\n]*\{")


class Evaluation(Record, frozen=True):
    """Where and of what a policy is asked."""

    mode: str | None = None
    admission: Switch | None = None
    background: Switch | None = None
    mutate_existing: Switch | None = None
    skip_background_requests: bool | None = None
    use_server_side_apply: bool = False


class MutatingSpec(Record, frozen=True):
    """`spec` of a MutatingPolicy."""

    match_constraints: MatchResources | None = None
    mutations: tuple[MutationSpec, ...] = ()
    failure_policy: str | None = None
    match_conditions: tuple[ConditionSpec, ...] = ()
    variables: tuple[VariableSpec, ...] = ()
    autogen: Autogen | None = None
    target_match_constraints: TargetConstraints | None = None
    target_match_conditions: tuple[ConditionSpec, ...] = ()
    audit_annotations: tuple[AnnotationSpec, ...] = ()
    webhook_configuration: WebhookConfiguration | None = None
    evaluation: Evaluation | None = None
    reinvocation_policy: str | None = None

    @property
    def changes_existing(self) -> bool:
        """Whether it changes resources that exist already."""
        existing = self.evaluation.mutate_existing if self.evaluation else None
        return existing is not None and existing.enabled is True


@dataclass(frozen=True, slots=True)
class _Mutator:
    """A policy's expressions, ready to be asked about a request."""

    conditions: tuple[tuple[str, Expression], ...]
    target_conditions: tuple[tuple[str, Expression], ...]
    mutations: tuple[Mutation, ...]
    annotations: tuple[tuple[str, Expression], ...]
    exceptions: tuple[PolicyException, ...]
    makers: Makers
    now: Callable[[], datetime]
    guard: bool
    environment: Environment

    def about(self, request: Request, lookup: Lookup) -> Outcome:
        """What the policy does to the resource that is asked about."""
        names = names_of(request, lambda: lookup, self.makers)
        return self._run(names, self.conditions, request.resource, lookup)

    def about_target(self, trigger: Names, target: Resource, lookup: Lookup) -> Outcome:
        """What the policy does to another resource, because of what triggered it."""
        request = msgspec.structs.replace(trigger.request, resource=target, old=None, memo={})
        names = names_of(request, lambda: lookup, self.makers)
        names["object"], names["oldObject"] = target.body, None
        names["request"] = trigger["request"]
        return self._run(names, self.target_conditions, target, lookup)

    def _run(
        self, names: Names, conditions: tuple[tuple[str, Expression], ...], resource: Resource, lookup: Lookup
    ) -> Outcome:
        if self.exceptions:
            lifted = lift(self.exceptions, names, self.now)
            if lifted.outcome is not None:
                return lifted.outcome
            names[NAME] = lifted.narrowing
        try:
            if conditions and not holds(conditions, names):
                return _UNMATCHED
            after = self._mutated(names, resource, lookup)
            for key, annotation in self.annotations:
                _annotated(key, annotation, names)
        except (CelError, CelBudgetError, PatchError) as error:
            return Broken(f"failed to evaluate policy: {error}")
        if same(after, resource.body):
            return Passed(_SUCCESS)
        return Passed(_SUCCESS, (Change(resource.id, resource.body, after),))

    def _mutated(self, names: Names, resource: Resource, lookup: Lookup) -> JsonObject:
        """The resource after every mutation; each sees what those before it left."""
        body = resource.body
        for mutation in self.mutations:
            after = mutation.apply(names, body, lambda: _shape(resource, lookup), guard=self.guard)
            if not isinstance(after, dict):
                raise PatchError("the patch leaves no object")
            body = names["object"] = after
        return body


def _annotated(key: str, annotation: Expression, names: Names) -> None:
    try:
        annotation(names)
    except CelError as error:
        raise CelError(f'failed to evaluate auditAnnotation "{key}": {error}') from error


def _shape(resource: Resource, lookup: Lookup) -> Shape:
    """The type of a resource: of a built-in kind, by its definition, or anything where nobody knows it."""
    rid = resource.id
    known = shape_of_kind(rid.api_version, rid.kind)
    if known is not None:
        return known
    try:
        found = lookup.answer(ObjectsQuestion(_DEFINITIONS, name=f"{plural(rid.kind)}.{rid.group}"))
    except LookupFailedError:
        return ANYTHING
    for definition in found if isinstance(found, list) else ():
        versions = _field(_field(definition, "spec"), "versions")
        for version in versions if isinstance(versions, list) else ():
            if _field(version, "name") == rid.version:
                return shape_of_resource(_field(_field(version, "schema"), "openAPIV3Schema"))
    return ANYTHING


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


@lru_cache(maxsize=16)
def _vocabulary(kind: str) -> Vocabulary:
    usual = vocabulary_for(kind)
    functions = functions_of(usual.functions, PATCH_FUNCTIONS)
    return replace(usual, functions=functions, constructible=patch_types, _plain=[])


def mutating_rules(
    document: JsonObject, head: Head, ambient: Ambient, exceptions: Sequence[JsonObject]
) -> Iterator[Rule]:
    """Compile a MutatingPolicy: its own rule, the ones for pod controllers, and the one for targets.

    Raises:
        SpecError: a field is malformed, or an expression does not compile.
    """
    spec = decode(document["spec"], MutatingSpec, "/spec")
    one_of(spec.evaluation.mode if spec.evaluation else None, MODES, "/spec/evaluation/mode", default="")
    one_of(spec.failure_policy, FAILURE_POLICIES, "/spec/failurePolicy", default="")
    one_of(spec.reinvocation_policy, _REINVOCATION, "/spec/reinvocationPolicy", default="")
    mutator = _mutator(spec, head, ambient, exceptions)
    match = within(compile_match(spec.match_constraints or MatchResources(), "/spec/matchConstraints"), head.namespace)
    at = "/spec/targetMatchConstraints"
    targets = compile_targets(spec.target_match_constraints, mutator.environment, head.namespace, at)
    if targets is not None:
        if spec.changes_existing:
            yield Rule(head.info, _for_targets(match, mutator, targets), match.kinds, does="mutate")
        return
    yield Rule(head.info, _for_resource(match, mutator.about), match.kinds, does="mutate")
    for made in made_for_controllers(document["spec"], spec.match_constraints, spec.autogen, _for_template):
        match = within(compile_match(made.match, "/spec/matchConstraints"), head.namespace)
        if made.extracts:
            yield Rule(
                head.info, _for_resource(match, lambda _request, _lookup: _EXTRACTED), match.kinds, does="mutate"
            )
        else:
            moved = _mutator(decode(made.spec, MutatingSpec, "/spec"), head, ambient, exceptions)
            yield Rule(head.info, _for_resource(match, moved.about), match.kinds, does="mutate")


def _mutator(spec: MutatingSpec, head: Head, ambient: Ambient, exceptions: Sequence[JsonObject]) -> _Mutator:
    environment, variables = compile_variables(spec.variables, _vocabulary(head.kind), "/spec/variables")
    return _Mutator(
        compile_conditions(spec.match_conditions, environment, "/spec/matchConditions"),
        compile_conditions(spec.target_match_conditions, environment, "/spec/targetMatchConditions"),
        tuple(
            compile_mutation(mutation, environment, f"/spec/mutations/{index}")
            for index, mutation in enumerate(spec.mutations)
        ),
        compile_annotations(spec.audit_annotations, environment, "/spec/auditAnnotations"),
        exceptions_for(exceptions, head, environment),
        makers_of(variables, makers_for(ambient, head.namespace)),
        ambient.now,
        not (spec.evaluation and spec.evaluation.use_server_side_apply),
        environment,
    )


def _for_resource(match: Match, mutate: Callable[[Request, Lookup], Outcome]) -> Run:
    applies = match.applies

    def run(request: Request, lookup: Lookup) -> Outcome | None:
        if request.payload or request.operation == "DELETE" or not applies(request):
            return None
        return mutate(request, lookup)

    return run


def _for_targets(match: Match, mutator: _Mutator, targets: Targets) -> Run:
    """Change the targets; one that cannot be changed is an error of the policy, and none is then."""
    applies = match.applies

    def run(request: Request, lookup: Lookup) -> Outcome | None:
        if request.payload or not applies(request):
            return None
        names = names_of(request, lambda: lookup, mutator.makers)
        try:
            if mutator.conditions and not holds(mutator.conditions, names):
                return _UNMATCHED
            found = targets.find(names, lookup)
        except LookupFailedError as error:
            return Broken(str(error))
        except (CelError, CelBudgetError) as error:
            return Broken(f"failed to evaluate policy: {error}")
        changes: list[Change] = []
        last: Outcome | None = None
        for target in found:
            outcome = mutator.about_target(names, target, lookup)
            if isinstance(outcome, Broken):
                return Broken(f"{outcome.error} (target {target.id})")
            if isinstance(outcome, Passed):
                changes += outcome.changes
            last = outcome if last is None or isinstance(outcome, Passed) else last
        return Passed(_SUCCESS, tuple(changes)) if isinstance(last, Passed) else last

    return run


def _for_template(spec: Json, path: str) -> Json:
    """A spec about Pods as one about the pod template at `path`: its conditions, and what it merges.

    As the peer has it, variables and JSON patches stay as they are.
    """
    if not isinstance(spec, dict):
        return spec
    conditions = [_rewritten(item, ("expression",), path) for item in spec.get("matchConditions") or ()]
    mutations = [_rewritten(item, ("applyConfiguration", "expression"), path) for item in spec.get("mutations") or ()]
    return {**spec, "matchConditions": conditions, "mutations": mutations}


def _rewritten(item: Any, way: tuple[str, ...], path: str) -> Any:
    if not way:
        return _in_template(item, path) if isinstance(item, str) else item
    if not isinstance(item, dict) or way[0] not in item:
        return item
    return {**item, way[0]: _rewritten(item[way[0]], way[1:], path)}


def _in_template(text: str, path: str) -> str:
    """An expression about a Pod as one about a template; a whole `Object{…}` is put where the template stands."""
    text = _PLACE.sub(lambda found: f"{found[1]}.{path}.{found[2]}", text)
    root = _ROOT.match(text)
    if root is None:
        return text
    end = _end_of_braces(text, root.end())
    if end is None:
        return text.strip()
    opening = closing = ""
    name = "Object"
    for step in path.split("."):
        opening += f"{name}{{{step}: "
        name += f".{step}"
        closing += "}"
    return f"{opening}{name}{{{text[root.end() : end]}}}{closing}{text[end + 1 :]}"


def _end_of_braces(text: str, start: int) -> int | None:
    """Where the brace ends that is open at `start`; braces in texts count, as the peer has it."""
    depth = 1
    for index in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[index], 0)
        if depth == 0:
            return index
    return None
