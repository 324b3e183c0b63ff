"""The log of what people change, written in the transaction that changes it.

Every handler that changes something calls `recorded` inside its `work`, so
that neither the change nor its record is ever there alone:

    def work(connection: Connection) -> int:
        number = waivers.ask(connection, asked_for, now)
        recorded(asked, connection, "waiver.asked", f"waiver {number}", {"rule": asked_for.selectors["rule"]})
        return number

    number = asked.site.store.write(work)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.stores.audit import Act, record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from sqlalchemy import Connection

    from bartizan.plane.site import Asked, Site


def recorded(
    asked: Asked, connection: Connection, action: str, subject: str, details: Mapping[str, Any] | None = None
) -> int:
    """Write down that the viewer of a request did something. Returns the number of the record.

    `action` is a noun and what was done to it (`waiver.approved`), `subject`
    what it was done to, in words that tell it apart for good. `details` say
    what changed, from and to where that helps; never a secret, and nothing
    longer than a reader would read. What was done by a token says so.
    """
    more = {} if asked.viewer.token is None else {"by_token": asked.viewer.token}
    return noted(asked.site, connection, asked.viewer.name, action, subject, {**(details or {}), **more})


def noted(
    site: Site, connection: Connection, actor: str, action: str, subject: str, details: Mapping[str, Any] | None = None
) -> int:
    """Write down what somebody did before, or without, being signed in: a sign-in, or the plane by itself."""
    return record(connection, Act(site.now(), actor, action, subject, details or {}))
