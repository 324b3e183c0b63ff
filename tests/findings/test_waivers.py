"""Waivers: the file, what it accepts, and what it says when it ends."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.outputs.sample import ADMIN, FINDINGS, OWNER, finding

from bartizan.base.errors import SpecError
from bartizan.findings import read_waivers, waive

HERE = Path(__file__).parent
TODAY = date(2026, 3, 14)
NAMED = {
    "web": FINDINGS[0],
    "agent": next(one for one in FINDINGS if one.resource.kind == "DaemonSet"),
    "role": finding(OWNER, ADMIN, "error", "the rule could not run"),
}


def _load(name: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in yaml.safe_load((HERE / name).read_text())]


@pytest.mark.parametrize("case", _load("cases.yaml"))
def test_waivers_part_findings(case: dict[str, Any]) -> None:
    result = waive(NAMED.values(), read_waivers({"waivers": case["waivers"]}), TODAY)
    names = {one.fingerprint: name for name, one in NAMED.items()}
    assert {names[one.fingerprint]: one.waived_by for one in result.waived} == case["waived"]
    assert [names[one.fingerprint] for one in result.kept] == [name for name in NAMED if name not in case["waived"]]
    assert [note.message for note in result.notes] == case.get("notes", [])


@pytest.mark.parametrize("case", _load("malformed.yaml"))
def test_a_malformed_file_is_refused_with_a_place(case: dict[str, Any]) -> None:
    with pytest.raises(SpecError) as caught:
        read_waivers(case["document"])
    assert caught.value.message == case["message"]
    assert caught.value.pointer == case["pointer"]
    assert caught.value.hint
    if "hint" in case:
        assert caught.value.hint == case["hint"]


def test_passes_and_skips_are_never_waived() -> None:
    calm = [one for one in FINDINGS if one.result in ("pass", "skip")]
    waivers = read_waivers(
        {"waivers": [{"id": "a", "reason": "r", "owner": "o", "until": "2026-12-31", "policy": "*e*"}]}
    )
    assert waive(calm, waivers, TODAY).kept == tuple(calm)


def test_a_date_from_a_reader_that_makes_dates_is_taken() -> None:
    document = {"waivers": [{"id": "a", "reason": "r", "owner": "o", "until": date(2026, 12, 31), "policy": "x"}]}
    assert read_waivers(document)[0].until == date(2026, 12, 31)
