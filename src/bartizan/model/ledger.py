"""What the plane keeps of verdicts: one byte a pair of object and rule, and an entry a difference.

A pair is one object and one rule that was asked of it. The counts of today
are those of yesterday and the entries between, exactly; so every movement
of a score has its causes beside it.
"""

from __future__ import annotations

from datetime import date
from enum import IntEnum
from typing import Final, Literal, TypeAlias

import msgspec

from bartizan.model.severity import Severity

Cause: TypeAlias = Literal["findings", "rules", "scope", "exceptions", "freshness"]
"""Why a verdict is another: the object changed; the rule did; the object came or went; a waiver did; it was not judged
for too long, or is again."""

CAUSES: Final[tuple[Cause, ...]] = ("findings", "rules", "scope", "exceptions", "freshness")
"""The order in which causes are told, and in which a score's movement is split."""


class Verdict(IntEnum):
    """What one rule says of one object. The numbers are kept in stores: none may change."""

    NONE = 0
    """Not asked: the rule does not match the object, or one of them does not exist. Never counted."""
    PASS = 1
    FAIL = 2
    WARN = 3
    ERROR = 4
    """The rule could not run: unknown, never a pass."""
    SKIP = 5
    """Asked, and the rule does not apply."""
    WAIVED = 6
    """It failed, and somebody accepted it."""
    STALE = 7
    """Not judged for too long: unknown, never a pass."""


class Entry(msgspec.Struct, frozen=True, order=True):
    """`count` pairs of a rule in a namespace went from one verdict to another, for one cause."""

    cluster: str
    day: date
    namespace: str
    rule: str
    before: Verdict
    after: Verdict
    cause: Cause
    count: int = 1


class Tally(msgspec.Struct, frozen=True, order=True):
    """How many pairs of a rule in a namespace have each verdict. Objects without one are in the empty one.

    `team` is named where a namespace has several; then each has a tally of its own.
    """

    cluster: str
    namespace: str
    rule: str
    passed: int = 0
    failed: int = 0
    warned: int = 0
    errors: int = 0
    skipped: int = 0
    waived: int = 0
    stale: int = 0
    team: str = ""

    @property
    def counts(self) -> tuple[int, int, int, int, int, int, int]:
        """The counts by verdict, from `Verdict.PASS` on."""
        return self.passed, self.failed, self.warned, self.errors, self.skipped, self.waived, self.stale

    def of(self, verdict: Verdict) -> int:
        """The count of one verdict; nobody counts what was not asked."""
        return self.counts[verdict - 1] if verdict else 0


class RuleFacts(msgspec.Struct, frozen=True):
    """What scores and ledgers know of a rule.

    `id` is what entries and tallies call it; `frameworks` are controls as
    `framework:control`; `digest` is of all that its verdict rests on, so that
    another digest is another rule of the same name.
    """

    id: str
    severity: Severity = Severity.MEDIUM
    frameworks: tuple[str, ...] = ()
    digest: str = ""


class RuleSet(msgspec.Struct, frozen=True):
    """The rules that were asked, each by its number: byte `n` of an object's verdicts is what rule `n` said.

    `digest` is of the whole set. Two sets of one digest are the same set.
    """

    digest: str
    rules: tuple[RuleFacts, ...]
