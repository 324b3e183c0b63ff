"""An ImageValidatingPolicy, compiled: a rule that pins digests and one that judges, for Pods and their controllers."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from bartizan.engines.policy.cel.environment import Vocabulary
from bartizan.engines.policy.cel.expressions import (
    compile_annotations,
    compile_conditions,
    compile_validations,
    compile_variables,
)
from bartizan.engines.policy.cel.match import Match, MatchResources, compile_match, within
from bartizan.engines.policy.cel.names import makers_of
from bartizan.engines.policy.dialects.kyverno.cel.autogen import made_for_controllers
from bartizan.engines.policy.dialects.kyverno.cel.exceptions import exceptions_for
from bartizan.engines.policy.dialects.kyverno.cel.images.attestors import attestors_maker, compile_attestors
from bartizan.engines.policy.dialects.kyverno.cel.images.judge import ImageJudge, Scope, evidence_of
from bartizan.engines.policy.dialects.kyverno.cel.images.pinning import RULE, Pinning
from bartizan.engines.policy.dialects.kyverno.cel.images.selection import compile_extractors, compile_references
from bartizan.engines.policy.dialects.kyverno.cel.images.spec import ImageValidatingSpec, read_spec
from bartizan.engines.policy.dialects.kyverno.cel.images.verifier import ImageVerifier, Terms
from bartizan.engines.policy.dialects.kyverno.cel.spec import FAILURE_POLICIES, one_of
from bartizan.engines.policy.dialects.kyverno.cel.validating import action_of
from bartizan.engines.policy.dialects.kyverno.cel.vocabulary import makers_for, vocabulary_for
from bartizan.engines.policy.dialects.kyverno.images.access import registry_access
from bartizan.engines.policy.dialects.kyverno.library import WORLD, World
from bartizan.engines.policy.plan import Rule
from bartizan.lang.cel import CelError
from bartizan.lang.cel.types import DYN, STRING, list_of, map_of
from bartizan.model.finding import RuleId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.cel.names import Makers, Names
    from bartizan.engines.policy.dialects.kyverno.cel.spec import Head
    from bartizan.lang.jmespath import Ambient
    from bartizan.model.request import Request

_MODES: Final = frozenset({"Kubernetes", "JSON"})
_NAMES: Final = {
    "images": map_of(STRING, list_of(STRING)),
    "attestors": map_of(STRING, DYN),
    "attestations": map_of(STRING, STRING),
}
_EVERYTHING: Final = MatchResources()


class _Making(NamedTuple):
    """What all rules of a policy are compiled with."""

    head: Head
    ambient: Ambient
    exceptions: Sequence[JsonObject]


def image_validating_rules(
    document: JsonObject, head: Head, ambient: Ambient, exceptions: Sequence[JsonObject]
) -> Iterator[Rule]:
    """Compile a policy: its own rules, then the ones for pod controllers.

    Raises:
        SpecError: a field is malformed, or an expression does not compile.
    """
    spec = read_spec(document["spec"])
    action = action_of(spec.validation_actions)
    asked = spec.evaluation.mode if spec.evaluation else None
    making = _Making(head, ambient, exceptions)
    if one_of(asked, _MODES, "/spec/evaluation/mode", default="Kubernetes") == "JSON":
        judge = _judge(spec, document["spec"], lambda request: request.payload in ("", "json"), making)
        judge = replace(judge, is_json=True)
        yield Rule(head.info, judge, None, lambda _request: action, "verify")
        return
    match = _match(spec.match_constraints, head)
    pins = spec.validation_configurations.mutate_digest is not False
    made = [(spec, document["spec"], match, False)]
    for one in made_for_controllers(document["spec"], spec.match_constraints, spec.autogen):
        moved = spec if one.extracts else read_spec(one.spec)
        made.append((moved, one.spec, _match(one.match, head), one.extracts))
    for own, written, about, extracts in made:
        if pins:
            info = msgspec.structs.replace(head.info, id=RuleId(head.full_name, RULE))
            run = _pinning(own, _in_kubernetes(about), making)
            yield Rule(info, replace(run, knows=not extracts), about.kinds, lambda _request: action, "mutate")
        judge = _judge(own, written, _in_kubernetes(about), making)
        if extracts:
            judge = replace(judge, extracts=True)
        yield Rule(head.info, judge, about.kinds, lambda _request: action, "verify")


def _match(constraints: MatchResources | None, head: Head) -> Match:
    return within(compile_match(constraints or _EVERYTHING, "/spec/matchConstraints"), head.namespace)


def _in_kubernetes(match: Match) -> Callable[[Request], bool]:
    applies = match.applies
    return lambda request: not request.payload and applies(request)


@lru_cache(maxsize=4)
def _vocabulary(kind: str) -> Vocabulary:
    usual = vocabulary_for(kind)
    return Vocabulary(usual.functions, {**usual.names, **_NAMES}, usual.objects, homogeneous=usual.homogeneous)


def _scope(spec: ImageValidatingSpec, making: _Making, makers: Makers | None = None) -> Scope:
    head, ambient, exceptions = making
    environment, variables = compile_variables(spec.variables, _vocabulary(head.kind), "/spec/variables")
    ignores = one_of(spec.failure_policy, FAILURE_POLICIES, "/spec/failurePolicy", default="Fail") == "Ignore"
    return Scope(
        compile_conditions(spec.match_conditions, environment, "/spec/matchConditions"),
        exceptions_for(exceptions, head, environment),
        makers_of(variables, {**makers_for(ambient, head.namespace), **_early(), **(makers or {})}),
        ambient.now,
        ignores,
    )


def _early() -> Makers:
    """What stands for names that conditions do not have yet: they choose whether images are looked at."""

    def missing(name: str) -> Callable[[Names], object]:
        def fail(_names: Names) -> object:
            raise CelError(f"no such attribute(s): {name}")

        return fail

    return {name: missing(name) for name in _NAMES}


def _pinning(spec: ImageValidatingSpec, applies: Callable[[Request], bool], making: _Making) -> Pinning:
    credentials = spec.credentials
    return Pinning(
        _scope(spec, making),
        applies,
        compile_references(spec.match_image_references, "/spec/matchImageReferences"),
        lambda request: registry_access(credentials, request),
    )


def _judge(
    spec: ImageValidatingSpec, written: JsonObject, applies: Callable[[Request], bool], making: _Making
) -> ImageJudge:
    head, ambient, _ = making
    environment, _variables = compile_variables(spec.variables, _vocabulary(head.kind), "/spec/variables")
    is_meant = compile_references(spec.match_image_references, "/spec/matchImageReferences")
    attestations = {one.name: one for one in spec.attestations}
    terms = Terms(is_meant, attestations, {one["name"]: one for one in written.get("attestations") or ()})
    attestors = compile_attestors(spec.attestors, written.get("attestors") or (), environment)
    named = {name: name for name in attestations}
    makers: Makers = {
        WORLD: _world_maker(spec, terms, ambient, head.namespace),
        "attestors": attestors_maker(attestors),
        "attestations": lambda _names: named,
    }
    switches = spec.validation_configurations
    return ImageJudge(
        _scope(spec, making, makers),
        applies,
        compile_extractors(spec.images, environment, "/spec/images"),
        is_meant,
        compile_validations(spec.validations, environment, "/spec/validations"),
        compile_annotations(spec.audit_annotations, environment, "/spec/auditAnnotations"),
        verifies_digest=switches.verify_digest is not False,
        requires=switches.required is not False,
    )


def _world_maker(spec: ImageValidatingSpec, terms: Terms, ambient: Ambient, namespace: str) -> Callable[[Names], World]:
    """What the functions of a policy are given for a request: its verifier, and how registries are to be reached."""

    def world(names: Names) -> World:
        access = registry_access(spec.credentials, names.request)
        verifier = ImageVerifier(terms, access, names.lookup(), ambient.now(), evidence_of(names.request))
        return World(names.lookup(), ambient, namespace, verifier=verifier, access=access)

    return world
