"""Why a score moved: its movement between two days split by cause, in parts that sum to it exactly.

The entries between the days are applied cause by cause, in the order of
`CAUSES`; a cause's part is the score after it less the score before it.
Where a day's entries can only be told in another order (an object came, then
broke: there was nothing to break before it came) the rest of a cause waits
until there are pairs for it, and its part is the sum of its steps. So no
step is ever worked out from less than nothing.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from bartizan.findings.score.numbers import attested_on, by_rule, framework_score, sums
from bartizan.model.ledger import CAUSES, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from bartizan.findings.score.numbers import Attestation, Attested, Framework, Score
    from bartizan.model.ledger import Cause, Entry, RuleFacts, Tally


class Standing(NamedTuple):
    """All that a score on one day is made from. With a framework it is that of the framework, else of all pairs."""

    day: date
    tallies: Sequence[Tally]
    facts: Mapping[str, RuleFacts]
    framework: Framework | None = None
    attestations: Sequence[Attestation] = ()


class Movement(NamedTuple):
    """One number between two days. `parts` has every cause, and is empty where there was no number to compare."""

    before: Fraction | None
    after: Fraction | None
    parts: Mapping[Cause, Fraction]

    @property
    def delta(self) -> Fraction | None:
        """How far it moved: the sum of the parts."""
        return None if self.before is None or self.after is None else self.after - self.before


class Movements(NamedTuple):
    """The movements of the three numbers."""

    pass_rate: Movement
    coverage: Movement
    exception_share: Movement


def score_of(standing: Standing) -> Score:
    """The three numbers of one day."""
    holding = attested_on(standing.day, standing.attestations)
    return _score(by_rule(standing.tallies), standing.facts, standing.framework, holding)


def movements(before: Standing, after: Standing, entries: Iterable[Entry]) -> Movements:
    """Split what happened between two days by cause.

    A rule's severity and controls and a framework's controls belong to
    *rules*; another word of an attestation to *findings*; one that began or
    ended to *freshness*.

    Raises:
        ValueError: the entries do not lead from the one to the other.
    """
    steps = list(_steps(before, after, entries))
    numbers = zip(*(score for _, score in steps), strict=True)
    causes = [cause for cause, _ in steps]
    return Movements(*(_movement(causes, list(values)) for values in numbers))


def _movement(causes: Sequence[Cause | None], values: Sequence[Fraction | None]) -> Movement:
    """The parts of one number. Where a step leaves nothing to count, the next is measured from before it."""
    first, last = values[0], values[-1]
    if first is None or last is None:
        return Movement(first, last, {})
    parts = dict.fromkeys(CAUSES, Fraction())
    at = first
    for cause, value in zip(causes, values, strict=True):
        if cause is not None and value is not None:
            parts[cause] += value - at
            at = value
    return Movement(first, last, parts)


def _steps(before: Standing, after: Standing, entries: Iterable[Entry]) -> Iterator[tuple[Cause | None, Score]]:
    """The score at first, and after each step with the cause of it."""
    counts, goal = by_rule(before.tallies), by_rule(after.tallies)
    then, now = attested_on(before.day, before.attestations), attested_on(after.day, after.attestations)
    facts: Mapping[str, RuleFacts] = {**after.facts, **before.facts}  # a rule of later may have come by a finding
    framework, holding = before.framework, then
    yield None, _score(counts, facts, framework, holding)
    waiting = _waiting(entries)
    for cause in CAUSES:
        _apply(counts, waiting[cause])
        if cause == "findings":
            holding = {**then, **{key: now[key] for key in then.keys() & now.keys()}}
        elif cause == "rules":
            facts, framework = {**before.facts, **after.facts}, after.framework
        elif cause == "freshness":
            holding = now
        yield cause, _score(counts, facts, framework, holding)
    while any(waiting.values()):
        moved = [(cause, _apply(counts, waiting[cause]), _score(counts, facts, framework, holding)) for cause in CAUSES]
        yield from ((cause, score) for cause, any_moved, score in moved if any_moved)
        if not any(any_moved for _, any_moved, _ in moved):
            break  # only circles are left, or these are not the entries; which of them, the goal tells
    _settle(counts, waiting)
    if not _same(counts, goal):
        raise ValueError("the entries do not lead from the tallies before to those after")


def _waiting(entries: Iterable[Entry]) -> dict[Cause, dict[tuple[str, int, int], int]]:
    """Entries by cause; places do not matter to a score, so what only moved is left out."""
    found: dict[Cause, dict[tuple[str, int, int], int]] = {cause: {} for cause in CAUSES}
    for one in sorted(entries):
        key = (one.rule, int(one.before), int(one.after))
        found[one.cause][key] = found[one.cause].get(key, 0) + one.count
    for moves in found.values():
        for rule, old, new in list(moves):
            there, back = moves.get((rule, old, new), 0), moves.get((rule, new, old), 0)
            for key in ((rule, old, new), (rule, new, old)):
                if key in moves:
                    moves[key] -= min(there, back)
    return {cause: {key: number for key, number in moves.items() if number} for cause, moves in found.items()}


def _apply(counts: dict[str, list[int]], moves: dict[tuple[str, int, int], int]) -> bool:
    """Move as many pairs as there are, until no more can move; what could not stays in `moves`."""
    any_moved, again = False, True
    while again:
        again = False
        for (rule, old, new), number in list(moves.items()):
            row = counts.setdefault(rule, [0] * len(Verdict))
            able = number if old == Verdict.NONE else min(number, row[old])
            if able > 0:
                row[old] -= able
                row[new] += able
                moves[rule, old, new] = number - able
                any_moved = again = True
        for key in [key for key, number in moves.items() if not number]:
            del moves[key]
    return any_moved


def _settle(counts: dict[str, list[int]], waiting: Mapping[Cause, Mapping[tuple[str, int, int], int]]) -> None:
    for moves in waiting.values():
        for (rule, old, new), number in moves.items():
            row = counts.setdefault(rule, [0] * len(Verdict))
            row[old] -= number
            row[new] += number


def _same(one: Mapping[str, list[int]], other: Mapping[str, list[int]]) -> bool:
    nothing = [0] * len(Verdict)
    return all(one.get(rule, nothing)[1:] == other.get(rule, nothing)[1:] for rule in one.keys() | other.keys())


def _score(
    counts: Mapping[str, Sequence[int]],
    facts: Mapping[str, RuleFacts],
    framework: Framework | None,
    holding: Attested,
) -> Score:
    if framework is None:
        return sums(counts, facts).score()
    return framework_score(counts, facts, framework, holding)
