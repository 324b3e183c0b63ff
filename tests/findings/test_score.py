"""Scores: the numbers, their laws, and why they moved."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.laws import examples

from bartizan.base.errors import SpecError
from bartizan.findings.ledger import applied
from bartizan.findings.score import (
    FORMULA,
    WEIGHTS,
    Attestation,
    Control,
    Framework,
    Score,
    Standing,
    attested_on,
    by_rule,
    control_scores,
    framework_score,
    movements,
    percent,
    score,
    score_of,
    scores_by,
)
from bartizan.model.ledger import CAUSES, Entry, RuleFacts, Tally, Verdict
from bartizan.model.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parents[1] / "cases" / "plane"
DAY = date(2026, 3, 14)
FACTS = {
    name: RuleFacts(name, severity)
    for name, severity in zip(("info", "low", "med", "high", "crit"), Severity, strict=True)
}


def _load(name: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in yaml.safe_load((HERE / name).read_text())]


def _tallies(given: dict[str, dict[str, int]]) -> list[Tally]:
    return [Tally("prod", "shop", rule, **counts) for rule, counts in given.items()]


def _expected(given: dict[str, Any]) -> Score:
    return Score(**{name: None if value is None else Fraction(value) for name, value in given.items()})


@pytest.mark.parametrize("case", _load("score.yaml"))
def test_the_numbers_are_what_the_formula_says(case: dict[str, Any]) -> None:
    assert score(_tallies(case["tallies"]), FACTS) == _expected(case["score"])


def _facts(case: dict[str, Any]) -> dict[str, RuleFacts]:
    severities = case.get("severity", {})
    return {
        rule: RuleFacts(rule, Severity.parse(severities.get(rule), Severity.MEDIUM), tuple(f"f:{one}" for one in names))
        for rule, names in case.get("serves", {}).items()
    }


@pytest.mark.parametrize("case", _load("frameworks.yaml"))
def test_a_framework_is_the_mean_over_its_controls(case: dict[str, Any]) -> None:
    framework = Framework("f", tuple(Control(name, how == "manual") for name, how in case["controls"].items()))
    attestations = [Attestation(**{"framework": "f", "since": DAY, **one}) for one in case.get("attestations", ())]
    standing = Standing(DAY, _tallies(case.get("tallies", {})), _facts(case), framework, attestations)
    assert score_of(standing) == _expected(case["score"])
    assert score_of(standing._replace(attestations=attestations[::-1])) == _expected(case["score"])


def _entry(text: str) -> Entry:
    rule, _, rest = text.partition(": ")
    change, _, why = rest.partition(", ")
    before, _, after = change.partition(" -> ")
    cause, _, number = why.partition(" x ")
    verdicts = Verdict[before.upper()], Verdict[after.upper()]
    return Entry("prod", DAY, "shop", rule, *verdicts, cause, int(number or 1))  # type: ignore[arg-type]  # from data


@pytest.mark.parametrize("case", _load("movements.yaml"))
def test_a_movement_is_split_by_cause(case: dict[str, Any]) -> None:
    entries = [_entry(text) for text in case["entries"]]
    tallies = _tallies(case["before"])
    old = {rule: RuleFacts(rule) for rule in ("a", "b")}
    new = {
        rule: RuleFacts(rule, Severity.parse(case.get("later", {}).get(rule), Severity.MEDIUM))
        for rule in ("a", "b", "new")
    }
    moved = movements(Standing(DAY, tallies, old), Standing(DAY, applied(tallies, entries), new), entries)
    for name in ("pass_rate", "coverage", "exception_share"):
        if name in case:
            one = getattr(moved, name)
            wanted = {} if case[name] == "none" else {**dict.fromkeys(CAUSES, 0), **case[name]}
            assert one.parts == {cause: Fraction(part) for cause, part in wanted.items()}, name


COUNTS = st.fixed_dictionaries(
    {},
    optional={
        name: st.integers(0, 5) for name in ("passed", "failed", "warned", "errors", "skipped", "waived", "stale")
    },
)
FIELDS = ("passed", "failed", "warned", "errors", "skipped", "waived", "stale")
FRAMEWORK = Framework("f", (Control("one"), Control("two"), Control("hand", manual=True)))


@st.composite
def _any_facts(draw: Callable[..., Any]) -> dict[str, RuleFacts]:
    served = st.lists(st.sampled_from(("f:one", "f:two", "g:one")), unique=True, max_size=3).map(tuple)
    return {rule: RuleFacts(rule, draw(st.sampled_from(Severity)), draw(served)) for rule in ("a", "b", "c")}


PLACES = st.tuples(st.sampled_from(("prod", "test")), st.sampled_from(("", "shop", "store")), st.sampled_from("abc"))
TALLIES = st.dictionaries(PLACES, COUNTS, max_size=6).map(
    lambda found: sorted(Tally(*place, **counts) for place, counts in found.items())
)
PERCENTS = st.integers(0, 100)


def _all_scores(tallies: list[Tally], facts: dict[str, RuleFacts], attested: dict[Any, Fraction]) -> list[Score]:
    """The numbers of all there is: the whole, and the framework with an attestation."""
    return [score(tallies, facts), framework_score(by_rule(tallies), facts, FRAMEWORK, attested)]


def _with(tallies: list[Tally], place: tuple[str, str, str], before: int, after: int) -> list[Tally]:
    """One pair more of a verdict (`before` is none), or one that went from one verdict to another."""
    entry = Entry(place[0], DAY, place[1], place[2], Verdict(before), Verdict(after), "findings")
    return applied(tallies, [entry])


def _not_above(one: Fraction | None, other: Fraction | None) -> bool:
    return one is None or other is None or one <= other


@examples(100)
@given(TALLIES, _any_facts(), PLACES, PERCENTS)
def test_a_failure_never_raises_the_pass_rate(tallies: Any, facts: Any, place: Any, attested: int) -> None:
    """Neither one more, nor one that had passed, warned, been waived or unknown."""
    holding = {("f", "hand"): Fraction(attested, 100)}
    before = _all_scores(tallies, facts, holding)
    for verdict in Verdict:
        if verdict == Verdict.FAIL or not (verdict == Verdict.NONE or _has(tallies, place, verdict)):
            continue
        for old, new in zip(before, _all_scores(_with(tallies, place, verdict, 2), facts, holding), strict=True):
            assert _not_above(new.pass_rate, old.pass_rate)
            assert old.pass_rate is None or new.pass_rate is not None


def _has(tallies: list[Tally], place: tuple[str, str, str], verdict: Verdict) -> bool:
    return any((one.cluster, one.namespace, one.rule) == place and one.of(verdict) for one in tallies)


@examples(100)
@given(TALLIES, _any_facts(), PLACES, st.booleans())
def test_losing_data_never_raises_coverage(tallies: Any, facts: Any, place: Any, attested: bool) -> None:
    """Whatever was known and is not; nor does an attestation that ends."""
    holding = {("f", "hand"): Fraction(1)} if attested else {}
    before = _all_scores(tallies, facts, holding)
    for verdict in Verdict:
        if not _has(tallies, place, verdict):
            continue
        for lost in (Verdict.STALE, Verdict.ERROR):
            for old, new in zip(before, _all_scores(_with(tallies, place, verdict, lost), facts, {}), strict=True):
                assert _not_above(new.coverage, old.coverage)
                assert old.coverage is None or new.coverage is not None


@examples(100)
@given(TALLIES, _any_facts(), PLACES, st.sampled_from((Verdict.STALE, Verdict.ERROR, Verdict.SKIP, Verdict.WAIVED)))
def test_what_is_unknown_or_accepted_never_counts_as_pass(tallies: Any, facts: Any, place: Any, verdict: Any) -> None:
    """More of it changes no pass rate."""
    for old, new in zip(
        _all_scores(tallies, facts, {}), _all_scores(_with(tallies, place, 0, verdict), facts, {}), strict=True
    ):
        assert new.pass_rate == old.pass_rate


@examples(100)
@given(TALLIES, _any_facts(), st.randoms())
def test_order_never_matters(tallies: list[Tally], facts: dict[str, RuleFacts], chance: Any) -> None:
    shuffled = list(tallies)
    chance.shuffle(shuffled)
    turned = dict(reversed(facts.items()))
    assert _all_scores(shuffled, turned, {}) == _all_scores(tallies, facts, {})
    assert scores_by(shuffled, turned, lambda one: one.cluster) == scores_by(tallies, facts, lambda one: one.cluster)


@examples(100)
@given(TALLIES, _any_facts())
def test_every_number_is_from_nought_to_one(tallies: list[Tally], facts: dict[str, RuleFacts]) -> None:
    for one in _all_scores(tallies, facts, {}):
        assert all(value is None or 0 <= value <= 1 for value in one)


@st.composite
def _any_day(draw: Callable[..., Any]) -> tuple[Standing, Standing, list[Entry]]:
    """Two days and what happened between, event by event, so that any order of causes occurs."""
    tallies = draw(TALLIES)
    now, entries = tallies, []
    for _ in range(draw(st.integers(0, 12))):
        place = draw(PLACES)
        there = [verdict for verdict in Verdict if verdict == 0 or _has(now, place, verdict)]
        old = draw(st.sampled_from(there))
        new = draw(st.sampled_from([verdict for verdict in Verdict if verdict != old]))
        entries.append(Entry(place[0], DAY, place[1], place[2], old, new, draw(st.sampled_from(CAUSES))))
        now = applied(now, entries[-1:])
    attestations = [
        Attestation(
            "f",
            "hand",
            draw(PERCENTS),
            DAY - timedelta(draw(st.integers(-2, 3))),
            DAY + timedelta(draw(st.integers(-2, 3))),
        )
        for _ in range(draw(st.integers(0, 3)))
    ]
    later = Framework("f", (Control("one"), Control("hand", manual=True), Control("three"))[draw(st.integers(0, 1)) :])
    framed = draw(st.booleans())
    before = Standing(DAY, tallies, draw(_any_facts()), FRAMEWORK if framed else None, attestations)
    after = Standing(DAY + timedelta(1), now, draw(_any_facts()), later if framed else None, attestations)
    return before, after, entries


@examples(200)
@given(_any_day())
def test_the_parts_of_a_movement_are_the_whole(day: tuple[Standing, Standing, list[Entry]]) -> None:
    """M1: they sum to it exactly, whatever happened in whatever order; and they are all of the causes."""
    before, after, entries = day
    moved = movements(before, after, entries)
    for name, one in moved._asdict().items():
        assert (one.before, one.after) == (getattr(score_of(before), name), getattr(score_of(after), name))
        if one.before is None or one.after is None:
            assert one.delta is None
            assert not one.parts
        else:
            assert tuple(one.parts) == CAUSES
            assert sum(one.parts.values()) == one.delta == one.after - one.before


@examples(100)
@given(_any_day(), st.randoms())
def test_the_order_of_entries_never_matters(day: tuple[Standing, Standing, list[Entry]], chance: Any) -> None:
    before, after, entries = day
    shuffled = list(entries)
    chance.shuffle(shuffled)
    assert movements(before, after, shuffled) == movements(before, after, entries)


@examples(100)
@given(_any_day())
def test_a_cause_that_did_nothing_has_no_part(day: tuple[Standing, Standing, list[Entry]]) -> None:
    before, after, entries = day
    after = after._replace(day=before.day, facts=before.facts, framework=before.framework)
    causes = {entry.cause for entry in entries}
    for one in movements(before, after, entries):
        assert all(cause in causes for cause, part in one.parts.items() if part)


def test_entries_that_lead_elsewhere_are_refused() -> None:
    before = Standing(DAY, _tallies({"med": {"passed": 1}}), FACTS)
    after = before._replace(tallies=_tallies({"med": {"failed": 1}}))
    with pytest.raises(ValueError, match="do not lead"):
        movements(before, after, [])
    with pytest.raises(ValueError, match="do not lead"):
        movements(before, after, [_entry("med: warn -> fail, findings")])
    with pytest.raises(ValueError, match="do not lead"):
        movements(before, before, [_entry("med: warn -> fail, findings")])


def test_attestations_move_a_framework_by_findings_and_by_freshness() -> None:
    """Another word on a control is a finding of somebody; one that begins or ends is not."""
    later = DAY + timedelta(1)
    framework = Framework("f", tuple(Control(name, manual=True) for name in ("better", "ended", "same")))
    attestations = [
        Attestation("f", "same", 100, DAY, later),
        Attestation("f", "ended", 100, DAY, DAY),
        Attestation("f", "better", 10, DAY, later),
        Attestation("f", "better", 70, later, later),
    ]
    before = Standing(DAY, [], {}, framework, attestations)
    moved = movements(before, before._replace(day=later), [])
    parts = {cause: part for cause, part in moved.pass_rate.parts.items() if part}
    assert parts == {"findings": Fraction(20, 100), "freshness": Fraction(85 - 90, 100)}
    assert moved.coverage.parts["freshness"] == moved.coverage.delta == Fraction(-1, 3)


def test_a_rule_nothing_is_known_of_is_refused() -> None:
    with pytest.raises(SpecError, match="nothing is known of rule `other`"):
        score(_tallies({"other": {"passed": 1}}), FACTS)


def test_scores_are_of_whatever_tallies_are_put_under() -> None:
    tallies = [
        Tally("prod", "shop", "med", passed=1),
        Tally("prod", "store", "med", failed=1),
        Tally("test", "", "med", stale=1),
    ]
    teams = {("prod", "shop"): "buyers", ("prod", "store"): "buyers"}
    whole, none = Fraction(1), Fraction(0)
    assert scores_by(tallies, FACTS, lambda one: one.cluster) == {
        "prod": Score(Fraction(1, 2), whole, none),
        "test": Score(None, none, None),
    }
    assert scores_by(tallies, FACTS, lambda one: teams.get((one.cluster, one.namespace))) == {
        "buyers": Score(Fraction(1, 2), whole, none)
    }


def test_the_controls_of_a_framework_are_told_each() -> None:
    facts = {"a": RuleFacts("a", frameworks=("f:one",))}
    counts = by_rule([Tally("prod", "shop", "a", passed=1, failed=1)])
    attested = attested_on(DAY, [Attestation("f", "hand", 25, DAY, DAY)])
    assert control_scores(counts, facts, FRAMEWORK, attested) == {
        "one": Score(Fraction(1, 2), Fraction(1), Fraction(0)),
        "two": Score(None, None, None),
        "hand": Score(Fraction(1, 4), Fraction(1), None),
    }


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, ""), ("0", "0.00"), ("1", "100.00"), ("99999/100000", "99.99"), ("1/100000", "0.01"), ("2/3", "66.67")],
)
def test_all_and_nothing_are_said_only_of_all_and_nothing(value: str | None, shown: str) -> None:
    assert percent(None if value is None else Fraction(value)) == shown


def test_the_formula_names_the_weights() -> None:
    words = FORMULA["pass rate"]
    assert "10 where the rule is critical, 5 high, 2 medium, 1 low, 0 info" in words
    assert [WEIGHTS[severity] for severity in reversed(Severity)] == [10, 5, 2, 1, 0]
