"""What people decided in the seeded fleet: waivers in every stage of their lives, messages, and a join token."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bartizan.app.reporting import joining
from bartizan.stores import outbox, waivers
from bartizan.stores.queries import overview
from bartizan.stores.scope import EVERYTHING

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bartizan.stores.open import Store


def decide(store: Store, now: datetime, odd: tuple[str, ...]) -> dict[str, str]:
    """Let people ask and decide. Returns the numbers that paths name."""

    def work(connection: Connection) -> dict[str, str]:
        numbers = {view.name: view.id for view in overview.fleet(connection, EVERYTHING)}

        def ask(where: str, reason: str, days: int, by: str = "grace", /, **selectors: str) -> int:
            ends_at = now + timedelta(days=days)
            asked = waivers.Asked(selectors, numbers.get(where), reason, by, ends_at)
            return waivers.ask(connection, asked, now - timedelta(days=3))

        asked = ask("", "the base image is being replaced this quarter", 60, policy="latest-tag")
        ask("odd", f"{odd[0]} {odd[1]}", 20, odd[0], namespace=odd[0], name=odd[2])
        held = ask("production-eu", "needed until the move", 9, policy="privilege-escalation", namespace="shop")
        ended = ask("staging", "a test of the load balancer", 30, policy="host-*")
        refused = ask("production-us", "it is always so", 300, kind="Deployment")
        waivers.decide(connection, held, "approved", "linus", now - timedelta(days=2), "until the move, and no longer")
        waivers.decide(connection, ended, "approved", "linus", now - timedelta(days=2))
        waivers.end(connection, ended, now - timedelta(days=1))
        waivers.decide(connection, refused, "refused", "linus", now, "mend them instead")
        for number, target in enumerate(("chat", "pager", odd[0])):
            outbox.post(connection, f"{target}/{number}", target, {}, now - timedelta(hours=1))
        joining.invite(connection, "ada", now, "edge-2")
        return {"waiver_asked": str(asked), "waiver_held": str(held)}

    def fail(connection: Connection) -> None:
        first, second, _ = outbox.claim(connection, now, timedelta(minutes=1))
        outbox.failed(connection, first.number, f"410 Gone {odd[0]}", None, now)
        outbox.sent(connection, second.number, now)

    places = store.write(work)
    store.write(fail)
    return places
