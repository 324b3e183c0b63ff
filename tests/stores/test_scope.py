"""Nobody sees, finds or counts what is not theirs: ten thousand viewers and questions, and no row too many."""

from __future__ import annotations

import random
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from tests.stores.fleet import World, observed, pod, rules

from bartizan.stores.queries import findings, overview, resources, trends
from bartizan.stores.queries.pages import Page
from bartizan.stores.queries.search import search
from bartizan.stores.scope import Grant, Scope, admits

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bartizan.stores.open import Store

_CLUSTERS = ("one", "two", "three")
_NAMESPACES = ("shop", "bank", "o'brien", "")
_TEAMS = ("red", "blue", "")
_RULES = rules("roots", "limits:low")
_QUESTIONS = {"sqlite": 8_000, "postgresql": 2_000}  # the same conditions; one of the two is a server away
_WHERE = tuple((c, n, t) for c in _CLUSTERS for n in _NAMESPACES for t in _TEAMS)


def _label(where: tuple[str, str, str]) -> str:
    return "at-" + "-".join(
        str(names.index(name)) for name, names in zip(where, (_CLUSTERS, _NAMESPACES, _TEAMS), strict=True)
    )


_BY_LABEL = {_label(where): where for where in _WHERE}


@pytest.fixture
def store_of_all(store: Store) -> Store:
    """One object in each place, whose name tells it; a second day that closes some and moves others."""
    world = World(store).join(*_CLUSTERS)
    for where in _WHERE:
        said = observed(pod(_label(where), namespace=where[1]), _RULES, "ff", team=where[2], message=_label(where))
        world.keep(_RULES, said, cluster=where[0])
    for where in _WHERE[::3]:
        said = observed(pod(_label(where), namespace=where[1]), _RULES, "pf", team=where[2], message=_label(where))
        world.keep(_RULES, said, cluster=where[0], hours=30)
    return store


def _scope(chance: random.Random) -> Scope:
    def some(names: tuple[str, ...]) -> tuple[str, ...] | None:
        return chance.choice([None, tuple(chance.sample(names, chance.randrange(len(names)))), ("nobody",)])

    grants = (Grant(some(_CLUSTERS), some(_NAMESPACES), some(_TEAMS)) for _ in range(chance.randrange(4)))
    return tuple(grants)


def _ask(connection: Connection, scope: Scope, chance: random.Random) -> int:
    """Some questions of one viewer, each answer compared with what `admits` says of each place. Returns how many."""
    mine = [where for where in _WHERE if admits(scope, where)]
    labels = {_label(where) for where in mine}
    where = chance.choice(_WHERE)
    ask, questions = chance.choice([(_lists, 3), (_one, 5), (_search, 4), (_overview, 2), (_tallies, 2), (_trend, 2)])
    ask(connection, scope, where, (mine, labels))
    return questions


def _lists(connection: Connection, scope: Scope, where: tuple[str, str, str], mine: Any) -> None:
    listed = resources.resources(connection, scope, resources.Wanted(), Page(100)).rows
    assert {row.id.name for row in listed} == mine[1]
    every = findings.Wanted(states=("open", "waived", "fixed", "gone"))
    rows = findings.findings(connection, scope, every, Page(100)).rows
    assert {row.resource.name for row in rows} == mine[1]
    chosen = findings.Wanted(cluster=where[0], namespace=where[1], team=where[2], rule="limits")
    rows = findings.findings(connection, scope, chosen, Page(100)).rows
    assert [row.message for row in rows] == ([f"limits {_label(where)}"] if where in mine[0] else [])


def _one(connection: Connection, scope: Scope, where: tuple[str, str, str], mine: Any) -> None:
    number = _WHERE.index(where) + 1
    found = resources.one(connection, scope, number)
    assert (found is not None) == (where in mine[0])
    assert (resources.body_of(connection, scope, number) is not None) == (where in mine[0])
    assert bool(resources.verdicts(connection, scope, number)) == (where in mine[0])
    assert (findings.one(connection, scope, 2 * number) is not None) == (where in mine[0])
    assert bool(findings.history(connection, scope, 2 * number)) == (where in mine[0])


def _search(connection: Connection, scope: Scope, where: tuple[str, str, str], mine: Any) -> None:
    hits = search(connection, scope, "at-", 100)
    assert {hit.title for hit in hits if hit.kind == "resource"} == mine[1]
    assert {hit.detail.split()[1] for hit in hits if hit.kind == "finding"} == mine[1]
    assert {hit.title for hit in search(connection, scope, where[0]) if hit.kind == "cluster"} <= _visible(scope, mine)
    if where[1]:
        named = {hit.title for hit in search(connection, scope, where[1]) if hit.kind == "namespace"}
        assert named == ({where[1]} if any(one[1] == where[1] for one in mine[0]) else set())
    assert any(hit.kind == "rule" for hit in search(connection, scope, "roots")) == bool(mine[0])


def _visible(scope: Scope, mine: Any) -> set[str]:
    """Clusters of which something may be seen; an empty one shows to those who may see all of it."""
    whole = {name for grant in scope if grant.is_whole for name in grant.clusters or _CLUSTERS if grant.clusters != ()}
    return {one[0] for one in mine[0]} | (whole & set(_CLUSTERS))


def _overview(connection: Connection, scope: Scope, where: tuple[str, str, str], mine: Any) -> None:
    rows = overview.fleet(connection, scope)
    assert {row.name for row in rows} == _visible(scope, mine)
    for row in rows:
        here = [one for one in mine[0] if one[0] == row.name]
        assert row.objects == len(here)
        assert sum(sum(counts) for counts in row.counts.values()) == 2 * len(here)
    spaces = overview.namespaces(connection, scope, where[0])
    assert {row.namespace for row in spaces} == {one[1] for one in mine[0] if one[0] == where[0]}
    for space in spaces:
        here = [one for one in mine[0] if one[:2] == (where[0], space.namespace)]
        assert (space.objects, set(space.teams)) == (len(here), {one[2] for one in here} - {""})
        assert sum(sum(counts) for counts in space.counts.values()) == 2 * len(here)


def _tallies(connection: Connection, scope: Scope, where: tuple[str, str, str], mine: Any) -> None:
    rows = overview.tallies(connection, scope)
    assert {(row.cluster, row.namespace) for row in rows} == {one[:2] for one in mine[0]}
    assert sum(sum(row.counts) for row in rows) == 2 * len(mine[0])
    assert bool(overview.facts(connection, scope, where[0])) == (where[0] in _visible(scope, mine))


def _trend(connection: Connection, scope: Scope, where: tuple[str, str, str], mine: Any) -> None:
    fixed = [one for one in _WHERE[::3] if one in mine[0]]
    days = trends.trend(connection, scope, date(2026, 2, 28), date(2026, 3, 3))
    failed = [sum(counts[1] for counts in day.counts.values()) for day in days]
    total, now = 2 * len(mine[0]), 2 * len(mine[0]) - len(fixed)
    assert failed == [0, total, now, now]
    told = list(trends.entries(connection, scope, date(2026, 3, 1), date(2026, 3, 2), where[0]))
    assert {entry.namespace for entry in told} == {one[1] for one in mine[0] if one[0] == where[0]}


def test_no_question_of_ten_thousand_leaks(store_of_all: Store) -> None:
    """M6: each answer is exactly what the viewer may see, not a row more and not one less."""
    chance = random.Random(10)
    with store_of_all.reading() as connection:
        asked = 0
        while asked < _QUESTIONS[store_of_all.dialect]:
            asked += _ask(connection, _scope(chance), chance)
