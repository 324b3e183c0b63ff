"""Findings: lists of them, the worst first, and the life of one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import select

from bartizan.model.ledger import Verdict
from bartizan.model.resource import ResourceId
from bartizan.model.severity import Severity
from bartizan.stores.queries.pages import Page, Part, paged
from bartizan.stores.queries.search import has_words
from bartizan.stores.schema import cluster, finding, place, resource, rule, transition
from bartizan.stores.scope import within

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Select

    from bartizan.stores.scope import Scope

State = Literal["open", "waived", "fixed", "gone"]


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding. While it is open it was last seen when its object was."""

    number: int
    cluster: str
    team: str
    resource: ResourceId
    resource_number: int
    rule: str
    fingerprint: str
    state: State
    verdict: Verdict
    severity: Severity
    message: str
    pointer: str
    location: str
    excerpt: str
    evidence: str
    others: list[dict[str, str]]
    waived_by: str
    first_seen: datetime
    opened_at: datetime
    last_seen: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to a finding."""

    at: datetime
    change: str
    cause: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which findings; what is empty does not choose."""

    cluster: str = ""
    namespace: str | None = None
    team: str | None = None
    rule: str = ""
    kind: str = ""
    resource: int | None = None
    severity: Severity = Severity.INFO
    """The least."""
    states: tuple[State, ...] = ("open",)
    most: Severity = field(default=Severity.CRITICAL, kw_only=True)
    words: str = ""
    """All of which are in the message."""


def findings(connection: Connection, scope: Scope, wanted: Wanted, page: Page) -> Part[FindingView]:
    """Findings, the worst first, and of these the newest.

    A page is picked from findings alone, in the order of an index, and then
    read with all that belongs to it: a join could cost the planner that order.
    """
    order = [finding.c.severity, finding.c.id]
    picked = paged(connection, _picked(connection, scope, wanted), order, page, lambda row: int(row.id))
    rows = {row.id: row for row in connection.execute(_query(scope).where(finding.c.id.in_(picked.rows)))}
    return Part([_read(rows[number]) for number in picked.rows], picked.next)


def _picked(connection: Connection, scope: Scope, wanted: Wanted) -> Select[Any]:
    query = select(finding.c.id).where(
        within(scope, finding.c.place), finding.c.state.in_(wanted.states), finding.c.severity >= int(wanted.severity)
    )
    if wanted.words.strip():
        query = query.where(has_words(connection, finding.c.message, wanted.words))
    if wanted.most < Severity.CRITICAL:
        query = query.where(finding.c.severity <= int(wanted.most))
    if not {"fixed", "gone"} & set(wanted.states):
        query = query.where(finding.c.closed_at.is_(None))
    if wanted.cluster:
        numbers = select(cluster.c.id).where(cluster.c.name == wanted.cluster)
        query = query.where(finding.c.cluster == numbers.scalar_subquery())
    if wanted.rule:
        query = query.where(finding.c.rule == select(rule.c.id).where(rule.c.name == wanted.rule).scalar_subquery())
    for chosen, column in ((wanted.namespace, place.c.namespace), (wanted.team, place.c.team)):
        if chosen is not None:
            query = query.where(finding.c.place.in_(select(place.c.id).where(column == chosen)))
    if wanted.resource is not None:
        query = query.where(finding.c.resource == wanted.resource)
    if wanted.kind:
        same = select(resource.c.id).where(resource.c.id == finding.c.resource, resource.c.kind == wanted.kind)
        query = query.where(same.exists())
    return query


def one(connection: Connection, scope: Scope, number: int) -> FindingView | None:
    """A finding by its number; nothing where there is none that the viewer may see."""
    row = connection.execute(_query(scope).where(finding.c.id == number)).one_or_none()
    return None if row is None else _read(row)


def several(connection: Connection, scope: Scope, numbers: Sequence[int]) -> dict[int, FindingView]:
    """Findings by their numbers; those that the viewer may not see are not among them."""
    rows = connection.execute(_query(scope).where(finding.c.id.in_(numbers)))
    return {row.id: _read(row) for row in rows}


def by_fingerprint(connection: Connection, scope: Scope, name: str, fingerprint: str) -> FindingView | None:
    """A finding of a cluster by its fingerprint."""
    mine = _query(scope).where(cluster.c.name == name, finding.c.fingerprint == fingerprint)
    row = connection.execute(mine.order_by(finding.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _read(row)


def history(connection: Connection, scope: Scope, number: int) -> list[Step]:
    """What happened to a finding, from its first sight on."""
    wanted = (
        select(transition.c.at, transition.c.change, transition.c.cause)
        .join(finding, finding.c.id == transition.c.finding)
        .where(transition.c.finding == number, within(scope, finding.c.place))
        .order_by(transition.c.at, transition.c.id)
    )
    return [Step(*row) for row in connection.execute(wanted)]


def _query(scope: Scope) -> Select[Any]:
    named = (
        resource.c.group,
        resource.c.version,
        resource.c.kind,
        resource.c.name.label("resource_name"),
        resource.c.last_seen,
        place.c.namespace,
        place.c.team,
    )
    return (
        select(finding, cluster.c.name.label("cluster_name"), rule.c.name.label("rule_name"), *named)
        .join(resource, resource.c.id == finding.c.resource)
        .join(place, place.c.id == finding.c.place)
        .join(cluster, cluster.c.id == finding.c.cluster)
        .join(rule, rule.c.id == finding.c.rule)
        .where(within(scope, finding.c.place))
    )


def _read(row: Any) -> FindingView:
    whom = ResourceId(row.group, row.version, row.kind, row.namespace, row.resource_name)
    words = (row.message, row.pointer, row.location, row.excerpt, row.evidence, row.others, row.waived_by)
    judged = (Verdict(row.verdict), Severity(row.severity))
    last = row.changed_at if row.closed_at is not None else max(row.changed_at, row.last_seen)
    times = (row.first_seen, row.opened_at, last, row.closed_at)
    name = (row.rule_name, row.fingerprint, row.state)
    return FindingView(row.id, row.cluster_name, row.team, whom, row.resource, *name, *judged, *words, *times)
