"""A traced expression as parts of an explanation: truths that hold or do not, and the values they were told by."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bartizan.base.pointer import escape
from bartizan.engines.policy.cel.explanation.roots import Root, Roots
from bartizan.engines.policy.explanation.draft import Draft, brief, errors_in
from bartizan.lang.cel import CelBudgetError, CelError
from bartizan.lang.cel.operators.limits import sized_through
from bartizan.lang.cel.show import value_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bartizan.engines.policy.cel.explanation.watch import Event
    from bartizan.lang.cel.trace import Step
    from bartizan.model.trace import Verdict

_LEAVES: Final = ("name", "field", "constant")
_TEST: Final = "has("
_MOST_VALUES: Final = 3
_MOST_LEVELS: Final = 60
_MOST_MEMBERS: Final = 100_000  # of a value that is shown; what is in it twice counts twice
_MOST_TEXT: Final = 160  # characters of an expression in a sentence
_LOOP: Final = re.compile(r"(?P<only>\w+), turn \d+|\w+ = (?P<key>.*), (?P<second>\w+)", re.DOTALL)
_PLAIN: Final = frozenset({str, int, float, bool, type(None)})


def explained(event: Event, roots: Roots, draft: Draft, origin: str = "", *, truth: bool) -> Draft:
    """Fill in what an expression came to, and below it its parts; `origin` is the text that the document has.

    Of a `truth` that does not hold, the parts that decided have something to say.
    """
    begins = _offsets(event.text, origin)
    draft.begins = begins(0)
    step = event.step
    if step is None:
        draft.verdict, draft.note = "error", event.error
        return draft
    whole = _part(step, roots, _Teller(draft.at, event.text, begins, says=truth and step.value is not True), 0)
    draft.children, draft.because, draft.note = whole.children, whole.because, whole.note
    draft.pointer, draft.begins = whole.pointer, whole.begins
    if event.error:
        draft.verdict, draft.note = "error", whole.note or event.error
    elif truth:
        draft.verdict = _truth(step.value is True)
    else:
        draft.value, draft.because = _shown(step.value, draft), []
    return draft


class _Teller:
    """What all parts of one expression have in common: where it stands, and whether those that decided say so."""

    def __init__(self, at: str, text: str, begins: Callable[[int], int], *, says: bool) -> None:
        self.at = at
        self.text = text
        self.begins = begins
        self.says = says


def _part(step: Step, roots: Roots, teller: _Teller, level: int) -> Draft:
    draft = Draft(
        "expression",
        step.text,
        at=teller.at,
        begins=teller.begins(_first(step, teller.text)),
        pointer=roots.pointer(step.text),
    )
    loop = _LOOP.fullmatch(step.text) if step.kind == "turn" else None
    if loop is not None:
        draft.kind, draft.pointer = "member", roots.pointer(loop["second"] or loop["only"])
    if level < _MOST_LEVELS:
        for child, inside in _below(step, roots):
            part = _part(child, inside, teller, level + 1)
            draft.children.append(part)
            if child.decided:
                draft.because.append(part)
    _judge(draft, step)
    if draft.pointer is None:
        draft.pointer = next((part.pointer for part in draft.children if part.pointer is not None), None)
    if teller.says and step.decided and not draft.because and not draft.note:
        draft.note = _why(step)
    return draft


def _judge(draft: Draft, step: Step) -> None:
    """What became of a part: a truth holds or not, anything else has a value, an error or nothing."""
    if not step.reached:
        draft.verdict = "unreached"
    elif step.error:
        draft.verdict, draft.note = "error", f"{_quoted(step.text)}: {step.error}"
        draft.because = draft.because or errors_in(draft.children)[:1]
    elif step.kind == "turn":
        draft.value = _shown(step.value, draft)
        told = [child for child in step.children if child.reached and not child.error][-1:]
        if told and isinstance(told[0].value, bool):
            draft.verdict = _truth(told[0].value)
        draft.because = draft.because[-1:]
    elif isinstance(step.value, bool) and (step.kind not in _LEAVES or step.text.startswith(_TEST)):
        draft.kind, draft.verdict = "claim", _truth(step.value)
    else:
        draft.value = _shown(step.value, draft)


def _first(step: Step, text: str) -> int:
    """Where a part begins: an operator or a field stands behind its first operand."""
    found = text.rfind(step.text, 0, step.at + len(step.text))
    if found >= 0:
        return found
    return min([step.at, *(_first(child, text) for child in step.children if child.kind != "turn")])


def _truth(value: bool) -> Verdict:
    return "held" if value else "failed"


def _below(step: Step, roots: Roots) -> Iterator[tuple[Step, Roots]]:
    """The parts of a part, each with the names in reach; a turn of a loop has its own."""
    over = step.children[0] if step.children else None
    number = 0
    for child in step.children:
        loop = _LOOP.fullmatch(child.text) if child.kind == "turn" else None
        if loop is None or over is None:
            yield child, roots
            continue
        known = roots.place_of(child.value) is not None
        place = None if known else _member(roots.pointer(over.text), over.value, loop["key"], child.value, number)
        number += 1
        # of two names the first is the index or key, and stands nowhere by itself
        yield child, roots.plus({loop["second"] or loop["only"]: Root(child.value, place)})


def _member(base: str | None, over: Any, key: str | None, value: Any, number: int) -> str | None:
    """Where a member of a loop stands that does not know it itself, as a text or number does not."""
    if base is None:
        return None
    if isinstance(over, list):
        return f"{base}/{number}"
    step = value if key is None else key[1:-1]
    return f"{base}/{escape(step)}" if isinstance(over, dict) and step in over else None


def _shown(value: Any, draft: Draft) -> Any:
    """A value as JSON; what JSON does not have, such as a quantity, is written beside the expression."""
    if is_json(value):
        return plain(value)
    draft.text = f"{draft.text} = {value_text(value)}".strip()
    return msgspec.UNSET


def is_json(value: Any) -> bool:
    """Whether a value of the language is one of JSON too, and can be written out."""
    try:
        sized_through(value, _MOST_MEMBERS)
    except (CelError, CelBudgetError):
        return False
    return _is_json(value)


def _is_json(value: Any, level: int = 0) -> bool:
    if value.__class__ in _PLAIN or level > _MOST_LEVELS:
        return True
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(item, level + 1) for key, item in value.items())
    if isinstance(value, list):
        return all(_is_json(item, level + 1) for item in value)
    return isinstance(value, int)  # an unsigned one


def plain(value: Any, level: int = 0) -> Any:
    """A value that is JSON, without what it is in the language beside that."""
    if value.__class__ in _PLAIN or level > _MOST_LEVELS:
        return value
    if isinstance(value, dict):
        return {key: plain(item, level + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item, level + 1) for item in value]
    return int(value)


def _why(step: Step) -> str:
    """What a part came to, as a clause, and by which values it did."""
    said = _said(step.value)
    if step.kind in _LEAVES:
        return f"{_quoted(step.text)} is {said}"
    turns = sum(1 for child in step.children if child.kind == "turn")
    if step.kind in ("all", "exists"):
        return f"{_quoted(step.text)} is {said} for {_counted(turns)}"
    values = [
        f"{_quoted(child.text)} is {_said(child.value)}"
        for child in step.children
        if child.reached and not child.error and child.kind != "turn" and _reads(child)
    ]
    where = f", where {' and '.join(values[:_MOST_VALUES])}" if values else ""
    return f"{_quoted(step.text)} is {said}{where}"


def _reads(step: Step) -> bool:
    """Whether a value depends on anything, or is what the expression says it is."""
    return step.kind in ("name", "field") or any(map(_reads, step.children))


def _counted(turns: int) -> str:
    return "an empty list or map" if not turns else "the one member" if turns == 1 else f"each of {turns} members"


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return brief(plain(value)) if is_json(value) else f"`{value_text(value, 80)}`"


def _quoted(text: str) -> str:
    text = " ".join(text.split())
    return f"`{text}`" if len(text) <= _MOST_TEXT else f"`{text[:_MOST_TEXT]}…`"


def _offsets(text: str, origin: str) -> Callable[[int], int]:
    """Where in a text of the document a character of an expression stands, which was moved or is a part of it."""
    found = origin.find(text)
    if found >= 0:
        return lambda at: found + at
    blocks = SequenceMatcher(None, text, origin, autojunk=False).get_matching_blocks()[:-1]

    def begins(at: int) -> int:
        inside = [block for block in blocks if block.a <= at]
        if not inside:
            return 0
        return inside[-1].b + min(at - inside[-1].a, inside[-1].size)

    return begins
