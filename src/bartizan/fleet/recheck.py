"""What a changed policy set asks of a cluster: which kinds to judge again, and which rules to forget.

A rule is told by its digest. A kind is judged again only where a rule that
can match it is new or another; of a rule that went nothing is judged, its
pairs are dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bartizan.model.fleet import Generation
    from bartizan.model.ledger import RuleFacts


class Reach(NamedTuple):
    """A rule, as far as it must be judged again: its digest and the kinds it can match; `None` is any kind."""

    id: str
    digest: str
    kinds: frozenset[str] | None


class Recheck(NamedTuple):
    """What is to be done: `kinds` to judge again (`None` is all), `rules` to ask there, and those `gone` to forget."""

    kinds: frozenset[str] | None
    rules: frozenset[str]
    gone: frozenset[str]

    def touches(self, kind: str) -> bool:
        """Whether objects of a kind are to be judged again."""
        return self.kinds is None or kind in self.kinds


class Drift(NamedTuple):
    """Which clusters were last judged by the policy set that is wanted, by another, or never."""

    current: tuple[str, ...]
    drifted: tuple[str, ...]
    never: tuple[str, ...]


def reach_of(facts: RuleFacts, kinds: frozenset[str] | None) -> Reach:
    """The reach of a rule, from its facts and the `kinds` of the compiled rule."""
    return Reach(facts.id, facts.digest, kinds)


def recheck(old: Iterable[Reach], new: Iterable[Reach]) -> Recheck:
    """Compare two policy sets.

    A rule that left a kind alone is asked there once more all the same, so
    that what it said of that kind goes.
    """
    was = {rule.id: rule for rule in old}
    now = {rule.id: rule for rule in new}
    # a rule of another reach is another rule, whatever its digest says
    other = {name for name, rule in now.items() if was.get(name) != rule}
    kinds: set[str] = set()
    every = False
    for rule in (*(now[name] for name in other), *(was[name] for name in other & was.keys())):
        if rule.kinds is None:
            every = True
        else:
            kinds |= rule.kinds
    return Recheck(None if every else frozenset(kinds), frozenset(other), frozenset(was.keys() - now.keys()))


def drift(wanted: str, last: Mapping[str, Generation | None]) -> Drift:
    """Part clusters, by name, by the policy digest of their last generation that ended."""
    never = sorted(name for name, one in last.items() if one is None or one.ended_at is None)
    judged = sorted(last.keys() - set(never))
    by = {name: one.policy_digest for name, one in last.items() if one is not None}
    return Drift(
        tuple(name for name in judged if by[name] == wanted),
        tuple(name for name in judged if by[name] != wanted),
        tuple(never),
    )
