"""What a test expects and what came: one case a row, resource and rule, judged twice.

Compatible is the peer's own counting: where a rule gave no answer at all,
the case passes whatever was expected. Strict is what a reader would expect:
it does not.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from bartizan.engines.policy.plan import Deed
from bartizan.model.finding import Result

if TYPE_CHECKING:
    from bartizan.base.json import JsonObject
    from bartizan.model.change import Change


NOT_FOUND: Final = "not found in manifest"
"""Said of an object that the file with what is expected does not have; its case is left out, unless wanted."""


class Verdict(Enum):
    """How a case ended."""

    PASSED = "passed"
    FAILED = "failed"
    UNSUPPORTED = "unsupported"


class Answer(NamedTuple):
    """What one rule said of one resource."""

    policy: str
    rule: str
    result: Result
    message: str
    construct: str = ""
    """The construct that this version does not run, when that is why."""
    deed: Deed = "validate"
    changes: tuple[Change, ...] = ()
    patched: JsonObject | None = None
    """The resource as the policy leaves it, for a rule that mutates."""


class Said(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of an answer, for whoever reads the cases."""

    result: Result
    message: str
    construct: str = ""
    deed: Deed = "validate"
    made: dict[str, Any] | None = None
    """The object that came out, for a rule that mutates or generates."""


class Case(msgspec.Struct, frozen=True, array_like=True):
    """One expectation. `answer` is `None` where the rule gave none."""

    file: str
    test: str
    policy: str
    rule: str
    resource: str
    expected: str
    answer: Said | None
    compatible: Verdict
    strict: Verdict
    reason: str
