"""Counting and grouping."""

from __future__ import annotations

import msgspec
from tests.outputs.sample import FINDINGS, PROBES, REPORT, WEB, finding

from bartizan.base.location import Location
from bartizan.findings import count, dedupe, group_by_resource, tally
from bartizan.model.finding import RuleId
from bartizan.model.report import Counts
from bartizan.model.severity import Severity


def test_results_are_counted_by_kind() -> None:
    assert count(FINDINGS) == Counts(passed=1, failed=5, warned=1, errors=1, skipped=1)


def test_the_figures_count_what_wants_something_done() -> None:
    figures = tally(REPORT)
    assert figures.open == 7
    assert figures.by_severity[Severity.INFO] == 2
    assert list(figures.by_severity) == sorted(Severity, reverse=True)
    assert (figures.touched, figures.clean) == (4, 3)
    assert figures.by_rule[0] == (RuleId("disallow-latest-tag", "require-image-tag"), 2)


def test_the_same_is_said_once_and_two_containers_are_two() -> None:
    assert dedupe((*FINDINGS, *FINDINGS)) == FINDINGS
    assert FINDINGS[0].fingerprint == FINDINGS[1].fingerprint


def test_groups_keep_the_order_of_appearance() -> None:
    groups = group_by_resource(FINDINGS)
    assert [group.resource.name for group in groups[:4]] == ["web", "backup", "web", "node-agent"]
    assert [one for group in groups for one in group.findings] == sorted(
        FINDINGS, key=lambda one: [group.resource for group in groups].index(one.resource)
    )


def test_one_resource_in_two_files_is_two_groups() -> None:
    other = msgspec.structs.replace(FINDINGS[0], location=Location("overlay/web.yaml", 3, 1))
    assert [group.file for group in group_by_resource((FINDINGS[0], other))] == ["k8s/web.yaml", "overlay/web.yaml"]


def test_a_finding_without_a_file_joins_its_resource() -> None:
    passed = finding(PROBES, WEB, "pass", "well")
    assert [(group.file, len(group.findings)) for group in group_by_resource((FINDINGS[0], passed))] == [
        ("k8s/web.yaml", 2)
    ]
    assert [(group.file, len(group.findings)) for group in group_by_resource((passed, FINDINGS[0]))] == [
        ("k8s/web.yaml", 2)
    ]
