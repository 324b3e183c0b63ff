"""SARIF 2.1.0: the format of code-scanning services.

Source: the OASIS standard, sections in comments. A result in a file has a
physical location; a live object has a logical one. What could not be read
is a notification of the run. Waived findings are results with a
suppression, so that they stay closed at the service and can come back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote as percent

from bartizan.findings.fingerprint import SCHEME
from bartizan.findings.tally import rules_of
from bartizan.model.severity import Severity
from bartizan.outputs.json import write_list
from bartizan.outputs.quote import quote
from bartizan.outputs.shape import rfc3339
from bartizan.outputs.text import encodable, to_json

if TYPE_CHECKING:
    from typing import TextIO

    from bartizan.base.location import Location
    from bartizan.model.finding import Finding, RuleId, RuleInfo
    from bartizan.model.report import Note, Problem, Report
    from bartizan.model.waiver import Waiver
    from bartizan.outputs.view import View

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT: Final = "SRCROOT"
_LEVELS: Final = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
_SCORES: Final = {  # what code-scanning services sort by: over 9 critical, from 7 high, from 4 medium, below low
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.INFO: "1.0",
}
_KINDS: Final = {"pass": "pass", "skip": "notApplicable"}  # 3.27.9; everything else is a `fail` with a level


def render(report: Report, out: TextIO, view: View | None = None) -> None:  # noqa: ARG001 (a format for programs has no looks)
    """Write the report as a log with one run."""
    rules = rules_of(report)
    places = {rule.id: index for index, rule in enumerate(rules)}
    waivers = {waiver.id: waiver for waiver in report.waivers}
    driver = {
        "name": "bartizan",
        "version": report.tool_version,
        "rules": [descriptor(rule) for rule in rules],
    }
    out.write(f'{{\n  "$schema": {to_json(SCHEMA)},\n  "version": "2.1.0",\n  "runs": [{{')
    out.write(f'\n  "tool": {{"driver": {to_json(driver)}}},')
    out.write(f'\n  "invocations": [{to_json(_invocation(report))}],')
    root = {_ROOT: {"description": {"text": "The folder that the scan was started in."}}}
    out.write(f'\n  "originalUriBaseIds": {to_json(root)},')
    out.write('\n  "columnKind": "unicodeCodePoints",')
    write_list(
        out,
        "results",
        (*report.findings, *report.waived),
        lambda finding: result(finding, places, waivers),
        last=True,
    )
    out.write("\n  }]\n}\n")


def descriptor(rule: RuleInfo) -> dict[str, Any]:
    """A reporting descriptor (3.49)."""
    title = rule.title or str(rule.id)
    shape: dict[str, Any] = {
        "id": str(rule.id),
        "name": rule.id.rule or rule.id.policy,
        "shortDescription": {"text": title},
        "fullDescription": {"text": rule.why or title},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "tags": list(dict.fromkeys(map(encodable, ("security", *filter(None, (rule.category, *rule.frameworks)))))),
            "security-severity": _SCORES[rule.severity],
            "precision": "very-high",
            "origin": rule.origin,
        },
    }
    if rule.why or rule.fix:
        parts = [("Why", rule.why), ("Fix", rule.fix), ("Controls", ", ".join(rule.frameworks))]
        said = [(head, text) for head, text in parts if text]
        shape["help"] = {
            "text": "\n\n".join(f"{head}: {text}" for head, text in said),
            "markdown": "\n\n".join(f"**{head}**\n\n{text}" for head, text in said),
        }
    return shape


def _invocation(report: Report) -> dict[str, Any]:
    """How the run went (3.20): a scan that missed part of its input did not succeed."""
    return {
        "executionSuccessful": not report.problems,
        "startTimeUtc": rfc3339(report.at),
        "toolExecutionNotifications": [
            *(_problem(problem) for problem in report.problems),
            *(_note(note) for note in report.notes),
        ],
    }


def _problem(problem: Problem) -> dict[str, Any]:
    text = f"{problem.message}. {problem.hint}" if problem.hint else problem.message
    shape: dict[str, Any] = {"level": "error", "message": {"text": encodable(text)}}
    if problem.at:
        shape["locations"] = [{"physicalLocation": _physical(problem.at, problem.excerpt)}]
    return shape


def _note(note: Note) -> dict[str, Any]:
    text = f"{note.message}. {note.hint}" if note.hint else note.message
    return {"level": "warning" if note.kind == "expired-waiver" else "note", "message": {"text": text}}


def result(finding: Finding, places: dict[RuleId, int], waivers: dict[str, Waiver]) -> dict[str, Any]:
    """A result (3.27)."""
    kind = _KINDS.get(finding.result, "fail")
    message = finding.message or finding.rule.title or str(finding.rule.id)
    shape: dict[str, Any] = {
        "ruleId": str(finding.rule.id),
        "ruleIndex": places[finding.rule.id],
        "kind": kind,
        "level": _level(finding) if kind == "fail" else "none",
        "message": {"text": message},
        "locations": [_location(finding)],
        "properties": {"result": finding.result, "severity": finding.severity.label, "evidence": finding.evidence},
    }
    if finding.fingerprint:
        shape["partialFingerprints"] = {SCHEME: finding.fingerprint}
    if finding.waived_by:
        shape["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": justification(finding.waived_by, waivers)}
        ]
    return shape


def justification(name: str, waivers: dict[str, Waiver]) -> str:
    """Say why a finding was accepted, by whom and until when."""
    waiver = waivers.get(name)
    if waiver is None:
        return f"accepted by `{name}`"
    return f"{waiver.reason} (waiver `{waiver.id}` of {waiver.owner}, until {waiver.until.isoformat()})"


def _level(finding: Finding) -> str:
    """A warning never counts as more than one; a rule that could not run is an error whatever it is about."""
    if finding.result == "error":
        return "error"
    level = _LEVELS[finding.severity]
    return "warning" if finding.result == "warn" and level == "error" else level


def _location(finding: Finding) -> dict[str, Any]:
    """Where it is: always the object, and the file where there is one."""
    rid = finding.resource
    place = "/".join(part for part in (rid.api_version, rid.kind, rid.namespace, rid.name) if part)
    shape: dict[str, Any] = {
        "logicalLocations": [
            {
                "name": rid.name,
                "kind": "resource",
                "fullyQualifiedName": f"{place}#{finding.pointer}" if finding.pointer else place,
            }
        ]
    }
    if finding.location and finding.location.file:
        shape["physicalLocation"] = _physical(finding.location, finding.excerpt)
    return shape


def _physical(at: Location, excerpt: str) -> dict[str, Any]:
    """A place in a file (3.29)."""
    shape: dict[str, Any] = {"artifactLocation": _artifact(at.file)}
    if at.line:
        region: dict[str, Any] = {"startLine": at.line}
        if at.column:
            region["startColumn"] = at.column
        quoted = quote(excerpt, at)
        if quoted:
            region["snippet"] = {"text": quoted.text}
        shape["region"] = region
    return shape


def _artifact(file: str) -> dict[str, str]:
    """A file as a URI: relative ones to the scan's folder, which the consumer knows."""
    uri = percent(encodable(file).removeprefix("./"))
    return {"uri": f"file://{uri}"} if file.startswith("/") else {"uri": uri, "uriBaseId": _ROOT}
