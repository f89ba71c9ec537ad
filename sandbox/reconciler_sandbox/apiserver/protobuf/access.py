"""Messages of the groups around the workloads: roles, reviews, leases, networking, and the newer view of events."""

from reconciler_sandbox.apiserver.protobuf.fields import Tables

RIGHTS: Tables = {
    "Role": "1 metadata ObjectMeta, 2 rules[] PolicyRule",
    "ClusterRole": "1 metadata ObjectMeta, 2 rules[] PolicyRule, 3 aggregationRule? AggregationRule",
    "AggregationRule": "1 clusterRoleSelectors[] LabelSelector",
    "PolicyRule": "1 verbs[], 2 apiGroups[], 3 resources[], 4 resourceNames[], 5 nonResourceURLs[]",
    "RoleBinding": "1 metadata ObjectMeta, 2 subjects[] Subject, 3 roleRef RoleRef",
    "Subject": "1 kind, 2 apiGroup, 3 name, 4 namespace",
    "RoleRef": "1 apiGroup, 2 kind, 3 name",
    "TokenRequest": "1 metadata ObjectMeta, 2 spec TokenRequestSpec, 3 status TokenRequestStatus",
    "TokenRequestSpec": "1 audiences[], 3 boundObjectRef? BoundObject, 4 expirationSeconds? int",
    "BoundObject": "1 kind, 2 apiVersion, 3 name, 4 uid",
    "TokenRequestStatus": "1 token, 2 expirationTimestamp Time",
    "SelfSubjectReview": "1 metadata ObjectMeta, 2 status SelfReviewStatus",
    "SelfReviewStatus": "1 userInfo UserInfo",
    "UserInfo": "1 username, 2 uid, 3 groups[], 4 extra{} Free",
    "SelfSubjectAccessReview": "1 metadata ObjectMeta, 2 spec AccessReviewSpec, 3 status AccessReviewStatus",
    "AccessReviewStatus": "1 allowed bool, 2 reason, 3 evaluationError, 4 denied bool",
    "AccessReviewSpec": "1 resourceAttributes? ResourceAttributes, 2 nonResourceAttributes? NonResourceAttributes",
    "ResourceAttributes": (
        "1 namespace, 2 verb, 3 group, 4 version, 5 resource, 6 subresource, 7 name, 8 fieldSelector? Free, 9 labelSelector? Free"
    ),
    "NonResourceAttributes": "1 path, 2 verb",
    "SelfSubjectRulesReview": "1 metadata ObjectMeta, 2 spec RulesReviewSpec, 3 status RulesReviewStatus",
    "RulesReviewStatus": "1 resourceRules[] PolicyRule, 2 nonResourceRules[] NonResourceRule, 3 incomplete bool, 4 evaluationError",
    "NonResourceRule": "1 verbs[], 2 nonResourceURLs[]",
    "RulesReviewSpec": "1 namespace",
}

OTHERS: Tables = {
    "Lease": "1 metadata ObjectMeta, 2 spec LeaseSpec",
    "LeaseSpec": (
        "1 holderIdentity?, 2 leaseDurationSeconds? int, 3 acquireTime? MicroTime, 4 renewTime? MicroTime, 5 leaseTransitions? int, "
        "6 strategy?, 7 preferredHolder?"
    ),
    "EndpointSlice": "1 metadata ObjectMeta, 2 endpoints[] Endpoint, 3 ports[] SlicePort, 4 addressType",
    "Endpoint": (
        "1 addresses[], 2 conditions EndpointConditions, 3 hostname?, 4 targetRef? ObjectReference, 5 deprecatedTopology{}, "
        "6 nodeName?, 7 zone?, 8 hints? EndpointHints"
    ),
    "EndpointConditions": "1 ready? bool, 2 serving? bool, 3 terminating? bool",
    "EndpointHints": "1 forZones[] Named, 2 forNodes[] Named",
    "Named": "1 name",
    "SlicePort": "1 name?, 2 protocol?, 3 port? int, 4 appProtocol?",
    "Ingress": "1 metadata ObjectMeta, 2 spec IngressSpec, 3 status IngressStatus",
    "IngressSpec": "1 defaultBackend? IngressBackend, 2 tls[] IngressTLS, 3 rules[] IngressRule, 4 ingressClassName?",
    "IngressTLS": "1 hosts[], 2 secretName",
    "IngressRule": "1 host, 2 + IngressRuleValue",
    "IngressRuleValue": "1 http? IngressPaths",
    "IngressPaths": "1 paths[] IngressPath",
    "IngressPath": "1 path, 2 backend IngressBackend, 3 pathType?",
    "IngressBackend": "3 resource? TypedLocalObjectReference, 4 service? IngressService",
    "IngressService": "1 name, 2 port IngressServicePort",
    "IngressServicePort": "1 name, 2 number int",
    "IngressStatus": "1 loadBalancer IngressLoadBalancer",
    "IngressLoadBalancer": "1 ingress[] IngressAddress",
    "IngressAddress": "1 ip, 2 hostname, 4 ports[] PortStatus",
    "NewEvent": (
        "1 metadata ObjectMeta, 2 eventTime MicroTime, 3 series? EventSeries, 4 reportingController, 5 reportingInstance, 6 action, "
        "7 reason, 8 regarding ObjectReference, 9 related? ObjectReference, 10 note, 11 type, 12 deprecatedSource EventSource, "
        "13 deprecatedFirstTimestamp Time, 14 deprecatedLastTimestamp Time, 15 deprecatedCount int"
    ),
}

ACCESS: Tables = {**RIGHTS, **OTHERS}
