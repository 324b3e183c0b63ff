"""Remarks on policies, shown: for people, as JSON, and as a report for the formats that programs read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson

from bartizan import __version__
from bartizan.app.policy_check.look import LEVELS
from bartizan.app.policy_check.reasons import REASONS
from bartizan.model.finding import Finding, RuleId, RuleInfo
from bartizan.model.report import Counts, Report
from bartizan.model.severity import Severity
from bartizan.outputs.text import columns, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from bartizan.app.policy_check.look import Checked, Placed

_SEVERITIES: Final = {"error": Severity.HIGH, "warning": Severity.MEDIUM, "note": Severity.LOW}


def render_text(checked: Checked) -> Iterator[str]:
    """Write every remark with its line and a caret, and how many there are."""
    for item in checked.remarks:
        yield f"{printable(str(item.at))}: {item.level}: {printable(item.message)} [{item.rule}]\n"
        yield from _quoted(item)
        if item.hint:
            yield f"  hint: {printable(item.hint)}\n"
        yield "\n"
    said = ", ".join(plural(checked.count(level), level) for level in LEVELS)
    others = f"; {plural(checked.others, 'document')} of other kinds not looked at" if checked.others else ""
    yield f"{plural(checked.policies, 'policy')}: {said}{others}\n"


def _quoted(item: Placed) -> Iterator[str]:
    if not item.line.strip():
        return
    gutter = f"{item.at.line:>5} | "
    yield f"{gutter}{printable(item.line)}\n"
    if item.at.column:
        ahead = columns(printable(item.line[: item.at.column - 1]))
        yield f"{' ' * (len(gutter) + ahead)}^\n"


def render_json(checked: Checked) -> str:
    """Write everything as one JSON document."""
    remarks = [
        {
            "level": item.level,
            "rule": item.rule,
            "message": item.message,
            "hint": item.hint,
            "file": item.at.file,
            "line": item.at.line,
            "column": item.at.column,
            "quoted": item.line,
            "policy": "/".join(part for part in (item.policy.namespace, item.policy.name) if part),
        }
        for item in checked.remarks
    ]
    summary = {"policies": checked.policies, "others": checked.others} | {
        f"{level}s": checked.count(level) for level in LEVELS
    }
    return orjson.dumps({"summary": summary, "remarks": remarks}, option=orjson.OPT_INDENT_2).decode() + "\n"


def rule_list() -> Iterator[str]:
    """Write every rule on a line: its id, its usual level, its reason."""
    for name, (level, why) in sorted(REASONS.items()):
        yield f"{name:20} {level:8} {why}\n"


def as_report(checked: Checked, paths: Sequence[Path], now: datetime) -> Report:
    """The same as a report, for the formats that programs read."""
    rules = {name: _info(name) for name in REASONS}
    findings = tuple(
        Finding(
            rule=rules[item.rule],
            resource=item.policy,
            result="fail",
            severity=_SEVERITIES[item.level],
            message=f"{item.message}. {item.hint}".removesuffix(". "),
            location=item.at,
            excerpt=item.line,
        )
        for item in checked.remarks
    )
    return Report(
        tool_version=__version__,
        at=now,
        sources=tuple(map(str, paths)),
        rules=tuple(rules.values()),
        resources=tuple(dict.fromkeys(item.policy for item in checked.remarks)),
        findings=findings,
        counts=Counts(failed=len(findings)),
    )


def _info(name: str) -> RuleInfo:
    level, why = REASONS[name]
    return RuleInfo(RuleId("policy-check", name), name, _SEVERITIES[level], "Policies", "check", why)
