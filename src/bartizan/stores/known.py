"""What a writer knows already: ids of clusters, places and rules, which change seldom and are asked for always.

They are made in transactions of their own, before the report that needs
them. So no two reports wait for each other over a rule they share, and what
is remembered here is committed.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from sqlalchemy import select, update

from bartizan.base.errors import StoreError
from bartizan.model.ledger import RuleFacts, RuleSet
from bartizan.model.severity import Severity
from bartizan.stores.bulk import storable, unless_there
from bartizan.stores.schema import cluster, edition, place, rule, rule_set

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from bartizan.stores.open import Store


class KnownSet(NamedTuple):
    """A set of rules with its id. Its digest is of the rules themselves: nobody's word is taken for it."""

    id: int
    rules: RuleSet


class Known:
    """Ids by what they stand for, for as long as the process lives."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._clusters: dict[str, int] = {}
        self._places: dict[tuple[int, str, str], int] = {}
        self._rules: dict[str, int] = {}
        self._by_digest: dict[str, KnownSet] = {}
        self._by_id: dict[int, KnownSet] = {}

    def forget(self) -> None:
        """Begin anew, as when a cluster was removed by another process."""
        for memory in (self._clusters, self._places, self._rules, self._by_digest, self._by_id):
            memory.clear()

    def cluster(self, name: str) -> int:
        """The id of a member of the fleet.

        Raises:
            StoreError: it has not joined.
        """
        found = self._clusters.get(name)
        if found is None:
            with self._store.reading() as connection:
                found = connection.execute(select(cluster.c.id).where(cluster.c.name == name)).scalar()
            if found is None:
                raise StoreError(f"no cluster `{name}` is in the fleet", hint="Let it join first.")
            self._clusters[name] = found
        return found

    def places(self, cluster_id: int, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """The ids of places by namespace and team; new ones are made."""
        names = set(wanted)
        if any((cluster_id, *one) not in self._places for one in names):
            self._store.write(lambda connection: self._make_places(connection, cluster_id, names))
            with self._store.reading() as connection:
                for row in connection.execute(select(place).where(place.c.cluster == cluster_id)):
                    self._places[cluster_id, row.namespace, row.team] = row.id
        return {one: self._places[cluster_id, *one] for one in names}

    def rule_set(self, rules: RuleSet, at: datetime) -> KnownSet:
        """A set of rules as it is kept; a new one is written with its rules."""
        rules = RuleSet("", tuple(map(_kept, rules.rules)))
        digest = blake2b(msgspec.msgpack.encode(rules.rules), digest_size=16).hexdigest()
        found = self._by_digest.get(digest)
        if found is None:
            rules = RuleSet(digest, rules.rules)
            found = self._remember(self._store.write(lambda connection: _make_set(connection, rules, at)), rules)
        return found

    def rule_set_of(self, connection: Connection, number: int) -> KnownSet:
        """The set of rules that has an id."""
        found = self._by_id.get(number)
        if found is None:
            row = connection.execute(select(rule_set).where(rule_set.c.id == number)).one()
            found = self._remember(number, RuleSet(row.digest, facts_of(connection, row.editions)))
        return found

    def rule_set_named(self, digest: str) -> RuleSet | None:
        """The set of rules that a source calls by its digest; nothing where none of that name is kept."""
        found = self._by_digest.get(digest)
        if found is not None:
            return found.rules
        with self._store.reading() as connection:
            number = connection.execute(select(rule_set.c.id).where(rule_set.c.digest == digest)).scalar()
            return None if number is None else self.rule_set_of(connection, number).rules

    def rules(self, names: Iterable[str]) -> dict[str, int]:
        """The ids of rules, all of which are in sets that are kept."""
        wanted = set(names)
        if not wanted <= self._rules.keys():
            with self._store.reading() as connection:
                self._rules.update((row.name, row.id) for row in connection.execute(select(rule.c.name, rule.c.id)))
        return {name: self._rules[name] for name in wanted}

    def _remember(self, number: int, rules: RuleSet) -> KnownSet:
        known = KnownSet(number, rules)
        self._by_digest[rules.digest] = self._by_id[number] = known
        return known

    def _make_places(self, connection: Connection, cluster_id: int, names: set[tuple[str, str]]) -> None:
        rows = [{"cluster": cluster_id, "namespace": one[0], "team": one[1]} for one in sorted(names)]
        connection.execute(unless_there(connection, place), rows)


def _kept(facts: RuleFacts) -> RuleFacts:
    frameworks = tuple(map(storable, facts.frameworks))
    return RuleFacts(storable(facts.id), facts.severity, frameworks, storable(facts.digest))


def _make_set(connection: Connection, rules: RuleSet, at: datetime) -> int:
    """Write a set, its rules and what they are now; another process may have been quicker with any of it."""
    for facts in sorted(
        rules.rules, key=lambda facts: facts.id
    ):  # one order, so that two writers do not wait for each other
        given = {"digest": facts.digest, "severity": int(facts.severity), "frameworks": list(facts.frameworks)}
        connection.execute(unless_there(connection, rule), {"name": facts.id, **given})
        connection.execute(update(rule).where(rule.c.name == facts.id).values(given))
    ids = {name: number for number, name in connection.execute(select(rule.c.id, rule.c.name))}
    rows = [
        {
            "rule": ids[facts.id],
            "digest": facts.digest,
            "severity": int(facts.severity),
            "frameworks": list(facts.frameworks),
            "first_seen": at,
        }
        for facts in rules.rules
    ]
    if rows:
        connection.execute(unless_there(connection, edition), rows)
    wanted = select(edition).where(edition.c.rule.in_(sorted({row["rule"] for row in rows})))
    numbers = {
        (row.rule, row.digest, row.severity, tuple(row.frameworks)): row.id for row in connection.execute(wanted)
    }
    editions = [numbers[row["rule"], row["digest"], row["severity"], tuple(row["frameworks"])] for row in rows]
    made = {"digest": rules.digest, "editions": editions, "first_seen": at}
    connection.execute(unless_there(connection, rule_set), made)
    return int(connection.execute(select(rule_set.c.id).where(rule_set.c.digest == rules.digest)).scalar_one())


def facts_of(connection: Connection, editions: list[int]) -> tuple[RuleFacts, ...]:
    """The rules of a set, in its order."""
    wanted = select(edition, rule.c.name).join(rule, rule.c.id == edition.c.rule).where(edition.c.id.in_(editions))
    facts = {
        row.id: RuleFacts(row.name, Severity(row.severity), tuple(row.frameworks), row.digest)
        for row in connection.execute(wanted)
    }
    return tuple(facts[number] for number in editions)
