"""What Kubernetes and others add to the language, as tables of expressions and answers."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
import yaml
from tests.conformance import ROOT

from bartizan.base.errors import SpecError
from bartizan.lang.cel import CelError, Environment, compile_expression
from bartizan.lang.cel.library import EXTENSIONS, KUBERNETES, kubernetes_environment
from bartizan.lang.cel.types import DYN

_FOLDER = ROOT / "tests" / "cases" / "cel"
TABLE = yaml.safe_load((_FOLDER / "kubernetes.yaml").read_text())
SEEN = yaml.safe_load((_FOLDER / "server.yaml").read_text())
EXTENDING = yaml.safe_load((_FOLDER / "extensions.yaml").read_text())
ENVIRONMENT = kubernetes_environment(dict.fromkeys(TABLE["given"], DYN))


def _check(case: dict[str, Any], environment: Environment, given: dict[str, Any]) -> None:
    if "refused" in case:
        with pytest.raises(SpecError, match=re.escape(case["refused"])):
            compile_expression(case["expression"], environment)
        return
    run = compile_expression(case["expression"], environment)
    if "error" in case:
        with pytest.raises(CelError, match=re.escape(case["error"])):
            run(given)
        return
    value = run(given)
    assert value == case["is"]
    assert type(value) is type(case["is"])


@pytest.mark.parametrize("case", EXTENDING, ids=lambda case: case["expression"])
def test_extension(case: dict[str, Any]) -> None:
    _check(case, replace(kubernetes_environment({}, EXTENSIONS), without=frozenset()), {})


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["expression"])
def test_answer(case: dict[str, Any]) -> None:
    _check(case, ENVIRONMENT, TABLE["given"])


@pytest.mark.parametrize("case", SEEN["cases"], ids=lambda case: case["expression"])
def test_what_the_server_says(case: dict[str, Any]) -> None:
    _check(case, kubernetes_environment(dict.fromkeys(SEEN["given"], DYN)), SEEN["given"])


def test_table_calls_every_function() -> None:
    text = " ".join(case["expression"] for case in TABLE["cases"])
    words = [name for name in KUBERNETES if name[0].isalpha()]
    assert [
        name for name in words if not re.search(rf"(?<![\w.]){re.escape(name)}\(|\.{re.escape(name)}\(", text)
    ] == []
