"""OSCAL 1.2: assessment results, and a plan of action with its milestones.

Source: NIST's models `assessment-results` and `plan-of-action-and-milestones`.
Every identifier is made from what it names, so that an export made twice is
the same, and a tool that reads both knows an object, observation or risk again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid5

from bartizan.outputs.sarif import justification
from bartizan.outputs.shape import rfc3339
from bartizan.outputs.text import one_line, to_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from bartizan.outputs.fleet.rows import Context, ControlRow, Row

VERSION: Final = "1.2.1"
_NAMES: Final = UUID("5a5c3d5e-0f0a-5b52-9c6e-4f1d3d1b7a11")
_NS: Final = "https://bartizan.dev/ns/oscal"
_NOT_TOKEN: Final = re.compile(r"[^\w.\-]")
_STATES: Final = {"pass": "satisfied", "fail": "not-satisfied", "other": "not-satisfied"}


def write_results(rows: Iterable[Row], context: Context, out: TextIO) -> None:
    """Write assessment results: an observation for each finding, and for each control whether it is met."""
    many = list(rows)
    controls = [(one.id, control) for one in context.frameworks for control in one.controls]
    serving = _serving(many)
    result: dict[str, Any] = {
        "uuid": _uuid("result", context.part, rfc3339(context.at)),
        "title": _text(f"Assessment of {context.part}"),
        "description": _words(context),
        "start": rfc3339(context.at),
        "end": rfc3339(context.at),
        "reviewed-controls": {"control-selections": [_selection(controls)]},
    }
    if many:
        result["local-definitions"] = {"inventory-items": _items(many)}
        result["observations"] = [_observation(row) for row in many]
    if controls:
        result["findings"] = [_finding(framework, control, serving, context) for framework, control in controls]
    plan = _uuid("plan", context.part)
    document = {
        "uuid": _uuid("assessment-results", context.part, rfc3339(context.at)),
        "metadata": _metadata("Assessment results", context),
        "import-ap": {"href": f"#{plan}"},
        "results": [result],
        "back-matter": {
            "resources": [
                {"uuid": plan, "title": "The rules asked", "description": "Every object is judged by every rule."}
            ]
        },
    }
    out.write(f"{to_json({'assessment-results': document})}\n")


def write_plan(rows: Iterable[Row], context: Context, out: TextIO) -> None:
    """Write a plan of action: an item and a risk for each finding that is open or accepted."""
    many = [row for row in rows if row.state in ("open", "waived")]
    document: dict[str, Any] = {
        "uuid": _uuid("poam", context.part, rfc3339(context.at)),
        "metadata": _metadata("Plan of action and milestones", context),
        "system-id": {"id": _text(context.part)},
    }
    if many:
        document["local-definitions"] = {"inventory-items": _items(many)}
        document["observations"] = [_observation(row) for row in many]
        document["risks"] = [_risk(row, context) for row in many]
    document["poam-items"] = [_item(row) for row in many] or [
        {"uuid": _uuid("nothing", context.part), "title": "Nothing is open", "description": "There is nothing to do."}
    ]
    out.write(f"{to_json({'plan-of-action-and-milestones': document})}\n")


def _metadata(title: str, context: Context) -> dict[str, Any]:
    return {
        "title": _text(f"{title}: {context.part}"),
        "last-modified": rfc3339(context.at),
        "version": rfc3339(context.at),
        "oscal-version": VERSION,
        "props": [_prop("tool", f"bartizan {context.tool_version}")],
    }


def _words(context: Context) -> str:
    chosen = "; ".join(f"{name}: {value}" for name, value in context.chosen.items())
    return f"Findings of {context.part}. Chosen by {chosen}." if chosen else f"Findings of {context.part}."


def _selection(controls: list[tuple[str, ControlRow]]) -> dict[str, Any]:
    ids = dict.fromkeys(_control(framework, control.id) for framework, control in controls)
    return {"include-controls": [{"control-id": one} for one in ids]} if ids else {"include-all": {}}


def _items(rows: list[Row]) -> list[dict[str, Any]]:
    """The objects, once each."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        resource = row.finding.resource
        uuid = _subject(row)
        parts = (("cluster", row.cluster), ("api-version", resource.api_version), ("kind", resource.kind))
        props = [*parts, ("namespace", resource.namespace), ("name", resource.name), ("team", row.team)]
        found[uuid] = {
            "uuid": uuid,
            "description": f"{resource} in {row.cluster}",
            "props": [_prop(name, value) for name, value in props if value.strip()],
        }
    return list(found.values())


def _observation(row: Row) -> dict[str, Any]:
    finding = row.finding
    props = [
        ("rule", str(finding.rule.id)),
        ("severity", finding.severity.label),
        ("result", row.verdict),
        ("state", row.state),
        ("fingerprint", finding.fingerprint),
        ("path", finding.pointer),
    ]
    return {
        "uuid": _observed(row),
        "title": _text(str(finding.rule.id)),
        "description": finding.message or str(finding.rule.id),
        "props": [_prop(name, value) for name, value in props if value.strip()],
        "methods": ["TEST"],
        "types": ["finding"],
        "subjects": [{"subject-uuid": _subject(row), "type": "inventory-item"}],
        "collected": rfc3339(row.last_seen),
    }


def _finding(framework: str, control: ControlRow, serving: dict[str, list[str]], context: Context) -> dict[str, Any]:
    name = f"{framework}:{control.id}"
    status = {"state": _STATES[control.reason], "reason": control.reason}
    shape: dict[str, Any] = {
        "uuid": _uuid("finding", context.part, name),
        "title": _text(control.title or name),
        "description": f"{control.failing} fail; pass rate {control.pass_rate}, coverage {control.coverage}.",
        "target": {"type": "objective-id", "target-id": _control(framework, control.id), "status": status},
    }
    if name in serving:
        shape["related-observations"] = [{"observation-uuid": one} for one in serving[name]]
    return shape


def _serving(rows: list[Row]) -> dict[str, list[str]]:
    """The observations by the control they speak for."""
    found: dict[str, list[str]] = {}
    for row in rows:
        for place in dict.fromkeys(row.finding.rule.frameworks):
            found.setdefault(place, []).append(_observed(row))
    return found


def _risk(row: Row, context: Context) -> dict[str, Any]:
    finding = row.finding
    accepted = bool(finding.waived_by)
    shape: dict[str, Any] = {
        "uuid": _uuid("risk", row.cluster, str(row.number)),
        "title": _text(str(finding.rule.id)),
        "description": finding.message or str(finding.rule.id),
        "statement": finding.rule.why or finding.rule.title or str(finding.rule.id),
        "props": [_prop("severity", finding.severity.label)],
        "status": "deviation-approved" if accepted else "open",
        "related-observations": [{"observation-uuid": _observed(row)}],
    }
    waiver = context.waivers.get(finding.waived_by)
    if waiver is not None:
        shape["deadline"] = f"{waiver.until.isoformat()}T23:59:59Z"
    if finding.rule.fix:
        shape["remediations"] = [
            {
                "uuid": _uuid("remediation", row.cluster, str(row.number)),
                "lifecycle": "recommendation",
                "title": "Fix",
                "description": finding.rule.fix,
            }
        ]
    if accepted:
        shape["mitigating-factors"] = [
            {
                "uuid": _uuid("waiver", row.cluster, str(row.number)),
                "description": justification(finding.waived_by, dict(context.waivers)),
            }
        ]
    return shape


def _item(row: Row) -> dict[str, Any]:
    return {
        "uuid": _uuid("item", row.cluster, str(row.number)),
        "title": _text(f"{row.finding.rule.id}: {row.finding.resource}"),
        "description": row.finding.message or str(row.finding.rule.id),
        "related-observations": [{"observation-uuid": _observed(row)}],
        "related-risks": [{"risk-uuid": _uuid("risk", row.cluster, str(row.number))}],
    }


def _subject(row: Row) -> str:
    resource = row.finding.resource
    return _uuid("object", row.cluster, resource.group, resource.kind, resource.namespace, resource.name)


def _observed(row: Row) -> str:
    return _uuid("observation", row.cluster, str(row.number))


def _control(framework: str, control: str) -> str:
    """A control's id as a token: a colon is none, and a digit does not begin one."""
    token = _NOT_TOKEN.sub("_", f"{framework}.{control}")
    return token if token[0].isalpha() or token[0] == "_" else f"_{token}"


def _prop(name: str, value: str) -> dict[str, str]:
    return {"name": name, "ns": _NS, "value": _text(value)}


def _text(value: str) -> str:
    """A text of one line that neither begins nor ends with space, as the model's strings are."""
    return one_line(value).strip() or "-"


def _uuid(*parts: str) -> str:
    return str(uuid5(_NAMES, "\0".join(parts).encode("utf-8", "replace").decode()))
