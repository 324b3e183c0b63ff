"""The report for a person at a terminal: grouped by resource, the offending line shown, what to do next at the end.

Colour is written by hand, for it is eight codes and a library for it takes
longer to import than a scan. Whatever comes from outside goes through
`printable` first: a resource's name must not be able to move the cursor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.findings.tally import Group, group_by_resource, is_open
from bartizan.outputs.quote import quote, quote_of
from bartizan.outputs.terminal_ink import COLOR, PLAIN, Ink, paragraph
from bartizan.outputs.terminal_summary import write_summary
from bartizan.outputs.text import clip, columns, one_line, plural, printable, rule_name, wrap
from bartizan.outputs.view import View

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from bartizan.model.finding import Finding
    from bartizan.model.report import Problem, Report
    from bartizan.outputs.quote import Quote

_LABEL: Final = 10  # the longest severity, and two columns of air
_INDENT: Final = " " * (2 + _LABEL)
_NOT_JUDGED: Final = "Mend the policy; until then nothing is known of this resource by this rule."
_LEAST_WIDTH: Final = 40
_WIDEST_TEXT: Final = 120  # longer lines are hard to read, however wide the terminal


class Page(NamedTuple):
    """What every part of the page needs to write a line."""

    ink: Ink
    width: int
    explain: bool


def render(report: Report, out: TextIO, view: View | None = None) -> None:
    """Write the report, a resource at a time."""
    wish = view or View()
    page = Page(COLOR if wish.color else PLAIN, max(wish.width, _LEAST_WIDTH), wish.explain)
    for group in group_by_resource(filter(is_open, report.findings)):
        out.write("\n".join([*_group(group, page), ""]))
        out.write("\n")
    for problem in report.problems:
        out.write("\n".join([*_problem(problem, page), ""]))
        out.write("\n")
    write_summary(report, out, page.ink, page.width, explain=page.explain)


def _group(group: Group, page: Page) -> Iterator[str]:
    yield _heading(group, page)
    same: dict[tuple[object, str, str], list[Finding]] = {}
    for finding in sorted(group.findings, key=lambda one: -one.severity):
        same.setdefault((finding.rule.id, finding.result, finding.message), []).append(finding)
    for findings in same.values():
        yield from _findings(findings, page)


def _heading(group: Group, page: Page) -> str:
    ink, rid = page.ink, group.resource
    name = f"{rid.namespace}/{rid.name}" if rid.namespace else rid.name
    title = clip(f"{printable(rid.kind)} {printable(name) or '(no name)'}".lstrip(), page.width)
    place = printable(group.file or rid.api_version)
    number = plural(len(group.findings), "finding")
    room = page.width - columns(title) - columns(place) - len(number) - 4
    if room < 0:
        return f"{ink.bold}{title}{ink.off}"
    return f"{ink.bold}{title}{ink.off}  {ink.dim}{place}{'':{room + 2}}{number}{ink.off}"


def _findings(findings: list[Finding], page: Page) -> Iterator[str]:
    """Findings of one rule with one message: said once, with every place."""
    ink, first = page.ink, findings[0]
    label, code = _label(first, ink)
    mark = f"  {ink.dim}(warning){ink.off}" if first.result == "warn" else ""
    yield f"  {code}{label:<{_LABEL}}{ink.off}{ink.bold}{rule_name(first.rule.id)}{ink.off}{mark}"
    width = min(page.width, _WIDEST_TEXT) - len(_INDENT)
    for line in wrap(first.message or first.rule.title, width):
        yield f"{_INDENT}{line}"
    for finding in findings:
        yield from _place(finding, page)
    if page.explain and first.rule.why:
        yield from paragraph(f"{ink.dim}why:{ink.off} ", first.rule.why, width, _INDENT)
    if first.result == "error":
        yield from paragraph(f"{ink.dim}fix:{ink.off} ", _NOT_JUDGED, width, _INDENT)
    elif first.rule.fix:
        yield from paragraph(f"{ink.dim}fix:{ink.off} ", first.rule.fix, width, _INDENT)
    if page.explain and first.rule.frameworks:
        yield from paragraph(f"{ink.dim}controls:{ink.off} ", ", ".join(first.rule.frameworks), width, _INDENT)


def _label(finding: Finding, ink: Ink) -> tuple[str, str]:
    return (
        ("error", ink.error) if finding.result == "error" else (finding.severity.label, ink.severity(finding.severity))
    )


def _place(finding: Finding, page: Page) -> Iterator[str]:
    ink = page.ink
    at = printable(str(finding.location)) if finding.location else printable(finding.pointer)
    if at:
        yield f"{_INDENT}{ink.place}--> {at}{ink.off}"
    quoted = quote_of(finding)
    if quoted:
        yield from _quoted(quoted, _label(finding, ink)[1], page)
    if finding.evidence and (page.explain or not quoted):
        yield f"{_INDENT}{ink.dim}found:{ink.off} {clip(one_line(finding.evidence), page.width - len(_INDENT) - 7)}"


def _quoted(quoted: Quote, code: str, page: Page) -> Iterator[str]:
    ink = page.ink
    gutter = f"{quoted.line:>4} "
    room = page.width - len(_INDENT) - len(gutter) - 2
    start, end = quoted.marked
    text, before, length = quoted.text, columns(quoted.text[:start]), columns(quoted.text[start:end])
    if before + length > room:  # a very long line: show the part that matters
        drop = max(0, min(start, start - room // 4))
        text, before = (
            f"{'…' if drop else ''}{quoted.text[drop:]}",
            columns(quoted.text[drop:start]) + (1 if drop else 0),
        )
        text, length = clip(text, room), min(length, room - before)
    yield f"{_INDENT}{ink.dim}{gutter}│{ink.off} {text}"
    if quoted.column and length > 0:
        yield f"{_INDENT}{ink.dim}{'':{len(gutter)}}│{ink.off} {'':{before}}{code}{'^' * length}{ink.off}"


def _problem(problem: Problem, page: Page) -> Iterator[str]:
    ink = page.ink
    label = "bad input" if problem.kind == "input" else "unreadable"
    width = min(page.width, _WIDEST_TEXT)
    yield from paragraph(f"{ink.error}{label}:{ink.off} ", problem.message, width)
    if problem.at:
        yield f"  {ink.place}--> {printable(str(problem.at))}{ink.off}"
    quoted = quote(problem.excerpt, problem.at)
    if quoted:
        for line in _quoted(quoted, ink.error, page):
            yield f"  {line.removeprefix(_INDENT)}"
    if problem.hint:
        yield from paragraph(f"{ink.dim}hint:{ink.off} ", problem.hint, width - 2, "  ")
