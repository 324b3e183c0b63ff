"""Structured merges of random apply configurations, beside server-side apply of a real API server."""

from __future__ import annotations

import json
import random
import ssl
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from tests.controlplane import pki

from bartizan.engines.policy.mutation.errors import PatchError
from bartizan.engines.policy.mutation.structured import apply_configuration
from bartizan.engines.policy.mutation.structured_types import shape_of_kind, shape_of_resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.controlplane.start import ControlPlane

    from bartizan.engines.policy.mutation.structured_types import Shape

pytestmark = pytest.mark.xdist_group("cluster")

Json = Any
_EACH = 80
_NOISE = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp")
_REVISION = "deployment.kubernetes.io/revision"
_WIDGET = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "size": {"type": "integer"},
                "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
                "words": {"type": "array", "items": {"type": "string"}},
                "parts": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name", "side"],
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {
                            "name": {"type": "string"},
                            "side": {"type": "string", "default": "left"},
                            "weight": {"x-kubernetes-int-or-string": True},
                        },
                    },
                },
                "whole": {
                    "type": "object",
                    "x-kubernetes-map-type": "atomic",
                    "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
                },
                "table": {"type": "object", "additionalProperties": {"type": "string"}},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            },
        }
    },
}
_DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.merge.example.com"},
    "spec": {
        "group": "merge.example.com",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
        "scope": "Namespaced",
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": _WIDGET}}],
    },
}


class _Draw:
    """Random parts of objects; `whole` ones have what the API asks for, patches leave it out at times."""

    def __init__(self, seed: str, *, whole: bool) -> None:
        self.random = random.Random(seed)
        self.whole = whole

    def chance(self, of: float) -> bool:
        return self.random.random() < of

    def some(self, names: str, most: int = 3) -> list[str]:
        pool = names.split()
        return self.random.sample(pool, self.random.randint(1, min(most, len(pool))))

    def texts(self) -> dict[str, Json]:
        values = ["1", "2", ""] if self.whole or self.chance(0.9) else ["1", 2, None]
        return {key: self.random.choice(values) for key in self.some("a b example.com/c")}

    def maybe(self, parts: dict[str, Callable[[], Json]], of: float = 0.4) -> dict[str, Json]:
        return {name: part() for name, part in parts.items() if self.chance(of)}

    def ports(self) -> list[Json]:
        found = []
        for number in self.some("80 443 8080"):
            port: dict[str, Json] = {"containerPort": int(number)}
            if self.chance(0.5):
                port["protocol"] = self.random.choice(["TCP", "UDP"])
            if not self.whole and self.chance(0.3):
                port["hostIP"] = "10.0.0.1"
            found.append(port)
        return found

    def env(self) -> list[Json]:
        return [{"name": name, "value": self.random.choice("xyz")} for name in self.some("A B C D")]

    def container(self, name: str) -> Json:
        made = self.maybe(
            {
                "ports": self.ports,
                "env": self.env,
                "args": lambda: self.some("run stop wait"),
                "securityContext": lambda: self.maybe(
                    {
                        "readOnlyRootFilesystem": lambda: self.chance(0.5),
                        "capabilities": lambda: {"drop": self.some("ALL CHOWN KILL")},
                    }
                ),
                "resources": lambda: {"limits": {"memory": self.random.choice(["64Mi", "1Gi"])}},
                "imagePullPolicy": lambda: self.random.choice(["Always", "Never", None]),
                "volumeMounts": lambda: [{"name": "v", "mountPath": f"/{path}"} for path in self.some("m n o")],
            }
        )
        if self.whole or self.chance(0.5):
            made["image"] = self.random.choice(["nginx:1", "redis:7"])
        if self.whole or self.chance(0.97):
            made["name"] = name
        return made

    def pod_spec(self) -> Json:
        made = self.maybe(
            {
                "tolerations": lambda: [{"key": key, "operator": "Exists"} for key in self.some("x y")],
                "nodeSelector": lambda: dict.fromkeys(self.some("disk zone"), "1"),
                "imagePullSecrets": lambda: [{"name": name} for name in self.some("s1 s2 s3")],
                "hostAliases": lambda: [{"ip": f"10.0.0.{n}", "hostnames": self.some("h i")} for n in self.some("1 2")],
                "topologySpreadConstraints": lambda: [
                    {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": self.random.choice(["DoNotSchedule"])}
                    for key in self.some("zone host")
                ],
                "hostNetwork": lambda: self.chance(0.5),
                "securityContext": lambda: self.maybe(
                    {
                        "runAsNonRoot": lambda: True,
                        "sysctls": lambda: [{"name": "kernel.shm_rmid_forced", "value": "1"}],
                    }
                ),
                "initContainers": lambda: [self.container(name) for name in self.some("i j")],
            }
        )
        made["volumes"] = [{"name": "v", "emptyDir": {}}]
        if self.chance(0.4):
            made["volumes"].append({"name": "w", "configMap": {"name": self.random.choice("kl"), "optional": True}})
            self.random.shuffle(made["volumes"])
        if self.whole or self.chance(0.7):
            made["containers"] = [self.container(name) for name in self.some("a b c")]
        if not self.whole and self.chance(0.05):
            made["hostName"] = "typo"
        if not self.whole and self.chance(0.05):
            made["hostname"] = 5
        return made

    def meta(self) -> Json:
        return self.maybe(
            {
                "labels": self.texts,
                "annotations": self.texts,
                "finalizers": lambda: [f"example.com/{name}" for name in self.some("f g h")],
            }
        )

    def template(self) -> Json:
        return {"metadata": {"labels": {"app": "x"}}, "spec": self.pod_spec()}

    def deployment(self) -> Json:
        made: dict[str, Json] = {"template": self.template(), "replicas": 0}
        if self.whole:
            made["selector"] = {"matchLabels": {"app": "x"}}
        elif self.chance(0.3):
            made["strategy"] = {"rollingUpdate": {"maxSurge": self.random.choice([1, "20%"])}}
        return {"spec": made}

    def service(self) -> Json:
        ports = []
        for number in self.some("80 443 53"):
            port: dict[str, Json] = {"port": int(number), "name": f"p{number}"}
            if self.chance(0.4):
                port["protocol"] = "UDP"
                port["name"] += "-udp"
            if self.chance(0.4):
                port["targetPort"] = self.random.choice(["http", 8080])
            ports.append(port)
        return {"spec": {"ports": ports, **self.maybe({"selector": self.texts, "externalIPs": lambda: ["10.1.1.1"]})}}

    def network_policy(self) -> Json:
        rules = {"ports": [{"port": int(n)} for n in self.some("80 443")], "from": [{"podSelector": {}}]}
        made = self.maybe({"ingress": lambda: [rules], "policyTypes": lambda: self.some("Ingress Egress")})
        return {"spec": {"podSelector": {"matchLabels": self.texts()}, **made}}

    def widget(self) -> Json:
        def part(name: str) -> Json:
            sides = {"side": lambda: self.random.choice(["left", "right"])}
            return {"name": name, **self.maybe({**sides, "weight": lambda: self.random.choice([1, "1kg"])})}

        spec = self.maybe(
            {
                "size": lambda: 3 if self.whole or self.chance(0.9) else "three",
                "tags": lambda: self.some("t u v w"),
                "words": lambda: self.some("t u v w"),
                "parts": lambda: [part(name) for name in self.some("p q r")],
                "whole": lambda: dict.fromkeys(self.some("a b"), "1"),
                "table": lambda: dict.fromkeys(self.some("a b c"), "1"),
                "free": lambda: {"deep": {key: [1] for key in self.some("a b c")}},
            },
            0.6,
        )
        if not self.whole and self.chance(0.05):
            spec["tags"] = ["t", "t"]
        return {"spec": spec}


KINDS: dict[str, tuple[str, str, Callable[[_Draw], Json]]] = {
    "PodTemplate": ("v1", "podtemplates", lambda draw: {"template": draw.template()}),
    "Deployment": ("apps/v1", "deployments", _Draw.deployment),
    "Service": ("v1", "services", _Draw.service),
    "NetworkPolicy": ("networking.k8s.io/v1", "networkpolicies", _Draw.network_policy),
    "Widget": ("merge.example.com/v1", "widgets", _Draw.widget),
}


class _Server:
    """The API server, asked for one resource of one namespace."""

    def __init__(self, plane: ControlPlane, namespace: str, kind: str) -> None:
        admin = pki.issue(plane.folder, plane.authority, "merger", "system:masters")
        context = ssl.create_default_context(cafile=str(plane.authority.file))
        context.load_cert_chain(admin.certificate, admin.key)
        self.http = httpx2.Client(base_url=plane.url, verify=context)
        version, resource, _ = KINDS[kind]
        group = f"apis/{version}" if "/" in version else f"api/{version}"
        self.path = f"/{group}/namespaces/{namespace}/{resource}"

    def create(self, body: Json) -> Json:
        return self.http.post(self.path, json=body).json()

    def merge(self, body: Json) -> Json:
        """Server-side apply, tried; the object or a status."""
        path = f"{self.path}/{body['metadata']['name']}?dryRun=All&force=true&fieldManager=test"
        headers = {"content-type": "application/apply-patch+yaml"}
        return self.http.patch(path, content=json.dumps(body), headers=headers).json()

    def update(self, body: Json) -> Json:
        """An update, tried; the object or a status."""
        if body["kind"] == "Deployment":  # its controller has changed it by now
            body = {**body, "metadata": {**body["metadata"], "resourceVersion": ""}}
        path = f"{self.path}/{body['metadata']['name']}?dryRun=All&fieldManager=test"
        return self.http.put(path, json=body).json()


def _bare(body: Json) -> Json:
    """An object without what the server counts; the same whatever order its keys have."""
    kept = {key: item for key, item in body["metadata"].items() if key not in _NOISE}
    notes = {key: item for key, item in kept.pop("annotations", {}).items() if key != _REVISION}
    kept |= {"annotations": notes} if notes else {}
    return {**{key: item for key, item in body.items() if key != "status"}, "metadata": kept}


def _shape(kind: str) -> Shape:
    shape = shape_of_resource(_WIDGET) if kind == "Widget" else shape_of_kind(KINDS[kind][0], kind)
    assert shape is not None
    return shape


@pytest.fixture(scope="module")
def definitions(control_plane: ControlPlane) -> None:
    control_plane.apply(json.dumps(_DEFINITION))
    control_plane.run("wait", "--for=condition=Established", "crd/widgets.merge.example.com")


@pytest.mark.usefixtures("definitions")
@pytest.mark.parametrize("kind", KINDS)
def test_merge_is_that_of_the_server(
    control_plane: ControlPlane, namespace: str, kind: str, request: pytest.FixtureRequest
) -> None:
    version, _, draw = KINDS[kind]
    server = _Server(control_plane, namespace, kind)
    request.addfinalizer(server.http.close)
    seen = {"merged": 0, "unfit": 0}
    for index in range(_EACH):
        head = {"apiVersion": version, "kind": kind}
        name = {"name": f"o{index}", "namespace": namespace}
        whole, part = _Draw(f"live {index}", whole=True), _Draw(f"patch {index}", whole=False)
        live = server.create({**head, "metadata": {**whole.meta(), **name}, **draw(whole)})
        patch = {**head, "metadata": {**part.meta(), **name}, **draw(part)}
        said = server.merge(patch)
        try:
            merged = apply_configuration(live, patch, _shape(kind), guard=False)
        except PatchError as error:
            assert said["kind"] == "Status", patch
            words = error.message.partition("typed object: ")[2]
            assert sorted(words.splitlines()) == sorted(said["message"].split("): ", 1)[-1].splitlines())
            seen["unfit"] += 1
            continue
        ours = server.update(merged)
        if said["kind"] == "Status":  # no fault of the merge: the result is invalid
            assert ours["kind"] == "Status", (patch, said)
            continue
        assert ours["kind"] == kind, (patch, ours)
        assert _bare(ours) == _bare(said), patch
        seen["merged"] += 1
    assert seen["merged"] > _EACH // 2
    assert seen["unfit"] > 0
