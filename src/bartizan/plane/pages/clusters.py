"""Members of the fleet, for who operates it: who reports with which token, who may join, and who is to go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from starlette.responses import RedirectResponse

from bartizan.app.reporting import joining
from bartizan.base.errors import SpecError
from bartizan.plane.pages.fleet import row_of
from bartizan.plane.recording import recorded
from bartizan.plane.render import page
from bartizan.plane.site import Asked, ForbiddenError, Route, missing
from bartizan.stores import clusters
from bartizan.stores.queries import overview
from bartizan.stores.queries.members import AgentToken, agent_tokens
from bartizan.stores.scope import admits_all

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.responses import Response

    from bartizan.plane.pages.fleet import ClusterRow
    from bartizan.stores.queries.overview import ClusterView

_MOST_DAYS: Final = 90


@dataclass(frozen=True, slots=True)
class Member:
    """A member with the tokens of its agent; `mine` says that the viewer may change it."""

    row: ClusterRow
    tokens: list[AgentToken]
    mine: bool


def _list(asked: Asked) -> Response:
    return _page(asked)


def _page(asked: Asked, made: str = "") -> Response:
    """The list; `made` is a join token, which is told this once."""
    now, scope, everywhere = asked.site.now(), asked.viewer.scope("operate"), asked.viewer.may_everywhere("operate")
    with asked.site.store.reading() as connection:
        views = overview.fleet(connection, scope)
        tokens = agent_tokens(connection, [view.id for view in views])
        invitations = joining.invitations(connection, now) if everywhere else []
    members = [Member(row_of(view, now), tokens.get(view.id, []), _whole(asked, view.name)) for view in views]
    answer = page(
        asked,
        "clusters.html",
        members=[one for one in members if one.row.view.left_at is None],
        left=[one for one in members if one.row.view.left_at is not None],
        invitations=invitations,
        everywhere=everywhere,
        made=made,
        origin=asked.site.settings.public_url.rstrip("/") or str(asked.request.base_url).rstrip("/"),
    )
    if made:
        answer.headers["Cache-Control"] = "no-store"
    return answer


def _confirm(asked: Asked) -> Response:
    """What it means that a member goes, before it does."""
    with asked.site.store.reading() as connection:
        view = _member(connection, asked)
    return page(asked, "cluster_going.html", view=view)


def _leave(asked: Asked) -> Response:
    now = asked.site.now()

    def work(connection: Connection) -> None:
        name = _member(connection, asked).name
        clusters.leaving(connection, name, now)
        recorded(asked, connection, "cluster.left", f"cluster {name}")

    asked.site.store.write(work)
    return _back()


def _forget(asked: Asked) -> Response:
    def work(connection: Connection) -> None:
        view = _member(connection, asked)
        if asked.form().get("sure", "") != view.name:
            raise SpecError("the name does not confirm it", hint=f"Write `{view.name}` to forget it for good.")
        clusters.forgetting(connection, view.name)
        recorded(asked, connection, "cluster.forgotten", f"cluster {view.name}", {"objects": view.objects})

    asked.site.store.write(work)
    return _back()


def _revoke(asked: Asked) -> Response:
    now = asked.site.now()
    asked.site.store.write(
        lambda connection: joining.revoke(connection, asked.viewer.name, _member(connection, asked).name, now)
    )
    return _back()


def _invite(asked: Asked) -> Response:
    _everywhere(asked)
    form, now = asked.form(), asked.site.now()
    days = form.get("days", "1")
    if not days.isascii() or not days.isdecimal() or len(days) > 2 or not 1 <= int(days) <= _MOST_DAYS:
        raise SpecError(f"a join token lasts from 1 to {_MOST_DAYS} days", hint="Give a number of days.")
    name, lasts = form.get("name", "").strip(), timedelta(days=int(days))
    made = asked.site.store.write(lambda connection: joining.invite(connection, asked.viewer.name, now, name, lasts)[0])
    return _page(asked, made)


def _withdraw(asked: Asked) -> Response:
    _everywhere(asked)
    number, now = asked.path["number"], asked.site.now()
    if not asked.site.store.write(lambda connection: joining.withdraw(connection, asked.viewer.name, number, now)):
        raise missing("such join token")
    return _back()


def _member(connection: Connection, asked: Asked) -> ClusterView:
    """The member of the URL, of which the viewer operates all.

    Raises:
        NotThereError: there is none that the viewer sees.
        ForbiddenError: only a part of it is theirs.
    """
    found = overview.fleet(connection, asked.viewer.scope("operate"), asked.path["name"])
    if not found:
        raise missing(f"cluster `{asked.path['name']}`")
    if not _whole(asked, found[0].name):
        raise ForbiddenError("only a part of this cluster is yours", hint="Ask who operates all of it.")
    return found[0]


def _whole(asked: Asked, name: str) -> bool:
    return admits_all(asked.viewer.scope("operate"), name, "", "")


def _everywhere(asked: Asked) -> None:
    """Who lets any cluster join decides for the fleet.

    Raises:
        ForbiddenError: the viewer operates a part of it.
    """
    if not asked.viewer.may_everywhere("operate"):
        raise ForbiddenError("only who operates the whole fleet lets clusters join", hint="Ask one of them.")


def _back() -> RedirectResponse:
    return RedirectResponse("/clusters", 303)


ROUTES = (
    Route("GET", "/clusters", _list, "operate"),
    Route("POST", "/join-tokens", _invite, "operate", body_bytes=4096),
    Route("POST", "/join-tokens/{number:int}/withdraw", _withdraw, "operate", body_bytes=4096),
    Route("GET", "/clusters/{name:path}/going", _confirm, "operate"),
    Route("POST", "/clusters/{name:path}/leave", _leave, "operate", body_bytes=4096),
    Route("POST", "/clusters/{name:path}/forget", _forget, "operate", body_bytes=4096),
    Route("POST", "/clusters/{name:path}/tokens/revoke", _revoke, "operate", body_bytes=4096),
)
