"""Teams: how far each is from compliant, and for one of them where, by which framework, and what is worst."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.model.severity import Severity
from bartizan.plane import compliance, part
from bartizan.plane.render import page
from bartizan.plane.site import Asked, Route, missing
from bartizan.stores.queries import findings, standings
from bartizan.stores.queries.pages import Page

if TYPE_CHECKING:
    from starlette.responses import Response

_TEAMS: Final = 200
_NAMESPACES: Final = 100
_WORST: Final = 20


def _teams(asked: Asked) -> Response:
    with asked.site.store.reading() as connection:
        chosen = part.chosen(asked, connection)
        rows = standings.teams(connection, chosen.scope, _TEAMS)
    return page(asked, "teams.html", rows=rows, chosen=chosen, label=asked.site.settings.team_label, most=_TEAMS)


def _team(asked: Asked) -> Response:
    team = asked.path["team"]
    with asked.site.store.reading() as connection:
        chosen = part.chosen(asked, connection, team=team)
        known = compliance.read(connection, chosen, asked.site.now())
        spaces = standings.namespaces(connection, chosen.scope, _NAMESPACES)
        worst = findings.findings(connection, chosen.scope, findings.Wanted(severity=Severity.INFO), Page(_WORST))
    if not chosen.team:
        raise missing("team")
    rows = [compliance.row_of(known, one) for one in compliance.known(known.rules.facts.values()).values()]
    return page(
        asked,
        "team.html",
        chosen=chosen,
        score=known.score(),
        rows=rows,
        spaces=spaces,
        most=_NAMESPACES,
        worst=worst.rows,
    )


ROUTES = (Route("GET", "/teams", _teams), Route("GET", "/teams/{team:path}", _team))
