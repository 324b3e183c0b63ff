"""What one rule says of one resource: a closed sum, so that every place that must decide breaks on a fifth case.

A rule that gives no answer (its kinds match, but its every element was out
of scope) returns `None` instead of an outcome. A broken rule is an outcome,
not a crash, and never a pass.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from bartizan.model.change import Change


class Passed(msgspec.Struct, frozen=True):
    """The rule applied and was content. `changes` are what a rule that mutates or generates wants done."""

    message: str = ""
    changes: tuple[Change, ...] = ()


class Failed(msgspec.Struct, frozen=True):
    """The rule applied and objected. `pointer` is where in the resource, as a JSON pointer.

    `evidence` is the value found there, or a sentence about what decided; it
    is written with `str()`, when somebody wants to read it. `more` are what
    the same rule objects to at other places, for a rule that names them all.
    """

    message: str
    pointer: str = ""
    evidence: object = ""
    more: tuple[Failed, ...] = ()


class Skipped(msgspec.Struct, frozen=True):
    """The rule did not apply; `because` is for people, not for machines."""

    because: str = ""
    waived_by: str = ""
    """The exception that accepted it, when one did."""


class Broken(msgspec.Struct, frozen=True):
    """The rule itself failed. Whether that admits or denies is the caller's choice."""

    error: str


Outcome: TypeAlias = Passed | Failed | Skipped | Broken

PASSED: Final = Passed()
"""The common pass, made once."""
