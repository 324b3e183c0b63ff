"""An agent without a cluster: what a sentry would tell is told by the test, and goes the agent's whole way."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from bartizan.agent.files import own_key
from bartizan.agent.keeper import SpoolKeeper
from bartizan.agent.link import Link
from bartizan.agent.sender import Health, Line, Sender, pauses
from bartizan.agent.spool import Spool
from bartizan.agent.tokens import TokenFile
from bartizan.model.fleet import Generation
from bartizan.model.resource import ResourceId
from bartizan.stores.reports import Batch

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from tests.agent.serving import Clock

    from bartizan.model.ledger import RuleSet
    from bartizan.stores.reports import Observed

LEASE_S = 60


def name_of(name: str, namespace: str = "shop") -> ResourceId:
    """The name of a pod."""
    return ResourceId("", "v1", "Pod", namespace, name)


class Agent:
    """An agent in a folder. Opening another one in the same folder is what a restart does."""

    def __init__(self, url: str, folder: Path, clock: Clock, name: str = "one", **more: Any) -> None:
        self.clock = clock
        self.name = name
        self.tokens = TokenFile(folder / "token")
        self.link = Link(url, self.tokens.get, more.pop("ca_file", None), plain=True)
        self.spool = Spool(folder / "spool", **more)
        self.keeper = SpoolKeeper(self.spool, folder / "rules", own_key(folder / "key"))
        self.health = Health()
        line = Line(self.link, self.tokens, name, f"cluster:{name}", LEASE_S, clock)
        self.sender = Sender(line, self.spool, self.keeper, self.health, pauses(0.02, 0.2))
        self._threads: list[threading.Thread] = []

    def join(self, secret: str) -> None:
        """Join the fleet."""
        self.tokens.join(self.link, secret, self.name, f"cluster:{self.name}")

    def start(self) -> None:
        """Send, from now on."""
        self._threads = [threading.Thread(target=self.sender.run, daemon=True)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End as on SIGTERM."""
        self.sender.stop()
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive()
        self.spool.close()
        self.link.close()

    def tell(
        self, rules: RuleSet, *observed: Observed, gone: tuple[ResourceId, ...] = (), at: datetime | None = None
    ) -> None:
        """Tell what a watch saw."""
        sequence = self.keeper.sequence(self.name, "watch") + 1
        receipt = self.keeper.keep(Batch(self.name, "watch", sequence, at or self.clock(), rules, observed, gone))
        assert receipt.status == "kept"

    def check(self, rules: RuleSet, *observed: Observed, seen: tuple[ResourceId, ...] = (), **more: Any) -> None:
        """Tell of a whole check."""
        at = self.clock()
        number = self.keeper.begin(self.name, at, rules.digest, "test")
        sequence = self.keeper.sequence(self.name, "checks") + 1
        self.keeper.keep(Batch(self.name, "checks", sequence, at, rules, observed, (), seen, number))
        whole = {"complete": True, "objects": len(observed) + len(seen), **more}
        done = Generation(self.name, number, at, at, policy_digest=rules.digest, evaluator="test", **whole)
        self.keeper.end(done)

    @property
    def is_done(self) -> bool:
        """Whether all that was told is with the plane."""
        return not self.spool.waiting
