"""What Prometheus may read: the fleet's numbers as the reader may see them, and how this process fares.

Labels are bounded: clusters, severities, states and routes, never the name
of an object. What is of the fleet is read from kept counts when it is asked
for; what is of the process is counted as it happens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from starlette.responses import PlainTextResponse, Response

from bartizan.findings.score import severity_score
from bartizan.model.ledger import Verdict
from bartizan.model.severity import Severity
from bartizan.plane.site import Asked, Route
from bartizan.stores.queries import overview
from bartizan.stores.queries.messages import message_counts
from bartizan.stores.upkeep import size

if TYPE_CHECKING:
    from datetime import datetime

    from bartizan.stores.queries.overview import ClusterView

_KIND: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10)
"""The budgets of pages, 0.1 and 0.2 s, are among the steps."""
_STATES: Final = ("current", "late", "unknown")


class Measures:
    """The counters of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.requests = Histogram(
            "bartizan_request_seconds",
            "Time to answer a request, by the pattern of its path.",
            ("method", "route", "status"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.kept = Counter(
            "bartizan_kept_objects", "Objects whose judgement this process kept.", ("cluster",), registry=self.registry
        )
        self.refused = Counter(
            "bartizan_refused_reports", "Reports that were not kept, by reason.", ("reason",), registry=self.registry
        )

    def text(self) -> bytes:
        """All of them, as Prometheus reads it."""
        return generate_latest(self.registry)


class _Fleet:
    """The gauges of one answer: what the reader may see, at one moment."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def gauge(name: str, meaning: str, *labels: str) -> Gauge:
            return Gauge(f"bartizan_{name}", meaning, labels, registry=self.registry)

        self.state = gauge("cluster_state", "1 for the state a cluster is in.", "cluster", "state")
        self.seen = gauge("cluster_last_seen_timestamp_seconds", "When a cluster was last heard of.", "cluster")
        self.objects = gauge("cluster_objects", "Objects of a cluster.", "cluster")
        self.problems = gauge("cluster_problems", "What could not be read of a cluster.", "cluster")
        self.pass_rate = gauge("pass_rate_ratio", "Severity-weighted share of decided pairs that pass.", "cluster")
        self.coverage = gauge("coverage_ratio", "Share of pairs in scope that were really evaluated.", "cluster")
        self.exceptions = gauge("exception_share_ratio", "Share of answered pairs that are waived.", "cluster")
        self.failing = gauge("failing_pairs", "Pairs of object and rule that fail.", "cluster", "severity")
        self.waiting = gauge("messages", "Messages that are not sent yet, or will not be.", "target", "state")
        self.bytes = gauge("database_bytes", "Size of the database, by its engine.", "engine")

    def tell(self, view: ClusterView, now: datetime) -> None:
        """Put in what is known of one cluster. A number that does not exist is left out, and is no zero."""
        known = view.state(now)
        for one in _STATES:
            self.state.labels(view.name, one).set(one == known)
        if view.last_seen is not None:
            self.seen.labels(view.name).set(view.last_seen.timestamp())
        self.objects.labels(view.name).set(view.objects)
        self.problems.labels(view.name).set(len(view.problems))
        score = severity_score(view.counts)
        for value, gauge in (
            (score.pass_rate, self.pass_rate),
            (score.coverage, self.coverage),
            (score.exception_share, self.exceptions),
        ):
            if value is not None:
                gauge.labels(view.name).set(float(value))
        for severity in Severity:
            row = view.counts.get(severity)
            self.failing.labels(view.name, severity.label).set(row[Verdict.FAIL - 1] if row else 0)


def _metrics(asked: Asked) -> Response:
    site, told = asked.site, _Fleet()
    with site.store.reading() as connection:
        members = overview.fleet(connection, asked.viewer.scope())
        messages = message_counts(connection)
    for view in members:
        if view.left_at is None:
            told.tell(view, site.now())
    if asked.viewer.may_everywhere("see"):
        for target, states in messages.items():
            for name in ("waiting", "dead"):
                told.waiting.labels(target, name).set(states.get(name, 0))
        told.bytes.labels(site.store.dialect).set(size(site.store))
    return Response(generate_latest(told.registry) + site.measures.text(), media_type=_KIND)


def _alive(_asked: Asked) -> Response:
    return PlainTextResponse("alive\n")


def _ready(asked: Asked) -> Response:
    """Ready is who can answer: the database must."""
    asked.site.store.ask()
    return PlainTextResponse("ready\n")


ROUTES = (
    Route("GET", "/metrics", _metrics, surface="api"),
    Route("GET", "/healthz", _alive, needs=None, surface="api"),
    Route("GET", "/readyz", _ready, needs=None, surface="api"),
)
