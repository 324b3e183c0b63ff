"""`validate.cel` and `celPreconditions` of a classic rule, as they ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.base.pointer import split
from bartizan.engines.policy.cel.explanation.stages import Ran
from bartizan.engines.policy.explanation.draft import Draft, verdict_of
from bartizan.engines.policy.explanation.explanation import ended_by, finding_of
from bartizan.engines.policy.explanation.places import Places
from bartizan.model.outcome import Passed

if TYPE_CHECKING:
    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.cel.explanation.watch import CelWatch
    from bartizan.model.outcome import Outcome
    from bartizan.model.request import Request


def explain_cel(watch: CelWatch, rule: JsonObject, at: str, request: Request, outcome: Outcome | None) -> Draft:
    """The expressions of a rule that stands at `at`, each with what it came to."""
    within = f"{at}/"
    written = [item for item, _ in watch.expressions if item.at.startswith(within)]
    ran = Ran(watch.events, written, _standing_at(rule, at), Places(request.resource.body))
    draft = Draft("judgement", "cel", at=f"{at}/validate/cel", verdict=verdict_of(outcome), children=ran.stages())
    draft.because = ended_by(draft.children, outcome) if outcome is not None else []
    if not isinstance(outcome, Passed) and not any(child.verdict in ("failed", "error") for child in draft.because):
        draft.because, draft.note = [], finding_of(outcome)[0]
    return draft


def _standing_at(rule: JsonObject, at: str) -> Json:
    """A document in which the rule stands where it does in its policy, and nothing else does."""
    document: Json = rule
    for step in reversed(split(at)):
        document = {step: document}
    return document
