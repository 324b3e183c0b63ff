"""Kinds and the resources that stand for them in the API: `Deployment` is `deployments`."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_NAMES: Final = {
    "": "Binding ComponentStatus ConfigMap Endpoints Event LimitRange Namespace Node PersistentVolume"
    " PersistentVolumeClaim Pod PodTemplate ReplicationController ResourceQuota Secret Service ServiceAccount",
    "admissionregistration.k8s.io": "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding"
    " MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding"
    " ValidatingWebhookConfiguration",
    "apiextensions.k8s.io": "CustomResourceDefinition",
    "apiregistration.k8s.io": "APIService",
    "apps": "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
    "authentication.k8s.io": "SelfSubjectReview TokenReview",
    "authorization.k8s.io": "LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview"
    " SubjectAccessReview",
    "autoscaling": "HorizontalPodAutoscaler",
    "batch": "CronJob Job",
    "certificates.k8s.io": "CertificateSigningRequest",
    "coordination.k8s.io": "Lease",
    "discovery.k8s.io": "EndpointSlice",
    "events.k8s.io": "Event",
    "flowcontrol.apiserver.k8s.io": "FlowSchema PriorityLevelConfiguration",
    "networking.k8s.io": "IPAddress Ingress IngressClass NetworkPolicy ServiceCIDR",
    "node.k8s.io": "RuntimeClass",
    "policy": "PodDisruptionBudget",
    "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding Role RoleBinding",
    "resource.k8s.io": "DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice",
    "scheduling.k8s.io": "PriorityClass",
    "storage.k8s.io": "CSIDriver CSINode CSIStorageCapacity StorageClass VolumeAttachment VolumeAttributesClass",
}
"""The kinds that every cluster has, by group."""


@lru_cache(maxsize=4096)
def plural(kind: str) -> str:
    """The resource of a kind, by the rule that Kubernetes names its own by, and that it guesses others by."""
    word = kind.lower()
    if word.endswith(("s", "x", "ch", "sh")):
        return f"{word}es" if not word.endswith("endpoints") else word
    return f"{word[:-1]}ies" if word.endswith("y") and word[-2:-1] not in "aeiou" else f"{word}s"


_KINDS: Final = {(group, plural(kind)): kind for group, kinds in _NAMES.items() for kind in kinds.split()}
_ANYWHERE: Final = {resource: kind for (_, resource), kind in _KINDS.items()}
_GROUPS: Final = {kind: group for (group, _), kind in reversed(_KINDS.items())}


def kind_of(resource: str, group: str | None = None) -> str | None:
    """The kind that a resource of a group, or of any, stands for; `None` where only a cluster could tell."""
    return _ANYWHERE.get(resource) if group is None else _KINDS.get((group, resource))


def group_of(kind: str) -> str | None:
    """The group of a built-in kind, the oldest where several have it; `None` where only a cluster could tell."""
    return _GROUPS.get(kind)


def known_resources(group: str) -> frozenset[str]:
    """The resources of a group that every cluster has; none of another."""
    return frozenset(map(plural, _NAMES[group].split())) if group in _NAMES else frozenset()
