"""The life of a finding: when it was seen first and last, how it ended, and whether it is back.

A sight says what was looked at and what was found there. Whatever a
whole sight has not found has ended: fixed, where its object was judged
by its rule and is content; gone, where one of them is no more. So no ghost
outlives a whole sight. What could not be listed or judged ends nothing, for
not seeing is not knowing.

Who is told first does not matter: a sight that is older than what is known of
a finding changes nothing of it. An older sight can still open what a newer
one would not have: leave objects out of it that were judged since.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bartizan.model.ledger import Cause
    from bartizan.model.resource import ResourceId

Change: TypeAlias = Literal["opened", "changed", "waived", "unwaived", "fixed", "gone", "reopened"]
"""What can happen to a finding. An `error` or a `warn` is as open as a `fail`."""


_Changes: TypeAlias = "tuple[tuple[Change, Cause], ...]"


class ObjectKey(NamedTuple):
    """An object of a cluster, whatever version of the API shows it."""

    group: str
    kind: str
    namespace: str
    name: str

    @property
    def listing(self) -> str:
        """The kind it is listed under, as `Generation.unlisted` names it."""
        return f"{self.group}/{self.kind}" if self.group else self.kind


def key_of(resource: ResourceId) -> ObjectKey:
    """The key of a resource."""
    return ObjectKey(resource.group, resource.kind, resource.namespace, resource.name)


class Found(NamedTuple):
    """An open finding as a sight has it.

    `content` is a digest of what may change while it stays the same finding:
    its message, severity, result and place. `waived_by` names the waiver.
    """

    fingerprint: str
    rule: str
    object: ObjectKey
    content: str = ""
    waived_by: str = ""


class Life(msgspec.Struct, frozen=True):
    """What is known of a finding in one cluster.

    `first_seen` is the first sight of all; `opened_at` the sight that opened
    it last. `closed_at` is nothing while it is open.
    """

    fingerprint: str
    rule: str
    object: ObjectKey
    content: str
    waived_by: str
    state: Literal["open", "fixed", "gone"]
    first_seen: datetime
    opened_at: datetime
    last_seen: datetime
    closed_at: datetime | None = None


class Transition(NamedTuple):
    """Something that happened to a finding."""

    fingerprint: str
    change: Change
    at: datetime
    cause: Cause


class Sight(NamedTuple):
    """What was looked at, when, and what was found.

    `objects` were judged, by all of `rules` except the pairs in `unjudged`,
    where the rule could not run. A `whole` sight looked at everything but the
    kinds in `unlisted`; any other looked at `objects` alone, and knows that
    those in `removed` are no more. `rules` are the rules in force; nothing
    where it is not known, as when policies could not be listed.
    `came` are objects nobody had seen, and `renewed` rules of another digest
    than before: they are what the causes are told from.
    """

    at: datetime
    found: tuple[Found, ...]
    objects: frozenset[ObjectKey]
    whole: bool = True
    rules: frozenset[str] | None = None
    unlisted: frozenset[str] = frozenset()
    removed: frozenset[ObjectKey] = frozenset()
    unjudged: frozenset[tuple[ObjectKey, str]] = frozenset()
    came: frozenset[ObjectKey] = frozenset()
    renewed: frozenset[str] = frozenset()


class Told(NamedTuple):
    """What a sight changed: transitions in order, and the lives that are another now, to be kept.

    `confirmed` are fingerprints of which nothing is new but that they were
    seen: by far the most, and one update of `last_seen` to `at` for all.
    """

    at: datetime
    transitions: list[Transition]
    lives: list[Life]
    confirmed: list[str]

    def over(self, known: Mapping[str, Life]) -> dict[str, Life]:
        """What is known after it."""
        seen = {mark: msgspec.structs.replace(known[mark], last_seen=self.at) for mark in self.confirmed}
        return {**known, **seen, **{life.fingerprint: life for life in self.lives}}


def tell(known: Mapping[str, Life], sight: Sight) -> Told:
    """What happened, given all lives the sight can speak of, by fingerprint.

    For a whole sight those are all that are open and all it found; for any
    other, those of the objects it looked at and of those that were removed.
    """
    seen = _seen(sight.found)
    told = Told(sight.at, [], [], [])
    for fingerprint in sorted(seen.keys() | known.keys()):
        life, found = known.get(fingerprint), seen.get(fingerprint)
        if life is not None and sight.at < (life.closed_at or life.last_seen):
            continue
        if found is None:
            now, changes = _unseen(life, sight) if life else (None, ())
        else:
            now, changes = _confirmed(life, found, sight)
        told.transitions.extend(Transition(fingerprint, change, sight.at, cause) for change, cause in changes)
        if now is None or now == life:
            continue
        if life is not None and not changes and now.waived_by == life.waived_by:
            told.confirmed.append(fingerprint)
        else:
            told.lives.append(now)
    return told


def _seen(found: Iterable[Found]) -> dict[str, Found]:
    """Findings by fingerprint: two containers with one fault share theirs, which is waived where all of it is."""
    same: dict[str, list[Found]] = {}
    for one in sorted(found):
        same.setdefault(one.fingerprint, []).append(one)
    return {fingerprint: ones[0] if len(ones) == 1 else _together(ones) for fingerprint, ones in same.items()}


def _together(ones: list[Found]) -> Found:
    waived_by = ones[0].waived_by if all(one.waived_by for one in ones) else ""
    return ones[0]._replace(content=" ".join(sorted({one.content for one in ones})), waived_by=waived_by)


def _confirmed(life: Life | None, found: Found, sight: Sight) -> tuple[Life, _Changes]:
    """A finding that was seen: new, known, or back."""
    cause = _cause(found.rule, found.object, sight)
    if life is None or life.state != "open":
        first: Change = "opened" if life is None else "reopened"
        since = sight.at if life is None else life.first_seen
        changes: list[tuple[Change, Cause]] = [(first, cause)]
        was_waived = ""
    else:
        since = life.first_seen
        changes = [("changed", cause)] if life.content != found.content else []
        was_waived = life.waived_by
    if bool(found.waived_by) != bool(was_waived):
        changes.append(("waived" if found.waived_by else "unwaived", "exceptions"))
    opened = life.opened_at if life and life.state == "open" else sight.at
    now = Life(*found, "open", since, opened, sight.at)
    return now, tuple(changes)


def _unseen(life: Life, sight: Sight) -> tuple[Life | None, _Changes]:
    """A known finding that was not seen: ended, or not looked at."""
    ended = _end(life, sight) if life.state == "open" else None
    if ended is None:
        return None, ()
    change, cause = ended
    closed = msgspec.structs.replace(life, state=change, waived_by="", closed_at=sight.at)
    return closed, ((change, cause),)


def _end(life: Life, sight: Sight) -> tuple[Literal["fixed", "gone"], Cause] | None:
    """How an open finding has ended, as far as the sight can tell."""
    if life.object in sight.removed:
        return "gone", "scope"
    looked = life.object in sight.objects
    if not looked and sight.whole and life.object.listing not in sight.unlisted:
        return "gone", "scope"
    if sight.rules is not None and life.rule not in sight.rules and (looked or sight.whole):
        return "gone", "rules"  # a rule is gone wherever it was asked, listed or not
    if not looked or (life.object, life.rule) in sight.unjudged:
        return None
    return "fixed", _cause(life.rule, life.object, sight)


def _cause(rule: str, key: ObjectKey, sight: Sight) -> Cause:
    """Why the verdict is another, as the ledger tells it."""
    return "scope" if key in sight.came else "rules" if rule in sight.renewed else "findings"
