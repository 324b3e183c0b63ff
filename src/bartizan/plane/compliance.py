"""Frameworks over a part of the fleet: their numbers, and what each control says.

A framework is one of the catalogue, or one that only rules of the users'
policies name; of that no more is known than what they name.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from bartizan.catalog.loader import Control, Framework, load_catalog
from bartizan.catalog.scoring import attested_name, scored
from bartizan.findings.score import attested_on, control_scores, framework_score, sums
from bartizan.model.ledger import RuleFacts, Verdict
from bartizan.stores import attesting
from bartizan.stores.queries import scores
from bartizan.stores.queries.scores import Rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from bartizan.findings.score import Attestation, Score
    from bartizan.plane.part import Chosen
    from bartizan.stores.attesting import Attested


@dataclass(frozen=True, slots=True)
class Compliance:
    """What is known of a part of the fleet at a time."""

    at: datetime
    rules: Rules
    attestations: list[Attestation]
    words: list[Attested]
    """All attestations that the viewer may see, with what they say; the newest first."""

    def score(self) -> Score:
        """The numbers over all pairs."""
        return sums(self.rules.counts, self.rules.facts).score()

    def of(self, framework: Framework) -> Score:
        """The numbers of a framework."""
        holding = attested_on(self.at.date(), self.attestations)
        return framework_score(self.rules.counts, self.rules.facts, scored(framework), holding)


@dataclass(frozen=True, slots=True)
class ServingRule:
    """A rule that serves a control, and how many pairs it has by verdict; none where nobody asked it."""

    name: str
    counts: list[int]

    @property
    def failing(self) -> int:
        """How many pairs fail."""
        return self.counts[Verdict.FAIL]


@dataclass(frozen=True, slots=True)
class ControlView:
    """A control with its numbers: what rules see, and what was attested (`word` is in force, and counts)."""

    name: str
    demand: Control
    score: Score
    rules: list[ServingRule]
    attested: Score | None
    word: Attested | None

    @property
    def failing(self) -> int:
        """How many pairs fail."""
        return sum(rule.failing for rule in self.rules)

    @property
    def answered(self) -> bool:
        """Whether anything is known of it: a pair was judged, or somebody attested."""
        return bool(self.score.coverage) or self.word is not None


@dataclass(frozen=True, slots=True)
class FrameworkRow:
    """A framework with its numbers, and of its controls how many fail, have no answer, and need or have a word."""

    framework: Framework
    score: Score
    controls: int
    failing: int
    unanswered: int
    manual: int
    attested: int


def read(connection: Connection, chosen: Chosen, at: datetime) -> Compliance:
    """Read all that frameworks are worked out from."""
    words = attesting.attested(connection, chosen.scope)
    rules = scores.rules(connection, chosen.scope)
    rules = Rules(rules.counts, with_controls(rules.facts))
    return Compliance(at, rules, attesting.for_scores(words, chosen.cluster), words)


def with_controls(facts: Mapping[str, RuleFacts]) -> dict[str, RuleFacts]:
    """Facts with the controls that name a check of the catalogue, beside those that it names itself."""
    found = {}
    for key, one in facts.items():
        places = controls_of(one.id.partition(" (")[0], one.frameworks)
        found[key] = one if places == one.frameworks else RuleFacts(one.id, one.severity, places, one.digest)
    return found


def controls_of(rule: str, named: tuple[str, ...]) -> tuple[str, ...]:
    """All controls that a rule serves: those that it names, and those that name it."""
    more = _catalogued().get(rule)
    return tuple(sorted({*named, *more})) if more else named


@lru_cache(maxsize=1)
def _catalogued() -> dict[str, tuple[str, ...]]:
    """The controls that each check of the catalogue serves."""
    found: dict[str, list[str]] = {}
    for framework in load_catalog().frameworks.values():
        for name, control in framework.controls.items():
            for check in control.checks:
                found.setdefault(check, []).append(f"{framework.id}:{name}")
    return {check: tuple(places) for check, places in found.items()}


def known(facts: Iterable[RuleFacts]) -> dict[str, Framework]:
    """All frameworks by id: those of the catalogue first, then those that only rules name."""
    found = dict(load_catalog().frameworks)
    named: dict[str, dict[str, set[str]]] = {}
    for rule in facts:
        for place in rule.frameworks:
            framework, _, control = place.partition(":")
            if framework not in found:
                named.setdefault(framework, {}).setdefault(control, set()).add(rule.id)
    for framework, controls in sorted(named.items()):
        served = {name: Control(name, tuple(sorted(rules))) for name, rules in sorted(controls.items())}
        found[framework] = Framework(framework, framework, "", served)
    return found


def row_of(compliance: Compliance, framework: Framework) -> FrameworkRow:
    """A framework's row."""
    controls = views(compliance, framework)
    manual = [one for one in controls if one.demand.manual]
    unanswered = sum(not one.answered for one in controls)
    return FrameworkRow(
        framework, compliance.of(framework), len(controls), sum(one.failing > 0 for one in controls), unanswered,
        len(manual), sum(one.word is not None for one in manual),
    )  # fmt: skip  # as the fields stand


def views(compliance: Compliance, framework: Framework) -> list[ControlView]:
    """The controls of a framework, in its order."""
    rules = compliance.rules
    holding = attested_on(compliance.at.date(), compliance.attestations)
    by_control = control_scores(rules.counts, rules.facts, scored(framework), holding)
    serving = _serving(framework.id, rules)
    found = []
    for name, demand in framework.controls.items():
        said = attested_name(name, demand)
        asked = serving.get(name, {})
        mine = [ServingRule(rule, asked.get(rule, [0] * len(Verdict))) for rule in sorted({*demand.checks, *asked})]
        of_rules = by_control[name] if demand.checks else by_control[said]
        word = _word(compliance, framework.id, said) if said else None
        found.append(ControlView(name, demand, of_rules, mine, by_control[said] if said else None, word))
    return found


def _serving(framework: str, rules: Rules) -> dict[str, dict[str, list[int]]]:
    """The counts of rules by the control they serve, whatever cluster has them as what."""
    found: dict[str, dict[str, list[int]]] = {}
    for key, facts in rules.facts.items():
        for place in facts.frameworks:
            named, _, control = place.partition(":")
            if named == framework:
                row = found.setdefault(control, {}).setdefault(facts.id, [0] * len(Verdict))
                for verdict, number in enumerate(rules.counts[key]):
                    row[verdict] += number
    return found


def _word(compliance: Compliance, framework: str, control: str) -> Attested | None:
    """What counts today for a control: the last that was said; of several of one day the least."""
    counting = {(one.framework, one.control, one.since, one.percent) for one in compliance.attestations}
    mine = [
        one
        for one in compliance.words
        if (one.framework, one.control) == (framework, control)
        and one.holds(compliance.at)
        and (framework, control, one.made_at.date(), one.percent) in counting
    ]
    return max(mine, key=lambda one: (one.made_at.date(), -one.percent), default=None)
