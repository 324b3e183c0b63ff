"""One framework: its controls with their numbers, the checks that serve them, and what people attest to."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from starlette.responses import RedirectResponse

from bartizan.base.errors import SpecError
from bartizan.catalog.loader import load_catalog
from bartizan.catalog.scoring import attested_name, scored
from bartizan.findings.score import attested_on, framework_score
from bartizan.plane import compliance, part
from bartizan.plane.render import page
from bartizan.plane.site import Asked, ForbiddenError, Route, missing
from bartizan.stores import attesting, audit, waivers
from bartizan.stores.queries import overview, scores
from bartizan.stores.scope import admits_all

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.responses import Response

    from bartizan.catalog.loader import Control, Framework
    from bartizan.findings.score import Score
    from bartizan.plane.compliance import Compliance, ControlView
    from bartizan.plane.part import Chosen

_CLUSTERS: Final = 50
"""Clusters whose numbers stand side by side; the rest are a choice away."""
_WORDS: Final = 4000
"""Characters of a statement, or of its evidence."""
_LONGEST: Final = timedelta(days=732)


def _framework(asked: Asked) -> Response:
    now = asked.site.now()
    with asked.site.store.reading() as connection:
        chosen = part.chosen(asked, connection)
        known = compliance.read(connection, chosen, now)
        framework = _named(asked.path["name"], known)
        clusters = [] if chosen.cluster else _by_cluster(connection, chosen, known, framework)
    controls = compliance.views(known, framework)
    return page(
        asked,
        "framework.html",
        framework=framework,
        chosen=chosen,
        score=known.of(framework),
        groups=_groups(controls),
        clusters=clusters,
        more=len(chosen.clusters) > _CLUSTERS,
        words=[one for one in known.words if one.framework == framework.id],
        may_attest=asked.viewer.may("approve"),
        manual=[one for one in controls if one.demand.manual],
        today=now.date(),
    )


def _named(name: str, known: Compliance) -> Framework:
    framework = compliance.known(known.rules.facts.values()).get(name)
    if framework is None:
        raise missing(f"framework `{name[:100]}`")
    return framework


def _groups(controls: list[ControlView]) -> list[tuple[str, list[ControlView]]]:
    """Controls by layer and phase, where they have them."""
    found: dict[str, list[ControlView]] = {}
    for one in controls:
        title = ", ".join(filter(None, (one.demand.layer, one.demand.phase)))
        found.setdefault(title.capitalize() or "Controls", []).append(one)
    return list(found.items())


def _by_cluster(
    connection: Connection, chosen: Chosen, known: Compliance, framework: Framework
) -> list[tuple[str, Score]]:
    names = chosen.clusters[:_CLUSTERS]
    judged = scores.rules_by(connection, chosen.scope, "cluster", names)
    found = []
    for name in names:
        if name in judged:
            holding = attested_on(known.at.date(), attesting.for_scores(known.words, name))
            counts, facts = judged[name]
            facts = compliance.with_controls(facts)
            found.append((name, framework_score(counts, facts, scored(framework), holding)))
    return found


def _attest(asked: Asked) -> Response:
    framework, form, now = asked.path["name"], asked.form(), asked.site.now()
    name, demand = _demand(framework, form.get("control", ""))
    cluster = form.get("cluster", "")
    values: dict[str, Any] = {
        "framework": framework,
        "control": attested_name(name, demand),
        "percent": _percent(form.get("percent", "")),
        "statement": _text(form, "statement"),
        "evidence": _text(form, "evidence"),
        "made_by": asked.viewer.name,
        "ends_at": _end(form.get("until", ""), now, demand),
    }

    def work(connection: Connection) -> None:
        number = _cluster(asked, connection, cluster)
        made = waivers.attest(connection, {**values, "cluster": number}, now)
        told = {"cluster": cluster, "percent": values["percent"], "until": values["ends_at"].date().isoformat()}
        subject = f"{framework}:{values['control']}"
        audit.record(connection, audit.Act(now, asked.viewer.name, "attestation.made", subject, {"id": made, **told}))

    asked.site.store.write(work)
    return _back(framework, cluster)


def _withdraw(asked: Asked) -> Response:
    framework, number, now = asked.path["name"], asked.form().get("number", ""), asked.site.now()

    def work(connection: Connection) -> str:
        found = attesting.one(connection, asked.viewer.scope(), int(number)) if number.isdecimal() else None
        if found is None or found.framework != framework:
            raise missing(f"attestation `{number[:20]}`")
        _permit(asked, found.cluster)
        attesting.withdraw(connection, found.number, now)
        subject = f"{framework}:{found.control}"
        act = audit.Act(now, asked.viewer.name, "attestation.withdrawn", subject, {"id": found.number})
        audit.record(connection, act)
        return found.cluster

    return _back(framework, asked.site.store.write(work))


def _back(framework: str, cluster: str) -> Response:
    query = f"?cluster={quote(cluster, safe='')}" if cluster else ""
    return RedirectResponse(f"/frameworks/{quote(framework, safe='')}{query}#attestations", 303)


def _cluster(asked: Asked, connection: Connection, name: str) -> int | None:
    """The cluster that an attestation is for; none for the whole fleet."""
    if not name:
        _permit(asked, "")
        return None
    found = overview.fleet(connection, asked.viewer.scope(), name)
    if not found:
        raise missing(f"cluster `{name[:100]}`")
    _permit(asked, name)
    return found[0].id


def _permit(asked: Asked, cluster: str) -> None:
    """A word for a cluster is given by who decides for all of it; one for the fleet by who decides everywhere."""
    scope = asked.viewer.scope("approve")
    if not (admits_all(scope, cluster) if cluster else asked.viewer.may_everywhere("approve")):
        where = f"cluster `{cluster}`" if cluster else "the whole fleet"
        raise ForbiddenError(f"`{asked.viewer.name}` may not attest for {where}", hint="Attest where you approve.")


def _demand(framework: str, control: str) -> tuple[str, Control]:
    known = load_catalog().frameworks.get(framework)
    demand = known.controls.get(control) if known else None
    if demand is None:
        raise missing(f"control `{framework[:100]}:{control[:100]}`")
    if not demand.manual:
        raise SpecError(f"control `{control}` is shown by rules alone", hint="Mend what they find.")
    return control, demand


def _percent(given: str) -> int:
    if not (given.isascii() and given.isdecimal() and len(given) <= 3 and int(given) <= 100):
        raise SpecError(f"`{given[:20]}` is not from 0 to 100 percent", hint="Write a whole number.")
    return int(given)


def _text(form: dict[str, str], name: str) -> str:
    words = form.get(name, "").strip()
    if not words:
        raise SpecError(f"an attestation needs its {name}", hint="Say what is so, and where that is shown.")
    if len(words) > _WORDS:
        raise SpecError(f"the {name} has more than {_WORDS:,} characters", hint="Link to what is longer.")
    return words


def _end(given: str, now: datetime, demand: Control) -> datetime:
    """The end of the last day on which the word holds; the control says for how long it may at first."""
    try:
        last = date.fromisoformat(given) if given else now.date() + timedelta(days=demand.days)
    except ValueError as error:
        raise SpecError(f"`{given[:40]}` is no day", hint="Write it as 2026-03-31.") from error
    if not now.date() <= last <= now.date() + _LONGEST:
        raise SpecError(f"an attestation cannot end on `{last}`", hint="Attest for at most two years from today.")
    return datetime.combine(last + timedelta(days=1), time(), now.tzinfo)


ROUTES = (
    Route("GET", "/frameworks/{name}", _framework),
    Route("POST", "/frameworks/{name}/attest", _attest, needs="approve", body_bytes=1 << 16),
    Route("POST", "/frameworks/{name}/withdraw", _withdraw, needs="approve", body_bytes=1 << 12),
)
