"""The sentry of one member: knows what its source holds, judges what may have changed, and tells what did.

Whatever happens (an object, a rule, a waiver or a neighbour changes) ends as
keys of objects to be looked at again, and all of them go one way: out of the
mirror, past the rules, the copies and the waivers, into a batch.

A copy is an object that something in the mirror minds: a Deployment's
ReplicaSet and Pods. Where it says the same of one of our rules as its controller
or one above it, pass or fail, its own verdict is a skip and its finding is left
out: it is said and counted once, where it can be mended, and a hundred
replicas weigh no more than one. The same goes for a ReplicaSet that runs nothing
any more, whatever it says: it is the history of its Deployment. Rules that
people bring are left alone, as in a scan.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from bartizan.app.asking import Asker
from bartizan.app.watch.keeper import add
from bartizan.app.watch.mirror import place_of, unpack
from bartizan.app.watch.verdicts import RANKS, Judged, Jury, Waivers, found
from bartizan.base.wildcard import matcher
from bartizan.fleet import recheck
from bartizan.model.ledger import Verdict
from bartizan.stores.reports import Moves, Observed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from bartizan.app.watch.keeper import Telling
    from bartizan.app.watch.mirror import Compared, Entry, Mirror
    from bartizan.app.watch.rules import RuleBook
    from bartizan.app.watch.verdicts import TeamWaiver
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.engines.posture import Conclusion
    from bartizan.findings.lifecycle import ObjectKey
    from bartizan.model.resource import Resource, ResourceId

BATCH: Final = 500
"""Objects a batch: their cluster's row is held for as long as it is written, some tenths of a second."""
SEEN: Final = 2000
"""Objects a batch of which nothing is new."""
_MOST_SAID: Final = 10_000
"""Different things said of objects that are kept to be shared."""
TEAM_LABEL: Final = "app.kubernetes.io/part-of"
_SKIP: Final = int(Verdict.SKIP)
_PASS: Final = int(Verdict.PASS)
_FAIL: Final = int(Verdict.FAIL)
_STALE: Final = bytes([Verdict.NONE]) + bytes([Verdict.STALE]) * 255
_COPIED: Final = frozenset({_PASS, _FAIL, int(Verdict.WARN)})


Said: TypeAlias = "tuple[tuple[int, tuple[Conclusion, ...]], ...]"
"""What each check across objects, by its number, objects to in one object: nothing is a pass."""


class Sentry:
    """One member. Not to be used by two threads at a time."""

    def __init__(
        self,
        mirror: Mirror,
        book: RuleBook,
        telling: Telling,
        lookup: Callable[[], Lookup],
        team_label: str = TEAM_LABEL,
    ) -> None:
        self.mirror = mirror
        self.book = book
        self.telling = telling
        self.dirty: set[ObjectKey] = set()
        """What may be other than was told."""
        self.gone: dict[ObjectKey, ResourceId] = {}
        """What was deleted, and is not told yet."""
        self._lookup = lookup
        self._team_label = team_label
        self._waivers: tuple[TeamWaiver, ...] = ()
        self._conclusions: dict[str, dict[ObjectKey, Said]] = {}
        self._same: dict[Said, Said] = {}  # most objects are said the same of
        mirror.observe(book.checks)

    @property
    def waits(self) -> bool:
        """Whether there is anything to be judged or told."""
        return bool(self.dirty or self.gone)

    def put(self, resource: Resource) -> None:
        """An object is there, or is another."""
        before = self._said_of(resource.id.name) if resource.id.kind == "Namespace" else ()
        key = self.mirror.put(resource)
        if key is None:
            return
        self.gone.pop(key, None)
        self.dirty.add(key)
        if key.kind == "Namespace" and before != self._said_of(key.name):
            self.dirty |= self.mirror.by_namespace[key.name]

    def _said_of(self, namespace: str) -> tuple[object, ...]:
        """What a namespace says of the objects in it."""
        metadata = self.mirror.namespaces.get(namespace, {})
        return metadata.get("labels") or None, metadata.get("annotations") or None

    def doubt(self, key: ObjectKey) -> None:
        """An object cannot be read any more, and nobody says that it is gone."""
        entry = self.mirror.entries[key]
        if not entry.stale:
            entry.stale = True
            self.dirty.add(key)

    def drop(self, key: ObjectKey) -> None:
        """An object is no more."""
        rid = self.mirror.id_of(key)
        if self.mirror.drop(key):
            self.gone[key] = rid
            self.dirty.discard(key)
            if key.kind == "Namespace":
                self.dirty |= self.mirror.by_namespace[key.name]
            self.dirty |= self.mirror.below(key)

    def adopt(self, book: RuleBook) -> None:
        """Ask other rules from now on; only what a changed rule can match, or one that went could, is judged again."""
        if book.digest == self.book.digest:
            self.book = book
            return
        work = recheck(self.book.reaches, book.reaches)
        kinds: set[str] | None = None if work.kinds is None else set(work.kinds)
        for reach in self.book.reaches:
            if reach.id in work.gone and kinds is not None:
                kinds = None if reach.kinds is None else kinds | reach.kinds
        self._renumber(book)
        self.book = book
        self.mirror.observe(book.checks)
        self._conclusions.clear()
        self.mirror.facts.changed |= self.mirror.facts.places
        self.dirty |= self.mirror.of_kinds(kinds)

    def accept(self, waivers: Sequence[TeamWaiver]) -> None:
        """Other waivers are in force from now on; only what one that came or went can match is judged again."""
        changed = set(waivers) ^ set(self._waivers)
        # in one order, for the first that matches is the one that is named
        self._waivers = tuple(sorted(waivers, key=lambda one: (one.waiver.id, one.team)))
        for one in changed:
            self.dirty |= self._reached(one)

    def look(self, confirmed: Collection[ObjectKey] = (), generation: int = 0) -> Moves:
        """Judge what may have changed and tell it; of a generation also what was seen to be as it was.

        `confirmed` are judged again whether they changed or not, where the world that policies ask about may have.

        Raises:
            StoreError: not everything could be told; what was not stays to be told.
        """
        total = Moves()
        self.dirty |= self._concluded()
        quiet = self._quiet(confirmed) if generation else []
        for start in range(0, len(quiet), SEEN):
            seen = [self.mirror.id_of(key) for key in quiet[start : start + SEEN]]
            add(total, self.telling.send(self.book.rule_set, (), (), seen, generation))
        self.dirty.update(set(confirmed) - set(quiet))
        round_ = _Round(self, Waivers(self._waivers, self.telling.at()))
        gone = list(self.gone.items())
        for start in range(0, len(gone), BATCH):
            part = gone[start : start + BATCH]
            add(total, self.telling.send(self.book.rule_set, gone=[rid for _, rid in part]))
            for key, _ in part:
                del self.gone[key]
        for batch in round_.batches(self.dirty):
            observed = [one.observed for one in batch if one.is_news]
            seen = []
            if generation:
                seen = [one.observed.resource.id for one in batch if not one.is_news]
            if observed or seen:
                add(total, self.telling.send(self.book.rule_set, observed, (), seen, generation))
            for one in batch:
                one.entry.told = one.mark
                self.dirty.discard(one.key)
        return total

    def _quiet(self, keys: Collection[ObjectKey]) -> list[ObjectKey]:
        """Those objects of which everything is told, and of which no rule can say anything else than it did."""
        restless, entries, found = self.book.restless, self.mirror.entries, []
        for key in keys:
            entry = entries.get(key)
            is_told = entry is not None and entry.told and not entry.stale and key not in self.dirty
            if is_told and restless is not None and key.kind not in restless:
                found.append(key)
        return found

    def forget_told(self, listings: Collection[str] | None = None) -> None:
        """Take nothing for told: whatever is looked at from now on is news to the store.

        `listings` are the only kinds meant, as a generation names those that could not be listed.
        """
        for key, entry in self.mirror.entries.items():
            if listings is None or key.listing in listings or f"{key.group}/*" in listings:
                entry.told = 0

    def _renumber(self, book: RuleBook) -> None:
        """Put what was said into the columns of other rules; it is what copies are compared with."""
        columns = {facts.id: number for number, facts in enumerate(self.book.rule_set.rules)}
        picks = [columns.get(facts.id, -1) for facts in book.rule_set.rules]
        known: dict[bytes, bytes] = {}
        for entry in self.mirror.entries.values():
            if entry.raw:
                if entry.raw not in known:
                    known[entry.raw] = bytes(entry.raw[pick] if pick >= 0 else 0 for pick in picks)
                entry.raw = known[entry.raw]

    def _reached(self, one: TeamWaiver) -> set[ObjectKey]:
        """The objects a waiver can match: those of the kinds of its rules, by its own words."""
        waiver = one.waiver
        policy, rule = matcher(waiver.policy), matcher(waiver.rule)
        infos = {str(info.id): info.id for info in self.book.infos}
        kinds: set[str] = set()
        for reach in self.book.reaches:
            rid = infos[reach.id]
            if policy(rid.policy) and rule(rid.rule):
                kinds |= set(self.mirror.by_kind) if reach.kinds is None else reach.kinds
        kind, namespace, name = matcher(waiver.kind), matcher(waiver.namespace), matcher(waiver.name)
        mine = self.mirror.of_kinds(word for word in kinds if kind(word))
        return {key for key in mine if namespace(key.namespace) and name(key.name)}

    def _concluded(self) -> set[ObjectKey]:
        """Let checks across objects speak of namespaces that changed; returns the objects of which they say other."""
        facts = self.mirror.facts
        changed: set[ObjectKey] = set()
        for place in facts.changed:
            now = self._conclude(facts.of(place))
            before = self._conclusions.get(place, {})
            changed |= {key for key in before.keys() | now.keys() if before.get(key) != now.get(key)}
            self._conclusions[place] = now
        facts.changed.clear()
        if len(self._same) > _MOST_SAID:
            self._same.clear()
        return changed & self.mirror.entries.keys()

    def _conclude(self, compared: Compared) -> dict[ObjectKey, Said]:
        """What each check says of each object of a namespace that it judges: nothing is a pass."""
        now: defaultdict[ObjectKey, dict[int, list[Conclusion]]] = defaultdict(dict)
        for number, check in enumerate(self.book.checks):
            held = compared.by(check)
            for key, _ in held:
                if key.kind in check.judged:
                    now[key][number] = []
            for one in check.conclude([(self.mirror.id_of(key), fact) for key, fact in held]):
                now[held[one.number][0]].setdefault(number, []).append(one._replace(number=0))
        said = {key: tuple((number, tuple(ones)) for number, ones in found.items()) for key, found in now.items()}
        return {key: self._same.setdefault(one, one) for key, one in said.items()}

    def world(self) -> Jury:
        """The rules, bound to how the world is now."""
        labels = self.mirror.labels() if self.book.wants_namespaces else {}
        return Jury(self.book, Asker(self.book.values, None, labels), self._lookup())

    def crossing(self, key: ObjectKey) -> Said:
        """What each check across objects objects to in one; nothing of those that do not judge it."""
        return self._conclusions.get(place_of(key), {}).get(key, ())

    def team_of(self, resource: Resource, key: ObjectKey) -> str:
        """Whose an object is."""
        return self.mirror.team_of(key, resource.body, self._team_label)


class _Looked(NamedTuple):
    """An object that was judged. `mark` is of all that is to be told of it."""

    key: ObjectKey
    entry: Entry
    observed: Observed
    mark: int

    @property
    def is_news(self) -> bool:
        return self.mark != self.entry.told


class _Round:
    """One look at some objects, by one state of the world."""

    def __init__(self, sentry: Sentry, waivers: Waivers) -> None:
        self._sentry = sentry
        self._mirror = sentry.mirror
        self._jury = sentry.world()
        self._waivers = waivers
        self._known: dict[bytes, bytes] = {}  # what many objects get is kept once
        self._ours = [column for column, ours in enumerate(sentry.book.ours) if ours]

    def batches(self, keys: Collection[ObjectKey]) -> Iterator[list[_Looked]]:
        """Judge objects, controllers before what they mind, and whatever is touched by what is said of those."""
        mirror = self._mirror
        waiting = [(len(mirror.above(key)), key) for key in keys if key in mirror.entries]
        heapq.heapify(waiting)
        queued = {key for _, key in waiting}
        batch: list[_Looked] = []
        while waiting:
            depth, key = heapq.heappop(waiting)
            queued.discard(key)
            looked, is_other = self._look(key)
            batch.append(looked)
            if is_other:
                for child in mirror.below(key) & mirror.entries.keys():
                    self._sentry.dirty.add(child)  # at once: if telling fails, it is still to be looked at
                    if child not in queued:
                        queued.add(child)
                        heapq.heappush(waiting, (max(depth + 1, len(mirror.above(child))), child))
            if len(batch) == BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    def _look(self, key: ObjectKey) -> tuple[_Looked, bool]:
        sentry, entry = self._sentry, self._mirror.entries[key]
        resource = unpack(key, entry)
        judged = self._with_crossing(key, resource, self._jury.judge(resource))
        is_other = judged.verdicts != entry.raw
        entry.raw = self._known.setdefault(judged.verdicts, judged.verdicts)
        if entry.controller is not None:
            judged = self._without_copies(key, resource, judged)
        team = sentry.team_of(resource, key)
        judged = self._waivers.apply(judged, team)
        if entry.stale:  # what was wrong with it is not known to be mended; what was right is not known to be
            judged = Judged(judged.verdicts.translate(_STALE), judged.findings)
        findings = tuple(finding for _, finding in judged.findings)
        said = [
            (column, one.pointer, one.result, one.message, one.evidence, one.waived_by)
            for column, one in judged.findings
        ]
        mark = hash((entry.digest, sentry.book.digest, judged.verdicts, team, tuple(sorted(said)))) or 1
        return _Looked(key, entry, Observed(resource, judged.verdicts, findings, team), mark), is_other

    def _with_crossing(self, key: ObjectKey, resource: Resource, judged: Judged) -> Judged:
        """Add what checks across objects say."""
        asked = self._sentry.crossing(key)
        if not asked:
            return judged
        book = self._sentry.book
        verdicts, findings = bytearray(judged.verdicts), list(judged.findings)
        for number, conclusions in asked:
            check, column = book.checks[number], book.crossing[number]
            verdict = _FAIL if conclusions else _PASS
            if RANKS[verdict] > RANKS[verdicts[column]]:
                verdicts[column] = verdict
            findings += (
                (column, found(check.info, resource, "fail", one.message, one.pointer, one.evidence))
                for one in conclusions
            )
        return Judged(bytes(verdicts), tuple(findings))

    def _without_copies(self, key: ObjectKey, resource: Resource, judged: Judged) -> Judged:
        """Skip what a controller says already."""
        above = [entry.raw for entry in self._mirror.above(key) if entry.raw]
        if not above:
            return judged
        is_past = key.kind == "ReplicaSet" and (resource.body.get("spec") or {}).get("replicas") == 0
        verdicts = bytearray(judged.verdicts)
        for column in self._ours:
            verdict = verdicts[column]
            if verdict in _COPIED and (is_past or any(raw[column] == verdict for raw in above)):
                verdicts[column] = _SKIP
        kept = tuple(one for one in judged.findings if verdicts[one[0]] != _SKIP)
        return Judged(bytes(verdicts), kept)
