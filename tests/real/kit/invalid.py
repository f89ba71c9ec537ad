"""Objects that no server takes, and what it says of them: the same words everywhere."""

from typing import Any

from tests.real.kit.objects import deployment

Json = dict[str, Any]


# What a container is given → what is wrong with it.
CONTAINERS: tuple[tuple[Json, str], ...] = (
    ({"image": ""}, "image: Required value"),
    ({"imagePullPolicy": "x"}, 'imagePullPolicy: Unsupported value: "x": supported values: "Always", "IfNotPresent", "Never"'),
    ({"ports": [{"containerPort": 0}]}, "ports[0].containerPort: Required value"),
    ({"ports": [{"containerPort": 70000}]}, "ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"),
    (
        {"ports": [{"containerPort": 1, "name": "aaaaaaaaaaaaaaaa"}]},
        'ports[0].name: Invalid value: "aaaaaaaaaaaaaaaa": must be no more than 15 characters',
    ),
    (
        {"ports": [{"containerPort": 1, "protocol": "X"}]},
        'ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
    ),
    ({"ports": [{"containerPort": 1, "name": "a"}, {"containerPort": 2, "name": "a"}]}, 'ports[1].name: Duplicate value: "a"'),
    (
        {"ports": [{"containerPort": 1, "hostPort": 70000}]},
        "ports[0].hostPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
    ),
    ({"env": [{"value": "x"}]}, "env[0].name: Required value"),
    (
        {"env": [{"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]},
        'env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
    ),
    (
        {"env": [{"name": "A", "valueFrom": {}}]},
        'env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`',
    ),
    (
        {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}, "secretKeyRef": {"name": "s", "key": "k"}}}]},
        'env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time',
    ),
    (
        {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.x"}}}]},
        'env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.x": error converting fieldPath: field label not supported: spec.x',
    ),
    ({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s"}}}]}, "env[0].valueFrom.secretKeyRef.key: Required value"),
    ({"envFrom": [{}]}, 'envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`'),
    (
        {"envFrom": [{"configMapRef": {"name": "a"}, "secretRef": {"name": "b"}}]},
        'envFrom: Invalid value: "": may not have more than one field specified at a time',
    ),
    (
        {"resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "2"}}},
        'resources.requests: Invalid value: "2": must be less than or equal to cpu limit',
    ),
    ({"resources": {"limits": {"cpu": "-1"}}}, 'resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0'),
    ({"volumeMounts": [{"name": "v", "mountPath": "/x"}]}, 'volumeMounts[0].name: Not found: "v"'),
    ({"livenessProbe": {}}, "livenessProbe: Required value: must specify a handler type"),
    (
        {"livenessProbe": {"exec": {"command": ["a"]}, "tcpSocket": {"port": 1}}},
        "livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
    ),
    ({"livenessProbe": {"tcpSocket": {"port": 1}, "successThreshold": 2}}, "livenessProbe.successThreshold: Invalid value: 2: must be 1"),
    ({"readinessProbe": {"httpGet": {"port": 0}}}, "readinessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive"),
    (
        {"readinessProbe": {"httpGet": {"port": "a_b"}}},
        'readinessProbe.httpGet.port: Invalid value: "a_b": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
    ),
    (
        {"readinessProbe": {"tcpSocket": {"port": 1}, "periodSeconds": -1}},
        "readinessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
    ),
    (
        {"readinessProbe": {"httpGet": {"port": 1, "scheme": "X"}}},
        'readinessProbe.httpGet.scheme: Unsupported value: "X": supported values: "HTTP", "HTTPS"',
    ),
    ({"readinessProbe": {"exec": {}}}, "readinessProbe.exec.command: Required value"),
    ({"lifecycle": {"preStop": {}}}, "lifecycle.preStop: Required value: must specify a handler type"),
    ({"securityContext": {"runAsUser": -1}}, "securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"),
)

# What the specification of a Deployment's pods is given.
POD_SPECS: tuple[tuple[Json, str], ...] = (
    ({"containers": [{"name": "main", "image": "i:1"}, {"name": "main", "image": "i:1"}]}, 'containers[1].name: Duplicate value: "main"'),
    ({"initContainers": [{"name": "main", "image": "i:1"}]}, 'initContainers[0].name: Duplicate value: "main"'),
    ({"containers": []}, "containers: Required value"),
    (
        {"volumes": [{"name": "v", "emptyDir": {}, "configMap": {"name": "c"}}]},
        "volumes[0].configMap: Forbidden: may not specify more than 1 volume type",
    ),
    ({"volumes": [{"name": "v", "emptyDir": {}}, {"name": "v", "emptyDir": {}}]}, 'volumes[1].name: Duplicate value: "v"'),
    ({"volumes": [{"name": "v", "configMap": {}}]}, "volumes[0].configMap.name: Required value"),
    ({"volumes": [{"name": "v", "secret": {}}]}, "volumes[0].secret.secretName: Required value"),
    ({"volumes": [{"name": "v", "persistentVolumeClaim": {}}]}, "volumes[0].persistentVolumeClaim.claimName: Required value"),
    ({"volumes": [{"name": "v", "hostPath": {}}]}, "volumes[0].hostPath.path: Required value"),
    ({"restartPolicy": "Never"}, 'restartPolicy: Unsupported value: "Never": supported values: "Always"'),
    ({"activeDeadlineSeconds": 5}, "activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported"),
    (
        {"dnsPolicy": "X"},
        'dnsPolicy: Unsupported value: "X": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
    ),
    (
        {"serviceAccountName": "A_B"},
        'serviceAccountName: Invalid value: "A_B"',
    ),
    (
        {"nodeSelector": {"a b": "1"}},
        "nodeSelector: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.'",
    ),
    (
        {"tolerations": [{"key": "a", "operator": "X"}]},
        'tolerations[0].operator: Unsupported value: "X": supported values: "Equal", "Exists"',
    ),
    (
        {"tolerations": [{"key": "a", "operator": "Exists", "effect": "X"}]},
        'tolerations[0].effect: Unsupported value: "X": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
    ),
    (
        {"tolerations": [{"operator": "Equal", "value": "x"}]},
        'tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty',
    ),
)

# What the specification of a Deployment is given.
DEPLOYMENTS: tuple[tuple[Json, str], ...] = (
    (
        {"strategy": {"rollingUpdate": {"maxSurge": -1}}},
        "strategy.rollingUpdate.maxSurge: Invalid value: -1: must be greater than or equal to 0",
    ),
    (
        {"strategy": {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}},
        "strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
    ),
    (
        {"progressDeadlineSeconds": 5, "minReadySeconds": 5},
        "progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds",
    ),
    ({"replicas": -1}, "replicas: Invalid value: -1: must be greater than or equal to 0"),
    ({"minReadySeconds": -1}, "minReadySeconds: Invalid value: -1: must be greater than or equal to 0"),
    ({"revisionHistoryLimit": -1}, "revisionHistoryLimit: Invalid value: -1: must be greater than or equal to 0"),
)

# Plural, group, object → what is wrong with it.
OTHERS: tuple[tuple[str, str, Json, str], ...] = (
    (
        "services",
        "",
        {"spec": {"ports": [{"port": 80}], "type": "X"}},
        'spec.type: Unsupported value: "X": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    ),
    (
        "services",
        "",
        {"spec": {"ports": [{"port": 80}], "sessionAffinity": "X"}},
        'spec.sessionAffinity: Unsupported value: "X": supported values: "ClientIP", "None"',
    ),
    (
        "services",
        "",
        {"spec": {"ports": [{"port": 80}], "type": "NodePort", "clusterIP": "None"}},
        "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services",
    ),
    (
        "services",
        "",
        {"spec": {"ports": [{"port": 80}], "clusterIP": "x"}},
        'spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address,',
    ),
    ("services", "", {"spec": {"ports": [{"name": "a", "port": 1}, {"name": "a", "port": 2}]}}, 'spec.ports[1].name: Duplicate value: "a"'),
    (
        "services",
        "",
        {"spec": {"ports": [{"port": 1}, {"port": 2}]}},
        "[spec.ports[0].name: Required value, spec.ports[1].name: Required value]",
    ),
    (
        "services",
        "",
        {"spec": {"ports": [{"name": "A", "port": 1}]}},
        'spec.ports[0].name: Invalid value: "A": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or',
    ),
    (
        "services",
        "",
        {"spec": {"ports": [{"port": 1, "targetPort": 70000}]}},
        "spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
    ),
    ("services", "", {"spec": {"type": "ExternalName"}}, "spec.externalName: Required value"),
    (
        "services",
        "",
        {"spec": {"type": "ExternalName", "externalName": "A B"}},
        'spec.externalName: Invalid value: "A B"',
    ),
    (
        "services",
        "",
        {"spec": {"ports": [{"port": 1, "nodePort": 30001}]}},
        "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    ),
    ("secrets", "", {"type": "kubernetes.io/tls", "data": {}}, "[data[tls.crt]: Required value, data[tls.key]: Required value]"),
    ("secrets", "", {"type": "kubernetes.io/dockerconfigjson"}, "data[.dockerconfigjson]: Required value"),
    (
        "secrets",
        "",
        {"stringData": {"a/b": "c"}},
        "data[a/b]: Invalid value: \"a/b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    ),
    (
        "secrets",
        "",
        {"type": "kubernetes.io/service-account-token"},
        "metadata.annotations[kubernetes.io/service-account.name]: Required value",
    ),
    ("configmaps", "", {"data": {"..": "c"}}, "data[..]: Invalid value: \"..\": must not be '..'"),
    ("configmaps", "", {"data": {"..a": "c"}}, "data[..a]: Invalid value: \"..a\": must not start with '..'"),
    (
        "configmaps",
        "",
        {"data": {"a": "c"}, "binaryData": {"a": "YQ=="}},
        'data[a]: Invalid value: "a": duplicate of key present in binaryData',
    ),
    (
        "jobs",
        "batch/v1",
        {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "i:1"}]}}}},
        'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
    ),
    (
        "jobs",
        "batch/v1",
        {"spec": {"backoffLimit": -1, "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "i:1"}]}}}},
        "spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0",
    ),
    (
        "jobs",
        "batch/v1",
        {"spec": {}},
        "[spec.template.spec.containers: Required value",
    ),
    (
        "roles",
        "rbac.authorization.k8s.io/v1",
        {"rules": [{"apiGroups": [""], "resources": ["a"]}]},
        "rules[0].verbs: Required value: verbs must contain at least one value",
    ),
    (
        "roles",
        "rbac.authorization.k8s.io/v1",
        {"rules": [{"verbs": ["get"]}]},
        "[rules[0].apiGroups: Required value: resource rules must supply at least one api group",
    ),
    (
        "rolebindings",
        "rbac.authorization.k8s.io/v1",
        {"roleRef": {"kind": "X", "name": "y"}},
        'roleRef.kind: Unsupported value: "X": supported values: "Role", "ClusterRole"',
    ),
    ("rolebindings", "rbac.authorization.k8s.io/v1", {"roleRef": {"kind": "Role"}}, "roleRef.name: Required value"),
    (
        "rolebindings",
        "rbac.authorization.k8s.io/v1",
        {"roleRef": {"kind": "Role", "name": "y"}, "subjects": [{"kind": "X", "name": "a"}]},
        'subjects[0].kind: Unsupported value: "X": supported values: "ServiceAccount", "User", "Group"',
    ),
    (
        "leases",
        "coordination.k8s.io/v1",
        {"spec": {"leaseDurationSeconds": 0}},
        "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
    ),
    (
        "endpoints",
        "",
        {"subsets": [{"addresses": [{"ip": "1.2.3.4"}], "ports": [{"port": 0}]}]},
        "subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
    ),
    (
        "endpoints",
        "",
        {"subsets": [{"addresses": [{"ip": "1.2.3.4"}], "ports": [{"port": 1}, {"port": 2}]}]},
        "[subsets[0].ports[0].name: Required value, subsets[0].ports[1].name: Required value]",
    ),
    (
        "ingresses",
        "networking.k8s.io/v1",
        {"spec": {"rules": [{"http": {"paths": [{"path": "x", "backend": {}}]}}]}},
        "spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified",
    ),
    (
        "networkpolicies",
        "networking.k8s.io/v1",
        {"spec": {"podSelector": {}, "policyTypes": ["X"]}},
        'spec.policyTypes[0]: Unsupported value: "X": supported values: "Ingress", "Egress"',
    ),
    (
        "pods",
        "",
        {"spec": {"containers": [{"name": "main", "image": "registry.example/web:1.0"}], "nodeName": "A B"}},
        'spec.nodeName: Invalid value: "A B": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters',
    ),
    (
        "persistentvolumeclaims",
        "",
        {"spec": {}},
        "[spec.accessModes: Required value: at least 1 access mode is required, spec.resources[storage]: Required value]",
    ),
    ("podtemplates", "", {}, "template.spec.containers: Required value"),
    ("controllerrevisions", "apps/v1", {"revision": 1}, "data: Required value: data is mandatory"),
)


def with_container(**fields: Any) -> Json:
    """A Deployment whose container is given these fields."""
    body = deployment("x", paused=True)
    body["spec"]["template"]["spec"]["containers"][0].update(fields)
    return body


def with_pod(**fields: Any) -> Json:
    """A Deployment whose pods are given these fields."""
    body = deployment("x", paused=True)
    body["spec"]["template"]["spec"].update(fields)
    return body


def with_spec(**fields: Any) -> Json:
    """A Deployment with these fields."""
    body = deployment("x", paused=True)
    body["spec"].update(fields)
    return body
