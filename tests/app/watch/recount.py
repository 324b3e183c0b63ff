"""What a store's counts must be, counted again from the verdicts of all that is there."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import select

from bartizan.model.ledger import Verdict
from bartizan.stores.known import Known
from bartizan.stores.schema import COUNTS, finding, resource, tally, total

if TYPE_CHECKING:
    from bartizan.stores.open import Store


def assert_counts(store: Store) -> None:
    """Tallies and totals are those of the verdicts; what is bad has a finding, and every open finding something bad."""
    known = Known(store)
    pairs: Counter[tuple[int, str, int]] = Counter()
    bad = 0
    with store.reading() as connection:
        for row in connection.execute(select(resource).where(resource.c.gone_at.is_(None))):
            rules = known.rule_set_of(connection, row.rule_set).rules.rules
            for facts, verdict in zip(rules, row.verdicts, strict=True):
                pairs[row.place, facts.id, verdict] += 1
        held: Counter[tuple[int, str, int]] = Counter()
        ids = known.rules({rule for _, rule, _ in pairs})
        names = {number: name for name, number in ids.items()}
        for row in connection.execute(select(tally)):
            for verdict, column in enumerate(COUNTS, 1):
                held[row.place, names.get(row.rule, str(row.rule)), verdict] += getattr(row, column)
        expected = Counter({key: number for key, number in pairs.items() if key[2] != Verdict.NONE and number})
        assert +held == expected
        sums = [sum(number for key, number in expected.items() if key[2] == verdict) for verdict in range(1, 8)]
        rows = list(connection.execute(select(total)))
        assert [sum(getattr(row, column) for row in rows) for column in COUNTS] == sums
        bad = sum(sums[verdict - 1] for verdict in (Verdict.FAIL, Verdict.WARN, Verdict.ERROR, Verdict.WAIVED))
        wanted = select(finding.c.resource, finding.c.rule).where(finding.c.closed_at.is_(None)).distinct()
        assert len(list(connection.execute(wanted))) == bad
