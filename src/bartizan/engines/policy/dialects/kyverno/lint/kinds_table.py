"""The kinds that every cluster has, by group, and whether they stand in a namespace."""

from __future__ import annotations

from typing import Final

_NAMESPACED: Final = {
    "": "Binding ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate ReplicationController"
    " ResourceQuota Secret Service ServiceAccount"
    " PodAttachOptions PodExecOptions PodPortForwardOptions PodProxyOptions ServiceProxyOptions",
    "apps": "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
    "authorization.k8s.io": "LocalSubjectAccessReview",
    "autoscaling": "HorizontalPodAutoscaler Scale",
    "batch": "CronJob Job",
    "certificates.k8s.io": "PodCertificateRequest",
    "coordination.k8s.io": "Lease LeaseCandidate",
    "discovery.k8s.io": "EndpointSlice",
    "events.k8s.io": "Event",
    "extensions": "Ingress NetworkPolicy Deployment DaemonSet ReplicaSet",
    "networking.k8s.io": "Ingress NetworkPolicy",
    "policy": "Eviction PodDisruptionBudget",
    "rbac.authorization.k8s.io": "Role RoleBinding",
    "resource.k8s.io": "ResourceClaim ResourceClaimTemplate",
    "scheduling.k8s.io": "Workload",
    "storage.k8s.io": "CSIStorageCapacity",
}
_CLUSTER: Final = {
    "": "ComponentStatus Namespace Node NodeProxyOptions PersistentVolume",
    "admissionregistration.k8s.io": "MutatingWebhookConfiguration ValidatingAdmissionPolicy"
    " ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration MutatingAdmissionPolicy"
    " MutatingAdmissionPolicyBinding",
    "apiextensions.k8s.io": "CustomResourceDefinition",
    "apiregistration.k8s.io": "APIService",
    "authentication.k8s.io": "SelfSubjectReview TokenReview TokenRequest",
    "authorization.k8s.io": "SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview",
    "certificates.k8s.io": "CertificateSigningRequest ClusterTrustBundle",
    "flowcontrol.apiserver.k8s.io": "FlowSchema PriorityLevelConfiguration",
    "networking.k8s.io": "IngressClass IPAddress ServiceCIDR",
    "node.k8s.io": "RuntimeClass",
    "policy": "PodSecurityPolicy",
    "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding",
    "resource.k8s.io": "DeviceClass DeviceTaintRule ResourceSlice",
    "scheduling.k8s.io": "PriorityClass",
    "storage.k8s.io": "CSIDriver CSINode StorageClass VolumeAttachment VolumeAttributesClass",
}

CLUSTER_KINDS: Final = frozenset(kind for kinds in _CLUSTER.values() for kind in kinds.split())
KINDS_BY_GROUP: Final = {
    group: frozenset(f"{_NAMESPACED.get(group, '')} {_CLUSTER.get(group, '')}".split())
    for group in _NAMESPACED.keys() | _CLUSTER.keys()
}
KINDS: Final[frozenset[str]] = frozenset().union(*KINDS_BY_GROUP.values())
CONTROLLERS: Final = frozenset(
    {"DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet", "CronJob"}
)
OPERATIONS: Final = ("CREATE", "UPDATE", "DELETE", "CONNECT")
