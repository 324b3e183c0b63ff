"""Kept counts, held against the verdicts they are of: what nobody should ever need, and everybody may ask for."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from bartizan.model.ledger import Verdict
from bartizan.stores.known import facts_of
from bartizan.stores.schema import COUNTS, cluster, place, resource, rule, rule_set, tally

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

_AT_A_TIME = 1000


class Miscount(NamedTuple):
    """A kept count that is not what its objects say."""

    cluster: str
    namespace: str
    rule: str
    verdict: Verdict
    kept: int
    counted: int


def miscounts(connection: Connection) -> Iterator[Miscount]:
    """Every tally that is wrong, cluster by cluster. Of a store in use, ask in one reading transaction."""
    rules = {row.id: str(row.name) for row in connection.execute(select(rule.c.id, rule.c.name))}
    asked = {
        row.id: [facts.id for facts in facts_of(connection, row.editions)]
        for row in connection.execute(select(rule_set))
    }
    for number, name in connection.execute(select(cluster.c.id, cluster.c.name).order_by(cluster.c.name)).all():
        counted = _counted(connection, number, asked)
        kept = _kept(connection, number, rules)
        namespaces = {
            row.id: str(row.namespace) for row in connection.execute(select(place).where(place.c.cluster == number))
        }
        for key in sorted(counted.keys() | kept.keys()):
            if counted[key] != kept[key]:
                yield Miscount(name, namespaces.get(key[0], ""), key[1], Verdict(key[2]), kept[key], counted[key])


def _counted(connection: Connection, number: int, asked: dict[int, list[str]]) -> Counter[tuple[int, str, int]]:
    groups: Counter[tuple[int, int, bytes]] = Counter()
    wanted = select(resource.c.place, resource.c.rule_set, resource.c.verdicts)
    live = wanted.where(resource.c.cluster == number, resource.c.gone_at.is_(None), resource.c.rule_set.is_not(None))
    with connection.execute(live.execution_options(yield_per=_AT_A_TIME)) as rows:
        for row in rows:
            groups[row.place, row.rule_set, bytes(row.verdicts)] += 1
    counted: Counter[tuple[int, str, int]] = Counter()
    for (where, rules, verdicts), many in groups.items():
        for name, verdict in zip(asked[rules], verdicts, strict=True):
            if verdict:
                counted[where, name, verdict] += many
    return counted


def _kept(connection: Connection, number: int, rules: dict[int, str]) -> Counter[tuple[int, str, int]]:
    kept: Counter[tuple[int, str, int]] = Counter()
    for row in connection.execute(select(tally).where(tally.c.cluster == number)):
        for verdict, column in enumerate(COUNTS, 1):
            many = getattr(row, column)
            if many:
                kept[row.place, rules[row.rule], verdict] += many
    return kept
