"""What the plane sees of delivery: roll-outs, replicas, incidents, findings, waivers, and the gaps in its own sight.

Each event is a fact about one instant and is never changed afterwards, so
that they can be appended, sent, kept and counted again. `exact` is false
where we did not watch when it happened: `at` is then when we learned of it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, TypeAlias

import msgspec

from bartizan.model.severity import Severity

Signal: TypeAlias = Literal["rollback", "deadline", "crash-loop", "degraded", "incident"]
"""What says that a change failed. `degraded` is a delivery tool's word for it, as Argo CD's."""

Gate: TypeAlias = Literal["passed", "absent", "unknown"]
"""What is known of a gate before production: it let the change pass, there was none, or we cannot tell."""

Subject: TypeAlias = Literal["signed-images", "network-policies"]
"""What coverage is of: images whose signature was verified, and pods that a network policy selects."""


class Workload(msgspec.Struct, frozen=True, order=True):
    """A Deployment, StatefulSet or DaemonSet of the fleet."""

    cluster: str
    namespace: str
    kind: str
    name: str


class RolloutBegan(msgspec.Struct, frozen=True, tag="rollout-began", tag_field="event"):
    """A pod template that the workload has not had before was set. Scaling and restarting set none.

    `revision` names the template. `commit_at` is when its source was
    committed, `image_at` when its newest image was made, where that is known.
    """

    at: datetime
    workload: Workload
    revision: str
    commit_at: datetime | None = None
    image_at: datetime | None = None
    exact: bool = True


class RolloutSucceeded(msgspec.Struct, frozen=True, tag="rollout-succeeded", tag_field="event"):
    """Every replica runs the template and is available. Said again when that is so again after a failure."""

    at: datetime
    workload: Workload
    revision: str
    exact: bool = True


class RolloutFailed(msgspec.Struct, frozen=True, tag="rollout-failed", tag_field="event"):
    """A signal that the template does not work."""

    at: datetime
    workload: Workload
    revision: str
    signal: Literal["deadline", "crash-loop", "degraded"]
    exact: bool = True


class RolledBack(msgspec.Struct, frozen=True, tag="rolled-back", tag_field="event"):
    """A template that the workload had before, `revision`, was set again in place of `left`."""

    at: datetime
    workload: Workload
    revision: str
    left: str
    exact: bool = True


class Capacity(msgspec.Struct, frozen=True, tag="capacity", tag_field="event"):
    """From now on so many replicas are wanted, and so many can serve. A workload that went wants none."""

    at: datetime
    workload: Workload
    desired: int
    available: int


class SightLost(msgspec.Struct, frozen=True, tag="sight-lost", tag_field="event"):
    """From now on we do not see the cluster. Who watches says so when a lease runs out: silence itself is no event."""

    at: datetime
    cluster: str


class SightRegained(msgspec.Struct, frozen=True, tag="sight-regained", tag_field="event"):
    """We see the cluster again; of each workload we know nothing before its next event."""

    at: datetime
    cluster: str


class IncidentOpened(msgspec.Struct, frozen=True, tag="incident-opened", tag_field="event"):
    """Somebody, or a monitor, says that something is wrong; with `workload`, with that."""

    at: datetime
    id: str
    workload: Workload | None = None


class IncidentClosed(msgspec.Struct, frozen=True, tag="incident-closed", tag_field="event"):
    """It is over."""

    at: datetime
    id: str


class FindingOpened(msgspec.Struct, frozen=True, tag="finding-opened", tag_field="event"):
    """A finding is there for the first time, or again. `id` is unique over clusters."""

    at: datetime
    id: str
    severity: Severity
    gate: Gate = "unknown"
    exact: bool = True


class FindingMended(msgspec.Struct, frozen=True, tag="finding-mended", tag_field="event"):
    """A finding is gone because what it found was changed."""

    at: datetime
    id: str
    exact: bool = True


class FindingDropped(msgspec.Struct, frozen=True, tag="finding-dropped", tag_field="event"):
    """A finding is gone though nobody mended it: its resource or its rule went, or it was waived."""

    at: datetime
    id: str


class FindingCaught(msgspec.Struct, frozen=True, tag="finding-caught", tag_field="event"):
    """A gate held a finding back before production."""

    at: datetime
    id: str
    severity: Severity


class WaiverGranted(msgspec.Struct, frozen=True, tag="waiver-granted", tag_field="event"):
    """A waiver was accepted; `until` is its last day. Granting it again renews it, and it keeps its age."""

    at: datetime
    id: str
    until: date


class WaiverWithdrawn(msgspec.Struct, frozen=True, tag="waiver-withdrawn", tag_field="event"):
    """A waiver was taken away."""

    at: datetime
    id: str


class Coverage(msgspec.Struct, frozen=True, tag="coverage", tag_field="event"):
    """From now on so many of a cluster's things are covered, are not, and could not be judged."""

    at: datetime
    cluster: str
    subject: Subject
    covered: int
    bare: int
    unknown: int = 0


Event: TypeAlias = (
    RolloutBegan
    | RolloutSucceeded
    | RolloutFailed
    | RolledBack
    | Capacity
    | SightLost
    | SightRegained
    | IncidentOpened
    | IncidentClosed
    | FindingOpened
    | FindingMended
    | FindingDropped
    | FindingCaught
    | WaiverGranted
    | WaiverWithdrawn
    | Coverage
)


def cluster_of(event: Event) -> str:
    """The cluster an event tells of; empty for findings and waivers, whose ids say it, and for an incident at large."""
    match event:
        case SightLost() | SightRegained() | Coverage():
            return event.cluster
        case RolloutBegan() | RolloutSucceeded() | RolloutFailed() | RolledBack() | Capacity():
            return event.workload.cluster
        case IncidentOpened():
            return event.workload.cluster if event.workload else ""
        case IncidentClosed() | FindingOpened() | FindingMended() | FindingDropped() | FindingCaught():
            return ""
        case WaiverGranted() | WaiverWithdrawn():
            return ""


class Window(msgspec.Struct, frozen=True):
    """A stretch of time: `begin` is in it and `end` is not."""

    begin: datetime
    end: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.begin <= at < self.end

    def __post_init__(self) -> None:
        """Refuse what is no stretch.

        Raises:
            ValueError: it ends before it begins, or its instants have no zone.
        """
        if self.begin.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window needs a time zone")
        if self.end < self.begin:
            raise ValueError("a window ends before it begins")
