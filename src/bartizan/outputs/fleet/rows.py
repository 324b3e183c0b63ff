"""What an export is made from: findings with the clusters and lives they have, and what stands around them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from bartizan.findings.score import Score
from bartizan.model.finding import Finding
from bartizan.model.waiver import Waiver

State: TypeAlias = Literal["open", "waived", "fixed", "gone"]
Reason: TypeAlias = Literal["pass", "fail", "other"]


class Row(msgspec.Struct, frozen=True):
    """A finding of the fleet."""

    number: int
    cluster: str
    team: str
    state: State
    verdict: str
    finding: Finding
    first_seen: datetime
    opened_at: datetime
    last_seen: datetime
    closed_at: datetime | None


class ControlRow(msgspec.Struct, frozen=True):
    """A control: whether it is met, and why that is said; `other` where nothing is known of it."""

    id: str
    title: str
    reason: Reason
    failing: int
    pass_rate: str
    coverage: str


class FrameworkRow(msgspec.Struct, frozen=True):
    """A framework with its numbers and controls."""

    id: str
    title: str
    score: Score
    controls: tuple[ControlRow, ...]


class Context(msgspec.Struct, frozen=True):
    """What stands around the findings: who wrote it when, what was chosen, and the numbers of that part of the fleet.

    `chosen` is in words, by parameter; `scores` are of the part as a whole,
    first, and of its clusters.
    """

    tool_version: str
    at: datetime
    part: str
    chosen: Mapping[str, str]
    waivers: Mapping[str, Waiver] = {}
    scores: tuple[tuple[str, Score], ...] = ()
    frameworks: tuple[FrameworkRow, ...] = ()
    formula: Mapping[str, str] = {}
