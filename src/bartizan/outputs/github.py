"""Annotations for a GitHub workflow: the finding appears on the changed line.

Source: the documentation of workflow commands, and the runner's parser. A
step shows ten errors, ten warnings and ten notices, so the worst come
first and the rest is listed in a folded group of the log: nothing is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.findings.tally import is_open, tally
from bartizan.model.severity import Severity
from bartizan.outputs.text import one_line, plural, printable

if TYPE_CHECKING:
    from typing import TextIO

    from bartizan.base.location import Location
    from bartizan.model.finding import Finding
    from bartizan.model.report import Problem, Report
    from bartizan.outputs.view import View

_LIMIT: Final = 10  # annotations of one kind that a step shows
_COMMANDS: Final = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "notice",
    Severity.INFO: "notice",
}


def render(report: Report, out: TextIO, view: View | None = None) -> None:  # noqa: ARG001 (a format for programs has no looks)
    """Write problems, then findings, the worst first."""
    left = dict.fromkeys(_COMMANDS.values(), _LIMIT)
    for problem in report.problems:
        left["error"] -= 1
        out.write(_problem(problem))
    rest: list[Finding] = []
    for finding in sorted(filter(is_open, report.findings), key=_order):
        command = _command(finding)
        left[command] -= 1
        if left[command] < 0:
            rest.append(finding)
        else:
            out.write(_annotation(finding, command))
    if rest:
        out.write(f"::group::{plural(len(rest), 'more finding')}, beyond what a step can annotate\n")
        out.writelines(f"{_plain(finding)}\n" for finding in rest)
        out.write("::endgroup::\n")
    figures = tally(report)
    clean = f"{figures.clean:,} of {plural(len(set(report.resources)), 'resource')} clean"
    out.write(f"bartizan: {plural(figures.open, 'finding')}, {clean}\n")


def _order(finding: Finding) -> tuple[bool, int]:
    return finding.result != "error", -finding.severity


def _command(finding: Finding) -> str:
    if finding.result == "error":
        return "error"
    command = _COMMANDS[finding.severity]
    return "warning" if finding.result == "warn" and command == "error" else command


def _annotation(finding: Finding, command: str) -> str:
    parts = [f"{finding.resource}: {finding.message.strip()}"]
    if finding.rule.fix and finding.result != "error":
        parts.append(f"Fix: {finding.rule.fix}")
    title = f"{finding.rule.id} ({finding.severity.label})"
    return f"::{command} {_properties(finding.location, title)}::{_data(chr(10).join(parts))}\n"


def _problem(problem: Problem) -> str:
    text = f"{problem.message}\n{problem.hint}" if problem.hint else problem.message
    return f"::error {_properties(problem.at, 'bartizan could not read this')}::{_data(text)}\n"


def _properties(at: Location | None, title: str) -> str:
    pairs = [("title", title)]
    if at and at.file:
        pairs.append(("file", at.file))
        pairs += [("line", str(at.line))] if at.line else []
        pairs += [("col", str(at.column))] if at.column else []
    return ",".join(f"{key}={_property(value)}" for key, value in pairs)


def _data(text: str) -> str:
    """Escape as the runner reads it back; control characters are gone before, so a line stays one."""
    lines = (printable(line).replace("%", "%25") for line in text.splitlines())
    return "%0A".join(lines)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _plain(finding: Finding) -> str:
    """One line of the log. The runner still obeys `##[...]` wherever it stands in a line, so it is parted."""
    place = f" {printable(str(finding.location))}" if finding.location else ""
    text = f"{finding.severity.label:<8}{place} {finding.resource}: {finding.rule.id}: {finding.message}"
    return one_line(text).replace("##[", "## [")
