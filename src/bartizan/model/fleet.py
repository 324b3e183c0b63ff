"""The members of a fleet, and what each whole check of one of them was."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from bartizan.model.report import Problem

ClusterKind: TypeAlias = Literal["context", "folder", "agent"]
"""How the plane knows a cluster: it reads it, it reads the files of what is to be deployed, or an agent reports."""

ClusterState: TypeAlias = Literal["current", "late", "unknown"]
"""How much of what is known of a cluster can be believed."""


class Cluster(msgspec.Struct, frozen=True):
    """One member of the fleet. Its name is its own for as long as it is a member."""

    name: str
    kind: ClusterKind
    labels: dict[str, str]
    joined_at: datetime


class Generation(msgspec.Struct, frozen=True):
    """One whole check of a cluster. What a complete one has not seen is gone.

    `policy_digest` is of the rules that were asked, `evaluator` the version
    that asked them, `objects` how many were judged. `unlisted` are the kinds
    that could not be listed, as `Kind`, `group/Kind` or `group/*`: nothing of
    theirs is gone, only not seen. `ended_at` is nothing while it runs.
    """

    cluster: str
    number: int
    started_at: datetime
    ended_at: datetime | None
    complete: bool
    policy_digest: str
    evaluator: str
    objects: int = 0
    problems: tuple[Problem, ...] = ()
    unlisted: tuple[str, ...] = ()
