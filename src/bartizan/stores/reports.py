"""What a source tells the store: objects judged, in batches that can be told twice and count once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from bartizan.model.finding import Finding
    from bartizan.model.ledger import RuleSet
    from bartizan.model.resource import Resource, ResourceId


@dataclass(frozen=True, slots=True)
class Observed:
    """One object and what each rule of the batch's set said of it.

    Byte `n` of `verdicts` is the `Verdict` of rule `n`. `findings` are those
    that fail, warn or could not run; others need no row and are passed over.
    """

    resource: Resource
    verdicts: bytes
    findings: tuple[Finding, ...] = ()
    team: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """A part of what one stream of one cluster has to say, in the order of `sequence`, from 1 on.

    `gone` were deleted. `seen` are as they were when they were last judged.
    `generation` is the whole check this is part of; 0 for what a watch saw.
    """

    cluster: str
    stream: str
    sequence: int
    at: datetime
    rules: RuleSet
    observed: tuple[Observed, ...] = ()
    gone: tuple[ResourceId, ...] = ()
    seen: tuple[ResourceId, ...] = ()
    generation: int = 0


@dataclass(slots=True)
class Moves:
    """What a batch, or the end of a generation, changed: for notifications and for a log's line."""

    opened: int = 0
    closed: int = 0
    pairs: int = 0
    came: int = 0
    went: int = 0
    findings: list[int] = field(default_factory=list)
    """Ids of findings that are in another state than before."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch. `sequence` is the last that is kept: the next one is the one after it.

    `repeated` was kept before, and nothing was done. `gap` misses one before
    it, and nothing was done either: the source sends again from `sequence`.
    """

    status: Literal["kept", "repeated", "gap"]
    sequence: int
    changes: Moves = field(default_factory=Moves)
