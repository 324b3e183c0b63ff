"""SARIF 2.1.0 of a fleet: a run for each cluster, so that a finding of one is not taken for the same of another.

Results come as they are read and the rules they name after them: JSON has no
order of fields, and a fleet's findings need not stand in memory.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bartizan.outputs import sarif
from bartizan.outputs.shape import rfc3339
from bartizan.outputs.text import encodable, to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

    from bartizan.model.finding import RuleId, RuleInfo
    from bartizan.outputs.fleet.rows import Context, Row


def write(rows: Iterable[Row], context: Context, out: TextIO) -> None:
    """Write the findings, which come cluster by cluster."""
    out.write(f'{{\n"$schema": {to_json(sarif.SCHEMA)},\n"version": "2.1.0",\n"runs": [')
    separator = ""
    for cluster, mine in groupby(rows, key=lambda row: row.cluster):
        out.write(f"{separator}\n")
        _run(cluster, mine, context, out)
        separator = ","
    if not separator:  # nothing was found is said by a run without results, not by no run
        out.write("\n")
        _run("", iter(()), context, out)
    out.write("\n]\n}\n")


def _run(cluster: str, rows: Iterator[Row], context: Context, out: TextIO) -> None:
    rules: dict[RuleId, RuleInfo] = {}
    places: dict[RuleId, int] = {}
    out.write('{"results": [')
    separator = ""
    for row in rows:
        rule = row.finding.rule
        places.setdefault(rule.id, len(places))
        rules.setdefault(rule.id, rule)
        out.write(f"{separator}\n{to_json(_result(row, places, context))}")
        separator = ","
    driver = {"name": "bartizan", "version": context.tool_version, "rules": [*map(sarif.descriptor, rules.values())]}
    name = quote(encodable(cluster), safe="") or "fleet"
    rest = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"bartizan/{name}/"},
        "invocations": [{"executionSuccessful": True, "endTimeUtc": rfc3339(context.at)}],
        "columnKind": "unicodeCodePoints",
        "properties": {"cluster": cluster},
    }
    out.write(f"],\n{to_json(rest)[1:]}")


def _result(row: Row, places: dict[RuleId, int], context: Context) -> dict[str, Any]:
    shape = sarif.result(row.finding, places, dict(context.waivers))
    shape["provenance"] = {  # 3.27.29
        "firstDetectionTimeUtc": rfc3339(row.first_seen),
        "lastDetectionTimeUtc": rfc3339(row.last_seen),
    }
    shape["properties"] |= {"state": row.state, "cluster": row.cluster, "team": row.team, "number": row.number}
    return shape
