"""Findings counted and grouped: the figures every report shows, computed in one place."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.model.report import Counts
from bartizan.model.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bartizan.model.finding import Finding, RuleId, RuleInfo
    from bartizan.model.report import Report
    from bartizan.model.resource import ResourceId

OPEN: Final = frozenset({"fail", "warn", "error"})
"""The results that want something done. An error is one: a rule that could not run has not passed."""


class Group(NamedTuple):
    """All findings on one resource of one file; `file` is empty for a live one."""

    resource: ResourceId
    file: str
    findings: list[Finding]


class Tally(NamedTuple):
    """The figures of a report.

    Unit: findings, except `touched` and `clean`, which are resources.
    `by_rule` is the most frequent first, then by name.
    """

    open: int
    by_severity: Mapping[Severity, int]
    by_rule: tuple[tuple[RuleId, int], ...]
    touched: int
    clean: int


def is_open(finding: Finding) -> bool:
    """Whether the finding wants something done."""
    return finding.result in OPEN


def count(findings: Iterable[Finding]) -> Counts:
    """Count results of each kind."""
    totals = Counter(finding.result for finding in findings)
    return Counts(totals["pass"], totals["fail"], totals["warn"], totals["error"], totals["skip"])


def tally(report: Report) -> Tally:
    """Work out the figures of a report."""
    found = [finding for finding in report.findings if finding.result in OPEN]
    severities = Counter(finding.severity for finding in found)
    rules = Counter(finding.rule.id for finding in found)
    touched = {finding.resource for finding in found}
    return Tally(
        open=len(found),
        by_severity={severity: severities[severity] for severity in reversed(Severity)},
        by_rule=tuple(sorted(rules.items(), key=lambda item: (-item[1], item[0]))),
        touched=len(touched),
        clean=len(set(report.resources) - touched),
    )


def group_by_resource(findings: Iterable[Finding]) -> list[Group]:
    """Group findings by resource, in the order of first appearance.

    The same resource in two files (two overlays, say) is two groups, for
    they are mended in two places. A finding without a file, as a pass has
    none, joins the resource wherever it is.
    """
    groups: list[Group] = []
    places: dict[ResourceId, dict[str, int]] = {}
    for finding in findings:
        file = finding.location.file if finding.location else ""
        known = places.setdefault(finding.resource, {})
        index = known.get(file)
        if index is None and known and not file:
            index = next(iter(known.values()))
        elif index is None and "" in known:
            index = known[file] = known.pop("")
            groups[index] = groups[index]._replace(file=file)
        elif index is None:
            index = known[file] = len(groups)
            groups.append(Group(finding.resource, file, []))
        groups[index].findings.append(finding)
    return groups


def dedupe(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Drop findings that say the same of the same place, as when a file is named twice; the first stays.

    Fingerprints do not decide: two containers with one fault share theirs.
    """
    seen: dict[object, Finding] = {}
    for one in findings:
        seen.setdefault((one.rule.id, one.resource, one.result, one.pointer, one.location, one.message), one)
    return tuple(seen.values())


def rules_of(report: Report) -> tuple[RuleInfo, ...]:
    """All rules a report speaks of, each once: those that ran, then any other that a finding names."""
    rules = {rule.id: rule for rule in report.rules}
    for finding in (*report.findings, *report.waived):
        rules.setdefault(finding.rule.id, finding.rule)
    return tuple(rules.values())
