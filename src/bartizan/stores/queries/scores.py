"""What scores are made of, summed by rule in the database: a fleet of a thousand clusters comes to some hundred rows.

A rule may be one thing for some clusters and another for others: its
severity and its controls are those of the set of rules each was asked by. So
counts are by `key`, which stands for a rule as one group of clusters has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import func, select

from bartizan.model.ledger import Entry, RuleFacts, Tally, Verdict
from bartizan.model.severity import Severity
from bartizan.stores.known import facts_of
from bartizan.stores.schema import COUNTS, adoption, cluster, entry, place, rule, rule_set, tally
from bartizan.stores.scope import members, within

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from sqlalchemy import ColumnElement, Connection, Subquery

    from bartizan.stores.scope import Scope

Group: TypeAlias = Literal["cluster", "namespace", "team"]

_GROUPS: Final[dict[Group, ColumnElement[Any]]] = {
    "cluster": cluster.c.name,
    "namespace": place.c.namespace,
    "team": place.c.team,
}


class Rules(NamedTuple):
    """Counts by key, as `findings.score` reads them, and what each key's rule is: `facts[key].id` is its name."""

    counts: dict[str, list[int]]
    facts: dict[str, RuleFacts]


class Between(NamedTuple):
    """All that a movement is worked out from: what was, what is, and what happened between. Places are left out."""

    before: list[Tally]
    after: list[Tally]
    entries: list[Entry]
    facts_before: dict[str, RuleFacts]
    facts_after: dict[str, RuleFacts]


class Moved(NamedTuple):
    """So many pairs of a rule in a namespace of a cluster went from one verdict to another, over some days."""

    rule: str
    cluster: str
    namespace: str
    before: Verdict
    after: Verdict
    cause: str
    count: int


class DayMoves(NamedTuple):
    """How many pairs of a key went from one verdict to another on a day."""

    day: date
    key: str
    before: Verdict
    after: Verdict
    cause: str
    count: int


def names(connection: Connection, scope: Scope, limit: int) -> tuple[list[str], list[str]]:
    """Clusters and teams of which the viewer may see something, by name: at most `limit` of each."""
    there = select(cluster.c.name).where(members(scope, cluster.c.id), cluster.c.left_at.is_(None))
    teams = select(place.c.team).where(within(scope, place.c.id), place.c.team != "").distinct()
    clusters = connection.execute(there.order_by(cluster.c.name).limit(limit)).scalars()
    return list(clusters), list(connection.execute(teams.order_by(place.c.team).limit(limit)).scalars())


def rules(connection: Connection, scope: Scope) -> Rules:
    """Counts of now, of all that the viewer may see in clusters that have not left."""
    return rules_by(connection, scope, None).get("", Rules({}, {}))


def rules_by(
    connection: Connection, scope: Scope, group: Group | None, names: Sequence[str] | None = None
) -> dict[str, Rules]:
    """Counts of now of each cluster, namespace or team; of those in `names`, where these are given."""
    keys = (cluster.c.rule_set, tally.c.rule, tally.c.severity)
    wanted = select(*keys, *_sums()).select_from(tally).join(cluster, cluster.c.id == tally.c.cluster)
    wanted = wanted.where(within(scope, tally.c.place), cluster.c.left_at.is_(None)).group_by(*keys)
    if group is not None:
        column = _GROUPS[group]
        if group != "cluster":
            wanted = wanted.join(place, place.c.id == tally.c.place)
        wanted = wanted.add_columns(column.label("group_name")).group_by(column)
        if names is not None:
            wanted = wanted.where(column.in_(names))
    rows = connection.execute(wanted).all()
    known = _Known(connection, {row.rule_set for row in rows})
    found: dict[str, Rules] = {}
    for row in rows:
        counts = [0, *map(int, row[3 : 3 + len(COUNTS)])]
        if any(counts):
            mine = found.setdefault(row.group_name if group else "", Rules({}, {}))
            key = f"{row.rule}.{row.rule_set}.{row.severity}"
            mine.counts[key] = counts
            mine.facts[key] = known.weighed(row.rule_set, row.rule, row.severity)
    return found


def between(connection: Connection, scope: Scope, since: date, until: date) -> Between:
    """What moved from the end of one day to the end of another.

    A day on which a cluster took other rules is told by the rules that it had
    at its end; what a rule of neither is, is what it is now.
    """
    eras = _eras(scope, (since, until))
    keys = (eras.c.era_0, eras.c.era_1, tally.c.rule)
    now = select(*keys, *_sums()).join(eras, eras.c.id == tally.c.cluster)
    counts: dict[tuple[Any, ...], list[int]] = {}
    for row in connection.execute(now.where(within(scope, tally.c.place)).group_by(*keys)):
        counts[tuple(row[:3])] = [0, *map(int, row[3:])]
    entries: list[Entry] = []
    after: dict[tuple[Any, ...], list[int]] = {key: list(row) for key, row in counts.items()}
    for later, key, move, count in _since(connection, scope, eras, since, until):
        was, now_is, cause = move
        for where in (counts, after) if later else (counts,):
            row = where.setdefault(key, [0] * (len(COUNTS) + 1))
            row[was] += count
            row[now_is] -= count
        after.setdefault(key, [0] * (len(COUNTS) + 1))
        if not later:
            entries.append(Entry("", until, "", _key(key), Verdict(was), Verdict(now_is), cause, count))
    known = _Known(connection, {number for key in counts for number in key[:2]})
    facts_before = {_key(key): known.of(key[0], key[2]) for key in counts if known.has(key[0], key[2])}
    facts_after = {_key(key): known.of(key[1], key[2]) for key in counts if known.has(key[1], key[2])}
    for key in counts:
        if _key(key) not in facts_before and _key(key) not in facts_after:
            facts_before[_key(key)] = facts_after[_key(key)] = known.of(key[1], key[2])
    return Between(_tallies(counts), _tallies(after), entries, facts_before, facts_after)


def moves_by_day(connection: Connection, scope: Scope, since: date, number: int | None = None) -> list[DayMoves]:
    """Movements after a day, day by day, by the same keys as `rules`, or of one rule alone by its number.

    A rule counts under what it is now: a cluster's present set weighs it.
    """
    keys = (entry.c.day, cluster.c.rule_set, entry.c.rule, entry.c.before, entry.c.after, entry.c.cause)
    wanted = select(*keys, func.sum(entry.c.count)).join(cluster, cluster.c.id == entry.c.cluster).group_by(*keys)
    wanted = wanted.where(entry.c.day > since, within(scope, entry.c.place), cluster.c.left_at.is_(None))
    if number is not None:
        wanted = wanted.where(entry.c.rule == number)
    return [
        DayMoves(day, f"{one}.{its_set}", Verdict(before), Verdict(after), cause, int(count))
        for day, its_set, one, before, after, cause, count in connection.execute(wanted.order_by(entry.c.day))
    ]


def ledger(
    connection: Connection, scope: Scope, days: tuple[date, date], cause: str, limit: int
) -> tuple[list[Moved], int]:
    """The entries behind one cause between the ends of two days, the largest first, and how many there are in all.

    What happened and was undone the same way cancels out in a score; here both show.
    """
    keys = (rule.c.name, cluster.c.name, place.c.namespace, entry.c.before, entry.c.after, entry.c.cause)
    total = func.sum(entry.c.count)
    grouped = (
        select(*keys, total.label("number"))
        .select_from(entry)
        .join(rule, rule.c.id == entry.c.rule)
        .join(cluster, cluster.c.id == entry.c.cluster)
        .join(place, place.c.id == entry.c.place)
        .where(entry.c.day > days[0], entry.c.day <= days[1], entry.c.cause == cause)
        .where(within(scope, entry.c.place), cluster.c.left_at.is_(None))
        .group_by(*keys)
    )
    every = int(connection.execute(select(func.count()).select_from(grouped.subquery())).scalar_one())
    found = connection.execute(grouped.order_by(total.desc(), *keys).limit(limit))
    return [Moved(*row[:3], Verdict(row[3]), Verdict(row[4]), row[5], int(row[6])) for row in found], every


class _Known:
    """What rules are: by the sets that ask them, and what they are now for those no set asks."""

    def __init__(self, connection: Connection, sets: Iterable[int | None]) -> None:
        wanted = select(rule_set).where(rule_set.c.id.in_([one for one in sets if one]))
        ids = {row.name: row.id for row in connection.execute(select(rule.c.id, rule.c.name))}
        self._sets = {
            row.id: {ids[facts.id]: facts for facts in facts_of(connection, row.editions)}
            for row in connection.execute(wanted).all()
        }
        self._now = {
            row.id: RuleFacts(row.name, Severity(row.severity), tuple(row.frameworks), row.digest)
            for row in connection.execute(select(rule))
        }

    def has(self, its_set: int | None, number: int) -> bool:
        return number in self._sets.get(its_set or 0, {})

    def of(self, its_set: int | None, number: int) -> RuleFacts:
        return self._sets.get(its_set or 0, {}).get(number) or self._now[number]

    def weighed(self, its_set: int | None, number: int, severity: int) -> RuleFacts:
        """The rule as its pairs are counted: one that is leaving keeps its severity."""
        facts = self.of(its_set, number)
        return RuleFacts(facts.id, Severity(severity), facts.frameworks, facts.digest)


def _eras(scope: Scope, days: Sequence[date]) -> Subquery:
    """Each cluster with the set of rules it had at the end of each day; before it had any, its present one."""
    columns = []
    for number, day in enumerate(days):
        mine = select(adoption.c.rule_set).where(adoption.c.cluster == cluster.c.id, adoption.c.day <= day)
        newest = mine.order_by(adoption.c.day.desc()).limit(1).scalar_subquery()
        columns.append(func.coalesce(newest, cluster.c.rule_set).label(f"era_{number}"))
    wanted = select(cluster.c.id, *columns).where(members(scope, cluster.c.id), cluster.c.left_at.is_(None))
    return wanted.subquery("eras")


def _since(
    connection: Connection, scope: Scope, eras: Subquery, since: date, until: date
) -> Iterable[tuple[bool, tuple[Any, ...], tuple[int, int, Any], int]]:
    """Movements after `since` by key, and whether they are after `until` too."""
    later = (entry.c.day > until).label("later")
    keys = (later, eras.c.era_0, eras.c.era_1, entry.c.rule, entry.c.before, entry.c.after, entry.c.cause)
    wanted = select(*keys, func.sum(entry.c.count)).join(eras, eras.c.id == entry.c.cluster)
    wanted = wanted.where(entry.c.day > since, within(scope, entry.c.place)).group_by(*keys)
    for row in connection.execute(wanted):
        yield bool(row[0]), tuple(row[1:4]), (row[4], row[5], row[6]), int(row[7])


def _sums() -> list[ColumnElement[int]]:
    return [func.sum(tally.c[name]) for name in COUNTS]


def _key(key: tuple[Any, ...]) -> str:
    return ".".join(map(str, key))


def _tallies(counts: dict[tuple[Any, ...], list[int]]) -> list[Tally]:
    return [Tally("", "", _key(key), *row[1:]) for key, row in counts.items() if any(row[1:])]
