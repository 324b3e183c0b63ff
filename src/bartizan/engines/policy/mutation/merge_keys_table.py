"""Which lists of the built-in kinds merge, and by which keys. Written by `tools/merge_keys.py`."""

from __future__ import annotations

from typing import Final

KINDS: Final[dict[str, str]] = {
    "admissionregistration.k8s.io/v1/MutatingWebhookConfiguration": "MutatingWebhookConfiguration",
    "admissionregistration.k8s.io/v1/MutatingWebhookConfigurationList": "MutatingWebhookConfigurationList",
    "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy": "ValidatingAdmissionPolicy",
    "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding": "ValidatingAdmissionPolicyBinding",
    "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBindingList": "ValidatingAdmissionPolicyBindingList",
    "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyList": "ValidatingAdmissionPolicyList",
    "admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration": "ValidatingWebhookConfiguration",
    "admissionregistration.k8s.io/v1/ValidatingWebhookConfigurationList": "ValidatingWebhookConfigurationList",
    "apiextensions.k8s.io/v1/CustomResourceDefinition": "CustomResourceDefinition",
    "apiextensions.k8s.io/v1/CustomResourceDefinitionList": "CustomResourceDefinitionList",
    "apiregistration.k8s.io/v1/APIService": "APIService",
    "apiregistration.k8s.io/v1/APIServiceList": "APIServiceList",
    "apps/v1/ControllerRevision": "ControllerRevision",
    "apps/v1/ControllerRevisionList": "ControllerRevisionList",
    "apps/v1/DaemonSet": "DaemonSet",
    "apps/v1/DaemonSetList": "DaemonSetList",
    "apps/v1/Deployment": "Deployment",
    "apps/v1/DeploymentList": "DeploymentList",
    "apps/v1/ReplicaSet": "ReplicaSet",
    "apps/v1/ReplicaSetList": "ReplicaSetList",
    "apps/v1/StatefulSet": "StatefulSet",
    "apps/v1/StatefulSetList": "StatefulSetList",
    "authentication.k8s.io/v1/SelfSubjectReview": "SelfSubjectReview",
    "authentication.k8s.io/v1/TokenRequest": "TokenRequest",
    "authentication.k8s.io/v1/TokenReview": "TokenReview",
    "authorization.k8s.io/v1/LocalSubjectAccessReview": "LocalSubjectAccessReview",
    "authorization.k8s.io/v1/SelfSubjectAccessReview": "SelfSubjectAccessReview",
    "authorization.k8s.io/v1/SelfSubjectRulesReview": "SelfSubjectRulesReview",
    "authorization.k8s.io/v1/SubjectAccessReview": "SubjectAccessReview",
    "autoscaling/v1/HorizontalPodAutoscaler": "autoscaling.v1.HorizontalPodAutoscaler",
    "autoscaling/v1/HorizontalPodAutoscalerList": "autoscaling.v1.HorizontalPodAutoscalerList",
    "autoscaling/v1/Scale": "Scale",
    "autoscaling/v2/HorizontalPodAutoscaler": "autoscaling.v2.HorizontalPodAutoscaler",
    "autoscaling/v2/HorizontalPodAutoscalerList": "autoscaling.v2.HorizontalPodAutoscalerList",
    "batch/v1/CronJob": "CronJob",
    "batch/v1/CronJobList": "CronJobList",
    "batch/v1/Job": "Job",
    "batch/v1/JobList": "JobList",
    "certificates.k8s.io/v1/CertificateSigningRequest": "CertificateSigningRequest",
    "certificates.k8s.io/v1/CertificateSigningRequestList": "CertificateSigningRequestList",
    "coordination.k8s.io/v1/Lease": "Lease",
    "coordination.k8s.io/v1/LeaseList": "LeaseList",
    "discovery.k8s.io/v1/EndpointSlice": "EndpointSlice",
    "discovery.k8s.io/v1/EndpointSliceList": "EndpointSliceList",
    "events.k8s.io/v1/Event": "events.v1.Event",
    "events.k8s.io/v1/EventList": "events.v1.EventList",
    "flowcontrol.apiserver.k8s.io/v1/FlowSchema": "FlowSchema",
    "flowcontrol.apiserver.k8s.io/v1/FlowSchemaList": "FlowSchemaList",
    "flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration": "PriorityLevelConfiguration",
    "flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfigurationList": "PriorityLevelConfigurationList",
    "networking.k8s.io/v1/IPAddress": "IPAddress",
    "networking.k8s.io/v1/IPAddressList": "IPAddressList",
    "networking.k8s.io/v1/Ingress": "Ingress",
    "networking.k8s.io/v1/IngressClass": "IngressClass",
    "networking.k8s.io/v1/IngressClassList": "IngressClassList",
    "networking.k8s.io/v1/IngressList": "IngressList",
    "networking.k8s.io/v1/NetworkPolicy": "NetworkPolicy",
    "networking.k8s.io/v1/NetworkPolicyList": "NetworkPolicyList",
    "networking.k8s.io/v1/ServiceCIDR": "ServiceCIDR",
    "networking.k8s.io/v1/ServiceCIDRList": "ServiceCIDRList",
    "node.k8s.io/v1/RuntimeClass": "RuntimeClass",
    "node.k8s.io/v1/RuntimeClassList": "RuntimeClassList",
    "policy/v1/Eviction": "Eviction",
    "policy/v1/PodDisruptionBudget": "PodDisruptionBudget",
    "policy/v1/PodDisruptionBudgetList": "PodDisruptionBudgetList",
    "rbac.authorization.k8s.io/v1/ClusterRole": "ClusterRole",
    "rbac.authorization.k8s.io/v1/ClusterRoleBinding": "ClusterRoleBinding",
    "rbac.authorization.k8s.io/v1/ClusterRoleBindingList": "ClusterRoleBindingList",
    "rbac.authorization.k8s.io/v1/ClusterRoleList": "ClusterRoleList",
    "rbac.authorization.k8s.io/v1/Role": "Role",
    "rbac.authorization.k8s.io/v1/RoleBinding": "RoleBinding",
    "rbac.authorization.k8s.io/v1/RoleBindingList": "RoleBindingList",
    "rbac.authorization.k8s.io/v1/RoleList": "RoleList",
    "resource.k8s.io/v1/DeviceClass": "DeviceClass",
    "resource.k8s.io/v1/DeviceClassList": "DeviceClassList",
    "resource.k8s.io/v1/ResourceClaim": "ResourceClaim",
    "resource.k8s.io/v1/ResourceClaimList": "ResourceClaimList",
    "resource.k8s.io/v1/ResourceClaimTemplate": "ResourceClaimTemplate",
    "resource.k8s.io/v1/ResourceClaimTemplateList": "ResourceClaimTemplateList",
    "resource.k8s.io/v1/ResourceSlice": "ResourceSlice",
    "resource.k8s.io/v1/ResourceSliceList": "ResourceSliceList",
    "scheduling.k8s.io/v1/PriorityClass": "PriorityClass",
    "scheduling.k8s.io/v1/PriorityClassList": "PriorityClassList",
    "storage.k8s.io/v1/CSIDriver": "CSIDriver",
    "storage.k8s.io/v1/CSIDriverList": "CSIDriverList",
    "storage.k8s.io/v1/CSINode": "CSINode",
    "storage.k8s.io/v1/CSINodeList": "CSINodeList",
    "storage.k8s.io/v1/CSIStorageCapacity": "CSIStorageCapacity",
    "storage.k8s.io/v1/CSIStorageCapacityList": "CSIStorageCapacityList",
    "storage.k8s.io/v1/StorageClass": "StorageClass",
    "storage.k8s.io/v1/StorageClassList": "StorageClassList",
    "storage.k8s.io/v1/VolumeAttachment": "VolumeAttachment",
    "storage.k8s.io/v1/VolumeAttachmentList": "VolumeAttachmentList",
    "storage.k8s.io/v1/VolumeAttributesClass": "VolumeAttributesClass",
    "storage.k8s.io/v1/VolumeAttributesClassList": "VolumeAttributesClassList",
    "v1/Binding": "Binding",
    "v1/ComponentStatus": "ComponentStatus",
    "v1/ComponentStatusList": "ComponentStatusList",
    "v1/ConfigMap": "ConfigMap",
    "v1/ConfigMapList": "ConfigMapList",
    "v1/Endpoints": "Endpoints",
    "v1/EndpointsList": "EndpointsList",
    "v1/Event": "core.v1.Event",
    "v1/EventList": "core.v1.EventList",
    "v1/LimitRange": "LimitRange",
    "v1/LimitRangeList": "LimitRangeList",
    "v1/Namespace": "Namespace",
    "v1/NamespaceList": "NamespaceList",
    "v1/Node": "Node",
    "v1/NodeList": "NodeList",
    "v1/PersistentVolume": "PersistentVolume",
    "v1/PersistentVolumeClaim": "PersistentVolumeClaim",
    "v1/PersistentVolumeClaimList": "PersistentVolumeClaimList",
    "v1/PersistentVolumeList": "PersistentVolumeList",
    "v1/Pod": "Pod",
    "v1/PodList": "PodList",
    "v1/PodTemplate": "PodTemplate",
    "v1/PodTemplateList": "PodTemplateList",
    "v1/ReplicationController": "ReplicationController",
    "v1/ReplicationControllerList": "ReplicationControllerList",
    "v1/ResourceQuota": "ResourceQuota",
    "v1/ResourceQuotaList": "ResourceQuotaList",
    "v1/Secret": "Secret",
    "v1/SecretList": "SecretList",
    "v1/Service": "Service",
    "v1/ServiceAccount": "ServiceAccount",
    "v1/ServiceAccountList": "ServiceAccountList",
    "v1/ServiceList": "ServiceList",
}
"""The definition of a kind, by `group/version/Kind`."""

DEFINITIONS: Final[dict[str, dict[str, tuple[str, tuple[str, ...] | None]]]] = {
    "APIService": {
        "metadata": ("ObjectMeta", None),
        "status": ("APIServiceStatus", None),
    },
    "APIServiceList": {
        "items": ("APIService", None),
    },
    "APIServiceStatus": {
        "conditions": ("", ("type",)),
    },
    "Binding": {
        "metadata": ("ObjectMeta", None),
    },
    "CSIDriver": {
        "metadata": ("ObjectMeta", None),
    },
    "CSIDriverList": {
        "items": ("CSIDriver", None),
    },
    "CSINode": {
        "metadata": ("ObjectMeta", None),
        "spec": ("CSINodeSpec", None),
    },
    "CSINodeList": {
        "items": ("CSINode", None),
    },
    "CSINodeSpec": {
        "drivers": ("", ("name",)),
    },
    "CSIStorageCapacity": {
        "metadata": ("ObjectMeta", None),
    },
    "CSIStorageCapacityList": {
        "items": ("CSIStorageCapacity", None),
    },
    "CertificateSigningRequest": {
        "metadata": ("ObjectMeta", None),
    },
    "CertificateSigningRequestList": {
        "items": ("CertificateSigningRequest", None),
    },
    "ClusterRole": {
        "metadata": ("ObjectMeta", None),
    },
    "ClusterRoleBinding": {
        "metadata": ("ObjectMeta", None),
    },
    "ClusterRoleBindingList": {
        "items": ("ClusterRoleBinding", None),
    },
    "ClusterRoleList": {
        "items": ("ClusterRole", None),
    },
    "ComponentStatus": {
        "conditions": ("", ("type",)),
        "metadata": ("ObjectMeta", None),
    },
    "ComponentStatusList": {
        "items": ("ComponentStatus", None),
    },
    "ConfigMap": {
        "metadata": ("ObjectMeta", None),
    },
    "ConfigMapList": {
        "items": ("ConfigMap", None),
    },
    "Container": {
        "env": ("", ("name",)),
        "ports": ("", ("containerPort", "protocol")),
        "volumeDevices": ("", ("devicePath",)),
        "volumeMounts": ("", ("mountPath",)),
    },
    "ContainerStatus": {
        "allocatedResourcesStatus": ("", ("name",)),
        "volumeMounts": ("", ("mountPath",)),
    },
    "ControllerRevision": {
        "metadata": ("ObjectMeta", None),
    },
    "ControllerRevisionList": {
        "items": ("ControllerRevision", None),
    },
    "CronJob": {
        "metadata": ("ObjectMeta", None),
        "spec": ("CronJobSpec", None),
    },
    "CronJobList": {
        "items": ("CronJob", None),
    },
    "CronJobSpec": {
        "jobTemplate": ("JobTemplateSpec", None),
    },
    "CustomResourceDefinition": {
        "metadata": ("ObjectMeta", None),
        "spec": ("CustomResourceDefinitionSpec", None),
    },
    "CustomResourceDefinitionList": {
        "items": ("CustomResourceDefinition", None),
    },
    "CustomResourceDefinitionSpec": {
        "versions": ("CustomResourceDefinitionVersion", None),
    },
    "CustomResourceDefinitionVersion": {
        "schema": ("CustomResourceValidation", None),
    },
    "CustomResourceValidation": {
        "openAPIV3Schema": ("JSONSchemaProps", None),
    },
    "DaemonSet": {
        "metadata": ("ObjectMeta", None),
        "spec": ("DaemonSetSpec", None),
        "status": ("DaemonSetStatus", None),
    },
    "DaemonSetList": {
        "items": ("DaemonSet", None),
    },
    "DaemonSetSpec": {
        "template": ("PodTemplateSpec", None),
    },
    "DaemonSetStatus": {
        "conditions": ("", ("type",)),
    },
    "Deployment": {
        "metadata": ("ObjectMeta", None),
        "spec": ("DeploymentSpec", None),
        "status": ("DeploymentStatus", None),
    },
    "DeploymentList": {
        "items": ("Deployment", None),
    },
    "DeploymentSpec": {
        "template": ("PodTemplateSpec", None),
    },
    "DeploymentStatus": {
        "conditions": ("", ("type",)),
    },
    "DeviceClass": {
        "metadata": ("ObjectMeta", None),
    },
    "DeviceClassList": {
        "items": ("DeviceClass", None),
    },
    "EndpointSlice": {
        "metadata": ("ObjectMeta", None),
    },
    "EndpointSliceList": {
        "items": ("EndpointSlice", None),
    },
    "Endpoints": {
        "metadata": ("ObjectMeta", None),
    },
    "EndpointsList": {
        "items": ("Endpoints", None),
    },
    "EphemeralContainer": {
        "env": ("", ("name",)),
        "ports": ("", ("containerPort", "protocol")),
        "volumeDevices": ("", ("devicePath",)),
        "volumeMounts": ("", ("mountPath",)),
    },
    "EphemeralVolumeSource": {
        "volumeClaimTemplate": ("PersistentVolumeClaimTemplate", None),
    },
    "Eviction": {
        "metadata": ("ObjectMeta", None),
    },
    "FlowSchema": {
        "metadata": ("ObjectMeta", None),
        "status": ("FlowSchemaStatus", None),
    },
    "FlowSchemaList": {
        "items": ("FlowSchema", None),
    },
    "FlowSchemaStatus": {
        "conditions": ("", ("type",)),
    },
    "HorizontalPodAutoscalerStatus": {
        "conditions": ("", ("type",)),
    },
    "IPAddress": {
        "metadata": ("ObjectMeta", None),
    },
    "IPAddressList": {
        "items": ("IPAddress", None),
    },
    "Ingress": {
        "metadata": ("ObjectMeta", None),
    },
    "IngressClass": {
        "metadata": ("ObjectMeta", None),
    },
    "IngressClassList": {
        "items": ("IngressClass", None),
    },
    "IngressList": {
        "items": ("Ingress", None),
    },
    "JSONSchemaProps": {
        "allOf": ("JSONSchemaProps", None),
        "anyOf": ("JSONSchemaProps", None),
        "not": ("JSONSchemaProps", None),
        "oneOf": ("JSONSchemaProps", None),
        "x-kubernetes-validations": ("", ("rule",)),
    },
    "Job": {
        "metadata": ("ObjectMeta", None),
        "spec": ("JobSpec", None),
        "status": ("JobStatus", None),
    },
    "JobList": {
        "items": ("Job", None),
    },
    "JobSpec": {
        "template": ("PodTemplateSpec", None),
    },
    "JobStatus": {
        "conditions": ("", ("type",)),
    },
    "JobTemplateSpec": {
        "metadata": ("ObjectMeta", None),
        "spec": ("JobSpec", None),
    },
    "Lease": {
        "metadata": ("ObjectMeta", None),
    },
    "LeaseList": {
        "items": ("Lease", None),
    },
    "LimitRange": {
        "metadata": ("ObjectMeta", None),
    },
    "LimitRangeList": {
        "items": ("LimitRange", None),
    },
    "LocalSubjectAccessReview": {
        "metadata": ("ObjectMeta", None),
    },
    "MutatingWebhook": {
        "matchConditions": ("", ("name",)),
    },
    "MutatingWebhookConfiguration": {
        "metadata": ("ObjectMeta", None),
        "webhooks": ("MutatingWebhook", ("name",)),
    },
    "MutatingWebhookConfigurationList": {
        "items": ("MutatingWebhookConfiguration", None),
    },
    "Namespace": {
        "metadata": ("ObjectMeta", None),
        "status": ("NamespaceStatus", None),
    },
    "NamespaceList": {
        "items": ("Namespace", None),
    },
    "NamespaceStatus": {
        "conditions": ("", ("type",)),
    },
    "NetworkPolicy": {
        "metadata": ("ObjectMeta", None),
    },
    "NetworkPolicyList": {
        "items": ("NetworkPolicy", None),
    },
    "Node": {
        "metadata": ("ObjectMeta", None),
        "spec": ("NodeSpec", None),
        "status": ("NodeStatus", None),
    },
    "NodeList": {
        "items": ("Node", None),
    },
    "NodeSpec": {
        "podCIDRs": ("", ()),
    },
    "NodeStatus": {
        "addresses": ("", ("type",)),
        "conditions": ("", ("type",)),
    },
    "ObjectMeta": {
        "finalizers": ("", ()),
        "ownerReferences": ("", ("uid",)),
    },
    "PersistentVolume": {
        "metadata": ("ObjectMeta", None),
    },
    "PersistentVolumeClaim": {
        "metadata": ("ObjectMeta", None),
        "status": ("PersistentVolumeClaimStatus", None),
    },
    "PersistentVolumeClaimList": {
        "items": ("PersistentVolumeClaim", None),
    },
    "PersistentVolumeClaimStatus": {
        "conditions": ("", ("type",)),
    },
    "PersistentVolumeClaimTemplate": {
        "metadata": ("ObjectMeta", None),
    },
    "PersistentVolumeList": {
        "items": ("PersistentVolume", None),
    },
    "Pod": {
        "metadata": ("ObjectMeta", None),
        "spec": ("PodSpec", None),
        "status": ("PodStatus", None),
    },
    "PodDisruptionBudget": {
        "metadata": ("ObjectMeta", None),
        "status": ("PodDisruptionBudgetStatus", None),
    },
    "PodDisruptionBudgetList": {
        "items": ("PodDisruptionBudget", None),
    },
    "PodDisruptionBudgetStatus": {
        "conditions": ("", ("type",)),
    },
    "PodList": {
        "items": ("Pod", None),
    },
    "PodSpec": {
        "containers": ("Container", ("name",)),
        "ephemeralContainers": ("EphemeralContainer", ("name",)),
        "hostAliases": ("", ("ip",)),
        "imagePullSecrets": ("", ("name",)),
        "initContainers": ("Container", ("name",)),
        "resourceClaims": ("", ("name",)),
        "schedulingGates": ("", ("name",)),
        "topologySpreadConstraints": ("", ("topologyKey", "whenUnsatisfiable")),
        "volumes": ("Volume", ("name",)),
    },
    "PodStatus": {
        "conditions": ("", ("type",)),
        "containerStatuses": ("ContainerStatus", None),
        "ephemeralContainerStatuses": ("ContainerStatus", None),
        "hostIPs": ("", ("ip",)),
        "initContainerStatuses": ("ContainerStatus", None),
        "podIPs": ("", ("ip",)),
        "resourceClaimStatuses": ("", ("name",)),
    },
    "PodTemplate": {
        "metadata": ("ObjectMeta", None),
        "template": ("PodTemplateSpec", None),
    },
    "PodTemplateList": {
        "items": ("PodTemplate", None),
    },
    "PodTemplateSpec": {
        "metadata": ("ObjectMeta", None),
        "spec": ("PodSpec", None),
    },
    "PriorityClass": {
        "metadata": ("ObjectMeta", None),
    },
    "PriorityClassList": {
        "items": ("PriorityClass", None),
    },
    "PriorityLevelConfiguration": {
        "metadata": ("ObjectMeta", None),
        "status": ("PriorityLevelConfigurationStatus", None),
    },
    "PriorityLevelConfigurationList": {
        "items": ("PriorityLevelConfiguration", None),
    },
    "PriorityLevelConfigurationStatus": {
        "conditions": ("", ("type",)),
    },
    "ReplicaSet": {
        "metadata": ("ObjectMeta", None),
        "spec": ("ReplicaSetSpec", None),
        "status": ("ReplicaSetStatus", None),
    },
    "ReplicaSetList": {
        "items": ("ReplicaSet", None),
    },
    "ReplicaSetSpec": {
        "template": ("PodTemplateSpec", None),
    },
    "ReplicaSetStatus": {
        "conditions": ("", ("type",)),
    },
    "ReplicationController": {
        "metadata": ("ObjectMeta", None),
        "spec": ("ReplicationControllerSpec", None),
        "status": ("ReplicationControllerStatus", None),
    },
    "ReplicationControllerList": {
        "items": ("ReplicationController", None),
    },
    "ReplicationControllerSpec": {
        "template": ("PodTemplateSpec", None),
    },
    "ReplicationControllerStatus": {
        "conditions": ("", ("type",)),
    },
    "ResourceClaim": {
        "metadata": ("ObjectMeta", None),
        "status": ("ResourceClaimStatus", None),
    },
    "ResourceClaimList": {
        "items": ("ResourceClaim", None),
    },
    "ResourceClaimStatus": {
        "reservedFor": ("", ("uid",)),
    },
    "ResourceClaimTemplate": {
        "metadata": ("ObjectMeta", None),
        "spec": ("ResourceClaimTemplateSpec", None),
    },
    "ResourceClaimTemplateList": {
        "items": ("ResourceClaimTemplate", None),
    },
    "ResourceClaimTemplateSpec": {
        "metadata": ("ObjectMeta", None),
    },
    "ResourceQuota": {
        "metadata": ("ObjectMeta", None),
    },
    "ResourceQuotaList": {
        "items": ("ResourceQuota", None),
    },
    "ResourceSlice": {
        "metadata": ("ObjectMeta", None),
    },
    "ResourceSliceList": {
        "items": ("ResourceSlice", None),
    },
    "Role": {
        "metadata": ("ObjectMeta", None),
    },
    "RoleBinding": {
        "metadata": ("ObjectMeta", None),
    },
    "RoleBindingList": {
        "items": ("RoleBinding", None),
    },
    "RoleList": {
        "items": ("Role", None),
    },
    "RuntimeClass": {
        "metadata": ("ObjectMeta", None),
    },
    "RuntimeClassList": {
        "items": ("RuntimeClass", None),
    },
    "Scale": {
        "metadata": ("ObjectMeta", None),
    },
    "Secret": {
        "metadata": ("ObjectMeta", None),
    },
    "SecretList": {
        "items": ("Secret", None),
    },
    "SelfSubjectAccessReview": {
        "metadata": ("ObjectMeta", None),
    },
    "SelfSubjectReview": {
        "metadata": ("ObjectMeta", None),
    },
    "SelfSubjectRulesReview": {
        "metadata": ("ObjectMeta", None),
    },
    "Service": {
        "metadata": ("ObjectMeta", None),
        "spec": ("ServiceSpec", None),
        "status": ("ServiceStatus", None),
    },
    "ServiceAccount": {
        "metadata": ("ObjectMeta", None),
        "secrets": ("", ("name",)),
    },
    "ServiceAccountList": {
        "items": ("ServiceAccount", None),
    },
    "ServiceCIDR": {
        "metadata": ("ObjectMeta", None),
        "status": ("ServiceCIDRStatus", None),
    },
    "ServiceCIDRList": {
        "items": ("ServiceCIDR", None),
    },
    "ServiceCIDRStatus": {
        "conditions": ("", ("type",)),
    },
    "ServiceList": {
        "items": ("Service", None),
    },
    "ServiceSpec": {
        "ports": ("", ("port", "protocol")),
    },
    "ServiceStatus": {
        "conditions": ("", ("type",)),
    },
    "StatefulSet": {
        "metadata": ("ObjectMeta", None),
        "spec": ("StatefulSetSpec", None),
        "status": ("StatefulSetStatus", None),
    },
    "StatefulSetList": {
        "items": ("StatefulSet", None),
    },
    "StatefulSetSpec": {
        "template": ("PodTemplateSpec", None),
        "volumeClaimTemplates": ("PersistentVolumeClaim", None),
    },
    "StatefulSetStatus": {
        "conditions": ("", ("type",)),
    },
    "StorageClass": {
        "metadata": ("ObjectMeta", None),
    },
    "StorageClassList": {
        "items": ("StorageClass", None),
    },
    "SubjectAccessReview": {
        "metadata": ("ObjectMeta", None),
    },
    "TokenRequest": {
        "metadata": ("ObjectMeta", None),
    },
    "TokenReview": {
        "metadata": ("ObjectMeta", None),
    },
    "ValidatingAdmissionPolicy": {
        "metadata": ("ObjectMeta", None),
        "spec": ("ValidatingAdmissionPolicySpec", None),
    },
    "ValidatingAdmissionPolicyBinding": {
        "metadata": ("ObjectMeta", None),
    },
    "ValidatingAdmissionPolicyBindingList": {
        "items": ("ValidatingAdmissionPolicyBinding", None),
    },
    "ValidatingAdmissionPolicyList": {
        "items": ("ValidatingAdmissionPolicy", None),
    },
    "ValidatingAdmissionPolicySpec": {
        "matchConditions": ("", ("name",)),
        "variables": ("", ("name",)),
    },
    "ValidatingWebhook": {
        "matchConditions": ("", ("name",)),
    },
    "ValidatingWebhookConfiguration": {
        "metadata": ("ObjectMeta", None),
        "webhooks": ("ValidatingWebhook", ("name",)),
    },
    "ValidatingWebhookConfigurationList": {
        "items": ("ValidatingWebhookConfiguration", None),
    },
    "Volume": {
        "ephemeral": ("EphemeralVolumeSource", None),
    },
    "VolumeAttachment": {
        "metadata": ("ObjectMeta", None),
    },
    "VolumeAttachmentList": {
        "items": ("VolumeAttachment", None),
    },
    "VolumeAttributesClass": {
        "metadata": ("ObjectMeta", None),
    },
    "VolumeAttributesClassList": {
        "items": ("VolumeAttributesClass", None),
    },
    "autoscaling.v1.HorizontalPodAutoscaler": {
        "metadata": ("ObjectMeta", None),
    },
    "autoscaling.v1.HorizontalPodAutoscalerList": {
        "items": ("autoscaling.v1.HorizontalPodAutoscaler", None),
    },
    "autoscaling.v2.HorizontalPodAutoscaler": {
        "metadata": ("ObjectMeta", None),
        "status": ("HorizontalPodAutoscalerStatus", None),
    },
    "autoscaling.v2.HorizontalPodAutoscalerList": {
        "items": ("autoscaling.v2.HorizontalPodAutoscaler", None),
    },
    "core.v1.Event": {
        "metadata": ("ObjectMeta", None),
    },
    "core.v1.EventList": {
        "items": ("core.v1.Event", None),
    },
    "events.v1.Event": {
        "metadata": ("ObjectMeta", None),
    },
    "events.v1.EventList": {
        "items": ("events.v1.Event", None),
    },
}
"""Fields that lead to a merging list: the definition of what is below (or none), and the keys of the list.

`None` for keys: this is no merging list. No keys: a list of plain values that merges.
"""
