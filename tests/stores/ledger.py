"""The counts of a store, worked out again from the objects in it: what every test of writing ends with."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import select

from bartizan.stores.known import facts_of
from bartizan.stores.schema import COUNTS, cluster, entry, resource, rollup, rule, rule_set, tally, total

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bartizan.stores.open import Store


def assert_counts_hold(store: Store) -> None:
    """Tallies are the verdicts of all objects; totals, entries and rollups come to the same."""
    with store.reading() as connection:
        counted = _counted(connection)
        names = {row.id: row.name for row in connection.execute(select(rule))}
        rows = list(connection.execute(select(tally)))
        told = Counter({(r.place, names[r.rule], n): getattr(r, c) for r in rows for n, c in enumerate(COUNTS, 1)})
        assert {key: number for key, number in told.items() if number} == dict(counted)

        summed: Counter[tuple[int, str, int]] = Counter()
        for r in connection.execute(select(entry)):
            summed[r.place, names[r.rule], r.before] -= r.count
            summed[r.place, names[r.rule], r.after] += r.count
        assert {key: number for key, number in summed.items() if number and key[2]} == dict(counted)

        by_severity: Counter[tuple[int, int, str]] = Counter()
        for r in rows:
            by_severity.update({(r.cluster, r.severity, name): getattr(r, name) for name in COUNTS})
        wanted = {key: number for key, number in by_severity.items() if number}
        for table in (total, rollup):
            found: Counter[tuple[int, int, str]] = Counter()
            for r in connection.execute(select(table)):
                found.update({(r.cluster, r.severity, name): getattr(r, name) for name in COUNTS})
            assert {key: number for key, number in found.items() if number} == wanted, table.name

        there = Counter(
            r.cluster for r in connection.execute(select(resource.c.cluster).where(resource.c.gone_at.is_(None)))
        )
        assert {r.id: r.objects for r in connection.execute(select(cluster)) if r.objects} == dict(there)


def _counted(connection: Connection) -> Counter[tuple[int, str, int]]:
    sets = {
        row.id: [facts.id for facts in facts_of(connection, row.editions)]
        for row in connection.execute(select(rule_set))
    }
    counted: Counter[tuple[int, str, int]] = Counter()
    for row in connection.execute(select(resource)):
        for name, verdict in zip(sets.get(row.rule_set, []), row.verdicts, strict=True):
            if verdict:
                counted[row.place, name, verdict] += 1
    return counted
