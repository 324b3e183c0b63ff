"""Random rules that mutate, asked of the peer and of Bartizan one by one; the mutated objects are compared."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from bartizan.app.ambient import ambient
from bartizan.base.errors import SpecError
from bartizan.engines.policy.chain import run_chain
from bartizan.engines.policy.dialects.kyverno import compile_policy, expression_compiler
from bartizan.engines.policy.lookup import Offline
from bartizan.engines.policy.mutation.same import same
from bartizan.model.outcome import Broken
from bartizan.model.request import Request
from bartizan.model.resource import Resource, resource_from
from tools import gobuild

if TYPE_CHECKING:
    from random import Random

    from bartizan.engines.policy.plan import Rule

    Document = dict[str, Any]

_TIMEOUT_S: Final = 60
_PATHS: Final = (
    *("/metadata/labels/a", "/metadata/annotations/x~1y", "/metadata/labels", "/metadata/name/x", "/data/a"),
    *("/spec/containers/0/image", "/spec/containers/-", "/spec/containers/-1", "/spec/containers/1"),
    *("/spec/containers/0/env/-", "/spec/containers/5/image", "/spec/containers/0/ports/0/containerPort"),
    *("/spec/new/deep/0", "/spec/new/deep/2/x", "/spec/volumes/0", "/spec/replicas", "/spec/x/-"),
)
_NAMES: Final = ("web", "api", "log")
_IMAGES: Final = ("nginx", "nginx:1.27", "busybox:latest", "ghcr.example/a/b:1")


def compare(chance: Random, number: int, shown: int) -> int:
    """Ask about `number` policies; how many answers differ."""
    resources = [_resource(chance, index) for index in range(12)]
    total = different = refused = 0
    for index in range(number):
        policy = _policy(chance, index)
        theirs = _ask_peer(policy, resources)
        ours = _ask_us(policy, resources)
        if theirs is None:
            refused += 1
            continue
        wrong = [name for name in theirs if not same(theirs[name], ours.get(name))]
        total += len(theirs)
        different += len(wrong)
        for name in wrong[: 1 if shown > 0 else 0]:
            shown -= 1
            before = next(item for item in resources if item["metadata"]["name"] == name)
            print(f"  {json.dumps(policy['spec']['rules'][0]['mutate'])}")
            print(f"    before {json.dumps(before)}")
            print(f"    peer   {json.dumps(theirs[name], sort_keys=True)}")
            print(f"    here   {json.dumps(ours.get(name), sort_keys=True)}")
    print(f"mutate: {total} results, {different} different, {refused} policies refused")
    return different


def _ask_peer(policy: Document, resources: list[Document]) -> dict[str, Any] | None:
    """The objects afterwards, by name; text for an error; nothing where the peer refuses the policy or ends."""
    program = gobuild.ensure("kyverno")["kyverno"]
    with tempfile.TemporaryDirectory() as folder:
        rules, objects, made = (Path(folder) / name for name in ("policy.yaml", "objects.yaml", "made.yaml"))
        rules.write_text(json.dumps(policy))
        objects.write_text("\n---\n".join(map(json.dumps, resources)))
        command = [str(program), "apply", str(rules), "--resource", str(objects), "-o", str(made), "--detailed-results"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            return None
        said = done.stdout + done.stderr
        if "panic:" in said or "Policies Skipped" in said:
            return None
        text = made.read_text() if made.exists() else ""
    after = {item["metadata"]["name"]: item for item in resources}
    for document in yaml.load_all(text, Loader=yaml.CSafeLoader):
        if document:
            after[document["metadata"]["name"]] = document
    return after


def _ask_us(policy: Document, resources: list[Document]) -> dict[str, Any]:
    try:
        compiled = compile_policy(policy, expression_compiler(ambient()))
    except SpecError:
        return {item["metadata"]["name"]: item for item in resources}
    after = {}
    for body in resources:
        resource = resource_from(body)

        def request_for(rule: Rule, resource: Resource) -> Request:  # noqa: ARG001 (the port's shape)
            return Request(resource=resource, namespace_labels={})

        steps = run_chain(compiled.rules, resource, request_for, Offline())
        broken = any(isinstance(step.outcome, Broken) for step in steps)
        after[body["metadata"]["name"]] = body if broken or not steps else steps[-1].resource.body
    return after


# what is asked


def _policy(chance: Random, number: int) -> Document:
    kind = chance.choice(["Pod", "Pod", "Deployment", "Service", "Widget", "ConfigMap"])
    mutate: Document
    way = chance.random()
    if way < 0.6:
        mutate = {"patchStrategicMerge": _patch(chance, kind)}
    elif way < 0.8:
        mutate = {"patchesJson6902": json.dumps([_operation(chance) for _ in range(chance.randint(1, 3))])}
    else:
        mutate = {"foreach": [_loop(chance)]}
    rule = {"name": "r", "match": {"any": [{"resources": {"kinds": [kind]}}]}, "mutate": mutate}
    return {
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": {"name": f"p{number:04}", "annotations": {"pod-policies.kyverno.io/autogen-controllers": "none"}},
        "spec": {"background": False, "rules": [rule]},
    }


def _anchored(chance: Random, key: str, *, weights: tuple[int, ...] = (60, 15, 20, 5)) -> str:
    anchor = chance.choices(["", "(", "+(", "<("], weights)[0]
    return f"{anchor}{key})" if anchor else key


def _patch(chance: Random, kind: str) -> Document:
    patch: Document = {}
    if chance.random() < 0.5:
        patch["metadata"] = {"labels": _labels(chance)}
        if chance.random() < 0.3:
            patch["metadata"]["annotations"] = chance.choice([{"a": "b"}, {}, None, {"+(a)": "c"}])
        if chance.random() < 0.2:
            patch["metadata"]["finalizers"] = chance.choice([["x/y"], ["a/b", "x/y"]])
    if kind == "Service":
        patch[_anchored(chance, "spec", weights=(90, 5, 5, 0))] = {"ports": _ports(chance, "port")}
    elif kind == "ConfigMap":
        patch["data"] = {
            _anchored(chance, key): chance.choice(["1", "x", None, "x*"]) for key in chance.sample("abc", 2)
        }
    elif kind == "Widget":
        patch["spec"] = {"size": chance.choice([1, None, 2]), "parts": [_container(chance)]}
    elif kind == "Deployment":
        patch["spec"] = {"template": {"spec": _pod_spec(chance)}}
        if chance.random() < 0.4:
            patch["spec"][_anchored(chance, "replicas")] = chance.choice([1, 3, ">1", None])
    else:
        patch["spec"] = _pod_spec(chance)
    return patch


def _labels(chance: Random) -> Document:
    return {
        _anchored(chance, key): chance.choice(["1", "x", None, "?*"])
        for key in chance.sample("abc", chance.randint(0, 2))
    }


def _pod_spec(chance: Random) -> Document:
    spec: Document = {}
    if chance.random() < 0.85:
        spec["containers"] = [_container(chance)]
        # two elements with anchors lose each other in the peer
        if "(" not in json.dumps(spec["containers"]) and chance.random() < 0.5:
            spec["containers"].append({"name": "log", "image": "busybox"})
    if chance.random() < 0.25:
        spec[_anchored(chance, "securityContext")] = {_anchored(chance, "runAsNonRoot"): True}
    if chance.random() < 0.2:
        spec["volumes"] = [
            chance.choice(
                [{"name": "v", "emptyDir": {}}, {"(emptyDir)": {}, "x": 1}, {"name": "w", "$patch": "delete"}]
            )
        ]
    if chance.random() < 0.15:
        spec["tolerations"] = [{"key": "a"}]
    if chance.random() < 0.15:
        spec["initContainers"] = [_container(chance)]
    if chance.random() < 0.1:
        spec["nodeSelector"] = chance.choice([None, {"$patch": "replace", "x": "y"}, {"$patch": "delete"}, {"x": "z"}])
    return spec


def _container(chance: Random) -> Document:
    made: Document = {}
    way = chance.random()
    if way < 0.45:
        made["(name)"] = chance.choice(["*", "?*", "web", "!web"])
    elif way < 0.65:
        made["(image)"] = chance.choice(["*:latest", "nginx*", "*"])
    else:  # without a name the peer deletes every container there is
        made["name"] = chance.choice(_NAMES)
    if chance.random() < 0.4:
        made[_anchored(chance, "imagePullPolicy")] = chance.choice(["Always", "IfNotPresent", None])
    if chance.random() < 0.4:
        limits = {
            _anchored(chance, key, weights=(40, 10, 50, 0)): chance.choice(["1", "100Mi", 1])
            for key in chance.sample(["cpu", "memory"], 2)
        }
        made["resources"] = {"limits": limits}
    if chance.random() < 0.3:
        made[_anchored(chance, "securityContext", weights=(60, 20, 20, 0))] = {
            _anchored(chance, "privileged"): chance.choice([False, True, "false"])
        }
    if chance.random() < 0.25:
        made["env"] = [{"name": chance.choice("AB"), "value": "v"}]
    if chance.random() < 0.2:
        made["ports"] = _ports(chance, "containerPort")
    if chance.random() < 0.05:
        made["$patch"] = chance.choice(["delete", "merge"])
    return made


def _ports(chance: Random, key: str) -> list[Document]:
    return [
        {
            key: chance.choice([80, 443]),
            **chance.choice([{}, {"protocol": "TCP"}, {"protocol": "UDP"}]),
            **chance.choice([{}, {"name": "h"}]),
        }
        for _ in range(chance.randint(1, 2))
    ]


def _loop(chance: Random) -> Document:
    loop: Document = {
        "list": chance.choice(["request.object.spec.containers", "request.object.spec.containers[?image=='nginx']"])
    }
    if chance.random() < 0.3:
        loop["order"] = chance.choice(["Ascending", "Descending"])
    if chance.random() < 0.4:
        condition = {"key": "{{ element.name }}", "operator": "In", "value": ["web", "api"]}
        loop["preconditions"] = {"all": [condition]}
    if chance.random() < 0.5:
        path = "/spec/containers/{{elementIndex}}/" + chance.choice(
            ["imagePullPolicy", "env/-", "securityContext/privileged"]
        )
        operation = {
            "op": chance.choice(["add", "add", "replace", "remove"]),
            "path": path,
            "value": chance.choice(["x", True, {"name": "N"}]),
        }
        loop["patchesJson6902"] = json.dumps([operation])
    else:
        loop["patchStrategicMerge"] = {
            "spec": {
                "containers": [{"name": "{{ element.name }}", "image": "r/{{ element.image }}", **_container(chance)}]
            }
        }
        if chance.random() < 0.5:
            loop["patchStrategicMerge"]["spec"]["containers"][0] = {
                "(name)": "{{ element.name }}",
                "image": "r/{{element.image}}",
            }
    return loop


def _operation(chance: Random) -> Document:
    path = chance.choice(_PATHS)
    operation = {"op": chance.choice(["add", "add", "add", "replace", "remove", "copy", "move", "test"]), "path": path}
    if operation["op"] in ("copy", "move"):
        operation["from"] = chance.choice(
            ["/metadata/labels", "/spec/containers/0", "/nothing", "/spec/containers/0/image"]
        )
    else:
        operation["value"] = chance.choice(["x", 1, {"name": "n"}, ["a"], None, True, {"a": "1"}])
    return operation


def _resource(chance: Random, number: int) -> Document:
    kind = chance.choice(["Pod", "Pod", "Pod", "Deployment", "Deployment", "Service", "ConfigMap", "Widget"])
    metadata: Document = {"name": f"n{number:02}", "namespace": "shop"}
    if chance.random() < 0.6:
        metadata["labels"] = {key: chance.choice(["1", "x"]) for key in chance.sample("abc", chance.randint(1, 2))}
    if chance.random() < 0.3:
        metadata["annotations"] = {"a": "z"}
    if chance.random() < 0.2:
        metadata["finalizers"] = ["a/b"]
    version = {"Deployment": "apps/v1", "Widget": "example.com/v1"}.get(kind, "v1")
    made: Document = {"apiVersion": version, "kind": kind, "metadata": metadata}
    if kind == "Service":
        made["spec"] = {
            "ports": [{"port": 80, "protocol": "TCP", "name": "a"}, {"port": 80, "protocol": "UDP", "name": "b"}][
                : chance.randint(1, 2)
            ]
        }
    elif kind == "ConfigMap":
        made["data"] = {key: chance.choice(["1", "x", "y"]) for key in chance.sample("abc", 2)}
    elif kind == "Widget":
        made["spec"] = {"size": 1, "parts": [{"name": "web", "image": "nginx"}]}
    elif kind == "Deployment":
        made["spec"] = {"replicas": chance.choice([1, 2]), "template": {"spec": _real_spec(chance)}}
    else:
        made["spec"] = _real_spec(chance)
    return made


def _real_spec(chance: Random) -> Document:
    spec: Document = {
        "containers": [_real_container(chance, name) for name in chance.sample(_NAMES, chance.randint(1, 3))]
    }
    if chance.random() < 0.4:
        spec["volumes"] = [{"name": "v", "emptyDir": {}}, {"name": "w", "hostPath": {"path": "/x"}}][
            : chance.randint(1, 2)
        ]
    if chance.random() < 0.3:
        spec["securityContext"] = chance.choice([{}, {"runAsNonRoot": False}, {"runAsUser": 1}])
    if chance.random() < 0.3:
        spec["nodeSelector"] = {"x": "1", "q": "2"}
    if chance.random() < 0.2:
        spec["tolerations"] = [{"key": "b"}]
    return spec


def _real_container(chance: Random, name: str) -> Document:
    made: Document = {"name": name, "image": chance.choice(_IMAGES)}
    if chance.random() < 0.4:
        made["imagePullPolicy"] = chance.choice(["Always", "Never"])
    if chance.random() < 0.4:
        made["resources"] = {"limits": dict.fromkeys(chance.sample(["cpu", "memory"], chance.randint(0, 2)), "2")}
    if chance.random() < 0.3:
        made["env"] = [{"name": key, "value": "1"} for key in chance.sample("AB", chance.randint(1, 2))]
    if chance.random() < 0.3:
        made["ports"] = [{"containerPort": 80, "protocol": "TCP"}, {"containerPort": 443}][: chance.randint(1, 2)]
    if chance.random() < 0.3:
        made["securityContext"] = chance.choice([{}, {"privileged": True}, {"privileged": False, "runAsUser": 0}])
    return made
