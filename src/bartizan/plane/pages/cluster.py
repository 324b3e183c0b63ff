"""One cluster: how far from compliant, how much of that is known, where the trouble is, what its checks saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bartizan.catalog import load_catalog
from bartizan.findings.score import WEIGHTS, Control, Framework, by_rule, framework_score, severity_score
from bartizan.model.ledger import Verdict
from bartizan.plane.pages.fleet import DAYS, course, failing, pairs_picture, row_of, summed, trend_picture
from bartizan.plane.render import page
from bartizan.plane.site import Asked, Route, missing
from bartizan.stores.queries import findings, overview, resources
from bartizan.stores.queries.checks import checks
from bartizan.stores.queries.pages import Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from starlette.responses import Response

    from bartizan.findings.score import Score
    from bartizan.model.ledger import RuleFacts, Tally
    from bartizan.model.severity import Severity
    from bartizan.stores.queries.overview import NamespaceView

_WORST: Final = 10
_RULES: Final = 10
_KINDS: Final = 30
_NAMESPACES: Final = 100
_OBJECTS: Final = 50


@dataclass(frozen=True, slots=True)
class NamespaceRow:
    """A namespace with its numbers."""

    view: NamespaceView
    score: Score
    failing: tuple[tuple[Severity, int], ...]


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule, how bad it is, and how many pairs of it fail."""

    name: str
    severity: Severity
    failed: int
    asked: int


def worst_rules(tallies: Iterable[Tally], facts: Mapping[str, RuleFacts]) -> list[RuleRow]:
    """The rules that cost the pass rate most."""
    rows = [
        RuleRow(name, facts[name].severity, counts[Verdict.FAIL], counts[Verdict.PASS] + counts[Verdict.FAIL])
        for name, counts in by_rule(tallies).items()
        if name in facts and counts[Verdict.FAIL]
    ]
    rows.sort(key=lambda row: (-WEIGHTS[row.severity] * row.failed, -row.severity, row.name))
    return rows[:_RULES]


def _frameworks(tallies: Iterable[Tally], facts: Mapping[str, RuleFacts]) -> list[tuple[str, str, Score]]:
    """Each framework with what the rules see of it; what people attest to is on the framework's own page."""
    counts = {name: row for name, row in by_rule(tallies).items() if name in facts}
    found = []
    for one in load_catalog().frameworks.values():
        judged = Framework(one.id, tuple(Control(name) for name, control in one.controls.items() if control.checks))
        score = framework_score(counts, facts, judged, {})
        if score.coverage is not None:
            found.append((one.id, one.title, score))
    return sorted(found, key=lambda row: (row[2].pass_rate is None, row[2].pass_rate or 0, row[0]))


def _namespace_rows(views: Sequence[NamespaceView]) -> list[NamespaceRow]:
    rows = [NamespaceRow(view, severity_score(view.counts), failing(view.counts)) for view in views]
    rows.sort(
        key=lambda row: (-sum(WEIGHTS[severity] * number for severity, number in row.failing), row.view.namespace)
    )
    return rows


def _cluster(asked: Asked) -> Response:
    name, now, scope = asked.path["name"], asked.site.now(), asked.viewer.scope()
    with asked.site.store.reading() as connection:
        members = overview.fleet(connection, scope, name)
        if not members:
            raise missing("cluster of that name")
        facts = overview.facts(connection, scope, name)
        tallies = overview.tallies(connection, scope, name)
        spaces = overview.namespaces(connection, scope, name)
        days = course(asked, connection, members[0].counts, name)
        worst = findings.findings(connection, scope, findings.Wanted(cluster=name), Page(_WORST)).rows
        last = checks(connection, scope, name)
        kinds = resources.kinds(connection, scope, name)
    row = row_of(members[0], now)
    return page(
        asked,
        "cluster.html",
        row=row,
        pairs=pairs_picture("What is said of all pairs of object and rule", row.view.counts),
        trend=trend_picture(f"Pass rate, the last {DAYS} days", days),
        namespaces=_namespace_rows(spaces)[:_NAMESPACES],
        hidden=max(0, len(spaces) - _NAMESPACES),
        rules=worst_rules(tallies, facts),
        frameworks=_frameworks(tallies, facts),
        kinds=kinds[:_KINDS],
        worst=worst,
        checks=last,
    )


def _namespace(asked: Asked) -> Response:
    name, namespace = asked.path["name"], asked.path["namespace"]
    now, scope = asked.site.now(), asked.viewer.scope()
    kind = asked.query.get("kind", "")
    with asked.site.store.reading() as connection:
        members = overview.fleet(connection, scope, name)
        found = [one for one in overview.namespaces(connection, scope, name) if one.namespace == namespace]
        if not members or not found:
            raise missing("namespace of that name")
        facts = overview.facts(connection, scope, name)
        tallies = overview.tallies(connection, scope, name, namespace=namespace)
        wanted = findings.Wanted(cluster=name, namespace=namespace)
        worst = findings.findings(connection, scope, wanted, Page(_WORST)).rows
        which = resources.Wanted(cluster=name, namespace=namespace, kind=kind)
        objects = resources.resources(connection, scope, which, Page(_OBJECTS, asked.query.get("after", "")))
        kinds = resources.kinds(connection, scope, name, namespace)
    counts = summed([found[0].counts])
    return page(
        asked,
        "namespace.html",
        row=row_of(members[0], now),
        space=found[0],
        score=severity_score(counts),
        failing=failing(counts),
        pairs=pairs_picture("What is said of all pairs of object and rule", counts),
        rules=worst_rules(tallies, facts),
        worst=worst,
        objects=objects,
        kinds=kinds[:_KINDS],
        kind=kind,
    )


ROUTES = (
    Route("GET", "/clusters/{name}", _cluster),
    Route("GET", "/clusters/{name}/namespaces/{namespace:path}", _namespace),
)
