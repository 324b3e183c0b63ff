"""A small world for tests of watching: objects, folders of them, and what a store says of them."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from bartizan.app.given_world import GivenWorld
from bartizan.app.selection import CheckSelection
from bartizan.app.watch.check import check, sentry_of
from bartizan.app.watch.garrison import utc_now
from bartizan.app.watch.keeper import LocalKeeper
from bartizan.app.watch.member import Timing
from bartizan.app.watch.rules import RuleSettings, load_rules
from bartizan.app.watch.sources import Unlisted
from bartizan.base.errors import SourceError
from bartizan.model.fleet import Cluster
from bartizan.model.report import Problem
from bartizan.model.resource import resource_from
from bartizan.stores.clusters import join
from bartizan.stores.ingest import Ingest
from bartizan.stores.schema import cluster, finding, resource, rule, tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from bartizan.app.watch.check import Checked
    from bartizan.app.watch.sources import Item
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.model.resource import Resource
    from bartizan.stores.open import Store

KEY = b"the key of the tests"
FAST = Timing(interval_s=3600, coalesce_s=0.1, poll_s=0.2, probe_s=0.5)


class Shelf:
    """A source in memory. `unlisted` are kinds that it cannot list, and one that is `away` answers nothing."""

    kind = "folder"

    def __init__(self, *bodies: dict[str, Any], name: str = "one") -> None:
        self.name = name
        self.identity = f"shelf:{name}"
        self.bodies = list(bodies)
        self.unlisted: set[str] = set()
        self.away = False

    def list(self) -> Iterator[Item]:
        """What is there."""
        for body in self.bodies:
            one = resource_from(body)
            if one.id.kind not in self.unlisted:
                yield one
        for kind in sorted(self.unlisted):
            yield Problem("world", f"`{kind}` is unknown: forbidden")
            yield Unlisted(kind)
        if self.away:
            raise SourceError("the shelf is away")

    def version(self) -> str:
        """None."""
        return ""

    def lookup(self, held: Callable[[], Iterable[Resource]]) -> Lookup:
        """What is there answers."""
        return GivenWorld(held)

    def mark(self) -> str:
        """How much there is."""
        if self.away:
            raise SourceError("the shelf is away")
        return str(len(self.bodies))

    def poll_s(self, often_s: float) -> float:
        """As often as that."""
        return often_s

    def close(self) -> None:
        """Nothing is open."""


class Post:
    """A source, checked into a store by a sentry."""

    def __init__(self, store: Store, source: Any, settings: RuleSettings, keeper: Any = None) -> None:
        self.store = store
        self.source = source
        self.ingest = Ingest(store, KEY)
        self.keeper = keeper or LocalKeeper(self.ingest, store)
        enlist(store, source.name)
        self.sentry = sentry_of(source, load_rules(settings), self.keeper, utc_now)

    def check(self) -> Checked:
        """A whole check."""
        return check(self.source, self.sentry)

    def open(self) -> set[tuple[str, str]]:
        """Open findings."""
        return findings(self.store, name=self.source.name)


def checks(*names: str) -> RuleSettings:
    """Checks of the catalogue, and nothing else."""
    return RuleSettings(checks=CheckSelection(names))


def enlist(store: Store, name: str, interval_s: int = 3600) -> None:
    """Let a member join."""
    join(store, Cluster(name, "folder", {}, datetime.now(UTC)), interval_s)


def pod(name: str = "web", namespace: str = "shop", *, privileged: bool = True, **metadata: Any) -> dict[str, Any]:
    """A pod that is privileged, or not."""
    container = {"name": "app", "image": "registry.example/app:1", "securityContext": {"privileged": privileged}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": {"containers": [container]},
    }


def deployment(name: str = "web", namespace: str = "shop", *, privileged: bool = True, **spec: Any) -> dict[str, Any]:
    """A Deployment of such pods."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod(privileged=privileged)["spec"]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template, **spec},
    }


def owned(body: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    """An object that another minds."""
    owner = {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": f"uid-{name}", "controller": True}
    return {**body, "metadata": {**body["metadata"], "ownerReferences": [owner]}}


def write(folder: Path, name: str, *bodies: dict[str, Any]) -> Path:
    """Write a file of objects."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text("\n---\n".join(json.dumps(body, indent=1) for body in bodies))
    return file


def listed(*bodies: dict[str, Any]) -> str:
    """Objects as one List, as kubectl takes them."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(bodies)})


def findings(store: Store, *, name: str = "one", state: str = "open") -> set[tuple[str, str]]:
    """Findings in a state: the rule and the object's name."""
    wanted = (
        select(rule.c.name, resource.c.name)
        .select_from(finding)
        .join(rule, rule.c.id == finding.c.rule)
        .join(resource, resource.c.id == finding.c.resource)
        .join(cluster, cluster.c.id == finding.c.cluster)
        .where(cluster.c.name == name, finding.c.state == state)
    )
    with store.reading() as connection:
        return {(row[0], row[1]) for row in connection.execute(wanted)}


def counted(store: Store, column: str) -> int:
    """The sum of one count over all tallies."""
    with store.reading() as connection:
        return int(connection.execute(select(func.coalesce(func.sum(tally.c[column]), 0))).scalar_one())


def verdicts(store: Store, kind: str, name: str) -> dict[str, int]:
    """What each rule says of an object, by the rule's id; of one that is gone nothing."""
    from bartizan.stores.known import Known

    wanted = select(resource).where(resource.c.kind == kind, resource.c.name == name)
    with store.reading() as connection:
        row = connection.execute(wanted).one()
        if row.rule_set is None:
            return {}
        rules = Known(store).rule_set_of(connection, row.rule_set).rules.rules
        return {facts.id: verdict for facts, verdict in zip(rules, row.verdicts, strict=True) if verdict}


def until(holds: Callable[[], Any], within_s: float = 30.0) -> float:
    """Wait until something holds. Returns how long that took."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > within_s:
            raise AssertionError(f"not within {within_s} seconds")
        time.sleep(0.02)
    return time.monotonic() - began


def names(found: Iterable[tuple[str, str]]) -> set[str]:
    """The objects among findings."""
    return {name for _, name in found}
