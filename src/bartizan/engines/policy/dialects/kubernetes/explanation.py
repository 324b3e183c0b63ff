"""Why an admission policy said what it said of a resource, for each of its bindings.

The policy's own rule is run with its expressions watched. LAW: the outcome
is the one the rule has when nobody watches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from bartizan.engines.policy.cel.explanation.match import explain_constraints
from bartizan.engines.policy.cel.explanation.stages import Ran
from bartizan.engines.policy.cel.explanation.watch import CelWatch
from bartizan.engines.policy.cel.listening import listening
from bartizan.engines.policy.cel.params import ParamsError
from bartizan.engines.policy.dialects.kubernetes.bindings import UNBOUND
from bartizan.engines.policy.dialects.kubernetes.policy import compile_policies, matches, rules_of
from bartizan.engines.policy.explanation.changes import operations
from bartizan.engines.policy.explanation.draft import Draft
from bartizan.engines.policy.explanation.explanation import Explanation, finding_of, rooted
from bartizan.engines.policy.explanation.places import Places
from bartizan.model.outcome import Broken, Passed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.cel.listening import Written
    from bartizan.engines.policy.dialects.kubernetes.bindings import Binding
    from bartizan.engines.policy.dialects.kubernetes.policy import Bound, Wrong
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.engines.policy.plan import Rule
    from bartizan.lang.cel import Expression
    from bartizan.model.outcome import Outcome
    from bartizan.model.request import Request


class WatchedAdmissionRule(NamedTuple):
    """A policy with one of its bindings, watched; `number` is the place of its document among those given."""

    rule: Rule
    number: int
    document: JsonObject
    bound: Bound
    binding: Binding
    expressions: tuple[tuple[Written, Expression], ...]
    watch: CelWatch
    is_generated: bool = False

    def explain(self, request: Request, lookup: Lookup, *, all_kinds: bool = False) -> Explanation:
        """Run the rule on a request, and say what it did and why; as in the plan, only where it can match the kind."""
        self.watch.begin()
        fresh = msgspec.structs.replace(request, memo={})
        kinds = self.rule.kinds
        asked = all_kinds or kinds is None or request.resource.id.kind in kinds
        outcome = self.rule.run(fresh, lookup) if asked else None
        root = Draft("rule", str(self.rule.info.id), str(request.resource.id), at="/spec")
        return Explanation(outcome, rooted(root, _stages(self, request, lookup, outcome), outcome).finish())


def watch_admission(documents: Sequence[JsonObject]) -> tuple[list[WatchedAdmissionRule], list[Wrong]]:
    """Compile policies with their bindings, to be explained; what is wrong has the place of its document."""
    bindings = [number for number, item in enumerate(documents) if str(item.get("kind")).endswith("Binding")]
    rules: list[WatchedAdmissionRule] = []
    wrong: dict[int, Wrong] = {}
    for number, document in enumerate(documents):
        places = [*([] if number in bindings else [number]), *bindings]
        watch = CelWatch()
        with listening(watch):
            compiled = compile_policies([documents[place] for place in places])
        for problem in compiled.problems:
            wrong.setdefault(places[problem.document], problem._replace(document=places[problem.document]))
        for bound in compiled.policies:
            for rule, binding in zip(rules_of(bound), bound.bindings or (UNBOUND,), strict=True):
                written = tuple(watch.expressions)
                rules.append(WatchedAdmissionRule(rule, number, document, bound, binding, written, watch))
    return rules, list(wrong.values())


def _stages(item: WatchedAdmissionRule, request: Request, lookup: Lookup, outcome: Outcome | None) -> list[Draft]:
    stages = list(_match(item, request, lookup))
    if all(stage.verdict == "held" for stage in stages):
        stages += _params(item, request, lookup)
        ran = Ran(
            item.watch.events,
            [written for written, _ in item.expressions],
            item.document,
            Places(request.resource.body),
        )
        stages += ran.stages()
        if isinstance(outcome, Passed) and outcome.changes:
            changes = Draft("changes", "mutations", verdict="held")
            for change in outcome.changes:
                changes.children += operations(str(change.resource), change.before, change.after)
            stages.append(changes)
    says = ("error",) if isinstance(outcome, Broken) else ("failed", "error")
    if not isinstance(outcome, Passed) and not any(stage.verdict in says for stage in stages):
        stages.append(_left(outcome))
    return stages


def _match(item: WatchedAdmissionRule, request: Request, lookup: Lookup) -> Iterator[Draft]:
    """What the policy is about, and its binding; other versions may be meant, which no attribute shows."""
    policy, binding = item.bound.policy, item.binding
    is_meant = matches(policy, binding, request, lookup) is not None
    draft = explain_constraints(policy.constraints, request, "/spec/matchConstraints")
    if is_meant and draft.verdict != "held":
        draft.verdict, draft.because = "held", []
        draft.note = "it is meant by another version of its kind"
    yield draft
    if binding.matcher is None or draft.verdict != "held":
        return
    holds = binding.matcher.match(request, lookup) is not None
    note = "" if holds else f"binding `{binding.name}` is about other requests"
    yield Draft("match", f"matchResources of binding {binding.name}", verdict="held" if holds else "failed", note=note)


def _params(item: WatchedAdmissionRule, request: Request, lookup: Lookup) -> Iterator[Draft]:
    """The parameters that a binding found, where the policy has some."""
    try:
        found = item.binding.collect(request, lookup)
    except ParamsError as error:
        yield Draft(
            "params", "paramRef", verdict="error", note=f"failed to configure binding: {error}", at="/spec/paramKind"
        )
        return
    if not found:
        yield Draft(
            "params", "paramRef", verdict="failed", note="the binding found no parameters", at="/spec/paramKind"
        )
    for params in found:
        if params is not None:
            metadata = params.get("metadata") or {}
            yield Draft("params", f"params {metadata.get('name', '')}".strip(), value=params)


def _left(outcome: Outcome | None) -> Draft:
    """What is said by no part of the policy: a version that the object cannot be shown in, a budget."""
    note = "the policy is about other requests" if outcome is None else finding_of(outcome)[0]
    return Draft("judgement", "evaluation", verdict="error" if isinstance(outcome, Broken) else "failed", note=note)
