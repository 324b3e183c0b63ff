"""The language's own conformance tests, as a ratchet: what passes must go on passing, and what does not is named."""

from __future__ import annotations

import pytest
import yaml
from tests.conformance import ROOT, conformance_dir, find_conformance
from tests.lang.cel import suite

_SUITE = find_conformance("cel-spec")
CASES = suite.cases(_SUITE) if _SUITE else []
MISSING: dict[str, list[str]] = yaml.safe_load((ROOT / "tests/cases/cel/conformance.yaml").read_text())
"""Tests that do not pass yet, by the reason."""
_NAMED = frozenset(name for names in MISSING.values() for name in names)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.id not in _NAMED] or [None], ids=lambda case: case.id if case else "none"
)
def test_expression(case: suite.Case | None) -> None:
    conformance_dir("cel-spec")
    assert case is not None
    assert suite.problem(case) == ""


def test_what_is_named_as_missing_does_not_pass() -> None:
    conformance_dir("cel-spec")
    known = {case.id: case for case in CASES}
    assert [name for name in _NAMED if name not in known] == []
    assert [name for name in _NAMED if suite.problem(known[name]) == ""] == [], "take these off the list"
