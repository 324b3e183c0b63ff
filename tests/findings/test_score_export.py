"""Scores as a document: worked out again from it to the byte, and refused where it is none."""

from __future__ import annotations

import random
from datetime import date
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
import yaml

from bartizan.base.errors import SpecError
from bartizan.findings.ledger import applied
from bartizan.findings.score import Attestation, Control, Day, Framework, Team, export, recompute
from bartizan.model.ledger import CAUSES, Entry, RuleFacts, Tally, Verdict
from bartizan.model.severity import Severity

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "plane" / "exports.yaml").read_text())
YESTERDAY, TODAY = date(2026, 3, 13), date(2026, 3, 14)
RULES = (
    RuleFacts("privileged", Severity.CRITICAL, ("pss:baseline", "nsa:pods"), "1"),
    RuleFacts("probes", Severity.LOW, ("nsa:pods",), "1"),
)
FRAMEWORKS = (
    Framework("pss", (Control("baseline"), Control("restricted"))),
    Framework("nsa", (Control("pods"), Control("review", manual=True))),
)
ATTESTATIONS = (
    Attestation("nsa", "review", 20, date(2026, 1, 1), TODAY, "bob"),
    Attestation("nsa", "review", 50, YESTERDAY, TODAY, "ada"),
)
TALLIES = (
    Tally("prod", "shop", "privileged", passed=8, failed=2),
    Tally("prod", "shop", "probes", passed=1, failed=9, stale=5),
    Tally("test", "", "privileged", passed=1, errors=1),
)
ENTRIES = (
    Entry("prod", TODAY, "shop", "privileged", Verdict.FAIL, Verdict.PASS, "findings"),
    Entry("prod", TODAY, "shop", "probes", Verdict.STALE, Verdict.FAIL, "freshness", 5),
    Entry("prod", TODAY, "shop", "probes", Verdict.FAIL, Verdict.WAIVED, "exceptions", 3),
    Entry("test", TODAY, "", "probes", Verdict.NONE, Verdict.PASS, "rules"),
)
BEFORE = Day(YESTERDAY, RULES, TALLIES, FRAMEWORKS, ATTESTATIONS, (Team("prod", "shop", "buyers"),))
AFTER = msgspec.structs.replace(BEFORE, day=TODAY, tallies=tuple(applied(TALLIES, ENTRIES)))


def _scores(document: dict[str, Any]) -> dict[tuple[str, str], list[str]]:
    numbers = ("pass_rate", "coverage", "exception_share")
    return {
        (one["of"], one["name"]): [one[name]["exact"] if one[name] else "" for name in numbers]
        for one in document["scores"]
    }


def test_an_export_has_the_numbers_of_all_there_is() -> None:
    """Worked out by hand: a critical pair weighs 10, one of low severity 1."""
    scores = _scores(orjson.loads(export(BEFORE)))
    assert scores == {
        ("fleet", "fleet"): ["91/120", "7/9", "0"],
        ("cluster", "prod"): ["81/110", "4/5", "0"],
        ("cluster", "test"): ["1", "1/2", "0"],
        ("namespace", "prod/shop"): ["81/110", "4/5", "0"],
        ("team", "buyers"): ["81/110", "4/5", "0"],
        ("framework", "nsa"): ["151/240", "8/9", "0"],
        ("control", "nsa:pods"): ["91/120", "7/9", "0"],
        ("control", "nsa:review"): ["1/2", "1", ""],
        ("framework", "pss"): ["9/11", "11/12", "0"],
        ("control", "pss:baseline"): ["9/11", "11/12", "0"],
        ("control", "pss:restricted"): ["", "", ""],
    }


def test_an_export_says_why_the_numbers_moved() -> None:
    """Worked out by hand: 91/120; mended 101/120; one rule more 102/121; waived 102/118; judged again 102/123."""
    document = orjson.loads(export(AFTER, BEFORE, ENTRIES))
    fleet = next(one for one in document["movements"] if one["of"] == "fleet")["pass_rate"]
    assert [fleet["before"]["exact"], fleet["after"]["exact"]] == ["91/120", "34/41"]
    assert list(fleet["parts"]) == list(CAUSES)
    states = [Fraction(one) for one in ("91/120", "101/120", "102/121", "102/121", "102/118", "102/123")]
    assert [Fraction(part) for part in fleet["parts"].values()] == [
        after - before for before, after in pairwise(states)
    ]
    assert [(one["of"], one["name"]) for one in document["movements"]] == [
        ("fleet", "fleet"),
        ("framework", "nsa"),
        ("framework", "pss"),
    ]


@pytest.mark.parametrize("document", [export(BEFORE), export(AFTER, BEFORE, ENTRIES)], ids=["a day", "a movement"])
def test_an_export_is_worked_out_again_to_the_byte(document: bytes) -> None:
    assert recompute(document) == document


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_what_it_is_made_from_does_not_matter(seed: int) -> None:
    chance = random.Random(seed)

    def shuffled(given: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(chance.sample(given, len(given)))

    def turned(day: Day) -> Day:
        rest = (shuffled(getattr(day, name)) for name in ("rules", "tallies", "frameworks", "attestations", "teams"))
        return Day(day.day, *rest)

    assert export(turned(AFTER), turned(BEFORE), shuffled(ENTRIES)) == export(AFTER, BEFORE, ENTRIES)


def test_a_number_somebody_bettered_is_found_out() -> None:
    document = export(AFTER, BEFORE, ENTRIES)
    for place in ("scores", "movements"):
        better = orjson.loads(document)
        better[place][0]["pass_rate" if place == "scores" else "coverage"] = None
        assert recompute(orjson.dumps(better)) == document
    fewer = orjson.loads(document)
    fewer["today"]["tallies"][0]["failed"] = 0
    with pytest.raises(SpecError, match="do not lead"):
        recompute(orjson.dumps(fewer))


def _edited(case: dict[str, Any]) -> bytes:
    if "nested" in case:
        return b'{"more": ' + b"[" * case["nested"]
    if "text" in case:
        text: str = case["text"]
        return text.encode()
    document = orjson.loads(export(AFTER, BEFORE, ENTRIES))
    return orjson.dumps({**document, **case["edit"]})


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_what_is_no_export_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(SpecError) as caught:
        recompute(_edited(case))
    assert caught.value.message.startswith(case["error"])


def test_what_is_too_much_to_write_is_refused_in_time() -> None:
    """Fractions of large and unlike counts grow with each control."""
    prime_like = [2**63 - 1 - 2 * number for number in range(1_000)]
    rules = tuple(RuleFacts(f"r{number}", frameworks=(f"f:c{number}",)) for number in range(1_000))
    tallies = tuple(
        Tally("prod", "shop", rule.id, passed=1, failed=count - 1)
        for rule, count in zip(rules, prime_like, strict=True)
    )
    framework = Framework("f", tuple(Control(f"c{number}") for number in range(1_000)))
    with pytest.raises(SpecError, match="too many digits"):
        export(Day(TODAY, rules, tallies, (framework,)))
