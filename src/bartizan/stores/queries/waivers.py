"""Waivers, and the findings that each covers: those it accepts, would accept, and will give back when it ends.

Which findings a waiver covers is asked of the very words that findings are
parted by (`findings.waive`). The database only leaves out what they cannot
mean, and no more than `most` findings are looked at.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import and_, func, or_, select

from bartizan.base.wildcard import is_wildcard, matcher
from bartizan.findings.waive import Acceptance
from bartizan.model.finding import Finding, RuleId, RuleInfo
from bartizan.model.resource import ResourceId
from bartizan.model.severity import Severity
from bartizan.model.waiver import Waiver
from bartizan.stores.bulk import storable
from bartizan.stores.queries.pages import Page, Part, paged
from bartizan.stores.schema import cluster, finding, place, resource, rule, waiver
from bartizan.stores.scope import within, within_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Select

    from bartizan.stores.scope import Scope

Shown: TypeAlias = Literal["asked", "in-force", "ending", "ended"]
SHOWN: Final[tuple[Shown, ...]] = ("asked", "in-force", "ending", "ended")
SOON: Final = timedelta(days=14)
MOST: Final = 10_000
"""Findings that are looked at to say what one waiver covers."""
_COUNTED: Final = 1000
_OTHERS: Final = 500
_WORDS: Final = ("policy", "rule", "kind", "name", "path")


class Selected(NamedTuple):
    """What a waiver selects; what is empty does not choose. `cluster` is a number, and nothing for the fleet."""

    cluster: int | None = None
    namespace: str = ""
    team: str = ""
    policy: str = ""
    rule: str = ""
    kind: str = ""
    name: str = ""
    path: str = ""
    fingerprint: str = ""


class Covered(NamedTuple):
    """A finding that a waiver covers."""

    number: int
    cluster: str
    namespace: str
    kind: str
    name: str
    rule: str
    severity: Severity
    state: str
    message: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """Findings that a waiver covers. Where `more` is said there are more than were looked at, and counts are too low.

    `places` are clusters and namespaces with a count each, `sample` the worst
    of the findings.
    """

    total: int
    more: bool
    places: tuple[tuple[tuple[str, str], int], ...]
    severities: tuple[tuple[Severity, int], ...]
    sample: tuple[Covered, ...]


class Filter(NamedTuple):
    """Which waivers to list; what is empty does not choose."""

    shown: Shown = "asked"
    cluster: str = ""
    namespace: str = ""
    person: str = ""


def selected_by(row: Any) -> Selected:
    """What a waiver's row selects."""
    return Selected(*(getattr(row, field) for field in Selected._fields))


def listed(connection: Connection, scope: Scope, wanted: Filter, at: datetime, page: Page) -> Part[Any]:
    """Waivers that a viewer may see, with `cluster_name`, the last asked first."""
    named = select(waiver, cluster.c.name.label("cluster_name")).outerjoin(cluster, cluster.c.id == waiver.c.cluster)
    query = named.where(_mine(scope), _shown(wanted.shown, at))
    if wanted.cluster:
        query = query.where(cluster.c.name == storable(wanted.cluster))
    if wanted.namespace:
        query = query.where(waiver.c.namespace == storable(wanted.namespace))
    if wanted.person:
        who = storable(wanted.person)
        query = query.where(or_(waiver.c.asked_by == who, waiver.c.decided_by == who))
    return paged(connection, query, [waiver.c.id], page, lambda row: row)


def numbers(connection: Connection, scope: Scope, at: datetime) -> dict[Shown, int]:
    """How many waivers of each sort a viewer may see, of the last thousand at most."""
    found: dict[Shown, int] = {}
    for shown in SHOWN:
        some = select(waiver.c.id).where(_mine(scope), _shown(shown, at)).limit(_COUNTED).subquery()
        found[shown] = int(connection.execute(select(func.count()).select_from(some)).scalar_one())
    return found


def coverage(
    connection: Connection,
    scope: Scope,
    selected: Selected,
    states: tuple[str, ...] = ("open", "waived"),
    *,
    most: int = MOST,
    sample: int = 20,
    unless: Sequence[Any] = (),
) -> Coverage:
    """The findings that are open or waived now and that a waiver selects.

    What a waiver of the rows `unless` accepts as well is left out.
    """
    rows = _candidates(connection, scope, selected, states, most)
    accepts = _accepting([(selected, Acceptance([_waiver(selected)], date.min))])
    others = [(selected_by(row), Acceptance([_waiver(selected_by(row))], date.min)) for row in unless]
    accepted_else = _accepting(others)
    found = [row for row in rows[:most] if accepts(row) and not accepted_else(row)]
    found.sort(key=lambda row: (-row.severity, row.id))
    places = Counter((row.cluster_name, row.namespace) for row in found)
    severities = Counter(Severity(row.severity) for row in found)
    return Coverage(
        len(found),
        len(rows) > most,
        tuple(sorted(places.items(), key=lambda pair: (-pair[1], pair[0]))),
        tuple(sorted(severities.items(), reverse=True)),
        _with_messages(connection, found[:sample]),
    )


def coming_back(connection: Connection, scope: Scope, row: Any, *, most: int = MOST, sample: int = 20) -> Coverage:
    """The findings that are waived now and open again when a waiver ends: no other that holds on accepts them."""
    later = and_(waiver.c.state == "approved", waiver.c.ends_at > row.ends_at, waiver.c.id != row.id)
    where = [] if row.cluster is None else [or_(waiver.c.cluster.is_(None), waiver.c.cluster == row.cluster)]
    others = connection.execute(select(waiver).where(later, *where).order_by(waiver.c.id).limit(_OTHERS)).all()
    return coverage(connection, scope, selected_by(row), ("waived",), most=most, sample=sample, unless=others)


def _mine(scope: Scope) -> ColumnElement[bool]:
    return within_names(scope, waiver.c.cluster, waiver.c.namespace, waiver.c.team)


def _shown(shown: Shown, at: datetime) -> ColumnElement[bool]:
    holds = and_(waiver.c.state == "approved", waiver.c.ends_at > at)
    match shown:
        case "asked":
            return and_(waiver.c.state == "asked", waiver.c.ends_at > at)
        case "in-force":
            return holds
        case "ending":
            return and_(holds, waiver.c.ends_at <= at + SOON)
        case "ended":
            return or_(waiver.c.state.in_(("ended", "refused")), waiver.c.ends_at <= at)


def _waiver(selected: Selected) -> Waiver:
    words = {field: getattr(selected, field) or "*" for field in ("namespace", *_WORDS)}
    return Waiver("", "", "", date.max, **words, fingerprint=selected.fingerprint)


def _accepting(given: Iterable[tuple[Selected, Acceptance]]) -> Callable[[Any], bool]:
    """Whether one of some waivers accepts a row; a rule's name is taken in every way in which it can be read."""
    ready = [(selected.cluster, matcher(selected.team or "*"), acceptance) for selected, acceptance in given]

    def accepts(row: Any) -> bool:
        mine = [one for number, team, one in ready if number in (None, row.cluster) and team(row.team)]
        return bool(mine) and any(one.of(said) is not None for said in _findings(row) for one in mine)

    return accepts


def _findings(row: Any) -> Iterable[Finding]:
    whom = ResourceId("", "", row.kind, row.namespace, row.name)
    for name in _readings(row.rule_name):
        yield Finding(
            RuleInfo(name), whom, "fail", Severity(row.severity), "", row.pointer, fingerprint=row.fingerprint
        )


def _readings(name: str) -> list[RuleId]:
    """`a/b` is rule `b` of policy `a`, or policy `b` of the namespace `a`; a name alone may be a rule's too."""
    cuts = [at for at, letter in enumerate(name) if letter == "/"]
    return [RuleId(name), RuleId(name, name), *(RuleId(name[:at], name[at + 1 :]) for at in reversed(cuts))]


def _candidates(
    connection: Connection, scope: Scope, selected: Selected, states: tuple[str, ...], most: int
) -> list[Any]:
    """Findings that a waiver can mean, one more than `most` where there are more.

    They are picked by what has an index, so that a waiver that meets nothing
    costs no walk over all findings; the rest is looked at one by one.
    """
    picked = _picked(connection, scope, selected, states)
    if picked is None:
        return []
    columns = (
        finding.c.id, finding.c.cluster, finding.c.severity, finding.c.state, finding.c.pointer, finding.c.fingerprint,
        rule.c.name.label("rule_name"), resource.c.kind, resource.c.name, place.c.namespace, place.c.team,
        cluster.c.name.label("cluster_name"),
    )  # fmt: skip  # by table
    query = (
        select(*columns)
        .join(resource, resource.c.id == finding.c.resource)
        .join(place, place.c.id == finding.c.place)
        .join(cluster, cluster.c.id == finding.c.cluster)
        .join(rule, rule.c.id == finding.c.rule)
        .where(finding.c.id.in_(select(picked.limit(most + 1).subquery().c.id)))
    )
    return list(connection.execute(query))


def _picked(connection: Connection, scope: Scope, selected: Selected, states: tuple[str, ...]) -> Select[Any] | None:
    """The numbers of findings by what has an index; nothing where no rule has the waiver's name."""
    query = select(finding.c.id).where(
        within(scope, finding.c.place), finding.c.closed_at.is_(None), finding.c.state.in_(states)
    )
    if selected.policy or selected.rule:
        meant = _rules(connection, selected)
        if not meant:
            return None
        query = query.where(finding.c.rule.in_(meant))
    if selected.cluster is not None:
        query = query.where(finding.c.cluster == selected.cluster)
    if selected.fingerprint:  # the index begins with the cluster
        every = finding.c.cluster.in_(select(cluster.c.id))
        query = query.where(finding.c.fingerprint == selected.fingerprint, every)
    named = ((selected.namespace, place.c.namespace), (selected.team, place.c.team))
    places = [column == storable(words) for words, column in named if words and not is_wildcard(words)]
    if not places:
        return query
    meant_places = select(place.c.id).where(*places)
    query = query.where(finding.c.place.in_(meant_places))
    if selected.name and not is_wildcard(selected.name):
        same = select(resource.c.id).where(resource.c.place.in_(meant_places), resource.c.name == selected.name)
        query = query.where(finding.c.resource.in_(same))
    return query


def _rules(connection: Connection, selected: Selected) -> list[int]:
    policy, named = matcher(selected.policy or "*"), matcher(selected.rule or "*")
    return [
        row.id
        for row in connection.execute(select(rule.c.id, rule.c.name))
        if any(policy(one.policy) and named(one.rule) for one in _readings(row.name))
    ]


def _with_messages(connection: Connection, rows: Sequence[Any]) -> tuple[Covered, ...]:
    wanted = select(finding.c.id, finding.c.message).where(finding.c.id.in_([row.id for row in rows]))
    messages = {row.id: row.message for row in connection.execute(wanted)} if rows else {}
    return tuple(
        Covered(
            row.id, row.cluster_name, row.namespace, row.kind, row.name, row.rule_name,
            Severity(row.severity), row.state, messages.get(row.id, ""),
        )
        for row in rows
    )  # fmt: skip  # as the record stands
