"""JUnit XML: findings as failed tests, for build servers that know nothing else.

A suite is a resource and a case is a rule on it. A resource without
findings has one passing case, so that a green build shows what was judged.
"""

from __future__ import annotations

from html import escape  # the same five characters as XML's own, whose module takes 20 ms to import
from typing import TYPE_CHECKING, Final

from bartizan.findings.tally import Group, group_by_resource
from bartizan.outputs.quote import quote_of
from bartizan.outputs.sarif import justification
from bartizan.outputs.shape import rfc3339
from bartizan.outputs.text import xml_characters

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from bartizan.model.finding import Finding
    from bartizan.model.report import Problem, Report
    from bartizan.model.waiver import Waiver
    from bartizan.outputs.view import View

_BREAKS: Final = str.maketrans({"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


def render(report: Report, out: TextIO, view: View | None = None) -> None:  # noqa: ARG001 (a format for programs has no looks)
    """Write the report, a suite at a time."""
    every = (*report.findings, *report.waived)
    groups = group_by_resource(every)
    judged = {group.resource for group in groups}
    clean = [rid for rid in dict.fromkeys(report.resources) if rid not in judged]
    waivers = {waiver.id: waiver for waiver in report.waivers}
    tests = len(every) + len(clean) + len(report.problems)
    failures, errors, skipped = _totals(every)
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write(
        f'<testsuites name="bartizan" tests="{tests}" failures="{failures}" '
        f'errors="{errors + len(report.problems)}" skipped="{skipped}">\n'
    )
    out.writelines("".join(_suite(group, waivers, rfc3339(report.at))) for group in groups)
    for rid in clean:
        name = _attribute(str(rid))
        out.write(f'  <testsuite name={name} tests="1" failures="0" errors="0" skipped="0">\n')
        out.write(f'    <testcase classname={name} name="no findings"/>\n  </testsuite>\n')
    if report.problems:
        out.write("".join(_problems(report.problems)))
    out.write("</testsuites>\n")


def _totals(findings: tuple[Finding, ...] | list[Finding]) -> tuple[int, int, int]:
    """Failures, errors, skipped."""
    failures = sum(finding.result == "fail" and not finding.waived_by for finding in findings)
    errors = sum(finding.result == "error" and not finding.waived_by for finding in findings)
    skipped = sum(finding.result == "skip" or bool(finding.waived_by) for finding in findings)
    return failures, errors, skipped


def _suite(group: Group, waivers: dict[str, Waiver], at: str) -> Iterator[str]:
    failures, errors, skipped = _totals(group.findings)
    name = _attribute(f"{group.resource} ({group.file})" if group.file else str(group.resource))
    yield (
        f'  <testsuite name={name} tests="{len(group.findings)}" failures="{failures}" errors="{errors}" '
        f'skipped="{skipped}" timestamp={_attribute(at)}>\n'
    )
    for finding in group.findings:
        yield from _case(finding, waivers)
    yield "  </testsuite>\n"


def _case(finding: Finding, waivers: dict[str, Waiver]) -> Iterator[str]:
    name = f"{finding.rule.id} ({finding.pointer})" if finding.pointer else str(finding.rule.id)
    file = f" file={_attribute(finding.location.file)}" if finding.location else ""
    line = f' line="{finding.location.line}"' if finding.location and finding.location.line else ""
    inner = _inner(finding, waivers)
    head = f"    <testcase classname={_attribute(str(finding.resource))} name={_attribute(name)}{file}{line}"
    yield f"{head}>\n{inner}    </testcase>\n" if inner else f"{head}/>\n"


def _inner(finding: Finding, waivers: dict[str, Waiver]) -> str:
    if finding.waived_by:
        return f"      <skipped message={_attribute(justification(finding.waived_by, waivers))}/>\n"
    first = finding.message.strip().partition("\n")[0]
    match finding.result:
        case "pass":
            return ""
        case "skip":
            return f"      <skipped message={_attribute(first)}/>\n"
        case "warn":  # JUnit has no warning, and one must not fail a build
            return f"      <system-out>{_content(_details(finding))}</system-out>\n"
        case "fail" | "error":
            tag = "failure" if finding.result == "fail" else "error"
            kind = _attribute(finding.severity.label)
            return f"      <{tag} message={_attribute(first)} type={kind}>{_content(_details(finding))}</{tag}>\n"


def _details(finding: Finding) -> str:
    lines = [finding.message.strip()]
    if finding.location:
        lines.append(f"at {finding.location}")
    quoted = quote_of(finding)
    if quoted:
        lines.append(f"{quoted.line} | {quoted.text}")
    elif finding.evidence:
        lines.append(f"found: {finding.evidence}")
    if finding.rule.fix and finding.result != "error":
        lines.append(f"fix: {finding.rule.fix}")
    return "\n".join(lines)


def _problems(problems: tuple[Problem, ...]) -> Iterator[str]:
    yield f'  <testsuite name="input" tests="{len(problems)}" failures="0" errors="{len(problems)}" skipped="0">\n'
    for problem in problems:
        name = _attribute(str(problem.at) if problem.at else problem.message)
        text = "\n".join(filter(None, (problem.message, problem.hint, problem.excerpt)))
        yield f'    <testcase classname="input" name={name}>\n'
        yield f"      <error message={_attribute(problem.message)} type={_attribute(problem.kind)}>"
        yield f"{_content(text)}</error>\n    </testcase>\n"
    yield "  </testsuite>\n"


def _attribute(text: str) -> str:
    """An attribute's value, quoted; line breaks are written so that a parser keeps them."""
    return f'"{escape(xml_characters(text)).translate(_BREAKS)}"'


def _content(text: str) -> str:
    return escape(xml_characters(text), quote=False).replace("\r", "&#13;")
