"""The report as plain data: the shape that JSON and NDJSON share, described by `report.schema.json`.

`SCHEMA_VERSION` rises when a field changes its meaning or goes; new fields
do not raise it, so readers must pass over what they do not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bartizan.base.location import Location
    from bartizan.findings.tally import Tally
    from bartizan.model.finding import Finding, RuleInfo
    from bartizan.model.report import Counts, Note, Problem, Report
    from bartizan.model.resource import ResourceId

SCHEMA_VERSION: Final = "1"


def rfc3339(at: datetime) -> str:
    """Write a time as Kubernetes does, in whole seconds of UTC."""
    from datetime import UTC

    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def resource_shape(resource: ResourceId) -> dict[str, str]:
    """Name a resource as a Kubernetes object reference does."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "namespace": resource.namespace,
        "name": resource.name,
    }


def place_shape(location: Location | None) -> dict[str, Any] | None:
    """Name a place; what is not known is left out."""
    if location is None:
        return None
    shape: dict[str, Any] = {"file": location.file}
    if location.line:
        shape["line"] = location.line
    if location.column:
        shape["column"] = location.column
    return shape


def finding_shape(finding: Finding) -> dict[str, Any]:
    """Describe a finding; the rule's prose is in `rules`, once."""
    shape: dict[str, Any] = {
        "policy": finding.rule.id.policy,
        "rule": finding.rule.id.rule,
        "result": finding.result,
        "severity": finding.severity.label,
        "message": finding.message,
        "resource": resource_shape(finding.resource),
        "path": finding.pointer,
        "location": place_shape(finding.location),
        "excerpt": finding.excerpt,
        "evidence": finding.evidence,
        "fingerprint": finding.fingerprint,
    }
    if finding.waived_by:
        shape["waived_by"] = finding.waived_by
    return shape


def rule_shape(rule: RuleInfo) -> dict[str, Any]:
    """Describe a rule."""
    return {
        "policy": rule.id.policy,
        "rule": rule.id.rule,
        "title": rule.title,
        "severity": rule.severity.label,
        "category": rule.category,
        "origin": rule.origin,
        "why": rule.why,
        "fix": rule.fix,
        "controls": list(rule.frameworks),
        "scored": rule.scored,
        "source": place_shape(rule.source),
    }


def problem_shape(problem: Problem) -> dict[str, Any]:
    """Describe something that could not be read."""
    return {
        "kind": problem.kind,
        "message": problem.message,
        "location": place_shape(problem.at),
        "hint": problem.hint,
        "excerpt": problem.excerpt,
    }


def note_shape(note: Note) -> dict[str, str]:
    """Describe a remark."""
    return {"kind": note.kind, "message": note.message, "hint": note.hint}


def counts_shape(counts: Counts) -> dict[str, int]:
    """Count under the five words, as PolicyReport's summary does."""
    return {
        "pass": counts.passed,
        "fail": counts.failed,
        "warn": counts.warned,
        "error": counts.errors,
        "skip": counts.skipped,
    }


def summary_shape(report: Report, figures: Tally) -> dict[str, Any]:
    """Describe the whole in figures."""
    severities: Mapping[str, int] = {severity.label: number for severity, number in figures.by_severity.items()}
    return {
        "results": counts_shape(report.counts),
        "findings": figures.open,
        "by_severity": severities,
        "waived": len(report.waived),
        "problems": len(report.problems),
        "resources": {
            "total": len(set(report.resources)),
            "with_findings": figures.touched,
            "clean": figures.clean,
        },
    }
