"""The order of fields in Kubernetes' and Argo's Go types, as far as hashes depend on it (contract 10.1, 10.3).

One row per type: its fields in order. `?` marks a field that is written when present even if it is zero, `!` one that is always
written, `:Type` the type of the field's value, of each item of its list. Fields without a row come last, in alphabetical order.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    shape: str
    kept: bool
    always: bool


ROWS: Mapping[str, str] = {
    "PodTemplate": "metadata!:Metadata spec!:PodSpec",
    "Metadata": "name generateName namespace labels annotations finalizers",
    "PodSpec": (
        "volumes:Volume initContainers:Container containers?:Container ephemeralContainers:Container restartPolicy"
        " terminationGracePeriodSeconds? activeDeadlineSeconds? dnsPolicy nodeSelector serviceAccountName serviceAccount"
        " automountServiceAccountToken? nodeName hostNetwork hostPID hostIPC shareProcessNamespace? securityContext:PodSecurity"
        " imagePullSecrets:Reference hostname subdomain affinity:Affinity schedulerName tolerations:Toleration hostAliases:HostAlias"
        " priorityClassName priority? dnsConfig:DNS readinessGates:Gate runtimeClassName? enableServiceLinks? preemptionPolicy?"
        " overhead:Quantities topologySpreadConstraints:Spread setHostnameAsFQDN? os:OS hostUsers? schedulingGates:Reference"
        " resourceClaims:Claim resources:Resources hostnameOverride?"
    ),
    "Container": (
        "name? image command args workingDir ports:Port envFrom:EnvFrom env:Env resources!:Resources resizePolicy restartPolicy?"
        " volumeMounts:Mount volumeDevices:Device livenessProbe:Probe readinessProbe:Probe startupProbe:Probe lifecycle:Lifecycle"
        " terminationMessagePath terminationMessagePolicy imagePullPolicy securityContext:Security stdin stdinOnce tty"
    ),
    "Port": "name hostPort containerPort? protocol hostIP",
    "EnvFrom": "prefix configMapRef:KeySource secretRef:KeySource",
    "KeySource": "name key? optional?",
    "Env": "name? value valueFrom:EnvSource",
    "EnvSource": "fieldRef:FieldRef resourceFieldRef:ResourceRef configMapKeyRef:KeySource secretKeyRef:KeySource",
    "FieldRef": "apiVersion fieldPath?",
    "ResourceRef": "containerName resource? divisor!:Quantity",
    "Resources": "limits:Quantities requests:Quantities claims",
    "Mount": "name? readOnly recursiveReadOnly? mountPath? subPath mountPropagation? subPathExpr",
    "Device": "name? devicePath?",
    "Probe": (
        "exec:Exec httpGet:HttpGet tcpSocket:TcpSocket grpc:Grpc initialDelaySeconds timeoutSeconds periodSeconds successThreshold"
        " failureThreshold terminationGracePeriodSeconds?"
    ),
    "Exec": "command",
    "HttpGet": "path port? host scheme httpHeaders:NameValue",
    "NameValue": "name? value?",
    "TcpSocket": "port? host",
    "Grpc": "port? service?",
    "Lifecycle": "postStart:Handler preStop:Handler stopSignal?",
    "Handler": "exec:Exec httpGet:HttpGet tcpSocket:TcpSocket sleep:Sleep",
    "Sleep": "seconds?",
    "Security": (
        "capabilities:Capabilities privileged? seLinuxOptions:SELinux windowsOptions:Windows runAsUser? runAsGroup? runAsNonRoot?"
        " readOnlyRootFilesystem? allowPrivilegeEscalation? procMount? seccompProfile:Profile appArmorProfile:Profile"
    ),
    "PodSecurity": (
        "seLinuxOptions:SELinux windowsOptions:Windows runAsUser? runAsGroup? runAsNonRoot? supplementalGroups supplementalGroupsPolicy?"
        " fsGroup? sysctls:NameValue fsGroupChangePolicy? seccompProfile:Profile appArmorProfile:Profile seLinuxChangePolicy?"
    ),
    "Capabilities": "add drop",
    "SELinux": "user role type level",
    "Windows": "gmsaCredentialSpecName? gmsaCredentialSpec? runAsUserName? hostProcess?",
    "Profile": "type? localhostProfile?",
    "Reference": "name",
    "Gate": "conditionType?",
    "OS": "name?",
    "Claim": "name? resourceClaimName? resourceClaimTemplateName?",
    "DNS": "nameservers searches options:DNSOption",
    "DNSOption": "name value?",
    "HostAlias": "ip? hostnames",
    "Toleration": "key operator value effect tolerationSeconds?",
    "Spread": (
        "maxSkew? topologyKey? whenUnsatisfiable? labelSelector:Selector minDomains? nodeAffinityPolicy? nodeTaintsPolicy? matchLabelKeys"
    ),
    "Selector": "matchLabels matchExpressions:Requirement",
    "Requirement": "key? operator? values",
    "Affinity": "nodeAffinity:NodeAffinity podAffinity:PodAffinity podAntiAffinity:PodAffinity",
    "NodeAffinity": (
        "requiredDuringSchedulingIgnoredDuringExecution:NodeSelector preferredDuringSchedulingIgnoredDuringExecution:NodePreference"
    ),
    "NodeSelector": "nodeSelectorTerms?:NodeTerm",
    "NodeTerm": "matchExpressions:Requirement matchFields:Requirement",
    "NodePreference": "weight? preference!:NodeTerm",
    "PodAffinity": ("requiredDuringSchedulingIgnoredDuringExecution:PodTerm preferredDuringSchedulingIgnoredDuringExecution:PodPreference"),
    "PodTerm": "labelSelector:Selector namespaces topologyKey? namespaceSelector:Selector matchLabelKeys mismatchLabelKeys",
    "PodPreference": "weight? podAffinityTerm!:PodTerm",
    "Volume": (
        "name? hostPath:HostPath emptyDir:EmptyDir secret:SecretVolume nfs:Nfs persistentVolumeClaim:VolumeClaim"
        " downwardAPI:DownwardVolume configMap:ConfigMapVolume projected:Projected csi:Csi ephemeral image:ImageVolume"
    ),
    "HostPath": "path? type?",
    "EmptyDir": "medium sizeLimit:Quantity",
    "SecretVolume": "secretName items:KeyPath defaultMode? optional?",
    "ConfigMapVolume": "name items:KeyPath defaultMode? optional?",
    "KeyPath": "key? path? mode?",
    "Nfs": "server? path? readOnly",
    "VolumeClaim": "claimName? readOnly",
    "DownwardVolume": "items:DownwardFile defaultMode?",
    "DownwardFile": "path? fieldRef:FieldRef resourceFieldRef:ResourceRef mode?",
    "Projected": "sources?:Projection defaultMode?",
    "Projection": (
        "secret:ProjectedKeys downwardAPI:DownwardVolume configMap:ProjectedKeys serviceAccountToken:TokenProjection clusterTrustBundle"
    ),
    "ProjectedKeys": "name items:KeyPath optional?",
    "TokenProjection": "audience expirationSeconds? path?",
    "Csi": "driver? readOnly? fsType? volumeAttributes nodePublishSecretRef:Reference",
    "ImageVolume": "reference pullPolicy",
    "Step": (
        "setWeight? pause:Pause experiment:Experiment analysis:Analysis setCanaryScale:CanaryScale setHeaderRoute:HeaderRoute"
        " setMirrorRoute:MirrorRoute plugin:Plugin"
    ),
    "Pause": "duration?",
    "Experiment": (
        "templates?:ExperimentTemplate duration analyses:ExperimentAnalysis dryRun:DryRun analysisRunMetadata!:TemplateMetadata"
        " scaleDownDelaySeconds?"
    ),
    "ExperimentTemplate": "name? specRef? replicas? metadata!:TemplateMetadata selector:Selector weight? service:Reference",
    "TemplateMetadata": "labels annotations",
    "ExperimentAnalysis": "name? templateName? clusterScope args:Argument requiredForCompletion",
    "Analysis": "templates:TemplateRef args:Argument dryRun:DryRun measurementRetention:Retention analysisRunMetadata:TemplateMetadata",
    "TemplateRef": "templateName? clusterScope",
    "Argument": "name? value valueFrom:ArgumentSource",
    "ArgumentSource": "podTemplateHashValue? fieldRef:ArgumentField",
    "ArgumentField": "fieldPath?",
    "DryRun": "metricName?",
    "Retention": "metricName? limit?",
    "CanaryScale": "weight? replicas? matchTrafficWeight",
    "HeaderRoute": "name match:HeaderMatch",
    "HeaderMatch": "headerName? headerValue:StringMatch",
    "StringMatch": "exact prefix regex",
    "MirrorRoute": "name? match:RouteMatch percentage?",
    "RouteMatch": "method:StringMatch path:StringMatch headers",
    "Plugin": "name? config?",
}


def _parsed(row: str) -> tuple[Field, ...]:
    fields = []
    for word in row.split():
        head, _, shape = word.partition(":")
        fields.append(Field(head.rstrip("?!"), shape, head.endswith("?"), head.endswith("!")))
    return tuple(fields)


SHAPES: Mapping[str, tuple[Field, ...]] = {name: _parsed(row) for name, row in ROWS.items()}
