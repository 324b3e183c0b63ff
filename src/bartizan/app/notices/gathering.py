"""Events become notices: by rule, by what each is about, and joined while they wait. Pure.

Joining is what keeps a fleet quiet: counts add up, of what is listed the
worst stay, and two orders of joining give the same counts.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from bartizan.base.wildcard import match
from bartizan.model.notice import EVENT_KINDS, FINDING_KINDS, MOST_ITEMS, MOST_NAMES, Item, Notice
from bartizan.model.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TypeAlias

    from bartizan.app.notices.settings import Rule
    from bartizan.model.notice import Action, Event, NoticeKind
    from bartizan.stores.queries.news import Open

    Whose: TypeAlias = Event | Open

_ABOUT_FINDINGS: Final = frozenset(FINDING_KINDS)
_NEW: Final = frozenset({"first-check", "opened", "reopened"})
_SCORES: Final = frozenset({"score-fell", "score-rose"})
_STATES: Final = frozenset({"cluster-unknown", "cluster-late", "cluster-back"})
_ENDS: Final = (
    (_NEW, frozenset({"fixed", "waived"})),
    (frozenset({"cluster-unknown", "cluster-late"}), frozenset({"cluster-back"})),
    (frozenset({"score-fell"}), frozenset({"score-rose"})),
)
_URGENCY: Final[Mapping[str, int]] = {kind: number for number, kind in enumerate(EVENT_KINDS)}
_LONGEST_LINK: Final = 2000
"""Characters. The shortest limit of those who get it is 2048."""
_PAGES: Final = {"score": "/clusters/{cluster}", "state": "/clusters/{cluster}", "waiver": "/waivers"}


class Group(NamedTuple):
    """What one notice is about. `part` is the namespace, team or check where a rule tells those apart."""

    cluster: str
    family: str
    part: str = ""

    @property
    def key(self) -> str:
        """The group as a text of its own."""
        return "\0".join(self)


def wants(rule: Rule, event: Event) -> bool:
    """Whether a rule tells an event."""
    if event.kind not in rule.kinds:
        return False
    if event.kind.startswith("waiver"):  # one that names nothing is about all of it
        chosen = ((rule.clusters, event.cluster), (rule.namespaces, event.namespace), (rule.teams, event.team))
        return all(not name or _any(patterns, name) for patterns, name in chosen)
    if not _any(rule.clusters, event.cluster):
        return False
    return event.kind not in _ABOUT_FINDINGS or admits(rule, event)


def with_ends(rule: Rule) -> Rule:
    """The rule for who is paged: an incident that it begins, it also ends."""
    kinds = set(rule.kinds)
    for begins, ends in _ENDS:
        if kinds & begins:
            kinds |= ends
    return msgspec.structs.replace(rule, kinds=tuple(sorted(kinds)))


def admits(rule: Rule, whose: Whose) -> bool:
    """Whether a rule is about such findings, whatever happened to them."""
    return (
        whose.severity >= rule.least
        and _any(rule.namespaces, whose.namespace)
        and _any(rule.teams, whose.team)
        and (not rule.frameworks or any(_in_framework(rule.frameworks, one) for one in whose.frameworks))
    )


def group_of(rule: Rule, event: Event) -> Group:
    """What the notice that tells an event is about: a digest is about all that a rule tells."""
    if rule.mode == "digest":
        return Group("", "digest")
    if event.kind == "first-check":
        return Group(event.cluster, "first-check")
    if event.kind in _ABOUT_FINDINGS:
        return Group(event.cluster, "findings", part_of(rule, event))
    if event.kind in _SCORES:
        return Group(event.cluster, "score")
    if event.kind in _STATES:
        return Group(event.cluster, "state")
    return Group(event.cluster, "waiver", event.topic)


def part_of(rule: Rule, whose: Whose) -> str:
    """Which of the things that a rule tells apart findings belong to."""
    match rule.by:
        case "cluster":
            return ""
        case "namespace":
            return whose.namespace
        case "team":
            return whose.team
        case "check":
            return whose.check


def incident_of(rule: Rule, group: Group) -> str:
    """The key of what is wrong: the same while it is, and after a first check as when it began to be looked at."""
    family = "findings" if group.family == "first-check" else group.family
    return "/".join(("bartizan", rule.name, group.cluster, family, *([group.part] if group.part else [])))


def gathered(rule: Rule, group: Group, events: Sequence[Event], plane_url: str) -> Notice:
    """One notice of events that belong to one group; there is at least one."""
    first, *others = (_notice(rule, group, event, plane_url) for event in events)
    return reduce(joined, others, first)


def joined(before: Notice, after: Notice) -> Notice:
    """Two notices of one group as one."""
    kinds = sorted({before.kind, after.kind}, key=lambda kind: _URGENCY.get(kind, -1))
    return Notice(
        kinds[0],
        after.rule,
        min(before.since, after.since),
        max(before.at, after.at),
        after.cluster,
        _same(before.namespace, after.namespace),
        _same(before.team, after.team),
        max(before.severity, after.severity),
        _names(before.frameworks, after.frameworks),
        _names(before.clusters, after.clusters),
        _added(before.counts, after.counts),
        _added(before.severities, after.severities),
        _worst((*before.items, *after.items)),
        after.link,
        after.incident,
        after.action or before.action,
    )


def _notice(rule: Rule, group: Group, event: Event, plane_url: str) -> Notice:
    digest = group.family == "digest"
    new = event.kind in _NEW
    items = event.items or (_bare(event),)
    return Notice(
        "digest" if digest else event.kind,
        rule.name,
        event.at,
        event.at,
        group.cluster,
        "" if digest else event.namespace,
        "" if digest else event.team,
        event.severity if new or event.kind not in _ABOUT_FINDINGS else Severity.INFO,
        event.frameworks[:MOST_NAMES],
        (event.cluster,) if event.cluster else (),
        {event.kind: event.count},
        {event.severity.label: event.count} if new else {},
        _worst(_linked(one, plane_url) for one in items),
        _link(group, plane_url),
        incident_of(rule, group),
        _action(event.kind),
    )


def _action(kind: NoticeKind) -> Action | None:
    """What an event does by itself; whether nothing is left open of findings, only a store can tell."""
    if kind in _NEW or kind in ("score-fell", "cluster-unknown", "cluster-late", "waiver-expiring", "waiver-ended"):
        return "trigger"
    if kind in ("score-rose", "cluster-back"):
        return "resolve"
    return "acknowledge" if kind == "waiver-asked" else None


def _bare(event: Event) -> Item:
    return Item(event.kind, event.severity, event.check or event.kind, event.cluster)


def _linked(item: Item, plane_url: str) -> Item:
    link = plane_url.rstrip("/") + item.link if plane_url and item.link else ""
    return Item(item.kind, item.severity, item.title, item.where, item.text, link)


def _link(group: Group, plane_url: str) -> str:
    if not plane_url:
        return ""
    from urllib.parse import quote

    path = _PAGES.get(group.family, "/findings?cluster={cluster}") if group.cluster else "/"
    link = plane_url.rstrip("/") + path.format(cluster=quote(group.cluster, safe=""))
    return link if len(link) <= _LONGEST_LINK else plane_url


def _any(patterns: Sequence[str], name: str) -> bool:
    return not patterns or any(match(pattern, name) for pattern in patterns)


def _in_framework(patterns: Sequence[str], control: str) -> bool:
    return _any(patterns, control) or _any(patterns, control.partition(":")[0])


def _same(one: str, other: str) -> str:
    return one if one == other else ""


def _names(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({*one, *other})[:MOST_NAMES])


def _added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted({*one, *other})}


def _worst(items: Iterable[Item]) -> tuple[Item, ...]:
    """The items to list: what is new before what is over, the worst of each first; one of a text is enough."""
    ordered = sorted(items, key=lambda one: (one.kind not in _NEW, -one.severity, _URGENCY.get(one.kind, 99), one))
    return tuple(dict.fromkeys(ordered))[:MOST_ITEMS]
