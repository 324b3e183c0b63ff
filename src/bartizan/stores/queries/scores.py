"""What scores are made of, summed by rule in the database: a fleet of a thousand clusters comes to some hundred rows.

A rule may be one thing for some clusters and another for others: its
severity and its controls are those of the set of rules each was asked by. So
counts are by `key`, which stands for a rule as one group of clusters has it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import case, func, literal, or_, select

from bartizan.findings.score import WEIGHTS, Sums
from bartizan.model.ledger import Entry, RuleFacts, Tally, Verdict
from bartizan.model.severity import Severity
from bartizan.stores.known import facts_of
from bartizan.stores.schema import COUNTS, adoption, cluster, entry, place, rule, rule_set, tally
from bartizan.stores.scope import members, within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from sqlalchemy import ColumnElement, Connection, Subquery

    from bartizan.findings.score import Score
    from bartizan.model.ledger import Cause
    from bartizan.stores.scope import Scope

Group: TypeAlias = Literal["cluster", "namespace", "team"]

_Key: TypeAlias = tuple[int | None, int | None, int]
"""A rule's number behind the sets of rules, on both days, of the clusters that have it as that."""

_GROUPS: Final[dict[Group, ColumnElement[Any]]] = {
    "cluster": cluster.c.name,
    "namespace": place.c.namespace,
    "team": place.c.team,
}


LEDGER: Final = 200
"""Entries that a page shows of a cause."""


class Rules(NamedTuple):
    """Counts by key, as `findings.score` reads them, and what each key's rule is: `facts[key].id` is its name."""

    counts: dict[str, list[int]]
    facts: dict[str, RuleFacts]


class AskedRule(NamedTuple):
    """A rule that is asked where the viewer may see: its counts, and in how many clusters it is asked, and fails."""

    number: int
    name: str
    severity: Severity
    frameworks: tuple[str, ...]
    counts: list[int]
    clusters: int
    failing_in: int


class GroupCounts(NamedTuple):
    """Counts of one rule in a cluster or namespace."""

    name: str
    counts: list[int]


class Space(NamedTuple):
    """A namespace of a cluster, or a team, with its numbers; `namespaces` are those of a team."""

    cluster: str
    name: str
    score: Score
    failing: int
    namespaces: int


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
    pairs: int


class _Step(NamedTuple):
    """Entries of one key and cause; `later` than the second of two days."""

    later: bool
    key: _Key
    before: int
    after: int
    cause: Cause
    pairs: int


class DayMoves(NamedTuple):
    """How many pairs of a key went from one verdict to another on a day."""

    day: date
    key: str
    before: Verdict
    after: Verdict
    cause: str
    pairs: int


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
        numbers = [0, *map(int, row[3 : 3 + len(COUNTS)])]
        if any(numbers):
            mine = found.setdefault(row.group_name if group else "", Rules({}, {}))
            key = f"{row.rule}.{row.rule_set}.{row.severity}"
            mine.counts[key] = numbers
            mine.facts[key] = known.weighed(row.rule_set, row.rule, row.severity)
    return found


def asked(connection: Connection, scope: Scope, name: str = "") -> list[AskedRule]:
    """The rules that are asked, or the one of a name: those that have pairs, by name."""
    fails = case((tally.c.failed > 0, tally.c.cluster))
    numbers = (func.count(tally.c.cluster.distinct()), func.count(fails.distinct()), func.max(tally.c.severity))
    wanted = select(tally.c.rule, *numbers, *_sums()).join(cluster, cluster.c.id == tally.c.cluster)
    wanted = wanted.where(within(scope, tally.c.place), cluster.c.left_at.is_(None)).group_by(tally.c.rule)
    if name:
        wanted = wanted.where(tally.c.rule == select(rule.c.id).where(rule.c.name == name).scalar_subquery())
    known = {row.id: row for row in connection.execute(select(rule))}
    found = []
    for number, clusters, failing_in, severity, *sums in connection.execute(wanted):
        counts = [0, *map(int, sums)]
        if any(counts):
            row = known[number]
            what = (number, row.name, Severity(severity), tuple(row.frameworks))
            found.append(AskedRule(*what, counts, clusters, failing_in))
    return sorted(found, key=lambda one: one.name)


def where_asked(connection: Connection, scope: Scope, number: int, group: Group, limit: int) -> list[GroupCounts]:
    """Where a rule is asked, by cluster, namespace or team, where most fail first."""
    column = _GROUPS[group]
    wanted = select(column, *_sums()).select_from(tally).join(cluster, cluster.c.id == tally.c.cluster)
    if group != "cluster":
        wanted = wanted.join(place, place.c.id == tally.c.place)
    wanted = wanted.where(tally.c.rule == number, within(scope, tally.c.place), cluster.c.left_at.is_(None))
    most = func.sum(tally.c.failed).desc()
    rows = connection.execute(wanted.group_by(column).order_by(most, column).limit(limit))
    return [GroupCounts(row[0], [0, *map(int, row[1:])]) for row in rows]


def namespaces(connection: Connection, scope: Scope, limit: int) -> list[Space]:
    """The numbers of namespaces, where most fails first."""
    return _spaces(connection, scope, (cluster.c.name, place.c.namespace), limit)


def teams(connection: Connection, scope: Scope, limit: int) -> list[Space]:
    """The numbers of teams, where most fails first; what is of no team is one without a name."""
    return _spaces(connection, scope, (literal(""), place.c.team), limit)


def _spaces(
    connection: Connection, scope: Scope, keys: tuple[ColumnElement[str], ColumnElement[str]], limit: int
) -> list[Space]:
    """Numbers worked out by the database, as `findings.score.Sums` divides them."""
    counts = tally.c
    weight = case({int(severity): weight for severity, weight in WEIGHTS.items()}, value=counts.severity)
    judged = counts.passed + counts.failed + counts.warned + counts.waived
    parts = (
        weight * counts.passed,
        weight * (counts.passed + counts.failed),
        judged,
        judged + counts.errors + counts.stale,
        counts.waived,
        counts.passed + counts.failed + counts.waived,
    )
    failing = func.sum(counts.failed)
    several = func.count(place.c.id.distinct())
    wanted = select(keys[0].label("its_owner"), keys[1].label("its_name"), failing, several, *map(func.sum, parts))
    wanted = wanted.select_from(tally).join(cluster, cluster.c.id == counts.cluster)
    wanted = wanted.join(place, place.c.id == counts.place).where(within(scope, counts.place))
    wanted = wanted.where(cluster.c.left_at.is_(None))
    rows = connection.execute(
        wanted.group_by("its_owner", "its_name").order_by(failing.desc(), "its_owner", "its_name").limit(limit)
    )
    return [Space(row[0], row[1], Sums(*map(int, row[4:])).score(), int(row[2]), row[3]) for row in rows]


def between(connection: Connection, scope: Scope, since: date, until: date) -> Between:
    """What moved from the end of one day to the end of another.

    A day on which a cluster took other rules is told by the rules that it had
    at its end; what a rule of neither is, is what it is now.
    """
    eras = _eras(scope, (since, until))
    keys = (eras.c.era_0, eras.c.era_1, tally.c.rule)
    now = select(*keys, *_sums()).join(eras, eras.c.id == tally.c.cluster)
    before: dict[_Key, list[int]] = defaultdict(lambda: [0] * (len(COUNTS) + 1))
    after: dict[_Key, list[int]] = defaultdict(lambda: [0] * (len(COUNTS) + 1))
    for row in connection.execute(now.where(within(scope, tally.c.place)).group_by(*keys)):
        counts = [0, *map(int, row[3:])]
        before[row[0], row[1], row[2]], after[row[0], row[1], row[2]] = counts, list(counts)
    steps = list(_since(connection, scope, eras, since, until))
    for step in steps:
        for side in (before, after) if step.later else (before,):
            side[step.key][step.before] += step.pairs
            side[step.key][step.after] -= step.pairs
    known = _Known(connection, {number for key in before for number in key[:2]})
    names = known.names(before)
    return Between(
        _tallies(before, names),
        _tallies(after, names),
        [
            Entry("", until, "", names[one.key], Verdict(one.before), Verdict(one.after), one.cause, one.pairs)
            for one in steps
            if not one.later
        ],
        {name: known.named(name, (key[0], key[1]), key[2]) for key, name in names.items()},
        {name: known.named(name, (key[1], key[0]), key[2]) for key, name in names.items()},
    )


def facts_at(connection: Connection, scope: Scope, name: str, day: date) -> dict[str, RuleFacts]:
    """The rules that a cluster was asked by at the end of a day, by name; none before it was asked by any."""
    its = select(cluster.c.id).where(cluster.c.name == name, members(scope, cluster.c.id)).scalar_subquery()
    taken = select(adoption.c.rule_set).where(adoption.c.cluster == its, adoption.c.day <= day)
    number = connection.execute(taken.order_by(adoption.c.day.desc()).limit(1)).scalar()
    editions = connection.execute(select(rule_set.c.editions).where(rule_set.c.id == number)).scalar()
    return {one.id: one for one in facts_of(connection, editions or [])}


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
    connection: Connection, scope: Scope, days: tuple[date, date], cause: str, only: Sequence[str] | None = None
) -> tuple[list[Moved], int]:
    """The entries behind one cause between the ends of two days, the largest first, and how many there are in all.

    What happened and was undone the same way cancels out in a score; here
    both show. `only` are the rules that are asked for, by name.
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
    if only is not None:
        grouped = grouped.where(rule.c.name.in_(only))
    every = int(connection.execute(select(func.count()).select_from(grouped.subquery())).scalar_one())
    found = connection.execute(grouped.order_by(total.desc(), *keys).limit(LEDGER))
    return [Moved(*row[:3], Verdict(row[3]), Verdict(row[4]), row[5], int(row[6])) for row in found], every


def facts(connection: Connection, keys: Iterable[str]) -> dict[str, RuleFacts]:
    """What the rules of `moves_by_day` are, by its keys."""
    parts = {key: key.partition(".") for key in keys}
    sets = {key: int(its_set) if its_set.isdecimal() else None for key, (_, _, its_set) in parts.items()}
    known = _Known(connection, set(sets.values()))
    return {key: known.of(sets[key], int(number)) for key, (number, _, _) in parts.items()}


def failing_moves(connection: Connection, scope: Scope, since: date) -> list[DayMoves]:
    """By day after `since`, how many pairs came to fail or ceased to, from or to which verdict and why. No key."""
    keys = (entry.c.day, entry.c.before, entry.c.after, entry.c.cause)
    wanted = select(*keys, func.sum(entry.c.count)).join(cluster, cluster.c.id == entry.c.cluster).group_by(*keys)
    ours = or_(entry.c.before == int(Verdict.FAIL), entry.c.after == int(Verdict.FAIL))
    wanted = wanted.where(entry.c.day > since, ours, within(scope, entry.c.place), cluster.c.left_at.is_(None))
    return [
        DayMoves(day, "", Verdict(before), Verdict(after), cause, int(pairs))
        for day, before, after, cause, pairs in connection.execute(wanted.order_by(entry.c.day))
    ]


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

    def of(self, its_set: int | None, number: int) -> RuleFacts:
        return self._sets.get(its_set or 0, {}).get(number) or self._now[number]

    def named(self, name: str, sets: tuple[int | None, ...], number: int) -> RuleFacts:
        """What a rule is by the first of the sets that asks it, under another name."""
        asked = (self._sets.get(one or 0, {}).get(number) for one in sets)
        facts = next(filter(None, asked), self._now[number])
        return RuleFacts(name, facts.severity, facts.frameworks, facts.digest)

    def names(self, keys: Iterable[_Key]) -> dict[_Key, str]:
        """A name for each key: the rule's own, unless other clusters have it as something else."""
        many = list(keys)
        often = Counter(number for _, _, number in many)
        return {
            key: self._now[key[2]].id if often[key[2]] == 1 else f"{self._now[key[2]].id} ({key[0]}, {key[1]})"
            for key in many
        }

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


def _since(connection: Connection, scope: Scope, eras: Subquery, since: date, until: date) -> Iterator[_Step]:
    later = (entry.c.day > until).label("later")
    keys = (later, eras.c.era_0, eras.c.era_1, entry.c.rule, entry.c.before, entry.c.after, entry.c.cause)
    wanted = select(*keys, func.sum(entry.c.count)).join(eras, eras.c.id == entry.c.cluster)
    wanted = wanted.where(entry.c.day > since, within(scope, entry.c.place)).group_by(*keys)
    for row in connection.execute(wanted):
        yield _Step(bool(row[0]), (row[1], row[2], row[3]), row[4], row[5], row[6], int(row[7]))


def _sums() -> list[ColumnElement[int]]:
    return [func.sum(tally.c[name]) for name in COUNTS]


def _tallies(counts: dict[_Key, list[int]], names: dict[_Key, str]) -> list[Tally]:
    return [Tally("", "", names[key], *row[1:]) for key, row in counts.items() if any(row[1:])]
