"""A whole check of one member: everything listed, everything judged, and what was not there gone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import bartizan
from bartizan.app.watch.keeper import Telling, add
from bartizan.app.watch.mirror import Mirror
from bartizan.app.watch.sentry import TEAM_LABEL, Sentry
from bartizan.app.watch.sources import Unlisted
from bartizan.base.errors import SourceError
from bartizan.findings.lifecycle import ObjectKey, key_of
from bartizan.model.fleet import Generation
from bartizan.model.report import Problem, problem_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from bartizan.app.watch.keeper import Keeper
    from bartizan.app.watch.rules import RuleBook
    from bartizan.app.watch.sources import Source
    from bartizan.model.resource import Resource
    from bartizan.stores.reports import Moves

CHECKS: Final = "checks"
"""The stream of whole checks."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a whole check came to. It is `complete` where all that is there was seen."""

    generation: Generation
    moves: Moves

    @property
    def complete(self) -> bool:
        """Whether what was not seen is gone."""
        return self.generation.complete


@dataclass(slots=True)
class Listed:
    """What a listing came to, beside the objects. `doubted` were in files that cannot be read now."""

    seen: set[ObjectKey] = field(default_factory=set)
    doubted: set[ObjectKey] = field(default_factory=set)
    unlisted: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    complete: bool = True


def sentry_of(
    source: Source, book: RuleBook, keeper: Keeper, clock: Callable[[], datetime], team_label: str = TEAM_LABEL
) -> Sentry:
    """A sentry for a source, who knows nothing yet."""
    mirror = Mirror()

    def held() -> Iterator[Resource]:
        return (mirror.resource(key) for key in list(mirror.entries))

    return Sentry(mirror, book, Telling(keeper, source.name, CHECKS, clock), lambda: source.lookup(held), team_label)


def check(source: Source, sentry: Sentry) -> Checked:
    """List a source and judge all of it, as one generation.

    A source that is away ends it incomplete: what was listed is judged, and nothing is gone.

    Raises:
        StoreError: the keeper is away; the next check tells everything.
    """
    telling = sentry.telling
    number = telling.keeper.begin(source.name, telling.at(), sentry.book.digest, bartizan.__version__)
    started = telling.at()
    listed = take(source, sentry)
    moves = sentry.look(listed.seen | listed.doubted, number)
    done = Generation(
        source.name,
        number,
        started,
        telling.at(),
        listed.complete,
        sentry.book.digest,
        bartizan.__version__,
        len(listed.seen),
        (*sentry.book.problems, *listed.problems),
        tuple(sorted(listed.unlisted)),
    )
    add(moves, telling.keeper.end(done))
    return Checked(done, moves)


def take(source: Source, sentry: Sentry) -> Listed:
    """Bring the mirror up to what the source holds."""
    listed = Listed()
    try:
        for item in source.list():
            if isinstance(item, Unlisted):
                listed.unlisted.add(item.listing)
            elif isinstance(item, Problem):
                listed.problems.append(item)
            else:
                listed.seen.add(key_of(item.id))
                sentry.put(item)
    except SourceError as error:
        listed.problems.append(problem_of(error))
        listed.complete = False
    if listed.complete:
        kept = {problem.at.file for problem in listed.problems if problem.at}
        for key in sentry.mirror.entries.keys() - listed.seen:
            if _is_of(sentry.mirror.entries[key].source, kept):
                sentry.doubt(key)
                listed.doubted.add(key)
            elif not is_unlisted(key, listed.unlisted):
                sentry.drop(key)
    return listed


def is_unlisted(key: ObjectKey, unlisted: set[str]) -> bool:
    """Whether an object is of a kind that could not be listed."""
    return key.listing in unlisted or f"{key.group}/*" in unlisted


def _is_of(source: str, files: set[str]) -> bool:
    """Whether an object came from a file, or from a folder that is rendered, which cannot be read now."""
    return source in files or source.partition(" (rendered by ")[0] in files
