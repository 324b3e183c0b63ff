"""Objects judged into verdicts: a byte a rule, and a finding only where something is wrong.

The loop of a scan makes a row of every result that is listed. Here every
pass must be known and almost none is read, so it is a byte in an array.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from bartizan.base.wildcard import matcher
from bartizan.engines.policy.chain import TOO_DEEP
from bartizan.findings import Acceptance, fingerprint
from bartizan.model.finding import Finding
from bartizan.model.ledger import Verdict
from bartizan.model.outcome import Broken, Failed, Passed, Skipped
from bartizan.model.scoping import in_default_namespace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from bartizan.app.asking import Asker
    from bartizan.app.watch.rules import RuleBook
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.model.finding import Result, RuleInfo
    from bartizan.model.outcome import Outcome
    from bartizan.model.resource import Resource
    from bartizan.model.waiver import Waiver

_NONE: Final = int(Verdict.NONE)
_PASS: Final = int(Verdict.PASS)
_FAIL: Final = int(Verdict.FAIL)
_WARN: Final = int(Verdict.WARN)
_ERROR: Final = int(Verdict.ERROR)
_SKIP: Final = int(Verdict.SKIP)
_WAIVED: Final = int(Verdict.WAIVED)
RANKS: Final = bytes(
    {_NONE: 0, _SKIP: 1, _PASS: 2, _WAIVED: 3, _WARN: 4, _FAIL: 5, _ERROR: 6}.get(one, 0) for one in Verdict
)
"""How bad each verdict is. An error is the worst: who cannot run has not said that the rest is all there is."""
_LONGEST_LINE: Final = 500
"""Characters of a line that is quoted: a file that is one line shows nothing to a reader, and to cut it may cut a
secret in two."""
_OF_RESULT: Final = {"fail": _FAIL, "warn": _WARN, "error": _ERROR}


class Judged(NamedTuple):
    """What the rules say of one object by itself: a byte a column, and what is wrong with it by column."""

    verdicts: bytes
    findings: tuple[tuple[int, Finding], ...]


class Jury:
    """The rules on one resource, bound to what is known of the world. Made anew for each round, for that may change."""

    def __init__(self, book: RuleBook, asker: Asker, lookup: Lookup) -> None:
        self._book = book
        self._asker = asker
        self._lookup = lookup
        self._by_kind: dict[str, list[tuple[int, int, Callable[..., Outcome | None]]]] = {}
        self._blank = bytes(len(book.infos))

    def judge(self, resource: Resource) -> Judged:
        """Ask every rule that can match the resource's kind."""
        placed = in_default_namespace(resource)
        asker, lookup = self._asker, self._lookup
        request = asker.plain(placed)
        verdicts = bytearray(self._blank)
        findings: list[tuple[int, Finding]] = []
        for index, column, run in self._rules_on(resource.id.kind):
            if asker.differs:
                request = asker.request(self._book.rules[index].info.id, placed)
            try:
                outcome = run(request, lookup)
            except RecursionError:
                outcome = TOO_DEEP
            if outcome is None:
                continue
            if outcome.__class__ is Passed:
                verdict = _PASS
            else:
                verdict = _not_passed(self._book.rules[index].info, resource, outcome, column, findings)
            if RANKS[verdict] > RANKS[verdicts[column]]:
                verdicts[column] = verdict
        return Judged(bytes(verdicts), tuple(findings))

    def _rules_on(self, kind: str) -> list[tuple[int, int, Callable[..., Outcome | None]]]:
        rules = self._by_kind.get(kind)
        if rules is None:
            book = self._book
            rules = self._by_kind[kind] = [
                (index, column, rule.run)
                for index, (rule, column) in enumerate(zip(book.rules, book.columns, strict=True))
                if rule.kinds is None or kind in rule.kinds
            ]
        return rules


def _not_passed(
    info: RuleInfo, resource: Resource, outcome: Outcome, column: int, findings: list[tuple[int, Finding]]
) -> int:
    """The verdict of what is no pass; what is wrong is added to the findings."""
    match outcome:
        case Failed():
            result: Result = "fail" if info.scored else "warn"
            findings += (
                (column, found(info, resource, result, one.message, one.pointer, str(one.evidence)))
                for one in (outcome, *outcome.more)
            )
            return _OF_RESULT[result]
        case Broken(error):
            findings.append((column, found(info, resource, "error", error)))
            return _ERROR
        case Skipped():
            # an exception of a policy is a skip: nobody has asked whether it would have failed
            return _SKIP
        case Passed():
            return _PASS


def found(
    info: RuleInfo, resource: Resource, result: Result, message: str, pointer: str = "", evidence: str = ""
) -> Finding:
    """A finding on a resource, with its place in its file where it has one."""
    lines = resource.lines
    at = lines.locate(pointer) if lines else None
    excerpt = lines.quote(at.line) if lines and at else ""
    if len(excerpt) > _LONGEST_LINE:
        excerpt = ""
    return Finding(info, resource.id, result, info.severity, message, pointer, at, excerpt, evidence)


class TeamWaiver(NamedTuple):
    """A waiver for the objects of one team, or of any; `team` is a wildcard."""

    waiver: Waiver
    team: str = "*"


class Waivers:
    """Waivers in force at a time, ready to be asked of findings."""

    def __init__(self, waivers: Sequence[TeamWaiver], at: datetime) -> None:
        self.given = tuple(one for one in waivers if one.waiver.until >= at.date())
        self._identifies = any(one.waiver.fingerprint for one in self.given)
        self._teams = [(matcher(one.team), one.waiver) for one in self.given]
        self._of_team: dict[str, Acceptance] = {}
        self._day = at.date()

    def apply(self, judged: Judged, team: str) -> Judged:
        """Mark the findings that are accepted; a column of which all is accepted is waived."""
        if not self.given or not judged.findings:
            return judged
        acceptance = self._of_team.get(team)
        if acceptance is None:
            mine = (waiver for matches, waiver in self._teams if matches(team))
            acceptance = self._of_team[team] = Acceptance(mine, self._day)
        marked: list[tuple[int, Finding]] = []
        for column, finding in judged.findings:
            if self._identifies:
                finding = _identified(finding)  # noqa: PLW2901  # the same finding, named
            waiver = acceptance.of(finding)
            named = msgspec.structs.replace(finding, waived_by=waiver.id) if waiver else finding
            marked.append((column, named))
        return Judged(_waived(judged.verdicts, marked), tuple(marked))


def _identified(finding: Finding) -> Finding:
    if finding.fingerprint:
        return finding
    return msgspec.structs.replace(finding, fingerprint=fingerprint(finding.rule.id, finding.resource, finding.pointer))


def _waived(verdicts: bytes, findings: Iterable[tuple[int, Finding]]) -> bytes:
    """The verdicts where some findings are accepted: the worst of what stands, and waived where nothing does."""
    worst: dict[int, int] = {}
    for column, finding in findings:
        verdict = _WAIVED if finding.waived_by else _OF_RESULT[finding.result]
        if RANKS[verdict] > RANKS[worst.get(column, _NONE)]:
            worst[column] = verdict
    changed = bytearray(verdicts)
    for column, verdict in worst.items():
        changed[column] = verdict
    return bytes(changed)
