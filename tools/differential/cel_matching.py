"""What the topics about the CEL kinds share: what a policy matches, what it reads, and what it is asked about."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    Document = dict[str, Any]

NAMESPACES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {"shop": {"env": "prod", "team": "a"}, "default": {"env": "dev"}, "empty": {"other": "1"}}
)
_RESOURCES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "pods": ("", "v1"),
        "configmaps": ("", "v1"),
        "services": ("", "v1"),
        "namespaces": ("", "v1"),
        "deployments": ("apps", "v1"),
        "statefulsets": ("apps", "v1"),
        "cronjobs": ("batch", "v1"),
        "clusterroles": ("rbac.authorization.k8s.io", "v1"),
    }
)
CONDITIONS: Final = (
    *("object.metadata.name.startsWith('a')", "has(object.metadata.labels)", "object.kind == 'Pod'", "true", "false"),
    *(
        "object.metadata.labels.app == 'web'",
        "object.metadata.?labels.app.orValue('') == 'web'",
        "request.operation == 'CREATE'",
    ),
    *(
        "request.namespace == 'shop'",
        "request.name != ''",
        "request.kind.kind in ['Pod', 'Deployment']",
        "!has(oldObject.spec)",
    ),
    *(
        "namespaceObject.metadata.labels.env == 'prod'",
        "namespaceObject.metadata.name == 'shop'",
        "request.resource.resource == 'pods'",
    ),
    *(
        "object.metadata.?annotations['x'].orValue('n') == 'n'",
        "request.userInfo.username == ''",
        "1 / size(object.metadata.name) == 0",
    ),
    *(
        "object.spec.replicas > 1.0",
        "object.data.a == '1'",
        "has(object.spec) && has(object.spec.containers)",
        "request.dryRun",
    ),
    *("object.spec.containers.all(c, c.image.startsWith('nginx'))", "request.requestKind.kind == object.kind"),
    *(
        "object.metadata.namespace == 'shop'",
        "object.spec.template.spec.containers.size() > 0",
        "request.subResource == ''",
    ),
)
VARIABLES: Final = (
    *("object.metadata.name", "object.metadata.?labels.app.orValue('none')", "object.spec.containers.map(c, c.image)"),
    *(
        "object.?spec.?containers.orValue([])",
        "size(object.metadata)",
        "object.metadata.missing",
        "[1, 2, 3]",
        "'x'",
        "1 / 0",
    ),
    *("object.metadata.labels", "request.namespace", "{'a': object.kind}", "namespaceObject.metadata.labels", "object"),
)
READING: Final = (
    *(
        "variables.v0 == 'a-0'",
        "size(variables.v0) > 1",
        "variables.v0.size() > 2",
        "'app' in variables.v0",
        "variables.v0 != null",
    ),
    *(
        "variables.v0.exists(x, x == 'nginx')",
        "has(variables.v0.app)",
        "variables.v0 == variables.v0",
        "string(variables.v0) == 'x'",
    ),
)


def match_constraints(chance: Random, only: str = "") -> Document:
    """What a policy matches; `only` is the one resource it is about."""
    made: Document = {"resourceRules": [_rule(chance, only) for _ in range(1 if only else chance.choice([1, 1, 2]))]}
    if chance.random() < 0.15:
        made["excludeResourceRules"] = [_rule(chance, "")]
    if chance.random() < 0.15:
        made["objectSelector"] = _selector(chance, "app", ["web", "api"])
    if chance.random() < 0.2:
        made["namespaceSelector"] = _selector(chance, "env", ["prod", "dev"])
    if chance.random() < 0.1:
        made["matchPolicy"] = chance.choice(["Equivalent", "Exact"])
    return made


def _rule(chance: Random, only: str) -> Document:
    resource = only or chance.choice([*_RESOURCES, "*", "pods/status", "*/*", "pods/*"])
    group, version = _RESOURCES.get(resource.partition("/")[0], ("*", "*"))
    made: Document = {
        "apiGroups": chance.choice([[group], [group], [group], ["*"], [group, "apps"]]) if not only else [group],
        "apiVersions": chance.choice([[version], [version], ["*"], ["v1", "v2"], ["v2"]]) if not only else [version],
        "operations": chance.choice([["CREATE"], ["CREATE", "UPDATE"], ["CREATE", "UPDATE"], ["*"], ["DELETE"]]),
        "resources": [resource],
    }
    if not only and chance.random() < 0.3:
        made["resources"].append(chance.choice(list(_RESOURCES)))
    if chance.random() < 0.1:
        made["resourceNames"] = chance.choice([["a-0"], ["a-0", "b-1"], ["zz"], []])
    if chance.random() < 0.15:
        made["scope"] = chance.choice(["Namespaced", "Cluster", "*"])
    return made


def _selector(chance: Random, key: str, values: list[str]) -> Document:
    operator = chance.choice(["In", "NotIn", "Exists", "DoesNotExist"])
    expression: Document = {"key": key, "operator": operator}
    if operator in ("In", "NotIn"):
        expression["values"] = chance.sample(values, chance.choice([1, 2]))
    return chance.choice([{"matchLabels": {key: chance.choice(values)}}, {"matchExpressions": [expression]}, {}])


def conditions(chance: Random) -> list[Document]:
    """Match conditions, which may fail."""
    chosen = chance.sample(CONDITIONS, chance.choice([1, 1, 2, 3]))
    return [{"name": f"c{index}", "expression": text} for index, text in enumerate(chosen)]


def variables(chance: Random) -> list[Document]:
    """Variables, of which a later one may read the first."""
    made = [{"name": "v0", "expression": chance.choice(VARIABLES)}]
    if chance.random() < 0.5:
        made.append(
            {"name": "v1", "expression": chance.choice(["variables.v0", "size(variables.v0)", "[variables.v0]"])}
        )
    return made


def resources(chance: Random, count: int) -> list[Document]:
    """Objects of every kind that a policy may be about; numbers are fractions, which the peer keeps as they are."""
    return [_resource(chance, index) for index in range(count)]


def _resource(chance: Random, index: int) -> Document:
    kind = chance.choice(
        ["Pod", "Pod", "Deployment", "StatefulSet", "CronJob", "ConfigMap", "Service", "Namespace", "ReplicaSet"]
    )
    metadata: Document = {"name": f"{chance.choice('ab')}-{index}"}
    if kind != "Namespace":
        metadata["namespace"] = chance.choice(list(NAMESPACES))
    if chance.random() < 0.6:
        metadata["labels"] = chance.choice([{"app": "web"}, {"app": "api", "tier": "x"}, {"other": "1"}])
    if chance.random() < 0.3:
        metadata["annotations"] = {"x": "y"}
    version = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "ReplicaSet": "apps/v1", "CronJob": "batch/v1"}.get(
        kind, "v1"
    )
    made: Document = {"apiVersion": version, "kind": kind, "metadata": metadata}
    if kind == "Pod":
        made["spec"] = pod_spec(chance)
    elif kind in ("Deployment", "StatefulSet", "ReplicaSet"):
        made["spec"] = {"template": _template(chance)}
    elif kind == "CronJob":
        made["spec"] = {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": _template(chance)}}}
    elif kind == "ConfigMap":
        made["data"] = {"a": chance.choice(["1", "2"])}
    return made


def _template(chance: Random) -> Document:
    labels = chance.choice([{}, {"labels": {"app": "web"}}, {"labels": {"app": "api"}}])
    return {"metadata": labels, "spec": pod_spec(chance)}


def pod_spec(chance: Random) -> Document:
    """A pod's spec with one or two containers."""
    names = chance.sample(["web", "log", "db"], chance.choice([1, 2]))
    made: Document = {"containers": [_container(chance, name) for name in names]}
    if chance.random() < 0.3:
        made["hostNetwork"] = chance.choice([True, False])
    if chance.random() < 0.3:
        made["securityContext"] = chance.choice([{"runAsNonRoot": True}, {}])
    return made


def _container(chance: Random, name: str) -> Document:
    made: Document = {"name": name, "image": chance.choice(["nginx", "nginx:1.27", "busybox:latest", "ghcr.io/a/b:1"])}
    if chance.random() < 0.4:
        made["securityContext"] = {"privileged": chance.choice([True, False])}
    if chance.random() < 0.3:
        made["env"] = [{"name": "A", "value": "1"}]
    if chance.random() < 0.3:
        made["resources"] = {"limits": {"memory": chance.choice(["1Gi", "64Mi", "x"])}}
    return made
