"""The part of the fleet that a page is asked about: a cluster, a namespace, a team, or all that the viewer may see."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlencode

from bartizan.base.errors import SpecError
from bartizan.plane.site import missing
from bartizan.stores.queries import standings
from bartizan.stores.scope import narrowed

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bartizan.plane.site import Asked
    from bartizan.stores.scope import Scope

_OFFERED: Final = 200
"""Names that a page offers to choose from; who has more types the name."""
_LONGEST: Final = 253
"""Characters of a name in Kubernetes; ours are no longer."""
LONGEST_DAYS: Final = 732
"""Two years: what a page works out at once."""


class Chosen(NamedTuple):
    """What was chosen, the scope that is left of the viewer's, and what else could be chosen."""

    cluster: str
    namespace: str
    team: str
    scope: Scope
    clusters: list[str]
    teams: list[str]

    @property
    def words(self) -> str:
        """What it is, for a title."""
        parts = [f"{kind} {name}" for kind, name in self.given.items()]
        return ", ".join(parts) or "the fleet"

    @property
    def given(self) -> dict[str, str]:
        """What was chosen, as the fields of a URL."""
        fields = {"cluster": self.cluster, "namespace": self.namespace, "team": self.team}
        return {name: value for name, value in fields.items() if value}

    def query(self, **more: object) -> str:
        """The query of a URL to the same part of the fleet."""
        return link(**{**self.given, **more})


def link(**fields: object) -> str:
    """The query of a URL; what is empty is left out."""
    return urlencode({name: value for name, value in fields.items() if value not in ("", None)})


def chosen(asked: Asked, connection: Connection, team: str = "") -> Chosen:
    """Read what was chosen; `team` where the path says it.

    Raises:
        NotThereError: there is no such cluster or team, or nothing of it that the viewer may see.
    """
    scope = asked.viewer.scope()
    fields = {name: asked.query.get(name, "")[:_LONGEST] for name in ("cluster", "namespace", "team")}
    fields["team"] = team[:_LONGEST] or fields["team"]
    clusters, teams = standings.names(connection, scope, _OFFERED + 1)
    for kind, known in (("cluster", clusters), ("team", teams)):
        if fields[kind] and fields[kind] not in known:
            part = narrowed(scope, **{kind: fields[kind]})
            if fields[kind] not in standings.names(connection, part, 1)[kind == "team"]:
                raise missing(f"{kind} `{fields[kind]}`")
    part = narrowed(
        scope, cluster=fields["cluster"], namespace=fields["namespace"] or None, team=fields["team"] or None
    )
    return Chosen(**fields, scope=part, clusters=clusters, teams=teams)


def day_of(asked: Asked, name: str, otherwise: date) -> date:
    """A day that the URL names.

    Raises:
        SpecError: it is no day, one to come, or too long ago.
    """
    given = asked.query.get(name, "")
    if not given:
        return otherwise
    today = asked.site.now().date()
    try:
        day = date.fromisoformat(given[:10])
    except ValueError as error:
        raise SpecError(f"`{given[:40]}` is no day", hint="Write it as 2026-03-31.") from error
    if not today - timedelta(days=LONGEST_DAYS) <= day <= today:
        raise SpecError(f"`{day}` is too far away", hint=f"Name a day of the last {LONGEST_DAYS}.")
    return day
