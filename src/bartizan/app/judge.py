"""Judging resources by rules, into batches that are small enough to cross a process.

This is the hot loop: one call a rule and resource, and nothing is made for
a pass. What did not pass is a row of plain values; its finding is made
later, where the report is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from bartizan.engines.policy.chain import TOO_DEEP
from bartizan.findings import fingerprint
from bartizan.model.outcome import Broken, Failed, Passed, Skipped
from bartizan.model.report import Problem
from bartizan.model.resource import ResourceId, controller_of
from bartizan.model.scoping import in_default_namespace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bartizan.app.asking import Asker
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.engines.policy.plan import Rule
    from bartizan.engines.posture import CrossCheck, Observe
    from bartizan.model.outcome import Outcome
    from bartizan.model.resource import Resource

PASS: Final = 0
FAIL: Final = 1
ERROR: Final = 2
SKIP: Final = 3


class Row(msgspec.Struct, array_like=True, gc=False):
    """One result that is listed: which resource and rule, by number, and what was said where."""

    resource: int
    rule: int
    result: int
    message: str = ""
    pointer: str = ""
    evidence: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    excerpt: str = ""
    waived_by: str = ""
    fingerprint: str = ""


class FactRow(msgspec.Struct, array_like=True, gc=False):
    """What a check that compares resources keeps of one: plain data, and where its key lines are."""

    resource: int
    group: int
    fact: Any
    file: str = ""
    line: int = 0


class Batch(msgspec.Struct, array_like=True):
    """The results of some resources, numbered from 0 within the batch. `passed` and `skipped` are counts."""

    resources: list[ResourceId]
    rows: list[Row]
    facts: list[FactRow]
    problems: list[Problem]
    passed: int
    skipped: int
    controllers: dict[int, tuple[str, str]] = {}
    """Kind and name of what minds a resource, by its number, for those that something minds."""


class Judge:
    """Rules bound to what is known of the world, ready to judge resources."""

    def __init__(
        self,
        rules: Sequence[Rule],
        checks: Sequence[CrossCheck],
        asking: tuple[Asker, Lookup],
        *,
        keeps_all: bool,
        identifies: bool = True,
    ) -> None:
        self._rules = rules
        self._observers = observers(checks)
        self._asker, self._lookup = asking
        self._keeps_all = keeps_all
        self._identifies = identifies
        self._by_kind: dict[str, list[tuple[int, Callable[..., Outcome | None]]]] = {}

    def batch(self, items: Iterable[Resource | Problem]) -> Batch:
        """Judge resources in order; problems among them are passed on."""
        done = Batch([], [], [], [], 0, 0, {})
        for item in items:
            if isinstance(item, Problem):
                done.problems.append(item)
            else:
                self._judge(item, done)
        return done

    def _judge(  # noqa: C901 (the hot loop: to call a part of it would cost as much as the part)
        self, resource: Resource, done: Batch
    ) -> None:
        number = len(done.resources)
        done.resources.append(resource.id)
        controller = controller_of(resource.body)
        if controller is not None:
            done.controllers[number] = controller
        placed = in_default_namespace(resource)
        kind = resource.id.kind
        rules = self._by_kind.get(kind)
        if rules is None:
            rules = self._by_kind[kind] = [
                (i, rule.run) for i, rule in enumerate(self._rules) if rule.kinds is None or kind in rule.kinds
            ]
        asker, lookup = self._asker, self._lookup
        request = asker.plain(placed)
        passed = 0
        for index, run in rules:
            if asker.differs:
                request = asker.request(self._rules[index].info.id, placed)
            try:
                outcome = run(request, lookup)
            except RecursionError:
                outcome = TOO_DEEP
            if outcome is None:
                continue
            if outcome.__class__ is Passed:
                passed += 1
                if self._keeps_all:
                    done.rows.append(Row(number, index, PASS))
            elif outcome.__class__ is Failed:
                self._object(resource, outcome, number, index, done)
                for other in outcome.more:
                    self._object(resource, other, number, index, done)
            else:
                self._keep(resource, outcome, number, index, done)
        done.passed += passed
        self._observe(resource, number, done)

    def _object(self, resource: Resource, failed: Failed, number: int, index: int, done: Batch) -> None:
        row = Row(number, index, FAIL, failed.message, failed.pointer)
        done.rows.append(row)
        if self._identifies:
            row.evidence = str(failed.evidence)
            self._identify(row, resource)

    def _keep(self, resource: Resource, outcome: Outcome, number: int, index: int, done: Batch) -> None:
        match outcome:
            case Broken(error):
                row = Row(number, index, ERROR, error)
                if self._identifies:
                    self._identify(row, resource)
                done.rows.append(row)
            case Skipped(because, waived_by):
                done.skipped += 1
                if self._keeps_all or waived_by:
                    done.rows.append(Row(number, index, SKIP, because, waived_by=waived_by))
            case Passed() | Failed():
                raise AssertionError("these are kept where they are met")

    def _identify(self, row: Row, resource: Resource) -> None:
        """Say where a finding is and what it is known by."""
        row.fingerprint = fingerprint(self._rules[row.rule].info.id, resource.id, row.pointer)
        place(row, resource)

    def _observe(self, resource: Resource, number: int, done: Batch) -> None:
        kind = resource.id.kind
        for group, (observe, kinds) in enumerate(self._observers):
            if kind in kinds:
                fact = observe(resource)
                if fact is not None:
                    at = resource.lines.locate("/metadata/name") if resource.lines else None
                    done.facts.append(FactRow(number, group, fact, at.file if at else "", at.line if at else 0))


def observers(checks: Sequence[CrossCheck]) -> list[tuple[Observe, frozenset[str]]]:
    """What to observe, once for all checks that keep the same facts, with the kinds any of them looks at."""
    kinds: dict[Observe, frozenset[str]] = {}
    for check in checks:
        kinds[check.observe] = kinds.get(check.observe, frozenset()) | check.kinds
    return list(kinds.items())


def place(row: Row, resource: Resource) -> None:
    """Say where in its file a row's pointer is."""
    lines = resource.lines
    if lines is None:
        return
    at = lines.locate(row.pointer)
    row.file, row.line, row.column = at.file, at.line, at.column
    row.excerpt = lines.quote(at.line)
