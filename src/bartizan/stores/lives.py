"""Findings, written as their life goes on: `findings.lifecycle` says what happened, and here it is kept.

Only objects whose findings say something new come here. Of a cluster that
is as it was, no finding is read.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import select

from bartizan.findings.lifecycle import Found, Life, ObjectKey, Sight, tell
from bartizan.model.ledger import Verdict
from bartizan.stores import bulk
from bartizan.stores.schema import finding, rule, transition
from bartizan.stores.schema.columns import micros

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from bartizan.findings.lifecycle import Told
    from bartizan.stores.known import Known, KnownSet
    from bartizan.stores.prepare import Said
    from bartizan.stores.reports import Moves

_TEXTS: Final = ["content", "message", "pointer", "location", "excerpt", "evidence", "others", "waived_by"]
_SAID: Final = ["verdict", "severity", *_TEXTS]
_NEW: Final = (
    ["id", "cluster", "place", "resource", "rule", "fingerprint", "state", *_SAID]  # noqa: RUF005  reads as the row
    + ["first_seen", "opened_at", "changed_at"]
)
_SEEN: Final = ["id", "place", "state", *_SAID, "opened_at", "changed_at", "closed_at"]
_CLOSED: Final = ["id", "state", "waived_by", "changed_at", "closed_at"]
_TRANSITION: Final = ["cluster", "finding", "at", "change", "cause"]
_CHUNK: Final = 1000


class News(NamedTuple):
    """An object whose findings are others than before.

    `before` is nothing for one that came, `after` for one that left.
    """

    id: int
    place: int
    said: list[Said]
    before: KnownSet | None
    after: KnownSet | None
    verdicts: bytes


class Whose(NamedTuple):
    """The cluster that is written to, and the time of what is told."""

    cluster: int
    at: datetime


class _Kept(NamedTuple):
    id: int
    place: int
    life: Life


def write_findings(connection: Connection, whose: Whose, news: Sequence[News], known: Known, moves: Moves) -> None:
    """Open, change, close and reopen findings, each with its transition."""
    before = _lives(connection, [one.id for one in news])
    ids: dict[str, int] = {}
    new: list[tuple[Any, ...]] = []
    seen: list[tuple[Any, ...]] = []
    closed: list[tuple[Any, ...]] = []
    steps: list[tuple[str, str, str]] = []
    rules = known.rules({said.rule for one in news for said in one.said})
    now = micros(whose.at)
    told = [(one, *_told(one, before.get(one.id, {}), whose.at)) for one in news]
    numbers = iter(bulk.numbers(connection, finding, sum(_opened(result) for _, _, result in told)))
    for one, said, result in told:
        mine = before.get(one.id, {})
        ids.update((print_, kept.id) for print_, kept in mine.items())
        happened = {step.fingerprint for step in result.transitions}
        steps += [(step.fingerprint, step.change, step.cause) for step in result.transitions]
        for life in result.lives:
            print_ = life.fingerprint
            state = "waived" if life.state == "open" and life.waived_by else life.state
            if print_ not in mine:
                ids[print_] = next(numbers)
                whom = (ids[print_], whose.cluster, one.place, one.id, rules[life.rule], print_, state)
                new.append((*whom, *said[print_][3:], now, now, now))
            elif life.state != "open":
                closed.append((ids[print_], state, "", now, now))
            elif print_ in happened or mine[print_].place != one.place:
                row = (ids[print_], one.place, state, *said[print_][3:], micros(life.opened_at), now, None)
                seen.append(row)
    bulk.insert(connection, finding, _NEW, new)
    bulk.change(connection, finding, _SEEN, seen)
    bulk.change(connection, finding, _CLOSED, closed)
    rows = [(whose.cluster, ids[print_], now, change, cause) for print_, change, cause in steps]
    bulk.insert(connection, transition, _TRANSITION, rows)
    changes = Counter(change for _, change, _ in steps)
    moves.opened += changes["opened"] + changes["reopened"]
    moves.closed += changes["fixed"] + changes["gone"]
    moves.findings.extend(row[1] for row in rows)


def _opened(result: Told) -> int:
    return sum(step.change == "opened" for step in result.transitions)


def _told(news: News, before: dict[str, _Kept], at: datetime) -> tuple[dict[str, Said], Told]:
    """What happened to the findings of one object, given that nothing older than what is known comes here."""
    key = _key(news.id)
    said = {one.fingerprint: one for one in news.said}
    there = frozenset((key,))
    none: frozenset[ObjectKey] = frozenset()
    after = news.after
    sight = Sight(
        at,
        tuple(Found(one.fingerprint, one.rule, key, one.content, one.waived_by) for one in news.said),
        there if after else none,
        whole=False,
        rules=frozenset(facts.id for facts in after.rules.rules) if after else None,
        removed=none if after else there,
        unjudged=frozenset(_unjudged(news, key)),
        came=none if news.before else there,
        renewed=frozenset(_renewed(news)),
    )
    return said, tell({print_: one.life for print_, one in before.items()}, sight)


def _unjudged(news: News, key: ObjectKey) -> Iterator[tuple[ObjectKey, str]]:
    if news.after and Verdict.ERROR in news.verdicts:
        for facts, verdict in zip(news.after.rules.rules, news.verdicts, strict=True):
            if verdict == Verdict.ERROR:
                yield key, facts.id


def _renewed(news: News) -> Iterator[str]:
    if news.before is None or news.after is None or news.before.id == news.after.id:
        return
    was = {facts.id: facts.digest for facts in news.before.rules.rules}
    yield from (facts.id for facts in news.after.rules.rules if was.get(facts.id) != facts.digest)


def _lives(connection: Connection, resources: Sequence[int]) -> dict[int, dict[str, _Kept]]:
    found: dict[int, dict[str, _Kept]] = defaultdict(dict)
    columns = finding.c
    wanted = select(
        columns.id, columns.place, columns.resource, columns.fingerprint, rule.c.name, columns.content,
        columns.waived_by, columns.state, columns.first_seen, columns.opened_at, columns.changed_at, columns.closed_at,
    ).join(rule, rule.c.id == columns.rule)  # fmt: skip  # one row
    for start in range(0, len(resources), _CHUNK):
        some = resources[start : start + _CHUNK]
        for row in connection.execute(wanted.where(columns.resource.in_(some))):
            state: Any = "open" if row.state == "waived" else row.state
            ends = (row.first_seen, row.opened_at, row.changed_at, row.closed_at)
            life = Life(row.fingerprint, row.name, _key(row.resource), row.content, row.waived_by, state, *ends)
            found[row.resource][row.fingerprint] = _Kept(row.id, row.place, life)
    return found


def _key(resource: int) -> ObjectKey:
    """A resource as the lifecycle tells objects apart; it asks for no more of a part of a cluster."""
    return ObjectKey("", "", "", str(resource))
