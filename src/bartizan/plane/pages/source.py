"""An object as YAML with what is said of it at its lines: the lines are our own, so that each pointer has one.

A finding about what is missing stands at the nearest thing that is there. Of
a long object the beginning is shown and what stands around its findings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.base.pointer import join, split
from bartizan.outputs.text import printable
from bartizan.outputs.yaml import located

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bartizan.stores.queries.findings import FindingView

LONGEST: Final = 1_000
"""Lines of an object that are shown as a whole; a page has to stay light."""
_BEGINNING: Final = 120
_AROUND: Final = 6
_WIDEST: Final = 400
_FIRST: Final = ("apiVersion", "kind", "metadata", "spec")


class Said(NamedTuple):
    """What is said of a line; of a finding with several places, each says so at its own."""

    finding: FindingView
    message: str


class Line(NamedTuple):
    """One line, by its number. Without a number it stands for `left_out` lines that are not shown."""

    number: int
    text: str
    said: tuple[Said, ...] = ()
    left_out: int = 0


class Source(NamedTuple):
    """What is shown of an object of `length` lines. `nowhere` are findings that name no place in it."""

    lines: Sequence[Line]
    length: int
    problem: str = ""


def ordered(body: Mapping[str, Any]) -> dict[str, Any]:
    """An object as people write it: what it is, what it is called, and then the rest."""
    first = {key: body[key] for key in _FIRST if key in body}
    return {**first, **{key: value for key, value in body.items() if key not in first}}


def source_of(body: Mapping[str, Any], findings: Iterable[FindingView], only: int | None = None) -> Source:
    """Lines of an object with findings at them; of a page about one finding, `only` what stands around it."""
    try:
        rows = list(located(ordered(body)))
    except RecursionError:
        return Source((), 0, "It nests too deep to be shown.")
    said = _said(rows, findings, only)
    if only is None and len(rows) <= LONGEST:
        keep = set(range(len(rows)))
    else:
        keep = set(range(min(_BEGINNING, len(rows)))) if only is None else set()
        for number in list(said)[: LONGEST // _AROUND]:
            keep.update(range(max(0, number - _AROUND), min(len(rows), number + _AROUND + 1)))
    return Source(list(_shown(rows, said, keep)), len(rows))


def _said(rows: Sequence[tuple[str, str]], findings: Iterable[FindingView], only: int | None) -> dict[int, list[Said]]:
    places: dict[str, int] = {}
    for number, (_, pointer) in enumerate(rows):
        places.setdefault(pointer, number)
    said: dict[int, list[Said]] = {}
    for one in findings:
        if only in (None, one.number):
            spots = [(one.pointer, one.message), *((other["pointer"], other["message"]) for other in one.others)]
            for pointer, message in spots:
                mine = said.setdefault(_line_of(pointer, places), [])
                if all((already.finding.number, already.message) != (one.number, message) for already in mine):
                    mine.append(Said(one, message))
    return dict(sorted(said.items()))


def _line_of(pointer: str, places: Mapping[str, int]) -> int:
    """The line of a place, or of the nearest thing above it; of nothing at all, the line that says what it is."""
    parts = split(pointer)
    while parts:
        number = places.get(join(parts))
        if number is not None:
            return number
        parts.pop()
    return places.get("/kind", 0)


def _shown(rows: Sequence[tuple[str, str]], said: Mapping[int, list[Said]], keep: set[int]) -> Iterator[Line]:
    missing = 0
    for number, (text, _) in enumerate(rows):
        if number not in keep:
            missing += 1
            continue
        if missing:
            yield Line(0, "", left_out=missing)
            missing = 0
        cut = text if len(text) <= _WIDEST else f"{text[:_WIDEST]}…"
        yield Line(number + 1, printable(cut), tuple(said.get(number, ())))
    if missing:
        yield Line(0, "", left_out=missing)
