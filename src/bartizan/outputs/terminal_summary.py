"""The end of the terminal report: how much, how bad, what most often, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.findings.tally import Tally, rules_of, tally
from bartizan.outputs.terminal_ink import paragraph
from bartizan.outputs.text import clip, one_line, plural, printable, rule_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from bartizan.model.report import Report
    from bartizan.outputs.terminal_ink import Ink

_TOP: Final = 5
_LEAST_TITLE: Final = 16  # columns; a title cut shorter says nothing
_MANY: Final = 20  # findings, from which on accepting today's and judging what is new is the way to begin


def write_summary(report: Report, out: TextIO, ink: Ink, width: int, *, explain: bool) -> None:
    """Write the figures and the next steps."""
    figures = tally(report)
    lines = [
        *_notes(report, ink, width, explain=explain),
        *_figures(report, figures, ink, width),
        *_most_often(report, figures, ink, width),
        *_next(report, figures, ink, width, explain=explain),
    ]
    out.write("\n".join(lines))
    out.write("\n")


def _notes(report: Report, ink: Ink, width: int, *, explain: bool) -> Iterator[str]:
    shown = [note for note in report.notes if explain or note.kind == "expired-waiver"]
    for note in shown:
        yield from paragraph(f"{ink.bold}note:{ink.off} ", note.message, width)
        yield from paragraph(f"{ink.dim}hint:{ink.off} ", note.hint, width - 2, "  ")
    if shown:
        yield ""


def _figures(report: Report, figures: Tally, ink: Ink, width: int) -> Iterator[str]:
    resources = plural(len(set(report.resources)), "resource")
    if not report.resources and not figures.open:
        yield f"{ink.bold}Nothing was judged:{ink.off} no resource was read."
    elif not figures.open:
        yield f"{ink.good}No findings{ink.off} in {resources}, judged by {plural(len(report.rules), 'rule')}."
    else:
        touched = f"{figures.touched:,} of {resources}"
        yield f"{ink.bold}{plural(figures.open, 'finding')}{ink.off} in {touched}; {figures.clean:,} clean."
        yield from _severities(figures, ink, width)
    counts = report.counts
    words = [f"{counts.passed:,} passed", f"{counts.failed:,} failed"]
    if counts.warned:
        words.append(plural(counts.warned, "warning"))
    if counts.errors:
        words.append(plural(counts.errors, "error"))
    if counts.skipped:
        words.append(f"{counts.skipped:,} skipped")
    if report.waived:
        words.append(f"{len(report.waived):,} waived")
    yield from paragraph(f"{ink.dim}results:{ink.off} ", ", ".join(words), width - 2, "  ")
    if report.problems:
        number = plural(len(report.problems), "problem")
        yield from paragraph(f"{ink.error}{number}{ink.off} ", "with what was to be read; see above.", width - 2, "  ")


def _severities(figures: Tally, ink: Ink, width: int) -> Iterator[str]:
    """The severities in one row, or in as many as the width asks for."""
    row: list[str] = []
    used = 0
    for severity, number in figures.by_severity.items():
        word = f"{severity.label} {number:,}"
        if row and used + len(word) + 2 > width:
            yield f"  {'   '.join(row)}"
            row, used = [], 0
        row.append(f"{ink.severity(severity) if number else ink.dim}{word}{ink.off}")
        used += len(word) + 3
    yield f"  {'   '.join(row)}"


def _most_often(report: Report, figures: Tally, ink: Ink, width: int) -> Iterator[str]:
    if len(figures.by_rule) < 2 or figures.by_rule[0][1] < 2:
        return
    titles = {rule.id: rule.title for rule in rules_of(report)}
    top = figures.by_rule[:_TOP]
    number_width = max(len(f"{number:,}") for _, number in top)
    name_width = max(len(rule_name(rule)) for rule, _ in top)
    yield ""
    yield f"{ink.bold}Most often{ink.off}"
    for rule, number in top:
        room = width - number_width - name_width - 6
        title = one_line(titles.get(rule, ""))
        tail = f"  {ink.dim}{clip(title, room)}{ink.off}" if title and room >= _LEAST_TITLE else ""
        name = rule_name(rule)
        yield f"  {number:>{number_width},}  {f'{name:<{name_width}}' if tail else name}{tail}"


def _next(report: Report, figures: Tally, ink: Ink, width: int, *, explain: bool) -> Iterator[str]:
    steps: list[str] = []
    if report.problems:
        steps.append("Mend what could not be read first: what is in it has not been judged.")
    if figures.open and not explain:
        steps.append("Run again with --explain to see why each rule exists and which controls it serves.")
    if figures.open >= _MANY:
        steps.append("To judge only what is new from now on, keep -o json=FILE and pass it as --baseline FILE.")
    if not report.resources and not report.problems and not figures.open:
        steps.append(f"Check that {printable(', '.join(report.sources)) or 'the path'} holds Kubernetes manifests.")
    if steps:
        yield ""
        yield f"{ink.bold}Next{ink.off}"
        for step in steps:
            yield from paragraph("", step, width - 2, "  ")
