"""Two real API servers under one plane: one is broken and mended, and everybody who should know does.

The plane is the program, started as people start it; what it says is read
where people and Prometheus read it.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.conformance import built
from tests.controlplane.start import free_ports, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.controlplane.start import ControlPlane

pytestmark = pytest.mark.xdist_group("end-to-end")
ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "cases" / "plane"
WITHIN_S = 120
"""A loaded machine takes its time; an idle one a few seconds."""


@contextmanager
def listener() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A program that takes notifications: its address, and what it was told."""
    told: list[dict[str, Any]] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's word
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/told", told
    finally:
        server.shutdown()
        server.server_close()


class Plane:
    """The plane as a process, and somebody who is signed in to it."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        (port,) = free_ports(1)
        (folder / "plane.json").write_text(json.dumps(settings))
        program = Path(sys.executable).with_name("bartizan")
        command = [str(program), "up", "--config", str(folder / "plane.json"), "--data", str(folder / "data")]
        self._log = folder / "log"
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "BARTIZAN_TEST_SECRET": "of the tests"}
        with self._log.open("wb") as out:
            self._process = subprocess.Popen(
                [*command, "--listen", f"127.0.0.1:{port}"], stderr=out, stdout=out, env=environment
            )
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)

    def sign_in(self) -> None:
        """Follow the link that the command has printed."""
        until(lambda: "key=" in self._log.read_text() or self._process.poll() is not None)
        link = re.search(r"/enter\?key=\S+", self._log.read_text())
        assert link is not None, self._log.read_text()
        until(self._answers)
        assert self._client.get(link[0]).status_code == 303

    def text(self, path: str) -> str:
        """A page, or what is exported."""
        answer = self._client.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code}\n{answer.text[:1000]}"
        return answer.text

    def numbers(self, name: str, **labels: str) -> dict[str, float]:
        """A metric of each cluster."""
        return {
            sample.labels["cluster"]: sample.value
            for family in text_string_to_metric_families(self.text("/metrics"))
            for sample in family.samples
            if sample.name == f"bartizan_{name}" and labels.items() <= sample.labels.items()
        }

    def stop(self) -> str:
        """Stop it as Ctrl-C does. Returns what it said."""
        self._client.close()
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(60)
        finally:
            self._process.kill()
        return self._log.read_text()

    def _answers(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        try:
            return self._client.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False


def until(is_so: Callable[[], object], what: str = "", told: Sequence[object] = ()) -> None:
    """Wait for something to become so."""
    deadline = time.monotonic() + WITHIN_S
    while not is_so():
        assert time.monotonic() < deadline, f"{what or 'it'}: not in time {told}"
        time.sleep(0.2)


@pytest.fixture
def clusters(tmp_path: Path) -> Iterator[dict[str, ControlPlane]]:
    """Two clusters that are as they should be."""
    built("kubernetes", "etcd")
    begun: dict[str, ControlPlane] = {}
    try:
        for name in ("east", "west"):
            (tmp_path / name).mkdir()
            begun[name] = start(tmp_path / name)
            begun[name].apply((CASES / "shop.yaml").read_text())
        yield begun
    finally:
        for one in begun.values():
            one.stop()


def test_what_breaks_in_a_cluster_is_seen_told_and_seen_mended(
    clusters: dict[str, ControlPlane], tmp_path: Path
) -> None:
    with listener() as (address, told):
        notifications = {
            "targets": [{"kind": "webhook", "name": "ops", "url": address, "secret_env": "BARTIZAN_TEST_SECRET"}],
            "rules": [{"name": "all", "targets": ["ops"], "severity": "medium", "by": "check", "window": "1s"}],
        }
        members = [{"name": name, "kubeconfig": str(one.kubeconfig)} for name, one in clusters.items()]
        plane = Plane(tmp_path, {"clusters": members, "notifications": notifications, "interval_s": 3600})
        try:
            plane.sign_in()
            until(lambda: set(plane.numbers("coverage_ratio")) == {"east", "west"}, "both clusters are judged")
            until(lambda: _is_settled(plane), "the first checks end")
            before = plane.numbers("pass_rate_ratio")
            already = len(told)

            east = clusters["east"]
            east.apply((CASES / "broken.yaml").read_text())
            east.run("delete", "networkpolicy", "default-deny", "-n", "shop")
            until(lambda: plane.numbers("pass_rate_ratio")["east"] < before["east"], "the score falls")
            wanted = ("privileged", "wildcard", "default-deny")
            until(lambda: all(one in json.dumps(told[already:]) for one in wanted), "all of it is told", told)
            assert plane.numbers("pass_rate_ratio")["west"] == before["west"]
            assert plane.numbers("failing_pairs", severity="critical")["east"] > 0
            assert "debug" in plane.text("/findings?cluster=east&severity=critical")
            today = datetime.now(UTC).date()
            why = json.loads(plane.text(f"/trends/why.json?cluster=east&from={today - timedelta(days=1)}&to={today}"))
            assert any(entry["rule"] == "privileged-container" for entry in why["entries"])

            broken = len(told)
            east.run("delete", "pod", "debug", "-n", "shop", "--grace-period=0", "--force")
            east.run("delete", "clusterrole", "everything")
            east.apply((CASES / "shop.yaml").read_text())
            until(lambda: plane.numbers("pass_rate_ratio")["east"] == before["east"], "the score recovers")
            until(lambda: len(told) > broken, "that it is mended is told")
            assert "debug" not in plane.text("/findings?cluster=east")
        finally:
            said = plane.stop()
        assert "Traceback" not in said


def _is_settled(plane: Plane) -> bool:
    """Whether nothing changes any more: the controllers of a new cluster make objects for some seconds."""
    before = plane.numbers("cluster_objects")
    time.sleep(5)
    return plane.numbers("cluster_objects") == before
