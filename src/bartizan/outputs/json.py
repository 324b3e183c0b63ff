"""The whole report as one JSON document; `report.schema.json` describes it.

A finding a line, so that a difference of two reports reads well, and
written as it goes, so that a fleet's report does not stand in memory twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.findings.tally import rules_of, tally
from bartizan.outputs.shape import (
    SCHEMA_VERSION,
    finding_shape,
    note_shape,
    problem_shape,
    resource_shape,
    rfc3339,
    rule_shape,
    summary_shape,
)
from bartizan.outputs.text import to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TextIO

    from bartizan.model.report import Report
    from bartizan.outputs.view import View

_CHUNK: Final = 500  # items a write: fewer calls, and still no giant string


def render(report: Report, out: TextIO, view: View | None = None) -> None:  # noqa: ARG001 (a format for programs has no looks)
    """Write the report."""
    head = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "bartizan", "version": report.tool_version},
        "at": rfc3339(report.at),
        "sources": list(report.sources),
        "summary": summary_shape(report, tally(report)),
    }
    out.write("{")
    out.write("".join(f"\n  {to_json(key)}: {to_json(value)}," for key, value in head.items()))
    write_list(out, "findings", report.findings, finding_shape)
    write_list(out, "waived", report.waived, finding_shape)
    write_list(out, "problems", report.problems, problem_shape)
    write_list(out, "notes", report.notes, note_shape)
    write_list(out, "rules", rules_of(report), rule_shape)
    write_list(out, "resources", report.resources, resource_shape, last=True)
    out.write("\n}\n")


def write_list(
    out: TextIO, key: str, items: Iterable[Any], shape: Callable[[Any], dict[str, Any]], *, last: bool = False
) -> None:
    """Write `key` with a list, an item a line."""
    out.write(f"\n  {to_json(key)}: [")
    chunk: list[str] = []
    separator = "\n    "
    for item in items:
        chunk.append(f"{separator}{to_json(shape(item))}")
        separator = ",\n    "
        if len(chunk) == _CHUNK:
            out.write("".join(chunk))
            chunk.clear()
    out.write("".join(chunk))
    end = "]" if separator == "\n    " else "\n  ]"
    out.write(end if last else f"{end},")
