"""What CEL policies ask of a cluster, asked of a real API server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bartizan.app.ambient import ambient
from bartizan.app.live import ClusterLookup
from bartizan.engines.policy.dialects.kyverno import library
from bartizan.lang.cel import CelError, Environment, compile_expression, functions_of
from bartizan.lang.cel.library import KUBERNETES
from bartizan.sources.cluster import connect

if TYPE_CHECKING:
    from tests.controlplane.start import ControlPlane

pytestmark = pytest.mark.xdist_group("cluster")

_REVIEW = (
    '{"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {"user": "nobody", '
    '"resourceAttributes": {"verb": "get", "resource": "pods"}}}'
)
ANSWERS: dict[str, Any] = {
    'resource.get("v1", "namespaces", "", "kube-system").metadata.name': "kube-system",
    'resource.get("v1", "configmaps", "kube-system", "extension-apiserver-authentication").kind': "ConfigMap",
    'dyn(resource.get("v1", "configmaps", "kube-system", "missing")) == null': True,
    'dyn(resource.get("apps/v1", "deployments/scale", "default", "missing")) == null': True,
    'resource.list("v1", "namespaces", "", {"kubernetes.io/metadata.name": "default"}).items.map(x, x.metadata.name)': [
        "default"
    ],
    'resource.list(resource.toGVR("v1", "Namespace"), "").kind': "NamespaceList",
    'resource.list(resource.toGVR("rbac.authorization.k8s.io/v1", "ClusterRole"), "").items.size() > 10': True,
    f'resource.post("authorization.k8s.io/v1", "subjectaccessreviews", dyn({_REVIEW})).status.allowed': False,
    'globalContext.get("Not A Name/../x") == null': True,
    'generator.apply("default", [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}])': True,
}
ERRORS = {
    'resource.toGVR("apps/v1", "Missing")': "failed to map kind to resource: no matches for kind",
    'resource.toGVR("missing/v1", "Missing")': "failed to map kind to resource: no matches for kind",
    'resource.get("v1", "configmaps", "default", "a/b")': "invalid resource name",
    'http.get("https://example.com")': "request failed: services are not called in a run",
}


def run(plane: ControlPlane, expression: str) -> tuple[Any, library.World]:
    functions = functions_of(KUBERNETES, library.FUNCTIONS)
    compiled = compile_expression(expression, Environment(library.VARIABLES, functions, library.OBJECTS))
    with connect(kubeconfig=plane.kubeconfig) as cluster:
        world = library.World(ClusterLookup(cluster), ambient())
        return compiled({name: make() for name, make in library.contexts(world).items()}), world


@pytest.mark.parametrize("expression", ANSWERS)
def test_answer(control_plane: ControlPlane, expression: str) -> None:
    assert run(control_plane, expression)[0] == ANSWERS[expression]


@pytest.mark.parametrize("expression", ERRORS)
def test_error(control_plane: ControlPlane, expression: str) -> None:
    with pytest.raises(CelError, match=ERRORS[expression]):
        run(control_plane, expression)


def test_object_without_namespaces_is_made_without_one(control_plane: ControlPlane) -> None:
    _, world = run(
        control_plane, 'generator.apply("x", [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}])'
    )
    assert world.generated == [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}]


def test_what_is_posted_is_not_kept(control_plane: ControlPlane) -> None:
    body = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "tried"}, "data": {"a": "b"}}'
    posted, _ = run(control_plane, f'resource.post("v1", "configmaps", "default", dyn({body}))')
    assert posted["metadata"]["uid"]
    assert run(control_plane, 'resource.get("v1", "configmaps", "default", "tried")')[0] is None
