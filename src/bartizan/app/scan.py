"""Scan: sources -> engine -> findings. Read-only, keeps no state, ends."""

from __future__ import annotations

import gc
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

import bartizan
from bartizan.app.asking import Asker
from bartizan.app.definitions import read_definitions
from bartizan.app.global_context import answers
from bartizan.app.judge import ERROR, FAIL, PASS, SKIP, Batch, Judge, observers
from bartizan.app.payloads import NO_PAYLOADS, Payloads
from bartizan.app.policies import read_exceptions, read_policies
from bartizan.app.supply import Live, Progress, Supply
from bartizan.app.values import EMPTY, Values
from bartizan.base.location import Location
from bartizan.engines.policy.dialects.kyverno.global_context import GlobalEntry
from bartizan.engines.policy.plan import JUDGING, Rule
from bartizan.engines.posture import CrossCheck
from bartizan.findings import Minded, count, fingerprint, new_only, waive, without_copies
from bartizan.model.finding import Finding, Result
from bartizan.model.report import Note, Problem, Report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from bartizan.app.images.registry import RegistryLookup
    from bartizan.app.selection import CheckSelection, Chosen
    from bartizan.model.finding import RuleInfo
    from bartizan.model.request import UserInfo
    from bartizan.model.resource import ResourceId
    from bartizan.model.waiver import Waiver

_WORDS: Final[dict[int, Result]] = {PASS: "pass", FAIL: "fail", ERROR: "error", SKIP: "skip"}


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """Everything a scan is told. `at` is now; `stdin` is the text of standard input where `-` was named."""

    at: datetime
    paths: tuple[Path, ...] = ()
    stdin: bytes | None = None
    live: Live | None = None
    policies: tuple[Path, ...] = ()
    exceptions: tuple[Path, ...] = ()
    pod_security: tuple[str, ...] = ()
    checks: CheckSelection | None = None
    values: Values = EMPTY
    user: UserInfo | None = None
    waivers: tuple[Waiver, ...] = ()
    baseline: frozenset[str] | None = None
    workers: int = 0
    keeps_all: bool = False
    identifies: bool = True
    """Whether findings say where they are and are known across scans; to find that out takes as long as to judge."""
    registry: RegistryLookup | None = None
    """Answers what policies ask about images where there is no cluster; a cluster's lookup has one of its own."""
    payloads: Payloads = NO_PAYLOADS
    """What is judged beside resources, and is none."""
    progress: Progress = field(default=lambda _done, _all: None)


class _Rules(msgspec.Struct):
    """What judges: rules on one resource, checks across several."""

    rules: tuple[Rule, ...]
    checks: tuple[CrossCheck, ...]
    problems: list[Problem]
    wants_namespaces: bool
    changing: int
    """How many rules were left out because they change what is there."""
    entries: tuple[GlobalEntry, ...]
    notes: tuple[Note, ...]

    def asked(self, kinds: set[str]) -> tuple[RuleInfo, ...]:
        """What is known of the rules that had something to judge; of definitions a cluster has many."""
        rules = (rule for rule in self.rules if rule.info.origin != "crd" or not kinds.isdisjoint(rule.kinds or ()))
        return (*(rule.info for rule in rules), *(check.info for check in self.checks))

    @property
    def infos(self) -> tuple[RuleInfo, ...]:
        return (*(rule.info for rule in self.rules), *(check.info for check in self.checks))


def scan(request: ScanRequest) -> Report:
    """Judge everything that the request names.

    Raises:
        SpecError: a level, check or framework that was asked for does not exist.
    """
    supply = Supply(request.paths, request.stdin, request.live, request.workers)
    rules = _load_rules(request, supply)
    gc.freeze()
    namespaces = supply.namespace_labels() if rules.wants_namespaces else {}
    lookup = answers(supply, request.live, rules.entries, request.registry)
    identifies = request.identifies or bool(request.waivers) or request.baseline is not None

    def judge(checks: tuple[CrossCheck, ...], asker: Asker) -> Judge:
        return Judge(rules.rules, checks, (asker, lookup), keeps_all=request.keeps_all, identifies=identifies)

    of_resources = judge(rules.checks, Asker(request.values, request.user, namespaces))
    try:
        batches = list(supply.batches(of_resources.batch, Batch, request.progress))
        for kind, items in request.payloads.groups():
            batches.append(judge((), Asker(request.values, request.user, payload=kind)).batch(items))
    finally:
        if request.live:
            request.live.close()
        if request.registry:
            request.registry.close()
    return _report(request, rules, supply, batches)


def _chosen(selection: CheckSelection) -> Chosen:
    from bartizan.app.selection import chosen_checks  # brings the catalogue, which a scan by policies does not need

    return chosen_checks(selection)


def _profiles(texts: Sequence[str]) -> Iterator[Rule]:
    if texts:
        from bartizan.engines.policy.dialects.podsecurity.profile import compile_profile  # late: most scans name none

        for text in texts:
            yield from compile_profile(text)


def _load_rules(request: ScanRequest, supply: Supply) -> _Rules:
    exceptions, problems = read_exceptions(request.exceptions)
    policies = read_policies(request.policies, exceptions)
    chosen = _chosen(request.checks) if request.checks else None
    rules = [*policies.rules, *_profiles(request.pod_security)]
    problems += policies.problems
    if chosen:
        rules += chosen.rules
    judging = tuple(rule for rule in rules if rule.does in JUDGING)
    checks = chosen.checks if chosen else ()
    defined = read_definitions(supply, request.live)
    return _Rules(
        (*judging, *defined.rules),
        checks,
        [*problems, *defined.problems],
        policies.wants_namespaces,
        len(rules) - len(judging),
        policies.entries,
        (*policies.notes, *defined.notes),
    )


def _changing_note(rules: _Rules) -> tuple[Note, ...]:
    """A scan judges what is there; that some rules change it is said, and not done."""
    if not rules.changing:
        return ()
    said = f"{rules.changing} rules that mutate or generate were not asked: a scan judges what is there"
    return (Note("changing-rules", said, "See what they would change with `bartizan apply`."),)


def _report(request: ScanRequest, rules: _Rules, supply: Supply, batches: list[Batch]) -> Report:
    findings = _Findings(rules)
    for batch in batches:
        findings.add(batch)
    findings.conclude()
    every = without_copies(findings.ordered(), findings.controllers)
    judged = waive(every.kept, request.waivers, request.at.date())
    kept = judged.kept if request.baseline is None else new_only(judged.kept, request.baseline)
    counts = count(kept)
    if not request.keeps_all:
        counts = msgspec.structs.replace(counts, passed=findings.passed, skipped=findings.skipped)
    return Report(
        tool_version=bartizan.__version__,
        at=request.at,
        sources=_source_names(request),
        rules=rules.asked({rid.kind for rid in findings.resources}),
        resources=tuple(findings.resources),
        findings=kept,
        counts=counts,
        problems=(*rules.problems, *supply.problems, *findings.problems),
        waived=judged.waived,
        waivers=request.waivers,
        notes=(*_changing_note(rules), *rules.notes, *every.notes, *judged.notes),
    )


def _source_names(request: ScanRequest) -> tuple[str, ...]:
    named = [str(path) for path in request.paths]
    if request.stdin is not None:
        named.append("standard input")
    if request.live:
        named.append(f"cluster {request.live.name}")
    named += [item.id.name for _, item in request.payloads.items if not isinstance(item, Problem)]
    return tuple(named)


class _Findings:
    """Rows of batches becoming findings, in the order of resources."""

    def __init__(self, rules: _Rules) -> None:
        self._infos = rules.infos
        self._checks = rules.checks
        self._first_check = len(rules.rules)
        self._found: list[tuple[int, Finding]] = []
        self._groups = [observe for observe, _ in observers(rules.checks)]
        self._facts: list[list[tuple[int, ResourceId, Any, str, int]]] = [[] for _ in self._groups]
        self.resources: list[ResourceId] = []
        self.controllers: dict[Minded, tuple[str, str]] = {}
        self.problems: list[Problem] = []
        self.passed = 0
        self.skipped = 0

    def add(self, batch: Batch) -> None:
        """Take a batch over."""
        start = len(self.resources)
        self.resources += batch.resources
        for number, controller in batch.controllers.items():
            rid = batch.resources[number]
            self.controllers[rid.kind, rid.namespace, rid.name] = controller
        self.problems += batch.problems
        self.passed += batch.passed
        self.skipped += batch.skipped
        for row in batch.rows:
            info, resource = self._infos[row.rule], batch.resources[row.resource]
            result = _WORDS[row.result]
            at = Location(row.file, row.line, row.column) if row.file else None
            self._found.append(
                (
                    start + row.resource,
                    Finding(
                        info,
                        resource,
                        "warn" if result == "fail" and not info.scored else result,
                        info.severity,
                        row.message,
                        row.pointer,
                        at,
                        row.excerpt,
                        row.evidence,
                        row.fingerprint,
                        row.waived_by,
                    ),
                )
            )
        for fact in batch.facts:
            place = (start + fact.resource, batch.resources[fact.resource], fact.fact, fact.file, fact.line)
            self._facts[fact.group].append(place)

    def conclude(self) -> None:
        """Let the checks across resources speak, now that all facts are in."""
        for check in self._checks:
            held = self._facts[self._groups.index(check.observe)]
            facts = [fact for fact in held if fact[1].kind in check.kinds]
            objecting = set()
            for conclusion in check.conclude([(rid, fact) for _, rid, fact, _, _ in facts]):
                number, resource, _, file, line = facts[conclusion.number]
                objecting.add(conclusion.number)
                at = Location(file, line) if file else None
                self._found.append(
                    (
                        number,
                        Finding(
                            check.info,
                            resource,
                            "fail",
                            check.info.severity,
                            conclusion.message,
                            conclusion.pointer,
                            at,
                            "",
                            conclusion.evidence,
                            fingerprint(check.info.id, resource, conclusion.pointer),
                        ),
                    )
                )
            self.passed += sum(
                1 for i, (_, rid, _, _, _) in enumerate(facts) if i not in objecting and check.judges(rid)
            )

    def ordered(self) -> list[Finding]:
        """All findings, by resource; those of one resource in the order of rules."""
        self._found.sort(key=lambda pair: pair[0])
        return [finding for _, finding in self._found]
