"""A whole explanation: an outcome, and the tree of what led to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.engines.policy.explanation.draft import verdict_of
from bartizan.model.outcome import Broken, Failed, Passed, Skipped

if TYPE_CHECKING:
    from bartizan.engines.policy.explanation.draft import Draft
    from bartizan.model.outcome import Outcome
    from bartizan.model.trace import Node

_LIFTING: Final = frozenset({"exception", "narrowing"})
_ENDING: Final = frozenset({"scope", "match", "requirement", "judgement"})
"""Stages of which one that does not hold ends a policy."""


class Explanation(NamedTuple):
    """What a rule said of a request, and why; no outcome is no answer."""

    outcome: Outcome | None
    root: Node


def finding_of(outcome: Outcome | None) -> tuple[str, str | None]:
    """What an outcome says, and where in the resource it points."""
    match outcome:
        case Failed(message, pointer):
            return message, pointer
        case Passed(message):
            return message, None
        case Skipped(because):
            return because, None
        case Broken(error):
            return error, None
        case None:
            return "the rule gives no answer", None


def rooted(root: Draft, stages: list[Draft], outcome: Outcome | None) -> Draft:
    """The root of a policy in CEL: its stages, and which of them decided."""
    root.verdict = verdict_of(outcome)
    root.note, root.pointer = finding_of(outcome)
    root.pointer = root.pointer or None
    root.children = stages
    root.because = ended_by(stages, outcome)
    return root


def ended_by(stages: list[Draft], outcome: Outcome | None) -> list[Draft]:
    """The stages that made a policy end as it did."""
    if isinstance(outcome, Broken):
        return [stage for stage in stages if stage.verdict == "error"] or stages[-1:]
    lifting = [stage for stage in stages if stage.kind in _LIFTING and stage.verdict == "held"]
    failed = [stage for stage in stages if stage.verdict == "failed" and stage.kind not in _LIFTING]
    if isinstance(outcome, Passed):
        return [stage for stage in lifting if stage.kind == "exception"] or _judged(stages)
    whole = [stage for stage in lifting if stage.kind == "exception"]
    if whole and not failed:
        return whole
    ended = [stage for stage in failed if stage.kind in _ENDING][:1] or failed[:1]
    return ended or [stage for stage in stages if stage.verdict == "error"] or lifting or stages[-1:]


def _judged(stages: list[Draft]) -> list[Draft]:
    return [stage for stage in stages if stage.kind in ("validation", "changes", "mutation", "generation")]
