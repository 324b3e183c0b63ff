"""A plane under a fleet: 1,000 clusters with 1,000 objects each report in, change, and are looked at in a browser.

PostgreSQL is the tests' own, on this disk; pages come over HTTP from the
program as people start it. Writes `docs/benchmarks-plane.md`.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.controlplane.start import free_ports  # noqa: E402 (found from the root, which the line above adds)
from tests.stores import postgresql  # noqa: E402 (as above)

from bartizan.stores.open import open_store  # noqa: E402 (as above)
from bench.store import join_all, report_all  # noqa: E402 (as above)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.store import Round

PAGES = (
    "/",
    "/?q=cluster-09&order=name",
    "/findings",
    "/findings?severity=critical&cluster=cluster-0001",
    "/clusters/cluster-0001",
    "/clusters/cluster-0001/namespaces/team-3",
    "/search?q=app-77",
    "/frameworks",
    "/policies",
    "/trends?days=90",
    "/waivers",
)
ROUNDS = 60


def main() -> None:
    """Report, look, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clusters", type=int, default=1000)
    parser.add_argument("--objects", type=int, default=1000)
    parser.add_argument("--changed", type=int, default=50, help="clusters of which every object changes afterwards")
    parser.add_argument("--processes", type=int, default=2, help="that keep reports at a time")
    given = parser.parse_args()
    server = postgresql.start()
    try:
        server.sql("CREATE DATABASE fleet")
        url = server.url("fleet")
        store = open_store(url)
        join_all(store, given.clusters)
        rounds = [("first seen", report_all(url, given.clusters, given.objects, 0, given.processes))]
        rounds += [
            (f"changed, round {change}", report_all(url, given.changed, given.objects, change, given.processes))
            for change in (1, 2)
        ]
        for what, done in rounds:
            print(what, done, flush=True)
        server.sql("VACUUM ANALYZE", "fleet")
        pages, memory = look(url)
        lines = list(told(given, rounds, pages, memory))
        store.close()
    finally:
        server.remove()
    (ROOT / "docs" / "benchmarks-plane.md").write_text("\n".join(lines) + "\n")


def look(url: str) -> tuple[list[tuple[str, list[float], int]], int]:
    """Ask for pages over HTTP. Returns the times of each in seconds with its bytes as sent, and the peak in MiB."""
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        program = Path(sys.executable).with_name("bartizan")
        command = [
            str(program),
            "up",
            "--no-watch",
            "--database",
            url,
            "--data",
            folder,
            "--listen",
            f"127.0.0.1:{port}",
        ]
        with log.open("wb") as out:
            process = subprocess.Popen(command, stderr=out, env={**os.environ, "PYTHONPATH": str(ROOT / "src")})
        try:
            while not (link := re.search(r"/enter\?key=\S+", log.read_text())):
                time.sleep(0.1)
            time.sleep(1)
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                client.get(link[0])
                pages = [(path, *timed(client, path)) for path in PAGES]
            peak = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
        finally:
            process.terminate()
            process.wait()
    return pages, int(peak[1]) // 1024 if peak else 0


def timed(client: httpx.Client, path: str) -> tuple[list[float], int]:
    """Ask for a page again and again, without its tag: each time it is made anew."""
    times, size = [], 0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        answer = client.get(path, headers={"accept-encoding": "gzip"})
        times.append(time.perf_counter() - start)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status_code}")
        size = answer.num_bytes_downloaded
    print(f"{path:50} p95 {sorted(times)[int(ROUNDS * 0.95) - 1] * 1000:6.0f} ms", flush=True)
    return times, size


def told(
    given: argparse.Namespace, rounds: list[tuple[str, Round]], pages: list[tuple[str, list[float], int]], memory: int
) -> Iterator[str]:
    """The page."""
    yield "# Benchmarks of the plane"
    yield ""
    cores = f"{os.cpu_count()} cores"
    yield f"Written by `make bench-plane`. One machine, one run. Python {platform.python_version()}, {cores},"
    yield f"shared by PostgreSQL, {given.processes} processes that take reports, and what makes them."
    yield ""
    yield f"## {given.clusters:,} clusters of {given.objects:,} objects each report in"
    yield ""
    yield "Every object is a Pod of about 1.5 kB under 70 rules, three of which fail; changed, each has another body"
    yield "and one of ten another verdict."
    yield ""
    yield "| reports | objects | objects a second | our CPU an object | slowest batch of 500 |"
    yield "|---|---|---|---|---|"
    for what, done in rounds:
        yield (
            f"| {what} | {done.objects:,} | {done.per_second:,.0f} | {done.cpu_us:.0f} us | {done.worst_ms:,.0f} ms |"
        )
    yield ""
    yield "## Pages over HTTP, with that fleet in the store"
    yield ""
    yield "| page | median | 95th percentile | sent |"
    yield "|---|---|---|---|"
    for path, times, size in pages:
        ordered = sorted(times)
        middle, late = ordered[ROUNDS // 2] * 1000, ordered[int(ROUNDS * 0.95) - 1] * 1000
        yield f"| `{path}` | {middle:.0f} ms | {late:.0f} ms | {size / 1000:.1f} kB |"
    yield ""
    yield f"Peak memory of the process that serves them: {memory} MiB."


if __name__ == "__main__":
    main()
