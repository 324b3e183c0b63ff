"""Every format that a fleet's findings are exported in, by name."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TextIO

    from bartizan.outputs.fleet.rows import Context, Row


class Write(Protocol):
    """Writes findings as they come."""

    def __call__(self, rows: Iterable[Row], context: Context, out: TextIO) -> None:
        """Write `rows` to `out`, which takes UTF-8."""


@dataclass(frozen=True, slots=True)
class Format:
    """One format. `most` is how many findings it takes: one that must stand in memory as a whole has a bound."""

    description: str
    extension: str
    media: str
    target: str
    """`module:function` of the writer, imported when it is wanted."""
    most: int = 5_000_000
    by_cluster: bool = False
    """Whether findings are to come cluster by cluster, and not the worst first."""
    one_cluster: bool = False
    """Whether it can say nothing of which cluster something is in."""
    needs_numbers: bool = False
    """Whether it tells scores and controls too."""

    @property
    def write(self) -> Write:
        """The writer."""
        module, _, name = self.target.partition(":")
        found: Write = getattr(import_module(f"bartizan.outputs.fleet.{module}"), name)
        return found


WHOLE: Final = 50_000
"""Findings of a format that is built in memory: some hundred megabytes at most."""

FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        "csv": Format("a line a finding, for spreadsheets", ".csv", "text/csv", "csv:write"),
        "sarif": Format(
            "SARIF 2.1.0, a run a cluster", ".sarif", "application/sarif+json", "sarif:write", by_cluster=True
        ),
        "ocsf": Format("OCSF 1.9 compliance findings, a line each", ".ndjson", "application/x-ndjson", "ocsf:write"),
        "oscal": Format(
            "OSCAL assessment results",
            ".json",
            "application/oscal.ar+json",
            "oscal:write_results",
            WHOLE,
            needs_numbers=True,
        ),
        "oscal-poam": Format(
            "OSCAL plan of action and milestones, of what is open or waived",
            ".json",
            "application/oscal.poam+json",
            "oscal:write_plan",
            WHOLE,
        ),
        "policyreport": Format(
            "PolicyReport and ClusterPolicyReport of one cluster",
            ".yaml",
            "application/yaml",
            "reports:write_policy_report",
            WHOLE,
            one_cluster=True,
        ),
        "openreports": Format(
            "OpenReports' Report and ClusterReport of one cluster",
            ".yaml",
            "application/yaml",
            "reports:write_open_reports",
            WHOLE,
            one_cluster=True,
        ),
        "junit": Format(
            "JUnit XML of one cluster", ".xml", "application/xml", "reports:write_junit", WHOLE, one_cluster=True
        ),
        "html": Format(
            "one page with numbers, frameworks and findings, to print",
            ".html",
            "text/html",
            "page:write",
            100_000,
            needs_numbers=True,
        ),
    }
)
