"""What a clean-up would delete, by whose word, and when; and what became of each deletion."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from bartizan.model.report import Problem
from bartizan.model.resource import ResourceId


class Deletion(msgspec.Struct, frozen=True):
    """One object that is to go. `path` is where the API has it; empty for an object from a file.

    `uid` and `version` say which state of it was judged, so that no other
    one is deleted in its place. `propagation` is empty where the kind's
    default decides what happens to what it owns.
    """

    resource: ResourceId
    because: str
    uid: str = ""
    version: str = ""
    propagation: str = ""
    path: str = ""


class CleanupRun(msgspec.Struct, frozen=True):
    """One policy: its schedule, and what it would delete if it ran now.

    `due` is the run that comes next, or that is late where it is not after
    now; `then` is the one after now.
    """

    policy: str
    kind: str
    schedule: str
    last: datetime | None
    due: datetime | None
    then: datetime | None
    deletions: tuple[Deletion, ...]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Lifetime(msgspec.Struct, frozen=True):
    """One object with a time to live. Without `ends`, `problem` says why it never ends."""

    deletion: Deletion
    ttl: str
    ends: datetime | None
    problem: str = ""


class CleanupReport(msgspec.Struct, frozen=True):
    """Everything a clean-up says. `lives` are in the order of their ends; those whose label says nothing come last."""

    at: datetime
    runs: tuple[CleanupRun, ...]
    lives: tuple[Lifetime, ...]
    problems: tuple[Problem, ...]

    @property
    def deletions(self) -> tuple[Deletion, ...]:
        """What is to go, each object once: what policies name, and what has outlived its time."""
        wanted = [deletion for run in self.runs for deletion in run.deletions]
        wanted += [life.deletion for life in self.lives if life.ends is not None and life.ends < self.at]
        return tuple({(item.resource, item.uid): item for item in reversed(wanted)}.values())[::-1]


class Deleted(msgspec.Struct, frozen=True):
    """What became of one deletion."""

    deletion: Deletion
    result: Literal["deleted", "gone", "failed"]
    message: str = ""
    hint: str = ""
