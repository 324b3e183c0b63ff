"""What Kubernetes and others add to the language, as tables of expressions and answers."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from tests.conformance import ROOT

from bartizan.base.errors import SpecError
from bartizan.lang.cel import CelError, Environment, compile_expression, functions_of
from bartizan.lang.cel.library import EXTENSIONS, KUBERNETES
from bartizan.lang.cel.types import DYN

FOLDER = ROOT / "tests" / "cases" / "cel"
TABLE = yaml.safe_load((FOLDER / "kubernetes.yaml").read_text())
EXTENDING = yaml.safe_load((FOLDER / "extensions.yaml").read_text())
FUNCTIONS = functions_of({name: item for name, item in EXTENSIONS.items() if name not in KUBERNETES}, KUBERNETES)
ENVIRONMENT = Environment(dict.fromkeys(TABLE["given"], DYN), FUNCTIONS, homogeneous=True)


@pytest.mark.parametrize("case", [*TABLE["cases"], *EXTENDING], ids=lambda case: case["expression"])
def test_answer(case: dict[str, Any]) -> None:
    if "refused" in case:
        with pytest.raises(SpecError, match=re.escape(case["refused"])):
            compile_expression(case["expression"], ENVIRONMENT)
        return
    run = compile_expression(case["expression"], ENVIRONMENT)
    if "error" in case:
        with pytest.raises(CelError, match=re.escape(case["error"])):
            run(TABLE["given"])
        return
    value = run(TABLE["given"])
    assert value == case["is"]
    assert type(value) is type(case["is"])


def test_table_calls_every_function() -> None:
    text = " ".join(case["expression"] for case in TABLE["cases"])
    words = [name for name in KUBERNETES if name[0].isalpha()]
    assert [
        name for name in words if not re.search(rf"(?<![\w.]){re.escape(name)}\(|\.{re.escape(name)}\(", text)
    ] == []
