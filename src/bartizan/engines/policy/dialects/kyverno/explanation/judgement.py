"""What a rule judged by, as it ran: patterns, conditions, loops, controls, assertions, and what it changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from bartizan.engines.policy.dialects.kyverno.explanation.changes import explain_changes
from bartizan.engines.policy.dialects.kyverno.explanation.conditions import explain_conditions, explain_context
from bartizan.engines.policy.dialects.kyverno.explanation.language import expressions, pattern
from bartizan.engines.policy.dialects.kyverno.explanation.pod_security import explain_pod_security
from bartizan.engines.policy.dialects.kyverno.watch import by_place
from bartizan.engines.policy.explanation.draft import Draft, brief, errors_in, verdict_of
from bartizan.engines.policy.explanation.places import Places
from bartizan.model.outcome import Broken, Failed, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.spec import RuleSpec
    from bartizan.engines.policy.dialects.kyverno.watch import Event
    from bartizan.model.outcome import Outcome
    from bartizan.model.request import Request
    from bartizan.model.trace import Verdict

    Explain = Callable[[Json, str, list[Event], Places], Draft]


def explain_judgement(
    rule: JsonObject, spec: RuleSpec, at: str, request: Request, events: list[Event], outcome: Outcome | None
) -> Draft:
    """The part of a rule that decides once it is known to be about the request."""
    if spec.validate is None:
        return explain_changes(rule, at, request, events, outcome)
    if spec.validate.pod_security is not None:
        draft = explain_pod_security(spec.validate.pod_security, request, f"{at}/validate/podSecurity", events)
    else:
        draft = explain_ways(rule.get("validate") or {}, f"{at}/validate", events, Places(request.resource.body))
    verdict = verdict_of(outcome)
    if draft.verdict == "unreached" and outcome is None:
        draft.note = "there is nothing to judge in what is being deleted"
    if draft.verdict != verdict:  # a failure that was there before is let pass, and an error ends what was going on
        draft.verdict = verdict
    if isinstance(outcome, Broken):
        draft.because = errors_in(draft.children)
        draft.note = "" if draft.because else outcome.error
    elif isinstance(outcome, Failed) and not draft.children:  # a way to judge that keeps no parts, such as signatures
        draft.note, draft.pointer = outcome.message, outcome.pointer
    elif isinstance(outcome, Skipped) and draft.kind == "judgement":  # preconditions in CEL
        draft.note = outcome.because
    return draft


def explain_ways(document: JsonObject, at: str, events: list[Event], places: Places) -> Draft:
    """The one way to judge that a rule or an element of a loop has, as it ran on a body or a part of it."""
    for name, explain in _WAYS.items():
        if document.get(name) is not None:
            return explain(document[name], f"{at}/{name}", events, places)
    return Draft("judgement", "validate", at=at, verdict="unreached")


def _pattern(_document: Json, at: str, events: list[Event], places: Places) -> Draft:
    draft = _one_pattern(at, "pattern", events, places)
    filled_in = expressions(events)
    if filled_in:
        broken = errors_in(filled_in)
        group = Draft("variables", "variables", children=filled_in, because=broken)
        draft.children.insert(0, group)
        if broken:
            group.verdict, draft.verdict, draft.because = "error", "error", [group]
    return draft


def _one_pattern(at: str, label: str, events: list[Event], places: Places) -> Draft:
    event = by_place(events, "pattern").get(at)
    if event is None:
        return Draft("pattern", label, at=at, verdict="unreached")
    base = places.of(event.detail.value) or ""
    draft = pattern(event.detail, at, base)
    draft.label = label
    mismatch = event.value
    if mismatch is not None and mismatch.broken:
        draft.verdict, draft.because, draft.note = "error", [], mismatch.message
    return draft


def _any_pattern(documents: Json, at: str, events: list[Event], places: Places) -> Draft:
    count = len(documents) if isinstance(documents, list) else 0
    children = [_one_pattern(f"{at}/{number}", f"[{number}]", events, places) for number in range(count)]
    draft = Draft("anyPattern", f"anyPattern, one of {count}", at=at, children=children)
    held = [child for child in children if child.verdict == "held"]
    failed = [child for child in children if child.verdict in ("failed", "error")]
    skipped = [child for child in children if child.verdict == "skipped"]
    if held:
        draft.verdict, draft.because = "held", held[:1]
    elif failed:
        draft.verdict, draft.because = "failed", failed
    else:
        draft.verdict, draft.because = "skipped", skipped
    filled_in = expressions(events)
    if errors_in(filled_in):
        draft.verdict, draft.because = "error", errors_in(filled_in)
    draft.children += filled_in
    return draft


def _deny(document: Json, at: str, events: list[Event], _places: Places) -> Draft:
    block = document.get("conditions") if isinstance(document, dict) else None
    if block is None:
        return Draft("deny", "deny", at=at, verdict="failed", note="it denies without conditions")
    conditions = explain_conditions(block, f"{at}/conditions", events, label="conditions")
    draft = Draft("deny", "deny", at=at, children=[conditions], because=[conditions])
    opposite: dict[Verdict, Verdict] = {"held": "failed", "failed": "held"}
    draft.verdict = opposite.get(conditions.verdict, conditions.verdict)
    return draft


def _foreach(loops: Json, at: str, events: list[Event], places: Places) -> Draft:
    children = [_loop(loop, f"{at}/{number}", events, places, number) for number, loop in enumerate(loops)]
    return _gathered(Draft("foreach", "foreach", at=at, children=children))


def _loop(loop: JsonObject, at: str, events: list[Event], places: Places, number: int) -> Draft:
    draft = Draft("loop", f"loop[{number}]", str(loop.get("list", "")), at=at)
    read = by_place(events, "list").get(at)
    if read is None:
        draft.verdict = "unreached"
        return draft
    listed = expressions(read.children)
    draft.value = list(read.value) if isinstance(read.value, list) else msgspec.UNSET
    if read.error:
        draft.verdict, draft.note, draft.children, draft.because = "error", read.error, listed, errors_in(listed)
        return draft
    draft.children = [
        _element(loop, at, event, places) for event in events if event.kind == "element" and event.at == at
    ]
    _gathered(draft)
    if not draft.children:
        draft.verdict, draft.note = "skipped", f"{brief(draft.text)} is an empty list"
        draft.children = listed
    return draft


def _element(loop: JsonObject, at: str, event: Event, places: Places) -> Draft:
    draft = Draft("element", f"element[{event.text}]", value=event.value, pointer=places.of(event.value), at=at)
    context = explain_context(loop.get("context"), f"{at}/context", event.children)
    draft.children = [context] if context else []
    block = loop.get("preconditions")
    judged = by_place(event.children, "judge").get(at)
    if block:
        asked = explain_conditions(block, f"{at}/preconditions", event.children, label="preconditions")
        draft.children.append(asked)
        if judged is None:
            draft.verdict, draft.because = "skipped", [asked]
            return draft
    if judged is None:
        draft.verdict, draft.note = "skipped", "there is nothing to judge"
        return draft
    inner = explain_ways(loop, at, judged.children, places)
    draft.children.append(inner)
    draft.verdict, draft.because = inner.verdict, [inner]
    if judged.error or isinstance(judged.value, Broken):
        draft.verdict = "error"
        inner.note = inner.note or judged.error or judged.value.error
    return draft


def _gathered(draft: Draft) -> Draft:
    """What becomes of a loop by what became of its elements: the first failure or error decides."""
    children = draft.children
    for verdict in ("error", "failed"):
        found = [child for child in children if child.verdict == verdict]
        if found:
            draft.verdict, draft.because = found[0].verdict, found[:1]
            return draft
    held = [child for child in children if child.verdict == "held"]
    draft.verdict = "held" if held else "skipped"
    draft.because = [] if held else children
    return draft


def _assertion(_tree: Json, at: str, events: list[Event], _places: Places) -> Draft:
    children = [_asserted(event) for event in events if event.kind == "assertion"]
    failed = [child for child in children if child.verdict in ("failed", "error")]
    return Draft(
        "assert", "assert", at=at, verdict="failed" if failed else "held", children=children, because=failed[:1]
    )


def _asserted(event: Event) -> Draft:
    inner = [_asserted(child) for child in event.children if child.kind == "assertion"]
    draft = Draft("assertion", event.text, at=event.at, children=[*expressions(event.children), *inner])
    if not isinstance(event.detail, dict | list):
        draft.text = brief(event.detail).strip("`")
    if event.error:
        draft.verdict, draft.note = "error", event.error
    elif event.value:
        draft.verdict, draft.because = "failed", [child for child in inner if child.verdict == "failed"][:1]
        draft.note = "" if draft.because else str(event.value[0])
    else:
        draft.verdict = "held"
    return draft


_WAYS: Final[Mapping[str, Explain]] = {
    "deny": _deny,
    "pattern": _pattern,
    "anyPattern": _any_pattern,
    "foreach": _foreach,
    "assert": _assertion,
}
