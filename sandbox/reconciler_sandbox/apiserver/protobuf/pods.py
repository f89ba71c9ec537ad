"""Messages of pods: the template that every workload carries, and the status that a node writes."""

from reconciler_sandbox.apiserver.protobuf.fields import Tables

SPEC: Tables = {
    "Pod": "1 metadata ObjectMeta, 2 spec PodSpec, 3 status PodStatus",
    "PodTemplate": "1 metadata ObjectMeta, 2 template PodTemplateSpec",
    "PodTemplateSpec": "1 metadata ObjectMeta, 2 spec PodSpec",
    "PodSpec": (
        "1 volumes[] Volume, 2 containers[] Container, 3 restartPolicy, 4 terminationGracePeriodSeconds? int, "
        "5 activeDeadlineSeconds? int, 6 dnsPolicy, 7 nodeSelector{}, 8 serviceAccountName, 9 serviceAccount, 10 nodeName, "
        "11 hostNetwork bool, 12 hostPID bool, 13 hostIPC bool, 14 securityContext? PodSecurityContext, "
        "15 imagePullSecrets[] LocalObjectReference, 16 hostname, 17 subdomain, 18 affinity? Affinity, 19 schedulerName, "
        "20 initContainers[] Container, 21 automountServiceAccountToken? bool, 22 tolerations[] Toleration, "
        "23 hostAliases[] HostAlias, 24 priorityClassName, 25 priority? int, 26 dnsConfig? PodDNSConfig, "
        "27 shareProcessNamespace? bool, 28 readinessGates[] PodReadinessGate, 29 runtimeClassName?, 30 enableServiceLinks? bool, "
        "31 preemptionPolicy?, 32 overhead{} Quantity, 33 topologySpreadConstraints[] TopologySpreadConstraint, "
        "34 ephemeralContainers[] EphemeralContainer, 35 setHostnameAsFQDN? bool, 36 os? PodOS, 37 hostUsers? bool, "
        "38 schedulingGates[] PodSchedulingGate, 39 resourceClaims[] PodResourceClaim, 40 resources? ResourceRequirements, "
        "41 hostnameOverride?, 42 workloadRef? Free"
    ),
    "PodOS": "1 name",
    "PodReadinessGate": "1 conditionType",
    "PodSchedulingGate": "1 name",
    "PodResourceClaim": "1 name, 3 resourceClaimName?, 4 resourceClaimTemplateName?",
    "Toleration": "1 key, 2 operator, 3 value, 4 effect, 5 tolerationSeconds? int",
    "HostAlias": "1 ip, 2 hostnames[]",
    "PodDNSConfig": "1 nameservers[], 2 searches[], 3 options[] PodDNSConfigOption",
    "PodDNSConfigOption": "1 name, 2 value?",
    "TopologySpreadConstraint": (
        "1 maxSkew int, 2 topologyKey, 3 whenUnsatisfiable, 4 labelSelector? LabelSelector, 5 minDomains? int, "
        "6 nodeAffinityPolicy?, 7 nodeTaintsPolicy?, 8 matchLabelKeys[]"
    ),
    "PodSecurityContext": (
        "1 seLinuxOptions? SELinuxOptions, 2 runAsUser? int, 3 runAsNonRoot? bool, 4 supplementalGroups[] int, 5 fsGroup? int, "
        "6 runAsGroup? int, 7 sysctls[] NameAndValue, 8 windowsOptions? WindowsOptions, 9 fsGroupChangePolicy?, "
        "10 seccompProfile? Profile, 11 appArmorProfile? Profile, 12 supplementalGroupsPolicy?, 13 seLinuxChangePolicy?"
    ),
    "SELinuxOptions": "1 user, 2 role, 3 type, 4 level",
    "WindowsOptions": "1 gmsaCredentialSpecName?, 2 gmsaCredentialSpec?, 3 runAsUserName?, 4 hostProcess? bool",
    "Profile": "1 type, 2 localhostProfile?",
    "NameAndValue": "1 name!, 2 value!",
    "Affinity": "1 nodeAffinity? NodeAffinity, 2 podAffinity? PodAffinity, 3 podAntiAffinity? PodAffinity",
    "NodeAffinity": (
        "1 requiredDuringSchedulingIgnoredDuringExecution? NodeSelector, "
        "2 preferredDuringSchedulingIgnoredDuringExecution[] PreferredSchedulingTerm"
    ),
    "NodeSelector": "1 nodeSelectorTerms[] NodeSelectorTerm",
    "NodeSelectorTerm": "1 matchExpressions[] Requirement, 2 matchFields[] Requirement",
    "PreferredSchedulingTerm": "1 weight! int, 2 preference NodeSelectorTerm",
    "PodAffinity": (
        "1 requiredDuringSchedulingIgnoredDuringExecution[] PodAffinityTerm, "
        "2 preferredDuringSchedulingIgnoredDuringExecution[] WeightedPodAffinityTerm"
    ),
    "PodAffinityTerm": (
        "1 labelSelector? LabelSelector, 2 namespaces[], 3 topologyKey, 4 namespaceSelector? LabelSelector, 5 matchLabelKeys[], "
        "6 mismatchLabelKeys[]"
    ),
    "WeightedPodAffinityTerm": "1 weight! int, 2 podAffinityTerm PodAffinityTerm",
}

CONTAINERS: Tables = {
    "Container": (
        "1 name, 2 image, 3 command[], 4 args[], 5 workingDir, 6 ports[] ContainerPort, 7 env[] EnvVar, "
        "8 resources ResourceRequirements, 9 volumeMounts[] VolumeMount, 10 livenessProbe? Probe, 11 readinessProbe? Probe, "
        "12 lifecycle? Lifecycle, 13 terminationMessagePath, 14 imagePullPolicy, 15 securityContext? SecurityContext, "
        "16 stdin bool, 17 stdinOnce bool, 18 tty bool, 19 envFrom[] EnvFromSource, 20 terminationMessagePolicy, "
        "21 volumeDevices[] VolumeDevice, 22 startupProbe? Probe, 23 resizePolicy[] ContainerResizePolicy, 24 restartPolicy?, "
        "25 restartPolicyRules[] ContainerRestartRule"
    ),
    "EphemeralContainer": "1 + Container, 2 targetContainerName",
    "ContainerPort": "1 name, 2 hostPort int, 3 containerPort int, 4 protocol, 5 hostIP",
    "ContainerResizePolicy": "1 resourceName, 2 restartPolicy",
    "ContainerRestartRule": "1 action, 2 exitCodes? ExitCodes",
    "ExitCodes": "1 operator, 2 values[] int",
    "EnvVar": "1 name, 2 value, 3 valueFrom? EnvVarSource",
    "EnvVarSource": (
        "1 fieldRef? ObjectFieldSelector, 2 resourceFieldRef? ResourceFieldSelector, 3 configMapKeyRef? KeySelector, "
        "4 secretKeyRef? KeySelector, 5 fileKeyRef? FileKeySelector"
    ),
    "ObjectFieldSelector": "1 apiVersion, 2 fieldPath",
    "ResourceFieldSelector": "1 containerName, 2 resource, 3 divisor Quantity",
    "KeySelector": "1 + LocalObjectReference, 2 key, 3 optional? bool",
    "FileKeySelector": "1 volumeName, 2 path, 3 key, 4 optional? bool",
    "EnvFromSource": "1 prefix, 2 configMapRef? EnvSource, 3 secretRef? EnvSource",
    "EnvSource": "1 + LocalObjectReference, 2 optional? bool",
    "ResourceRequirements": "1 limits{} Quantity, 2 requests{} Quantity, 3 claims[] ResourceClaim",
    "ResourceClaim": "1 name, 2 request",
    "VolumeMount": "1 name, 2 readOnly bool, 3 mountPath, 4 subPath, 5 mountPropagation?, 6 subPathExpr, 7 recursiveReadOnly?",
    "VolumeDevice": "1 name, 2 devicePath",
    "Probe": (
        "1 + ProbeHandler, 2 initialDelaySeconds int, 3 timeoutSeconds int, 4 periodSeconds int, 5 successThreshold int, "
        "6 failureThreshold int, 7 terminationGracePeriodSeconds? int"
    ),
    "ProbeHandler": "1 exec? ExecAction, 2 httpGet? HTTPGetAction, 3 tcpSocket? TCPSocketAction, 4 grpc? GRPCAction",
    "Lifecycle": "1 postStart? LifecycleHandler, 2 preStop? LifecycleHandler, 3 stopSignal?",
    "LifecycleHandler": "1 exec? ExecAction, 2 httpGet? HTTPGetAction, 3 tcpSocket? TCPSocketAction, 4 sleep? SleepAction",
    "ExecAction": "1 command[]",
    "HTTPGetAction": "1 path, 2 port IntOrString, 3 host, 4 scheme, 5 httpHeaders[] NameAndValue",
    "TCPSocketAction": "1 port IntOrString, 2 host",
    "GRPCAction": "1 port! int, 2 service?",
    "SleepAction": "1 seconds! int",
    "SecurityContext": (
        "1 capabilities? Capabilities, 2 privileged? bool, 3 seLinuxOptions? SELinuxOptions, 4 runAsUser? int, "
        "5 runAsNonRoot? bool, 6 readOnlyRootFilesystem? bool, 7 allowPrivilegeEscalation? bool, 8 runAsGroup? int, 9 procMount?, "
        "10 windowsOptions? WindowsOptions, 11 seccompProfile? Profile, 12 appArmorProfile? Profile"
    ),
    "Capabilities": "1 add[], 2 drop[]",
}

VOLUMES: Tables = {
    "Volume": "1 name, 2 + VolumeSource",
    # The drivers that left Kubernetes' own tree are known by name only.
    "VolumeSource": (
        "1 hostPath? HostPath, 2 emptyDir? EmptyDir, 3 gcePersistentDisk? Free, 4 awsElasticBlockStore? Free, 5 gitRepo? Free, "
        "6 secret? SecretVolume, 7 nfs? NFS, 8 iscsi? Free, 9 glusterfs? Free, 10 persistentVolumeClaim? ClaimVolume, 11 rbd? Free, "
        "12 flexVolume? Free, 13 cinder? Free, 14 cephfs? Free, 15 flocker? Free, 16 downwardAPI? DownwardVolume, 17 fc? Free, "
        "18 azureFile? Free, 19 configMap? ConfigMapVolume, 20 vsphereVolume? Free, 21 quobyte? Free, 22 azureDisk? Free, "
        "23 photonPersistentDisk? Free, 24 portworxVolume? Free, 25 scaleIO? Free, 26 projected? Projected, 27 storageos? Free, "
        "28 csi? CSI, 29 ephemeral? EphemeralVolume, 30 image? ImageVolume"
    ),
    "HostPath": "1 path, 2 type?",
    "EmptyDir": "1 medium, 2 sizeLimit? Quantity",
    "SecretVolume": "1 secretName, 2 items[] KeyToPath, 3 defaultMode? int, 4 optional? bool",
    "ConfigMapVolume": "1 + LocalObjectReference, 2 items[] KeyToPath, 3 defaultMode? int, 4 optional? bool",
    "KeyToPath": "1 key, 2 path, 3 mode? int",
    "NFS": "1 server, 2 path, 3 readOnly bool",
    "ClaimVolume": "1 claimName, 2 readOnly bool",
    "DownwardVolume": "1 items[] DownwardFile, 2 defaultMode? int",
    "DownwardFile": "1 path, 2 fieldRef? ObjectFieldSelector, 3 resourceFieldRef? ResourceFieldSelector, 4 mode? int",
    "Projected": "1 sources[] Projection, 2 defaultMode? int",
    "Projection": (
        "1 secret? KeysProjection, 2 downwardAPI? DownwardProjection, 3 configMap? KeysProjection, "
        "4 serviceAccountToken? TokenProjection, 5 clusterTrustBundle? Free, 6 podCertificate? Free"
    ),
    "KeysProjection": "1 + LocalObjectReference, 2 items[] KeyToPath, 4 optional? bool",
    "DownwardProjection": "1 items[] DownwardFile",
    "TokenProjection": "1 audience, 2 expirationSeconds? int, 3 path",
    "CSI": "1 driver, 2 readOnly? bool, 3 fsType?, 4 volumeAttributes{}, 5 nodePublishSecretRef? LocalObjectReference",
    "EphemeralVolume": "1 volumeClaimTemplate? ClaimTemplate",
    "ClaimTemplate": "1 metadata ObjectMeta, 2 spec ClaimSpec",
    "ClaimSpec": (
        "1 accessModes[], 2 resources VolumeResources, 3 volumeName, 4 selector? LabelSelector, 5 storageClassName?, 6 volumeMode?, "
        "7 dataSource? TypedLocalObjectReference, 8 dataSourceRef? TypedObjectReference, 9 volumeAttributesClassName?"
    ),
    "VolumeResources": "1 limits{} Quantity, 2 requests{} Quantity",
    "ImageVolume": "1 reference, 2 pullPolicy",
}

STATUS: Tables = {
    "PodStatus": (
        "1 phase, 2 conditions[] ProbedCondition, 3 message, 4 reason, 5 hostIP, 6 podIP, 7 startTime? Time, "
        "8 containerStatuses[] ContainerStatus, 9 qosClass, 10 initContainerStatuses[] ContainerStatus, 11 nominatedNodeName, "
        "12 podIPs[] Address, 13 ephemeralContainerStatuses[] ContainerStatus, 14 resize, 15 resourceClaimStatuses[] ClaimStatus, "
        "16 hostIPs[] Address, 17 observedGeneration int, 18 extendedResourceClaimStatus? Free, 19 allocatedResources{} Quantity, "
        "20 resources? ResourceRequirements"
    ),
    "Address": "1 ip",
    "ClaimStatus": "1 name, 2 resourceClaimName?",
    "ContainerStatus": (
        "1 name, 2 state ContainerState, 3 lastState ContainerState, 4 ready! bool, 5 restartCount! int, 6 image!, 7 imageID!, "
        "8 containerID, 9 started? bool, 10 allocatedResources{} Quantity, 11 resources? ResourceRequirements, "
        "12 volumeMounts[] Free, 13 user? Free, 14 allocatedResourcesStatus[] Free, 15 stopSignal?"
    ),
    "ContainerState": "1 waiting? Waiting, 2 running? Running, 3 terminated? Terminated",
    "Waiting": "1 reason, 2 message",
    "Running": "1 startedAt Time",
    "Terminated": "1 exitCode! int, 2 signal int, 3 reason, 4 message, 5 startedAt Time, 6 finishedAt Time, 7 containerID",
}

PODS: Tables = {**SPEC, **CONTAINERS, **VOLUMES, **STATUS}
