"""What scores are made of, summed by rule in the database: a fleet of a thousand clusters comes to some hundred rows.

A rule may be one thing for some clusters and another for others: its
severity and its controls are those of the set of rules each was asked by. So
counts are by `key`, which stands for a rule as one era of clusters has it.
"""

from __future__ import annotations

from collections import defaultdict
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select

from bartizan.model.ledger import Entry, RuleFacts, Tally, Verdict
from bartizan.stores.queries.eras import Eras
from bartizan.stores.queries.standings import GROUPS, sums
from bartizan.stores.schema import COUNTS, cluster, entry, place, tally
from bartizan.stores.scope import within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from sqlalchemy import Connection

    from bartizan.model.ledger import Cause
    from bartizan.stores.queries.eras import Key
    from bartizan.stores.queries.standings import Group
    from bartizan.stores.scope import Scope


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
    names: Mapping[Key, str] = MappingProxyType({})
    """What each rule of an era is called here."""


class _Step(NamedTuple):
    """Entries of one key and cause; `later` than the second of two days."""

    later: bool
    key: Key
    before: int
    after: int
    cause: Cause
    pairs: int


def rules(connection: Connection, scope: Scope) -> Rules:
    """Counts of now, of all that the viewer may see in clusters that have not left."""
    return rules_by(connection, scope, None).get("", Rules({}, {}))


def rules_by(
    connection: Connection, scope: Scope, group: Group | None, names: Sequence[str] | None = None
) -> dict[str, Rules]:
    """Counts of now of each cluster, namespace or team; of those in `names`, where these are given."""
    eras = Eras(connection, scope)
    wanted = select(tally.c.rule, *sums()).select_from(tally).join(cluster, cluster.c.id == tally.c.cluster)
    wanted, era = eras.group(wanted, tally.c.cluster)
    wanted = wanted.add_columns(era.label("its_era")).where(within(scope, tally.c.place))
    wanted = wanted.group_by(tally.c.rule, "its_era")
    if group is not None:
        named = GROUPS[group]
        if group != "cluster":
            wanted = wanted.join(place, place.c.id == tally.c.place)
        wanted = wanted.add_columns(named.label("its_name")).group_by(named)
        if names is not None:
            wanted = wanted.where(named.in_(names))
    found: dict[str, Rules] = {}
    for row in connection.execute(wanted):
        numbers = [0, *map(int, row[1 : 1 + len(COUNTS)])]
        if any(numbers):
            mine = found.setdefault(row.its_name if group else "", Rules({}, {}))
            key = f"{row.rule}.{row.its_era}"
            mine.counts[key], mine.facts[key] = numbers, eras.facts((row.its_era, row.rule))
    return found


def between(connection: Connection, scope: Scope, since: date, until: date) -> Between:
    """What moved from the end of one day to the end of another, each with the rules as they were at its end."""
    eras = Eras(connection, scope, (since, until))
    before: dict[Key, list[int]] = defaultdict(lambda: [0] * len(Verdict))
    after: dict[Key, list[int]] = defaultdict(lambda: [0] * len(Verdict))
    wanted = select(tally.c.rule, *sums()).select_from(tally).join(cluster, cluster.c.id == tally.c.cluster)
    wanted, era = eras.group(wanted, tally.c.cluster)
    wanted = wanted.add_columns(era.label("its_era")).where(within(scope, tally.c.place))
    for row in connection.execute(wanted.group_by(tally.c.rule, "its_era")):
        counts, key = [0, *map(int, row[1 : 1 + len(COUNTS)])], (row.its_era, row.rule)
        before[key], after[key] = counts, list(counts)
    steps = list(_since(connection, scope, eras, (since, until)))
    for step in steps:
        for side in (before, after) if step.later else (before,):
            side[step.key][step.before] += step.pairs
            side[step.key][step.after] -= step.pairs
    names = eras.names(before)
    return Between(
        _tallies(before, names),
        _tallies(after, names),
        [
            Entry("", until, "", names[one.key], Verdict(one.before), Verdict(one.after), one.cause, one.pairs)
            for one in steps
            if not one.later
        ],
        {name: eras.facts(key, name, 0) for key, name in names.items()},
        {name: eras.facts(key, name, 1) for key, name in names.items()},
        names,
    )


def _since(connection: Connection, scope: Scope, eras: Eras, days: tuple[date, date]) -> Iterator[_Step]:
    since, until = days
    later = (entry.c.day > until).label("later")
    wanted = select(later, entry.c.rule, entry.c.before, entry.c.after, entry.c.cause, func.sum(entry.c.count))
    wanted = wanted.select_from(entry).join(cluster, cluster.c.id == entry.c.cluster)
    wanted, era = eras.group(wanted, entry.c.cluster)
    wanted = wanted.add_columns(era.label("its_era")).where(entry.c.day > since, within(scope, entry.c.place))
    keys = ("later", entry.c.rule, entry.c.before, entry.c.after, entry.c.cause, "its_era")
    for row in connection.execute(wanted.group_by(*keys)):
        yield _Step(bool(row[0]), (row.its_era, row[1]), row[2], row[3], row[4], int(row[5]))


def _tallies(counts: dict[Key, list[int]], names: dict[Key, str]) -> list[Tally]:
    rows = ((names[key], *row[1:]) for key, row in counts.items() if any(row[1:]))
    return [Tally("", "", *row) for row in rows]  # type: ignore[arg-type]  # the rule and seven counts
