"""Markdown for a comment on a change: figures, a table of the worst, and the rest folded.

A comment holds 65,536 characters, so the details stop before that and say
how many they left out. Text from outside is escaped three ways: as
Markdown, as HTML, and as a mention, for a label must not be able to call
people to a discussion.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bartizan.findings.tally import Group, Tally, group_by_resource, is_open, tally
from bartizan.outputs.quote import quote_of
from bartizan.outputs.text import encodable, one_line, plural

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from bartizan.base.location import Location
    from bartizan.model.finding import Finding
    from bartizan.model.report import Report
    from bartizan.outputs.view import View

_ROOM: Final = 60_000  # characters; a comment may have 65,536, and the frame takes a little
_TOP: Final = 10
_SPECIAL: Final = re.compile(r"([\\`*_\[\]|~$])")
_HTML: Final[dict[str, str | int | None]] = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_MENTION: Final = re.compile(r"(@|#(?=\d))")
_CODE: Final = re.compile(r"`([^`]+)`")
_IN_CODE: Final[dict[str, str | int | None]] = {**_HTML, **{char: f"&#{ord(char)};" for char in "`*_|[]\\~$@"}}
_ZERO_WIDTH: Final = "\u200b"
_MARKS: Final = {"critical": "🟣", "high": "🔴", "medium": "🟠", "low": "🔵", "info": "⚪", "error": "⛔"}


def render(report: Report, out: TextIO, view: View | None = None) -> None:  # noqa: ARG001 (the service that shows it has its own looks)
    """Write the comment."""
    figures = tally(report)
    found = [finding for finding in report.findings if is_open(finding)]
    head = "\n".join([*_head(report, figures), *_problems(report), *_worst(found)])
    out.write(f"{head}\n")
    room, left_out = _ROOM - len(head), 0
    for group in group_by_resource(found):
        part = "\n".join(_details(group)) if room > 0 else ""
        room -= len(part) + 1
        if room > 0:
            out.write(f"{part}\n")
        else:
            left_out += len(group.findings)
    if left_out:
        out.write(f"\n…and {plural(left_out, 'more finding')} that a comment has no room for; see the JSON report.\n")
    if report.waived:
        out.write(f"\n{plural(len(report.waived), 'finding')} waived.\n")
    shown = [note for note in report.notes if note.kind == "expired-waiver"]
    out.writelines(f"\n> **Note:** {prose(note.message)}. {prose(note.hint)}\n" for note in shown)


def escape(text: str) -> str:
    """Make a text plain in Markdown, on one line, naming nobody."""
    safe = _SPECIAL.sub(r"\\\1", encodable(one_line(text)))
    safe = safe.translate(str.maketrans(_HTML))
    return _MENTION.sub(rf"\1{_ZERO_WIDTH}", safe)


def prose(text: str) -> str:
    """Make a text plain, but show what it has in backticks as code."""
    parts = _CODE.split(one_line(text))
    return "".join(code(part) if number % 2 else escape(part) for number, part in enumerate(parts))


def code(text: str) -> str:
    """Show a text as code; in a table a bar must be escaped even there, so HTML is used."""
    return f"<code>{encodable(one_line(text)).translate(str.maketrans(_IN_CODE))}</code>"


def _head(report: Report, figures: Tally) -> Iterator[str]:
    resources = plural(len(set(report.resources)), "resource")
    if not figures.open and not report.problems:
        yield f"### ✅ Bartizan: no findings in {resources}\n"
    else:
        yield f"### Bartizan: {plural(figures.open, 'finding')} in {figures.touched:,} of {resources}\n"
        yield " · ".join(
            f"{_MARKS[severity.label]} **{number:,}** {severity.label}"
            for severity, number in figures.by_severity.items()
            if number
        )
        yield ""


def _problems(report: Report) -> Iterator[str]:
    for problem in report.problems[:_TOP]:
        place = f" at {code(str(problem.at))}" if problem.at else ""
        yield f"> ⛔ **Not judged**{place}: {prose(problem.message)}. {prose(problem.hint)}\n"
    if len(report.problems) > _TOP:
        yield f"> …and {plural(len(report.problems) - _TOP, 'more problem')}.\n"


def _worst(found: list[Finding]) -> Iterator[str]:
    if not found:
        return
    yield "| | Rule | Resource | Place | Finding |"
    yield "|---|---|---|---|---|"
    worst = sorted(found, key=lambda one: (one.result != "error", -one.severity))
    for finding in worst[:_TOP]:
        rule, resource = code(str(finding.rule.id)), code(str(finding.resource))
        yield f"| {_mark(finding)} | {rule} | {resource} | {_place(finding)} | {prose(finding.message)} |"
    yield ""


def _mark(finding: Finding) -> str:
    word = "error" if finding.result == "error" else finding.severity.label
    return f"{_MARKS[word]} {word}"


def _place(finding: Finding) -> str:
    if finding.location:
        return code(str(finding.location))
    return code(finding.pointer) if finding.pointer else ""


def _details(group: Group) -> Iterator[str]:
    file = f" in {code(group.file)}" if group.file else ""
    number = plural(len(group.findings), "finding")
    yield f"<details><summary>{code(str(group.resource))}{file}: {number}</summary>\n"
    for finding in group.findings:
        yield f"- {_mark(finding)} {code(str(finding.rule.id))}: {prose(finding.message)}"
        yield from _quoted(finding)
        if finding.rule.fix and finding.result != "error":
            yield f"  <br>**Fix:** {prose(finding.rule.fix)}"
    yield "\n</details>\n"


def _quoted(finding: Finding) -> Iterator[str]:
    quoted = quote_of(finding)
    if quoted:
        yield f"  <br>{_line(finding.location)} {code(quoted.text.strip())}"
    elif finding.evidence:
        yield f"  <br>Found {code(finding.evidence)}"


def _line(at: Location | None) -> str:
    return f"Line {at.line}:" if at and at.line else ""
