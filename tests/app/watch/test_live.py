"""A real API server, watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.app.watch.fleet import checks, enlist, findings, listed, pod, until

from bartizan.app.watch.sources import context_source

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
