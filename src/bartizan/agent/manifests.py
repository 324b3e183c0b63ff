"""The objects that run an agent in a cluster: it may read, write nothing, and reach the plane and the API server alone.

A StatefulSet, for it never runs two pods of one name at a time, and a pod
that moves finds its disk again: the agent's token and its spool.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.base.json import JsonObject

APP: Final = "bartizan-agent"
_USER: Final = 65532
_MODE: Final = 0o440
_READ: Final = ["get", "list", "watch"]
_CORE: Final = (
    "configmaps endpoints limitranges namespaces nodes persistentvolumeclaims persistentvolumes pods podtemplates "
    "replicationcontrollers resourcequotas serviceaccounts services"
)
_GROUPS: Final = (
    ("admissionregistration.k8s.io", "mutatingadmissionpolicies mutatingadmissionpolicybindings"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicies validatingadmissionpolicybindings"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations validatingwebhookconfigurations"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("apiregistration.k8s.io", "apiservices"),
    ("apps", "controllerrevisions daemonsets deployments replicasets statefulsets"),
    ("autoscaling", "horizontalpodautoscalers"),
    ("batch", "cronjobs jobs"),
    ("certificates.k8s.io", "certificatesigningrequests clustertrustbundles"),
    ("flowcontrol.apiserver.k8s.io", "flowschemas prioritylevelconfigurations"),
    ("gateway.networking.k8s.io", "gatewayclasses gateways grpcroutes httproutes referencegrants"),
    ("kyverno.io", "cleanuppolicies clustercleanuppolicies clusterpolicies policies policyexceptions"),
    ("networking.k8s.io", "ingressclasses ingresses ipaddresses networkpolicies servicecidrs"),
    ("node.k8s.io", "runtimeclasses"),
    ("policies.kyverno.io", "imagevalidatingpolicies mutatingpolicies policyexceptions validatingpolicies"),
    ("policy", "poddisruptionbudgets"),
    ("rbac.authorization.k8s.io", "clusterrolebindings clusterroles rolebindings roles"),
    ("resource.k8s.io", "deviceclasses resourceclaims resourceclaimtemplates resourceslices"),
    ("scheduling.k8s.io", "priorityclasses"),
    ("storage.k8s.io", "csidrivers csinodes csistoragecapacities storageclasses"),
    ("storage.k8s.io", "volumeattachments volumeattributesclasses"),
)


class Wanted(NamedTuple):
    """What an agent is to be. `also` are further resources it may read, as `name.group`.

    `secrets` lets it read Secrets: what is in them never leaves the cluster, but it could.
    """

    plane: str
    image: str
    name: str
    namespace: str = "bartizan"
    secrets: bool = False
    also: tuple[str, ...] = ()
    disk: str = "2Gi"
    ca: bool = False
    owner: str = "platform"


def manifests(wanted: Wanted) -> str:
    """Everything to apply, as YAML."""
    documents = [_plain(one) for one in _objects(wanted)]
    return yaml.safe_dump_all(documents, sort_keys=False, width=120)


def _plain(body: JsonObject) -> JsonObject:
    """A copy that shares nothing, so that nothing is written as an alias."""
    import orjson

    found: JsonObject = orjson.loads(orjson.dumps(body))
    return found


def _objects(wanted: Wanted) -> Iterator[JsonObject]:
    labels = {"app.kubernetes.io/name": APP, "app.kubernetes.io/part-of": "bartizan"}
    inside = {"name": APP, "namespace": wanted.namespace, "labels": labels}
    owned = {**inside, "labels": {**labels, "owner": wanted.owner}}
    level = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    names = {"kubernetes.io/metadata.name": wanted.namespace}
    yield _object("v1", "Namespace", {"name": wanted.namespace, "labels": {**labels, **level, **names}})
    yield _object("v1", "ServiceAccount", inside, automountServiceAccountToken=False)
    yield _object("rbac.authorization.k8s.io/v1", "ClusterRole", _outside(labels), rules=list(_rules(wanted)))
    yield _object(
        "rbac.authorization.k8s.io/v1",
        "ClusterRoleBinding",
        _outside(labels),
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": APP},
        subjects=[{"kind": "ServiceAccount", "name": APP, "namespace": wanted.namespace}],
    )
    yield _object(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        {**inside, "name": "default-deny"},
        spec={"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    )
    yield _object("networking.k8s.io/v1", "NetworkPolicy", inside, spec=_traffic(wanted, labels))
    quota = {"hard": {"pods": "2", "requests.cpu": "1", "requests.memory": "1Gi", "limits.memory": "2Gi"}}
    yield _object("v1", "ResourceQuota", inside, spec=quota)
    yield _object("v1", "Service", inside, spec=_service(labels))
    yield _object("apps/v1", "StatefulSet", owned, spec=_stateful_set(wanted, labels))


def _object(api_version: str, kind: str, metadata: JsonObject, **more: Any) -> JsonObject:
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **more}


def _outside(labels: JsonObject) -> JsonObject:
    return {"name": APP, "labels": labels}


def _rules(wanted: Wanted) -> Iterator[JsonObject]:
    """Each resource by its name: a new kind of secret is not read because it came."""
    core = _CORE.split() + (["secrets"] if wanted.secrets else [])
    yield {"apiGroups": [""], "resources": sorted(core), "verbs": _READ}
    for group, names in _GROUPS:
        yield {"apiGroups": [group], "resources": names.split(), "verbs": _READ}
    for one in wanted.also:
        name, _, group = one.partition(".")
        yield {"apiGroups": [group], "resources": [name], "verbs": _READ}
    yield {"nonResourceURLs": ["/version", "/api", "/api/*", "/apis", "/apis/*"], "verbs": ["get"]}


def _traffic(wanted: Wanted, labels: JsonObject) -> JsonObject:
    """Out to the plane and the API server, whose addresses no policy can name, by their ports; and to DNS."""
    parts = urlsplit(wanted.plane)
    ports = sorted({443, 6443, parts.port or 443})
    dns = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
    return {
        "podSelector": {"matchLabels": labels},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [],
        "egress": [
            {"to": [dns], "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]},
            {"ports": [{"protocol": "TCP", "port": port} for port in ports]},
        ],
    }


def _service(labels: JsonObject) -> JsonObject:
    """A StatefulSet names one; nobody calls the agent."""
    return {"clusterIP": "None", "selector": labels, "ports": [{"name": "none", "port": 65535}]}


def _stateful_set(wanted: Wanted, labels: JsonObject) -> JsonObject:
    return {
        "serviceName": APP,
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": {**labels, "owner": wanted.owner}}, "spec": _pod(wanted)},
        "volumeClaimTemplates": [
            {
                "metadata": {"name": "data", "labels": labels},
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": wanted.disk}}},
            }
        ],
    }


def _pod(wanted: Wanted) -> JsonObject:
    secret = {"name": "join", "secret": {"secretName": f"{APP}-join", "optional": True, "defaultMode": _MODE}}
    volumes: list[JsonObject] = [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}, secret, _account()]
    if wanted.ca:
        volumes.append({"name": "ca", "configMap": {"name": f"{APP}-ca"}})
    return {
        "serviceAccountName": APP,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 30,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(wanted)],
        "volumes": volumes,
    }


def _account() -> JsonObject:
    """The service account's token, one that ends within the hour, where programs look for it."""
    name = {"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}
    sources = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [name]}},
    ]
    return {"name": "account", "projected": {"sources": sources, "defaultMode": _MODE}}


def _container(wanted: Wanted) -> JsonObject:
    arguments = ["agent", "run", "--in-cluster", "--plane", wanted.plane, "--name", wanted.name, "--data", "/data"]
    arguments += ["--join-token-file", "/join/token"]
    mounts = [
        {"name": "data", "mountPath": "/data"},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  the container's own
        {"name": "join", "mountPath": "/join", "readOnly": True},
        {"name": "account", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": True},
    ]
    if wanted.ca:
        arguments += ["--ca-file", "/ca/ca.crt"]
        mounts.append({"name": "ca", "mountPath": "/ca", "readOnly": True})
    probe = {"exec": {"command": ["bartizan", "agent", "alive", "--data", "/data"]}, "timeoutSeconds": 10}
    return {
        "name": "agent",
        "image": wanted.image,
        "imagePullPolicy": "IfNotPresent",
        "args": arguments,
        "resources": {
            "requests": {"cpu": "100m", "memory": "256Mi"},
            "limits": {"memory": "1Gi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "privileged": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "livenessProbe": {**probe, "initialDelaySeconds": 60, "periodSeconds": 60, "failureThreshold": 3},
        "readinessProbe": {**probe, "initialDelaySeconds": 10, "periodSeconds": 30},
        "volumeMounts": mounts,
    }
