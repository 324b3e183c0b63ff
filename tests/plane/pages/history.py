"""Days on which everything happens to a fleet, and what was so at the end of each: the truth that pages must tell."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.stores.fleet import World, at, observed, pod

from bartizan.findings.score import Framework, Score, framework_score, sums
from bartizan.model.ledger import RuleFacts, RuleSet
from bartizan.model.resource import identify
from bartizan.model.severity import Severity
from bartizan.stores import generations
from bartizan.stores.queries import scores
from bartizan.stores.scope import EVERYTHING, Grant

if TYPE_CHECKING:
    from datetime import date

    from bartizan.stores.open import Store
    from bartizan.stores.scope import Scope

DAYS = 7
_FIRST = -24 * (DAYS - 2)
"""The hour at which it all begins: it is over on the day before the tests' clock stands."""
SCOPES: dict[str, Scope] = {
    "everything": EVERYTHING,
    "one cluster": (Grant(clusters=("one",)),),
    "a team": (Grant(teams=("data",)),),
    "a namespace, and a team in a cluster": (Grant(namespaces=("shop",)), Grant(("two",), None, ("data",))),
    "nothing": (),
}
FRAMEWORK = ("law", ("a", "b", "c"))
_RULES = ("roots", "latest", "probes", "limits")
_VERDICTS = "ppppffwesv-"


@dataclass
class Told:
    """What was so at the end of each day, by scope: all pairs' numbers, and those of a framework."""

    world: World
    scores: dict[tuple[date, str], Score] = field(default_factory=dict)
    frameworks: dict[tuple[date, str], Score] = field(default_factory=dict)


def live(store: Store, seed: int, framework: Framework) -> Told:
    """Let a fleet live for some days, with whatever chance brings."""
    chance = random.Random(seed)
    told = Told(World(store).join("one", "two"))
    for day in range(DAYS):
        for hour in sorted(chance.sample(range(12), 3)):
            _happen(told.world, chance, _FIRST + 24 * day + hour)
        if day == DAYS - 3:
            generations.age(told.world.ingest, store, "two", at(_FIRST + 24 * day + 14), at(_FIRST + 24 * (day - 1)))
        _remember(store, told, framework, at(_FIRST + 24 * day).date())
    return told


def _happen(world: World, chance: random.Random, hours: float) -> None:
    cluster = chance.choice(("one", "two"))
    rules = _rules(chance)
    said: dict[str, Any] = {}
    for number in range(chance.randint(1, 6)):
        namespace, team = chance.choice((("shop", "payments"), ("shop", "data"), ("batch", "data")))
        verdicts = "".join(chance.choice(_VERDICTS) for _ in rules.rules)
        said[f"{namespace}{number}"] = observed(pod(f"p{number}", namespace), rules, verdicts, team)
    gone = tuple(
        identify(pod(f"p{number}", "batch"))
        for number in range(6)
        if f"batch{number}" not in said and chance.random() < 0.2
    )
    world.keep(rules, *said.values(), gone=gone, cluster=cluster, hours=hours)


def _rules(chance: random.Random) -> RuleSet:
    """Rules of which each may be missing, another, more severe or of other controls than before."""
    names = [name for name in _RULES if chance.random() < 0.85] or ["roots"]
    facts = tuple(
        RuleFacts(
            name,
            chance.choice((Severity.LOW, Severity.HIGH)) if name == "latest" else Severity.MEDIUM,
            tuple(f"law:{one}" for one in "abc" if chance.random() < 0.6),
            chance.choice("12"),
        )
        for name in names
    )
    return RuleSet(repr(facts), facts)


def _remember(store: Store, told: Told, framework: Framework, day: date) -> None:
    with store.reading() as connection:
        for name, scope in SCOPES.items():
            counts, facts = scores.rules(connection, scope)
            told.scores[day, name] = sums(counts, facts).score()
            told.frameworks[day, name] = framework_score(counts, facts, framework, {})


def days() -> list[date]:
    """The days of such a history."""
    return [(at(_FIRST) + timedelta(days=number)).date() for number in range(DAYS)]
