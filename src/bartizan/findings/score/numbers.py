"""How far from compliant: three numbers, never one mystery, and none where there is nothing to count.

All are fractions, so that parts of a movement sum to it exactly. A letter or
a blend of the three is left out on purpose: what is unknown must not look
like health, nor what is accepted like what is mended.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import msgspec

from bartizan.base.errors import SpecError
from bartizan.model.ledger import Verdict
from bartizan.model.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bartizan.model.ledger import RuleFacts, Tally

WEIGHTS: Final[Mapping[Severity, int]] = MappingProxyType(
    {Severity.CRITICAL: 10, Severity.HIGH: 5, Severity.MEDIUM: 2, Severity.LOW: 1, Severity.INFO: 0}
)
"""What a pair weighs in a pass rate, by the severity of its rule. Fixed, and printed with every score."""

FORMULA: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pass rate": "the weights of the pairs that pass, divided by those of the pairs that pass or fail; a pair is"
        " one object and one rule, and weighs 10 where the rule is critical, 5 high, 2 medium, 1 low, 0 info",
        "coverage": "the pairs that pass, fail, warn or are waived, divided by those and the pairs that are unknown:"
        " the rule could not run, or the object was not judged for too long; pairs a rule skips are in neither",
        "exception share": "the pairs that are waived, divided by the pairs that pass, fail or are waived",
        "framework": "of each number, the mean over the controls that have it; a control done by hand passes by what"
        " was attested, covers while the attestation lasts, and is unknown, so uncovered, without one",
    }
)
"""The formula in words, for pages and reports."""


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True, order=True):
    """A control of a framework; one that is `manual` is not judged by rules, but attested."""

    id: str
    manual: bool = False


class Framework(msgspec.Struct, frozen=True, forbid_unknown_fields=True, order=True):
    """A framework, as far as scores go. Rules name their controls as `framework:control`."""

    id: str
    controls: tuple[Control, ...]


class Score(NamedTuple):
    """The three numbers, each from 0 to 1; nothing where there was nothing to count."""

    pass_rate: Fraction | None
    coverage: Fraction | None
    exception_share: Fraction | None


class Sums(NamedTuple):
    """What the three numbers are divided from. Unit: pairs, except for the weights."""

    weight_passed: int = 0
    weight_decided: int = 0
    judged: int = 0
    in_scope: int = 0
    waived: int = 0
    answered: int = 0

    def score(self) -> Score:
        """The numbers."""
        return Score(
            _share(self.weight_passed, self.weight_decided),
            _share(self.judged, self.in_scope),
            _share(self.waived, self.answered),
        )


Counts: TypeAlias = "Mapping[str, Sequence[int]]"
"""By rule, how many pairs have each verdict: what is left of tallies where places no longer matter."""
Attested: TypeAlias = "Mapping[tuple[str, str], Fraction]"
"""By framework and control, what was attested and holds."""


class Attestation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, order=True):
    """Somebody says how far a manual control is met, from the day `since` through the day `until`."""

    framework: str
    control: str
    percent: int
    since: date
    until: date
    by: str = ""


def by_rule(tallies: Iterable[Tally]) -> dict[str, list[int]]:
    """Add up the counts of each rule over all places."""
    found: dict[str, list[int]] = {}
    for tally in tallies:
        row = found.setdefault(tally.rule, [0] * len(Verdict))
        for verdict, number in enumerate(tally.counts, 1):
            row[verdict] += number
    return found


def sums(counts: Counts, facts: Mapping[str, RuleFacts]) -> Sums:
    """What the numbers over these counts are divided from.

    Raises:
        SpecError: nothing is known of a rule that has pairs.
    """
    return _summed((_facts_of(rule, facts).severity, row[1:]) for rule, row in counts.items() if any(row[1:]))


def severity_score(counts: Mapping[int, Sequence[int]]) -> Score:
    """The numbers of counts that are kept by severity, from `Verdict.PASS` on: all that an overview has to read."""
    return severity_sums(counts).score()


def severity_sums(counts: Mapping[int, Sequence[int]]) -> Sums:
    """What the numbers of such counts are divided from; enough to order a thousand clusters by."""
    return _summed((Severity(severity), row) for severity, row in counts.items())


def _summed(rows: Iterable[tuple[Severity, Sequence[int]]]) -> Sums:
    weight_passed = weight_decided = judged = unknown = waived = answered = 0
    for severity, (passed, failed, warned, errors, _skipped, accepted, stale) in rows:
        weight = WEIGHTS[severity]
        weight_passed += weight * passed
        weight_decided += weight * (passed + failed)
        judged += passed + failed + warned + accepted
        unknown += errors + stale
        waived += accepted
        answered += passed + failed + accepted
    return Sums(weight_passed, weight_decided, judged, judged + unknown, waived, answered)


def score(tallies: Iterable[Tally], facts: Mapping[str, RuleFacts]) -> Score:
    """The numbers of whatever the tallies are of: a cluster, a namespace, a team, the fleet."""
    return sums(by_rule(tallies), facts).score()


def scores_by(
    tallies: Iterable[Tally], facts: Mapping[str, RuleFacts], group: Callable[[Tally], str | None]
) -> dict[str, Score]:
    """The numbers of each group, by name; what is of no group is left out."""
    groups: dict[str, list[Tally]] = {}
    for tally in tallies:
        name = group(tally)
        if name is not None:
            groups.setdefault(name, []).append(tally)
    return {name: score(groups[name], facts) for name in sorted(groups)}


def framework_score(counts: Counts, facts: Mapping[str, RuleFacts], framework: Framework, attested: Attested) -> Score:
    """The numbers of a framework: of each, the mean over the controls that have it."""
    controls = control_scores(counts, facts, framework, attested).values()
    return Score(
        _mean([one.pass_rate for one in controls]),
        _mean([one.coverage for one in controls]),
        _mean([one.exception_share for one in controls]),
    )


def control_scores(
    counts: Counts, facts: Mapping[str, RuleFacts], framework: Framework, attested: Attested
) -> dict[str, Score]:
    """The numbers of each control. Rules that name a manual control do not speak for it."""
    served: dict[str, dict[str, Sequence[int]]] = {}
    for rule, row in counts.items():
        if any(row[1:]):
            for name in _facts_of(rule, facts).frameworks:
                served.setdefault(name, {})[rule] = row
    found = {}
    for control in framework.controls:
        if control.manual:
            value = attested.get((framework.id, control.id))
            found[control.id] = Score(value, Fraction(value is not None), None)
        else:
            found[control.id] = sums(served.get(f"{framework.id}:{control.id}", {}), facts).score()
    return found


def attested_on(day: date, attestations: Iterable[Attestation]) -> dict[tuple[str, str], Fraction]:
    """What holds on a day: of several, what was attested last; of several of one day, the least."""
    holding: dict[tuple[str, str], tuple[date, int]] = {}
    for one in attestations:
        if one.since <= day <= one.until:
            key, this = (one.framework, one.control), (one.since, -one.percent)
            holding[key] = max(holding.get(key, this), this)
    return {key: Fraction(-negative, 100) for key, (_, negative) in holding.items()}


def percent(value: Fraction | None) -> str:
    """A number for people, with two decimals; `100.00` and `0.00` are said only of all and of nothing."""
    if value is None:
        return ""
    hundredths = round(value * 10_000)
    if value not in (0, 1):
        hundredths = min(max(hundredths, 1), 9_999)
    return f"{hundredths // 100}.{hundredths % 100:02}"


def _facts_of(rule: str, facts: Mapping[str, RuleFacts]) -> RuleFacts:
    known = facts.get(rule)
    if known is None:
        raise SpecError(f"nothing is known of rule `{rule}`, which has verdicts")
    return known


def _share(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None


def _mean(values: Sequence[Fraction | None]) -> Fraction | None:
    known = [value for value in values if value is not None]
    return sum(known, Fraction()) / len(known) if known else None
