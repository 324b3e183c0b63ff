"""What a watched cluster has to say, and who takes it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bartizan.model.report import Problem
    from bartizan.model.resource import Resource
    from bartizan.sources.cluster.discovery import Kind


class Seen(NamedTuple):
    """An object, as it is. `listed` says that it is part of a listing and need be no news."""

    kind: Kind
    resource: Resource
    listed: bool


class Deleted(NamedTuple):
    """An object, as it was last."""

    kind: Kind
    resource: Resource


class ListingBegan(NamedTuple):
    """What of a kind is not seen from here to its end is not there."""

    kind: Kind


class ListingEnded(NamedTuple):
    """A kind is known as a whole, and followed from here."""

    kind: Kind


class Unknown(NamedTuple):
    """A kind cannot be listed or followed for now; what is known of it may have changed."""

    kind: Kind
    problem: Problem


class Vanished(NamedTuple):
    """The server knows nothing of such a kind. Whether it is no more, the next look for kinds will tell."""

    kind: Kind


class Discovered(NamedTuple):
    """The kinds there are, and what is wrong with any group of them.

    `listing` is how often all were asked to be listed again: what is listed
    from here on is of that time or later.
    """

    kinds: tuple[Kind, ...]
    problems: tuple[Problem, ...]
    listing: int


News: TypeAlias = Seen | Deleted | ListingBegan | ListingEnded | Unknown | Vanished | Discovered


class Taker(Protocol):
    """Takes news, in the thread of the streams: it must not wait."""

    def take(self, news: Sequence[News]) -> None:
        """Keep news for later."""

    def is_full(self) -> bool:
        """Whether more should wait."""


@dataclass(slots=True)
class Pulse:
    """When a cluster was heard last, by the monotonic clock, and what is wrong with hearing it."""

    heard_at: float = 0.0
    problem: Problem | None = None
    watching: set[tuple[str, str]] = field(default_factory=set)
    """Kinds that are followed now, by group and plural."""

    def heard(self) -> None:
        """It said something."""
        self.heard_at = time.monotonic()
