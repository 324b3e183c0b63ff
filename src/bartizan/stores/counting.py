"""Entries of the ledger, and the counts that follow from them: tallies, totals and the movement of the day."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, func, select, update

from bartizan.stores import bulk
from bartizan.stores.schema import COUNTS, entry, rollup, tally, total
from bartizan.stores.schema.columns import days

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from bartizan.model.ledger import Entry, RuleSet

_ENTRY: Final = ["cluster", "day", "place", "rule", "before", "after", "cause", "count"]
_TALLY: Final = ["place", "rule", "cluster", "severity", *COUNTS]
_TOTAL: Final = ["cluster", "severity", *COUNTS]
_ROLLUP: Final = ["cluster", "day", "severity", *COUNTS]


def count(
    connection: Connection,
    cluster_id: int,
    entries: Sequence[Entry],
    ids: Mapping[str, int],
    severities: Mapping[str, int],
) -> None:
    """Keep entries, whose namespaces are ids of places, and move the counts by them."""
    day = entries[0].day
    pairs: dict[tuple[int, int, int], list[int]] = defaultdict(lambda: [0] * (len(COUNTS) + 1))
    weights: dict[int, list[int]] = defaultdict(lambda: [0] * (len(COUNTS) + 1))
    rows = []
    for one in entries:
        place, rule, severity = int(one.namespace), ids[one.rule], severities[one.rule]
        for sums in (pairs[place, rule, severity], weights[severity]):
            sums[one.before] -= one.count
            sums[one.after] += one.count
        key = (cluster_id, days(one.day), place, rule, int(one.before), int(one.after), one.cause)
        rows.append((*key, one.count))
    bulk.add(connection, entry, _ENTRY, ["count"], rows)
    moved = [(place, rule, cluster_id, severity, *sums[1:]) for (place, rule, severity), sums in sorted(pairs.items())]
    bulk.add(connection, tally, _TALLY, COUNTS, moved)
    _move_totals(connection, cluster_id, day, {severity: sums[1:] for severity, sums in weights.items()})


def severities_of(connection: Connection, cluster_id: int, rules: RuleSet, ids: Mapping[str, int]) -> dict[str, int]:
    """The severity under which a cluster counts each rule: its set's, or as before for a rule that is leaving."""
    found = {facts.id: int(facts.severity) for facts in rules.rules if facts.id in ids}
    leaving = {number: name for name, number in ids.items() if name not in found}
    if leaving:
        wanted = select(tally.c.rule, tally.c.severity).where(tally.c.cluster == cluster_id, tally.c.rule.in_(leaving))
        found.update((leaving[rule], severity) for rule, severity in connection.execute(wanted))
    return found


def weigh_again(connection: Connection, cluster_id: int, changed: Mapping[int, int], day: date) -> None:
    """Count rules under another severity from now on: `changed` is by a rule's id."""
    before = _totals(connection, cluster_id)
    for rule, severity in sorted(changed.items()):
        connection.execute(
            update(tally).where(tally.c.cluster == cluster_id, tally.c.rule == rule).values(severity=severity)
        )
    after = _sums(connection, cluster_id)
    nothing = (0,) * len(COUNTS)
    moved = {
        severity: [
            new - old for old, new in zip(before.get(severity, nothing), after.get(severity, nothing), strict=True)
        ]
        for severity in before.keys() | after.keys()
    }
    _move_totals(connection, cluster_id, day, {severity: sums for severity, sums in moved.items() if any(sums)})


def _move_totals(connection: Connection, cluster_id: int, day: date, sums: Mapping[int, Iterable[int]]) -> None:
    rows = [(severity, *row) for severity, row in sorted(sums.items())]
    bulk.add(connection, total, _TOTAL, COUNTS, [(cluster_id, *row) for row in rows])
    bulk.add(connection, rollup, _ROLLUP, COUNTS, [(cluster_id, days(day), *row) for row in rows])


def _totals(connection: Connection, cluster_id: int) -> dict[int, tuple[int, ...]]:
    wanted = select(total.c.severity, *(total.c[name] for name in COUNTS)).where(total.c.cluster == cluster_id)
    return {row[0]: tuple(row[1:]) for row in connection.execute(wanted)}


def _sums(connection: Connection, cluster_id: int) -> dict[int, tuple[int, ...]]:
    sums = (func.sum(tally.c[name]) for name in COUNTS)
    wanted = select(tally.c.severity, *sums).where(tally.c.cluster == cluster_id).group_by(tally.c.severity)
    return {row[0]: tuple(map(int, row[1:])) for row in connection.execute(wanted)}
