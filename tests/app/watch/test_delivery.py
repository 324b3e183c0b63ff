"""Roll-outs as watches see them, kept once on both engines and read within a scope."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.app.watch.fleet import Post, Shelf, checks, deployment, enlist, listed, until

from bartizan.app.watch.delivery import Delivery
from bartizan.app.watch.sources import context_source
from bartizan.base.errors import StoreError
from bartizan.model.delivery import (
    Capacity,
    RolledBack,
    RolloutBegan,
    RolloutFailed,
    RolloutSucceeded,
    SightLost,
    SightRegained,
)
from bartizan.model.resource import resource_from
from bartizan.stores import rollouts
from bartizan.stores.known import Known
from bartizan.stores.scope import EVERYTHING, Grant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.controlplane.start import ControlPlane

    from bartizan.app.watch.garrison import Garrison
    from bartizan.stores.open import Store
    from bartizan.stores.rollouts import Happening

_START = datetime(2026, 3, 1, 9, tzinfo=UTC)


class Clock:
    """A clock that goes a minute at every look."""

    def __init__(self) -> None:
        self.now = _START

    def __call__(self) -> datetime:
        """Now."""
        self.now += timedelta(minutes=1)
        return self.now


def _deployment(image: str, generation: int, *, ready: bool, namespace: str = "shop") -> dict[str, Any]:
    body = deployment(namespace=namespace, replicas=2)
    body["metadata"] |= {
        "uid": f"u-{namespace}",
        "generation": generation,
        "labels": {"app.kubernetes.io/part-of": "till"},
    }
    body["spec"]["template"]["spec"]["containers"][0]["image"] = image
    number = 2 if ready else 1
    body["status"] = {
        "observedGeneration": generation,
        "replicas": 2,
        "updatedReplicas": number,
        "availableReplicas": number,
    }
    return body


def _tell(delivery: Delivery, *bodies: dict[str, Any]) -> None:
    for body in bodies:
        delivery.seen("one", "changed", resource_from(body))


def test_a_rollout_and_its_way_back_are_kept_once_and_read_within_a_scope(store: Store) -> None:
    post = Post(store, Shelf(_deployment("a:1", 1, ready=True)), checks("privileged-container"))
    post.check()
    known = Known(store)
    kept: list[Sequence[Happening]] = []

    def keep(cluster: str, events: Sequence[Happening]) -> None:
        kept.append(events)
        rollouts.keep(store, known, cluster, events)

    delivery = Delivery(keep, Clock())
    _tell(
        delivery,
        _deployment("a:1", 1, ready=True),
        _deployment("a:2", 2, ready=False),
        _deployment("a:2", 2, ready=True),
        _deployment("a:1", 3, ready=True),
        _deployment("b:1", 1, ready=True, namespace="bank"),
    )
    delivery.sight("one", there=False)
    delivery.flush(["one"])
    delivery.flush(["one"])
    assert len(kept) == 1
    with store.reading() as connection:
        read = rollouts.read(connection, EVERYTHING, _START + timedelta(days=1))
        mine = rollouts.read(connection, (Grant(teams=("till",)),), _START + timedelta(days=1))
        nothing = rollouts.read(connection, (Grant(clusters=("two",)),), _START + timedelta(days=1))
        early = rollouts.read(connection, EVERYTHING, _START + timedelta(minutes=2), _START)
    assert read == sorted(kept[0], key=lambda event: event.at)
    assert [type(event) for event in read if not isinstance(event, Capacity)] == [
        RolloutBegan,
        RolloutSucceeded,
        RolloutBegan,
        RolloutSucceeded,
        RolledBack,
        RolloutSucceeded,
        RolloutBegan,
        RolloutSucceeded,
        SightLost,
    ]
    # nobody has told the store of the workload in `bank`, so that whose it is is not known
    assert {event.workload.namespace for event in mine if not isinstance(event, SightLost)} == {"shop"}
    assert isinstance(mine[-1], SightLost)
    assert nothing == []
    assert {event.at for event in early} == {_START + timedelta(minutes=1)}
    assert rollouts.keep(store, known, "one", kept[0]) == 0


def test_what_could_not_be_kept_is_kept_later() -> None:
    kept: list[Happening] = []
    away = True

    def keep(_cluster: str, events: Sequence[Happening]) -> None:
        if away:
            raise StoreError("away")
        kept.extend(events)

    delivery = Delivery(keep, Clock())
    delivery.begin("one", _START - timedelta(hours=1))
    _tell(delivery, _deployment("a:1", 1, ready=False))
    with pytest.raises(StoreError):
        delivery.flush(["one"])
    _tell(delivery, _deployment("a:1", 1, ready=True))
    away = False
    delivery.flush(["one"])
    assert [type(event) for event in kept] == [
        SightLost,
        SightRegained,
        RolloutBegan,
        Capacity,
        RolloutSucceeded,
        Capacity,
    ]
    assert kept[0].at == _START - timedelta(hours=1)


@pytest.mark.xdist_group("cluster")
def test_a_rollout_in_a_real_cluster_is_seen(
    lite: Store, control_plane: ControlPlane, namespace: str, garrison: Callable[..., Garrison]
) -> None:
    enlist(lite, "one")
    made = garrison(lite, checks("privileged-container"))
    made.add(context_source("one", kubeconfig=control_plane.kubeconfig))
    made.start()
    until(lambda: made.status()[0].generation == 1, 60)
    body = deployment(namespace=namespace, progressDeadlineSeconds=1)
    control_plane.apply(listed(body))

    def seen() -> list[type]:
        with lite.reading() as connection:
            read = rollouts.read(connection, (Grant(namespaces=(namespace,)),), datetime.now(UTC))
        return [type(event) for event in read if not isinstance(event, SightLost | SightRegained)]

    until(lambda: RolloutFailed in seen(), 30)  # no node runs its pods, and its time passes
    assert seen()[0] is RolloutBegan
