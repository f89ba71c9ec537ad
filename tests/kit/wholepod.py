"""A Job that sets every field that our tables know of it and of its pods: what a client drops or misreads shows at once."""

from typing import Any

Json = dict[str, Any]

HANDLERS: tuple[Json, ...] = (
    {"exec": {"command": ["true", "-v"]}},
    {
        "httpGet": {
            "path": "/live",
            "port": 8080,
            "host": "a.example.com",
            "scheme": "HTTPS",
            "httpHeaders": [{"name": "A", "value": "b"}],
        }
    },
    {"tcpSocket": {"port": "http", "host": "b.example.com"}},
    {"grpc": {"port": 9090, "service": "s"}},
)
TIMES: Json = {
    "initialDelaySeconds": 1,
    "timeoutSeconds": 2,
    "periodSeconds": 3,
    "successThreshold": 1,
    "failureThreshold": 5,
    "terminationGracePeriodSeconds": 6,
}
SELINUX: Json = {"user": "u", "role": "r", "type": "t", "level": "l"}
WINDOWS: Json = {"gmsaCredentialSpecName": "n", "gmsaCredentialSpec": "s", "runAsUserName": "u", "hostProcess": False}
PROFILE: Json = {"type": "Localhost", "localhostProfile": "p"}
ITEMS: list[Json] = [{"key": "k", "path": "p", "mode": 256}]
FIELD: Json = {"apiVersion": "v1", "fieldPath": "metadata.name"}
RESOURCE: Json = {"containerName": "main", "resource": "limits.cpu", "divisor": "1m"}
SELECTOR: Json = {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "k", "operator": "In", "values": ["v"]}]}
TERM: Json = {"matchExpressions": [{"key": "k", "operator": "In", "values": ["v"]}], "matchFields": [{"key": "f", "operator": "Exists"}]}
POD_TERM: Json = {
    "labelSelector": SELECTOR,
    "namespaces": ["n"],
    "topologyKey": "zone",
    "namespaceSelector": {},
    "matchLabelKeys": ["m"],
    "mismatchLabelKeys": ["x"],
}
POD_AFFINITY: Json = {
    "requiredDuringSchedulingIgnoredDuringExecution": [POD_TERM],
    "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 7, "podAffinityTerm": POD_TERM}],
}
RESOURCES: Json = {
    "limits": {"cpu": "1", "memory": "1Gi"},
    "requests": {"cpu": "500m", "memory": "64Mi"},
    "claims": [{"name": "c", "request": "r"}],
}
CONTAINER: Json = {
    "name": "main",
    "image": "registry.example/web:1.0",
    "command": ["a"],
    "args": ["b", ""],
    "workingDir": "/w",
    "ports": [{"name": "http", "hostPort": 80, "containerPort": 8080, "protocol": "TCP", "hostIP": "127.0.0.1"}],
    "env": [
        {"name": "A", "value": "b"},
        {"name": "EMPTY"},
        {"name": "B", "valueFrom": {"fieldRef": FIELD}},
        {"name": "C", "valueFrom": {"resourceFieldRef": RESOURCE}},
        {"name": "D", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k", "optional": False}}},
        {"name": "E", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}}},
        {"name": "F", "valueFrom": {"fileKeyRef": {"volumeName": "v", "path": "p", "key": "k", "optional": True}}},
    ],
    "envFrom": [
        {"prefix": "P_", "configMapRef": {"name": "c", "optional": True}},
        {"secretRef": {"name": "s", "optional": False}},
    ],
    "resources": RESOURCES,
    "volumeMounts": [
        {
            "name": "empty",
            "readOnly": True,
            "mountPath": "/m",
            "subPath": "s",
            "mountPropagation": "None",
            "recursiveReadOnly": "Disabled",
        },
        {"name": "empty", "mountPath": "/n", "subPathExpr": "$(A)"},
    ],
    "volumeDevices": [{"name": "claim", "devicePath": "/dev/x"}],
    "livenessProbe": {**HANDLERS[0], **TIMES},
    "readinessProbe": {**HANDLERS[1], **TIMES},
    "startupProbe": {**HANDLERS[3], **TIMES},
    "lifecycle": {"postStart": HANDLERS[2], "preStop": {"sleep": {"seconds": 4}}, "stopSignal": "SIGTERM"},
    "terminationMessagePath": "/t",
    "terminationMessagePolicy": "File",
    "imagePullPolicy": "Always",
    "securityContext": {
        "capabilities": {"add": ["A"], "drop": ["ALL"]},
        "privileged": False,
        "seLinuxOptions": SELINUX,
        "runAsUser": 0,
        "runAsNonRoot": False,
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "runAsGroup": 5,
        "procMount": "Default",
        "windowsOptions": WINDOWS,
        "seccompProfile": PROFILE,
        "appArmorProfile": PROFILE,
    },
    "stdin": True,
    "stdinOnce": True,
    "tty": True,
    "resizePolicy": [{"resourceName": "cpu", "restartPolicy": "NotRequired"}],
}
INIT: Json = {
    "name": "first",
    "image": "registry.example/first:1.0",
    "restartPolicy": "Always",
    "restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": "In", "values": [1, 2]}}],
    "readinessProbe": {**HANDLERS[2], **TIMES},
}
CLAIM: Json = {
    "accessModes": ["ReadWriteOnce"],
    "resources": {"limits": {"storage": "2Gi"}, "requests": {"storage": "1Gi"}},
    "volumeName": "v",
    "selector": SELECTOR,
    "storageClassName": "",
    "volumeMode": "Block",
    "dataSource": {"apiGroup": "g", "kind": "K", "name": "n"},
    "dataSourceRef": {"apiGroup": "g", "kind": "K", "name": "n", "namespace": "o"},
    "volumeAttributesClassName": "a",
}
DOWNWARD: list[Json] = [{"path": "p", "fieldRef": FIELD, "mode": 256}, {"path": "q", "resourceFieldRef": RESOURCE}]
PROJECTIONS: list[Json] = [
    {"secret": {"name": "s", "items": ITEMS, "optional": True}},
    {"downwardAPI": {"items": DOWNWARD}},
    {"configMap": {"name": "c", "items": ITEMS, "optional": False}},
    {"serviceAccountToken": {"audience": "a", "expirationSeconds": 700, "path": "t"}},
]
VOLUMES: list[Json] = [
    {"name": "host", "hostPath": {"path": "/h", "type": "Directory"}},
    {"name": "empty", "emptyDir": {}},
    {"name": "memory", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
    {"name": "secret", "secret": {"secretName": "s", "items": ITEMS, "defaultMode": 288, "optional": True}},
    {"name": "config", "configMap": {"name": "c", "items": ITEMS, "defaultMode": 288, "optional": True}},
    {"name": "nfs", "nfs": {"server": "s", "path": "/p", "readOnly": True}},
    {"name": "claim", "persistentVolumeClaim": {"claimName": "c", "readOnly": True}},
    {"name": "down", "downwardAPI": {"items": DOWNWARD, "defaultMode": 288}},
    {"name": "many", "projected": {"sources": PROJECTIONS, "defaultMode": 288}},
    {
        "name": "csi",
        "csi": {
            "driver": "d",
            "readOnly": False,
            "fsType": "ext4",
            "volumeAttributes": {"a": "b"},
            "nodePublishSecretRef": {"name": "s"},
        },
    },
    {"name": "own", "ephemeral": {"volumeClaimTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": CLAIM}}},
    {"name": "image", "image": {"reference": "r", "pullPolicy": "Never"}},
]
POD_SPEC: Json = {
    "volumes": VOLUMES,
    "containers": [CONTAINER],
    "initContainers": [INIT],
    "restartPolicy": "Never",
    "terminationGracePeriodSeconds": 0,
    "activeDeadlineSeconds": 9,
    "dnsPolicy": "None",
    "nodeSelector": {"a": "b"},
    "serviceAccountName": "bot",
    "serviceAccount": "bot",
    "nodeName": "n",
    "hostNetwork": True,
    "hostPID": True,
    "hostIPC": True,
    "securityContext": {
        "seLinuxOptions": SELINUX,
        "runAsUser": 1,
        "runAsNonRoot": True,
        "supplementalGroups": [1, 300],
        "fsGroup": 2,
        "runAsGroup": 3,
        "sysctls": [{"name": "a", "value": "b"}],
        "windowsOptions": WINDOWS,
        "fsGroupChangePolicy": "Always",
        "seccompProfile": PROFILE,
        "appArmorProfile": PROFILE,
        "supplementalGroupsPolicy": "Merge",
        "seLinuxChangePolicy": "Recursive",
    },
    "imagePullSecrets": [{"name": "s"}],
    "hostname": "h",
    "subdomain": "s",
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [TERM]},
            "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 3, "preference": TERM}],
        },
        "podAffinity": POD_AFFINITY,
        "podAntiAffinity": POD_AFFINITY,
    },
    "schedulerName": "other",
    "automountServiceAccountToken": False,
    "tolerations": [{"key": "k", "operator": "Equal", "value": "v", "effect": "NoExecute", "tolerationSeconds": 0}],
    "hostAliases": [{"ip": "127.0.0.9", "hostnames": ["a", "b"]}],
    "priorityClassName": "high",
    "priority": 0,
    "dnsConfig": {"nameservers": ["n"], "searches": ["s"], "options": [{"name": "o", "value": "1"}, {"name": "p"}]},
    "shareProcessNamespace": False,
    "readinessGates": [{"conditionType": "c"}],
    "runtimeClassName": "r",
    "enableServiceLinks": False,
    "preemptionPolicy": "Never",
    "overhead": {"cpu": "1"},
    "topologySpreadConstraints": [
        {
            "maxSkew": 1,
            "topologyKey": "t",
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": SELECTOR,
            "minDomains": 2,
            "nodeAffinityPolicy": "Honor",
            "nodeTaintsPolicy": "Ignore",
            "matchLabelKeys": ["m"],
        }
    ],
    "setHostnameAsFQDN": True,
    "os": {"name": "linux"},
    "hostUsers": False,
    "schedulingGates": [{"name": "g"}],
    "resourceClaims": [{"name": "c", "resourceClaimName": "r"}, {"name": "d", "resourceClaimTemplateName": "t"}],
    "resources": {"limits": {"cpu": "2"}, "requests": {"cpu": "1"}},
    "hostnameOverride": "o",
}
OWN_FIELDS: Json = {
    "parallelism": 0,
    "completions": 3,
    "activeDeadlineSeconds": 7,
    "backoffLimit": 0,
    "ttlSecondsAfterFinished": 0,
    "completionMode": "Indexed",
    "suspend": True,
    "podFailurePolicy": {
        "rules": [
            {"action": "FailJob", "onExitCodes": {"containerName": "main", "operator": "In", "values": [3, 4]}},
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        ]
    },
    "backoffLimitPerIndex": 1,
    "maxFailedIndexes": 2,
    "podReplacementPolicy": "Failed",
    "managedBy": "example.com/x",
    "successPolicy": {"rules": [{"succeededIndexes": "0-1", "succeededCount": 1}]},
}
JOB_SPEC: Json = {**OWN_FIELDS, "template": {"metadata": {"labels": {"a": "b"}, "annotations": {"c": ""}}, "spec": POD_SPEC}}
