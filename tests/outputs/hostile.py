"""Reports full of text that wants to break out of the format it is put in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from hypothesis import strategies as st
from tests.outputs.sample import REPORT

from bartizan.base.location import Location
from bartizan.findings.tally import count
from bartizan.model.finding import Finding, RuleId, RuleInfo
from bartizan.model.report import Problem, Report
from bartizan.model.resource import ResourceId
from bartizan.model.severity import Severity

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_NASTY = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='x",
    "]]>",
    "</style></script>",
    "<!--",
    "&lt;",
    "&#x0;",
    "\x1b[2J",
    "\x9b31m",
    "\x00",
    "\r\n::error::x",
    "##[error]x",
    "%0A::warning::x",
    "| a | b |",
    "\n\n# heading",
    "`code",
    "``",
    "@team",
    "[x](javascript:alert(1))",
    "</details>",
    "\n---\nkind: x",
    ": ",
    " #",
    "- ",
    "\u202e",
    "\u2028",
    "\x85",
    "\ufffe",
    "\ud800",
    "😀",
    "\\",
    "{{ }}",
    "yes",
    "null",
    "1e3",
    "~",
    "!!python/object:x",
    "&a",
    "*a",
)
TEXTS: SearchStrategy[str] = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=24),
    st.lists(st.one_of(st.sampled_from(_NASTY), st.text(max_size=6)), max_size=4).map("".join),
)
_PLACES = st.one_of(
    st.none(), st.builds(Location, TEXTS, st.integers(min_value=0, max_value=99), st.integers(min_value=0, max_value=9))
)
_RULES = st.builds(
    RuleInfo,
    st.builds(RuleId, TEXTS, TEXTS),
    title=TEXTS,
    severity=st.sampled_from(Severity),
    category=TEXTS,
    why=TEXTS,
    fix=TEXTS,
    frameworks=st.lists(TEXTS, max_size=2).map(tuple),
)
_RESOURCES = st.builds(ResourceId, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS)
FINDINGS: SearchStrategy[Finding] = st.builds(
    Finding,
    _RULES,
    _RESOURCES,
    st.sampled_from(["pass", "fail", "warn", "error", "skip"]),
    st.sampled_from(Severity),
    TEXTS,
    pointer=TEXTS,
    location=_PLACES,
    excerpt=TEXTS,
    evidence=TEXTS,
    fingerprint=st.sampled_from(["", "0123456789abcdef"]),
)
_PROBLEMS = st.builds(Problem, st.sampled_from(["input", "world"]), TEXTS, at=_PLACES, hint=TEXTS, excerpt=TEXTS)


def _report(findings: list[Finding], waived: list[Finding], problems: list[Problem], source: str) -> Report:
    return msgspec.structs.replace(
        REPORT,
        sources=(source,),
        rules=(),
        resources=tuple(one.resource for one in findings),
        findings=tuple(findings),
        counts=count(findings),
        waived=tuple(msgspec.structs.replace(one, waived_by="worker-cache") for one in waived),
        problems=tuple(problems),
    )


REPORTS: SearchStrategy[Report] = st.builds(
    _report,
    st.lists(FINDINGS, max_size=4),
    st.lists(FINDINGS, max_size=1),
    st.lists(_PROBLEMS, max_size=2),
    TEXTS,
)
