"""What a policy would say of an inventory, beside what is said now: counts, places and a few objects of each rule.

However large the inventory, this stays small: places beyond some thousands
are counted as others, and of the objects the first are kept.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.app.trial.wire import CHANGE, REFUSED
from bartizan.model.ledger import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bartizan.app.trial.wire import Judged, Rule
    from bartizan.stores.queries.inventory import Kept

_PLACES: Final = 5000
_SAMPLE: Final = 20
_FAILING: Final = frozenset({Verdict.FAIL, Verdict.WARN})
_FAILS_NOW: Final = frozenset({Verdict.FAIL, Verdict.WARN, Verdict.WAIVED})
_OF_CODE: Final[Mapping[int, str]] = {
    Verdict.PASS: "pass",
    Verdict.FAIL: "fail",
    Verdict.WARN: "warn",
    Verdict.ERROR: "error",
    Verdict.SKIP: "skip",
    CHANGE: "change",
}


class Place(NamedTuple):
    """Where objects would fail a rule."""

    rule: int
    cluster: str
    namespace: str


class Example(NamedTuple):
    """An object that would fail; `is_new` says that it does not fail a rule of that name now."""

    number: int
    cluster: str
    namespace: str
    kind: str
    name: str
    message: str
    is_new: bool


@dataclass(slots=True)
class RuleOutlook:
    """One rule. `is_known` says that a rule of this name is asked somewhere now; without it nothing is compared."""

    rule: Rule
    counts: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    is_known: bool = False
    new: int = 0
    mended: int = 0
    failing_now: int = 0
    examples: list[Example] = field(default_factory=list)
    errors: list[Example] = field(default_factory=list)

    @property
    def failing(self) -> int:
        """How many objects would fail."""
        return self.counts["fail"] + self.counts["warn"]


class Outlook:
    """All rules, as pieces come in."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = [RuleOutlook(rule) for rule in rules]
        self.places: Counter[Place] = Counter()
        self.elsewhere = 0
        """Failures in places beyond those that are kept apart."""

    def add(self, kept: Sequence[Kept], judged: Judged, columns: Mapping[int, Mapping[str, int]]) -> None:
        """Take in what was said of a piece; `columns` are by set of rules, as `inventory.columns_of` has them."""
        why = {(number, column): message for number, column, message in judged.why}
        for number, (one, said) in enumerate(zip(kept, judged.verdicts, strict=True)):
            asked = columns.get(one.rule_set, {}) if one.rule_set is not None else {}
            for column, code in enumerate(said):
                at = asked.get(self.rules[column].rule.name)
                now = Verdict(one.verdicts[at]) if at is not None and at < len(one.verdicts) else None
                self._add(column, one, code, now, why.get((number, column), ""))

    def worst_places(self, limit: int) -> list[tuple[Place, int]]:
        """Where most objects would fail."""
        return sorted(self.places.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]

    def _add(self, column: int, one: Kept, code: int, now: Verdict | None, message: str) -> None:
        rule = self.rules[column]
        rule.is_known |= now is not None
        fails_now = now in _FAILS_NOW
        rule.failing_now += fails_now
        verdict = code & ~REFUSED
        word = _OF_CODE.get(verdict)
        if word is None:  # not asked: what fails now would be out of scope
            rule.mended += fails_now
            return
        rule.counts[word] += 1
        rule.refused += bool(code & REFUSED)
        example = Example(one.number, one.cluster_name, one.namespace, one.kind, one.name, message, not fails_now)
        if verdict in _FAILING:
            rule.new += not fails_now
            _keep(rule.examples, example)
            self._count(Place(column, one.cluster_name, one.namespace))
        else:
            rule.mended += fails_now and word in ("pass", "skip")
            if word == "error" and len(rule.errors) < _SAMPLE:
                rule.errors.append(example)

    def _count(self, place: Place) -> None:
        if place in self.places or len(self.places) < _PLACES:
            self.places[place] += 1
        else:
            self.elsewhere += 1


def _keep(examples: list[Example], example: Example) -> None:
    """Keep the first few, and those that are new before those that are not."""
    if len(examples) < _SAMPLE:
        examples.append(example)
    elif example.is_new:
        old = next((number for number, one in enumerate(examples) if not one.is_new), None)
        if old is not None:
            examples[old] = example
