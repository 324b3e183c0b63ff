"""The peers' suites, as a ratchet: what passes must go on passing, and the page must say what a run says."""

from __future__ import annotations

import pytest
import yaml
from tests.conformance import conformance_dir, find_conformance
from tools import conformance

from bartizan.app.policy_tests import Case, Verdict

_SUITE = find_conformance("kyverno-policies")
_SUITES = (conformance.classic_cases, conformance.cel_cases, conformance.kind_cases)
CASES = [case for cases in _SUITES for case in cases(_SUITE)] if _SUITE else []
_COMMAND_LINE = find_conformance("kyverno-cli")
OTHERS = conformance.command_line_cases(_COMMAND_LINE) if _COMMAND_LINE else []
_FAILING = yaml.safe_load((conformance.ROOT / "tests/cases/kyverno/peer_cli.yaml").read_text())


def _id(case: Case | None) -> str:
    if case is None:
        return "the suite is not there"
    return f"{case.policy}/{case.rule}: {case.resource} is {case.expected}"


@pytest.mark.parametrize("case", CASES or [None], ids=_id)
def test_expectation(case: Case | None) -> None:
    conformance_dir("kyverno-policies")
    _holds(case)


@pytest.mark.parametrize("case", OTHERS or [None], ids=_id)
def test_expectation_of_the_command_line_tests(case: Case | None) -> None:
    suite = conformance_dir("kyverno-cli")
    if case is None or not conformance.fails_at_the_peer(suite, case, _FAILING):
        _holds(case)


def _holds(case: Case | None) -> None:
    assert case is not None
    if case.compatible is Verdict.UNSUPPORTED:
        # the construct comes with a later version, and until then must say so and never pass
        assert case.answer is None or case.answer.result in ("error", "skip")
        return
    assert case.compatible is Verdict.PASSED, case.reason


def test_page_says_what_a_run_says() -> None:
    suites = [conformance_dir(name) for name in conformance.SUITES]
    assert conformance.PAGE.read_text() == conformance.page(*suites)
