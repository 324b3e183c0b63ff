"""What lists are chosen by: the same words as on the pages, as parameters with types and bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from bartizan.model.severity import Severity
from bartizan.plane.api.records import SeverityWord, StateWord
from bartizan.stores.queries import findings, resources
from bartizan.stores.queries.pages import LARGEST, Page
from bartizan.stores.queries.search import LONGEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bartizan.plane.api.operation import Call

_NAME: Final = 253
"""The longest name of Kubernetes."""
_RULE: Final = 520
"""A policy's name and a rule's."""
_CURSOR: Final = 500

ClusterName: TypeAlias = Annotated[str, Meta(max_length=_NAME, description="The name of a cluster.")]
OneNamespace: TypeAlias = Annotated[
    str, Meta(max_length=_NAME, description="A namespace; `-` for the objects of the cluster itself.")
]
OneTeam: TypeAlias = Annotated[str, Meta(max_length=_NAME, description="A team; `-` for what is of none.")]
OneRule: TypeAlias = Annotated[str, Meta(max_length=_RULE, description="The name of a rule.")]
OneKind: TypeAlias = Annotated[str, Meta(max_length=_NAME, description="A kind of object, as `Pod`.")]
AtLeast: TypeAlias = Annotated[SeverityWord, Meta(description="This severity or a worse one.")]
InNumber: TypeAlias = Annotated[int, Meta(ge=1, le=2**53, description="Its number.")]
AtMost: TypeAlias = Annotated[SeverityWord, Meta(description="This severity or a lesser one.")]
States: TypeAlias = Annotated[
    tuple[StateWord | Literal["any"], ...],
    Meta(max_length=5, description="What became of it; may be given several times."),
]
Question: TypeAlias = Annotated[str, Meta(max_length=LONGEST, description="Words that all are in its message.")]
Limit: TypeAlias = Annotated[int, Meta(ge=1, le=LARGEST, description="How many at most.")]
After: TypeAlias = Annotated[str, Meta(max_length=_CURSOR, description="The `next` of the page before.")]


NO_NAME: Final = "-"
"""What the objects of no namespace or team are asked for by: neither can be called so."""
EVERY_STATE: Final[tuple[StateWord, ...]] = ("open", "waived", "fixed", "gone")


def named(given: str) -> str | None:
    """A namespace or team as the store is asked for it; what is empty does not choose."""
    return None if not given else "" if given == NO_NAME else given


class FindingFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which findings."""

    cluster: ClusterName = ""
    namespace: OneNamespace = ""
    team: OneTeam = ""
    rule: OneRule = ""
    kind: OneKind = ""
    severity: AtLeast = "info"
    most: AtMost = "critical"
    resource: Annotated[int, Meta(ge=0, le=2**53, description="On the object of this number.")] = 0
    state: States = ("open",)
    q: Question = ""

    def wanted(self) -> findings.Wanted:
        """As the store is asked."""
        return findings.Wanted(
            cluster=self.cluster,
            namespace=named(self.namespace),
            team=named(self.team),
            rule=self.rule,
            kind=self.kind,
            resource=self.resource or None,
            severity=Severity.parse(self.severity, Severity.INFO),
            states=tuple(one for one in EVERY_STATE if one in self.state or "any" in self.state),
            most=Severity.parse(self.most, Severity.CRITICAL),
            words=self.q,
        )


class FindingPage(FindingFilter, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which findings, and which part of their list."""

    limit: Limit = 50
    after: After = ""


class ResourcePage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which objects, and which part of their list."""

    cluster: ClusterName = ""
    namespace: OneNamespace = ""
    team: OneTeam = ""
    kind: OneKind = ""
    name: Annotated[str, Meta(max_length=_NAME, description="The name of an object.")] = ""
    gone: Annotated[bool, Meta(description="With those that are gone.")] = False
    limit: Limit = 50
    after: After = ""

    def wanted(self) -> resources.Wanted:
        """As the store is asked."""
        return resources.Wanted(
            self.cluster,
            named(self.namespace),
            named(self.team),
            self.kind,
            self.name,
            self.gone,
        )


class InCluster(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One cluster."""

    cluster: Annotated[str, Meta(min_length=1, max_length=_NAME, description="The name of a cluster.")]


class Numbered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of a list, by its number."""

    number: InNumber


class Paging(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which part of a list."""

    limit: Limit = 50
    after: After = ""


def page_of(given: FindingPage | ResourcePage) -> Page:
    """The part that is asked for."""
    return Page(given.limit, given.after)


def links(call: Call[Any, Any], after: str) -> dict[str, str]:
    """The header that leads to the next page (RFC 8288); none on the last."""
    if not after:
        return {}
    request = call.asked.request
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
    return {"Link": f'<{request.url.path}?{urlencode([*kept, ("after", after)])}>; rel="next"'}


def part(rows: Iterable[Any], key: Callable[[Any], str], limit: int, after: str) -> tuple[list[Any], str]:
    """A page of a list that is in memory and in the order of its keys: a cursor is the last key, so that it holds."""
    from bartizan.stores.queries.pages import cursor_key, cursor_of

    begin = cursor_key(after) if after else None
    later = [row for row in rows if begin is None or key(row) > begin]
    found = later[:limit]
    return found, cursor_of(key(found[-1])) if len(later) > limit else ""
