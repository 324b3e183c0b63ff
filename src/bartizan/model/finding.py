"""What is said: one judgement on one resource, with all a reader needs to act on it."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from bartizan.base.location import Location
from bartizan.model.resource import ResourceId
from bartizan.model.severity import Severity

Result: TypeAlias = Literal["pass", "fail", "warn", "error", "skip"]
"""The five words of PolicyReport, and of every report here."""


class RuleId(msgspec.Struct, frozen=True, order=True):
    """The name of a rule: its policy (a check's id for checks) and the rule in it."""

    policy: str
    rule: str = ""

    def __str__(self) -> str:
        return f"{self.policy}/{self.rule}" if self.rule and self.rule != self.policy else self.policy


class RuleInfo(msgspec.Struct, frozen=True):
    """What is true of a rule whatever it judges, kept once for all its findings.

    `origin` is the dialect (`kyverno`, `podsecurity`, `crd`, `check`); `frameworks`
    are controls as `framework:control`.
    """

    id: RuleId
    title: str = ""
    severity: Severity = Severity.MEDIUM
    category: str = ""
    origin: str = "kyverno"
    why: str = ""
    fix: str = ""
    frameworks: tuple[str, ...] = ()
    scored: bool = True
    source: Location | None = None


class Finding(msgspec.Struct, frozen=True):
    """One result. `pointer` and `location` say where; `evidence` is the value that decided.

    `fingerprint` stays the same across runs and releases; see
    `bartizan.findings.fingerprint`. `waived_by` names the accepted waiver.
    """

    rule: RuleInfo
    resource: ResourceId
    result: Result
    severity: Severity
    message: str
    pointer: str = ""
    location: Location | None = None
    excerpt: str = ""
    evidence: str = ""
    fingerprint: str = ""
    waived_by: str = ""
