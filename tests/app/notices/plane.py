"""A plane as far as notices go: a world that reports, and a clock that a test moves."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.stores.fleet import START, World, observed, pod, rules

from bartizan.app.notices import deliver, look, read_notifications
from bartizan.model.fleet import Generation
from bartizan.stores import generations
from bartizan.stores.queries.messages import STATES, messages
from bartizan.stores.queries.pages import Page

if TYPE_CHECKING:
    from datetime import datetime

    from bartizan.app.notices import Delivered, Notifications, Ways
    from bartizan.model.ledger import RuleSet
    from bartizan.stores.open import Store
    from bartizan.stores.queries.messages import MessageView
    from bartizan.stores.reports import Observed

RULES = rules("privileged:critical", "roots:high", "labels:low")


class Plane:
    """Clusters that report, somebody who looks, and somebody who sends."""

    def __init__(self, store: Store, ways: Ways) -> None:
        self.store = store
        self.ways = ways
        self.world = World(store)
        self.now = START
        self.settings: Notifications = read_notifications(None)

    def set(self, targets: list[dict[str, Any]], *told: dict[str, Any], **more: Any) -> Plane:
        """Say who is told what."""
        self.settings = read_notifications({"targets": targets, "rules": list(told), **more})
        return self

    def clock(self) -> datetime:
        """The time here."""
        return self.now

    def later(self, **time: float) -> Plane:
        """Let time go on."""
        self.now += timedelta(**time)
        return self

    def joined(self, *names: str) -> Plane:
        """Let clusters join that are fine, and be looked at."""
        self.world.join(*names)
        for name in names:
            self.check(name)
        self.look()
        return self

    def report(self, *objects: Observed, cluster: str = "one", asked: RuleSet = RULES, **more: Any) -> Any:
        """Let a cluster say something, now."""
        return self.world.keep(asked, *objects, cluster=cluster, hours=self._hours(), **more)

    def check(self, cluster: str, *objects: Observed, batch: int = 500, complete: bool = True) -> None:
        """Let a cluster be seen whole."""
        number = generations.begin(self.store, cluster, self.now, "policies", "1")
        for start in range(0, max(len(objects), 1), batch):
            self.report(*objects[start : start + batch], cluster=cluster, generation=number, stream="check")
        done = Generation(cluster, number, self.now, self.now, complete, "policies", "1", len(objects))
        generations.end(self.world.ingest, self.store, done)

    def look(self, **more: Any) -> int:
        """See what is new."""
        return look(self.store, self.settings, self.now, **more)

    def deliver(self, chance: float = 0.5) -> Delivered:
        """Send what is due."""
        return deliver(self.store, self.settings, self.clock, self.ways, lambda: chance)

    def told(self, **time: float) -> Delivered:
        """See what is new, let its window end, and send it."""
        self.look()
        self.later(**(time or {"seconds": 31}))
        return self.deliver()

    def messages(self, *states: Any) -> list[MessageView]:
        """What is in the outbox, the oldest first."""
        with self.store.reading() as connection:
            return messages(connection, Page(500), states or STATES).rows[::-1]

    def _hours(self) -> float:
        return (self.now - START) / timedelta(hours=1)


def web_pod(verdicts: str = "fpp", name: str = "web", namespace: str = "shop", team: str = "", **more: Any) -> Observed:
    """A pod with a verdict of each of the rules."""
    return observed(pod(name, namespace), RULES, verdicts, team, **more)
