"""Who may do what by the RBAC objects of a real cluster: decided here, and by reviews that its API server answers."""

from __future__ import annotations

from contextlib import closing
from itertools import product
from typing import TYPE_CHECKING, Final

import pytest
from tests.engines.policy.kubernetes.server import Server

from bartizan.app.live import ClusterLookup
from bartizan.engines.policy.cel.rbac import decide, rbac_of
from bartizan.engines.policy.lookup import AccessQuestion
from bartizan.sources.cluster import connect

if TYPE_CHECKING:
    from tests.controlplane.start import ControlPlane

pytestmark = pytest.mark.xdist_group("cluster")

_ALL: Final = ("system:authenticated",)
_ACCOUNTS: Final = ("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated")
_USERS: Final = (
    ("admin", ("system:masters", "system:authenticated")),
    ("alice", _ALL),
    ("nobody", ("system:unauthenticated",)),
    ("system:kube-scheduler", _ALL),
    ("system:kube-controller-manager", _ALL),
    ("system:serviceaccount:kube-system:job-controller", _ACCOUNTS),
    ("system:serviceaccount:kube-system:generic-garbage-collector", _ACCOUNTS),
)
_DEEDS: Final = (
    {"group": "", "resource": "pods"},
    {"group": "", "resource": "pods", "subresource": "status", "namespace": "kube-system"},
    {"group": "", "resource": "configmaps", "namespace": "kube-system", "name": "extension-apiserver-authentication"},
    {"group": "", "resource": "secrets", "namespace": "default"},
    {"group": "batch", "resource": "jobs", "namespace": "default", "name": "x"},
    {"group": "coordination.k8s.io", "resource": "leases", "namespace": "kube-system", "name": "kube-scheduler"},
    {"group": "authorization.k8s.io", "resource": "selfsubjectaccessreviews"},
    {"path": "/healthz"},
    {"path": "/api/v1/nodes"},
    {"path": "/metrics"},
)
_VERBS: Final = ("get", "create", "update", "delete")


def test_the_server_allows_the_same(control_plane: ControlPlane) -> None:
    with closing(Server(control_plane)) as server:
        assert server.ask("GET", "/readyz").status == 200
    cluster = connect(kubeconfig=control_plane.kubeconfig, context="", in_cluster=False)
    lookup = ClusterLookup(cluster)
    try:
        rbac = rbac_of(lookup)
        differing, allowed, asked = [], 0, 0
        for (user, groups), deed, verb in product(_USERS, _DEEDS, _VERBS):
            question = AccessQuestion(user, groups, verb, **deed)
            theirs = lookup.answer(question)
            ours = decide(question, rbac)
            asked, allowed = asked + 1, allowed + ours.allowed
            if theirs["allowed"] != ours.allowed or bool(theirs.get("reason")) != bool(ours.reason):
                differing.append((user, verb, deed, theirs, ours))
    finally:
        cluster.close()
    assert not differing
    assert 40 < allowed < asked - 40
