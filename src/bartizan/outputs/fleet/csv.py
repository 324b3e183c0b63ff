"""Findings as CSV (RFC 4180), with a header, safe to open in a spreadsheet.

A cell that a spreadsheet would take for a formula begins with an apostrophe
instead, which spreadsheets do not show: `=cmd()` is a name that somebody may
give an object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.outputs.shape import rfc3339
from bartizan.outputs.text import encodable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import TextIO

    from bartizan.outputs.fleet.rows import Context, Row

COLUMNS: Final = (
    "cluster", "namespace", "team", "api_version", "kind", "name", "rule", "severity", "verdict", "state", "message",
    "path", "location", "evidence", "waived_by", "first_seen", "opened_at", "last_seen", "closed_at", "fingerprint",
    "number",
)  # fmt: skip  # in the order in which they are read
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What begins a formula, in full width too, as OWASP lists it."""
_QUOTED: Final = frozenset('",\r\n')


def write(rows: Iterable[Row], context: Context, out: TextIO) -> None:  # noqa: ARG001  (every writer is given what stands around)
    """Write the findings, a line each."""
    out.write(",".join(COLUMNS) + "\r\n")
    out.writelines(",".join(map(cell, _values(row))) + "\r\n" for row in rows)


def cell(value: str) -> str:
    """A cell: never a formula, and quoted where it has to be."""
    text = encodable(value)
    if text.startswith(_FORMULA):
        text = f"'{text}"
    return '"' + text.replace('"', '""') + '"' if _QUOTED & set(text) else text


def _values(row: Row) -> tuple[str, ...]:
    finding, resource = row.finding, row.finding.resource
    return (
        row.cluster, resource.namespace, row.team, resource.api_version, resource.kind, resource.name,
        str(finding.rule.id), finding.severity.label, row.verdict, row.state, finding.message, finding.pointer,
        str(finding.location or ""), finding.evidence, finding.waived_by, _at(row.first_seen), _at(row.opened_at),
        _at(row.last_seen), _at(row.closed_at), finding.fingerprint, str(row.number),
    )  # fmt: skip  # as the columns stand


def _at(moment: datetime | None) -> str:
    return rfc3339(moment) if moment else ""
