"""Old and new verdicts of objects compared: every difference is an entry with its cause.

What yesterday counted and the entries since are what today counts, exactly,
whatever happened. So an entry is never made from what somebody thinks has
happened, only from two arrays of verdicts; causes are read off them too:

- an object that came or went: *scope*; one that moved leaves one namespace and comes to another;
- a rule of another digest, or one that came or went: *rules*, whatever the object did meanwhile,
  for nobody has asked the new object by the old rule;
- what is waived and had failed, or fails that was waived: *exceptions*. What had passed and comes back waived
  has failed first, and is told as both;
- what was not judged for too long, or is again: *freshness*, whatever happened unseen;
- anything else: *findings*.

Several causes of one pair are told in the order of `CAUSES`, each from where
the one before it has left the pair.
"""

from __future__ import annotations

from collections import Counter
from itertools import compress
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from bartizan.base.errors import SpecError
from bartizan.model.ledger import Entry, Tally, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date

    from bartizan.model.ledger import Cause, RuleSet


class Judged(NamedTuple):
    """What the rules of a set say of one object: byte `n` of `verdicts` is the `Verdict` of rule `n`."""

    namespace: str
    verdicts: bytes
    rules: RuleSet


Judgement: TypeAlias = tuple[Judged | None, Judged | None]
"""One object before and after; nothing where it was not there."""
Place: TypeAlias = tuple[str, str, str]
"""Cluster, namespace and rule: what a tally is of."""
_Sets: TypeAlias = tuple[str | None, str | None]  # the digests of both sets of rules
_Step: TypeAlias = "tuple[Verdict, Verdict, Cause]"
_Telling: TypeAlias = "tuple[str, str, Verdict, Verdict, Cause]"

_NONE: Final = Verdict.NONE
_VERDICTS: Final = bytes(Verdict)
_ABSENT: Final = (-1, None)
"""The number and digest of a rule that is not in a set."""
_BAD: Final = frozenset({Verdict.FAIL, Verdict.WARN, Verdict.ERROR})
_BEFORE_MOVING: Final[frozenset[Cause]] = frozenset({"findings", "rules"})


def read_verdicts(verdicts: bytes, rules: RuleSet) -> bytes:
    """Verdicts as somebody sent them, where they are such and as many as there are rules.

    Raises:
        SpecError: they are not.
    """
    if len(verdicts) != len(rules.rules):
        raise SpecError(f"{len(verdicts)} verdicts on {len(rules.rules)} rules")
    unknown = verdicts.translate(None, _VERDICTS)
    if unknown:
        raise SpecError(f"there is no verdict {unknown[0]}", hint=f"Verdicts are numbers from 0 to {max(Verdict):d}.")
    return verdicts


def ledger(judgements: Iterable[Judgement], cluster: str, day: date) -> list[Entry]:
    """The differences between what was said of objects and what is said now, counted and in order."""
    groups: Counter[tuple[_Sets, str, str, bytes, bytes]] = Counter()
    pairings: dict[_Sets, _Pairing] = {}
    for before, after in judgements:
        if before is None or after is None:
            if before is after:
                continue
        elif before[1] == after[1] and before[0] == after[0] and before[2].digest == after[2].digest:
            continue  # by far the most: judged again, and nothing is new
        left, then, old = _side(before, after)
        right, now, new = _side(after, before)
        sets = (old.digest if old else None, new.digest if new else None)
        if sets not in pairings:
            pairings[sets] = _pair(old, new)
        groups[sets, left, right, then, now] += 1
    return [Entry(cluster, day, *key, number) for key, number in sorted(_told(groups, pairings).items())]


def merge(entries: Iterable[Entry]) -> list[Entry]:
    """Entries that say the same made one, as when a day has several batches."""
    counts: Counter[tuple[str, date, str, str, Verdict, Verdict, Cause]] = Counter()
    for one in entries:
        counts[one.cluster, one.day, one.namespace, one.rule, one.before, one.after, one.cause] += one.count
    return [Entry(*key, number) for key, number in sorted(counts.items()) if number]


def tallies(objects: Iterable[Judged], cluster: str) -> list[Tally]:
    """Count the verdicts on all objects of a cluster: what its ledger must have come to."""
    sets: dict[str, RuleSet] = {}
    groups: Counter[tuple[str, str, bytes]] = Counter()
    for namespace, verdicts, rules in objects:
        sets.setdefault(rules.digest, rules)
        groups[namespace, rules.digest, verdicts] += 1
    counts: dict[Place, list[int]] = {}
    for (namespace, digest, verdicts), number in groups.items():
        for rule, verdict in zip(sets[digest].rules, verdicts, strict=True):
            if verdict:
                counts.setdefault((cluster, namespace, rule.id), [0] * len(Verdict))[verdict] += number
    return _tallies_of(counts)


def applied(before: Iterable[Tally], entries: Iterable[Entry]) -> list[Tally]:
    """The tallies after the entries; what counts nothing is left out.

    Raises:
        ValueError: less than nothing would be left, so the entries are not of these tallies.
    """
    return _moved(before, entries, 1)


def taken_back(after: Iterable[Tally], entries: Iterable[Entry]) -> list[Tally]:
    """The tallies before the entries, from those after them: how any day of the past is told from today.

    Raises:
        ValueError: less than nothing would be left, so the entries are not of these tallies.
    """
    return _moved(after, entries, -1)


def _moved(given: Iterable[Tally], entries: Iterable[Entry], sign: int) -> list[Tally]:
    counts: dict[Place, list[int]] = {}
    for tally in given:
        row = counts.setdefault((tally.cluster, tally.namespace, tally.rule), [0] * len(Verdict))
        for verdict, number in enumerate(tally.counts, 1):
            row[verdict] += number
    for entry in entries:
        row = counts.setdefault((entry.cluster, entry.namespace, entry.rule), [0] * len(Verdict))
        row[entry.before] -= sign * entry.count
        row[entry.after] += sign * entry.count
    return _tallies_of(counts)


def _tallies_of(counts: Mapping[Place, list[int]]) -> list[Tally]:
    """Rows of counts as tallies, in order; nobody counts what was not asked."""
    found = []
    for place, row in counts.items():
        if min(row[1:]) < 0:
            raise ValueError(f"the entries do not follow from the tallies of {place}")
        if any(row[1:]):
            found.append(Tally(*place, *row[1:]))  # type: ignore[arg-type]  # seven counts, and no team
    return sorted(found)


class _Pairing(NamedTuple):
    """Two sets of rules, rule by rule: what each is called, why its verdict may differ, and how to line them up."""

    names: tuple[str, ...]
    whys: tuple[Cause, ...]
    old: Callable[[bytes], bytes] = bytes
    new: Callable[[bytes], bytes] = bytes


def _side(one: Judged | None, other: Judged | None) -> tuple[str, bytes, RuleSet | None]:
    """One side of an object; where it is not there it is in the same namespace, asked by no rule."""
    if one:
        return one.namespace, one.verdicts, one.rules
    return (other.namespace, bytes(len(other.verdicts)), None) if other else ("", b"", None)


def _pair(old: RuleSet | None, new: RuleSet | None) -> _Pairing:
    """Pair the rules of two sets by name; an object without a set was, or is, not there."""
    if old is None or new is None or old.digest == new.digest:
        one = old or new
        names = tuple(rule.id for rule in one.rules) if one else ()
        why: Cause = "findings" if old and new else "scope"
        return _Pairing(names, (why,) * len(names))
    was = {rule.id: (number, rule.digest) for number, rule in enumerate(old.rules)}
    now = {rule.id: (number, rule.digest) for number, rule in enumerate(new.rules)}
    names = tuple(was | now)
    olds, news = [was.get(name, _ABSENT) for name in names], [now.get(name, _ABSENT) for name in names]
    whys: list[Cause] = ["findings" if one[1] == other[1] else "rules" for one, other in zip(olds, news, strict=True)]
    return _Pairing(
        names, tuple(whys), _picker([number for number, _ in olds]), _picker([number for number, _ in news])
    )


def _picker(positions: list[int]) -> Callable[[bytes], bytes]:
    """Put verdicts in the order of positions; -1 is a rule that was not asked."""
    pick = itemgetter(-1, -1, *positions)  # of two positions or more it makes a tuple, and needs no loop of ours
    return lambda verdicts: bytes(pick(verdicts + b"\0")[2:])


def _told(
    groups: Counter[tuple[_Sets, str, str, bytes, bytes]], pairings: Mapping[_Sets, _Pairing]
) -> Counter[_Telling]:
    """What happened to the pairs of all objects, counted."""
    differing: Counter[tuple[_Sets, str, str, int, int, int]] = Counter()
    for (sets, left, right, then, now), number in groups.items():
        pairing = pairings[sets]
        then, now = pairing.old(then), pairing.new(now)  # noqa: PLW2901  # in the order of both sets from here on
        for rule in range(len(then)) if left != right else _differing(then, now):
            differing[sets, left, right, rule, then[rule], now[rule]] += number
    counts: Counter[_Telling] = Counter()
    for (sets, left, right, rule, old, new), number in differing.items():
        names, whys = pairings[sets][:2]
        for namespace, step in _path(left, right, _STEPS[whys[rule], old, new], (old, new)):
            counts[namespace, names[rule], *step] += number
    return counts


def _differing(then: bytes, now: bytes) -> Iterator[int]:
    """Where two arrays of one length differ, without a look at where they do not."""
    if len(then) != len(now):
        raise ValueError("verdicts of one set of rules differ in number")
    difference = int.from_bytes(then, "big") ^ int.from_bytes(now, "big")
    return compress(range(len(then)), difference.to_bytes(len(then), "big"))


def _path(left: str, right: str, steps: tuple[_Step, ...], ends: tuple[int, int]) -> Iterator[tuple[str, _Step]]:
    """The steps of a pair with their namespaces; where its object moved, it leaves and comes between causes."""
    if left == right or not all(ends):
        yield from ((left if ends[0] else right, step) for step in steps)
        return
    state = Verdict(ends[0])
    for step in steps:
        if step[2] in _BEFORE_MOVING:
            yield left, step
            state = step[1]
    yield left, (state, _NONE, "scope")
    yield right, (_NONE, state, "scope")
    yield from ((right, step) for step in steps if step[2] not in _BEFORE_MOVING)


def _steps(why: Cause, old: Verdict, new: Verdict) -> tuple[_Step, ...]:
    """How a pair came from one verdict to another, where `why` is what happened to its object or its rule."""
    if old == new:
        return ()
    if Verdict.STALE in (old, new):
        arrived = _NONE in (old, new) and why != "findings"
        return ((old, new, why if arrived else "freshness"),)
    if new == Verdict.WAIVED and old not in _BAD:
        return (old, Verdict.FAIL, why), (Verdict.FAIL, new, "exceptions")
    if (new == Verdict.WAIVED and old in _BAD) or (old == Verdict.WAIVED and new in _BAD):
        return ((old, new, "exceptions"),)
    return ((old, new, why),)


_WHYS: Final[tuple[Cause, ...]] = ("findings", "rules", "scope")
_STEPS: Final[Mapping[tuple[Cause, int, int], tuple[_Step, ...]]] = {
    (why, old, new): _steps(why, old, new) for why in _WHYS for old in Verdict for new in Verdict
}
"""Looked up by number for each pair that differs; a `Verdict` is an `int` and hashes as one."""
