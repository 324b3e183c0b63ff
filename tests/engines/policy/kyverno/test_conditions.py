"""The operators of conditions, and what they do with values bound beforehand."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.conformance import ROOT

from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno.conditions import bind_key, bind_value, operator

CASES = yaml.safe_load((ROOT / "tests" / "cases" / "conditions" / "operators.yaml").read_text())


@pytest.mark.parametrize(
    ("name", "key", "value", "holds"),
    [
        pytest.param(case["operator"], key, value, word == "holds", id=f"{key!r} {case['operator']} {value!r}: {word}")
        for case in CASES
        for word in ("holds", "never")
        for key, value in case[word]
    ],
)
def test_operator(name: str, key: Any, value: Any, holds: bool) -> None:
    assert operator(name)(key, value) is holds
    assert bind_value(name, value)(key) is holds, "bound beforehand it must say the same"
    assert bind_key(name, key)(value) is holds, "bound beforehand it must say the same"


def test_capitals_matter_for_orderings_only() -> None:
    assert operator("anyin")("a", ["a"])
    with pytest.raises(SpecError, match="not written as it must be") as error:
        operator("greaterthan")
    assert "`GreaterThan`" in error.value.hint
