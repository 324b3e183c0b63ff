"""A ClusterPolicy or Policy, compiled: its own rules, then the ones autogen makes for pod controllers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno.autogen import generated_rules
from bartizan.engines.policy.dialects.kyverno.rule import PolicyMeta, compile_rule
from bartizan.engines.policy.dialects.kyverno.spec import PolicySpec, RuleSpec, is_of
from bartizan.engines.policy.document import Metadata, decode, object_at
from bartizan.engines.policy.plan import Policy, Rule
from bartizan.lang.jmespath import compile_expression, functions_for
from bartizan.model.finding import RuleId, RuleInfo
from bartizan.model.outcome import Failed, Passed
from bartizan.model.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.variables import Compiler
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.lang.jmespath import Ambient
    from bartizan.model.outcome import Outcome
    from bartizan.model.request import Request

KINDS: Final = frozenset({"ClusterPolicy", "Policy"})
VERSIONS: Final = frozenset({"v1", "v2beta1"})
_TOP_FIELDS: Final = frozenset({"apiVersion", "kind", "metadata", "spec", "status"})


def expression_compiler(ambient: Ambient) -> Compiler:
    """Kyverno's dialect of JMESPath, with its functions."""
    functions = functions_for(ambient)
    return lambda text: compile_expression(text, functions, missing="error")


def is_policy(document: Json) -> bool:
    """Whether a document is one of the kinds compiled here."""
    return is_of(document, KINDS, VERSIONS)


def compile_policy(
    document: JsonObject,
    compiler: Compiler,
    *,
    exceptions: Sequence[JsonObject] = (),
    kinds: frozenset[str] | None = None,
) -> Policy:
    """Compile a policy. One broken rule does not lose the others.

    Where `kinds` are given, nothing else will be asked about, and no rules
    are generated for other pod controllers.

    Raises:
        SpecError: the document is no policy, or a field of the policy itself is malformed.
    """
    object_at(document, "", _TOP_FIELDS)
    spec = decode(document.get("spec") or {}, PolicySpec, "/spec")
    meta = _meta(document, spec)
    compiled: list[Rule] = []
    problems: list[SpecError] = []
    looping = _looping(spec.rules)
    problems += looping.values()
    for index, rule in enumerate(spec.rules):
        if index in looping:
            continue
        _compile_into(compiled, problems, rule, meta, compiler, exceptions, f"/spec/rules/{index}")
    if not problems:
        for made in generated_rules(spec.rules, meta.annotations):
            if kinds is not None and kinds.isdisjoint(made.kinds):
                continue
            start = len(compiled)
            _compile_into(compiled, problems, made.rule, meta, compiler, exceptions, f"/spec/rules/{made.origin}")
            compiled[start:] = [_only_for(rule, made.kinds) for rule in compiled[start:]]
    if not spec.rules:
        problems.append(SpecError(f"policy `{meta.name}` has no rules", pointer="/spec", hint="Write `rules:` in it."))
    return Policy(meta.name, meta.namespace, _one_only(spec, compiled), tuple(problems))


def _looping(rules: Sequence[JsonObject]) -> Mapping[int, SpecError]:
    """The rules that generate without end, by their number."""
    if not any(rule.get("generate") for rule in rules):
        return {}
    from bartizan.engines.policy.dialects.kyverno.generation.loops import (
        endless_loops,  # late: most policies only judge
    )

    return endless_loops(rules)


def _only_for(rule: Rule, kinds: frozenset[str]) -> Rule:
    """A generated rule is asked about the kinds it was made for, whatever else its filters would match."""
    return rule._replace(kinds=kinds if rule.kinds is None else rule.kinds & kinds)


def _compile_into(
    compiled: list[Rule],
    problems: list[SpecError],
    rule: JsonObject,
    meta: PolicyMeta,
    compiler: Compiler,
    exceptions: Sequence[JsonObject],
    at: str,
) -> None:
    try:
        spec = decode(rule, RuleSpec, at)
        info = RuleInfo(
            id=RuleId(meta.full_name, spec.name),
            title=meta.title,
            severity=meta.severity,
            category=meta.category,
            origin="kyverno",
            why=meta.description,
            scored=meta.scored,
        )
        compiled.append(compile_rule(spec, info, meta, compiler, exceptions, at))
    except SpecError as error:
        problems.append(error)


def _meta(document: JsonObject, spec: PolicySpec) -> PolicyMeta:
    metadata = decode(document.get("metadata") or {}, Metadata, "/metadata")
    if not metadata.name:
        raise SpecError("a policy needs a name", pointer="/metadata", hint="Write `metadata.name`.")
    annotations = metadata.annotations or {}
    _check_modes(spec)

    def note(field: str) -> str:
        return annotations.get(f"policies.kyverno.io/{field}", "").strip()

    namespaced = document.get("kind") == "Policy"
    return PolicyMeta(
        name=metadata.name,
        namespace=metadata.namespace or "default" if namespaced else "",
        annotations=annotations,
        title=note("title"),
        category=note("category"),
        severity=Severity.parse(note("severity"), Severity.MEDIUM),
        description=note("description"),
        scored=note("scored") != "false",
        failure_action=spec.validation_failure_action or "Audit",
        overrides=tuple(spec.validation_failure_action_overrides or ()),
        generate_existing=bool(spec.generate_existing),
        server_side_apply=bool(spec.use_server_side_apply),
    )


def _check_modes(spec: PolicySpec) -> None:
    """Refuse what would never run: a policy that is nowhere asked, and changes outside of admission."""
    if spec.generate_existing_on_policy_update is not None:
        field = "generateExistingOnPolicyUpdate"
        hint = "Write `generateExisting` instead."
        raise SpecError(f"`{field}` is no longer read", pointer=f"/spec/{field}", hint=hint)
    if spec.admission is not False:
        return
    if spec.background is False:
        hint = "Leave one of `admission: false` and `background: false` out."
        raise SpecError(
            "a policy that is asked neither in admission nor after it", pointer="/spec/admission", hint=hint
        )
    if any(deed in rule for rule in spec.rules for deed in ("mutate", "generate", "verifyImages")):
        hint = "Leave `admission: false` out, or move the rules that validate to a policy of their own."
        raise SpecError("without admission a policy can only validate", pointer="/spec/admission", hint=hint)


def _one_only(spec: PolicySpec, rules: list[Rule]) -> tuple[Rule, ...]:
    """With `applyRules: One`, each rule answers only where no rule before it that does the same has."""
    if spec.apply_rules != "One" or len(rules) < 2:
        return tuple(rules)
    return tuple(_after(rule, rules[:index]) for index, rule in enumerate(rules))


def _after(rule: Rule, before: list[Rule]) -> Rule:
    same = [other for other in before if other.does == rule.does]
    if rule.does != "validate":
        # INVARIANT: what changes the resource is never asked twice, for the second answer would be another
        return rule._replace(yields=bool(same))

    def run(request: Request, lookup: Lookup) -> Outcome | None:
        for other in same:
            if isinstance(other.run(request, lookup), Passed | Failed):
                return None
        return rule.run(request, lookup)

    return rule._replace(run=run, yields=bool(same))
