"""Loading manifests: values with the line of every key, beside PyYAML's C loader, which has values only."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING

import yaml

from bartizan.sources.yaml import Document, load_documents

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_BYTES = 10_000_000


def report(suite: Path) -> list[str]:
    """Time three ways over about ten megabytes of manifests; lines of Markdown."""
    data = _manifests(suite)
    theirs = _best(lambda: sum(1 for _ in yaml.load_all(data, Loader=yaml.CSafeLoader)))
    lazy = _best(lambda: sum(1 for _ in load_documents(data, "bench.yaml")))
    lines = _best(lambda: _with_lines(data))
    size = len(data) / 1e6
    return [
        f"## Loading {size:.1f} MB of YAML",
        "",
        "| loader | wall | speed | ratio |",
        "|---|---|---|---|",
        f"| PyYAML CSafeLoader, no lines | {theirs:.2f} s | {size / theirs:.1f} MB/s | 1 |",
        f"| ours, lines of every key built at once | {lines:.2f} s | {size / lines:.1f} MB/s | {theirs / lines:.1f} |",
        f"| ours, lines found when asked for | {lazy:.2f} s | {size / lazy:.1f} MB/s | {theirs / lazy:.1f} |",
        "",
    ]


def _manifests(suite: Path) -> bytes:
    files = sorted(suite.rglob(".kyverno-test/*resource*.yaml"))
    once = b"\n---\n".join(file.read_bytes() for file in files) + b"\n---\n"
    return once * (_BYTES // len(once))


def _with_lines(data: bytes) -> None:
    for document in load_documents(data, "bench.yaml"):
        if isinstance(document, Document):
            document.lines.locate("/metadata/name")


def _best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        gc.collect()
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
