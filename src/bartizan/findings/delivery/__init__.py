"""How software is delivered, and how safely: metrics from what the plane sees of roll-outs and incidents. Pure."""

from bartizan.findings.delivery.definitions import DEFINITIONS, Bucket, Definition
from bartizan.findings.delivery.figures import Figure, Metric, Share, metrics
from bartizan.findings.delivery.sums import History, Standing, Sums, joined, read_history, sum_up

__all__ = [
    "DEFINITIONS",
    "Bucket",
    "Definition",
    "Figure",
    "History",
    "Metric",
    "Share",
    "Standing",
    "Sums",
    "joined",
    "metrics",
    "read_history",
    "sum_up",
]
