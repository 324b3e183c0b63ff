"""A small world for tests of the store: clusters, rules, objects and what is said of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bartizan.model.finding import Finding, RuleId, RuleInfo
from bartizan.model.fleet import Cluster
from bartizan.model.ledger import RuleFacts, RuleSet, Verdict
from bartizan.model.resource import resource_from
from bartizan.model.severity import Severity
from bartizan.stores.clusters import join
from bartizan.stores.ingest import Ingest
from bartizan.stores.reports import Batch, Observed

if TYPE_CHECKING:
    from bartizan.stores.open import Store

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
KEY = b"the key of the tests"
_RESULTS = {Verdict.FAIL: "fail", Verdict.WARN: "warn", Verdict.ERROR: "error", Verdict.WAIVED: "fail"}


def at(hours: float) -> datetime:
    """A time, in hours after the world began."""
    return START + timedelta(hours=hours)


def rules(*names: str, digest: str = "1", severity: Severity = Severity.HIGH) -> RuleSet:
    """A set of rules; a name may say its severity, as in `roots:low`."""
    facts = []
    for name in names:
        plain, _, word = name.partition(":")
        facts.append(RuleFacts(plain, Severity.parse(word, severity), ("pss:baseline",), digest))
    return RuleSet(digest + ",".join(names), tuple(facts))


def pod(name: str, namespace: str = "shop", **more: Any) -> dict[str, Any]:
    """A pod."""
    metadata = {"name": name, "namespace": namespace, "uid": f"uid-{namespace}-{name}", **more.pop("metadata", {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [{"name": "app"}]}, **more}


def observed(body: dict[str, Any], asked: RuleSet, verdicts: str, team: str = "", message: str = "is bad") -> Observed:
    """An object with a verdict a rule, as letters: `p`ass, `f`ail, `w`arn, `e`rror, `s`kip, wai`v`ed, `-` not asked."""
    letters = {"-": 0, "p": 1, "f": 2, "w": 3, "e": 4, "s": 5, "v": 6}
    numbers = bytes(letters[letter] for letter in verdicts)
    resource = resource_from(body)
    findings = tuple(
        Finding(
            RuleInfo(RuleId(facts.id)),
            resource.id,
            _RESULTS[Verdict(number)],  # type: ignore[arg-type]  # one of the five words
            facts.severity,
            f"{facts.id} {message}",
            "/spec/containers/0/image",
            waived_by="w1" if number == Verdict.WAIVED else "",
        )
        for facts, number in zip(asked.rules, numbers, strict=True)
        if number in _RESULTS
    )
    return Observed(resource, numbers, findings, team)


class World:
    """A store with clusters that report; each batch is the next of its stream."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.ingest = Ingest(store, KEY)
        self.sequences: dict[tuple[str, str], int] = {}

    def join(self, *names: str) -> World:
        """Let clusters join."""
        for name in names:
            join(self.store, Cluster(name, "agent", {}, START), 300)
        return self

    def batch(self, asked: RuleSet, *objects: Observed, cluster: str = "one", hours: float = 0, **more: Any) -> Batch:
        """The next batch of a cluster's watch."""
        key = (cluster, more.get("stream", "watch"))
        self.sequences[key] = self.sequences.get(key, 0) + 1
        return Batch(
            cluster,
            key[1],
            self.sequences[key],
            at(hours),
            asked,
            objects,
            **{k: v for k, v in more.items() if k != "stream"},
        )

    def keep(self, asked: RuleSet, *objects: Observed, **more: Any) -> Any:
        """Keep the next batch. Returns what it changed."""
        receipt = self.ingest.keep(self.batch(asked, *objects, **more))
        assert receipt.status == "kept"
        return receipt.changes
