"""Scans of a real API server."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.controlplane import pki
from tests.controlplane.start import write_kubeconfig

from bartizan.base.errors import SourceError, SpecError
from bartizan.model.report import Problem
from bartizan.sources.cluster import Selection, connect, list_resources

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.controlplane.start import ControlPlane

    from bartizan.model.resource import Resource

pytestmark = pytest.mark.xdist_group("cluster")

_BARTIZAN = Path(sys.executable).with_name("bartizan")


def _objects(*bodies: dict[str, Any]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(bodies)})


def _config_maps(namespace: str, number: int) -> str:
    names = [
        {"name": f"m{index:03}", "namespace": namespace, "labels": {"odd": str(index % 2)}} for index in range(number)
    ]
    return _objects(*({"apiVersion": "v1", "kind": "ConfigMap", "metadata": name} for name in names))


def _deployment(namespace: str) -> dict[str, Any]:
    pod = {"hostNetwork": True, "containers": [{"name": "app", "image": "registry.example/app:latest"}]}
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": spec,
    }


def _list(config: Path, selection: Selection, page: int = 500) -> tuple[list[Resource], list[Problem]]:
    with connect(kubeconfig=config) as cluster:
        items = list(list_resources(cluster, selection, page))
    resources = [item for item in items if not isinstance(item, Problem)]
    return resources, [item for item in items if isinstance(item, Problem)]


def _scan(plane: ControlPlane, *arguments: str) -> tuple[int, dict[str, Any]]:
    command = [str(_BARTIZAN), "scan", "--kubeconfig", str(plane.kubeconfig), "-o", "json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_scan_finds_what_was_put_there(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.apply(_objects(_deployment(namespace)))
    code, report = _scan(control_plane, "--namespace", namespace, "--kind", "Deployment")
    found = {item["policy"] for item in report["findings"]}
    assert code == 1
    assert {"host-network", "latest-image"} <= found


def test_what_controllers_make_is_not_held_against_it(control_plane: ControlPlane, namespace: str) -> None:
    """A cluster fills fields in, and makes ReplicaSets and Pods: none of that is a finding of its own."""
    deployment = _deployment(namespace)
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"maxReplicas": 4, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
    }
    control_plane.apply(_objects(deployment, scaler))
    control_plane.run("wait", "--for=create", "pod", "-l", "app=web", "-n", namespace, "--timeout=60s")
    _, report = _scan(control_plane, "--namespace", namespace)
    found = {(item["resource"]["kind"], item["policy"]) for item in report["findings"]}
    assert {"Pod", "ReplicaSet"} <= {item["kind"] for item in report["resources"]}
    assert ("Deployment", "host-network") in found
    assert {kind for kind, _ in found} & {"Pod", "ReplicaSet"} == set()
    assert {policy for _, policy in found} & {"overlapping-selectors", "fixed-replicas"} == set()
    assert [note["kind"] for note in report["notes"]] == ["copies"]
    _, pods = _scan(control_plane, "--namespace", namespace, "--kind", "Pod")
    assert "host-network" in {item["policy"] for item in pods["findings"]}

    deployment["spec"]["replicas"] = 3
    control_plane.apply(_objects(deployment))
    _, report = _scan(control_plane, "--namespace", namespace)
    assert "fixed-replicas" in {item["policy"] for item in report["findings"]}


def test_running_pods_and_their_node_are_judged(control_plane: ControlPlane, namespace: str, node: str) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "watch", "namespace": namespace},
        "spec": {"nodeName": node, "hostPID": True, "containers": [{"name": "app", "image": "registry.example/app:1"}]},
    }
    control_plane.apply(_objects(pod))
    running = "--for=jsonpath={.status.phase}=Running"
    control_plane.run("wait", running, "pod/watch", "-n", namespace, "--timeout=60s")
    _, report = _scan(control_plane, "--namespace", namespace)
    assert ("watch", "host-processes") in {(item["resource"]["name"], item["policy"]) for item in report["findings"]}
    nodes, problems = _list(control_plane.kubeconfig, Selection(kinds=("nodes",)))
    assert [item.id.name for item in nodes] == [node]
    assert problems == []


def test_custom_resources_are_listed(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.apply(
        _objects(
            {
                "apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition",
                "metadata": {"name": "towers.castle.example"},
                "spec": {
                    "group": "castle.example",
                    "scope": "Namespaced",
                    "names": {"plural": "towers", "singular": "tower", "kind": "Tower"},
                    "versions": [
                        {
                            "name": "v1",
                            "served": True,
                            "storage": True,
                            "schema": {
                                "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                            },
                        }
                    ],
                },
            }
        )
    )
    control_plane.run("wait", "--for=condition=Established", "crd/towers.castle.example", "--timeout=30s")
    control_plane.apply(
        json.dumps(
            {"apiVersion": "castle.example/v1", "kind": "Tower", "metadata": {"name": "keep", "namespace": namespace}}
        )
    )
    resources, problems = _list(control_plane.kubeconfig, Selection((namespace,), ("tower",)))
    assert [item.id.name for item in resources] == ["keep"]
    assert problems == []


def test_pages_and_selectors(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.apply(_config_maps(namespace, 25))
    every, _ = _list(control_plane.kubeconfig, Selection((namespace,), ("configmaps",)), page=7)
    odd, _ = _list(control_plane.kubeconfig, Selection((namespace,), ("cm",), "odd=1"), page=7)
    assert len({item.id.name for item in every if item.id.name.startswith("m")}) == 25
    assert len(every) == 26  # and the authority that every namespace gets
    assert len(odd) == 12


def test_forbidden_kind_is_unknown_and_the_rest_is_judged(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.apply(_config_maps(namespace, 2))
    control_plane.run("create", "role", "reader", "--verb=list,get", "--resource=configmaps", "-n", namespace)
    control_plane.run("create", "rolebinding", "reader", "--role=reader", "--user=reader", "-n", namespace)
    resources, problems = _list(control_plane.user("reader"), Selection((namespace,), ("configmaps", "secrets")))
    assert {item.id.name for item in resources} >= {"m000", "m001"}
    assert [problem.kind for problem in problems] == ["world"]
    assert "`secrets`" in problems[0].message
    assert "Grant `list`" in problems[0].hint


def test_killed_and_run_again_gives_the_same(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.apply(_objects(_deployment(namespace)))
    control_plane.apply(_config_maps(namespace, 25))
    command = [str(_BARTIZAN), "scan", "--kubeconfig", str(control_plane.kubeconfig), "--namespace", namespace]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with pytest.raises(subprocess.TimeoutExpired):
        first.wait(timeout=0.15)  # it is reading by now, and far from done
    first.send_signal(signal.SIGKILL)
    first.wait()
    reports = [
        _scan(control_plane, "--namespace", namespace, "--kind", "cm", "--kind", "deployment")[1] for _ in range(2)
    ]
    for report in reports:
        report.pop("at")
    assert reports[0] == reports[1]
    assert reports[0]["findings"]


class _Relay:
    """A TCP relay to the API server that is cut after so many bytes of answers."""

    def __init__(self, target: int, cut_after_bytes: int) -> None:
        self._target = target
        self._left = cut_after_bytes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            for source, sink, counts in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._pump, args=(source, sink, counts), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, counts: bool) -> None:
        try:
            while data := source.recv(4096):
                if counts:
                    self._left -= len(data)
                    if self._left <= 0:
                        break
                sink.sendall(data)
        except OSError:
            pass
        finally:
            for item in (source, sink, *([self._listener] if self._left <= 0 else [])):
                with suppress(OSError):
                    item.shutdown(socket.SHUT_RDWR)
                item.close()


def test_server_that_goes_away_half_way_leaves_unknown_kinds(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.apply(_config_maps(namespace, 25))
    relay = _Relay(int(control_plane.url.rpartition(":")[2]), 160_000)
    config = control_plane.user("admin-by-relay", "system:masters", f"https://127.0.0.1:{relay.port}")
    resources, problems = _list(config, Selection(), page=5)
    assert resources
    assert problems
    assert all(problem.kind == "world" for problem in problems)


def test_gone_server_is_said(control_plane: ControlPlane) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    config = control_plane.user("nobody-home", "", f"https://127.0.0.1:{port}")
    start = time.monotonic()
    with pytest.raises(SourceError, match="does not answer"):
        _list(config, Selection())
    assert time.monotonic() - start < 30


def test_wrong_credentials_are_said(control_plane: ControlPlane, tmp_path: Path) -> None:
    other = pki.make_authority(tmp_path)
    stranger = pki.issue(tmp_path, other, "stranger", "system:masters")
    config = write_kubeconfig(tmp_path / "config", control_plane.url, control_plane.authority.file, stranger)
    with pytest.raises(SourceError, match="Unauthorized"):
        _list(config, Selection())


BROKEN: list[tuple[str, Callable[[str], str], str]] = [
    ("no YAML", lambda _text: "{{", "malformed kubeconfig"),
    ("a list", lambda _text: "[]", "malformed kubeconfig"),
    ("no users", lambda text: text.replace('"users"', '"nobodies"'), "kubeconfig"),
]


@pytest.mark.parametrize(("name", "breaks", "said"), BROKEN, ids=[case[0] for case in BROKEN])
def test_broken_kubeconfig_is_said(
    control_plane: ControlPlane, tmp_path: Path, name: str, breaks: Callable[[str], str], said: str
) -> None:
    del name
    file = tmp_path / "config"
    file.write_text(breaks(control_plane.kubeconfig.read_text()))
    with pytest.raises((SpecError, SourceError), match=said):
        _list(file, Selection())


def test_unknown_context_and_kind_are_said(control_plane: ControlPlane) -> None:
    with pytest.raises(SpecError, match="no context `tset`") as error:
        connect(context="tset", kubeconfig=control_plane.kubeconfig)
    assert "`test`" in error.value.hint
    with pytest.raises(SpecError, match="no kind `Deploymnt`") as error:
        _list(control_plane.kubeconfig, Selection(kinds=("Deploymnt",)))
    assert "`Deployment`" in error.value.hint
