"""The ledger of verdicts: what happened to an object as entries, and the sums that must come out."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.laws import examples

from bartizan.base.errors import SpecError
from bartizan.findings.ledger import Judged, applied, ledger, merge, read_verdicts, taken_back, tallies
from bartizan.model.ledger import CAUSES, Entry, RuleFacts, RuleSet, Tally, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "plane" / "ledger.yaml").read_text())
DAY = date(2026, 3, 14)
NAMES = ("a", "b", "c", "d")


def _rules(digests: dict[str, Any]) -> RuleSet:
    facts = tuple(RuleFacts(name, digest=str(digest)) for name, digest in digests.items())
    return RuleSet(repr(sorted((rule.id, rule.digest) for rule in facts)) + repr([rule.id for rule in facts]), facts)


def _judged(given: dict[str, Any] | None) -> Judged | None:
    if given is None:
        return None
    rules = _rules(given["rules"])
    said = (given["says"].get(rule.id, "none") for rule in rules.rules)
    return Judged(given["in"], bytes(Verdict[word.upper()] for word in said), rules)


def _told(entry: Entry) -> str:
    verdicts = f"{entry.before.name} -> {entry.after.name}".lower()
    return f"{entry.namespace} {entry.rule}: {verdicts}, {entry.cause}"


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_what_happened_is_told(case: dict[str, Any]) -> None:
    entries = ledger([(_judged(case.get("before")), _judged(case.get("after")))], "prod", DAY)
    assert sorted(map(_told, entries)) == sorted(case["entries"])
    assert {(entry.cluster, entry.day, entry.count) for entry in entries} <= {("prod", DAY, 1)}


SETS = st.dictionaries(st.sampled_from(NAMES), st.integers(1, 2), max_size=4).map(_rules)


@st.composite
def _any_judged(draw: Callable[..., Any]) -> Judged | None:
    if draw(st.integers(0, 4)) == 0:
        return None
    rules = draw(SETS)
    verdicts = draw(st.lists(st.sampled_from(Verdict), min_size=len(rules.rules), max_size=len(rules.rules)))
    return Judged(draw(st.sampled_from(("", "shop", "store"))), bytes(verdicts), rules)


HISTORIES = st.lists(st.tuples(_any_judged(), _any_judged()), max_size=6)


def _present(sides: list[Judged | None]) -> list[Judged]:
    return [one for one in sides if one is not None]


@examples(300)
@given(HISTORIES)
def test_yesterday_and_the_entries_are_today(history: list[tuple[Judged | None, Judged | None]]) -> None:
    """The sum is exact whatever happened, and holds backwards."""
    yesterday = tallies(_present([before for before, _ in history]), "prod")
    today = tallies(_present([after for _, after in history]), "prod")
    entries = ledger(history, "prod", DAY)
    assert applied(yesterday, entries) == today
    assert taken_back(today, entries) == yesterday


@examples(300)
@given(_any_judged(), _any_judged())
def test_entries_are_minimal(before: Judged | None, after: Judged | None) -> None:
    """A pair that did not change has none; one that did goes a straight way, each cause once, in their order."""
    entries = ledger([(before, after)], "prod", DAY)
    for rule in NAMES:
        of_rule = [entry for entry in entries if entry.rule == rule]
        ends = [_said(side, rule) for side in (before, after)]
        moved = before is not None and after is not None and before.namespace != after.namespace and all(ends)
        if ends[0] == ends[1] and not moved:
            assert not of_rule
            continue
        assert all(entry.before != entry.after and entry.count == 1 for entry in of_rule)
        causes = Counter(entry.cause for entry in of_rule)
        assert all(number == 1 for cause, number in causes.items() if not (moved and cause == "scope"))
        assert len(of_rule) <= (4 if moved else 2)
        for namespace in {entry.namespace for entry in of_rule}:
            _is_a_path([entry for entry in of_rule if entry.namespace == namespace])


def _said(side: Judged | None, rule: str) -> int:
    names = [one.id for one in side.rules.rules] if side else []
    return side.verdicts[names.index(rule)] if side and rule in names else 0


def _is_a_path(entries: list[Entry]) -> None:
    """Told in the order of causes, each step begins where the one before has ended, and none comes twice."""
    steps = sorted(entries, key=lambda entry: CAUSES.index(entry.cause))
    states = [steps[0].before, *(step.after for step in steps)]
    assert [step.before for step in steps] == states[:-1]
    assert len(set(states)) == len(states)


@given(HISTORIES, st.randoms())
def test_the_order_of_objects_does_not_matter(history: list[tuple[Judged | None, Judged | None]], chance: Any) -> None:
    """Nor does it matter in how many batches they come."""
    shuffled = list(history)
    chance.shuffle(shuffled)
    whole = ledger(history, "prod", DAY)
    assert ledger(shuffled, "prod", DAY) == whole
    assert merge(entry for one in shuffled for entry in ledger([one], "prod", DAY)) == whole


def test_entries_of_other_tallies_are_refused() -> None:
    entry = Entry("prod", DAY, "shop", "a", Verdict.PASS, Verdict.FAIL, "findings")
    with pytest.raises(ValueError, match="do not follow"):
        applied([Tally("prod", "store", "a", passed=1)], [entry])


def test_verdicts_of_one_set_must_be_of_one_length() -> None:
    rules = _rules({"a": 1, "b": 1})
    with pytest.raises(ValueError, match="differ in number"):
        ledger([(Judged("", b"\1\1", rules), Judged("", b"\1", rules))], "prod", DAY)


@pytest.mark.parametrize(
    ("sent", "message"),
    [(b"\1", "1 verdicts on 2 rules"), (b"\1\1\1", "3 verdicts on 2 rules"), (b"\1\x08", "there is no verdict 8")],
)
def test_verdicts_that_are_none_are_refused(sent: bytes, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        read_verdicts(sent, _rules({"a": 1, "b": 1}))


def test_verdicts_are_read_as_they_are() -> None:
    sent = bytes(Verdict)
    assert read_verdicts(sent, _rules(dict.fromkeys("abcdefgh", 1))) == sent


def test_a_tally_counts_by_verdict() -> None:
    tally = Tally("prod", "shop", "a", 1, 2, 3, 4, 5, 6, 7)
    assert [tally.of(verdict) for verdict in Verdict] == [0, 1, 2, 3, 4, 5, 6, 7]
