"""Policy reports, as dashboards in a cluster read them: `PolicyReport` and its successor, OpenReports' `Report`.

Source: the custom resource definitions `wgpolicyk8s.io/v1alpha2` and
`openreports.io/v1alpha1`, which differ in names and in that the second
says `source` at the top. One report a namespace and one for what has none;
a long one is split, for etcd holds no object above 1.5 MiB.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from bartizan.findings.tally import count
from bartizan.outputs.sarif import justification
from bartizan.outputs.shape import counts_shape
from bartizan.outputs.yaml import lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from bartizan.model.finding import Finding
    from bartizan.model.report import Report
    from bartizan.model.waiver import Waiver
    from bartizan.outputs.view import View

_MOST: Final = 1_000  # results an object: about 1 KB each
_SOURCE: Final = "bartizan"


@dataclass(frozen=True, slots=True)
class _Dialect:
    api_version: str
    kind: str
    cluster_kind: str
    names_source: bool


_POLICY_REPORT: Final = _Dialect("wgpolicyk8s.io/v1alpha2", "PolicyReport", "ClusterPolicyReport", names_source=False)
_OPEN_REPORTS: Final = _Dialect("openreports.io/v1alpha1", "Report", "ClusterReport", names_source=True)


def render_policy_report(report: Report, out: TextIO, view: View | None = None) -> None:  # noqa: ARG001 (a format for programs has no looks)
    """Write `wgpolicyk8s.io/v1alpha2`, a YAML document each."""
    _render(report, out, _POLICY_REPORT)


def render_open_reports(report: Report, out: TextIO, view: View | None = None) -> None:  # noqa: ARG001 (a format for programs has no looks)
    """Write `openreports.io/v1alpha1`, a YAML document each."""
    _render(report, out, _OPEN_REPORTS)


def _render(report: Report, out: TextIO, dialect: _Dialect) -> None:
    by_namespace: dict[str, list[Finding]] = {}
    for finding in chain(report.findings, report.waived):
        by_namespace.setdefault(finding.resource.namespace, []).append(finding)
    seconds = int(report.at.timestamp())
    waivers = {waiver.id: waiver for waiver in report.waivers}
    if not by_namespace:  # an empty file is no YAML document, and says nothing to who applies it
        by_namespace[""] = []
    for namespace in sorted(by_namespace):
        findings = by_namespace[namespace]
        for number, start in enumerate(range(0, max(len(findings), 1), _MOST), 1):
            part = findings[start : start + _MOST]
            out.write("---\n")
            head = _head(dialect, namespace, number)
            head["summary"] = counts_shape(count(map(_accepted, part)))
            out.writelines(f"{line}\n" for line in lines(head))
            out.write("results:\n" if part else "results: []\n")
            results = ({"results": [_result(finding, seconds, waivers)]} for finding in part)
            out.writelines(f"{line}\n" for result in results for line in _without_key(lines(result)))


def _without_key(written: Iterator[str]) -> Iterator[str]:
    next(written)  # the key stands above all parts already
    return written


def _head(dialect: _Dialect, namespace: str, number: int) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": _SOURCE if number == 1 else f"{_SOURCE}-{number}"}
    if namespace:
        metadata["namespace"] = namespace
    metadata["labels"] = {"app.kubernetes.io/managed-by": _SOURCE}
    head: dict[str, Any] = {
        "apiVersion": dialect.api_version,
        "kind": dialect.kind if namespace else dialect.cluster_kind,
        "metadata": metadata,
    }
    if dialect.names_source:
        head["source"] = _SOURCE
    return head


def _accepted(finding: Finding) -> Finding:
    """A waived finding reads as skipped: the formats know no sixth word."""
    if not finding.waived_by:
        return finding
    from msgspec.structs import replace

    return replace(finding, result="skip")


def _result(finding: Finding, seconds: int, waivers: dict[str, Waiver]) -> dict[str, Any]:
    rid = finding.resource
    reference = {"apiVersion": rid.api_version, "kind": rid.kind, "name": rid.name, "namespace": rid.namespace}
    optional = {
        "path": finding.pointer,
        "file": str(finding.location) if finding.location else "",
        "fingerprint": finding.fingerprint,
        "controls": ", ".join(finding.rule.frameworks),
        "waiver": justification(finding.waived_by, waivers) if finding.waived_by else "",
    }
    result: dict[str, Any] = {
        "source": _SOURCE,
        "policy": finding.rule.id.policy,
        "rule": finding.rule.id.rule or finding.rule.id.policy,
        "category": finding.rule.category,
        "severity": finding.severity.label,
        "result": _accepted(finding).result,
        "scored": finding.rule.scored,
        "message": finding.message,
        "resources": [{key: value for key, value in reference.items() if value}],
        "timestamp": {"seconds": seconds, "nanos": 0},
        "properties": {key: value for key, value in optional.items() if value},
    }
    return {key: value for key, value in result.items() if value not in ("", {})}
