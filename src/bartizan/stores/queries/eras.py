"""What rules were for whom and when: clusters that were asked by the same sets of rules in the same order are one era.

A fleet that is kept alike has one or two eras, however large it is. The
database groups by them, and so nothing is read cluster by cluster.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import BigInteger, and_, column, func, literal, select, values

from bartizan.model.ledger import RuleFacts
from bartizan.model.severity import Severity
from bartizan.stores.known import facts_of
from bartizan.stores.schema import adoption, cluster, rule, rule_set
from bartizan.stores.scope import members

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from sqlalchemy import ColumnElement, Connection, Select

    from bartizan.stores.scope import Scope

Asked: TypeAlias = tuple[int, ...]
"""Sets of rules that were asked, the last first."""
Key: TypeAlias = tuple[int, int]
"""A rule by its number, as the clusters of an era have it: era and rule."""


class Eras:
    """The eras of the clusters that a viewer may see something of and that have not left, as of the ends of `days`.

    Without days it is as of now. An era is a number, and says for each day by
    which sets its clusters were asked.
    """

    def __init__(self, connection: Connection, scope: Scope, days: Sequence[date] = ()) -> None:
        taken: dict[int, list[tuple[date, int]]] = defaultdict(list)
        wanted = select(adoption.c.cluster, adoption.c.day, adoption.c.rule_set)
        wanted = wanted.join(cluster, cluster.c.id == adoption.c.cluster)
        wanted = wanted.where(members(scope, adoption.c.cluster), cluster.c.left_at.is_(None))
        for number, day, its_set in connection.execute(wanted.order_by(adoption.c.day.desc(), adoption.c.at.desc())):
            taken[number].append((day, its_set))
        asked = {number: _asked(rows, days) for number, rows in taken.items()}
        often = Counter(asked.values())
        order = sorted(often, key=lambda one: (-often[one], one))
        self.asked: list[tuple[Asked, ...]] = order or [((),) * max(len(days), 1)]
        self._others = {number: order.index(one) for number, one in asked.items() if one != order[0]}
        self._connection = connection
        self._sets: dict[int, dict[int, RuleFacts]] = {}
        self._rules = {row.id: row for row in connection.execute(select(rule))}
        self._load({its_set for one in order for sets in one for its_set in sets})

    def group(self, query: Select[Any], number: ColumnElement[int]) -> tuple[Select[Any], ColumnElement[int]]:
        """Join a query that has `cluster` to the eras by a cluster's number; what to group by is told too."""
        query = query.where(cluster.c.left_at.is_(None))
        if not self._others:
            return query, literal(0, literal_execute=True)
        named = values(column("number", BigInteger), column("era", BigInteger), name="eras", literal_binds=True)
        eras = named.data(list(self._others.items())).cte("eras")
        return query.outerjoin(eras, and_(eras.c.number == number)), func.coalesce(eras.c.era, 0)

    def facts(self, key: Key, name: str = "", day: int = 0) -> RuleFacts:
        """What a rule is for an era on a day: by the last set that asked it, else by the first after, else as now."""
        era, number = key
        sides = (self.asked[era][day], *self.asked[era])
        known = (self._sets[its_set].get(number) for sets in sides for its_set in sets)
        facts = next(filter(None, known), None) or self._now(number)
        return RuleFacts(name or facts.id, facts.severity, facts.frameworks, facts.digest)

    def names(self, keys: Iterable[Key]) -> dict[Key, str]:
        """A name for each key: the rule's own, unless other clusters have it as something else."""
        many = list(keys)
        often = Counter(number for _, number in many)
        return {
            key: self._rules[key[1]].name if often[key[1]] == 1 else f"{self._rules[key[1]].name} ({key[0]})"
            for key in many
        }

    def _now(self, number: int) -> RuleFacts:
        row = self._rules[number]
        return RuleFacts(row.name, Severity(row.severity), tuple(row.frameworks), row.digest)

    def _load(self, sets: set[int]) -> None:
        ids = {row.name: number for number, row in self._rules.items()}
        for row in self._connection.execute(select(rule_set).where(rule_set.c.id.in_(sets))).all():
            self._sets[row.id] = {ids[facts.id]: facts for facts in facts_of(self._connection, row.editions)}


def _asked(rows: Sequence[tuple[date, int]], days: Sequence[date]) -> tuple[Asked, ...]:
    if not days:
        return (tuple(dict.fromkeys(its_set for _, its_set in rows)),)
    return tuple(tuple(dict.fromkeys(its_set for when, its_set in rows if when <= day)) for day in days)


def facts_at(connection: Connection, scope: Scope, name: str, day: date) -> dict[str, RuleFacts]:
    """The rules that a cluster was asked by at the end of a day, by name; none before it was asked by any."""
    its = select(cluster.c.id).where(cluster.c.name == name, members(scope, cluster.c.id)).scalar_subquery()
    taken = select(adoption.c.rule_set).where(adoption.c.cluster == its, adoption.c.day <= day)
    last = taken.order_by(adoption.c.day.desc(), adoption.c.at.desc()).limit(1)
    number = connection.execute(last).scalar()
    editions = connection.execute(select(rule_set.c.editions).where(rule_set.c.id == number)).scalar()
    return {one.id: one for one in facts_of(connection, editions or [])}
