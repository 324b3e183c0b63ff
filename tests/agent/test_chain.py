"""The whole chain: a real API server, an agent as its command starts it with the role it is given, and a plane."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from sqlalchemy import select
from tests.agent.serving import ROOT, Plane, until
from tests.stores.ledger import assert_counts_hold

from bartizan.agent.manifests import Wanted, manifests
from bartizan.stores.schema import body, cluster, finding, generation, resource, rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.controlplane.start import ControlPlane

    from bartizan.stores.open import Store

pytestmark = pytest.mark.xdist_group("chain")
_SECRET = "hunter2-of-the-tests"  # noqa: S105  what must be found nowhere
_WITHIN_S = 90


def _now() -> datetime:
    return datetime.now(UTC)


def _pod(name: str, namespace: str, *, privileged: bool) -> dict[str, Any]:
    container = {
        "name": "app",
        "image": "registry.example/app:1.0",
        "env": [{"name": "DB_PASSWORD", "value": _SECRET}],
        "securityContext": {"privileged": privileged},
    }
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}


class Command:
    """`bartizan agent run`, as a person or a pod starts it."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        code = "from bartizan.cli.main import main; main()"
        command = [sys.executable, "-c", code, "agent", "run", "--data", str(self.folder / "data"), *self._arguments]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, env=environment, stderr=log, stdout=log)

    def end(self, how: signal.Signals) -> int:
        """End it; returns its exit code."""
        assert self._process is not None
        self._process.send_signal(how)
        return self._process.wait(40)

    @property
    def log(self) -> str:
        """What it said."""
        return (self.folder / "log").read_text()


@pytest.fixture
def kubeconfig(control_plane: ControlPlane, tmp_path: Path) -> Path:
    """The service account of our manifests, with their role and no other."""
    wanted = Wanted("https://plane.example.com", "registry.example/bartizan:1", "prod", namespace="bartizan-agent")
    rights = {"Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding"}
    for one in yaml.safe_load_all(manifests(wanted)):
        if one["kind"] in rights:
            control_plane.apply(json.dumps(one))
    token = control_plane.run("create", "token", "bartizan-agent", "-n", "bartizan-agent").strip()
    found = json.loads(control_plane.kubeconfig.read_text())
    found["users"][0]["user"] = {"token": token}
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps(found))
    return file


@pytest.fixture
def plane(store: Store) -> Iterator[Plane]:
    """A plane with the clock of the world."""
    served = Plane(store, _now)
    served.start()
    try:
        yield served
    finally:
        served.cut()


@pytest.fixture
def command(plane: Plane, kubeconfig: Path, tmp_path: Path) -> Iterator[Command]:
    """An agent that has been invited."""
    join = tmp_path / "join"
    join.write_text(plane.invite("prod"))
    agent = Command(
        tmp_path,
        *("--plane", plane.url, "--plain-http", "--name", "prod", "--join-token-file", str(join)),
        *(
            "--kubeconfig",
            str(kubeconfig),
            "--check",
            "privileged-container",
            "--check",
            "latest-image",
            "--lease",
            "5",
        ),
    )
    agent.start()
    try:
        yield agent
    finally:
        agent.end(signal.SIGKILL)


def _failing(store: Store, namespace: str) -> set[str]:
    with store.reading() as connection:
        wanted = (
            select(resource.c.name)
            .join(finding, finding.c.resource == resource.c.id)
            .join(rule, rule.c.id == finding.c.rule)
            .where(rule.c.name == "privileged-container", finding.c.closed_at.is_(None))
        )
        names = set(connection.execute(wanted).scalars())
    return {name for name in names if name.startswith(namespace)}


def _checks(store: Store) -> int:
    with store.reading() as connection:
        return len(connection.execute(select(generation).where(generation.c.complete)).all())


def _member(store: Store) -> Any:
    with store.reading() as connection:
        return connection.execute(select(cluster)).one()


def _known(store: Store) -> set[tuple[str, str]]:
    with store.reading() as connection:
        wanted = select(resource.c.kind, resource.c.name).where(resource.c.gone_at.is_(None))
        return {(row.kind, row.name) for row in connection.execute(wanted)}


def test_a_cluster_reports_through_cuts_and_kills(
    control_plane: ControlPlane, plane: Plane, command: Command, namespace: str
) -> None:
    def make(name: str, *, privileged: bool) -> None:
        control_plane.apply(json.dumps(_pod(f"{namespace}-{name}", namespace, privileged=privileged)))

    def drop(name: str) -> None:
        control_plane.run("delete", "pod", f"{namespace}-{name}", "-n", namespace, "--wait=true", "--grace-period=0")

    def shows(*names: str) -> Callable[[], bool]:
        return lambda: _failing(plane.store, namespace) == {f"{namespace}-{name}" for name in names}

    store = plane.store
    make("first", privileged=True)
    make("good", privileged=False)
    until(lambda: _checks(store) >= 1, _WITHIN_S)
    until(shows("first"), _WITHIN_S)
    assert {("Namespace", namespace), ("Pod", f"{namespace}-good"), ("ClusterRole", "cluster-admin")} <= _known(store)

    make("second", privileged=True)
    until(shows("first", "second"), _WITHIN_S)

    plane.cut()
    drop("first")
    make("third", privileged=True)
    until(lambda: "does not answer" in command.log, _WITHIN_S)
    assert command.end(signal.SIGKILL) != 0
    drop("second")
    command.start()  # while the plane is away: it has joined, and needs nobody
    plane.start()
    until(shows("third"), _WITHIN_S)
    assert_counts_hold(store)

    until(lambda: "secrets" in str(_member(store).problems) and _member(store).version.startswith("v1."), _WITHIN_S)
    assert _member(store).identity.startswith("cluster:")
    with store.reading() as connection:
        contents = [zlib.decompress(one) for one in connection.execute(select(body.c.content)).scalars()]
    assert any(b'"DB_PASSWORD"' in one for one in contents)
    assert not any(_SECRET.encode() in one for one in contents)
    assert not _said_anywhere(command.folder / "data")

    assert command.end(signal.SIGTERM) == 0
    assert "agent.stopped" in command.log
    assert re.search(_SECRET, command.log) is None
    command.start()


def _said_anywhere(folder: Path) -> bool:
    """Whether the secret is in any file of the agent, packed or not."""
    for file in folder.rglob("*"):
        if not file.is_file():
            continue
        content = file.read_bytes()
        if _SECRET.encode() in content:
            return True
        for place in [match.start() for match in re.finditer(rb"\x1f\x8b\x08", content)]:
            unpacking = zlib.decompressobj(31)
            if _SECRET.encode() in unpacking.decompress(content[place:]):
                return True
    return False
