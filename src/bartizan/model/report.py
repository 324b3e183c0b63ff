"""What one scan says: findings, counts, and what could not be read.

A listing that failed is unknown, never empty; a document that could not be
read is a problem with a place, never silence.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from bartizan.base.location import Location
from bartizan.model.finding import Finding, Result, RuleInfo
from bartizan.model.resource import ResourceId
from bartizan.model.waiver import Waiver

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bartizan.base.errors import BartizanError

_BAD_INPUT: Final = 2
_UNREADABLE: Final = 3


class Problem(msgspec.Struct, frozen=True):
    """Something that could not be read or run. `kind` decides the exit code: bad input 2, an unreadable world 3."""

    kind: Literal["input", "world"]
    message: str
    at: Location | None = None
    hint: str = ""
    excerpt: str = ""


def problem_of(error: BartizanError, excerpt: str = "") -> Problem:
    """An error as a problem, where the rest is to be read all the same."""
    return Problem("input" if error.exit_code == _BAD_INPUT else "world", error.message, error.at, error.hint, excerpt)


def exit_code_of(problems: Iterable[Problem]) -> int:
    """0 without problems, 2 for bad input, 3 for an unreadable world; input counts first, for it can be mended here."""
    kinds = {problem.kind for problem in problems}
    return 0 if not kinds else _BAD_INPUT if "input" in kinds else _UNREADABLE


class Note(msgspec.Struct, frozen=True):
    """Something a reader should know that changes no verdict and no exit code.

    An expired waiver is always shown; the others to who asks for explanations.
    """

    kind: Literal[
        "admission-policies", "changing-rules", "copies", "expired-waiver", "unknown-definitions", "unused-waiver"
    ]
    message: str
    hint: str = ""


class Counts(msgspec.Struct, frozen=True):
    """How many results of each kind; passes are counted even where they are not listed."""

    passed: int = 0
    failed: int = 0
    warned: int = 0
    errors: int = 0
    skipped: int = 0

    def of(self, result: Result) -> int:
        """The count under one of the five words."""
        return {
            "pass": self.passed,
            "fail": self.failed,
            "warn": self.warned,
            "error": self.errors,
            "skip": self.skipped,
        }[result]


class Report(msgspec.Struct, frozen=True):
    """The result of a scan.

    `findings` are in the order of `resources`, then of rules, and hold what
    was asked for: failures, warnings and errors, and passes and skips only
    where a report format wants them. `rules` are all that ran. `at` is when
    the scan began. `sources` names what was scanned, for headings.
    `waivers` are those in force, so that a format can say why a finding in
    `waived` was accepted.
    """

    tool_version: str
    at: datetime
    sources: tuple[str, ...]
    rules: tuple[RuleInfo, ...]
    resources: tuple[ResourceId, ...]
    findings: tuple[Finding, ...]
    counts: Counts
    problems: tuple[Problem, ...] = ()
    waived: tuple[Finding, ...] = ()
    notes: tuple[Note, ...] = ()
    waivers: tuple[Waiver, ...] = ()
