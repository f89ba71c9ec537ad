"""Messages of the core group beside pods: namespaces, configuration, services, events, claims, quotas."""

from reconciler_sandbox.apiserver.protobuf.fields import Tables

CORE: Tables = {
    "Namespace": "1 metadata ObjectMeta, 2 spec NamespaceSpec, 3 status NamespaceStatus",
    "NamespaceSpec": "1 finalizers[]",
    "NamespaceStatus": "1 phase, 2 conditions[] NamespaceCondition",
    "NamespaceCondition": "1 type, 2 status, 4 lastTransitionTime Time, 5 reason, 6 message",
    "ConfigMap": "1 metadata ObjectMeta, 2 data{}, 3 binaryData{} bytes, 4 immutable? bool",
    "Secret": "1 metadata ObjectMeta, 2 data{} bytes, 3 type, 4 stringData{}, 5 immutable? bool",
    "ServiceAccount": (
        "1 metadata ObjectMeta, 2 secrets[] ObjectReference, 3 imagePullSecrets[] LocalObjectReference, "
        "4 automountServiceAccountToken? bool"
    ),
    "Service": "1 metadata ObjectMeta, 2 spec ServiceSpec, 3 status ServiceStatus",
    "ServiceSpec": (
        "1 ports[] ServicePort, 2 selector{}, 3 clusterIP, 4 type, 5 externalIPs[], 7 sessionAffinity, 8 loadBalancerIP, "
        "9 loadBalancerSourceRanges[], 10 externalName, 11 externalTrafficPolicy, 12 healthCheckNodePort int, "
        "13 publishNotReadyAddresses bool, 14 sessionAffinityConfig? SessionAffinityConfig, 17 ipFamilyPolicy?, 18 clusterIPs[], "
        "19 ipFamilies[], 20 allocateLoadBalancerNodePorts? bool, 21 loadBalancerClass?, 22 internalTrafficPolicy?, "
        "23 trafficDistribution?"
    ),
    "ServicePort": "1 name, 2 protocol, 3 port int, 4 targetPort IntOrString, 5 nodePort int, 6 appProtocol?",
    "SessionAffinityConfig": "1 clientIP? ClientIPConfig",
    "ClientIPConfig": "1 timeoutSeconds? int",
    "ServiceStatus": "1 loadBalancer LoadBalancerStatus, 2 conditions[] Condition",
    "LoadBalancerStatus": "1 ingress[] LoadBalancerIngress",
    "LoadBalancerIngress": "1 ip, 2 hostname, 3 ipMode?, 4 ports[] PortStatus",
    "PortStatus": "1 port int, 2 protocol, 3 error?",
    "Endpoints": "1 metadata ObjectMeta, 2 subsets[] EndpointSubset",
    "EndpointSubset": "1 addresses[] EndpointAddress, 2 notReadyAddresses[] EndpointAddress, 3 ports[] EndpointPort",
    "EndpointAddress": "1 ip, 2 targetRef? ObjectReference, 3 hostname, 4 nodeName?",
    "EndpointPort": "1 name, 2 port int, 3 protocol, 4 appProtocol?",
    "Event": (
        "1 metadata ObjectMeta, 2 involvedObject ObjectReference, 3 reason, 4 message, 5 source EventSource, 6 firstTimestamp Time, "
        "7 lastTimestamp Time, 8 count int, 9 type, 10 eventTime MicroTime, 11 series? EventSeries, 12 action, "
        "13 related? ObjectReference, 14 reportingComponent!, 15 reportingInstance!"
    ),
    "EventSource": "1 component, 2 host",
    "EventSeries": "1 count int, 2 lastObservedTime MicroTime",
    "Binding": "1 metadata ObjectMeta, 2 target ObjectReference",
    "PersistentVolumeClaim": "1 metadata ObjectMeta, 2 spec ClaimSpec, 3 status Free",
    "ResourceQuota": "1 metadata ObjectMeta, 2 spec ResourceQuotaSpec, 3 status ResourceQuotaStatus",
    "ResourceQuotaSpec": "1 hard{} Quantity, 2 scopes[], 3 scopeSelector? ScopeSelector",
    "ResourceQuotaStatus": "1 hard{} Quantity, 2 used{} Quantity",
    "ScopeSelector": "1 matchExpressions[] ScopeRequirement",
    "ScopeRequirement": "1 scopeName, 2 operator, 3 values[]",
}
