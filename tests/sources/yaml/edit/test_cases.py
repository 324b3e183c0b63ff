"""What an edit looks like, case by case: the text, the value wanted, and the text then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bartizan.sources.yaml import parse_yaml_text
from bartizan.sources.yaml.edit import edit_document

CASES = yaml.safe_load((Path(__file__).parent / "cases.yaml").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["note"])
def test_edit(case: dict[str, Any]) -> None:
    assert edit_document(case["text"], parse_yaml_text(case["text"]), case["after"]) == case["edited"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["note"])
def test_no_change_is_no_edit(case: dict[str, Any]) -> None:
    value = parse_yaml_text(case["text"])
    assert edit_document(case["text"], value, parse_yaml_text(case["text"])) is case["text"]
