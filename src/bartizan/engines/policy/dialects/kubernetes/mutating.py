"""MutatingAdmissionPolicy: expressions that say how a resource is to be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.engines.policy.cel.environment import COMMON, Vocabulary
from bartizan.engines.policy.cel.mutate import PATCH_FUNCTIONS, Mutation, compile_mutation, patch_types
from bartizan.engines.policy.dialects.kubernetes.checks import check_mutating
from bartizan.engines.policy.dialects.kubernetes.evaluation import (
    FUNCTIONS,
    NAMES,
    PARAMS,
    Evaluation,
    compile_evaluation,
    failed,
)
from bartizan.engines.policy.dialects.kubernetes.matching import Matched, Matcher, compile_matcher, with_body
from bartizan.engines.policy.dialects.kubernetes.metering import Budget
from bartizan.engines.policy.dialects.kubernetes.spec import MutatingSpec
from bartizan.engines.policy.document import decode
from bartizan.engines.policy.lookup import LookupFailedError, ObjectsQuestion
from bartizan.engines.policy.mutation.errors import PatchError
from bartizan.engines.policy.mutation.structured_types import ANYTHING, Shape, shape_of_kind, shape_of_resource
from bartizan.lang.cel import CelBudgetError, CelError, CelTotalError, functions_of
from bartizan.lang.cel.allowance import TurnsSpentError

if TYPE_CHECKING:
    from typing import TypeAlias

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.cel.match import MatchResources
    from bartizan.engines.policy.cel.params import ParamKind
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.model.resource import ResourceId

    _About: TypeAlias = "tuple[Matched, Lookup, JsonObject | None]"

_FUNCTIONS: Final = functions_of(FUNCTIONS, PATCH_FUNCTIONS)
_PLAIN: Final = Vocabulary(_FUNCTIONS, {**COMMON, **NAMES}, constructible=patch_types)
_WITH_PARAMS: Final = Vocabulary(_FUNCTIONS, {**COMMON, **PARAMS, **NAMES}, constructible=patch_types)


class Mutated(NamedTuple):
    """What came of a policy. `errors` are of mutations that could not be done; the others were.

    `touched` is whether a patch was made at all, even one that changed nothing.
    """

    body: JsonObject
    errors: tuple[str, ...] = ()
    touched: bool = False


class MutatingPolicy(NamedTuple):
    """A policy, compiled. `again` asks it once more where anything was changed after it."""

    name: str
    constraints: MatchResources
    matcher: Matcher
    param_kind: ParamKind | None
    fails_open: bool
    again: bool
    evaluation: Evaluation
    mutations: tuple[Mutation, ...]
    budgets: tuple[Budget, ...]
    """What each mutation may cost."""

    def mutate(self, matched: Matched, lookup: Lookup, params: JsonObject | None) -> Mutated | None:
        """Change the resource of a request that the policy matches; `None` where its conditions do not hold."""
        request = matched.request
        body = request.resource.body
        if matched.problem:
            return Mutated(body, (matched.problem,))
        stopped = self.evaluation.stopped(matched, lookup, params)
        if stopped is True or request.operation == "DELETE":
            return None
        if stopped:
            return Mutated(body, (stopped,))
        errors: list[str] = []
        for number, mutation in enumerate(self.mutations):
            # each mutation sees what those before it have made
            seen = Matched(with_body(request, body), matched.original)
            try:
                body = self._mutated(number, (seen, lookup, params))
            except CelTotalError as error:
                errors.append(str(error))
            except (CelError, CelBudgetError) as error:
                errors.append(failed(mutation.expression, error))
            except PatchError as error:
                errors.append(error.message)
        return Mutated(_original(body, matched), tuple(errors), len(errors) < len(self.mutations))

    def _mutated(self, number: int, about: _About) -> JsonObject:
        try:
            return self._applied(number, about, counted=False)
        except TurnsSpentError:
            return self._applied(number, about, counted=True)

    def _applied(self, number: int, about: _About, *, counted: bool) -> JsonObject:
        names = self.evaluation.names(*about)
        self.budgets[number].open(names, counted=counted)
        seen, lookup, _ = about
        resource = seen.request.resource
        made: JsonObject = self.mutations[number].apply(names, resource.body, lambda: shape_of(resource.id, lookup))
        return made


def _original(body: JsonObject, matched: Matched) -> JsonObject:
    """What was made, in the version that the request is in."""
    if body is matched.request.resource.body:
        return matched.original.resource.body
    if matched.request is matched.original:
        return body
    return {**body, "apiVersion": matched.original.resource.id.api_version}


def shape_of(rid: ResourceId, lookup: Lookup) -> Shape:
    """How a kind's lists and maps merge: from our tables, else from its definition.

    Of a kind that nobody knows, maps merge, and lists are one value.
    """
    known = shape_of_kind(rid.api_version, rid.kind)
    if known is not None:
        return known
    try:
        found = lookup.answer(ObjectsQuestion("apiextensions.k8s.io/*/CustomResourceDefinition", name=f"*.{rid.group}"))
    except LookupFailedError:
        return ANYTHING
    for definition in found if isinstance(found, list) else ():
        spec = definition.get("spec") or {}
        if (spec.get("names") or {}).get("kind") != rid.kind:
            continue
        for version in spec.get("versions") or ():
            if version.get("name") == rid.version:
                return shape_of_resource((version.get("schema") or {}).get("openAPIV3Schema"))
    return ANYTHING


def compile_mutating(document: JsonObject, name: str) -> MutatingPolicy:
    """Compile a MutatingAdmissionPolicy.

    Raises:
        SpecError: it is not what the API server would take.
    """
    spec = decode(document.get("spec") or {}, MutatingSpec, "/spec")
    check_mutating(spec, "/spec")
    assert spec.match_constraints is not None  # noqa: S101 (checked above)
    evaluation = compile_evaluation(spec, _PLAIN if spec.param_kind is None else _WITH_PARAMS, "/spec")
    environment, variables = evaluation.variables
    mutations = tuple(
        compile_mutation(mutation, environment, f"/spec/mutations/{index}")
        for index, mutation in enumerate(spec.mutations)
    )
    return MutatingPolicy(
        name,
        spec.match_constraints,
        compile_matcher(spec.match_constraints, "/spec/matchConstraints"),
        spec.param_kind,
        spec.failure_policy == "Ignore",
        spec.reinvocation_policy == "IfNeeded",
        evaluation,
        mutations,
        tuple(Budget([mutation.expression], variables.values()) for mutation in mutations),
    )
