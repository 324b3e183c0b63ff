"""Formats that are of one cluster and one time: policy reports and JUnit, by the renderers of scans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.findings.tally import count
from bartizan.model.report import Report
from bartizan.outputs import junit, policyreport

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from bartizan.outputs.fleet.rows import Context, Row


def write_policy_report(rows: Iterable[Row], context: Context, out: TextIO) -> None:
    """Write `wgpolicyk8s.io/v1alpha2`."""
    policyreport.render_policy_report(_report(rows, context), out)


def write_open_reports(rows: Iterable[Row], context: Context, out: TextIO) -> None:
    """Write `openreports.io/v1alpha1`."""
    policyreport.render_open_reports(_report(rows, context), out)


def write_junit(rows: Iterable[Row], context: Context, out: TextIO) -> None:
    """Write JUnit XML."""
    junit.render(_report(rows, context), out)


def _report(rows: Iterable[Row], context: Context) -> Report:
    findings = [row.finding for row in rows]
    rules = {one.rule.id: one.rule for one in findings}
    return Report(
        tool_version=context.tool_version,
        at=context.at,
        sources=(context.part,),
        rules=tuple(rules.values()),
        resources=tuple(dict.fromkeys(one.resource for one in findings)),
        findings=tuple(one for one in findings if not one.waived_by),
        counts=count(findings),
        waived=tuple(one for one in findings if one.waived_by),
        waivers=tuple(context.waivers.values()),
    )
