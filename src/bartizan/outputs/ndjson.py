"""The report a line at a time: findings, waived ones, problems, notes, and a summary last.

Every line says its `type`, so that a reader can filter before it parses;
otherwise the shapes are those of the JSON report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.findings.tally import tally
from bartizan.outputs.shape import (
    SCHEMA_VERSION,
    finding_shape,
    note_shape,
    problem_shape,
    rfc3339,
    summary_shape,
)
from bartizan.outputs.text import to_json

if TYPE_CHECKING:
    from typing import TextIO

    from bartizan.model.report import Report
    from bartizan.outputs.view import View


def render(report: Report, out: TextIO, view: View | None = None) -> None:  # noqa: ARG001 (a format for programs has no looks)
    """Write the report."""
    findings = (*report.findings, *report.waived)
    out.writelines(f"{to_json({'type': 'finding', **finding_shape(finding)})}\n" for finding in findings)
    out.writelines(f"{to_json({'type': 'problem', **problem_shape(problem)})}\n" for problem in report.problems)
    out.writelines(f"{to_json({'type': 'note', **note_shape(note)})}\n" for note in report.notes)
    summary = {
        "type": "summary",
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "bartizan", "version": report.tool_version},
        "at": rfc3339(report.at),
        "sources": list(report.sources),
        **summary_shape(report, tally(report)),
    }
    out.write(f"{to_json(summary)}\n")
