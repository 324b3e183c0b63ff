"""What decided a case of a policy test, as `bartizan test --explain` may show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.cli.test_test import FILES
from tests.conformance import conformance_dir

from bartizan.app.explain.case import explain_case, explained_case
from bartizan.app.policy_tests.files import TEST_FILE, find_tests
from bartizan.app.policy_tests.run import run_test_file

if TYPE_CHECKING:
    from pathlib import Path

    from bartizan.app.policy_tests.cases import Case

_RESULTS = {"failed": ("fail", "warn"), "held": ("pass",), "error": ("error",), "skipped": ("skip",)}


@pytest.fixture
def cases(tmp_path: Path) -> list[Case]:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return list(run_test_file(tmp_path / "kyverno-test.yaml").cases)


def test_reasons_and_places_of_a_case(cases: list[Case]) -> None:
    (case,) = [case for case in cases if case.rule == "no-latest" and case.resource.endswith("/bad")][:1]
    reason, policy, resource = explain_case(case)
    assert reason == "because `/spec/containers/0/image` is `app:latest`, not `!*:latest`"
    assert "policy.yaml:8:" in policy
    assert resource.endswith('spec: {containers: [{name: app, image: "app:latest"}]}')


def test_values_of_the_test_count(cases: list[Case]) -> None:
    (case,) = [case for case in cases if case.rule == "approved" and case.resource.endswith("/bad")][:1]
    assert explain_case(case)[0] == (
        "because `{{ request.object.metadata.labels.tag || '' }}` is `two`, and `AnyNotIn` `[\"one\"]` holds"
    )


def test_a_case_whose_resource_is_gone_is_not_explained(cases: list[Case]) -> None:
    assert explain_case(replace(cases[0], resource="Pod/default/gone")) == []
    assert explain_case(replace(cases[0], rule="gone")) == []


@pytest.mark.parametrize(
    ("suite", "name", "least"),
    [
        ("kyverno-policies", "pod-security", 100),
        ("kyverno-policies", "other-vpol", 100),
        ("kyverno-policies", "other-mpol", 10),
        ("kyverno-cli", "test/validating-admission-policies", 2),
    ],
)
def test_cases_of_the_suite_are_explained_as_they_ended(suite: str, name: str, least: int) -> None:
    """LAW: what is explained of a case is the answer that the case has."""
    folder = conformance_dir(suite) / name
    count = 0
    for path in find_tests([folder], TEST_FILE):
        for case in run_test_file(path).cases:
            if case.answer is None or case.answer.construct:
                continue
            explained = explained_case(case)
            assert explained is not None, case
            assert case.answer.result in _RESULTS[explained.root.verdict], case
            count += 1
    assert count >= least
