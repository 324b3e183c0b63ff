"""What is answered, as records: each is what the OpenAPI document says of it, and is made from what a query found."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from bartizan.findings.score import percent, severity_score
from bartizan.model.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from bartizan.findings.score import Score as Numbers
    from bartizan.model.fleet import ClusterState
    from bartizan.model.ledger import Verdict
    from bartizan.model.resource import ResourceId
    from bartizan.stores.queries.findings import FindingView
    from bartizan.stores.queries.findings import Step as Happening
    from bartizan.stores.queries.overview import ClusterView, NamespaceView
    from bartizan.stores.queries.resources import ResourceView

SeverityWord: TypeAlias = Literal["info", "low", "medium", "high", "critical"]
StateWord: TypeAlias = Literal["open", "waived", "fixed", "gone"]
VerdictWord: TypeAlias = Literal["pass", "fail", "warn", "error", "skip", "waived", "stale"]
Next: TypeAlias = Annotated[str, Meta(description="The `after` of the next page; empty on the last.")]


class Number(msgspec.Struct, frozen=True):
    """A share: exact, as a fraction, and in per cent with two decimals."""

    exact: str
    percent: str


class Score(msgspec.Struct, frozen=True):
    """The three numbers; null where there is nothing to count. See the formula in an export of scores."""

    pass_rate: Number | None
    coverage: Number | None
    exception_share: Number | None


class Counts(msgspec.Struct, frozen=True):
    """Pairs of object and rule by what is said of them."""

    passed: int = 0
    failed: int = 0
    warned: int = 0
    errors: int = 0
    skipped: int = 0
    waived: int = 0
    stale: int = 0


class Severities(msgspec.Struct, frozen=True):
    """Counts by the severity of the rule."""

    critical: Counts = Counts()
    high: Counts = Counts()
    medium: Counts = Counts()
    low: Counts = Counts()
    info: Counts = Counts()


class Cluster(msgspec.Struct, frozen=True):
    """A member of the fleet. `objects`, `score` and `counts` are of what you may see of it."""

    name: str
    kind: str
    state: Literal["current", "late", "unknown"]
    labels: dict[str, str]
    version: str
    joined_at: datetime
    left_at: datetime | None
    last_seen: datetime | None
    interval_s: int
    generation: int
    objects: int
    problems: list[dict[str, Any]]
    score: Score
    counts: Severities


class Namespace(msgspec.Struct, frozen=True):
    """A namespace of a cluster; the empty one holds the objects of the cluster itself."""

    cluster: str
    name: str
    teams: tuple[str, ...]
    objects: int
    score: Score
    counts: Severities


class ObjectName(msgspec.Struct, frozen=True, rename={"api_version": "apiVersion"}):
    """A Kubernetes object, as a reference names it."""

    api_version: str
    kind: str
    namespace: str
    name: str


class Finding(msgspec.Struct, frozen=True):
    """What a rule says of an object. While it is open it was last seen when its object was."""

    number: int
    cluster: str
    team: str
    object: ObjectName
    resource: Annotated[int, Meta(description="The number of the object, for `/resources/{number}`.")]
    rule: str
    fingerprint: str
    state: StateWord
    verdict: VerdictWord
    severity: SeverityWord
    message: str
    path: Annotated[str, Meta(description="Where in the object, as a JSON pointer.")]
    location: Annotated[str, Meta(description="Where in a file, as `file:line:column`.")]
    excerpt: str
    evidence: str
    others: list[dict[str, str]]
    waived_by: str
    first_seen: datetime
    opened_at: datetime
    last_seen: datetime
    closed_at: datetime | None


class Step(msgspec.Struct, frozen=True):
    """Something that happened to a finding."""

    at: datetime
    change: str
    cause: str


class Resource(msgspec.Struct, frozen=True):
    """An object of a cluster, as it was last seen."""

    number: int
    cluster: str
    team: str
    object: ObjectName
    uid: str
    labels: dict[str, Any]
    first_seen: datetime
    last_seen: datetime
    judged_at: datetime
    gone_at: datetime | None


class Day(msgspec.Struct, frozen=True):
    """The numbers at the end of a day."""

    day: date
    score: Score
    counts: Severities


def number(value: Fraction | None) -> Number | None:
    """A share as it is told."""
    return None if value is None else Number(str(value), percent(value))


def score(numbers: Numbers) -> Score:
    """The three numbers as they are told."""
    return Score(*map(number, numbers))


def severities(counts: Mapping[int, tuple[int, ...]]) -> Severities:
    """Counts by severity as they are told."""
    return Severities(**{Severity(one).label: Counts(*row) for one, row in counts.items()})


def cluster(view: ClusterView, state: ClusterState) -> Cluster:
    """A cluster as it is told."""
    times = (view.joined_at, view.left_at, view.last_seen, view.interval_s, view.generation)
    found = (view.objects, view.problems, score(severity_score(view.counts)), severities(view.counts))
    return Cluster(view.name, view.kind, state, view.labels, view.version, *times, *found)


def namespace(view: NamespaceView) -> Namespace:
    """A namespace as it is told."""
    numbers = (score(severity_score(view.counts)), severities(view.counts))
    return Namespace(view.cluster, view.namespace, view.teams, view.objects, *numbers)


def object_name(resource: ResourceId) -> ObjectName:
    """An object's name as it is told."""
    return ObjectName(resource.api_version, resource.kind, resource.namespace, resource.name)


def verdict(value: Verdict) -> VerdictWord:
    """A verdict in words."""
    word: VerdictWord = value.name.lower()  # type: ignore[assignment]  # the names of the enumeration
    return word


def severity(value: Severity) -> SeverityWord:
    """A severity in words."""
    word: SeverityWord = value.label  # type: ignore[assignment]  # the names of the enumeration
    return word


def finding(view: FindingView) -> Finding:
    """A finding as it is told."""
    name = (view.number, view.cluster, view.team, object_name(view.resource), view.resource_number, view.rule)
    judged = (view.fingerprint, view.state, verdict(view.verdict), severity(view.severity), view.message)
    words = (view.pointer, view.location, view.excerpt, view.evidence)
    times = (view.first_seen, view.opened_at, view.last_seen, view.closed_at)
    return Finding(*name, *judged, *words, view.others, view.waived_by, *times)


def step(one: Happening) -> Step:
    """Something that happened, as it is told."""
    return Step(one.at, one.change, one.cause)


def resource(view: ResourceView) -> Resource:
    """An object as it is told."""
    name = (view.number, view.cluster, view.team, object_name(view.id), view.uid, view.labels)
    return Resource(*name, view.first_seen, view.last_seen, view.judged_at, view.gone_at)
