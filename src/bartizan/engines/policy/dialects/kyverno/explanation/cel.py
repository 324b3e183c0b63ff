"""Why a policy of `policies.kyverno.io` said what it said of one resource.

The policy itself is run, with its expressions watched, and what they did is
put into the order in which people read a policy: what it is about,
exceptions, conditions, variables, validations or changes. LAW: the outcome
is the one the policy has when nobody watches.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from bartizan.base.errors import SpecError
from bartizan.engines.policy.cel.explanation.match import explain_constraints
from bartizan.engines.policy.cel.explanation.stages import Ran
from bartizan.engines.policy.cel.explanation.watch import CelWatch
from bartizan.engines.policy.cel.listening import listening
from bartizan.engines.policy.cel.match import MatchResources, compile_match
from bartizan.engines.policy.dialects.kyverno.cel.autogen import made_for_controllers
from bartizan.engines.policy.dialects.kyverno.cel.exceptions import decode_cel_exception, is_cel_exception
from bartizan.engines.policy.dialects.kyverno.cel.policy import compile_cel_rules
from bartizan.engines.policy.dialects.kyverno.cel.spec import Autogen, read_head
from bartizan.engines.policy.dialects.kyverno.explanation.about import explain_about
from bartizan.engines.policy.document import Metadata, decode
from bartizan.engines.policy.explanation.changes import operations
from bartizan.engines.policy.explanation.draft import Draft
from bartizan.engines.policy.explanation.explanation import Explanation, rooted
from bartizan.engines.policy.explanation.places import Places
from bartizan.model.outcome import Broken, Failed, Outcome, Passed, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.cel.listening import Written
    from bartizan.engines.policy.dialects.kyverno.cel.spec import Head
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.engines.policy.plan import Rule
    from bartizan.lang.cel import Expression
    from bartizan.lang.jmespath import Ambient
    from bartizan.model.request import Request

_CONSTRAINTS: Final = "/spec/matchConstraints"
_DOES: Final = {"mutate": "mutations", "generate": "generate", "delete": "delete"}


class WatchedCelRule(NamedTuple):
    """A rule that is watched, with the document it was made from.

    One that was made for pod controllers (`is_generated`) has constraints of
    its own. `expressions` are those it was compiled from, in order.
    """

    rule: Rule
    document: JsonObject
    head: Head
    constraints: MatchResources | None
    is_generated: bool
    exceptions: tuple[JsonObject, ...]
    expressions: tuple[tuple[Written, Expression], ...]
    watch: CelWatch
    ambient: Ambient

    def explain(self, request: Request, lookup: Lookup, *, all_kinds: bool = False) -> Explanation:
        """Run the rule on a request, and say what it did and why."""
        return explain_cel_rule(self, request, lookup, all_kinds=all_kinds)


class WatchedCelPolicy(NamedTuple):
    """All rules of a policy, watched."""

    name: str
    rules: tuple[WatchedCelRule, ...]
    problems: tuple[SpecError, ...] = ()


def watch_cel_policy(
    document: JsonObject, ambient: Ambient, *, exceptions: Sequence[JsonObject] = ()
) -> WatchedCelPolicy:
    """Compile a policy so that it can be explained.

    Raises:
        SpecError: the document is malformed, or an expression of it does not compile.
    """
    head = read_head(document)
    watch = CelWatch()
    constraints = list(_constraints(document["spec"]))
    own = tuple(item for item in exceptions if is_cel_exception(item) and _names(item, head))
    rules: list[WatchedCelRule] = []
    with listening(watch):
        known = 0
        for number, rule in enumerate(compile_cel_rules(document, head, ambient, exceptions)):
            compiled = tuple(watch.expressions[known:]) or (rules[0].expressions if rules else ())
            known = len(watch.expressions)
            place = _place_of(rule, constraints, number)
            about = constraints[place] if place < len(constraints) else None
            rules.append(WatchedCelRule(rule, document, head, about, place > 0, own, compiled, watch, ambient))
    return WatchedCelPolicy(head.full_name, tuple(rules))


def _place_of(rule: Rule, constraints: Sequence[MatchResources | None], number: int) -> int:
    """Which constraints a rule is about: a policy may have several rules about the same."""
    for place, about in enumerate(constraints):
        if about is not None and rule.kinds is not None and compile_match(about, _CONSTRAINTS).kinds == rule.kinds:
            return place
    return min(number, len(constraints) - 1) if rule.kinds is None else number


def _constraints(spec: JsonObject) -> Iterator[MatchResources | None]:
    """What each rule is about: first the policy's own, then those for pod controllers, in the order they are made."""
    written = spec.get("matchConstraints")
    if written is not None and not isinstance(written, dict):
        return  # the compiler says it better
    try:
        known = {key: item for key, item in (written or {}).items() if key != "expression"}
        own = None if written is None else decode(known, MatchResources, _CONSTRAINTS)
        autogen = decode(spec["autogen"], Autogen, "/spec/autogen") if spec.get("autogen") else None
    except SpecError:
        return
    yield own
    for made in made_for_controllers(spec, own, autogen):
        yield made.match


def _names(exception: JsonObject, head: Head) -> bool:
    return any(ref.name == head.name and ref.kind == head.kind for ref in decode_cel_exception(exception).policy_refs)


def explain_cel_rule(item: WatchedCelRule, request: Request, lookup: Lookup, *, all_kinds: bool = False) -> Explanation:
    """Run a rule on a request, and say what it did and why.

    As in the plan, a rule that cannot match the resource's kind is not run;
    `all_kinds` is for requests about a part of an object, whose kind is not its own.
    """
    rule = item.rule
    item.watch.begin()
    outcome: Outcome | None = None
    if all_kinds or rule.kinds is None or request.resource.id.kind in rule.kinds:
        outcome = rule.run(msgspec.structs.replace(request, memo={}), lookup)
    places = Places(request.resource.body)
    ran = Ran(item.watch.events, [written for written, _ in item.expressions], item.document, places)
    stages = _stages(item, request, ran, outcome)
    root = Draft("rule", str(rule.info.id), str(request.resource.id), at="/spec")
    return Explanation(outcome, rooted(root, stages, outcome).finish())


def _stages(item: WatchedCelRule, request: Request, ran: Ran, outcome: Outcome | None) -> list[Draft]:
    stages = [
        *explain_about(item.head.namespace, item.rule.kinds if item.is_generated else None, request),
        *_match(item, request),
    ]
    if all(stage.verdict == "held" for stage in stages):
        stages += _exceptions(item, ran)
        stages += ran.stages()
        stages += _changes(item, outcome)
        if not _tells(stages, outcome):
            stages.append(_left(outcome))
    return stages


def _match(item: WatchedCelRule, request: Request) -> list[Draft]:
    evaluation = item.document["spec"].get("evaluation")
    mode = evaluation.get("mode") if isinstance(evaluation, dict) else None
    if item.constraints is None or mode == "JSON" or request.payload:
        return []
    return [explain_constraints(item.constraints, request, _CONSTRAINTS, any_operation=item.rule.does == "delete")]


def _exceptions(item: WatchedCelRule, ran: Ran) -> list[Draft]:
    return [_exception(document, item, ran) for document in item.exceptions]


def _exception(document: JsonObject, item: WatchedCelRule, ran: Ran) -> Draft:
    metadata = decode(document.get("metadata") or {}, Metadata, "/metadata")
    name = "/".join(part for part in (metadata.namespace, metadata.name) if part)
    spec = decode_cel_exception(document)
    draft = Draft("exception", f"PolicyException {name}", verdict="held")
    draft.children = ran.of_exception(name)
    failed = [child for child in draft.children if child.verdict == "failed"]
    broken = [child for child in draft.children if child.verdict == "error"]
    if spec.expires_at and _has_ended(spec.expires_at, item.ambient):
        draft.verdict, draft.note = "failed", f"it ended at {spec.expires_at}"
    elif failed or broken:
        draft.verdict, draft.because = ("failed", failed[:1]) if failed else ("error", broken)
    elif spec.match_conditions and not draft.children:
        draft.verdict = "unreached"
    else:
        draft.because = list(draft.children)
        draft.note = f"PolicyException `{name}` accepts it"
        if spec.images or spec.allowed_values:
            allowed = ", ".join(f"`{item}`" for item in (*spec.images, *spec.allowed_values))
            draft.kind, draft.note = "narrowing", f"PolicyException `{name}` allows {allowed}"
    return draft


def _has_ended(text: str, ambient: Ambient) -> bool:
    return ambient.now() > datetime.fromisoformat(text)


def _changes(item: WatchedCelRule, outcome: Outcome | None) -> list[Draft]:
    """What was changed, made or deleted, as operations."""
    if not isinstance(outcome, Passed) or not outcome.changes:
        return []
    does: str = item.rule.does
    draft = Draft("changes", _DOES.get(does, does), verdict="held")
    for change in outcome.changes:
        draft.children += operations(str(change.resource), change.before, change.after)
    return [draft]


def _tells(stages: list[Draft], outcome: Outcome | None) -> bool:
    """Whether a stage says why the policy gave no answer, or could not give one."""
    if isinstance(outcome, Passed):
        return True
    endings: tuple[Any, ...] = ("error",) if isinstance(outcome, Broken) else ("error", "failed")
    lifted = ("exception", "narrowing")
    return any(stage.verdict in endings for stage in stages if stage.kind not in lifted) or any(
        stage.kind in lifted and stage.verdict in ("held", "error") for stage in stages
    )


def _left(outcome: Outcome | None) -> Draft:
    """What is said by nothing in the policy: why the world, or the kind of policy itself, ended it."""
    match outcome:
        case Broken(error):
            return Draft("judgement", "evaluation", verdict="error", note=error)
        case Failed(message):
            return Draft("judgement", "evaluation", verdict="failed", note=message)
        case Skipped(because):
            return Draft("judgement", "evaluation", verdict="failed", note=because)
        case _:
            note = "a policy of this kind is not asked about such a request"
            return Draft("scope", "evaluation", verdict="failed", note=note)
