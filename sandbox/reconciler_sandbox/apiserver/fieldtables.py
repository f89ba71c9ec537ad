"""One line of text per message → what its fields are: names, types, and when a zero is left out.

A row reads `NAME[FORM] [TYPE]`, rows are separated by commas. TYPE is text if absent, else int, bool, bytes, Quantity, IntOrString,
Time, MicroTime, Raw or Free (not looked into) or the name of a message. FORM is: nothing: a zero is left out; `?`: a pointer, whose
zero counts; `!`: always written; `[]`: a list; `{}`: a map from text. The NAME `+` embeds a message: its fields are those of the one
around it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

PLAIN, POINTER, ALWAYS, LIST, MAP = "", "?", "!", "[]", "{}"
EMBEDDED = "+"
FREE = "Free"
SCALARS = frozenset({"text", "int", "bool", "bytes", "Quantity", "IntOrString", "Time", "MicroTime", "Raw", FREE})
TABLES: Mapping[str, str] = {
    # Metadata and references.
    "ObjectMeta": (
        "name, generateName, namespace, selfLink, uid, resourceVersion, generation int, creationTimestamp Time, "
        "deletionTimestamp? Time, deletionGracePeriodSeconds? int, labels{}, annotations{}, ownerReferences[] OwnerReference, "
        "finalizers[], managedFields[] ManagedFieldsEntry"
    ),
    "OwnerReference": "kind, name, uid, apiVersion, controller? bool, blockOwnerDeletion? bool",
    "ManagedFieldsEntry": "manager, operation, apiVersion, time? Time, fieldsType, fieldsV1? Raw, subresource",
    "LabelSelector": "matchLabels{}, matchExpressions[] Requirement",
    "Requirement": "key, operator, values[]",
    "ObjectReference": "kind, namespace, name, uid, apiVersion, resourceVersion, fieldPath",
    "LocalObjectReference": "name",
    # Beside workloads.
    "Namespace": "metadata ObjectMeta, spec NamespaceSpec, status Free",
    "NamespaceSpec": "finalizers[]",
    "ConfigMap": "metadata ObjectMeta, data{}, binaryData{} bytes, immutable? bool",
    "Secret": "metadata ObjectMeta, data{} bytes, type, stringData{}, immutable? bool",
    "ServiceAccount": (
        "metadata ObjectMeta, secrets[] ObjectReference, imagePullSecrets[] LocalObjectReference, automountServiceAccountToken? bool"
    ),
    "Service": "metadata ObjectMeta, spec ServiceSpec, status Free",
    "ServiceSpec": (
        "ports[] ServicePort, selector{}, clusterIP, type, externalIPs[], sessionAffinity, loadBalancerIP, "
        "loadBalancerSourceRanges[], externalName, externalTrafficPolicy, healthCheckNodePort int, "
        "publishNotReadyAddresses bool, sessionAffinityConfig? Free, ipFamilyPolicy?, clusterIPs[], ipFamilies[], "
        "allocateLoadBalancerNodePorts? bool, loadBalancerClass?, internalTrafficPolicy?, trafficDistribution?"
    ),
    "ServicePort": "name, protocol, port int, targetPort IntOrString, nodePort int, appProtocol?",
    "Endpoints": "metadata ObjectMeta, subsets[] EndpointSubset",
    "EndpointSubset": "addresses[] EndpointAddress, notReadyAddresses[] EndpointAddress, ports[] EndpointPort",
    "EndpointAddress": "ip, targetRef? ObjectReference, hostname, nodeName?",
    "EndpointPort": "name, port int, protocol, appProtocol?",
    "Event": (
        "metadata ObjectMeta, involvedObject ObjectReference, reason, message, source EventSource, firstTimestamp Time, "
        "lastTimestamp Time, count int, type, eventTime MicroTime, series? EventSeries, action, related? ObjectReference, "
        "reportingComponent!, reportingInstance!"
    ),
    "EventSource": "component, host",
    "EventSeries": "count int, lastObservedTime MicroTime",
    "Lease": "metadata ObjectMeta, spec LeaseSpec",
    "LeaseSpec": (
        "holderIdentity?, leaseDurationSeconds? int, acquireTime? MicroTime, renewTime? MicroTime, leaseTransitions? int, "
        "strategy?, preferredHolder?"
    ),
    # Pods.
    "Pod": "metadata ObjectMeta, spec PodSpec, status PodStatus",
    "PodTemplate": "metadata ObjectMeta, template PodTemplateSpec",
    "PodTemplateSpec": "metadata ObjectMeta, spec PodSpec",
    "PodSpec": (
        "volumes[] Free, containers[] Container, restartPolicy, terminationGracePeriodSeconds? int, "
        "activeDeadlineSeconds? int, dnsPolicy, nodeSelector{}, serviceAccountName, serviceAccount, nodeName, "
        "hostNetwork bool, hostPID bool, hostIPC bool, securityContext? Free, imagePullSecrets[] LocalObjectReference, "
        "hostname, subdomain, affinity? Free, schedulerName, initContainers[] Container, automountServiceAccountToken? bool, "
        "tolerations[] Free, hostAliases[] HostAlias, priorityClassName, priority? int, dnsConfig? Free, "
        "shareProcessNamespace? bool, readinessGates[] Free, runtimeClassName?, enableServiceLinks? bool, preemptionPolicy?, "
        "overhead{} Quantity, topologySpreadConstraints[] Free, ephemeralContainers[] Free, setHostnameAsFQDN? bool, os? Free, "
        "hostUsers? bool, schedulingGates[] Free, resourceClaims[] Free, resources? ResourceRequirements, hostnameOverride?, "
        "workloadRef? Free"
    ),
    "HostAlias": "ip, hostnames[]",
    "Container": (
        "name, image, command[], args[], workingDir, ports[] ContainerPort, env[] EnvVar, resources ResourceRequirements, "
        "volumeMounts[] VolumeMount, livenessProbe? Probe, readinessProbe? Probe, lifecycle? Free, terminationMessagePath, "
        "imagePullPolicy, securityContext? Free, stdin bool, stdinOnce bool, tty bool, envFrom[] Free, "
        "terminationMessagePolicy, volumeDevices[] Free, startupProbe? Probe, resizePolicy[] Free, restartPolicy?, "
        "restartPolicyRules[] Free"
    ),
    "ContainerPort": "name, hostPort int, containerPort int, protocol, hostIP",
    "EnvVar": "name, value, valueFrom? EnvVarSource",
    "EnvVarSource": (
        "fieldRef? ObjectFieldSelector, resourceFieldRef? Free, configMapKeyRef? KeySelector, secretKeyRef? KeySelector, fileKeyRef? Free"
    ),
    "KeySelector": "+ LocalObjectReference, key, optional? bool",
    "ObjectFieldSelector": "apiVersion, fieldPath",
    "ResourceRequirements": "limits{} Quantity, requests{} Quantity, claims[] Free",
    "VolumeMount": "name, readOnly bool, mountPath, subPath, mountPropagation?, subPathExpr, recursiveReadOnly?",
    "Probe": (
        "+ ProbeHandler, initialDelaySeconds int, timeoutSeconds int, periodSeconds int, successThreshold int, "
        "failureThreshold int, terminationGracePeriodSeconds? int"
    ),
    "ProbeHandler": "exec? Free, httpGet? HTTPGetAction, tcpSocket? TCPSocketAction, grpc? Free",
    "HTTPGetAction": "path, port IntOrString, host, scheme, httpHeaders[] NameAndValue",
    "TCPSocketAction": "port IntOrString, host",
    "NameAndValue": "name!, value!",
    "PodStatus": (
        "phase, conditions[] ProbedCondition, message, reason, hostIP, podIP, startTime? Time, "
        "containerStatuses[] ContainerStatus, qosClass, initContainerStatuses[] ContainerStatus, nominatedNodeName, "
        "podIPs[] Address, ephemeralContainerStatuses[] ContainerStatus, resize, resourceClaimStatuses[] Free, "
        "hostIPs[] Address, observedGeneration int, extendedResourceClaimStatus? Free, allocatedResources{} Quantity, "
        "resources? ResourceRequirements"
    ),
    "Address": "ip",
    "ProbedCondition": "type, status, lastProbeTime Time, lastTransitionTime Time, reason, message, observedGeneration int",
    "ContainerStatus": (
        "name, state ContainerState, lastState ContainerState, ready! bool, restartCount! int, image!, imageID!, containerID, "
        "started? bool, allocatedResources{} Quantity, resources? ResourceRequirements, volumeMounts[] Free, user? Free, "
        "allocatedResourcesStatus[] Free, stopSignal?"
    ),
    "ContainerState": "waiting? Waiting, running? Running, terminated? Terminated",
    "Waiting": "reason, message",
    "Running": "startedAt Time",
    "Terminated": "exitCode! int, signal int, reason, message, startedAt Time, finishedAt Time, containerID",
    # What makes pods.
    "Deployment": "metadata ObjectMeta, spec DeploymentSpec, status DeploymentStatus",
    "DeploymentSpec": (
        "replicas? int, selector? LabelSelector, template PodTemplateSpec, strategy Free, minReadySeconds int, "
        "revisionHistoryLimit? int, paused bool, progressDeadlineSeconds? int"
    ),
    "DeploymentStatus": (
        "observedGeneration int, replicas int, updatedReplicas int, availableReplicas int, unavailableReplicas int, "
        "conditions[] DeploymentCondition, readyReplicas int, collisionCount? int, terminatingReplicas? int"
    ),
    "DeploymentCondition": "type, status, reason, message, lastUpdateTime Time, lastTransitionTime Time",
    "ReplicaSet": "metadata ObjectMeta, spec ReplicaSetSpec, status ReplicaSetStatus",
    "ReplicaSetSpec": "replicas? int, selector? LabelSelector, template PodTemplateSpec, minReadySeconds int",
    "ReplicaSetStatus": (
        "replicas! int, fullyLabeledReplicas int, observedGeneration int, readyReplicas int, availableReplicas int, "
        "conditions[] ShortCondition, terminatingReplicas? int"
    ),
    "ShortCondition": "type, status, lastTransitionTime Time, reason, message",
    "Job": "metadata ObjectMeta, spec JobSpec, status JobStatus",
    "JobSpec": (
        "parallelism? int, completions? int, activeDeadlineSeconds? int, selector? LabelSelector, manualSelector? bool, "
        "template PodTemplateSpec, backoffLimit? int, ttlSecondsAfterFinished? int, completionMode?, suspend? bool, "
        "podFailurePolicy? Free, backoffLimitPerIndex? int, maxFailedIndexes? int, podReplacementPolicy?, managedBy?, "
        "successPolicy? Free"
    ),
    "JobStatus": (
        "conditions[] ProbedCondition, startTime? Time, completionTime? Time, active int, succeeded int, failed int, "
        "completedIndexes, uncountedTerminatedPods? Free, ready? int, failedIndexes?, terminating? int"
    ),
    "Scale": "metadata ObjectMeta, spec ScaleSpec, status ScaleStatus",
    "ScaleSpec": "replicas int",
    "ScaleStatus": "replicas! int, selector",
}
# apiVersion → kinds whose message has the name of the kind; of other kinds nothing but the metadata is looked at.
KINDS: Mapping[str, tuple[str, ...]] = {
    "v1": ("Namespace", "ConfigMap", "Secret", "ServiceAccount", "Service", "Endpoints", "Event", "Pod", "PodTemplate"),
    "apps/v1": ("Deployment", "ReplicaSet"),
    "batch/v1": ("Job",),
    "autoscaling/v1": ("Scale",),
    "coordination.k8s.io/v1": ("Lease",),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message."""

    name: str
    type: str
    form: str


@cache
def fields(message: str) -> Mapping[str, Field]:
    """The fields of a message by their names, those of embedded messages among them."""
    found: dict[str, Field] = {}
    for row in TABLES[message].split(","):
        name, *rest = row.split()
        form = next((one for one in (LIST, MAP, POINTER, ALWAYS) if name.endswith(one)), PLAIN)
        field = Field(name.removesuffix(form), rest[0] if rest else "text", form)
        found |= fields(field.type) if name == EMBEDDED else {field.name: field}
    return found


def message_of(api_version: str, kind: str) -> str:
    """The name of a kind's message; empty if there is no table for it."""
    return kind if kind in KINDS.get(api_version, ()) else ""
