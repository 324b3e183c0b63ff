"""Every format a report can take, by name."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from bartizan.model.report import Report
    from bartizan.outputs.view import View


class Render(Protocol):
    """Writes a report as it goes, so that a long one never stands in memory as text."""

    def __call__(self, report: Report, out: TextIO, view: View | None = None) -> None:
        """Write `report` to `out`, which takes UTF-8."""


@dataclass(frozen=True, slots=True)
class Format:
    """One format. `lists_passes` says that it wants passes and skips among the findings, not only in the counts."""

    description: str
    extension: str
    target: str
    """`module:function` of the renderer, imported when it is wanted: a scan needs one of eleven."""
    lists_passes: bool = False
    identifies: bool = True
    """Whether it says where findings are, or names them; where no format does, a scan does not look."""

    @property
    def render(self) -> Render:
        """The renderer."""
        module, _, name = self.target.partition(":")
        found: Render = getattr(import_module(f"bartizan.outputs.{module}"), name)
        return found


FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        "terminal": Format("for people: grouped by resource, with the offending line", ".txt", "terminal:render"),
        "summary": Format("a few lines of figures, for a build's log", ".txt", "summary:render", identifies=False),
        "json": Format("the whole report as one JSON document", ".json", "json:render"),
        "ndjson": Format("a finding a line, and a summary last", ".ndjson", "ndjson:render"),
        "sarif": Format("SARIF 2.1.0, for code scanning", ".sarif", "sarif:render"),
        "junit": Format("JUnit XML, for build servers", ".xml", "junit:render", lists_passes=True),
        "github": Format("annotations in a GitHub workflow", ".txt", "github:render"),
        "markdown": Format("a comment on a change", ".md", "markdown:render"),
        "html": Format("one self-contained page, to search, filter and print", ".html", "html:render"),
        "policyreport": Format(
            "PolicyReport and ClusterPolicyReport, wgpolicyk8s.io/v1alpha2",
            ".yaml",
            "policyreport:render_policy_report",
            lists_passes=True,
        ),
        "openreports": Format(
            "Report and ClusterReport, openreports.io/v1alpha1",
            ".yaml",
            "policyreport:render_open_reports",
            lists_passes=True,
        ),
    }
)
