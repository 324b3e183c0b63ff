"""Which built-in kinds belong to the cluster and not to a namespace, for manifests read without one to ask."""

from __future__ import annotations

from typing import Final

import msgspec

from bartizan.model.resource import Resource

_CLUSTER_KINDS: Final[dict[str, str]] = {
    "": "ComponentStatus Namespace Node PersistentVolume",
    "admissionregistration.k8s.io": (
        "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding MutatingWebhookConfiguration "
        "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration"
    ),
    "apiextensions.k8s.io": "CustomResourceDefinition",
    "apiregistration.k8s.io": "APIService",
    "authentication.k8s.io": "SelfSubjectReview TokenReview",
    "authorization.k8s.io": "SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview",
    "certificates.k8s.io": "CertificateSigningRequest ClusterTrustBundle",
    "flowcontrol.apiserver.k8s.io": "FlowSchema PriorityLevelConfiguration",
    "internal.apiserver.k8s.io": "StorageVersion",
    "networking.k8s.io": "IngressClass IPAddress ServiceCIDR",
    "node.k8s.io": "RuntimeClass",
    "policy": "PodSecurityPolicy",
    "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding",
    "resource.k8s.io": "DeviceClass ResourceSlice",
    "scheduling.k8s.io": "PriorityClass",
    "storage.k8s.io": "CSIDriver CSINode StorageClass VolumeAttachment VolumeAttributesClass",
    "storagemigration.k8s.io": "StorageVersionMigration",
    "kyverno.io": "ClusterPolicy ClusterCleanupPolicy GlobalContextEntry",
}
_CLUSTER_SCOPED: Final = frozenset((group, kind) for group, kinds in _CLUSTER_KINDS.items() for kind in kinds.split())


def is_builtin(group: str) -> bool:
    """Whether the API server itself, or Kyverno, serves a group."""
    return group in _CLUSTER_KINDS or group.endswith(".k8s.io") or group in ("apps", "autoscaling", "batch", "policy")


def is_cluster_scoped(group: str, kind: str) -> bool:
    """Whether a kind has no namespaces. Custom kinds are taken to have them."""
    return (group, kind) in _CLUSTER_SCOPED


def in_default_namespace(resource: Resource, namespace: str = "default") -> Resource:
    """The resource as it would be created from its manifest: in a namespace, if its kind has them.

    What has no kind is no object of a cluster. The body is not copied beyond
    its metadata.
    """
    rid = resource.id
    # what has a uid comes from a server, which has put it where it belongs
    if rid.namespace or resource.uid or not rid.kind or (rid.group, rid.kind) in _CLUSTER_SCOPED:
        return resource
    metadata = resource.body.get("metadata")
    placed = {**(metadata if isinstance(metadata, dict) else {}), "namespace": namespace}
    return Resource(
        msgspec.structs.replace(rid, namespace=namespace),
        {**resource.body, "metadata": placed},
        resource.uid,
        resource.source,
        resource.lines,
    )
