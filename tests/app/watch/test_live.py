"""A real API server, watched."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select
from tests.app.watch.fleet import checks, enlist, findings, listed, pod, until
from tests.app.watch.recount import assert_counts

from bartizan.app.watch.sources import context_source
from bartizan.sources.cluster import connect
from bartizan.sources.cluster.connect import streaming_client
from bartizan.sources.cluster.discovery import Kind
from bartizan.sources.cluster.follow import _attempt, _State
from bartizan.sources.cluster.line import Bell, Line, hang_up
from bartizan.sources.cluster.news import ListingBegan, ListingEnded, Pulse, Seen
from bartizan.stores.schema import resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.controlplane.start import ControlPlane

    from bartizan.app.watch.garrison import Garrison
    from bartizan.stores.open import Store

pytestmark = pytest.mark.xdist_group("cluster")
_RULE = "privileged-container"


@pytest.fixture
def watched(lite: Store, control_plane: ControlPlane, garrison: Callable[..., Garrison]) -> Garrison:
    """A garrison that watches the control plane as `one`, and has checked it once."""
    enlist(lite, "one")
    made = garrison(lite, checks(_RULE, "dangling-service"))
    made.add(context_source("one", kubeconfig=control_plane.kubeconfig))
    made.start()
    until(lambda: made.status()[0].generation == 1, 60)
    return made


def test_a_watch_sees_what_comes_changes_and_goes_within_two_seconds(
    watched: Garrison, lite: Store, control_plane: ControlPlane, namespace: str
) -> None:
    assert watched.status()[0].state == "watching", watched.status()
    mine = (_RULE, f"w-{namespace}")
    control_plane.apply(listed(pod(mine[1], namespace)))
    assert until(lambda: mine in findings(lite)) < 2
    control_plane.run("delete", "pod", "-n", namespace, mine[1], "--now")
    assert until(lambda: mine not in findings(lite)) < 2
    assert mine in findings(lite, state="gone")
    config = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": mine[1], "namespace": namespace}}
    control_plane.apply(listed({**config, "spec": {"selector": {"app": "x"}, "ports": [{"port": 80}]}}))
    assert until(lambda: ("dangling-service", mine[1]) in findings(lite)) < 2
    control_plane.apply(listed(pod(f"x-{namespace}", namespace, privileged=False, labels={"app": "x"})))
    assert until(lambda: ("dangling-service", mine[1]) not in findings(lite)) < 2


def _kinds(group: str) -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"gates.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "gates", "singular": "gate", "kind": "Gate"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
                }
            ],
        },
    }


def test_a_new_kind_is_watched_and_one_that_goes_leaves_nothing(
    watched: Garrison, lite: Store, control_plane: ControlPlane, namespace: str
) -> None:
    group = f"{namespace}.example.com"
    control_plane.apply(listed(_kinds(group)))
    control_plane.run("wait", "--for=condition=Established", f"crd/gates.{group}", "--timeout=20s")
    control_plane.apply(
        listed({"apiVersion": f"{group}/v1", "kind": "Gate", "metadata": {"name": "north", "namespace": namespace}})
    )
    until(lambda: _objects(lite, group) == {"north"}, 10)
    control_plane.run("delete", "crd", f"gates.{group}")
    until(lambda: _objects(lite, group) == set(), 20)
    until(lambda: watched.status()[0].problems == (), 20)


def _objects(store: Store, group: str) -> set[str]:
    wanted = select(resource.c.name).where(resource.c.group == group, resource.c.gone_at.is_(None))
    with store.reading() as connection:
        return set(connection.execute(wanted).scalars())


def test_a_server_that_stops_and_starts_is_followed_again(
    watched: Garrison, lite: Store, control_plane: ControlPlane, namespace: str
) -> None:
    control_plane.apply(listed(pod("before", namespace)))
    until(lambda: (_RULE, "before") in findings(lite))
    number = _killed(control_plane)
    until(lambda: watched.status()[0].state == "away")
    assert any("does not answer" in one.message for one in watched.status()[0].problems)
    _start_again(control_plane, number)
    control_plane.run("delete", "pod", "-n", namespace, "before", "--now")
    control_plane.apply(listed(pod("after", namespace)))
    until(lambda: (_RULE, "after") in findings(lite) and (_RULE, "before") not in findings(lite), 60)
    until(lambda: watched.status()[0].state == "watching", 60)


def _killed(plane: ControlPlane) -> int:
    """Kill the API server. Returns its place among the processes."""
    number = next(
        number
        for number, one in enumerate(plane.processes)
        if "kube-apiserver" in str(one.args[0])  # type: ignore[index]  # a list
    )
    plane.processes[number].send_signal(signal.SIGKILL)
    plane.processes[number].wait()
    return number


def _start_again(plane: ControlPlane, number: int) -> None:
    with (plane.folder / "kube-apiserver-again.log").open("wb") as log:
        old = plane.processes[number]
        plane.processes[number] = subprocess.Popen(old.args, stdout=log, stderr=log, cwd=plane.folder)
    until(lambda: _answers(plane), 90)


def _answers(plane: ControlPlane) -> bool:
    try:
        return plane.run("get", "--raw", "/readyz") == "ok"
    except subprocess.CalledProcessError:
        return False


def test_a_server_that_is_silent_is_away_and_its_lag_grows(watched: Garrison, control_plane: ControlPlane) -> None:
    server = next(one for one in control_plane.processes if "kube-apiserver" in str(one.args[0]))  # type: ignore[index]  # a list
    server.send_signal(signal.SIGSTOP)
    try:
        until(lambda: watched.status()[0].state == "away")
        until(lambda: (watched.status()[0].lag_s or 0) > 2)
    finally:
        server.send_signal(signal.SIGCONT)
    until(lambda: watched.status()[0].state == "watching", 60)
    until(lambda: (watched.status()[0].lag_s or 9) < 1)


def test_a_revision_that_is_too_old_is_listed_anew(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.apply(listed(pod("web", namespace)))
    _start_again(control_plane, _killed(control_plane))  # it knows of no change before its start

    async def attempt() -> tuple[list[Any], list[str]]:
        taker = Shelf()
        with connect(kubeconfig=control_plane.kubeconfig) as cluster:
            line = Line("test", streaming_client(cluster), taker, Pulse(), asyncio.Semaphore(1), Bell(), set())
            kind = Kind("", "v1", "pods", "Pod", True, frozenset())
            state = _State("1")
            revisions = [state.revision]
            async with asyncio.timeout(60):
                while state.revision == "1":  # a busy server may not answer the first time
                    await _attempt(kind, line, state)
            revisions.append(state.revision)
            following = asyncio.create_task(_attempt(kind, line, state))
            async with asyncio.timeout(60):
                while not any(isinstance(one, ListingEnded) for one in taker.news):
                    if following.done():
                        following = asyncio.create_task(_attempt(kind, line, state))
                    await asyncio.sleep(0.05)
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await hang_up(line)
        return taker.news, revisions

    class Shelf:
        """Takes everything."""

        def __init__(self) -> None:
            self.news: list[Any] = []

        def take(self, news: Any) -> None:
            self.news += news

        def is_full(self) -> bool:
            return False

    news, revisions = asyncio.run(attempt())
    assert revisions == ["1", ""]
    assert isinstance(news[0], ListingBegan)
    assert "web" in {one.resource.id.name for one in news if isinstance(one, Seen)}


def test_what_may_not_be_listed_is_unknown_and_closes_nothing(
    lite: Store, control_plane: ControlPlane, namespace: str, garrison: Callable[..., Garrison]
) -> None:
    control_plane.apply(listed(pod("web", namespace), *_reader(namespace, "pods", "configmaps")))
    reader = control_plane.user(f"reader-{namespace}", namespace)
    enlist(lite, "one")
    made = garrison(lite, checks(_RULE))
    made.add(context_source("one", kubeconfig=reader))
    made.start()
    until(lambda: made.status()[0].generation == 1, 60)
    assert (_RULE, "web") in findings(lite)
    said = [one.message for one in made.status()[0].problems]
    assert any(one.startswith("`secrets` is unknown") for one in said)
    control_plane.apply(listed(*_reader(namespace, "configmaps")))
    made.check_soon()
    until(lambda: made.status()[0].generation == 2, 60)
    assert (_RULE, "web") in findings(lite)
    assert any(one.message.startswith("`pods` is unknown") for one in made.status()[0].problems)


def _reader(namespace: str, *plurals: str) -> list[dict[str, Any]]:
    """Somebody who may read these kinds and no others."""
    api = "rbac.authorization.k8s.io"
    rules = [{"apiGroups": [""], "resources": list(plurals), "verbs": ["list", "watch"]}]
    role = {"apiVersion": f"{api}/v1", "kind": "ClusterRole", "metadata": {"name": namespace}, "rules": rules}
    bound = {
        "apiVersion": f"{api}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": namespace},
        "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": namespace},
        "subjects": [{"apiGroup": api, "kind": "Group", "name": namespace}],
    }
    return [role, bound]


def test_a_whole_check_and_changes_meanwhile_end_in_one_truth(
    watched: Garrison, lite: Store, control_plane: ControlPlane, namespace: str
) -> None:
    for turn in range(3):
        generation = watched.status()[0].generation
        watched.check_soon()
        bodies = [pod(f"p{number}", namespace) for number in range(turn * 5, turn * 5 + 5)]
        control_plane.apply(listed(*bodies))
        control_plane.run("delete", "pod", "-n", namespace, f"p{turn * 5}", "--now")
        until(lambda before=generation: watched.status()[0].generation > before, 60)
    there = set(control_plane.run("get", "pods", "-n", namespace, "-o", "name").split())
    expected = {one.removeprefix("pod/") for one in there}
    until(lambda: {name for _, name in findings(lite) if name[0] == "p" and name[1:].isdigit()} == expected)
    assert len(expected) == 12
    assert_counts(lite)
