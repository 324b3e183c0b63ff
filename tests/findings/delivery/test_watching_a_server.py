"""Real roll-outs, by real controllers: what a real watch shows is read as what was done."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
import threading
import time
from datetime import UTC, datetime
from http.client import HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from tests.controlplane.nodes import NAME

from bartizan.findings.delivery.watching import Memory, Observation, observe
from bartizan.model.delivery import Capacity, RolledBack, RolloutBegan, RolloutSucceeded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPResponse

    from tests.controlplane.start import ControlPlane

    from bartizan.model.delivery import Event

pytestmark = pytest.mark.xdist_group("cluster")

_PATIENCE_S = 60
_POLL_S = 0.2
_KINDS = "deployments,statefulsets,daemonsets,replicasets,controllerrevisions,pods"
_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


class Watch:
    """Watches of all kinds, read as events in the order they come."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self.events: list[Event] = []
        self._memory = Memory("test")
        self._lock = threading.Lock()
        self._open: list[tuple[socket.socket, HTTPSConnection, HTTPResponse, threading.Thread]] = []
        context = ssl.create_default_context(cafile=str(plane.authority.file))
        context.load_cert_chain(plane.folder / "admin.crt", plane.folder / "admin.key")
        for kind in _KINDS.split(","):
            group = "/api/v1" if kind == "pods" else "/apis/apps/v1"
            connection = HTTPSConnection(urlsplit(plane.url).netloc, context=context, timeout=10 * _PATIENCE_S)
            connection.request("GET", f"{group}/namespaces/{namespace}/{kind}?watch=1")
            line: socket.socket = connection.sock  # kept, for an answer that ends with its connection takes it away
            answer = connection.getresponse()
            assert answer.status == 200
            reader = threading.Thread(target=self._read, args=(answer,), daemon=True)
            self._open.append((line, connection, answer, reader))
            reader.start()

    def _read(self, answer: HTTPResponse) -> None:
        with contextlib.suppress(OSError, HTTPException):  # the end of a watch that is shut
            while line := answer.readline():
                told = json.loads(line)
                how: Any = "deleted" if told["type"] == "DELETED" else "changed"
                with self._lock:
                    self.events += observe(self._memory, Observation(datetime.now(UTC), how, told["object"]), {})

    def said(self, kind: str) -> list[str]:
        """What was said of the workload of a kind, without its replicas."""
        names = {RolloutBegan: "began", RolloutSucceeded: "succeeded", RolledBack: "rolled-back"}
        with self._lock:
            told = [event for event in self.events if not isinstance(event, Capacity)]
        return [names[type(event)] for event in told if event.workload.kind == kind]  # type: ignore[union-attr, index]

    def wait(self, kind: str, *expected: str) -> None:
        """Wait until it is what is expected, or more."""
        deadline = time.monotonic() + _PATIENCE_S
        while len(self.said(kind)) < len(expected) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        assert self.said(kind) == list(expected)

    def close(self) -> None:
        """Stop watching: the readers see the end of their streams."""
        for line, connection, answer, reader in self._open:
            socket.socket.shutdown(line, socket.SHUT_RDWR)  # TLS's own would let the reader see what is still encrypted
            reader.join()
            answer.close()
            connection.close()


def _workload(kind: str, image: str) -> str:
    labels = {"app": kind.lower()}
    part: dict[str, Any] = {"selector": {"matchLabels": labels}}
    # nobody schedules here: the pods say themselves where they run
    spec = {"containers": [{"name": "app", "image": image}], "nodeName": NAME, "tolerations": [{"operator": "Exists"}]}
    part["template"] = {"metadata": {"labels": labels}, "spec": spec}
    if kind != "DaemonSet":
        part["replicas"] = 2
    body = {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web"}, "spec": part}
    return json.dumps(body)


@pytest.fixture
def watch(control_plane: ControlPlane, namespace: str) -> Iterator[Watch]:
    watch = Watch(control_plane, namespace)
    yield watch
    watch.close()


@pytest.mark.usefixtures("node")
def test_real_roll_outs(control_plane: ControlPlane, namespace: str, watch: Watch) -> None:
    """New, changed, scaled, restarted, rolled back: by each kind's own controller."""

    def do(*words: str) -> None:
        control_plane.run("-n", namespace, *words)

    def apply(kind: str, image: str) -> None:
        command = [str(control_plane.kubectl), f"--kubeconfig={control_plane.kubeconfig}", "-n", namespace]
        subprocess.run([*command, "apply", "-f", "-"], input=_workload(kind, image), text=True, check=True)

    for kind in _WORKLOADS:
        name = f"{kind.lower()}/web"
        apply(kind, "app:1")
        watch.wait(kind, "began", "succeeded")
        if kind != "DaemonSet":
            do("scale", name, "--replicas=3")
            do("rollout", "status", name, "--timeout=60s")
        do("rollout", "restart", name)
        do("rollout", "status", name, "--timeout=60s")
        apply(kind, "app:2")
        watch.wait(kind, "began", "succeeded", "began", "succeeded")
        do("rollout", "undo", name, "--to-revision=1")
        watch.wait(kind, "began", "succeeded", "began", "succeeded", "rolled-back", "succeeded")
        do("delete", name)
    revisions = {(event.workload.kind, event.revision) for event in watch.events if isinstance(event, RolloutBegan)}
    back = {(event.workload.kind, event.revision) for event in watch.events if isinstance(event, RolledBack)}
    assert back < revisions


@pytest.mark.usefixtures("node")
def test_templates_that_the_cluster_keeps(control_plane: ControlPlane, namespace: str) -> None:
    """Who comes later knows earlier templates from what keeps them, under the names that workloads give them."""
    command = [str(control_plane.kubectl), f"--kubeconfig={control_plane.kubeconfig}", "-n", namespace]
    for image in ("app:1", "app:2"):
        for kind in _WORKLOADS:
            subprocess.run([*command, "apply", "-f", "-"], input=_workload(kind, image), text=True, check=True)
        for kind in _WORKLOADS:
            control_plane.run("-n", namespace, "rollout", "status", f"{kind.lower()}/web", "--timeout=90s")
        time.sleep(1.1)  # the server's times of creation have whole seconds
    memory = Memory("test")
    for body in json.loads(control_plane.run("-n", namespace, "get", _KINDS, "-o", "json"))["items"]:
        told = observe(memory, Observation(datetime.now(UTC), "listed", body), {})
        assert all(isinstance(event, Capacity) for event in told)
    for known in memory.workloads.values():
        kept = {kept.template for kept in memory.kept.values() if memory.workloads[kept.owner] is known}
        assert known.template in kept
        assert len(kept) == 2
    for kind in _WORKLOADS:
        control_plane.run("-n", namespace, "rollout", "undo", f"{kind.lower()}/web")
        body = json.loads(control_plane.run("-n", namespace, "get", f"{kind.lower()}/web", "-o", "json"))
        told = observe(memory, Observation(datetime.now(UTC), "changed", body), {})
        assert isinstance(told[0], RolledBack)
