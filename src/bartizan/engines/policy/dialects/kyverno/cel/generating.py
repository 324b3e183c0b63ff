"""GeneratingPolicy and NamespacedGeneratingPolicy, compiled: from a trigger to the objects it is to have.

What a policy makes comes out as changes, as of classic rules, and in the
same way: made where it is missing, and brought up to date where the policy
itself has made it for this trigger. What somebody else has put in its place
is left alone. Source: the peer's `gpol` engine and `libs.GenerateResources`.

On purpose it differs from the peer in one thing: a trigger that changes, and
is one still but for the operation that the constraints name, keeps what was
made for it; there every change to it deletes what it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bartizan.base.errors import SpecError
from bartizan.engines.policy.cel.expressions import (
    AnnotationSpec,
    ConditionSpec,
    VariableSpec,
    compile_annotations,
    compile_at,
    compile_conditions,
    compile_variables,
)
from bartizan.engines.policy.cel.match import MatchResources
from bartizan.engines.policy.cel.names import makers_of
from bartizan.engines.policy.dialects.kyverno.cel.exceptions import exceptions_for
from bartizan.engines.policy.dialects.kyverno.cel.making import GeneratingRule, Matches, generating_run
from bartizan.engines.policy.dialects.kyverno.cel.spec import Head, Switch, WebhookConfiguration
from bartizan.engines.policy.dialects.kyverno.cel.template import compile_template
from bartizan.engines.policy.dialects.kyverno.cel.vocabulary import makers_for, vocabulary_for
from bartizan.engines.policy.dialects.kyverno.generation.labels import Maker
from bartizan.engines.policy.dialects.kyverno.generation.sync import Terms
from bartizan.engines.policy.dialects.kyverno.library.generator import hand_on, placed
from bartizan.engines.policy.document import Record, decode
from bartizan.engines.policy.plan import Rule
from bartizan.lang.cel import CelError
from bartizan.lang.cel.types import BOOL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.cel.names import Names
    from bartizan.engines.policy.dialects.kyverno.cel.making import Make
    from bartizan.engines.policy.dialects.kyverno.library import World
    from bartizan.lang.cel import Environment
    from bartizan.lang.jmespath import Ambient


class Evaluation(Record, frozen=True):
    """When a policy runs, and what becomes of what it has made."""

    admission: Switch | None = None
    generate_existing: Switch | None = None
    synchronize: Switch | None = None
    orphan_downstream_on_policy_delete: Switch | None = None
    skip_background_requests: bool | None = None


class TemplateSpec(Record, frozen=True):
    """Objects written as YAML."""

    value: str
    interpolate: Literal["", "none", "cel"] = "none"


class GenerationSpec(Record, frozen=True):
    """What is made: by an expression, or as a template."""

    expression: str = ""
    template: TemplateSpec | None = None


class GeneratingSpec(Record, frozen=True):
    """`spec` of a generating policy."""

    generate: tuple[GenerationSpec, ...]
    match_constraints: MatchResources | None = None
    match_conditions: tuple[ConditionSpec, ...] = ()
    variables: tuple[VariableSpec, ...] = ()
    evaluation: Evaluation | None = None
    webhook_configuration: WebhookConfiguration | None = None
    audit_annotations: tuple[AnnotationSpec, ...] = ()
    use_server_side_apply: bool = False


def generating_rules(
    document: JsonObject, head: Head, ambient: Ambient, exceptions: Sequence[JsonObject]
) -> Iterator[Rule]:
    """Compile a generating policy to its one rule.

    Raises:
        SpecError: something in it is malformed, or a cluster would not take it.
    """
    rule = compile_generating(document, head, ambient, exceptions)
    yield Rule(head.info, generating_run(rule), rule.matches.kinds, does="generate")


def compile_generating(
    document: JsonObject, head: Head, ambient: Ambient, exceptions: Sequence[JsonObject]
) -> GeneratingRule:
    """Compile a generating policy to what it makes, as whoever watches a cluster needs it.

    Raises:
        SpecError: something in it is malformed, or a cluster would not take it.
    """
    spec = decode(document["spec"], GeneratingSpec, "/spec")
    if not spec.generate:
        raise SpecError("a policy that makes nothing", pointer="/spec/generate", hint="Write an `expression` in it.")
    if spec.match_constraints is None or not spec.match_constraints.resource_rules:
        hint = "Write `resourceRules:` in `matchConstraints`."
        raise SpecError("a generating policy names no trigger", pointer="/spec/matchConstraints", hint=hint)
    vocabulary = vocabulary_for(head.kind)
    conditions = compile_conditions(spec.match_conditions, vocabulary.environment(), "/spec/matchConditions")
    variables = compile_variables(spec.variables, vocabulary, "/spec/variables")
    makes = tuple(_makes(spec, variables.environment, head, ambient))
    notes = compile_annotations(spec.audit_annotations, variables.environment, "/spec/auditAnnotations")
    evaluation = spec.evaluation or Evaluation()
    return GeneratingRule(
        maker=Maker(head.name, "", ""),
        namespace=head.namespace,
        matches=Matches.of(spec.match_constraints, conditions, head.namespace),
        terms=_terms(spec, evaluation),
        in_admission=_is_on(evaluation.admission, otherwise=True),
        for_existing=_is_on(evaluation.generate_existing),
        for_generated=evaluation.skip_background_requests is False,
        exceptions=exceptions_for(exceptions, head, vocabulary.environment()),
        now=ambient.now,
        makers=makers_of(variables.expressions, makers_for(ambient, head.namespace)),
        makes=makes,
        notes=notes,
    )


def _terms(spec: GeneratingSpec, evaluation: Evaluation) -> Terms:
    return Terms(
        synchronize=_is_on(evaluation.synchronize),
        orphans=_is_on(evaluation.orphan_downstream_on_policy_delete),
        merges=spec.use_server_side_apply,
    )


def _is_on(switch: Switch | None, *, otherwise: bool = False) -> bool:
    return otherwise if switch is None or switch.enabled is None else switch.enabled


def _makes(spec: GeneratingSpec, environment: Environment, head: Head, ambient: Ambient) -> list[Make]:
    """What each entry of `generate` hands on to the world."""
    return [
        _make(entry, environment, head, ambient, f"/spec/generate/{index}") for index, entry in enumerate(spec.generate)
    ]


def _make(entry: GenerationSpec, environment: Environment, head: Head, ambient: Ambient, at: str) -> Make:
    if bool(entry.expression) == (entry.template is not None):
        count = "both" if entry.expression else "neither"
        hint = "Write one of `expression` and `template`."
        raise SpecError(
            f"{count} an expression and a template" if count == "both" else "nothing to make", pointer=at, hint=hint
        )
    if entry.template is None:
        expression = compile_at(entry.expression, environment, (BOOL,), f"{at}/expression")
        return lambda names, _world: expression(names)
    interpolates = entry.template.interpolate == "cel"
    where = f"{at}/template/value"
    render = compile_template(entry.template.value, environment if interpolates else None, ambient.parse_yaml, where)
    return _rendered(render, head.namespace)


def _rendered(render: Callable[[Names], list[JsonObject]], own: str) -> Make:
    """The objects of a template, each in the namespace it names; a policy of a namespace makes them in its own."""

    def make(names: Names, world: World) -> None:
        for body in render(names):
            metadata = body.get("metadata")
            named = metadata.get("namespace") if isinstance(metadata, dict) else ""
            namespace = named if isinstance(named, str) else ""
            if own and namespace not in ("", own):
                raise CelError(
                    f'cross-namespace generation denied: a policy in namespace "{own}" '
                    f'cannot generate resources into namespace "{namespace}"'
                )
            hand_on(world, [placed(body, namespace or own, world)])

    return make
