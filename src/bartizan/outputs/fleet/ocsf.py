"""OCSF 1.9: each finding as an event of class 2003, Compliance Finding, a line each.

Source: schema.ocsf.io, class `compliance_finding` and the objects it names.
What was mended is closed, what somebody accepted is suppressed.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from bartizan.model.severity import Severity
from bartizan.outputs.sarif import justification
from bartizan.outputs.text import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import TextIO

    from bartizan.model.finding import Finding
    from bartizan.outputs.fleet.rows import Context, Row

VERSION: Final = "1.9.0"
_CLASS: Final = 2003
_SEVERITIES: Final = {
    Severity.INFO: (1, "Informational"),
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
_ACTIVITIES: Final = {"open": (1, "Create"), "waived": (2, "Update"), "fixed": (3, "Close"), "gone": (3, "Close")}
_STATUSES: Final = {"open": (1, "New"), "waived": (3, "Suppressed"), "fixed": (4, "Resolved"), "gone": (4, "Resolved")}
_COMPLIANCE: Final = {"pass": (1, "Pass"), "warn": (2, "Warning"), "fail": (3, "Fail")}
_OTHER: Final = (99, "Other")


def write(rows: Iterable[Row], context: Context, out: TextIO) -> None:
    """Write the events."""
    out.writelines(f"{to_json(event(row, context))}\n" for row in rows)


def event(row: Row, context: Context) -> dict[str, Any]:
    """One finding as an event."""
    finding = row.finding
    activity, status = _ACTIVITIES[row.state], _STATUSES[row.state]
    severity, resource = _SEVERITIES[finding.severity], _resource(row)
    shape: dict[str, Any] = {
        "activity_id": activity[0],
        "activity_name": activity[1],
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": _CLASS,
        "class_name": "Compliance Finding",
        "type_uid": _CLASS * 100 + activity[0],
        "type_name": f"Compliance Finding: {activity[1]}",
        "time": _millis(row.closed_at or row.last_seen),
        "severity_id": severity[0],
        "severity": severity[1],
        "status_id": status[0],
        "status": status[1],
        "message": finding.message,
        "metadata": {
            "version": VERSION,
            "product": {"name": "Bartizan", "vendor_name": "Bartizan", "version": context.tool_version},
            "logged_time": _millis(context.at),
        },
        "finding_info": _info(row),
        "compliance": _compliance(finding),
        "resources": [resource],
        "observables": [{"name": "resources[].uid", "type_id": 10, "type": "Resource UID", "value": resource["uid"]}],
    }
    proof = {"path": finding.pointer, "value": finding.evidence, "place": str(finding.location or "")}
    if any(proof.values()):
        shape["evidences"] = [{"data": {name: value for name, value in proof.items() if value}}]
    if finding.waived_by:
        shape["status_detail"] = justification(finding.waived_by, dict(context.waivers))
    if finding.rule.fix:
        shape["remediation"] = {"desc": finding.rule.fix}
    return shape


def _info(row: Row) -> dict[str, Any]:
    rule = row.finding.rule
    return {
        "uid": f"{row.cluster}/{row.finding.fingerprint}",
        "title": rule.title or str(rule.id),
        "desc": row.finding.message,
        "created_time": _millis(row.opened_at),
        "first_seen_time": _millis(row.first_seen),
        "last_seen_time": _millis(row.last_seen),
        "analytic": {"name": str(rule.id), "uid": str(rule.id), "type_id": 1, "type": "Rule"},
    }


def _compliance(finding: Finding) -> dict[str, Any]:
    rule = finding.rule
    status = _COMPLIANCE.get(finding.result, _OTHER)
    standards = list(dict.fromkeys(place.partition(":")[0] for place in rule.frameworks)) or ["Bartizan"]
    check: dict[str, Any] = {
        "uid": str(rule.id),
        "name": rule.title or str(rule.id),
        "severity_id": _SEVERITIES[rule.severity][0],
        "standards": standards,
        "status_id": status[0],
        "status": status[1],
    }
    if rule.why:
        check["desc"] = rule.why
    return {
        "standards": standards,
        "control": rule.frameworks[0] if rule.frameworks else str(rule.id),
        "requirements": list(rule.frameworks),
        "status_id": status[0],
        "status": status[1],
        "checks": [check],
    }


def _resource(row: Row) -> dict[str, Any]:
    resource = row.finding.resource
    place = "/".join(part for part in (resource.namespace, resource.name) if part)
    shape: dict[str, Any] = {
        "uid": f"{row.cluster}/{resource.api_version}/{resource.kind}/{place}",
        "name": resource.name,
        "type": resource.kind,
        "region": row.cluster,
        "version": resource.api_version,
    }
    if resource.namespace:
        shape["namespace"] = resource.namespace
    if row.team:
        shape["labels"] = [f"team={row.team}"]
    return shape


def _millis(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp() * 1000)
