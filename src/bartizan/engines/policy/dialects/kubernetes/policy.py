"""Admission policies and their bindings, from documents that may stand anywhere, compiled to rules.

A policy does nothing in a cluster until a binding names it. Here it is
judged by all the same where no binding of it is among the documents, for
who brings a policy wants to know what it says; that is told beside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from bartizan.base.errors import SpecError
from bartizan.engines.policy.cel.params import ParamsError
from bartizan.engines.policy.dialects.kubernetes.bindings import UNBOUND, Binding, BindingDocument, bind, read_binding
from bartizan.engines.policy.dialects.kubernetes.checks import check_name, left_out, left_out_of_binding
from bartizan.engines.policy.dialects.kubernetes.kinds import MUTATING, VALIDATING, is_admission_document
from bartizan.engines.policy.dialects.kubernetes.matching import Matched, is_exempt, now
from bartizan.engines.policy.dialects.kubernetes.validating import ValidatingPolicy, compile_validating
from bartizan.engines.policy.document import Metadata, decode, object_at
from bartizan.engines.policy.plan import Action, Rule
from bartizan.model.change import Change
from bartizan.model.finding import RuleId, RuleInfo
from bartizan.model.outcome import PASSED, Broken, Failed, Passed, Skipped
from bartizan.model.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.dialects.kubernetes.mutating import MutatingPolicy
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.engines.policy.plan import Run
    from bartizan.model.outcome import Outcome
    from bartizan.model.request import Request

_TOP_FIELDS: Final = frozenset({"apiVersion", "kind", "metadata", "spec", "status"})

_IDLE: Final = "match conditions do not hold"
_NO_PARAMS: Final = "the binding found no parameters"

AdmissionPolicy: TypeAlias = "ValidatingPolicy | MutatingPolicy"


class Wrong(NamedTuple):
    """What is wrong with a document, which is known by its place among the documents."""

    document: int
    error: SpecError


class Remark(NamedTuple):
    """Something that is not wrong, but that a reader should know."""

    document: int
    message: str
    hint: str


class Bound(NamedTuple):
    """A policy with its bindings; without any, it is judged by everywhere. `document` is the place of its own."""

    policy: AdmissionPolicy
    info: RuleInfo
    bindings: tuple[Binding, ...]
    document: int


class Compiled(NamedTuple):
    """What came of documents. `policies` are in their order, and `rules` are theirs, one for each binding."""

    policies: tuple[Bound, ...]
    rules: tuple[Rule, ...]
    problems: tuple[Wrong, ...]
    remarks: tuple[Remark, ...]


def compile_policies(documents: Iterable[JsonObject]) -> Compiled:
    """Compile policies with their bindings; what is broken does not lose the rest."""
    policies: list[tuple[int, AdmissionPolicy, RuleInfo]] = []
    bindings: list[tuple[int, BindingDocument]] = []
    problems: list[Wrong] = []
    lax: list[Remark] = []
    for number, document in enumerate(documents):
        try:
            info = _info(document)
            if str(document["kind"]).endswith("Binding"):
                binding = read_binding(document, info.id.policy)
                bindings.append((number, binding))
                lax += _lax(number, left_out_of_binding(binding.spec))
            else:
                policy = _compiled(document, info.id.policy)
                policies.append((number, policy, info))
                lax += _lax(number, left_out(policy.constraints))
        except SpecError as error:
            problems.append(Wrong(number, error))
    bound, remarks = _joined(policies, bindings)
    rules = tuple(rule for item in bound for rule in rules_of(item))
    return Compiled(tuple(bound), rules, tuple(problems), (*lax, *remarks))


def _lax(number: int, fields: list[str]) -> list[Remark]:
    said = "`{}` is left out, and the API server refuses the document without"
    return [Remark(number, said.format(field), "Write it, if this is for a cluster.") for field in fields]


def _compiled(document: JsonObject, name: str) -> AdmissionPolicy:
    if document["kind"] == VALIDATING:
        return compile_validating(document, name)
    from bartizan.engines.policy.dialects.kubernetes.mutating import compile_mutating  # late: most policies only judge

    return compile_mutating(document, name)


def _info(document: JsonObject) -> RuleInfo:
    """What is true of all rules of a policy; of a binding, little more than its name."""
    if not is_admission_document(document):
        raise SpecError("this is no admission policy", pointer="/kind", hint="See what kinds the API server has.")
    object_at(document, "", _TOP_FIELDS)
    metadata = decode(document.get("metadata") or {}, Metadata, "/metadata")
    check_name(metadata.name, "/metadata/name")
    notes = metadata.annotations or {}

    def note(field: str) -> str:
        return notes.get(f"policies.kyverno.io/{field}", "").strip()

    return RuleInfo(
        RuleId(metadata.name),
        title=note("title"),
        severity=Severity.parse(note("severity"), Severity.MEDIUM),
        category=note("category"),
        origin="kubernetes",
        why=note("description"),
    )


def _kind_of(policy: AdmissionPolicy) -> str:
    return VALIDATING if isinstance(policy, ValidatingPolicy) else MUTATING


def _joined(
    policies: list[tuple[int, AdmissionPolicy, RuleInfo]], bindings: list[tuple[int, BindingDocument]]
) -> tuple[list[Bound], list[Remark]]:
    bound: list[Bound] = []
    remarks: list[Remark] = []
    known: set[tuple[str, str]] = set()
    for number, policy, info in policies:
        kind = _kind_of(policy)
        known.add((kind, policy.name))
        mine = [item for _, item in bindings if (item.policy_kind, item.spec.policy_name) == (kind, policy.name)]
        if not mine:
            said = f"no binding of {kind} `{policy.name}` was given, and without one a cluster does not run it"
            remarks.append(Remark(number, said, f"Write a {kind}Binding."))
        bound.append(Bound(policy, info, tuple(bind(item, policy.param_kind) for item in mine), number))
    for number, item in bindings:
        if (item.policy_kind, item.spec.policy_name) not in known:
            said = f"binding `{item.name}` names {item.policy_kind} `{item.spec.policy_name}`, which was not given"
            remarks.append(Remark(number, said, "Name the policy's file as well."))
    return bound, remarks


def rules_of(bound: Bound) -> list[Rule]:
    """The rules of a policy: one for each binding, or one for all it matches."""
    return [_rule(bound, binding) for binding in bound.bindings or (UNBOUND,)]


def _rule(bound: Bound, binding: Binding) -> Rule:
    policy = bound.policy
    info = RuleInfo(
        RuleId(policy.name, binding.name),
        bound.info.title,
        bound.info.severity,
        bound.info.category,
        bound.info.origin,
        bound.info.why,
    )
    kinds = policy.matcher.kinds
    if isinstance(policy, ValidatingPolicy):
        action: Action = "Enforce" if "Deny" in binding.actions else "Audit"
        return Rule(info, _validating_run(policy, binding), kinds, lambda _request: action)
    run = _mutating_run(policy, binding)
    return Rule(info, run, kinds, lambda _request: "Enforce", "mutate", again=policy.again)


def matches(policy: AdmissionPolicy, binding: Binding, request: Request, lookup: Lookup) -> Matched | None:
    """The request as a policy is shown it, where the policy and its binding both mean it."""
    matched = policy.matcher.match(request, lookup)
    if matched is None or is_exempt(request):
        return None
    if binding.matcher is not None and binding.matcher.match(request, lookup) is None:
        return None
    return matched


def _run(
    policy: AdmissionPolicy,
    binding: Binding,
    asks: Callable[[Matched, Lookup, Sequence[JsonObject | None]], Outcome | None],
) -> Run:
    """Ask a policy with all parameters that its binding finds; `asks` gives nothing where no conditions hold."""

    def run(request: Request, lookup: Lookup) -> Outcome | None:
        matched = matches(policy, binding, request, lookup)
        if matched is None:
            return None
        try:
            found = binding.collect(request, lookup)
        except ParamsError as error:
            return Broken(f"failed to configure binding: {error}")
        return asks(matched, lookup, found) or Skipped(_IDLE if found else _NO_PARAMS)

    return run


def _validating_run(policy: ValidatingPolicy, binding: Binding) -> Run:
    """Judge one resource as a scan does: the first that denies, or has no value, is what is said."""

    def judge(matched: Matched, lookup: Lookup, found: Sequence[JsonObject | None]) -> Outcome | None:
        asked = False
        for params in found:
            judgement = policy.judge(matched, lookup, params)
            if judgement is None:
                continue
            asked = True
            for decision in judgement.denials:
                if decision.errored:
                    return Broken(decision.message)
                return Failed(decision.message, "", decision.evidence)
        return PASSED if asked else None

    return _run(policy, binding, judge)


def _mutating_run(policy: MutatingPolicy, binding: Binding) -> Run:
    """Change one resource, with each of the parameters in turn."""

    def mutate(matched: Matched, lookup: Lookup, found: Sequence[JsonObject | None]) -> Outcome | None:
        resource = matched.original.resource
        body = resource.body
        asked = False
        for params in found:
            mutated = policy.mutate(now(matched, body), lookup, params)
            if mutated is None:
                continue
            if mutated.errors:
                return Broken(mutated.errors[0])
            asked, body = True, mutated.body
        if not asked:
            return None
        changes = () if body is resource.body else (Change(resource.id, resource.body, body),)
        return Passed("the resource was mutated" if changes else "nothing had to be mutated", changes)

    return _run(policy, binding, mutate)
