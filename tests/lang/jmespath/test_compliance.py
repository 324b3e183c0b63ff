"""The JMESPath compliance suite, on the standard language."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.conformance import conformance_dir, find_conformance

from bartizan.base.errors import SpecError
from bartizan.lang.jmespath import JmesPathError, compile_expression, standard_functions
from bartizan.lang.jmespath.runtime import equal

FUNCTIONS = standard_functions()


def _cases() -> list[Any]:
    folder = find_conformance("jmespath")
    if folder is None:
        return [pytest.param({}, {}, id="the suite is not there")]
    return [
        pytest.param(group["given"], case, id=f"{file.stem}: {case['expression'][:60]!r}")
        for file in sorted(folder.glob("*.json"))
        for group in json.loads(file.read_text())
        for case in group["cases"]
    ]


@pytest.mark.parametrize(("given", "case"), _cases())
def test_compliance(given: Any, case: dict[str, Any]) -> None:
    conformance_dir("jmespath")
    if "error" in case:
        with pytest.raises((SpecError, JmesPathError)):
            compile_expression(case["expression"], FUNCTIONS, missing="null")(given)
        return
    if "result" in case:
        value = compile_expression(case["expression"], FUNCTIONS, missing="null")(given)
        assert equal(value, case["result"]), f"{value!r} is not {case['result']!r}"
