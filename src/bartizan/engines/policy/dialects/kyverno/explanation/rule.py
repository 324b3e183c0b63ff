"""Why a rule said what it said of one resource.

The rule itself is run, compiled so that it is watched (see `watch`), and
what it did is put into the order in which people read a rule: match,
exclude, exceptions, context, preconditions, judgement, message. LAW: the
outcome is the one the rule has when nobody watches.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from bartizan.base import wildcard
from bartizan.engines.policy.cel.listening import listening
from bartizan.engines.policy.dialects.kyverno.autogen import generated_rules
from bartizan.engines.policy.dialects.kyverno.exceptions import decode_exception
from bartizan.engines.policy.dialects.kyverno.explanation.about import explain_about
from bartizan.engines.policy.dialects.kyverno.explanation.conditions import explain_conditions, explain_context
from bartizan.engines.policy.dialects.kyverno.explanation.judgement import explain_judgement
from bartizan.engines.policy.dialects.kyverno.explanation.language import filled
from bartizan.engines.policy.dialects.kyverno.explanation.match import explain_match
from bartizan.engines.policy.dialects.kyverno.match import compile_filters
from bartizan.engines.policy.dialects.kyverno.policy import compile_policy
from bartizan.engines.policy.dialects.kyverno.spec import RuleSpec
from bartizan.engines.policy.dialects.kyverno.watch import Watch
from bartizan.engines.policy.document import Metadata, decode
from bartizan.engines.policy.explanation.draft import Draft, verdict_of
from bartizan.engines.policy.explanation.explanation import Explanation, finding_of
from bartizan.model.outcome import Broken, Failed, Outcome, Passed, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bartizan.base.errors import SpecError
    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.cel.explanation.watch import CelWatch
    from bartizan.engines.policy.dialects.kyverno.watch import Event
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.engines.policy.plan import Rule
    from bartizan.lang.jmespath import Functions
    from bartizan.model.request import Request


class WatchedRule(NamedTuple):
    """A rule that is watched, with the document it was made from.

    `at` is where that document stands in the policy; a rule that was made
    for pod controllers (`is_generated`) stands where its origin does.
    `before` are the rules of which one may answer in its place.
    """

    rule: Rule
    document: JsonObject
    at: str
    is_generated: bool
    namespace: str
    exceptions: tuple[JsonObject, ...]
    watch: Watch
    before: tuple[Rule, ...] = ()
    cel: CelWatch | None = None


class WatchedPolicy(NamedTuple):
    """All rules of a policy, watched; `problems` are those that could not be compiled."""

    name: str
    rules: tuple[WatchedRule, ...]
    problems: tuple[SpecError, ...]


def watch_policy(document: JsonObject, functions: Functions, *, exceptions: Sequence[JsonObject] = ()) -> WatchedPolicy:
    """Compile a policy so that its rules can be explained.

    Raises:
        SpecError: the document is no policy, or a field of the policy itself is malformed.
    """
    watch = Watch(functions)
    # which rule answers for the others is decided here, so that each can be watched alone
    spec = document.get("spec")
    alone, one_only = document, isinstance(spec, dict) and spec.get("applyRules") == "One"
    if isinstance(spec, dict) and one_only:
        alone = {**document, "spec": {**spec, "applyRules": "All"}}
    cel = _cel_watch(document)
    with listening(cel) if cel is not None else nullcontext():
        policy = compile_policy(alone, watch, exceptions=exceptions)
    documents = list(_documents(document))
    rules: list[WatchedRule] = []
    for rule in policy.rules:
        # rules that could not be compiled are missing among the compiled ones, and all are in order
        while documents and documents[0][0].get("name") != rule.info.id.rule:
            documents.pop(0)
        if not documents:
            break
        body, at, is_generated = documents.pop(0)
        before = tuple(item.rule for item in rules if item.rule.does == rule.does) if one_only else ()
        own = tuple(item for item in exceptions if _names(item, policy.full_name, rule.info.id.rule))
        rules.append(WatchedRule(rule, body, at, is_generated, policy.namespace, own, watch, before, cel))
    return WatchedPolicy(policy.full_name, tuple(rules), policy.problems)


def _cel_watch(document: JsonObject) -> CelWatch | None:
    """What watches expressions in CEL, for a policy that has some."""
    spec = document.get("spec")
    rules = spec.get("rules") if isinstance(spec, dict) else None
    judged = [rule.get("validate") for rule in (rules if isinstance(rules, list) else ()) if isinstance(rule, dict)]
    if not any(isinstance(validate, dict) and validate.get("cel") is not None for validate in judged):
        return None
    from bartizan.engines.policy.cel.explanation.watch import CelWatch  # late: most policies have no CEL

    return CelWatch()


def _documents(document: JsonObject) -> Iterator[tuple[JsonObject, str, bool]]:
    """The rules of a policy as documents, then those made for pod controllers, each with its place."""
    rules = (document.get("spec") or {}).get("rules") or []
    for index, rule in enumerate(rules):
        yield rule, f"/spec/rules/{index}", False
    annotations = decode(document.get("metadata") or {}, Metadata, "/metadata").annotations or {}
    for made in generated_rules(rules, annotations):
        yield made.rule, f"/spec/rules/{made.origin}", True


def _names(exception: JsonObject, policy: str, rule: str) -> bool:
    return any(
        entry.policy_name == policy and any(wildcard.match(name, rule) for name in entry.rule_names)
        for entry in decode_exception(exception).exceptions
    )


def explain_rule(item: WatchedRule, request: Request, lookup: Lookup, *, all_kinds: bool = False) -> Explanation:
    """Run a rule on a request, and say what it did and why.

    As in the plan, a rule that cannot match the resource's kind is not run;
    `all_kinds` is for requests about a part of an object, whose kind is not its own.
    """
    watch, rule, at = item.watch, item.rule, item.at
    fresh = msgspec.structs.replace(request, memo={})
    spec = decode(item.document, RuleSpec, at)
    outcome: Outcome | None = None
    watch.begin()
    if item.cel is not None:
        item.cel.begin()
    kind = request.resource.id.kind
    asked = all_kinds or rule.kinds is None or kind in rule.kinds
    if asked:
        outcome = rule.run(fresh, watch.lookup(lookup))
    events = watch.events
    stages = _stages(item, spec, request, events, outcome)
    if asked and outcome is not None and any(_answers(other, request, lookup) for other in item.before):
        outcome = None
        note = "`applyRules: One`, and a rule before this one has answered"
        stages.append(Draft("applyRules", "applyRules", "One", verdict="failed", note=note, at="/spec/applyRules"))
    return Explanation(outcome, _root(item, request, stages, outcome).finish())


def _answers(rule: Rule, request: Request, lookup: Lookup) -> bool:
    return isinstance(rule.run(msgspec.structs.replace(request, memo={}), lookup), Passed | Failed)


def _stages(
    item: WatchedRule, spec: RuleSpec, request: Request, events: list[Event], outcome: Outcome | None
) -> list[Draft]:
    """The parts of a rule in the order they are read; what comes after the one that ended it was never asked."""
    at, document = item.at, item.document
    stages = [
        *explain_about(item.namespace, item.rule.kinds if item.is_generated else None, request),
        explain_match(spec.match, request, f"{at}/match"),
    ]
    if spec.exclude:
        stages.append(explain_match(spec.exclude, request, f"{at}/exclude", excluding=True))
    if _is_meant(stages):
        context = explain_context(document.get("context"), f"{at}/context", events)
        stages += [context] if context else []
        if document.get("preconditions"):
            place = f"{at}/preconditions"
            stages.append(explain_conditions(document["preconditions"], place, events, label="preconditions"))
        if not any(stage.kind == "conditions" and stage.verdict in ("failed", "error") for stage in stages):
            stages += _exceptions(item, spec, request, events)
            stages.append(_judgement(item, spec, request, events, outcome))
        stages += [_message(document, event) for event in events if event.kind == "message"][:1]
    return stages


def _judgement(
    item: WatchedRule, spec: RuleSpec, request: Request, events: list[Event], outcome: Outcome | None
) -> Draft:
    if item.cel is None or spec.validate is None or spec.validate.cel is None:
        return explain_judgement(item.document, spec, item.at, request, events, outcome)
    from bartizan.engines.policy.dialects.kyverno.explanation.cel_rule import explain_cel  # late: it brings CEL

    return explain_cel(item.cel, item.document, item.at, request, outcome)


def _is_meant(stages: list[Draft]) -> bool:
    return all((stage.verdict == "held") is not (stage.kind == "exclude") for stage in stages)


def _exceptions(item: WatchedRule, spec: RuleSpec, request: Request, events: list[Event]) -> list[Draft]:
    narrows = spec.validate is not None and spec.validate.pod_security is not None
    asked = {event.text: event for event in events if event.kind == "exception"}
    found = []
    for document in item.exceptions:
        metadata = decode(document.get("metadata") or {}, Metadata, "/metadata")
        name = "/".join(part for part in (metadata.namespace, metadata.name) if part)
        found.append(_exception(name, document, asked.get(name), request, narrows=narrows))
    return found


def _exception(name: str, document: JsonObject, event: Event | None, request: Request, *, narrows: bool) -> Draft:
    draft = Draft("exception", f"PolicyException {name}", verdict="unreached")
    if event is None:
        return draft
    spec = decode_exception(document)
    matched = explain_match(spec.match, request, "/spec/match")
    # exceptions read their filters a little otherwise than rules do, and theirs is the last word
    matched.verdict = "failed" if compile_filters(spec.match, "/spec/match")(request) is None else "held"
    draft.children = [matched]
    if spec.conditions:
        draft.children.append(
            explain_conditions(spec.conditions, "/spec/conditions", event.children, label="conditions")
        )
    draft.verdict = "error" if event.error else "held" if event.value else "failed"
    draft.because = [child for child in draft.children if child.verdict == draft.verdict]
    if draft.verdict == "held":
        draft.note = f"PolicyException `{name}` accepts it"
        if spec.pod_security and narrows:
            draft.kind, draft.note = "narrowing", f"PolicyException `{name}` excludes controls"
    for child in [child for part in draft.children for child in _every(part)]:
        child.at = ""  # it stands in another document than the policy
    return draft


def _every(draft: Draft) -> Iterator[Draft]:
    yield draft
    for child in draft.children:
        yield from _every(child)


def _message(document: JsonObject, event: Event) -> Draft:
    text = (document.get("validate") or {}).get("message")
    return filled("message", text, event)


def _root(item: WatchedRule, request: Request, stages: list[Draft], outcome: Outcome | None) -> Draft:
    info = item.rule.info
    root = Draft("rule", str(info.id), str(request.resource.id), at=item.at, verdict=verdict_of(outcome))
    root.children = stages
    root.because = _because(stages, outcome)
    root.note, root.pointer = finding_of(outcome)
    return root


def _because(stages: list[Draft], outcome: Outcome | None) -> list[Draft]:
    """The stage that ended the rule, and what in the context it stumbled over."""
    if isinstance(outcome, Broken):
        broken = [stage for stage in stages if stage.verdict == "error"]
        return broken or stages[-1:]
    judged = [stage for stage in stages if stage.kind not in ("context", "message")]
    for stage in judged:
        ends = "held" if stage.kind in ("exclude", "exception") else "failed"
        if stage.kind in _ENDING and stage.verdict == ends:
            return [other for other in judged if other.kind == stage.kind == "exception" and other.verdict == ends] or [
                stage
            ]
    narrowing = [stage for stage in judged if stage.kind == "narrowing" and isinstance(outcome, Skipped)]
    return [*narrowing, *[stage for stage in judged if stage.kind not in _ENDING][-1:]]


_ENDING = frozenset({"scope", "match", "exclude", "exception", "conditions", "applyRules"})
