"""What the two languages of a policy traced, as parts of an explanation: expressions and patterns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from bartizan.base.json import to_text
from bartizan.base.pointer import escape, join, split
from bartizan.engines.policy.explanation.draft import Draft, brief, errors_in
from bartizan.lang.overlay.nodes import Anchor
from bartizan.lang.overlay.trace import choices

if TYPE_CHECKING:
    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kyverno.watch import Event
    from bartizan.lang.jmespath.trace import Step
    from bartizan.lang.overlay.trace import Choice, Record

_STEP: Final = r"""\.(?:"([^"\\]+)"|([A-Za-z_]\w*))|\[(\d+)\]"""
_OBJECT: Final = re.compile(rf"\s*request\.object((?:{_STEP})*)(?:\s*\|\|.*)?\s*", re.DOTALL)
_PATH: Final = re.compile(_STEP)
_CHAINS: Final = frozenset({"subexpression", "index_expression"})
_LOOPS: Final = frozenset({"projection", "value_projection", "filter_projection", "function_expression", "flatten"})
_LEAVES: Final = frozenset({"literal", "current", "field", "index", "slice"})
_DECIDES_LAST: Final = frozenset({"or_expression", "and_expression", "pipe", "not_expression"})


def expression(step: Step) -> Draft:
    """A sub-expression with its value, and below it those it was worked out from."""
    draft = Draft("expression", step.part.text, value=step.value, pointer=_pointer(step.part.text))
    kind = step.part.kind
    if step.error:
        draft.value, draft.verdict, draft.note = msgspec.UNSET, "error", step.error
    if kind in _LOOPS:
        draft.children = _gone_through(step)
    elif kind in _CHAINS:
        draft.children = [child for item in step.children if item.part.kind not in _LEAVES for child in _shown(item)]
        draft.note = f"`{step.part.text}`: {step.error}" if step.error else ""
    else:
        steps = _stages(step) if kind == "pipe" else step.children
        draft.children = [child for item in steps for child in _shown(item)]
    draft.because = errors_in(draft.children)
    if not draft.because and kind in _DECIDES_LAST:
        draft.because = draft.children[-1:]
    return draft


def _pointer(text: str) -> str | None:
    """Where in the resource an expression reads, where it is nothing but a path."""
    match = _OBJECT.fullmatch(text)
    return None if match is None else join(quoted or word or index for quoted, word, index in _PATH.findall(match[1]))


def _shown(step: Step) -> list[Draft]:
    """What is worth showing of a step: what its text says is not, and what has no text is what is in it."""
    if step.part.kind in ("literal", "current"):
        return []
    return [expression(step)] if step.part.text else [child for item in step.children for child in _shown(item)]


def _stages(step: Step) -> list[Step]:
    """What a chain of pipes passes on, from left to right; the parser has it as pipes inside each other."""
    first, rest = step.children[0], step.children[1:]
    return [*(_stages(first) if first.part.kind == "pipe" else [first]), *rest]


def _gone_through(step: Step) -> list[Draft]:
    """What a projection or a function was given, then each element it went through."""
    drafts: list[Draft] = []
    group: Draft | None = None
    seen: set[int] = set()
    number = -1
    for child in step.children:
        if child.given is step.given:
            drafts += _shown(child)
            continue
        if group is None or id(child.part) in seen:
            number, seen = number + 1, set()
            group = Draft("member", f"[{number}]", value=child.given)
            drafts.append(group)
        seen.add(id(child.part))
        group.children += _shown(child)
    return drafts


def expressions(events: list[Event]) -> list[Draft]:
    """Every expression that was evaluated, as its trace has it."""
    return [expression(step) for event in events if event.kind == "expression" for step in event.detail.steps]


def filled(kind: str, raw: Json, event: Event | None) -> Draft:
    """A value of a policy with its variables filled in; without an event it has none, and stands as it is."""
    text = raw if isinstance(raw, str) else to_text(raw)
    if event is None:
        return Draft(kind, kind, text, value=raw)
    children = expressions(event.children)
    if len(children) == 1 and not event.error and text.strip("{} \n") == children[0].label.strip():
        children = children[0].children  # the text is the expression, and need not be said twice
    draft = Draft(kind, kind, text, value=event.value, pointer=_pointer(text.strip("{} \n")), children=children)
    if event.error:
        draft.value, draft.verdict, draft.note = msgspec.UNSET, "error", event.error
        draft.because = errors_in(draft.children)
    return draft


def pattern(record: Record, at: str, base: str = "") -> Draft:
    """A key, element or the whole of a pattern with what it met; `base` is where the value stands in the resource."""
    index = (split(record.pointer) or [""])[-1]
    leaf = not isinstance(record.wanted, dict | list)
    draft = Draft(
        "pattern",
        record.label or (f"[{index}]" if record.pointer else "pattern"),
        _written(record.wanted) if leaf and record.anchor is not Anchor.NEGATION else "",
        value=record.value if record.present and record.verdict != "unreached" else msgspec.UNSET,
        verdict=record.verdict or "unreached",
        pointer=base + record.pointer,
        at=at,
    )
    draft.children = [pattern(child, _below(at, child), base) for child in record.children]
    failed = [child for child in draft.children if child.verdict == "failed"]
    if record.verdict == "failed":
        draft.because = failed[-1:] if record.anchor is not Anchor.EXISTENCE else []
        draft.note = "" if draft.because else _why(record, base)
    elif record.verdict == "skipped":
        # a condition that does not hold is a failure of its key, and that is why what is around it is not meant
        draft.because = failed or [child for child in draft.children if child.verdict == "skipped"]
        draft.note = "" if draft.because else record.reason
    if leaf and record.present and record.verdict in ("held", "failed"):
        draft.children += [_choice(choice, "|") for choice in choices(record.wanted, record.value)]
    return draft


def _below(at: str, child: Record) -> str:
    if child.label:
        return f"{at}/{escape(child.label)}"
    return f"{at}/0" if isinstance(child.wanted, dict) else f"{at}/{(split(child.pointer) or ['0'])[-1]}"


def _written(wanted: Json) -> str:
    return wanted if isinstance(wanted, str) else to_text(wanted)


def _why(record: Record, base: str) -> str:
    """What is wrong with what a key or element met, as a clause."""
    place = f"`{base + record.pointer or '/'}`"
    if record.anchor is Anchor.NEGATION:
        return f"{place} must not be there"
    if not record.present or record.value is None:
        return f"{place} is missing, and {_asked(record.wanted)} is asked"
    if record.anchor is Anchor.EXISTENCE and isinstance(record.value, list):
        return f"no element of {place} is as `{record.label}` asks"
    if isinstance(record.wanted, dict):
        return f"{place} is {brief(record.value)}, not a map"
    if isinstance(record.wanted, list):
        return f"{place} is {brief(record.value)}, not a list as the pattern has it"
    return f"{place} is {brief(record.value)}, not `{_written(record.wanted)}`"


def _asked(wanted: Json) -> str:
    """What a pattern asks for, where there is nothing at all: of a map its keys."""
    if isinstance(wanted, dict):
        return f"a map with {', '.join(f'`{key}`' for key in wanted)}" if wanted else "a map"
    return "a list" if isinstance(wanted, list) else f"`{_written(wanted)}`"


def _choice(choice: Choice, label: str) -> Draft:
    parts = [_choice(part, "&") for part in choice.parts]
    return Draft("operand", label, choice.text, verdict="held" if choice.holds else "failed", children=parts)
