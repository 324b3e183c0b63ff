"""Why a score moved: each number's movement between two days by cause, and the entries of the ledger behind each.

The parts add up to the movement exactly, and as they are shown too.
"""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from starlette.responses import Response

from bartizan.base.errors import SpecError
from bartizan.catalog.scoring import scored
from bartizan.findings.score import Day, Movements, Standing, export, movements, shown
from bartizan.model.ledger import CAUSES
from bartizan.outputs.charts import Step, waterfall
from bartizan.plane import compliance, part
from bartizan.plane.render import page
from bartizan.plane.site import Asked, Route, missing
from bartizan.stores import attesting
from bartizan.stores.queries import moves, scores

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from sqlalchemy import Connection

    from bartizan.catalog.loader import Framework
    from bartizan.findings.score import Attestation, Movement, Shown
    from bartizan.model.ledger import Cause
    from bartizan.plane.part import Chosen
    from bartizan.stores.attesting import Attested
    from bartizan.stores.queries.scores import Between

_DAYS: Final = 7
"""How far back the page looks where nobody says."""
MEANINGS: Final[Mapping[Cause, tuple[str, str]]] = MappingProxyType(
    {
        "findings": (
            "Fixes and new findings",
            "Objects changed, and so did what the rules say of them; or somebody attested to another word than before.",
        ),
        "rules": (
            "Changed rules",
            "A rule came, went or was changed, or its severity or controls were; whatever the object did meanwhile.",
        ),
        "scope": ("Changed scope", "Objects came and went, or moved between namespaces."),
        "exceptions": ("Exceptions", "Waivers were granted or ended."),
        "freshness": (
            "Freshness",
            "Objects were not judged for too long, or are again; an attestation began, ended or was withdrawn.",
        ),
    }
)
"""What each cause is called, and what it means."""


class Told(NamedTuple):
    """One of the three numbers, moved. `shown` is nothing where there was no number on one of the days."""

    title: str
    movement: Movement
    shown: Shown | None
    picture: str


class _Read(NamedTuple):
    chosen: Chosen
    framework: Framework | None
    words: list[Attested]
    between: Between
    days: tuple[date, date]

    @property
    def attestations(self) -> list[Attestation]:
        return attesting.for_scores(self.words, self.chosen.cluster)

    def moved(self) -> Movements:
        what = scored(self.framework) if self.framework else None
        given = self.between
        before = Standing(self.days[0], given.before, given.facts_before, what, self.attestations)
        after = Standing(self.days[1], given.after, given.facts_after, what, self.attestations)
        return movements(before, after, given.entries)


def _why(asked: Asked) -> Response:
    with asked.site.store.reading() as connection:
        read = _read(asked, connection)
        cause = _cause(asked)
        behind, every = _behind(connection, read, cause)
    links = {one: "?" + read.chosen.query(**_fields(read), cause=one) + "#ledger" for one in CAUSES}
    moved = read.moved()
    titles = ("Pass rate", "Coverage", "Exception share")
    return page(
        asked,
        "why.html",
        chosen=read.chosen,
        framework=read.framework,
        frameworks=compliance.known((*read.between.facts_before.values(), *read.between.facts_after.values())),
        days=read.days,
        told=[_told(title, one, links) for title, one in zip(titles, moved, strict=True)],
        meanings=MEANINGS,
        links=links,
        cause=cause,
        behind=behind,
        every=every,
        words=_changed(read) if cause in ("findings", "freshness") else [],
        by_month=(asked.site.now().date() - read.days[0]).days > asked.site.settings.retention.daily,
        export=read.chosen.query(**_fields(read)),
    )


def _export(asked: Asked) -> Response:
    """The movement with all it is made from, to be worked out again by whoever has it."""
    with asked.site.store.reading() as connection:
        read = _read(asked, connection)
    frameworks = compliance.known((*read.between.facts_before.values(), *read.between.facts_after.values()))
    wanted = [read.framework] if read.framework else frameworks.values()
    given = tuple(scored(one) for one in wanted)
    words, between = tuple(read.attestations), read.between
    before, after = (
        Day(day, tuple(facts.values()), tuple(tallies), given, words)
        for day, facts, tallies in zip(
            read.days, (between.facts_before, between.facts_after), (between.before, between.after), strict=True
        )
    )
    name = f"score-{read.days[0]}-{read.days[1]}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-cache"}
    return Response(export(after, before, between.entries), headers=headers, media_type="application/json")


def _read(asked: Asked, connection: Connection) -> _Read:
    chosen = part.chosen(asked, connection)
    until = part.day_of(asked, "to", asked.site.now().date())
    since = part.day_of(asked, "from", until - timedelta(days=_DAYS))
    if since >= until:
        raise SpecError(f"`{since}` is not before `{until}`", hint="Name the earlier day first.")
    between = scores.between(connection, chosen.scope, since, until)
    sides = (between.facts_before, between.facts_after)
    before, after = map(compliance.with_controls, sides)
    between = between._replace(facts_before=before, facts_after=after)
    name = asked.query.get("framework", "")
    known = compliance.known((*between.facts_before.values(), *between.facts_after.values()))
    if name and name not in known:
        raise missing(f"framework `{name[:100]}`")
    words = attesting.attested(connection, chosen.scope)
    return _Read(chosen, known.get(name), words, between, (since, until))


def _fields(read: _Read) -> dict[str, object]:
    since, until = read.days
    return {"from": since, "to": until, "framework": read.framework.id if read.framework else ""}


def _cause(asked: Asked) -> Cause | None:
    given = asked.query.get("cause", "")
    if given and given not in CAUSES:
        raise SpecError(f"`{given[:40]}` is no cause", hint=f"Causes are {', '.join(CAUSES)}.")
    return next((one for one in CAUSES if one == given), None)


def _behind(connection: Connection, read: _Read, cause: Cause | None) -> tuple[list[moves.Moved], int]:
    if cause is None:
        return [], 0
    only = None
    if read.framework is not None:
        facts = (read.between.facts_before, read.between.facts_after)
        place = f"{read.framework.id}:"
        only = [
            name.partition(" (")[0]
            for side in facts
            for name, one in side.items()
            if any(control.startswith(place) for control in one.frameworks)
        ]
    return moves.ledger(connection, read.chosen.scope, read.days, cause, only)


def _told(title: str, movement: Movement, links: Mapping[Cause, str]) -> Told:
    figures = shown(movement)
    if figures is None:
        return Told(title, movement, None, "")
    steps = [Step(cause, part / 10_000, links[cause]) for cause, part in figures.parts.items()]
    return Told(title, movement, figures, waterfall(title, figures.before / 10_000, steps))


def _changed(read: _Read) -> list[Attested]:
    """The attestations of the framework that were made, ended or withdrawn between the days."""
    if read.framework is None:
        return []
    since, until = read.days

    def is_between(one: Attested) -> bool:
        times = (one.made_at, one.withdrawn_at or one.ends_at)
        return any(since < at.date() <= until for at in times)

    return [one for one in read.words if one.framework == read.framework.id and is_between(one)]


ROUTES = (Route("GET", "/trends/why", _why), Route("GET", "/trends/why.json", _export))
