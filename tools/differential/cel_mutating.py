"""Random MutatingPolicies; the mutated objects are compared.

Several are asked about at once: each has a namespace of its own, with its
objects in it. The peer's command line does not judge MutatingAdmissionPolicies
as the API server does (it takes every list for one value, and forgets what
they match), so those are asked of the API server alone, by the tests.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml

from bartizan.app.ambient import ambient
from bartizan.app.policies import compile_document
from bartizan.base.errors import SpecError
from bartizan.engines.policy.chain import run_chain
from bartizan.engines.policy.dialects.kyverno import expression_compiler
from bartizan.engines.policy.lookup import Offline
from bartizan.engines.policy.mutation.same import same
from bartizan.model.outcome import Broken
from bartizan.model.request import Request
from bartizan.model.resource import Resource, resource_from
from tools import gobuild
from tools.differential import cel_matching as parts

if TYPE_CHECKING:
    from random import Random

    from bartizan.engines.policy.plan import Rule

    Document = dict[str, Any]

_TIMEOUT_S: Final = 60
_BATCH: Final = 8
_REFUSED: Final = re.compile(r"compile policy (p\d{4})")
_OBJECTS: Final = 3
_KINDS: Final = {"pods": "", "deployments": "apps", "cronjobs": "batch", "services": "", "configmaps": ""}


class _Asked(NamedTuple):
    """A policy, and the objects in its namespace."""

    name: str
    policy: Document
    objects: list[Document]


def compare(chance: Random, number: int, shown: int) -> int:
    """Ask about `number` policies; how many answers differ."""
    asked = [_question(chance, index) for index in range(number)]
    total = different = refused = 0
    for start in range(0, number, _BATCH):
        batch = asked[start : start + _BATCH]
        theirs, gone = _ask_peer(batch)
        for one in batch:
            ours = _ask_us(one)
            if one.name in gone or ours is None:
                refused += 1
                if one.name in gone and ours is None:
                    continue
                total, different, shown = total + 1, different + 1, shown - 1
                if shown >= 0:
                    print(f"  {json.dumps(one.policy['spec'])}")
                    print(f"    refused by {'the peer' if one.name in gone else 'us'} alone: {gone.get(one.name, '')}")
                continue
            wrong = [key for key in ours if not same(theirs.get(key), ours[key])]
            total += len(ours)
            different += len(wrong)
            for key in wrong[: 1 if shown > 0 else 0]:
                shown -= 1
                before = next(item for item in one.objects if item["metadata"]["name"] == key)
                print(f"  {json.dumps(one.policy['spec'])}")
                print(f"    before {json.dumps(before, sort_keys=True)}")
                print(f"    peer   {json.dumps(theirs.get(key), sort_keys=True)}")
                print(f"    here   {json.dumps(ours[key], sort_keys=True)}")
    print(f"cel-mutating: {total} results, {different} different, {refused} policies refused")
    return different


def _ask_peer(batch: list[_Asked]) -> tuple[dict[str, Document], dict[str, str]]:
    """The objects afterwards, by name, and why policies were refused."""
    program = str(gobuild.ensure("kyverno")["kyverno"])
    gone: dict[str, str] = {}
    left = list(batch)
    while left:
        with tempfile.TemporaryDirectory() as folder:
            rules, objects, values, made = (Path(folder) / f"{name}.yaml" for name in ("p", "o", "v", "made"))
            rules.write_text("\n---\n".join(json.dumps(one.policy) for one in left))
            objects.write_text("\n---\n".join(json.dumps(item) for one in left for item in one.objects))
            spaces = [{"name": _space(one.name), "labels": {"for": one.name}} for one in left]
            head = {"apiVersion": "cli.kyverno.io/v1alpha1", "kind": "Values", "metadata": {"name": "v"}}
            values.write_text(json.dumps(head | {"namespaceSelector": spaces}))
            command = [program, "apply", str(rules), "--resource", str(objects), "-f", str(values), "-o", str(made)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
            text = made.read_text() if made.exists() else ""
        if "Error: " not in done.stderr and "panic:" not in done.stderr:
            break
        found = _REFUSED.search(done.stderr)
        named = [one for one in left if found and one.name == found[1]]
        if not named and len(left) > 1:
            for one in left:
                _, alone = _ask_peer([one])
                gone.update(alone)
            left = [one for one in left if one.name not in gone]
            continue
        gone.update({one.name: done.stderr[-700:] for one in named or left})
        left = [one for one in left if one.name not in gone]
    after = {item["metadata"]["name"]: item for one in left for item in one.objects}
    for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if left else ():
        if document:
            after[document["metadata"]["name"]] = document
    return after, gone


def _ask_us(one: _Asked) -> dict[str, Document] | None:
    """The objects afterwards, by name; nothing where the policy is refused."""
    try:
        rules = compile_document(one.policy, expression_compiler(ambient()), []).rules
    except SpecError:
        return None
    after = {}
    for body in one.objects:
        resource = resource_from(body)

        def request_for(rule: Rule, resource: Resource) -> Request:  # noqa: ARG001 (the port's shape)
            return Request(resource=resource, namespace_labels={"for": one.name})

        steps = run_chain(rules, resource, request_for, Offline())
        broken = any(isinstance(step.outcome, Broken) for step in steps)
        after[body["metadata"]["name"]] = body if broken or not steps else steps[-1].resource.body
    return after


def _space(name: str) -> str:
    return f"n-{name}"


# what is asked


def _question(chance: Random, index: int) -> _Asked:
    name = f"p{index:04}"
    about = chance.choice(["pods", "pods", "pods", "deployments", "services", "configmaps"])
    rules = [
        {
            "apiGroups": [_KINDS[about]],
            "apiVersions": ["v1"],
            "operations": chance.choice([["CREATE"], ["CREATE", "UPDATE"], ["*"]]),
            "resources": [about],
        }
    ]
    match = {"resourceRules": rules, "namespaceSelector": {"matchLabels": {"for": name}}}
    spec: Document = {"matchConstraints": match, "mutations": []}
    spec["mutations"] = [_mutation(chance, about) for _ in range(chance.choice([1, 1, 2]))]
    if chance.random() < 0.3:
        conditions = ["object.metadata.name != ''", "has(object.metadata.labels)", "object.spec.x == 1.0"]
        spec["matchConditions"] = [{"name": "c", "expression": chance.choice(conditions)}]
    spec["variables"] = [{"name": "v", "expression": "object.metadata.name + '-v'"}]
    objects = [_object(chance, name, about, count) for count in range(_OBJECTS)]
    if chance.random() < 0.2:
        spec["autogen"] = {"podControllers": {"controllers": chance.choice([[], ["deployments"], ["cronjobs"]])}}
    head = {"apiVersion": "policies.kyverno.io/v1", "kind": "MutatingPolicy", "metadata": {"name": name}}
    return _Asked(name, {**head, "spec": spec}, objects)


def _mutation(chance: Random, about: str) -> Document:
    if chance.random() < 0.45:
        steps = ", ".join(_step(chance, about) for _ in range(chance.choice([1, 1, 2])))
        text = f"[{steps}]" if chance.random() < 0.85 else f"has(object.metadata.labels) ? [{steps}] : []"
        return {"patchType": "JSONPatch", "jsonPatch": {"expression": text}}
    return {
        "patchType": "ApplyConfiguration",
        "applyConfiguration": {"expression": f"Object{{{_fields(chance, about)}}}"},
    }


def _fields(chance: Random, about: str) -> str:
    made = []
    if chance.random() < 0.4:
        made.append(f"metadata: Object.metadata{{{chance.choice(_METADATA)}}}")
    if about == "configmaps":
        made.append(
            chance.choice(
                [
                    'data: {"a": "9"}',
                    'data: Object.data{a: "9"}',
                    "data: object.data",
                    'data: {"a": dyn(1)}',
                    "data: {}",
                ]
            )
        )
    elif about == "services":
        made.append("spec: Object.spec{" + chance.choice(_SERVICE) + "}")
    elif about == "deployments":
        inner = _pod(chance, "Object.spec.template.spec")
        made.append(
            f"spec: Object.spec{{template: Object.spec.template{{spec: Object.spec.template.spec{{{inner}}}}}}}"
        )
    elif chance.random() < 0.9:
        made.append(f"spec: Object.spec{{{_pod(chance, 'Object.spec')}}}")
    return ", ".join(made)


_METADATA: Final = (
    *(
        'labels: {"a": "2"}',
        'labels: Object.metadata.labels{a: "2"}',
        'annotations: {"x/y": "z"}',
        "labels: {}",
        "labels: null",
    ),
    *(
        'finalizers: ["a/b"]',
        'finalizers: ["c/d", "a/b"]',
        'labels: {"a": dyn(1)}',
        'name: "other"',
        'labels: {"v": object.metadata.name}',
    ),
    *(
        "?labels: object.metadata.?labels",
        'labels: {?"q": object.metadata.?labels["a"]}',
        "labels: object.metadata.labels",
    ),
)
_SERVICE: Final = (
    *(
        "ports: [Object.spec.ports{port: 80, name: 'x'}]",
        "ports: [Object.spec.ports{port: 80, protocol: 'TCP', name: 'x'}]",
    ),
    *(
        "selector: {'a': 'b'}",
        "type: 'NodePort'",
        "externalIPs: ['1.2.3.4']",
        "ports: []",
        "clusterIP: 'None', clusterIPs: ['None']",
    ),
)


def _pod(chance: Random, path: str) -> str:
    choices = (
        *(f"containers: [{_container(chance, path)}]",) * 5,
        f"containers: [{_container(chance, path)}, {_container(chance, path)}]",
        f"containers: object.spec.containers.map(c, {path}.containers{{name: c.name, image: 'r/' + c.image}})",
        f"containers: object.spec.containers.filter(c, c.name == 'web').map(c, {path}.containers{{name: c.name, {_member(chance, path)}}})",  # noqa: E501 (one expression)
        f"initContainers: [{path}.initContainers{{name: 'init', image: 'i'}}]",
        f"volumes: [{path}.volumes{{name: 'v', emptyDir: {path}.volumes.emptyDir{{}}}}]",
        f"volumes: [{path}.volumes{{name: 'v', hostPath: {path}.volumes.hostPath{{path: '/x'}}}}]",
        f"tolerations: [{path}.tolerations{{key: 'a', operator: 'Exists'}}]",
        "nodeSelector: {'x': 'y'}",
        f"nodeSelector: {path}.nodeSelector{{x: 'y'}}",
        "hostNetwork: false",
        "hostNetwork: 'no'",
        "unknown: 1",
        f"securityContext: {path}.securityContext{{runAsNonRoot: true}}",
        f"securityContext: {path}.securityContext{{supplementalGroups: [1, 2]}}",
        f"securityContext: {path}.securityContext{{seccompProfile: {path}.securityContext.seccompProfile{{type: 'RuntimeDefault'}}}}",  # noqa: E501 (one expression)
        f"imagePullSecrets: [{path}.imagePullSecrets{{name: 's'}}]",
        "activeDeadlineSeconds: 5",
        "serviceAccountName: variables.v",
        f"topologySpreadConstraints: [{path}.topologySpreadConstraints{{maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'DoNotSchedule'}}]",  # noqa: E501 (one expression)
        f"hostAliases: [{path}.hostAliases{{ip: '1.2.3.4', hostnames: ['x']}}]",
    )
    return ", ".join(chance.sample(choices, chance.choice([1, 1, 2])))


def _container(chance: Random, path: str) -> str:
    name = chance.choice(["'web'", "'log'", "'new'", "object.metadata.name"])
    extra = _member(chance, path)
    return f"{path}.containers{{name: {name}, {extra}}}" if chance.random() < 0.93 else f"{path}.containers{{{extra}}}"


def _member(chance: Random, path: str) -> str:
    here = f"{path}.containers"
    return chance.choice(
        (
            "image: 'changed'",
            "args: ['x', 'y']",
            "command: []",
            f"env: [{here}.env{{name: 'A', value: '2'}}]",
            f"env: [{here}.env{{name: 'B', value: '2'}}, {here}.env{{name: 'B', value: '3'}}]",
            f"ports: [{here}.ports{{containerPort: 80, name: 'h'}}]",
            f"ports: [{here}.ports{{containerPort: 80, protocol: 'TCP', name: 'h'}}]",
            f"ports: [{here}.ports{{containerPort: 80, protocol: 'UDP'}}]",
            f"resources: {here}.resources{{limits: {{'cpu': '1'}}}}",
            f"resources: {here}.resources{{limits: {{'cpu': quantity('1')}}}}",
            f"securityContext: {here}.securityContext{{privileged: false}}",
            f"securityContext: {here}.securityContext{{capabilities: {here}.securityContext.capabilities{{drop: ['ALL']}}}}",  # noqa: E501 (one expression)
            f"volumeMounts: [{here}.volumeMounts{{name: 'v', mountPath: '/v'}}]",
            "imagePullPolicy: 'Always'",
            "tty: true",
            "image: 5",
        )
    )


def _step(chance: Random, about: str) -> str:
    base = "/spec/template/spec" if about == "deployments" else "/spec"
    paths = (
        *(
            "'/metadata/labels/new'",
            "'/metadata/labels'",
            "'/metadata/annotations/' + jsonpatch.escapeKey('a/b')",
            "'/metadata/labels/a'",
        ),
        *(
            f"'{base}/containers/0/image'",
            f"'{base}/containers/-'",
            f"'{base}/containers/9'",
            f"'{base}/containers/-1'",
        ),
        *(
            f"'{base}/containers/1'",
            f"'{base}/hostNetwork'",
            f"'{base}/nodeSelector'",
            "'/data/a'",
            "'/data'",
            "''",
            "'nothing'",
            "'/'",
        ),
        *(f"'{base}/containers/0/env/-'", f"'{base}/containers/0/env'", f"'{base}/containers/01/image'", "'/spec'"),
    )
    values = (
        *(
            "'x'",
            "1",
            "true",
            "null",
            "{'k': 'v'}",
            "['a']",
            "Object.spec.containers{name: 'n', image: 'i'}",
            "1.5",
            "object.metadata",
        ),
        # an object within a list or map ends the peer
        *("Object.metadata.labels{x: 'y'}", "dyn(object.metadata.name)"),
        *("duration('1h')", "b'abc'", "optional.of('x')", "object.spec", "variables.v", "2u", "type(1)"),
    )
    op = chance.choice(["add", "add", "add", "replace", "remove", "copy", "move", "test", "other"])
    fields = [f"op: '{op}'", f"path: {chance.choice(paths)}"]
    if op in ("copy", "move"):
        fields.append(f"from: {chance.choice(paths)}")
    elif op != "remove" and chance.random() < 0.95:
        fields.append(f"value: {chance.choice(values)}")
    return f"JSONPatch{{{', '.join(fields)}}}"


def _object(chance: Random, name: str, about: str, count: int) -> Document:
    metadata: Document = {"name": f"{name}-{count}", "namespace": _space(name)}
    if chance.random() < 0.7:
        metadata["labels"] = chance.choice([{"a": "1"}, {"a": "1", "b": "2"}, {"b": "2"}])
    if chance.random() < 0.3:
        metadata["annotations"] = {"x/y": "1"}
    if chance.random() < 0.2:
        metadata["finalizers"] = ["a/b"]
    if about == "services":
        ports = [{"port": 80, "protocol": "TCP", "name": "a"}, {"port": 443, "name": "b"}][: chance.choice([1, 2])]
        return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": ports}}
    if about == "configmaps":
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "1"}}
    spec = _pod_spec(chance)
    kind = "Pod" if about == "pods" and chance.random() < 0.7 else chance.choice(["Deployment", "CronJob"])
    template = {"metadata": {"labels": {"a": "1"}}, "spec": spec}
    if kind == "Pod":
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    if kind == "Deployment":
        return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": {"template": template}}
    job = {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template}}}
    return {"apiVersion": "batch/v1", "kind": kind, "metadata": metadata, "spec": job}


def _pod_spec(chance: Random) -> Document:
    spec = parts.pod_spec(chance)
    for container in spec["containers"]:
        if chance.random() < 0.3:
            ports = [{"containerPort": 80, "protocol": "TCP"}, {"containerPort": 443}]
            container["ports"] = ports[: chance.choice([1, 2])]
        if chance.random() < 0.3:
            container["args"] = ["a"]
    more: tuple[tuple[str, Any], ...] = (
        ("tolerations", [{"key": "b"}]),
        ("volumes", [{"name": "v", "emptyDir": {}}]),
        ("nodeSelector", {"q": "1"}),
    )
    return spec | {name: value for name, value in more if chance.random() < 0.3}
