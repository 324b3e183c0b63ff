"""Rules that change something, as they ran: patches filled in, what their anchors left of them, what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno.explanation.conditions import condition
from bartizan.engines.policy.dialects.kyverno.explanation.language import expressions
from bartizan.engines.policy.dialects.kyverno.mutation.anchors import compile_anchors
from bartizan.engines.policy.explanation.changes import operations
from bartizan.engines.policy.explanation.draft import Draft, errors_in, verdict_of
from bartizan.engines.policy.mutation import PatchError
from bartizan.model.outcome import Broken, Passed, Skipped

if TYPE_CHECKING:
    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.watch import Event
    from bartizan.model.outcome import Outcome
    from bartizan.model.request import Request

_DEEDS: Final = ("mutate", "generate", "verifyImages")


def explain_changes(rule: JsonObject, at: str, request: Request, events: list[Event], outcome: Outcome | None) -> Draft:
    """What a rule that changes things asked on its way, and the operations that its changes are."""
    name = next((key for key in _DEEDS if rule.get(key) is not None), "rule")
    draft = Draft(name, name, at=f"{at}/{name}", verdict=verdict_of(outcome))
    draft.children = [child for event in events if (child := _step(event, draft.at)) is not None]
    document = rule.get(name)
    if isinstance(document, dict) and not document.get("foreach"):
        draft.children += _patches(document, draft.at, request, events)
    draft.children += expressions([event for event in events if event.kind == "expression"])
    if isinstance(outcome, Passed):
        for change in outcome.changes:
            draft.children += operations(str(change.resource), change.before, change.after)
    else:
        draft.because = errors_in(draft.children) or [child for child in draft.children if child.verdict == "failed"]
        if not draft.because:
            draft.note = outcome.error if isinstance(outcome, Broken) else _said(outcome)
    return draft


def _said(outcome: Outcome | None) -> str:
    return outcome.because if isinstance(outcome, Skipped) else "it has no answer"


def _step(event: Event, at: str) -> Draft | None:
    """A condition or a patch of a loop, with the element it was about."""
    if not event.at.startswith(f"{at}/"):
        return None
    if event.kind == "condition":
        draft = condition(event.detail, event.at, event)
        if event.text:
            draft.text = f"{event.text}: {draft.text}"
        return draft
    if event.kind == "patch" and event.text:
        return _patch(event, f"{event.text}: {event.at.rpartition('/')[2]}")
    return None


def _patch(event: Event, label: str) -> Draft:
    draft = Draft("patch", label, value=event.value, at=event.at, children=expressions(event.children))
    if event.error:
        draft.value, draft.verdict, draft.note = msgspec.UNSET, "error", event.error
        draft.because = errors_in(draft.children)
    return draft


def _patches(document: JsonObject, at: str, request: Request, events: list[Event]) -> list[Draft]:
    """The one patch of a rule without loops, filled in; of a merge also what its anchors left of it."""
    for name in ("patchStrategicMerge", "patchesJson6902"):
        if document.get(name) is None:
            continue
        event = next((item for item in events if item.kind == "patch" and item.at == f"{at}/{name}"), None)
        draft = Draft("patch", name, value=document[name], at=f"{at}/{name}") if event is None else _patch(event, name)
        if name == "patchStrategicMerge" and draft.verdict != "error" and not document.get("targets"):
            draft.children += _settled(draft.value, request.resource.body, draft.at)
            settled = draft.children[-1] if draft.children else None
            if settled is not None and settled.verdict in ("failed", "error"):
                draft.verdict, draft.because = settled.verdict, [settled]
        return [draft]
    return []


def _settled(patch: Json, body: JsonObject, at: str) -> list[Draft]:
    """A merge with its anchors decided against the resource, where it has any."""
    if not isinstance(patch, dict):
        return []
    try:
        left = compile_anchors(patch, at)(body)
    except (PatchError, SpecError) as error:
        return [Draft("patch", "with its anchors settled", verdict="error", note=str(error), at=at)]
    if left == patch:
        return []
    if left:
        return [Draft("patch", "with its anchors settled", value=left, verdict="held", at=at)]
    note = "the anchors of the patch leave nothing of it to apply"
    return [Draft("patch", "with its anchors settled", verdict="failed", note=note, at=at)]
