"""Blocks of conditions and context entries, as they ran: each key and value filled in, and whether it held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.base.json import to_text
from bartizan.engines.policy.dialects.kyverno.explanation.language import expressions, filled
from bartizan.engines.policy.dialects.kyverno.membership import MODES, among
from bartizan.engines.policy.dialects.kyverno.watch import by_place
from bartizan.engines.policy.explanation.draft import Draft, brief, errors_in

if TYPE_CHECKING:
    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.watch import Event

_MOST_KEYS: Final = 3


def explain_conditions(block: Json, at: str, events: list[Event], *, label: str) -> Draft:
    """A block, whose conditions are among `events`; those that were never asked are unreached."""
    ran = by_place([event for event in events if event.at.startswith(f"{at}/")], "condition")
    draft = Draft("conditions", label, at=at)
    if isinstance(block, str):
        draft.text, draft.children = block, [condition(event.detail, event.at, event) for event in ran.values()]
        holds = all(child.verdict == "held" for child in draft.children)
    elif isinstance(block, list) and any(
        isinstance(item, dict) and not {"any", "all"}.isdisjoint(item) for item in block
    ):
        blocks = [_any_all(item, f"{at}/{index}", ran, f"[{index}]") for index, item in enumerate(block)]
        draft.children = blocks if len(blocks) > 1 else blocks[0].children
        holds = all(child.verdict == "held" for child in blocks)
    else:
        return _any_all(block if isinstance(block, dict) else {"all": block}, at, ran, label)
    _decide(draft, holds=holds)
    return draft


def _any_all(block: JsonObject, at: str, ran: dict[str, Event], label: str) -> Draft:
    groups = []
    for word in ("any", "all"):
        items = block.get(word)
        if items is None:
            continue
        found = [condition(item, f"{at}/{word}/{n}", ran.get(f"{at}/{word}/{n}")) for n, item in enumerate(items)]
        group = Draft("conditions", word, at=f"{at}/{word}", children=found)
        some = any if word == "any" else all
        _decide(group, holds=some(child.verdict == "held" for child in found), any_of=word == "any")
        groups.append(group)
    if len(groups) == 1 and len(groups[0].children) == 1:
        groups = groups[0].children
    elif len(groups) == 1:
        groups[0].label = f"{label}, {groups[0].label} of {len(groups[0].children)}"
        return groups[0]
    draft = Draft("conditions", label, at=at, children=groups)
    _decide(draft, holds=all(group.verdict == "held" for group in groups))
    return draft


def _decide(draft: Draft, *, holds: bool, any_of: bool = False) -> None:
    """Say what became of a block, and which of its parts made it so."""
    children = draft.children
    broken = errors_in(children)
    if broken:
        draft.verdict, draft.because = "error", broken
    elif children and all(child.verdict == "unreached" for child in children):
        draft.verdict = "unreached"
    elif holds:
        draft.verdict = "held"
        held = [child for child in children if child.verdict == "held"]
        draft.because = held[:1] if any_of else held
    else:
        draft.verdict = "failed"
        failed = [child for child in children if child.verdict == "failed"]
        draft.because = failed if any_of else failed[:1]


def condition(item: JsonObject, at: str, event: Event | None) -> Draft:
    """One condition, with both sides filled in; without an event it was never asked."""
    operator = str(item.get("operator", ""))
    text = f"{_written(item.get('key'))} {operator} {_written(item.get('value'))}"
    if event is None:
        return Draft("condition", "condition", text, verdict="unreached", at=at)
    sides = {child.kind: child for child in event.children}
    key = filled("key", item.get("key"), sides.get("key"))
    value = filled("value", item.get("value"), sides.get("value"))
    # a side that stands so in the policy is in the condition's own text
    shown = [side for side in (key, value) if side.kind in sides]
    pointer = next((side.pointer for side in shown if side.pointer is not None), None)
    draft = Draft("condition", "condition", text, pointer=pointer, at=at, children=shown)
    if event.error:
        draft.verdict, draft.because = "error", errors_in(shown)
        draft.note = event.error
        return draft
    holds = bool(event.value)
    draft.verdict, draft.because = "held" if holds else "failed", shown
    met = f"{brief(key.text)} is {brief(key.value)}" if key in shown else brief(key.value)
    draft.note = f"{met}, and `{operator}` {brief(value.value)} {'holds' if holds else 'does not hold'}"
    keys = _members(operator, key.value, value.value) if holds else []
    if keys:
        draft.note += (
            f" for {', '.join(map(brief, keys[:_MOST_KEYS]))}{' and others' if len(keys) > _MOST_KEYS else ''}"
        )
    return draft


def _members(operator: str, keys: Json, value: Json) -> list[Json]:
    """Of several keys those that an operator over any of them holds for."""
    mode = MODES.get(operator.lower())
    if mode is None or mode.over != "any" or not isinstance(keys, list) or len(keys) < 2:
        return []
    holds = among(mode, value)
    return [key for key in keys if holds([key])]


def _written(value: Json) -> str:
    return value if isinstance(value, str) else to_text(value)


def explain_context(entries: Json, at: str, events: list[Event]) -> Draft | None:
    """The entries of a context with what was loaded; one that nothing read was never asked for."""
    if not isinstance(entries, list) or not entries:
        return None
    loaded = by_place((found for event in events for found in [event, *event.inside("entry")]), "entry")
    for event in list(loaded.values()):  # an entry may load another, which then stands inside it
        loaded |= {key: item for key, item in by_place(event.inside("entry"), "entry").items() if key not in loaded}
    children = [_entry(item, f"{at}/{n}", loaded.get(f"{at}/{n}")) for n, item in enumerate(entries)]
    draft = Draft("context", "context", verdict="held", at=at, children=children)
    draft.because = errors_in(children)
    if draft.because:
        draft.verdict = "error"
    elif all(child.verdict == "unreached" for child in children):
        draft.verdict = "unreached"
    return draft


def _entry(item: JsonObject, at: str, event: Event | None) -> Draft:
    name = str(item.get("name", ""))
    source = next((key for key in item if key != "name"), "")
    draft = Draft("entry", name, source, at=at, verdict="unreached", note="never asked for")
    if event is None:
        return draft
    draft.verdict, draft.note, draft.value = "value", "", event.value
    draft.children = [*_questions(event), *expressions(event.children)]
    if event.error:
        draft.verdict, draft.note = "error", f"context entry `{name}`: {event.error}"
    return draft


def _questions(event: Event) -> list[Draft]:
    return [
        Draft(
            "question",
            "asked",
            item.text,
            value=item.value,
            verdict="error" if item.error else "value",
            note=item.error,
        )
        for item in event.children
        if item.kind == "question"
    ]
