"""Findings as exports take them, and what stands around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import bartizan
from bartizan.base.location import Location
from bartizan.catalog.loader import load_catalog
from bartizan.findings.score import FORMULA, percent, severity_score
from bartizan.model.finding import Finding, Result, RuleId, RuleInfo
from bartizan.model.ledger import Verdict
from bartizan.model.severity import Severity
from bartizan.model.waiver import Waiver
from bartizan.outputs.fleet.rows import Context, ControlRow, FrameworkRow, Reason, Row
from bartizan.plane import compliance
from bartizan.plane.api.parts import InPart, chosen
from bartizan.stores import waivers
from bartizan.stores.queries import overview

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bartizan.plane.api.filters import FindingFilter
    from bartizan.plane.api.operation import Call
    from bartizan.plane.compliance import ControlView
    from bartizan.stores.queries.findings import FindingView

_RESULTS: Final[dict[Verdict, Result]] = {
    Verdict.FAIL: "fail",
    Verdict.WARN: "warn",
    Verdict.ERROR: "error",
    Verdict.WAIVED: "fail",
}
_CLOSED: Final[dict[str, Result]] = {"fixed": "pass", "gone": "skip"}
_CLUSTERS: Final = 200
"""Clusters whose numbers a report tells one by one."""


def row_of(view: FindingView) -> Row:
    """A finding as exports take it. What was fixed passes now; of what is gone nothing can be said."""
    finding = Finding(
        rule_info(view.rule, view.severity),
        view.resource,
        _CLOSED.get(view.state) or _RESULTS.get(view.verdict, "fail"),
        view.severity,
        view.message,
        view.pointer,
        location_of(view.location),
        view.excerpt,
        view.evidence,
        view.fingerprint,
        (view.waived_by or "a waiver") if view.state == "waived" else "",
    )
    times = (view.first_seen, view.opened_at, view.last_seen, view.closed_at)
    return Row(view.number, view.cluster, view.team, view.state, view.verdict.name.lower(), finding, *times)


def rule_info(name: str, severity: Severity) -> RuleInfo:
    """What is known of a rule: all, where it is a check of the catalogue."""
    policy, _, rule = name.partition("/")
    check = load_catalog().checks.get(name)
    if check is None:
        return RuleInfo(RuleId(policy, rule), severity=severity, frameworks=compliance.controls_of(name, ()))
    return RuleInfo(
        RuleId(policy, rule),
        check.title,
        Severity.parse(check.severity, severity),
        check.category,
        "check",
        check.why.strip(),
        check.fix.strip(),
        compliance.controls_of(name, tuple(check.frameworks)),
    )


def location_of(text: str) -> Location | None:
    """A place in a file, as it was kept in words."""
    if not text:
        return None
    file, numbers = text, list[int]()
    while len(numbers) < 2:
        rest, _, number = file.rpartition(":")
        if not rest or not number.isascii() or not number.isdecimal() or len(number) > 9:
            break
        file, numbers = rest, [int(number), *numbers]
    return Location(file, *numbers)


def context_of(call: Call[Any, Any], connection: Connection, given: FindingFilter, *, numbers: bool) -> Context:
    """What stands around the findings; scores and controls only where they are told."""
    part = InPart(cluster=given.cluster, namespace=given.namespace, team=given.team)
    where = chosen(call, connection, part)
    mine = waivers.waivers(connection, call.scope, ("approved", "ended"))
    words = {name: value for name, value in call.asked.query.items() if name != "format" and value}
    basis = Context(
        bartizan.__version__,
        call.now,
        where.words,
        words,
        {one.id: one for one in map(_waiver, mine)},
    )
    if not numbers:
        return basis
    known = compliance.read(connection, where, call.now)
    frameworks = [
        FrameworkRow(one.id, one.title, known.of(one), tuple(map(_control, compliance.views(known, one))))
        for one in compliance.known(known.rules.facts.values()).values()
    ]
    clusters = [] if where.cluster else overview.fleet(connection, where.scope)
    scores = [(one.name, severity_score(one.counts)) for one in clusters if one.left_at is None][:_CLUSTERS]
    return Context(
        basis.tool_version, basis.at, basis.part, basis.chosen, basis.waivers,
        ((where.words, known.score()), *scores), tuple(frameworks), FORMULA,
    )  # fmt: skip  # as the fields stand


def _waiver(row: Any) -> Waiver:
    """A waiver of the store as findings name it, for its reason, owner and end."""
    return Waiver(waivers.name_of(row.id), row.reason, row.asked_by, row.ends_at.date())


def _control(view: ControlView) -> ControlRow:
    """Met is what nothing fails in, of which all is known; with a word where one is asked for."""
    score = view.score
    known = [one for one in (score, view.attested) if one is not None]
    if view.failing or any(one.pass_rate is not None and one.pass_rate < 1 for one in known):
        reason: Reason = "fail"
    else:
        reason = "pass" if all(one.pass_rate == 1 and one.coverage == 1 for one in known) else "other"
    shares = [f"{percent(one)} %" if one is not None else "" for one in (score.pass_rate, score.coverage)]
    return ControlRow(view.name, view.demand.title, reason, view.failing, *shares)
