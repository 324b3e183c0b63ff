"""What people are told: events of a fleet, and the notices they are gathered into.

An event may stand for many findings: a first check that opens ten thousand
is a few hundred events with their counts, and one notice. Whatever is listed
is bounded; the counts are not.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, TypeAlias

import msgspec

from bartizan.model.severity import Severity

NoticeKind: TypeAlias = Literal[
    "first-check",
    "opened",
    "reopened",
    "fixed",
    "waived",
    "score-fell",
    "score-rose",
    "cluster-unknown",
    "cluster-late",
    "cluster-back",
    "waiver-asked",
    "waiver-expiring",
    "waiver-ended",
    "digest",
    "test",
]
"""What a notice is about. `reopened` is also a finding whose waiver has ended, `fixed` also one whose object is gone,
`first-check` all that was open when a cluster was first seen whole."""

FINDING_KINDS: Final[tuple[NoticeKind, ...]] = ("first-check", "opened", "reopened", "fixed", "waived")
"""Those about findings, the most urgent first."""

EVENT_KINDS: Final[tuple[NoticeKind, ...]] = (
    *FINDING_KINDS,
    "cluster-unknown",
    "score-fell",
    "cluster-late",
    "waiver-asked",
    "waiver-expiring",
    "waiver-ended",
    "cluster-back",
    "score-rose",
)
"""All that can happen."""

Action: TypeAlias = Literal["trigger", "acknowledge", "resolve"]
"""What a notice does to the incident it names."""

MOST_ITEMS: Final = 10
"""Items that a notice lists: what a person reads in a message. The page it links to has the rest."""
MOST_NAMES: Final = 20
"""Clusters and frameworks that a notice names."""


class Item(msgspec.Struct, frozen=True, order=True):
    """One line of a notice: what, where, and what is said of it.

    `link` leads to its page; it is below the plane's address until a notice
    lists it.
    """

    kind: NoticeKind
    severity: Severity
    title: str
    where: str
    text: str = ""
    link: str = ""


class Event(msgspec.Struct, frozen=True):
    """Something that happened, `count` times. `check` is the rule of findings; `items` are some of them, not all.

    `id` tells an event from all others where it can be looked at twice; an
    event without one is looked at once. `topic` is the number of a waiver.
    """

    kind: NoticeKind
    at: datetime
    cluster: str = ""
    namespace: str = ""
    team: str = ""
    check: str = ""
    severity: Severity = Severity.INFO
    frameworks: tuple[str, ...] = ()
    count: int = 1
    items: tuple[Item, ...] = ()
    id: str = ""
    topic: str = ""


class Notice(msgspec.Struct, frozen=True):
    """What one message says. Empty names stand for several, or none.

    `counts` are by kind, `severities` those of findings that are open now and
    were not before. `incident` is the same for all notices of one thing that
    is wrong; `action` is nothing where a notice changes nothing of it.
    """

    kind: NoticeKind
    rule: str
    since: datetime
    at: datetime
    cluster: str = ""
    namespace: str = ""
    team: str = ""
    severity: Severity = Severity.INFO
    frameworks: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    counts: dict[str, int] = {}
    severities: dict[str, int] = {}
    items: tuple[Item, ...] = ()
    link: str = ""
    incident: str = ""
    action: Action | None = None
