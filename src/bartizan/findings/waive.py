"""Waivers applied: which findings somebody accepted, and which acceptances have run out.

A waiver holds through its last day. After it the finding is back, and a
note says whose decision it was. A waiver that meets nothing is said too:
it is either a typo or a thing that was mended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from bartizan.base.wildcard import matcher
from bartizan.model.report import Note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from bartizan.model.finding import Finding, RuleId
    from bartizan.model.waiver import Waiver

_OPEN: Final = frozenset({"fail", "warn", "error"})


class Waived(NamedTuple):
    """Findings parted by waivers. `waived` carry the waiver's id; `notes` speak of waivers, not of findings."""

    kept: tuple[Finding, ...]
    waived: tuple[Finding, ...]
    notes: tuple[Note, ...]


class _Compiled(NamedTuple):
    """A waiver in force: what it asks of the rule, asked once a rule, and of the rest."""

    waiver: Waiver
    rule: Callable[[RuleId], bool]
    rest: Callable[[Finding], bool]


def waive(findings: Iterable[Finding], waivers: Sequence[Waiver], at: date) -> Waived:
    """Part findings into those that stand and those that are accepted on the day `at`.

    The first waiver in the file wins. Passes and skips have nothing to waive
    and are kept; an error can be waived, for a person put their name to it.
    """
    kept: list[Finding] = []
    waived: list[Finding] = []
    used: set[str] = set()
    acceptance = Acceptance(waivers, at)
    for finding in findings:
        accepted = acceptance.of(finding)
        if accepted is None:
            kept.append(finding)
        else:
            used.add(accepted.id)
            waived.append(msgspec.structs.replace(finding, waived_by=accepted.id))
    return Waived(tuple(kept), tuple(waived), tuple(_notes(waivers, used, at)))


class Acceptance:
    """Waivers in force on a day, compiled once for any number of findings."""

    def __init__(self, waivers: Iterable[Waiver], at: date) -> None:
        self._in_force = [_compile(waiver) for waiver in waivers if waiver.until >= at]
        self._candidates: dict[RuleId, list[_Compiled]] = {}

    def of(self, finding: Finding) -> Waiver | None:
        """The first waiver that accepts a finding."""
        if finding.result not in _OPEN or not self._in_force:
            return None
        rule = finding.rule.id
        candidates = self._candidates.get(rule)
        if candidates is None:
            candidates = self._candidates[rule] = [one for one in self._in_force if one.rule(rule)]
        return next((one.waiver for one in candidates if one.rest(finding)), None)


def _compile(waiver: Waiver) -> _Compiled:
    policy, rule = matcher(waiver.policy), matcher(waiver.rule)
    kind, namespace, name, path = (
        matcher(pattern) for pattern in (waiver.kind, waiver.namespace, waiver.name, waiver.path)
    )

    def rest(finding: Finding) -> bool:
        resource = finding.resource
        return (
            (not waiver.fingerprint or finding.fingerprint == waiver.fingerprint)
            and name(resource.name)
            and namespace(resource.namespace)
            and kind(resource.kind)
            and path(finding.pointer)
        )

    return _Compiled(waiver, lambda rule_id: policy(rule_id.policy) and rule(rule_id.rule), rest)


def _notes(waivers: Sequence[Waiver], used: set[str], at: date) -> Iterable[Note]:
    for waiver in waivers:
        if waiver.until < at:
            yield Note(
                "expired-waiver",
                f"waiver `{waiver.id}` of {waiver.owner} ended on {waiver.until.isoformat()} and no longer applies",
                hint=f"Mend what it covered, or ask {waiver.owner} to renew it: {waiver.reason}",
            )
        elif waiver.id not in used:
            yield Note(
                "unused-waiver",
                f"waiver `{waiver.id}` of {waiver.owner} met no finding",
                hint="Remove it if the finding was mended, or correct what it selects.",
            )
