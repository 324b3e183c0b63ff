"""Kyverno's dialect and every function, as tables of expressions and answers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.lang.jmespath.answers import FUNCTIONS, ask

from bartizan.lang.jmespath.runtime import equal

FOLDER = Path(__file__).resolve().parents[2] / "cases" / "jmespath"
TABLES = {file.stem: yaml.safe_load(file.read_text()) for file in sorted(FOLDER.glob("*.yaml"))}


@pytest.mark.parametrize(
    ("given", "case"),
    [
        pytest.param(table["given"], case, id=f"{name}: {case['expression']}")
        for name, table in TABLES.items()
        for case in table["cases"]
    ],
)
def test_answer(given: Any, case: dict[str, Any]) -> None:
    answer = ask(case["expression"], given)
    if "error" in case:
        assert case["error"] in answer.get("error", ""), f"{answer} is not the error `{case['error']}`"
    else:
        assert "result" in answer, answer["error"]
        assert equal(answer["result"], case["result"]), f"{answer['result']!r} is not {case['result']!r}"


def test_tables_call_every_function() -> None:
    called = {
        name
        for table in TABLES.values()
        for case in table["cases"]
        for name in re.findall(r"([a-z0-9_]+)\(", case["expression"])
    }
    assert set(FUNCTIONS.names) - called == {"x509_decode"}, "that one has tables of its own"
