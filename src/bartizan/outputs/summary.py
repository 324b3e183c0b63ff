"""A few lines for a build's log: the figures, and nothing to scroll through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.findings.tally import tally
from bartizan.outputs.text import one_line, plural, printable, rule_name

if TYPE_CHECKING:
    from typing import TextIO

    from bartizan.model.report import Report
    from bartizan.outputs.view import View

_TOP: Final = 3


def render(report: Report, out: TextIO, view: View | None = None) -> None:  # noqa: ARG001 (plain on purpose)
    """Write the figures."""
    figures = tally(report)
    resources = plural(len(set(report.resources)), "resource")
    out.write(f"bartizan {report.tool_version}: {plural(figures.open, 'finding')} in {resources}, ")
    out.write(f"{figures.clean:,} clean, {plural(len(report.rules), 'rule')}\n")
    severities = ", ".join(f"{label.label} {number:,}" for label, number in figures.by_severity.items() if number)
    if severities:
        out.write(f"severity: {severities}\n")
        often = ", ".join(f"{rule_name(rule)} {number:,}" for rule, number in figures.by_rule[:_TOP])
        out.write(f"most often: {often}\n")
    if report.waived:
        out.write(f"waived: {len(report.waived):,}\n")
    for problem in report.problems:
        place = f"{printable(str(problem.at))}: " if problem.at else ""
        out.write(f"problem: {place}{one_line(problem.message)}\n")
    out.writelines(f"note: {one_line(note.message)}\n" for note in report.notes if note.kind == "expired-waiver")
