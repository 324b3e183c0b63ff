"""One transaction's worth of changes to a cluster: collected in memory, then written table by table.

The counts are never written by themselves. They follow from the ledger's
entries, and the entries from the verdicts of the objects before and after,
so that the sum is exact whatever was reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import update

from bartizan.findings.ledger import Judged, ledger
from bartizan.model.ledger import Verdict
from bartizan.stores import bulk
from bartizan.stores.counting import count, severities_of
from bartizan.stores.lives import News, Whose, write_findings
from bartizan.stores.reports import Moves
from bartizan.stores.schema import body, cluster, resource
from bartizan.stores.schema.columns import micros

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from bartizan.findings.ledger import Judgement
    from bartizan.stores.known import Known, KnownSet
    from bartizan.stores.prepare import Prepared
    from bartizan.stores.prior import ResourceBefore

_NEW: Final = [
    "id",
    "cluster",
    "place",
    "key",
    "group",
    "version",
    "kind",
    "name",
    "uid",
    "labels",
    "body_digest",
    "rule_set",
    "verdicts",
    "findings_digest",
    "generation",
    "first_seen",
    "last_seen",
    "judged_at",
]
_JUDGED: Final = [
    "id",
    "place",
    "version",
    "uid",
    "labels",
    "body_digest",
    "rule_set",
    "verdicts",
    "findings_digest",
    "generation",
    "last_seen",
    "judged_at",
    "gone_at",
]
_NOTHING: Final = b""


class Writing:
    """Changes to one cluster at one time. The caller holds the cluster's row, so that nobody else writes to it."""

    def __init__(self, connection: Connection, known: Known, cluster_id: int, at: datetime) -> None:
        self.moves = Moves()
        self._connection = connection
        self._known = known
        self._cluster = cluster_id
        self._at = at
        self._now = micros(at)
        self._new: list[tuple[Prepared, int, KnownSet, int]] = []
        self._judged: list[tuple[Any, ...]] = []
        self._left: list[tuple[Any, ...]] = []
        self._stale: list[tuple[int, bytes]] = []
        self._bodies: list[tuple[int, bytes]] = []
        self._judgements: list[Judgement] = []
        self._news: list[News] = []

    def judge(self, before: ResourceBefore | None, now: Prepared, place: int, rules: KnownSet, generation: int) -> None:
        """Keep what was said of an object."""
        if before is None:
            self._new.append((now, place, rules, generation))
            self._judgements.append((None, Judged(str(place), now.verdicts, rules.rules)))
            return
        old = self._side(before)
        self._judgements.append((old, Judged(str(place), now.verdicts, rules.rules)))
        changed = (now.body_digest, rules.id, now.verdicts, now.findings_digest, max(generation, before.generation))
        row = (before.id, place, now.id.version, now.uid, now.labels, *changed, self._now, self._now, None)
        self._judged.append(row)
        self.moves.came += before.gone
        if now.body_digest != before.body_digest:
            self._bodies.append((before.id, now.content()))
        if now.findings_digest != before.findings_digest or before.gone or place != before.place:
            earlier = self._set_of(before)
            self._news.append(News(before.id, place, now.said(), None if before.gone else earlier, rules, now.verdicts))

    def leave(self, before: ResourceBefore) -> None:
        """Close an object that is not there any more, with all that was said of it."""
        if before.gone:
            return
        self._judgements.append((self._side(before), None))
        self._left.append((before.id, None, _NOTHING, _NOTHING, self._now))
        self._news.append(News(before.id, before.place, [], self._set_of(before), None, _NOTHING))
        self.moves.went += 1

    def age(self, before: ResourceBefore) -> None:
        """Say of an object that it was not judged for too long. Its findings stay: nobody has seen them mended."""
        rules = self._set_of(before)
        if before.gone or rules is None:
            return
        stale = bytes(Verdict.STALE if verdict else Verdict.NONE for verdict in before.verdicts)
        if stale == before.verdicts:
            return
        self._judgements.append((self._side(before), Judged(str(before.place), stale, rules.rules)))
        self._stale.append((before.id, stale))

    def write(self, rules: KnownSet) -> Moves:
        """Write everything, in a cluster whose rules are `rules`. Returns what it changed."""
        connection = self._connection
        self._write_resources()
        write_findings(connection, Whose(self._cluster, self._at), self._news, self._known, self.moves)
        entries = ledger(self._judgements, "", self._at.date())
        self.moves.pairs = sum(one.count for one in entries)
        if entries:
            ids = self._known.rules(one.rule for one in entries)
            severities = severities_of(connection, self._cluster, rules.rules, ids)
            count(connection, self._cluster, entries, ids, severities)
        if self.moves.came != self.moves.went:
            moved = cluster.c.objects + self.moves.came - self.moves.went
            connection.execute(update(cluster).where(cluster.c.id == self._cluster).values(objects=moved))
        return self.moves

    def _side(self, before: ResourceBefore) -> Judged | None:
        rules = self._set_of(before)
        return None if before.gone or rules is None else Judged(str(before.place), before.verdicts, rules.rules)

    def _set_of(self, before: ResourceBefore) -> KnownSet | None:
        return None if before.rule_set is None else self._known.rule_set_of(self._connection, before.rule_set)

    def _write_resources(self) -> None:
        connection, now = self._connection, self._now
        rows = []
        for number, (one, place, rules, generation) in zip(
            bulk.numbers(connection, resource, len(self._new)), self._new, strict=True
        ):
            name = tuple(map(bulk.storable, (one.id.group, one.id.version, one.id.kind, one.id.name)))
            judged = (one.body_digest, rules.id, one.verdicts, one.findings_digest, generation)
            rows.append((number, self._cluster, place, one.key, *name, one.uid, one.labels, *judged, now, now, now))
            self._bodies.append((number, one.content()))
            said = one.said()
            if said:
                self._news.append(News(number, place, said, None, rules, one.verdicts))
        self.moves.came += len(rows)
        bulk.insert(connection, resource, _NEW, rows)
        bulk.change(connection, resource, _JUDGED, self._judged)
        bulk.change(connection, resource, ["id", "rule_set", "verdicts", "findings_digest", "gone_at"], self._left)
        bulk.change(connection, resource, ["id", "verdicts"], self._stale)
        bulk.put(connection, body, ["resource", "content"], self._bodies)
