"""The types of the built-in kinds for a structured merge. Written by `tools/structured_types.py`."""

from __future__ import annotations

from typing import Final

KINDS: Final = """\
admissionregistration.k8s.io/v1/MutatingWebhookConfiguration MutatingWebhookConfiguration
admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy ValidatingAdmissionPolicy
admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding ValidatingAdmissionPolicyBinding
admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration ValidatingWebhookConfiguration
apiextensions.k8s.io/v1/CustomResourceDefinition CustomResourceDefinition
apiregistration.k8s.io/v1/APIService APIService
apps/v1/ControllerRevision ControllerRevision
apps/v1/DaemonSet DaemonSet
apps/v1/Deployment Deployment
apps/v1/ReplicaSet ReplicaSet
apps/v1/StatefulSet StatefulSet
authentication.k8s.io/v1/SelfSubjectReview SelfSubjectReview
authentication.k8s.io/v1/TokenRequest authentication.v1.TokenRequest
authentication.k8s.io/v1/TokenReview TokenReview
authorization.k8s.io/v1/LocalSubjectAccessReview LocalSubjectAccessReview
authorization.k8s.io/v1/SelfSubjectAccessReview SelfSubjectAccessReview
authorization.k8s.io/v1/SelfSubjectRulesReview SelfSubjectRulesReview
authorization.k8s.io/v1/SubjectAccessReview SubjectAccessReview
autoscaling/v1/HorizontalPodAutoscaler autoscaling.v1.HorizontalPodAutoscaler
autoscaling/v1/Scale Scale
autoscaling/v2/HorizontalPodAutoscaler autoscaling.v2.HorizontalPodAutoscaler
batch/v1/CronJob CronJob
batch/v1/Job Job
certificates.k8s.io/v1/CertificateSigningRequest CertificateSigningRequest
coordination.k8s.io/v1/Lease Lease
discovery.k8s.io/v1/EndpointSlice EndpointSlice
events.k8s.io/v1/Event events.v1.Event
flowcontrol.apiserver.k8s.io/v1/FlowSchema FlowSchema
flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration PriorityLevelConfiguration
networking.k8s.io/v1/IPAddress IPAddress
networking.k8s.io/v1/Ingress Ingress
networking.k8s.io/v1/IngressClass IngressClass
networking.k8s.io/v1/NetworkPolicy NetworkPolicy
networking.k8s.io/v1/ServiceCIDR ServiceCIDR
node.k8s.io/v1/RuntimeClass RuntimeClass
policy/v1/Eviction Eviction
policy/v1/PodDisruptionBudget PodDisruptionBudget
rbac.authorization.k8s.io/v1/ClusterRole ClusterRole
rbac.authorization.k8s.io/v1/ClusterRoleBinding ClusterRoleBinding
rbac.authorization.k8s.io/v1/Role Role
rbac.authorization.k8s.io/v1/RoleBinding RoleBinding
resource.k8s.io/v1/DeviceClass DeviceClass
resource.k8s.io/v1/ResourceClaim resource.v1.ResourceClaim
resource.k8s.io/v1/ResourceClaimTemplate ResourceClaimTemplate
resource.k8s.io/v1/ResourceSlice ResourceSlice
scheduling.k8s.io/v1/PriorityClass PriorityClass
storage.k8s.io/v1/CSIDriver CSIDriver
storage.k8s.io/v1/CSINode CSINode
storage.k8s.io/v1/CSIStorageCapacity CSIStorageCapacity
storage.k8s.io/v1/StorageClass StorageClass
storage.k8s.io/v1/VolumeAttachment VolumeAttachment
storage.k8s.io/v1/VolumeAttributesClass VolumeAttributesClass
v1/APIGroup APIGroup
v1/Binding Binding
v1/ComponentStatus ComponentStatus
v1/ConfigMap ConfigMap
v1/Endpoints Endpoints
v1/Event core.v1.Event
v1/LimitRange LimitRange
v1/Namespace Namespace
v1/Node Node
v1/PersistentVolume PersistentVolume
v1/PersistentVolumeClaim PersistentVolumeClaim
v1/Pod Pod
v1/PodTemplate PodTemplate
v1/ReplicationController ReplicationController
v1/ResourceQuota ResourceQuota
v1/Secret Secret
v1/Service Service
v1/ServiceAccount ServiceAccount
v1/Status Status
"""
"""The definition of a kind, by `group/version/Kind`."""

DEFINITIONS: Final = """\
APIGroup apiVersion:s kind:s name:s="" preferredVersion:GroupVersionForDiscovery
  serverAddressByClientCIDRs:[]ServerAddressByClientCIDR versions:[]GroupVersionForDiscovery
APIService apiVersion:s kind:s metadata:ObjectMeta spec:APIServiceSpec status:APIServiceStatus
APIServiceCondition lastTransitionTime:u message:s reason:s status:s type:s=""
APIServiceSpec caBundle:s group:s groupPriorityMinimum:n insecureSkipTLSVerify:b
  service:apiregistration.v1.ServiceReference version:s versionPriority:n
APIServiceStatus conditions:[type]APIServiceCondition
AWSElasticBlockStoreVolumeSource fsType:s partition:n readOnly:b volumeID:s
Affinity nodeAffinity:NodeAffinity podAffinity:PodAffinity podAntiAffinity:PodAntiAffinity
AggregationRule clusterRoleSelectors:[]LabelSelector
AllocatedDeviceStatus conditions:[type]Condition data:? device:s="" driver:s="" networkData:NetworkDeviceData
  pool:s="" shareID:s
AllocationResult allocationTimestamp:u devices:DeviceAllocationResult nodeSelector:NodeSelector
AppArmorProfile localhostProfile:s type:s=""
AttachedVolume devicePath:s="" name:s=""
AuditAnnotation key:s valueExpression:s
AzureDiskVolumeSource cachingMode:s diskName:s diskURI:s fsType:s kind:s readOnly:b
AzureFilePersistentVolumeSource readOnly:b secretName:s secretNamespace:s shareName:s
AzureFileVolumeSource readOnly:b secretName:s shareName:s
Binding apiVersion:s kind:s metadata:ObjectMeta target:ObjectReference
BoundObjectReference apiVersion:s kind:s name:s uid:s
CELDeviceSelector expression:s
CSIDriver apiVersion:s kind:s metadata:ObjectMeta spec:CSIDriverSpec
CSIDriverSpec attachRequired:b fsGroupPolicy:s nodeAllocatableUpdatePeriodSeconds:n podInfoOnMount:b
  requiresRepublish:b seLinuxMount:b serviceAccountTokenInSecrets:b storageCapacity:b
  tokenRequests:[]storage.v1.TokenRequest volumeLifecycleModes:[=]s
CSINode apiVersion:s kind:s metadata:ObjectMeta spec:CSINodeSpec
CSINodeDriver allocatable:VolumeNodeResources name:s="" nodeID:s topologyKeys:[]s
CSINodeSpec drivers:[name]CSINodeDriver
CSIPersistentVolumeSource controllerExpandSecretRef:SecretReference controllerPublishSecretRef:SecretReference
  driver:s="" fsType:s nodeExpandSecretRef:SecretReference nodePublishSecretRef:SecretReference
  nodeStageSecretRef:SecretReference readOnly:b volumeAttributes:{}s volumeHandle:s
CSIStorageCapacity apiVersion:s capacity:u kind:s maximumVolumeSize:u metadata:ObjectMeta nodeTopology:LabelSelector
  storageClassName:s
CSIVolumeSource driver:s="" fsType:s nodePublishSecretRef:LocalObjectReference readOnly:b volumeAttributes:{}s
Capabilities add:[]s drop:[]s
CapacityRequestPolicy default:u validRange:CapacityRequestPolicyRange validValues:[]u
CapacityRequestPolicyRange max:u min:u step:u
CapacityRequirements requests:{}u
CephFSPersistentVolumeSource monitors:[]s path:s readOnly:b secretFile:s secretRef:SecretReference user:s
CephFSVolumeSource monitors:[]s path:s readOnly:b secretFile:s secretRef:LocalObjectReference user:s
CertificateSigningRequest apiVersion:s kind:s metadata:ObjectMeta spec:CertificateSigningRequestSpec
  status:CertificateSigningRequestStatus
CertificateSigningRequestCondition lastTransitionTime:u lastUpdateTime:u message:s reason:s status:s type:s=""
CertificateSigningRequestSpec expirationSeconds:n extra:{}[]s groups:[]s request:s signerName:s uid:s usages:[]s
  username:s
CertificateSigningRequestStatus certificate:s conditions:[type]CertificateSigningRequestCondition
CinderPersistentVolumeSource fsType:s readOnly:b secretRef:SecretReference volumeID:s
CinderVolumeSource fsType:s readOnly:b secretRef:LocalObjectReference volumeID:s
ClientIPConfig timeoutSeconds:n
ClusterRole aggregationRule:AggregationRule apiVersion:s kind:s metadata:ObjectMeta rules:[]PolicyRule
ClusterRoleBinding apiVersion:s kind:s metadata:ObjectMeta roleRef:RoleRef subjects:[]rbac.v1.Subject
ClusterTrustBundleProjection labelSelector:LabelSelector name:s optional:b path:s signerName:s
ComponentCondition error:s message:s status:s type:s=""
ComponentStatus apiVersion:s conditions:[type]ComponentCondition kind:s metadata:ObjectMeta
Condition lastTransitionTime:u message:s observedGeneration:n reason:s status:s type:s=""
ConfigMap apiVersion:s binaryData:{}s data:{}s immutable:b kind:s metadata:ObjectMeta
ConfigMapEnvSource name:s="" optional:b
ConfigMapKeySelector! key:s name:s="" optional:b
ConfigMapNodeConfigSource kubeletConfigKey:s name:s="" namespace:s resourceVersion:s uid:s
ConfigMapProjection items:[]KeyToPath name:s="" optional:b
ConfigMapVolumeSource defaultMode:n items:[]KeyToPath name:s="" optional:b
Container args:[]s command:[]s env:[name]EnvVar envFrom:[]EnvFromSource image:s imagePullPolicy:s
  lifecycle:Lifecycle livenessProbe:Probe name:s="" ports:[containerPort,protocol]ContainerPort readinessProbe:Probe
  resizePolicy:[]ContainerResizePolicy resources:ResourceRequirements restartPolicy:s
  restartPolicyRules:[]ContainerRestartRule securityContext:SecurityContext startupProbe:Probe stdin:b stdinOnce:b
  terminationMessagePath:s terminationMessagePolicy:s tty:b volumeDevices:[devicePath]VolumeDevice
  volumeMounts:[mountPath]VolumeMount workingDir:s
ContainerExtendedResourceRequest containerName:s requestName:s resourceName:s
ContainerImage names:[]s sizeBytes:n
ContainerPort containerPort:n=0 hostIP:s hostPort:n name:s protocol:s="TCP"
ContainerResizePolicy resourceName:s restartPolicy:s
ContainerResourceMetricSource container:s name:s="" target:MetricTarget
ContainerResourceMetricStatus container:s current:MetricValueStatus name:s=""
ContainerRestartRule action:s exitCodes:ContainerRestartRuleOnExitCodes
ContainerRestartRuleOnExitCodes operator:s values:[=]n
ContainerState running:ContainerStateRunning terminated:ContainerStateTerminated waiting:ContainerStateWaiting
ContainerStateRunning startedAt:u
ContainerStateTerminated containerID:s exitCode:n finishedAt:u message:s reason:s signal:n startedAt:u
ContainerStateWaiting message:s reason:s
ContainerStatus allocatedResources:{}u allocatedResourcesStatus:[name]ResourceStatus containerID:s image:s imageID:s
  lastState:ContainerState name:s="" ready:b resources:ResourceRequirements restartCount:n started:b
  state:ContainerState stopSignal:s user:ContainerUser volumeMounts:[mountPath]VolumeMountStatus
ContainerUser linux:LinuxContainerUser
ControllerRevision apiVersion:s data:? kind:s metadata:ObjectMeta revision:n
Counter value:u
CounterSet counters:{}Counter name:s=""
CronJob apiVersion:s kind:s metadata:ObjectMeta spec:CronJobSpec status:CronJobStatus
CronJobSpec concurrencyPolicy:s failedJobsHistoryLimit:n jobTemplate:JobTemplateSpec schedule:s
  startingDeadlineSeconds:n successfulJobsHistoryLimit:n suspend:b timeZone:s
CronJobStatus active:[]ObjectReference lastScheduleTime:u lastSuccessfulTime:u
CustomResourceColumnDefinition description:s format:s jsonPath:s name:s="" priority:n type:s=""
CustomResourceConversion strategy:s webhook:WebhookConversion
CustomResourceDefinition apiVersion:s kind:s metadata:ObjectMeta spec:CustomResourceDefinitionSpec
  status:CustomResourceDefinitionStatus
CustomResourceDefinitionCondition lastTransitionTime:u message:s observedGeneration:n reason:s status:s type:s=""
CustomResourceDefinitionNames categories:[]s kind:s listKind:s plural:s shortNames:[]s singular:s
CustomResourceDefinitionSpec conversion:CustomResourceConversion group:s names:CustomResourceDefinitionNames
  preserveUnknownFields:b scope:s versions:[]CustomResourceDefinitionVersion
CustomResourceDefinitionStatus acceptedNames:CustomResourceDefinitionNames
  conditions:[type]CustomResourceDefinitionCondition observedGeneration:n storedVersions:[]s
CustomResourceDefinitionVersion additionalPrinterColumns:[]CustomResourceColumnDefinition deprecated:b
  deprecationWarning:s name:s="" schema:CustomResourceValidation selectableFields:[]SelectableField served:b
  storage:b subresources:CustomResourceSubresources
CustomResourceSubresourceScale labelSelectorPath:s specReplicasPath:s statusReplicasPath:s
CustomResourceSubresources scale:CustomResourceSubresourceScale status:{}*
CustomResourceValidation openAPIV3Schema:JSONSchemaProps
DaemonEndpoint Port:n
DaemonSet apiVersion:s kind:s metadata:ObjectMeta spec:DaemonSetSpec status:DaemonSetStatus
DaemonSetCondition lastTransitionTime:u message:s reason:s status:s type:s=""
DaemonSetSpec minReadySeconds:n revisionHistoryLimit:n selector:LabelSelector template:PodTemplateSpec
  updateStrategy:DaemonSetUpdateStrategy
DaemonSetStatus collisionCount:n conditions:[type]DaemonSetCondition currentNumberScheduled:n
  desiredNumberScheduled:n numberAvailable:n numberMisscheduled:n numberReady:n numberUnavailable:n
  observedGeneration:n updatedNumberScheduled:n
DaemonSetUpdateStrategy rollingUpdate:RollingUpdateDaemonSet type:s
DeleteOptions apiVersion:s dryRun:[]s gracePeriodSeconds:n ignoreStoreReadErrorWithClusterBreakingPotential:b kind:s
  orphanDependents:b preconditions:Preconditions propagationPolicy:s
Deployment apiVersion:s kind:s metadata:ObjectMeta spec:DeploymentSpec status:DeploymentStatus
DeploymentCondition lastTransitionTime:u lastUpdateTime:u message:s reason:s status:s type:s=""
DeploymentSpec minReadySeconds:n paused:b progressDeadlineSeconds:n replicas:n revisionHistoryLimit:n
  selector:LabelSelector strategy:DeploymentStrategy template:PodTemplateSpec
DeploymentStatus availableReplicas:n collisionCount:n conditions:[type]DeploymentCondition observedGeneration:n
  readyReplicas:n replicas:n terminatingReplicas:n unavailableReplicas:n updatedReplicas:n
DeploymentStrategy rollingUpdate:RollingUpdateDeployment type:s
Device allNodes:b allowMultipleAllocations:b attributes:{}DeviceAttribute bindingConditions:[]s
  bindingFailureConditions:[]s bindsToNode:b capacity:{}DeviceCapacity consumesCounters:[]DeviceCounterConsumption
  name:s="" nodeName:s nodeSelector:NodeSelector taints:[]DeviceTaint
DeviceAllocationConfiguration opaque:OpaqueDeviceConfiguration requests:[]s source:s
DeviceAllocationResult config:[]DeviceAllocationConfiguration results:[]DeviceRequestAllocationResult
DeviceAttribute bool:b int:n string:s version:s
DeviceCapacity requestPolicy:CapacityRequestPolicy value:u
DeviceClaim config:[]DeviceClaimConfiguration constraints:[]DeviceConstraint requests:[]DeviceRequest
DeviceClaimConfiguration opaque:OpaqueDeviceConfiguration requests:[]s
DeviceClass apiVersion:s kind:s metadata:ObjectMeta spec:DeviceClassSpec
DeviceClassConfiguration opaque:OpaqueDeviceConfiguration
DeviceClassSpec config:[]DeviceClassConfiguration extendedResourceName:s selectors:[]DeviceSelector
DeviceConstraint distinctAttribute:s matchAttribute:s requests:[]s
DeviceCounterConsumption counterSet:s counters:{}Counter
DeviceRequest exactly:ExactDeviceRequest firstAvailable:[]DeviceSubRequest name:s=""
DeviceRequestAllocationResult adminAccess:b bindingConditions:[]s bindingFailureConditions:[]s consumedCapacity:{}u
  device:s="" driver:s="" pool:s="" request:s shareID:s tolerations:[]DeviceToleration
DeviceSelector cel:CELDeviceSelector
DeviceSubRequest allocationMode:s capacity:CapacityRequirements count:n deviceClassName:s name:s=""
  selectors:[]DeviceSelector tolerations:[]DeviceToleration
DeviceTaint effect:s key:s timeAdded:u value:s
DeviceToleration effect:s key:s operator:s tolerationSeconds:n value:s
DownwardAPIProjection items:[]DownwardAPIVolumeFile
DownwardAPIVolumeFile fieldRef:ObjectFieldSelector mode:n path:s resourceFieldRef:ResourceFieldSelector
DownwardAPIVolumeSource defaultMode:n items:[]DownwardAPIVolumeFile
EmptyDirVolumeSource medium:s sizeLimit:u
Endpoint addresses:[=]s conditions:EndpointConditions deprecatedTopology:{}s hints:EndpointHints hostname:s
  nodeName:s targetRef:ObjectReference zone:s
EndpointAddress! hostname:s ip:s="" nodeName:s targetRef:ObjectReference
EndpointConditions ready:b serving:b terminating:b
EndpointHints forNodes:[]ForNode forZones:[]ForZone
EndpointSlice addressType:s apiVersion:s endpoints:[]Endpoint kind:s metadata:ObjectMeta
  ports:[]discovery.v1.EndpointPort
EndpointSubset addresses:[]EndpointAddress notReadyAddresses:[]EndpointAddress ports:[]core.v1.EndpointPort
Endpoints apiVersion:s kind:s metadata:ObjectMeta subsets:[]EndpointSubset
EnvFromSource configMapRef:ConfigMapEnvSource prefix:s secretRef:SecretEnvSource
EnvVar name:s="" value:s valueFrom:EnvVarSource
EnvVarSource configMapKeyRef:ConfigMapKeySelector fieldRef:ObjectFieldSelector fileKeyRef:FileKeySelector
  resourceFieldRef:ResourceFieldSelector secretKeyRef:SecretKeySelector
EphemeralContainer args:[]s command:[]s env:[name]EnvVar envFrom:[]EnvFromSource image:s imagePullPolicy:s
  lifecycle:Lifecycle livenessProbe:Probe name:s="" ports:[containerPort,protocol]ContainerPort readinessProbe:Probe
  resizePolicy:[]ContainerResizePolicy resources:ResourceRequirements restartPolicy:s
  restartPolicyRules:[]ContainerRestartRule securityContext:SecurityContext startupProbe:Probe stdin:b stdinOnce:b
  targetContainerName:s terminationMessagePath:s terminationMessagePolicy:s tty:b
  volumeDevices:[devicePath]VolumeDevice volumeMounts:[mountPath]VolumeMount workingDir:s
EphemeralVolumeSource volumeClaimTemplate:PersistentVolumeClaimTemplate
EventSource component:s host:s
Eviction apiVersion:s deleteOptions:DeleteOptions kind:s metadata:ObjectMeta
ExactDeviceRequest adminAccess:b allocationMode:s capacity:CapacityRequirements count:n deviceClassName:s
  selectors:[]DeviceSelector tolerations:[]DeviceToleration
ExecAction command:[]s
ExemptPriorityLevelConfiguration lendablePercent:n nominalConcurrencyShares:n
ExpressionWarning fieldRef:s warning:s
ExternalDocumentation description:s url:s
ExternalMetricSource metric:MetricIdentifier target:MetricTarget
ExternalMetricStatus current:MetricValueStatus metric:MetricIdentifier
FCVolumeSource fsType:s lun:n readOnly:b targetWWNs:[]s wwids:[]s
FieldSelectorAttributes rawSelector:s requirements:[]FieldSelectorRequirement
FieldSelectorRequirement key:s operator:s values:[]s
FileKeySelector! key:s optional:b path:s volumeName:s
FlexPersistentVolumeSource driver:s="" fsType:s options:{}s readOnly:b secretRef:SecretReference
FlexVolumeSource driver:s="" fsType:s options:{}s readOnly:b secretRef:LocalObjectReference
FlockerVolumeSource datasetName:s datasetUUID:s
FlowDistinguisherMethod type:s=""
FlowSchema apiVersion:s kind:s metadata:ObjectMeta spec:FlowSchemaSpec status:FlowSchemaStatus
FlowSchemaCondition lastTransitionTime:u message:s reason:s status:s type:s
FlowSchemaSpec distinguisherMethod:FlowDistinguisherMethod matchingPrecedence:n
  priorityLevelConfiguration:PriorityLevelConfigurationReference rules:[]PolicyRulesWithSubjects
FlowSchemaStatus conditions:[type]FlowSchemaCondition
ForNode name:s=""
ForZone name:s=""
GCEPersistentDiskVolumeSource fsType:s partition:n pdName:s readOnly:b
GRPCAction port:n=0 service:s
GitRepoVolumeSource directory:s repository:s revision:s
GlusterfsPersistentVolumeSource endpoints:s endpointsNamespace:s path:s readOnly:b
GlusterfsVolumeSource endpoints:s path:s readOnly:b
GroupSubject name:s=""
GroupVersionForDiscovery groupVersion:s version:s
HPAScalingPolicy periodSeconds:n type:s="" value:n
HPAScalingRules policies:[]HPAScalingPolicy selectPolicy:s stabilizationWindowSeconds:n tolerance:u
HTTPGetAction host:s httpHeaders:[]HTTPHeader path:s port:* scheme:s
HTTPHeader name:s="" value:s
HTTPIngressPath backend:IngressBackend path:s pathType:s
HTTPIngressRuleValue paths:[]HTTPIngressPath
HorizontalPodAutoscalerBehavior scaleDown:HPAScalingRules scaleUp:HPAScalingRules
HorizontalPodAutoscalerCondition lastTransitionTime:u message:s reason:s status:s type:s=""
HostAlias hostnames:[]s ip:s=""
HostIP ip:s=""
HostPathVolumeSource path:s type:s
IPAddress apiVersion:s kind:s metadata:ObjectMeta spec:IPAddressSpec
IPAddressSpec parentRef:ParentReference
IPBlock cidr:s except:[]s
ISCSIPersistentVolumeSource chapAuthDiscovery:b chapAuthSession:b fsType:s initiatorName:s iqn:s iscsiInterface:s
  lun:n portals:[]s readOnly:b secretRef:SecretReference targetPortal:s
ISCSIVolumeSource chapAuthDiscovery:b chapAuthSession:b fsType:s initiatorName:s iqn:s iscsiInterface:s lun:n
  portals:[]s readOnly:b secretRef:LocalObjectReference targetPortal:s
ImageVolumeSource pullPolicy:s reference:s
Ingress apiVersion:s kind:s metadata:ObjectMeta spec:IngressSpec status:IngressStatus
IngressBackend resource:TypedLocalObjectReference service:IngressServiceBackend
IngressClass apiVersion:s kind:s metadata:ObjectMeta spec:IngressClassSpec
IngressClassParametersReference apiGroup:s kind:s name:s="" namespace:s scope:s
IngressClassSpec controller:s parameters:IngressClassParametersReference
IngressLoadBalancerIngress hostname:s ip:s ports:[]IngressPortStatus
IngressLoadBalancerStatus ingress:[]IngressLoadBalancerIngress
IngressPortStatus error:s port:n=0 protocol:s=""
IngressRule host:s http:HTTPIngressRuleValue
IngressServiceBackend name:s="" port:ServiceBackendPort
IngressSpec defaultBackend:IngressBackend ingressClassName:s rules:[]IngressRule tls:[]IngressTLS
IngressStatus loadBalancer:IngressLoadBalancerStatus
IngressTLS hosts:[]s secretName:s
JSONSchemaProps $ref:s $schema:s additionalItems:* additionalProperties:* allOf:[]JSONSchemaProps
  anyOf:[]JSONSchemaProps default:* definitions:{}JSONSchemaProps dependencies:{}* description:s enum:[]* example:*
  exclusiveMaximum:b exclusiveMinimum:b externalDocs:ExternalDocumentation format:s id:s items:* maxItems:n
  maxLength:n maxProperties:n maximum:n minItems:n minLength:n minProperties:n minimum:n multipleOf:n
  not:JSONSchemaProps nullable:b oneOf:[]JSONSchemaProps pattern:s patternProperties:{}JSONSchemaProps
  properties:{}JSONSchemaProps required:[]s title:s type:s uniqueItems:b x-kubernetes-embedded-resource:b
  x-kubernetes-int-or-string:b x-kubernetes-list-map-keys:[]s x-kubernetes-list-type:s x-kubernetes-map-type:s
  x-kubernetes-preserve-unknown-fields:b x-kubernetes-validations:[rule]ValidationRule
Job apiVersion:s kind:s metadata:ObjectMeta spec:JobSpec status:JobStatus
JobCondition lastProbeTime:u lastTransitionTime:u message:s reason:s status:s type:s=""
JobSpec activeDeadlineSeconds:n backoffLimit:n backoffLimitPerIndex:n completionMode:s completions:n managedBy:s
  manualSelector:b maxFailedIndexes:n parallelism:n podFailurePolicy:PodFailurePolicy podReplacementPolicy:s
  selector:LabelSelector successPolicy:SuccessPolicy suspend:b template:PodTemplateSpec ttlSecondsAfterFinished:n
JobStatus active:n completedIndexes:s completionTime:u conditions:[]JobCondition failed:n failedIndexes:s ready:n
  startTime:u succeeded:n terminating:n uncountedTerminatedPods:UncountedTerminatedPods
JobTemplateSpec metadata:ObjectMeta spec:JobSpec
KeyToPath key:s mode:n path:s
LabelSelector! matchExpressions:[]LabelSelectorRequirement matchLabels:{}s
LabelSelectorAttributes rawSelector:s requirements:[]LabelSelectorRequirement
LabelSelectorRequirement key:s operator:s values:[]s
Lease apiVersion:s kind:s metadata:ObjectMeta spec:LeaseSpec
LeaseSpec acquireTime:u holderIdentity:s leaseDurationSeconds:n leaseTransitions:n preferredHolder:s renewTime:u
  strategy:s
Lifecycle postStart:LifecycleHandler preStop:LifecycleHandler stopSignal:s
LifecycleHandler exec:ExecAction httpGet:HTTPGetAction sleep:SleepAction tcpSocket:TCPSocketAction
LimitRange apiVersion:s kind:s metadata:ObjectMeta spec:LimitRangeSpec
LimitRangeItem default:{}u defaultRequest:{}u max:{}u maxLimitRequestRatio:{}u min:{}u type:s=""
LimitRangeSpec limits:[]LimitRangeItem
LimitResponse queuing:QueuingConfiguration type:s=""
LimitedPriorityLevelConfiguration borrowingLimitPercent:n lendablePercent:n limitResponse:LimitResponse
  nominalConcurrencyShares:n
LinuxContainerUser gid:n supplementalGroups:[]n uid:n=0
ListMeta continue:s remainingItemCount:n resourceVersion:s selfLink:s
LoadBalancerIngress hostname:s ip:s ipMode:s ports:[]PortStatus
LoadBalancerStatus ingress:[]LoadBalancerIngress
LocalObjectReference! name:s=""
LocalSubjectAccessReview apiVersion:s kind:s metadata:ObjectMeta spec:SubjectAccessReviewSpec
  status:SubjectAccessReviewStatus
LocalVolumeSource fsType:s path:s
ManagedFieldsEntry apiVersion:s fieldsType:s fieldsV1:{}* manager:s operation:s subresource:s time:u
MatchCondition expression:s name:s=""
MatchResources! excludeResourceRules:[]NamedRuleWithOperations matchPolicy:s namespaceSelector:LabelSelector
  objectSelector:LabelSelector resourceRules:[]NamedRuleWithOperations
MetricIdentifier name:s="" selector:LabelSelector
MetricSpec containerResource:ContainerResourceMetricSource external:ExternalMetricSource object:ObjectMetricSource
  pods:PodsMetricSource resource:ResourceMetricSource type:s=""
MetricStatus containerResource:ContainerResourceMetricStatus external:ExternalMetricStatus object:ObjectMetricStatus
  pods:PodsMetricStatus resource:ResourceMetricStatus type:s=""
MetricTarget averageUtilization:n averageValue:u type:s="" value:u
MetricValueStatus averageUtilization:n averageValue:u value:u
ModifyVolumeStatus status:s targetVolumeAttributesClassName:s
MutatingWebhook admissionReviewVersions:[]s clientConfig:admissionregistration.v1.WebhookClientConfig
  failurePolicy:s matchConditions:[name]MatchCondition matchPolicy:s name:s="" namespaceSelector:LabelSelector
  objectSelector:LabelSelector reinvocationPolicy:s rules:[]RuleWithOperations sideEffects:s timeoutSeconds:n
MutatingWebhookConfiguration apiVersion:s kind:s metadata:ObjectMeta webhooks:[name]MutatingWebhook
NFSVolumeSource path:s readOnly:b server:s
NamedRuleWithOperations! apiGroups:[]s apiVersions:[]s operations:[]s resourceNames:[]s resources:[]s scope:s
Namespace apiVersion:s kind:s metadata:ObjectMeta spec:NamespaceSpec status:NamespaceStatus
NamespaceCondition lastTransitionTime:u message:s reason:s status:s type:s=""
NamespaceSpec finalizers:[]s
NamespaceStatus conditions:[type]NamespaceCondition phase:s
NetworkDeviceData hardwareAddress:s interfaceName:s ips:[]s
NetworkPolicy apiVersion:s kind:s metadata:ObjectMeta spec:NetworkPolicySpec
NetworkPolicyEgressRule ports:[]NetworkPolicyPort to:[]NetworkPolicyPeer
NetworkPolicyIngressRule from:[]NetworkPolicyPeer ports:[]NetworkPolicyPort
NetworkPolicyPeer ipBlock:IPBlock namespaceSelector:LabelSelector podSelector:LabelSelector
NetworkPolicyPort endPort:n port:* protocol:s
NetworkPolicySpec egress:[]NetworkPolicyEgressRule ingress:[]NetworkPolicyIngressRule podSelector:LabelSelector
  policyTypes:[]s
Node apiVersion:s kind:s metadata:ObjectMeta spec:NodeSpec status:NodeStatus
NodeAddress address:s type:s=""
NodeAffinity preferredDuringSchedulingIgnoredDuringExecution:[]PreferredSchedulingTerm
  requiredDuringSchedulingIgnoredDuringExecution:NodeSelector
NodeCondition lastHeartbeatTime:u lastTransitionTime:u message:s reason:s status:s type:s=""
NodeConfigSource configMap:ConfigMapNodeConfigSource
NodeConfigStatus active:NodeConfigSource assigned:NodeConfigSource error:s lastKnownGood:NodeConfigSource
NodeDaemonEndpoints kubeletEndpoint:DaemonEndpoint
NodeFeatures supplementalGroupsPolicy:b
NodeRuntimeHandler features:NodeRuntimeHandlerFeatures name:s=""
NodeRuntimeHandlerFeatures recursiveReadOnlyMounts:b userNamespaces:b
NodeSelector! nodeSelectorTerms:[]NodeSelectorTerm
NodeSelectorRequirement key:s operator:s values:[]s
NodeSelectorTerm! matchExpressions:[]NodeSelectorRequirement matchFields:[]NodeSelectorRequirement
NodeSpec configSource:NodeConfigSource externalID:s podCIDR:s podCIDRs:[=]s providerID:s taints:[]Taint
  unschedulable:b
NodeStatus addresses:[type]NodeAddress allocatable:{}u capacity:{}u conditions:[type]NodeCondition
  config:NodeConfigStatus daemonEndpoints:NodeDaemonEndpoints declaredFeatures:[]s features:NodeFeatures
  images:[]ContainerImage nodeInfo:NodeSystemInfo phase:s runtimeHandlers:[]NodeRuntimeHandler
  volumesAttached:[]AttachedVolume volumesInUse:[]s
NodeSwapStatus capacity:n
NodeSystemInfo architecture:s bootID:s containerRuntimeVersion:s kernelVersion:s kubeProxyVersion:s kubeletVersion:s
  machineID:s operatingSystem:s osImage:s swap:NodeSwapStatus systemUUID:s
NonResourceAttributes path:s verb:s
NonResourcePolicyRule nonResourceURLs:[=]s verbs:[=]s
NonResourceRule nonResourceURLs:[]s verbs:[]s
ObjectFieldSelector! apiVersion:s fieldPath:s
ObjectMeta annotations:{}s creationTimestamp:u deletionGracePeriodSeconds:n deletionTimestamp:u finalizers:[=]s
  generateName:s generation:n labels:{}s managedFields:[]ManagedFieldsEntry name:s namespace:s
  ownerReferences:[uid]OwnerReference resourceVersion:s selfLink:s uid:s
ObjectMetricSource describedObject:autoscaling.v2.CrossVersionObjectReference metric:MetricIdentifier
  target:MetricTarget
ObjectMetricStatus current:MetricValueStatus describedObject:autoscaling.v2.CrossVersionObjectReference
  metric:MetricIdentifier
ObjectReference! apiVersion:s fieldPath:s kind:s name:s namespace:s resourceVersion:s uid:s
OpaqueDeviceConfiguration driver:s="" parameters:?
Overhead podFixed:{}u
OwnerReference! apiVersion:s blockOwnerDeletion:b controller:b kind:s name:s="" uid:s=""
ParamKind! apiVersion:s kind:s
ParamRef! name:s namespace:s parameterNotFoundAction:s selector:LabelSelector
ParentReference group:s name:s namespace:s resource:s
PersistentVolume apiVersion:s kind:s metadata:ObjectMeta spec:PersistentVolumeSpec status:PersistentVolumeStatus
PersistentVolumeClaim apiVersion:s kind:s metadata:ObjectMeta spec:PersistentVolumeClaimSpec
  status:PersistentVolumeClaimStatus
PersistentVolumeClaimCondition lastProbeTime:u lastTransitionTime:u message:s reason:s status:s type:s=""
PersistentVolumeClaimSpec accessModes:[]s dataSource:TypedLocalObjectReference dataSourceRef:TypedObjectReference
  resources:VolumeResourceRequirements selector:LabelSelector storageClassName:s volumeAttributesClassName:s
  volumeMode:s volumeName:s
PersistentVolumeClaimStatus accessModes:[]s allocatedResourceStatuses:{}s allocatedResources:{}u capacity:{}u
  conditions:[type]PersistentVolumeClaimCondition currentVolumeAttributesClassName:s
  modifyVolumeStatus:ModifyVolumeStatus phase:s
PersistentVolumeClaimTemplate metadata:ObjectMeta spec:PersistentVolumeClaimSpec
PersistentVolumeClaimVolumeSource claimName:s readOnly:b
PersistentVolumeSpec accessModes:[]s awsElasticBlockStore:AWSElasticBlockStoreVolumeSource
  azureDisk:AzureDiskVolumeSource azureFile:AzureFilePersistentVolumeSource capacity:{}u
  cephfs:CephFSPersistentVolumeSource cinder:CinderPersistentVolumeSource claimRef:ObjectReference~
  csi:CSIPersistentVolumeSource fc:FCVolumeSource flexVolume:FlexPersistentVolumeSource flocker:FlockerVolumeSource
  gcePersistentDisk:GCEPersistentDiskVolumeSource glusterfs:GlusterfsPersistentVolumeSource
  hostPath:HostPathVolumeSource iscsi:ISCSIPersistentVolumeSource local:LocalVolumeSource mountOptions:[]s
  nfs:NFSVolumeSource nodeAffinity:VolumeNodeAffinity persistentVolumeReclaimPolicy:s
  photonPersistentDisk:PhotonPersistentDiskVolumeSource portworxVolume:PortworxVolumeSource
  quobyte:QuobyteVolumeSource rbd:RBDPersistentVolumeSource scaleIO:ScaleIOPersistentVolumeSource storageClassName:s
  storageos:StorageOSPersistentVolumeSource volumeAttributesClassName:s volumeMode:s
  vsphereVolume:VsphereVirtualDiskVolumeSource
PersistentVolumeStatus lastPhaseTransitionTime:u message:s phase:s reason:s
PhotonPersistentDiskVolumeSource fsType:s pdID:s
Pod apiVersion:s kind:s metadata:ObjectMeta spec:PodSpec status:PodStatus
PodAffinity preferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodAffinityTerm
  requiredDuringSchedulingIgnoredDuringExecution:[]PodAffinityTerm
PodAffinityTerm labelSelector:LabelSelector matchLabelKeys:[]s mismatchLabelKeys:[]s namespaceSelector:LabelSelector
  namespaces:[]s topologyKey:s=""
PodAntiAffinity preferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodAffinityTerm
  requiredDuringSchedulingIgnoredDuringExecution:[]PodAffinityTerm
PodCertificateProjection certificateChainPath:s credentialBundlePath:s keyPath:s keyType:s maxExpirationSeconds:n
  signerName:s userAnnotations:{}s
PodCondition lastProbeTime:u lastTransitionTime:u message:s observedGeneration:n reason:s status:s type:s=""
PodDNSConfig nameservers:[]s options:[]PodDNSConfigOption searches:[]s
PodDNSConfigOption name:s value:s
PodDisruptionBudget apiVersion:s kind:s metadata:ObjectMeta spec:PodDisruptionBudgetSpec
  status:PodDisruptionBudgetStatus
PodDisruptionBudgetSpec maxUnavailable:* minAvailable:* selector:LabelSelector unhealthyPodEvictionPolicy:s
PodDisruptionBudgetStatus conditions:[type]Condition currentHealthy:n desiredHealthy:n disruptedPods:{}u
  disruptionsAllowed:n expectedPods:n observedGeneration:n
PodExtendedResourceClaimStatus requestMappings:[]ContainerExtendedResourceRequest resourceClaimName:s
PodFailurePolicy rules:[]PodFailurePolicyRule
PodFailurePolicyOnExitCodesRequirement containerName:s operator:s values:[=]n
PodFailurePolicyOnPodConditionsPattern status:s type:s=""
PodFailurePolicyRule action:s onExitCodes:PodFailurePolicyOnExitCodesRequirement
  onPodConditions:[]PodFailurePolicyOnPodConditionsPattern
PodIP ip:s=""
PodOS name:s=""
PodReadinessGate conditionType:s
PodResourceClaim name:s="" resourceClaimName:s resourceClaimTemplateName:s
PodResourceClaimStatus name:s="" resourceClaimName:s
PodSchedulingGate name:s=""
PodSecurityContext appArmorProfile:AppArmorProfile fsGroup:n fsGroupChangePolicy:s runAsGroup:n runAsNonRoot:b
  runAsUser:n seLinuxChangePolicy:s seLinuxOptions:SELinuxOptions seccompProfile:SeccompProfile
  supplementalGroups:[]n supplementalGroupsPolicy:s sysctls:[]Sysctl windowsOptions:WindowsSecurityContextOptions
PodSpec activeDeadlineSeconds:n affinity:Affinity automountServiceAccountToken:b containers:[name]Container
  dnsConfig:PodDNSConfig dnsPolicy:s enableServiceLinks:b ephemeralContainers:[name]EphemeralContainer
  hostAliases:[ip]HostAlias hostIPC:b hostNetwork:b hostPID:b hostUsers:b hostname:s hostnameOverride:s
  imagePullSecrets:[name]LocalObjectReference initContainers:[name]Container nodeName:s nodeSelector:{!}s os:PodOS
  overhead:{}u preemptionPolicy:s priority:n priorityClassName:s readinessGates:[]PodReadinessGate
  resourceClaims:[name]PodResourceClaim resources:ResourceRequirements restartPolicy:s runtimeClassName:s
  schedulerName:s schedulingGates:[name]PodSchedulingGate securityContext:PodSecurityContext serviceAccount:s
  serviceAccountName:s setHostnameAsFQDN:b shareProcessNamespace:b subdomain:s terminationGracePeriodSeconds:n
  tolerations:[]Toleration topologySpreadConstraints:[topologyKey,whenUnsatisfiable]TopologySpreadConstraint
  volumes:[name]Volume workloadRef:WorkloadReference
PodStatus allocatedResources:{}u conditions:[type]PodCondition containerStatuses:[]ContainerStatus
  ephemeralContainerStatuses:[]ContainerStatus extendedResourceClaimStatus:PodExtendedResourceClaimStatus hostIP:s
  hostIPs:[]HostIP initContainerStatuses:[]ContainerStatus message:s nominatedNodeName:s observedGeneration:n
  phase:s podIP:s podIPs:[ip]PodIP qosClass:s reason:s resize:s resourceClaimStatuses:[name]PodResourceClaimStatus
  resources:ResourceRequirements startTime:u
PodTemplate apiVersion:s kind:s metadata:ObjectMeta template:PodTemplateSpec
PodTemplateSpec metadata:ObjectMeta spec:PodSpec
PodsMetricSource metric:MetricIdentifier target:MetricTarget
PodsMetricStatus current:MetricValueStatus metric:MetricIdentifier
PolicyRule apiGroups:[]s nonResourceURLs:[]s resourceNames:[]s resources:[]s verbs:[]s
PolicyRulesWithSubjects nonResourceRules:[]NonResourcePolicyRule resourceRules:[]ResourcePolicyRule
  subjects:[]flowcontrol.v1.Subject
PortStatus error:s port:n=0 protocol:s=""
PortworxVolumeSource fsType:s readOnly:b volumeID:s
Preconditions resourceVersion:s uid:s
PreferredSchedulingTerm preference:NodeSelectorTerm weight:n
PriorityClass apiVersion:s description:s globalDefault:b kind:s metadata:ObjectMeta preemptionPolicy:s value:n
PriorityLevelConfiguration apiVersion:s kind:s metadata:ObjectMeta spec:PriorityLevelConfigurationSpec
  status:PriorityLevelConfigurationStatus
PriorityLevelConfigurationCondition lastTransitionTime:u message:s reason:s status:s type:s
PriorityLevelConfigurationReference name:s=""
PriorityLevelConfigurationSpec exempt:ExemptPriorityLevelConfiguration limited:LimitedPriorityLevelConfiguration
  type:s=""
PriorityLevelConfigurationStatus conditions:[type]PriorityLevelConfigurationCondition
Probe exec:ExecAction failureThreshold:n grpc:GRPCAction httpGet:HTTPGetAction initialDelaySeconds:n periodSeconds:n
  successThreshold:n tcpSocket:TCPSocketAction terminationGracePeriodSeconds:n timeoutSeconds:n
ProjectedVolumeSource defaultMode:n sources:[]VolumeProjection
QueuingConfiguration handSize:n queueLengthLimit:n queues:n
QuobyteVolumeSource group:s readOnly:b registry:s tenant:s user:s volume:s
RBDPersistentVolumeSource fsType:s image:s keyring:s monitors:[]s pool:s="rbd" readOnly:b secretRef:SecretReference
  user:s
RBDVolumeSource fsType:s image:s keyring:s monitors:[]s pool:s="rbd" readOnly:b secretRef:LocalObjectReference
  user:s
ReplicaSet apiVersion:s kind:s metadata:ObjectMeta spec:ReplicaSetSpec status:ReplicaSetStatus
ReplicaSetCondition lastTransitionTime:u message:s reason:s status:s type:s=""
ReplicaSetSpec minReadySeconds:n replicas:n selector:LabelSelector template:PodTemplateSpec
ReplicaSetStatus availableReplicas:n conditions:[type]ReplicaSetCondition fullyLabeledReplicas:n
  observedGeneration:n readyReplicas:n replicas:n terminatingReplicas:n
ReplicationController apiVersion:s kind:s metadata:ObjectMeta spec:ReplicationControllerSpec
  status:ReplicationControllerStatus
ReplicationControllerCondition lastTransitionTime:u message:s reason:s status:s type:s=""
ReplicationControllerSpec minReadySeconds:n replicas:n selector:{!}s template:PodTemplateSpec
ReplicationControllerStatus availableReplicas:n conditions:[type]ReplicationControllerCondition
  fullyLabeledReplicas:n observedGeneration:n readyReplicas:n replicas:n
ResourceAttributes fieldSelector:FieldSelectorAttributes group:s labelSelector:LabelSelectorAttributes name:s
  namespace:s resource:s subresource:s verb:s version:s
ResourceClaimConsumerReference apiGroup:s name:s="" resource:s uid:s=""
ResourceClaimSpec devices:DeviceClaim
ResourceClaimStatus allocation:AllocationResult devices:[driver,device,pool,shareID]AllocatedDeviceStatus
  reservedFor:[uid]ResourceClaimConsumerReference
ResourceClaimTemplate apiVersion:s kind:s metadata:ObjectMeta spec:ResourceClaimTemplateSpec
ResourceClaimTemplateSpec metadata:ObjectMeta spec:ResourceClaimSpec
ResourceFieldSelector! containerName:s divisor:u resource:s
ResourceHealth health:s resourceID:s=""
ResourceMetricSource name:s="" target:MetricTarget
ResourceMetricStatus current:MetricValueStatus name:s=""
ResourcePolicyRule apiGroups:[=]s clusterScope:b namespaces:[=]s resources:[=]s verbs:[=]s
ResourcePool generation:n name:s="" resourceSliceCount:n
ResourceQuota apiVersion:s kind:s metadata:ObjectMeta spec:ResourceQuotaSpec status:ResourceQuotaStatus
ResourceQuotaSpec hard:{}u scopeSelector:ScopeSelector scopes:[]s
ResourceQuotaStatus hard:{}u used:{}u
ResourceRequirements claims:[name]core.v1.ResourceClaim limits:{}u requests:{}u
ResourceRule apiGroups:[]s resourceNames:[]s resources:[]s verbs:[]s
ResourceSlice apiVersion:s kind:s metadata:ObjectMeta spec:ResourceSliceSpec
ResourceSliceSpec allNodes:b devices:[]Device driver:s="" nodeName:s nodeSelector:NodeSelector
  perDeviceNodeSelection:b pool:ResourcePool sharedCounters:[]CounterSet
ResourceStatus name:s="" resources:[resourceID]ResourceHealth
Role apiVersion:s kind:s metadata:ObjectMeta rules:[]PolicyRule
RoleBinding apiVersion:s kind:s metadata:ObjectMeta roleRef:RoleRef subjects:[]rbac.v1.Subject
RoleRef! apiGroup:s kind:s name:s=""
RollingUpdateDaemonSet maxSurge:* maxUnavailable:*
RollingUpdateDeployment maxSurge:* maxUnavailable:*
RollingUpdateStatefulSetStrategy maxUnavailable:* partition:n
RuleWithOperations apiGroups:[]s apiVersions:[]s operations:[]s resources:[]s scope:s
RuntimeClass apiVersion:s handler:s kind:s metadata:ObjectMeta overhead:Overhead scheduling:Scheduling
SELinuxOptions level:s role:s type:s user:s
Scale apiVersion:s kind:s metadata:ObjectMeta spec:ScaleSpec status:ScaleStatus
ScaleIOPersistentVolumeSource fsType:s gateway:s protectionDomain:s readOnly:b secretRef:SecretReference
  sslEnabled:b storageMode:s storagePool:s system:s volumeName:s
ScaleIOVolumeSource fsType:s gateway:s protectionDomain:s readOnly:b secretRef:LocalObjectReference sslEnabled:b
  storageMode:s storagePool:s system:s volumeName:s
ScaleSpec replicas:n
ScaleStatus replicas:n selector:s
Scheduling nodeSelector:{!}s tolerations:[]Toleration
ScopeSelector! matchExpressions:[]ScopedResourceSelectorRequirement
ScopedResourceSelectorRequirement operator:s scopeName:s values:[]s
SeccompProfile localhostProfile:s type:s=""
Secret apiVersion:s data:{}s immutable:b kind:s metadata:ObjectMeta stringData:{}s type:s
SecretEnvSource name:s="" optional:b
SecretKeySelector! key:s name:s="" optional:b
SecretProjection items:[]KeyToPath name:s="" optional:b
SecretReference! name:s namespace:s
SecretVolumeSource defaultMode:n items:[]KeyToPath optional:b secretName:s
SecurityContext allowPrivilegeEscalation:b appArmorProfile:AppArmorProfile capabilities:Capabilities privileged:b
  procMount:s readOnlyRootFilesystem:b runAsGroup:n runAsNonRoot:b runAsUser:n seLinuxOptions:SELinuxOptions
  seccompProfile:SeccompProfile windowsOptions:WindowsSecurityContextOptions
SelectableField jsonPath:s
SelfSubjectAccessReview apiVersion:s kind:s metadata:ObjectMeta spec:SelfSubjectAccessReviewSpec
  status:SubjectAccessReviewStatus
SelfSubjectAccessReviewSpec nonResourceAttributes:NonResourceAttributes resourceAttributes:ResourceAttributes
SelfSubjectReview apiVersion:s kind:s metadata:ObjectMeta status:SelfSubjectReviewStatus
SelfSubjectReviewStatus userInfo:UserInfo
SelfSubjectRulesReview apiVersion:s kind:s metadata:ObjectMeta spec:SelfSubjectRulesReviewSpec
  status:SubjectRulesReviewStatus
SelfSubjectRulesReviewSpec namespace:s
ServerAddressByClientCIDR clientCIDR:s serverAddress:s
Service apiVersion:s kind:s metadata:ObjectMeta spec:ServiceSpec status:ServiceStatus
ServiceAccount apiVersion:s automountServiceAccountToken:b imagePullSecrets:[]LocalObjectReference kind:s
  metadata:ObjectMeta secrets:[name]ObjectReference
ServiceAccountSubject name:s="" namespace:s
ServiceAccountTokenProjection audience:s expirationSeconds:n path:s
ServiceBackendPort! name:s number:n
ServiceCIDR apiVersion:s kind:s metadata:ObjectMeta spec:ServiceCIDRSpec status:ServiceCIDRStatus
ServiceCIDRSpec cidrs:[]s
ServiceCIDRStatus conditions:[type]Condition
ServicePort appProtocol:s name:s nodePort:n port:n=0 protocol:s="TCP" targetPort:*
ServiceSpec allocateLoadBalancerNodePorts:b clusterIP:s clusterIPs:[]s externalIPs:[]s externalName:s
  externalTrafficPolicy:s healthCheckNodePort:n internalTrafficPolicy:s ipFamilies:[]s ipFamilyPolicy:s
  loadBalancerClass:s loadBalancerIP:s loadBalancerSourceRanges:[]s ports:[port,protocol]ServicePort
  publishNotReadyAddresses:b selector:{!}s sessionAffinity:s sessionAffinityConfig:SessionAffinityConfig
  trafficDistribution:s type:s
ServiceStatus conditions:[type]Condition loadBalancer:LoadBalancerStatus
SessionAffinityConfig clientIP:ClientIPConfig
SleepAction seconds:n
StatefulSet apiVersion:s kind:s metadata:ObjectMeta spec:StatefulSetSpec status:StatefulSetStatus
StatefulSetCondition lastTransitionTime:u message:s reason:s status:s type:s=""
StatefulSetOrdinals start:n
StatefulSetPersistentVolumeClaimRetentionPolicy whenDeleted:s whenScaled:s
StatefulSetSpec minReadySeconds:n ordinals:StatefulSetOrdinals
  persistentVolumeClaimRetentionPolicy:StatefulSetPersistentVolumeClaimRetentionPolicy podManagementPolicy:s
  replicas:n revisionHistoryLimit:n selector:LabelSelector serviceName:s template:PodTemplateSpec
  updateStrategy:StatefulSetUpdateStrategy volumeClaimTemplates:[]PersistentVolumeClaim
StatefulSetStatus availableReplicas:n collisionCount:n conditions:[type]StatefulSetCondition currentReplicas:n
  currentRevision:s observedGeneration:n readyReplicas:n replicas:n updateRevision:s updatedReplicas:n
StatefulSetUpdateStrategy rollingUpdate:RollingUpdateStatefulSetStrategy type:s
Status apiVersion:s code:n details:StatusDetails kind:s message:s metadata:ListMeta reason:s status:s
StatusCause field:s message:s reason:s
StatusDetails causes:[]StatusCause group:s kind:s name:s retryAfterSeconds:n uid:s
StorageClass allowVolumeExpansion:b allowedTopologies:[]TopologySelectorTerm apiVersion:s kind:s metadata:ObjectMeta
  mountOptions:[]s parameters:{}s provisioner:s reclaimPolicy:s volumeBindingMode:s
StorageOSPersistentVolumeSource fsType:s readOnly:b secretRef:ObjectReference volumeName:s volumeNamespace:s
StorageOSVolumeSource fsType:s readOnly:b secretRef:LocalObjectReference volumeName:s volumeNamespace:s
SubjectAccessReview apiVersion:s kind:s metadata:ObjectMeta spec:SubjectAccessReviewSpec
  status:SubjectAccessReviewStatus
SubjectAccessReviewSpec extra:{}[]s groups:[]s nonResourceAttributes:NonResourceAttributes
  resourceAttributes:ResourceAttributes uid:s user:s
SubjectAccessReviewStatus allowed:b denied:b evaluationError:s reason:s
SubjectRulesReviewStatus evaluationError:s incomplete:b nonResourceRules:[]NonResourceRule
  resourceRules:[]ResourceRule
SuccessPolicy rules:[]SuccessPolicyRule
SuccessPolicyRule succeededCount:n succeededIndexes:s
Sysctl name:s="" value:s
TCPSocketAction host:s port:*
Taint effect:s key:s timeAdded:u value:s
TokenRequestSpec audiences:[]s boundObjectRef:BoundObjectReference expirationSeconds:n
TokenRequestStatus expirationTimestamp:u token:s
TokenReview apiVersion:s kind:s metadata:ObjectMeta spec:TokenReviewSpec status:TokenReviewStatus
TokenReviewSpec audiences:[]s token:s
TokenReviewStatus audiences:[]s authenticated:b error:s user:UserInfo
Toleration effect:s key:s operator:s tolerationSeconds:n value:s
TopologySelectorLabelRequirement key:s values:[]s
TopologySelectorTerm! matchLabelExpressions:[]TopologySelectorLabelRequirement
TopologySpreadConstraint labelSelector:LabelSelector matchLabelKeys:[]s maxSkew:n minDomains:n nodeAffinityPolicy:s
  nodeTaintsPolicy:s topologyKey:s="" whenUnsatisfiable:s=""
TypeChecking expressionWarnings:[]ExpressionWarning
TypedLocalObjectReference! apiGroup:s kind:s name:s=""
TypedObjectReference apiGroup:s kind:s name:s="" namespace:s
UncountedTerminatedPods failed:[=]s succeeded:[=]s
UserInfo extra:{}[]s groups:[]s uid:s username:s
UserSubject name:s=""
ValidatingAdmissionPolicy apiVersion:s kind:s metadata:ObjectMeta spec:ValidatingAdmissionPolicySpec
  status:ValidatingAdmissionPolicyStatus
ValidatingAdmissionPolicyBinding apiVersion:s kind:s metadata:ObjectMeta spec:ValidatingAdmissionPolicyBindingSpec
ValidatingAdmissionPolicyBindingSpec matchResources:MatchResources paramRef:ParamRef policyName:s
  validationActions:[=]s
ValidatingAdmissionPolicySpec auditAnnotations:[]AuditAnnotation failurePolicy:s
  matchConditions:[name]MatchCondition matchConstraints:MatchResources paramKind:ParamKind validations:[]Validation
  variables:[name]Variable
ValidatingAdmissionPolicyStatus conditions:[type]Condition observedGeneration:n typeChecking:TypeChecking
ValidatingWebhook admissionReviewVersions:[]s clientConfig:admissionregistration.v1.WebhookClientConfig
  failurePolicy:s matchConditions:[name]MatchCondition matchPolicy:s name:s="" namespaceSelector:LabelSelector
  objectSelector:LabelSelector rules:[]RuleWithOperations sideEffects:s timeoutSeconds:n
ValidatingWebhookConfiguration apiVersion:s kind:s metadata:ObjectMeta webhooks:[name]ValidatingWebhook
Validation expression:s message:s messageExpression:s reason:s
ValidationRule fieldPath:s message:s messageExpression:s optionalOldSelf:b reason:s rule:s=""
Variable! expression:s name:s=""
Volume awsElasticBlockStore:AWSElasticBlockStoreVolumeSource azureDisk:AzureDiskVolumeSource
  azureFile:AzureFileVolumeSource cephfs:CephFSVolumeSource cinder:CinderVolumeSource
  configMap:ConfigMapVolumeSource csi:CSIVolumeSource downwardAPI:DownwardAPIVolumeSource
  emptyDir:EmptyDirVolumeSource ephemeral:EphemeralVolumeSource fc:FCVolumeSource flexVolume:FlexVolumeSource
  flocker:FlockerVolumeSource gcePersistentDisk:GCEPersistentDiskVolumeSource gitRepo:GitRepoVolumeSource
  glusterfs:GlusterfsVolumeSource hostPath:HostPathVolumeSource image:ImageVolumeSource iscsi:ISCSIVolumeSource
  name:s="" nfs:NFSVolumeSource persistentVolumeClaim:PersistentVolumeClaimVolumeSource
  photonPersistentDisk:PhotonPersistentDiskVolumeSource portworxVolume:PortworxVolumeSource
  projected:ProjectedVolumeSource quobyte:QuobyteVolumeSource rbd:RBDVolumeSource scaleIO:ScaleIOVolumeSource
  secret:SecretVolumeSource storageos:StorageOSVolumeSource vsphereVolume:VsphereVirtualDiskVolumeSource
VolumeAttachment apiVersion:s kind:s metadata:ObjectMeta spec:VolumeAttachmentSpec status:VolumeAttachmentStatus
VolumeAttachmentSource inlineVolumeSpec:PersistentVolumeSpec persistentVolumeName:s
VolumeAttachmentSpec attacher:s nodeName:s source:VolumeAttachmentSource
VolumeAttachmentStatus attachError:VolumeError attached:b attachmentMetadata:{}s detachError:VolumeError
VolumeAttributesClass apiVersion:s driverName:s kind:s metadata:ObjectMeta parameters:{}s
VolumeDevice devicePath:s="" name:s=""
VolumeError errorCode:n message:s time:u
VolumeMount mountPath:s="" mountPropagation:s name:s="" readOnly:b recursiveReadOnly:s subPath:s subPathExpr:s
VolumeMountStatus mountPath:s="" name:s="" readOnly:b recursiveReadOnly:s
VolumeNodeAffinity required:NodeSelector
VolumeNodeResources count:n
VolumeProjection clusterTrustBundle:ClusterTrustBundleProjection configMap:ConfigMapProjection
  downwardAPI:DownwardAPIProjection podCertificate:PodCertificateProjection secret:SecretProjection
  serviceAccountToken:ServiceAccountTokenProjection
VolumeResourceRequirements limits:{}u requests:{}u
VsphereVirtualDiskVolumeSource fsType:s storagePolicyID:s storagePolicyName:s volumePath:s
WebhookConversion clientConfig:apiextensions.v1.WebhookClientConfig conversionReviewVersions:[]s
WeightedPodAffinityTerm podAffinityTerm:PodAffinityTerm weight:n
WindowsSecurityContextOptions gmsaCredentialSpec:s gmsaCredentialSpecName:s hostProcess:b runAsUserName:s
WorkloadReference name:s="" podGroup:s podGroupReplicaKey:s
admissionregistration.v1.ServiceReference name:s="" namespace:s path:s port:n
admissionregistration.v1.WebhookClientConfig caBundle:s service:admissionregistration.v1.ServiceReference url:s
apiextensions.v1.ServiceReference name:s="" namespace:s path:s port:n
apiextensions.v1.WebhookClientConfig caBundle:s service:apiextensions.v1.ServiceReference url:s
apiregistration.v1.ServiceReference name:s namespace:s port:n
authentication.v1.TokenRequest apiVersion:s kind:s metadata:ObjectMeta spec:TokenRequestSpec
  status:TokenRequestStatus
autoscaling.v1.CrossVersionObjectReference! apiVersion:s kind:s name:s=""
autoscaling.v1.HorizontalPodAutoscaler apiVersion:s kind:s metadata:ObjectMeta
  spec:autoscaling.v1.HorizontalPodAutoscalerSpec status:autoscaling.v1.HorizontalPodAutoscalerStatus
autoscaling.v1.HorizontalPodAutoscalerSpec maxReplicas:n minReplicas:n
  scaleTargetRef:autoscaling.v1.CrossVersionObjectReference targetCPUUtilizationPercentage:n
autoscaling.v1.HorizontalPodAutoscalerStatus currentCPUUtilizationPercentage:n currentReplicas:n desiredReplicas:n
  lastScaleTime:u observedGeneration:n
autoscaling.v2.CrossVersionObjectReference apiVersion:s kind:s name:s=""
autoscaling.v2.HorizontalPodAutoscaler apiVersion:s kind:s metadata:ObjectMeta
  spec:autoscaling.v2.HorizontalPodAutoscalerSpec status:autoscaling.v2.HorizontalPodAutoscalerStatus
autoscaling.v2.HorizontalPodAutoscalerSpec behavior:HorizontalPodAutoscalerBehavior maxReplicas:n
  metrics:[]MetricSpec minReplicas:n scaleTargetRef:autoscaling.v2.CrossVersionObjectReference
autoscaling.v2.HorizontalPodAutoscalerStatus conditions:[type]HorizontalPodAutoscalerCondition
  currentMetrics:[]MetricStatus currentReplicas:n desiredReplicas:n lastScaleTime:u observedGeneration:n
core.v1.EndpointPort! appProtocol:s name:s port:n=0 protocol:s
core.v1.Event action:s apiVersion:s count:n eventTime:u firstTimestamp:u involvedObject:ObjectReference kind:s
  lastTimestamp:u message:s metadata:ObjectMeta reason:s related:ObjectReference reportingComponent:s
  reportingInstance:s series:core.v1.EventSeries source:EventSource type:s
core.v1.EventSeries count:n lastObservedTime:u
core.v1.ResourceClaim name:s="" request:s
discovery.v1.EndpointPort! appProtocol:s name:s port:n protocol:s
events.v1.Event action:s apiVersion:s deprecatedCount:n deprecatedFirstTimestamp:u deprecatedLastTimestamp:u
  deprecatedSource:EventSource eventTime:u kind:s metadata:ObjectMeta note:s reason:s regarding:ObjectReference
  related:ObjectReference reportingController:s reportingInstance:s series:events.v1.EventSeries type:s
events.v1.EventSeries count:n lastObservedTime:u
flowcontrol.v1.Subject group:GroupSubject kind:s serviceAccount:ServiceAccountSubject user:UserSubject
rbac.v1.Subject! apiGroup:s kind:s name:s="" namespace:s
resource.v1.ResourceClaim apiVersion:s kind:s metadata:ObjectMeta spec:ResourceClaimSpec status:ResourceClaimStatus
storage.v1.TokenRequest audience:s expirationSeconds:n
"""
"""A definition a line, with its fields and their types; an indented line goes on with the one before.

`s` string, `n` number, `b` boolean, `u` any plain value, `*` anything, `?` anything, as one value,
`[]x` list that is one value, `[=]x` set, `[key]x` list merged by keys, `{}x` map, `{!}x` map that is one
value; a name with `!` is one value and with `~` merges, whatever the definition says. `=` is what a key
is where it is left out.
"""
