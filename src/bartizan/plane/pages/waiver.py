"""One waiver: who asked and who decided, what it covers now, and what comes back when it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.responses import RedirectResponse

from bartizan.base.errors import SpecError
from bartizan.plane.pages.waivers import SELECTORS, number_of, who
from bartizan.plane.recording import recorded
from bartizan.plane.render import page
from bartizan.plane.site import Asked, ForbiddenError, Route, missing
from bartizan.stores import waivers
from bartizan.stores.queries.waivers import SOON, coming_back, coverage, selected_by
from bartizan.stores.scope import admits_all

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection
    from starlette.responses import Response

    from bartizan.plane.viewer import Permission

_LONGEST: Final = 2000


def stage(row: Any, now: datetime) -> str:
    """Where a waiver is in its life."""
    if row.state == "approved":
        return "ended" if row.ends_at <= now else "ending" if row.ends_at <= now + SOON else "in force"
    return "lapsed" if row.state == "asked" and row.ends_at <= now else row.state


def _one(asked: Asked) -> Response:
    now, scope = asked.site.now(), asked.viewer.scope()
    with asked.site.store.reading() as connection:
        row = _row(connection, asked)
        person = who(connection, asked)
        covered = coverage(connection, scope, selected_by(row))
        back = coming_back(connection, scope, row)
    open_ = stage(row, now) == "asked"
    return page(
        asked,
        "waiver.html",
        waiver=row,
        name=waivers.name_of(row.id),
        stage=stage(row, now),
        selectors=[(field, getattr(row, field)) for field in SELECTORS if getattr(row, field)],
        covered=covered,
        back=back,
        decides=open_ and row.asked_by != person and _may(asked, "approve", row),
        own=open_ and row.asked_by == person,
        ends=stage(row, now) in ("asked", "in force", "ending") and _ends(asked, row, person),
        asks=asked.viewer.may("ask"),
    )


def _decide(asked: Asked) -> Response:
    form, now = asked.form(), asked.site.now()
    decision, comment = form.get("decision", ""), form.get("comment", "").strip()
    if len(comment) > _LONGEST:
        raise SpecError(f"the comment has more than {_LONGEST} characters", hint="Say it in fewer words.")

    def work(connection: Connection) -> int:
        row = _row(connection, asked)
        if not _may(asked, "approve", row):
            hint = "Ask who may approve in all of its cluster, namespace and team."
            raise ForbiddenError("this waiver is for more than you may decide on", hint=hint)
        person = who(connection, asked)
        waivers.decide(connection, row.id, decision, person, now, comment)
        recorded(asked, connection, f"waiver.{decision}", f"waiver {row.id}", {"comment": comment})
        return int(row.id)

    return RedirectResponse(f"/waivers/{asked.site.store.write(work)}", 303)


def _end(asked: Asked) -> Response:
    now = asked.site.now()

    def work(connection: Connection) -> int:
        row, person = _row(connection, asked), who(connection, asked)
        if not _ends(asked, row, person):
            hint = "Who asked for it may, and who may approve there."
            raise ForbiddenError("you may not end this waiver", hint=hint)
        if stage(row, now) not in ("asked", "in force", "ending"):
            raise SpecError("this waiver has ended already")
        waivers.end(connection, row.id, now)
        details = {"was": row.state, "until": row.ends_at.isoformat()}
        recorded(asked, connection, "waiver.ended", f"waiver {row.id}", details)
        return int(row.id)

    return RedirectResponse(f"/waivers/{asked.site.store.write(work)}", 303)


def _row(connection: Connection, asked: Asked) -> Any:
    named = waivers.number_of(asked.path["number"])  # as findings name it
    number = number_of(asked.path["number"]) if named is None else named
    row = waivers.one(connection, asked.viewer.scope(), number)
    if row is None:
        raise missing("waiver")
    return row


def _may(asked: Asked, permission: Permission, row: Any) -> bool:
    """Whether a permission is had for all that a waiver is for; for a whole cluster, in all of it."""
    return admits_all(asked.viewer.scope(permission), row.cluster_name or "", row.namespace, row.team)


def _ends(asked: Asked, row: Any, person: str) -> bool:
    """Whether somebody may end a waiver: it is theirs, or they could have refused it."""
    return (row.asked_by == person and asked.viewer.may("ask")) or _may(asked, "approve", row)


ROUTES = (
    Route("GET", "/waivers/{number}", _one),
    Route("POST", "/waivers/{number}/decide", _decide, "approve"),
    Route("POST", "/waivers/{number}/end", _end, "ask"),
)
