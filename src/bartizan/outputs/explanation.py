"""Why a rule said what it said, as a tree for a person: what decided is in bold, and what held is folded.

Whatever comes from outside goes through `printable` first, as in every
format for people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from bartizan.base.json import to_text
from bartizan.outputs.quote import quote
from bartizan.outputs.terminal_ink import COLOR, PLAIN, Ink, paragraph
from bartizan.outputs.text import clip, columns, one_line, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

    from bartizan.base.location import Location
    from bartizan.model.trace import Node

MARKS: Final = {"held": "✓", "failed": "✗", "skipped": "-", "error": "!", "unreached": "·", "value": "="}
_WORDS: Final = {"held": "passed", "failed": "failed", "skipped": "does not apply to", "error": "could not judge"}
_MOST_REASONS: Final = 5
_MOST_SIBLINGS: Final = 8
"""Parts beside each other that are shown of one kind, unless all are asked for."""
_SAYS_ITSELF: Final = frozenset(
    {"condition", "attribute", "pattern", "violation", "rule", "conclusion", "claim", "requirement", "validation"}
)
"""Kinds whose line shows already what their note says."""
_UNFOLDED: Final = frozenset({"expression", "member", "variables"})
"""Kinds of which the parts are shown even where they decided nothing."""
_LEAST_WIDTH: Final = 40
_MOST_TEXT: Final = 4000  # characters of a value in JSON output


class Place(NamedTuple):
    """A line of a file that an explanation points to; `what` says whose."""

    what: str
    at: Location
    text: str


class Page(NamedTuple):
    """What every line needs: ink, width, and whether everything is shown."""

    ink: Ink
    width: int
    everything: bool


def page(*, color: bool, width: int, everything: bool) -> Page:
    """A page for a terminal or a file."""
    return Page(COLOR if color else PLAIN, max(width, _LEAST_WIDTH), everything)


def render(root: Node, places: Sequence[Place], out: TextIO, page: Page, *, briefly: bool = False) -> None:
    """Write one explanation: what it comes to, where that is, and the tree; of a pass `briefly` the first alone."""
    lines = list(summary(root, page))
    if not briefly or root.verdict != "held" or page.everything:
        lines += [line for place in places for line in _place(place, page)]
        lines += ["", *tree(root, page)]
    out.write("\n".join(lines))
    out.write("\n")


def summary(root: Node, page: Page) -> Iterator[str]:
    """What became of the rule, and the reasons, in sentences."""
    ink, reasons = page.ink, list(dict.fromkeys(node.note for node in root.deciding))
    word = _WORDS.get(root.verdict, root.verdict)
    code = {"failed": ink.error, "error": ink.error, "held": ink.good}.get(root.verdict, ink.dim)
    on = " " if root.verdict in ("skipped", "error") else " on "
    yield (
        f"{code}{MARKS[root.verdict]}{ink.off} rule {ink.bold}{printable(root.label)}{ink.off} "
        f"{code}{word}{ink.off}{on}{ink.bold}{printable(root.text)}{ink.off}"
    )
    said = [one_line(reason) for reason in reasons if reason != root.note]
    for number, reason in enumerate(said[:_MOST_REASONS]):
        yield from paragraph("  because " if not number else "      and ", reason, page.width)
    if len(said) > _MOST_REASONS:
        yield f"      and {plural(len(said) - _MOST_REASONS, 'more reason')}"
    if root.note:
        lead = "message" if root.verdict == "failed" else "outcome"
        yield from paragraph(f"  {ink.dim}{lead}:{ink.off} ", one_line(root.note), page.width)


def _place(place: Place, page: Page) -> Iterator[str]:
    ink = page.ink
    yield f"  {ink.place}--> {printable(str(place.at))}{ink.off} {ink.dim}({place.what}){ink.off}"
    quoted = quote(place.text, place.at)
    if quoted is None:
        return
    gutter = f"{quoted.line:>6} │ "
    room = page.width - columns(gutter)
    yield f"{ink.dim}{gutter}{ink.off}{clip(quoted.text, room)}"
    start, end = quoted.marked
    before, length = columns(quoted.text[:start]), columns(quoted.text[start:end])
    if quoted.column and length > 0 and before < room:
        marks = "^" * min(length, room - before)
        yield f"{ink.dim}{'':{len(gutter) - 2}}│{ink.off} {'':{before}}{ink.error}{marks}{ink.off}"


def tree(root: Node, page: Page) -> Iterator[str]:
    """The parts of a rule, each with what it met."""
    for child, last in _with_last(_folded(root, page)):
        yield from _branch(child, "  ", page, last=last)


class _Folded(NamedTuple):
    """Some parts that are not shown one by one."""

    verdict: str
    number: int


def _branch(node: Node | _Folded, lead: str, page: Page, *, last: bool) -> Iterator[str]:
    ink = page.ink
    stem, below = (f"{lead}└─ ", f"{lead}   ") if last else (f"{lead}├─ ", f"{lead}│  ")
    if isinstance(node, _Folded):
        words = {"unreached": "not asked", "held": "held", "failed": "failed", "skipped": "skipped"}
        yield (
            f"{ink.dim}{stem}{MARKS[node.verdict]} {node.number} more {words.get(node.verdict, '')}".rstrip() + ink.off
        )
        return
    yield f"{ink.dim}{stem}{ink.off}{_line(node, page, page.width - columns(stem))}"
    for child, at_end in _with_last(_folded(node, page)):
        yield from _branch(child, below, page, last=at_end)


def _with_last(items: list[Node | _Folded]) -> Iterator[tuple[Node | _Folded, bool]]:
    for number, item in enumerate(items, 1):
        yield item, number == len(items)


def _folded(node: Node, page: Page) -> list[Node | _Folded]:
    """What is shown below a part: of one that did not decide nothing, unless all is asked for."""
    children = node.children
    if page.everything:
        return list(children)
    if not node.decided and node.kind not in _UNFOLDED:
        return []
    shown: list[Node | _Folded] = []
    counts: dict[str, int] = {}
    for child in children:
        counts[child.verdict] = counts.get(child.verdict, 0) + 1
        if child.decided or (child.verdict != "unreached" and counts[child.verdict] <= _MOST_SIBLINGS):
            shown.append(child)
    hidden: dict[str, int] = {}
    kept = {id(child) for child in shown}
    for child in children:
        if id(child) not in kept:
            hidden[child.verdict] = hidden.get(child.verdict, 0) + 1
    return [*shown, *(_Folded(verdict, count) for verdict, count in hidden.items())]


def _line(node: Node, page: Page, width: int) -> str:
    """One part: its mark, its name, and what it met."""
    ink = page.ink
    good = {"held": ink.good, "failed": ink.error, "error": ink.error}.get(node.verdict, ink.dim)
    if node.verdict == "error" and not node.decided:
        good = ink.dim  # something absorbed it, as `||` does
    said = _said(node)
    # an error is said once, where it arose
    passed_on = node.verdict == "error" and any(child.verdict == "error" for child in node.children)
    note = node.note.removeprefix(f"`{node.label}`: ") if node.kind not in _SAYS_ITSELF and not passed_on else ""
    text = clip(f"{said} — {one_line(note)}" if note else said, width - 2)
    if node.decided:
        text = f"{ink.bold}{text}{ink.off}"
    elif node.verdict == "unreached":
        text = f"{ink.dim}{text}{ink.off}"
    return f"{good}{MARKS[node.verdict]}{ink.off} {text}"


def _said(node: Node) -> str:
    label, text, value = one_line(node.label), one_line(node.text), _value(node.value)
    if node.kind in ("condition", "loop"):
        return text if node.kind == "condition" else f"{label} {text}"
    if node.kind in ("pattern", "assertion", "attribute", "scope"):
        wanted = f"{label}: {text}" if text else label
        # a map or a list is met by one, unless it failed by itself
        met = node.verdict != "unreached" and (text or (node.verdict == "failed" and not node.children))
        return f"{wanted}  ← {value or 'missing'}" if met else wanted
    named = f"{label} {text}" if text else label
    return f"{named} = {value}" if value else named


def _value(value: Any) -> str:
    return "" if value is msgspec.UNSET else one_line(to_text(value)[:_MOST_TEXT])


def as_json(root: Node, places: Sequence[Place]) -> dict[str, Any]:
    """One explanation as decoded JSON; values that are very long are cut, as text."""
    return {
        "rule": root.label,
        "resource": root.text,
        "verdict": root.verdict,
        "reasons": list(dict.fromkeys(node.note for node in root.deciding)),
        "places": [
            {
                "of": place.what,
                "file": place.at.file,
                "line": place.at.line,
                "column": place.at.column,
                "text": place.text,
            }
            for place in places
        ],
        "tree": _node(root),
    }


def _node(node: Node) -> dict[str, Any]:
    plain: dict[str, Any] = {"kind": node.kind, "label": node.label, "verdict": node.verdict}
    for name in ("text", "note", "pointer", "at"):
        value = getattr(node, name)
        if value:
            plain[name] = value
    if node.value is not msgspec.UNSET:
        text = to_text(node.value)
        plain["value"] = node.value if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}…"
    if node.decided:
        plain["decided"] = True
    if node.begins >= 0:
        plain["begins"] = node.begins
    if node.children:
        plain["children"] = [_node(child) for child in node.children]
    return plain
