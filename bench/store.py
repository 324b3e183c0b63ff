"""How fast a store keeps reports and answers: a fleet of clusters reports in, changes, and its overview is read.

    python bench/store.py sqlite:////tmp/fleet.db --clusters 1000 --objects 1000
    python bench/store.py postgresql://… --clusters 100 --objects 1000

Every object is a Pod of about 1.5 kB under 70 rules, three of which fail. In
the second round each object has another body, and one of ten another verdict.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, NamedTuple

from bartizan.model.finding import Finding, RuleId, RuleInfo
from bartizan.model.fleet import Cluster
from bartizan.model.ledger import RuleFacts, RuleSet, Verdict
from bartizan.model.resource import resource_from
from bartizan.model.severity import Severity
from bartizan.stores.clusters import join
from bartizan.stores.ingest import Ingest
from bartizan.stores.open import open_store
from bartizan.stores.queries import findings, overview, trends
from bartizan.stores.queries.pages import Page
from bartizan.stores.queries.search import search
from bartizan.stores.reports import Batch, Observed
from bartizan.stores.scope import EVERYTHING, Grant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bartizan.stores.open import Store

_RULES = 70
_BATCH = 500
_ROUNDS = 40
_START = datetime(2026, 3, 1, tzinfo=UTC)
_INFOS = [RuleInfo(RuleId(f"rule-{n}"), severity=Severity(n % 5)) for n in range(_RULES)]
_SET = RuleSet("bench", tuple(RuleFacts(f"rule-{n}", Severity(n % 5), ("pss:baseline",), "1") for n in range(_RULES)))


def _pod(cluster: int, number: int, change: int) -> dict[str, Any]:
    container = {
        "name": "app",
        "image": f"registry.example.com/shop/app-{number % 50}:1.{change}",
        "env": [{"name": "PORT", "value": "8080"}, {"name": "LOG_LEVEL", "value": "info"}],
        "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "100m", "memory": "256Mi"}},
        "securityContext": {"runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "kube-api-access", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}],
    }
    metadata = {
        "name": f"app-{number}",
        "namespace": f"team-{number % 10}",
        "uid": f"{cluster:08x}-0000-4000-8000-{number:012x}",
        "resourceVersion": str(1000 + change),
        "labels": {"app.kubernetes.io/name": f"app-{number % 50}", "team": f"t{number % 10}"},
    }
    spec = {"containers": [container, {**container, "name": "proxy"}], "serviceAccountName": "app"}
    status = {"phase": "Running", "podIP": f"10.0.{number % 256}.{change % 256}"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def _observed(cluster: int, number: int, change: int, *, moved: bool) -> Observed:
    resource = resource_from(_pod(cluster, number, change))
    verdicts = bytearray([Verdict.PASS] * _RULES)
    failing = [(number + step * 7 + (change if moved else 0)) % _RULES for step in range(3)]
    found = []
    for rule in failing:
        verdicts[rule] = Verdict.FAIL
        message = f"container `app` of app-{number} does what rule {rule} does not want"
        info = _INFOS[rule]
        found.append(Finding(info, resource.id, "fail", info.severity, message, "/spec/containers/0/securityContext"))
    return Observed(resource, bytes(verdicts), tuple(found), f"t{number % 10}")


def _batches(clusters: range, objects: int, change: int) -> Iterator[Batch]:
    chance = random.Random(change)  # noqa: S311  the same fleet each time
    at = _START + timedelta(days=change)
    for cluster in clusters:
        for part, first in enumerate(range(0, objects, _BATCH)):
            numbers = range(first, min(first + _BATCH, objects))
            said = tuple(
                _observed(cluster, number, change, moved=bool(change) and chance.random() < 0.1) for number in numbers
            )
            sequence = change * -(-objects // _BATCH) + part + 1
            yield Batch(f"cluster-{cluster:04}", "watch", sequence, at, _SET, said)


def _report(url: str, clusters: range, objects: int, change: int) -> tuple[int, float, float]:
    """Report for some clusters. Returns the objects, our CPU time, and the slowest batch, in seconds."""
    store = open_store(url)
    ingest = Ingest(store, b"bench")
    cpu, worst, count = 0.0, 0.0, 0
    for batch in _batches(clusters, objects, change):
        start, used = time.perf_counter(), time.process_time()
        receipt = ingest.keep(batch)
        cpu += time.process_time() - used
        worst = max(worst, time.perf_counter() - start)
        if receipt.status != "kept":
            raise RuntimeError(f"a new batch was told to be {receipt.status}: use an empty database")
        count += len(batch.observed)
    store.close()
    return count, cpu, worst


class Round(NamedTuple):
    """What a round of reports came to. `cpu_us` is our CPU time an object, `worst_ms` the slowest batch."""

    objects: int
    per_second: float
    cpu_us: float
    worst_ms: float


def report_all(url: str, clusters: int, objects: int, change: int, processes: int) -> Round:
    """All clusters report, shared out over processes as over the replicas of a plane; making reports is in the time."""
    shares = [range(clusters)[number::processes] for number in range(processes)]
    start = time.perf_counter()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        done = list(pool.map(_report, *zip(*((url, share, objects, change) for share in shares), strict=True)))
    took = time.perf_counter() - start
    count, cpu = sum(one[0] for one in done), sum(one[1] for one in done)
    return Round(count, count / took, 1e6 * cpu / count, max(one[2] for one in done) * 1000)


def _round(url: str, clusters: int, objects: int, change: int, processes: int) -> None:
    done = report_all(url, clusters, objects, change, processes)
    what = "first seen" if not change else "changed"
    print(
        f"{what:12} {done.objects:9,} objects {done.per_second:9,.0f}/s  {done.cpu_us:6.0f} us of ours an object"
        f"  slowest batch {done.worst_ms:5.0f} ms, {processes} processes",
        flush=True,
    )


def join_all(store: Store, clusters: int) -> None:
    """Let the fleet join."""
    for cluster in range(clusters):
        join(store, Cluster(f"cluster-{cluster:04}", "agent", {"env": "prod"}, _START), 300)


def _time(what: str, ask: Callable[[], Any]) -> None:
    taken = []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - start) * 1000)
    taken.sort()
    print(f"{what:42} p50 {statistics.median(taken):7.1f} ms  p95 {taken[int(_ROUNDS * 0.95) - 1]:7.1f} ms", flush=True)


def _questions(store: Store) -> None:
    day, one = date(2026, 3, 3), "cluster-0001"
    team = (Grant(teams=("t3",)),)
    asked: dict[str, Callable[[Any], Any]] = {
        "overview, all": lambda c: overview.fleet(c, EVERYTHING),
        "one cluster": lambda c: overview.fleet(c, EVERYTHING, one),
        "namespaces of one": lambda c: overview.namespaces(c, EVERYTHING, one),
        "tallies of one": lambda c: overview.tallies(c, EVERYTHING, one),
        "worst findings, all": lambda c: findings.findings(c, EVERYTHING, findings.Wanted(), Page()),
        "worst findings, one": lambda c: findings.findings(c, EVERYTHING, findings.Wanted(cluster=one), Page()),
        "worst findings, one team's": lambda c: findings.findings(c, team, findings.Wanted(), Page()),
        "trend of 90 days, all": lambda c: trends.trend(c, EVERYTHING, day - timedelta(90), day),
        "trend of 90 days, one": lambda c: trends.trend(c, EVERYTHING, day - timedelta(90), day, one),
        "search, one name": lambda c: search(c, EVERYTHING, "app-77"),
        "search, a message": lambda c: search(c, EVERYTHING, "app-123 rule 17"),
    }
    for what, ask in asked.items():

        def whole(ask: Callable[[Any], Any] = ask) -> None:
            with store.reading() as connection:
                ask(connection)

        _time(what, whole)


def main() -> None:
    """Seed, change, ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--clusters", type=int, default=100)
    parser.add_argument("--objects", type=int, default=1000)
    parser.add_argument(
        "--changed", type=int, default=20, help="clusters whose every object changes in the second round"
    )
    parser.add_argument("--processes", type=int, default=2, help="that keep reports at a time")
    arguments = parser.parse_args()
    store = open_store(arguments.url)
    join_all(store, arguments.clusters)
    _round(arguments.url, arguments.clusters, arguments.objects, 0, arguments.processes)
    for change in (1, 2):
        _round(arguments.url, arguments.changed, arguments.objects, change, arguments.processes)
    _questions(store)
    store.close()


if __name__ == "__main__":
    main()
