"""`bartizan test`: the test files people already have for their Kyverno policies, run as they are."""

from bartizan.app.policy_tests.cases import Case, Verdict
from bartizan.app.policy_tests.run import run_test_file, run_tests

__all__ = ["Case", "Verdict", "run_test_file", "run_tests"]
