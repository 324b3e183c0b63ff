"""Test cases, shown: a table a test, JSON, or JUnit."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple, TextIO

import orjson

from bartizan.app.policy_tests.cases import Case, Verdict
from bartizan.base import wildcard
from bartizan.base.errors import SpecError
from bartizan.outputs.text import printable, xml_characters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bartizan.model.report import Problem

_ATTRIBUTE_ENDS: Final = re.compile(r"[\n\r\t]")
"""What a reader of XML turns into a blank within an attribute, unless it is written as a reference."""
_MARKS = {Verdict.PASSED: "pass", Verdict.FAILED: "FAIL", Verdict.UNSUPPORTED: "n/a"}
_FIELDS = ("policy", "rule", "resource")


class CaseFilter(NamedTuple):
    """Wildcards for the cases to show."""

    policy: str = "*"
    rule: str = "*"
    resource: str = "*"

    @classmethod
    def parse(cls, text: str) -> CaseFilter:
        """Read `policy=…,rule=…,resource=…`; each may be left out.

        Raises:
            SpecError: a part names something else.
        """
        parts: dict[str, str] = {}
        for part in filter(None, text.split(",")):
            key, equals, value = part.partition("=")
            if key not in _FIELDS or not equals:
                raise SpecError(f"bad filter `{part}`", hint=f"Write {', '.join(f'{field}=*' for field in _FIELDS)}.")
            parts[key] = value
        return cls(**parts)

    def __call__(self, case: Case) -> bool:
        """Whether a case is wanted."""
        named = case.resource.rpartition("/")[2]
        return (
            wildcard.match(self.policy, case.policy)
            and wildcard.match(self.rule, case.rule)
            and (wildcard.match(self.resource, case.resource) or wildcard.match(self.resource, named))
        )


class Summary(NamedTuple):
    """How many cases ended how."""

    passed: int
    failed: int
    unsupported: int

    @classmethod
    def of(cls, cases: Sequence[Case], *, strict: bool) -> Summary:
        """Count cases."""
        verdicts = [case.strict if strict else case.compatible for case in cases]
        return cls(*(verdicts.count(verdict) for verdict in Verdict))


def render(
    form: str,
    cases: Sequence[Case],
    errors: Sequence[Problem],
    summary: Summary,
    out: TextIO,
    *,
    strict: bool,
    explain: bool,
) -> None:
    """Write cases in one of the forms."""
    match form:
        case "json":
            _json(cases, errors, summary, out, strict=strict)
        case "junit":
            out.writelines(_junit(cases, errors, strict=strict))
        case _:
            out.writelines(_table(cases, errors, summary, strict=strict, explain=explain))


def _table(
    cases: Sequence[Case], errors: Sequence[Problem], summary: Summary, *, strict: bool, explain: bool
) -> Iterator[str]:
    for file, group in groupby(cases, key=lambda case: case.file):
        rows = list(group)
        yield f"\n{printable(str(file))}\n"
        widths = [max(len(part) for part in column) for column in zip(*(_cells(case) for case in rows), strict=True)]
        for case in rows:
            verdict = case.strict if strict else case.compatible
            cells = "  ".join(f"{printable(cell):{width}}" for cell, width in zip(_cells(case), widths, strict=True))
            yield f"  {_MARKS[verdict]:4}  {cells.rstrip()}\n"
            yield from _details(case, verdict, explain=explain)
    for error in errors:
        yield f"\nerror: {printable(error.message)}\n  at {error.at}\n"
        if error.hint:
            yield f"  hint: {error.hint}\n"
    yield f"\n{summary.passed} passed, {summary.failed} failed"
    yield f", {summary.unsupported} not supported yet\n" if summary.unsupported else "\n"


def _cells(case: Case) -> tuple[str, str, str]:
    return case.policy, case.rule or "-", case.resource


def _details(case: Case, verdict: Verdict, *, explain: bool) -> Iterator[str]:
    """The difference, for a failure; the rule's own words, where they are asked for."""
    got = case.answer.result if case.answer else "no answer"
    differs = case.answer is None or got != case.expected
    if verdict is Verdict.FAILED and differs:
        yield f"        - {case.expected}\n        + {got}\n"
    if verdict is Verdict.UNSUPPORTED:
        yield f"        needs {printable(case.reason)}\n"
    elif verdict is Verdict.FAILED and not (differs and case.answer and case.answer.message):
        yield f"        {printable(case.reason)}\n"
    elif (explain or verdict is Verdict.FAILED) and case.answer and case.answer.message:
        yield f"        {printable(case.answer.message)}\n"
    if explain and verdict is Verdict.FAILED and differs:
        from bartizan.app.explain.case import explain_case  # brings the traced modes, which only this needs

        yield from (f"        {printable(line)}\n" for line in explain_case(case))


def _json(cases: Sequence[Case], errors: Sequence[Problem], summary: Summary, out: TextIO, *, strict: bool) -> None:
    shapes = [
        {
            "file": str(case.file),
            "test": case.test,
            "policy": case.policy,
            "rule": case.rule,
            "resource": case.resource,
            "expected": case.expected,
            "result": case.answer.result if case.answer else None,
            "message": case.answer.message if case.answer else "",
            "verdict": (case.strict if strict else case.compatible).value,
            "reason": case.reason,
        }
        for case in cases
    ]
    problems = [{"message": error.message, "at": str(error.at), "hint": error.hint} for error in errors]
    body = {"summary": summary._asdict(), "cases": shapes, "errors": problems}
    out.write(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode() + "\n")


def _junit(cases: Sequence[Case], errors: Sequence[Problem], *, strict: bool) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="bartizan test">\n'
    for file, group in groupby(cases, key=lambda case: case.file):
        rows = list(group)
        verdicts = [case.strict if strict else case.compatible for case in rows]
        failures, skipped = verdicts.count(Verdict.FAILED), verdicts.count(Verdict.UNSUPPORTED)
        counts = f'tests="{len(rows)}" failures="{failures}" skipped="{skipped}"'
        yield f"  <testsuite name={_attribute(str(file))} {counts}>\n"
        for case, verdict in zip(rows, verdicts, strict=True):
            yield from _junit_case(case, verdict)
        yield "  </testsuite>\n"
    for error in errors:
        yield f'  <testsuite name={_attribute(str(error.at))} tests="1" errors="1">\n'
        yield f'    <testcase name="load"><error message={_attribute(error.message)}/></testcase>\n  </testsuite>\n'
    yield "</testsuites>\n"


def _junit_case(case: Case, verdict: Verdict) -> Iterator[str]:
    yield f"    <testcase classname={_attribute(case.policy)} name={_attribute(f'{case.rule} {case.resource}')}>"
    if verdict is Verdict.FAILED:
        yield f"<failure message={_attribute(case.reason)}>{_escaped(xml_characters(case.reason))}</failure>"
    elif verdict is Verdict.UNSUPPORTED:
        yield f"<skipped message={_attribute(f'needs {case.reason}')}/>"
    yield "</testcase>\n"


def _attribute(text: str) -> str:
    return f'"{_ATTRIBUTE_ENDS.sub(_reference, _escaped(xml_characters(text)))}"'


def _escaped(text: str) -> str:
    from html import escape  # late: only this format needs its tables

    return escape(text)


def _reference(match: re.Match[str]) -> str:
    return f"&#{ord(match.group())};"
