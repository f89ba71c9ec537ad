"""Messages of the groups apps, batch, autoscaling and policy."""

from reconciler_sandbox.apiserver.protobuf.fields import Tables

APPS: Tables = {
    "Deployment": "1 metadata ObjectMeta, 2 spec DeploymentSpec, 3 status DeploymentStatus",
    "DeploymentSpec": (
        "1 replicas? int, 2 selector? LabelSelector, 3 template PodTemplateSpec, 4 strategy Strategy, 5 minReadySeconds int, "
        "6 revisionHistoryLimit? int, 7 paused bool, 9 progressDeadlineSeconds? int"
    ),
    "Strategy": "1 type, 2 rollingUpdate? RollingUpdate",
    "RollingUpdate": "1 maxUnavailable? IntOrString, 2 maxSurge? IntOrString",
    "DeploymentStatus": (
        "1 observedGeneration int, 2 replicas int, 3 updatedReplicas int, 4 availableReplicas int, 5 unavailableReplicas int, "
        "6 conditions[] DeploymentCondition, 7 readyReplicas int, 8 collisionCount? int, 9 terminatingReplicas? int"
    ),
    "DeploymentCondition": "1 type, 2 status, 4 reason, 5 message, 6 lastUpdateTime Time, 7 lastTransitionTime Time",
    "ReplicaSet": "1 metadata ObjectMeta, 2 spec ReplicaSetSpec, 3 status ReplicaSetStatus",
    "ReplicaSetSpec": "1 replicas? int, 2 selector? LabelSelector, 3 template PodTemplateSpec, 4 minReadySeconds int",
    "ReplicaSetStatus": (
        "1 replicas! int, 2 fullyLabeledReplicas int, 3 observedGeneration int, 4 readyReplicas int, 5 availableReplicas int, "
        "6 conditions[] ShortCondition, 7 terminatingReplicas? int"
    ),
    "StatefulSet": "1 metadata ObjectMeta, 2 spec StatefulSetSpec, 3 status StatefulSetStatus",
    "StatefulSetSpec": (
        "1 replicas? int, 2 selector? LabelSelector, 3 template PodTemplateSpec, 4 volumeClaimTemplates[] PersistentVolumeClaim, "
        "5 serviceName, 6 podManagementPolicy, 7 updateStrategy StatefulSetStrategy, 8 revisionHistoryLimit? int, "
        "9 minReadySeconds int, 10 persistentVolumeClaimRetentionPolicy? ClaimRetention, 11 ordinals? Ordinals"
    ),
    "StatefulSetStrategy": "1 type, 2 rollingUpdate? StatefulSetRolling",
    "StatefulSetRolling": "1 partition? int, 2 maxUnavailable? IntOrString",
    "ClaimRetention": "1 whenDeleted, 2 whenScaled",
    "Ordinals": "1 start int",
    "StatefulSetStatus": (
        "1 observedGeneration int, 2 replicas! int, 3 readyReplicas int, 4 currentReplicas int, 5 updatedReplicas int, "
        "6 currentRevision, 7 updateRevision, 9 collisionCount? int, 10 conditions[] ShortCondition, 11 availableReplicas! int"
    ),
    "DaemonSet": "1 metadata ObjectMeta, 2 spec DaemonSetSpec, 3 status DaemonSetStatus",
    "DaemonSetSpec": (
        "1 selector? LabelSelector, 2 template PodTemplateSpec, 3 updateStrategy Strategy, 4 minReadySeconds int, "
        "6 revisionHistoryLimit? int"
    ),
    "DaemonSetStatus": (
        "1 currentNumberScheduled! int, 2 numberMisscheduled! int, 3 desiredNumberScheduled! int, 4 numberReady! int, "
        "5 observedGeneration int, 6 updatedNumberScheduled int, 7 numberAvailable int, 8 numberUnavailable int, "
        "9 collisionCount? int, 10 conditions[] ShortCondition"
    ),
}

BATCH: Tables = {
    "Job": "1 metadata ObjectMeta, 2 spec JobSpec, 3 status JobStatus",
    "JobSpec": (
        "1 parallelism? int, 2 completions? int, 3 activeDeadlineSeconds? int, 4 selector? LabelSelector, 5 manualSelector? bool, "
        "6 template PodTemplateSpec, 7 backoffLimit? int, 8 ttlSecondsAfterFinished? int, 9 completionMode?, 10 suspend? bool, "
        "11 podFailurePolicy? PodFailurePolicy, 12 backoffLimitPerIndex? int, 13 maxFailedIndexes? int, 14 podReplacementPolicy?, "
        "15 managedBy?, 16 successPolicy? SuccessPolicy"
    ),
    "PodFailurePolicy": "1 rules[] PodFailureRule",
    "PodFailureRule": "1 action, 2 onExitCodes? OnExitCodes, 3 onPodConditions[] OnPodCondition",
    "OnExitCodes": "1 containerName?, 2 operator, 3 values[] int",
    "OnPodCondition": "1 type, 2 status",
    "SuccessPolicy": "1 rules[] SuccessRule",
    "SuccessRule": "1 succeededIndexes?, 2 succeededCount? int",
    "JobStatus": (
        "1 conditions[] ProbedCondition, 2 startTime? Time, 3 completionTime? Time, 4 active int, 5 succeeded int, 6 failed int, "
        "7 completedIndexes, 8 uncountedTerminatedPods? Uncounted, 9 ready? int, 10 failedIndexes?, 11 terminating? int"
    ),
    "Uncounted": "1 succeeded[], 2 failed[]",
    "CronJob": "1 metadata ObjectMeta, 2 spec CronJobSpec, 3 status CronJobStatus",
    "CronJobSpec": (
        "1 schedule, 2 startingDeadlineSeconds? int, 3 concurrencyPolicy, 4 suspend? bool, 5 jobTemplate JobTemplate, "
        "6 successfulJobsHistoryLimit? int, 7 failedJobsHistoryLimit? int, 8 timeZone?"
    ),
    "JobTemplate": "1 metadata ObjectMeta, 2 spec JobSpec",
    "CronJobStatus": "1 active[] ObjectReference, 4 lastScheduleTime? Time, 5 lastSuccessfulTime? Time",
}

AUTOSCALING: Tables = {
    "Scale": "1 metadata ObjectMeta, 2 spec ScaleSpec, 3 status ScaleStatus",
    "ScaleSpec": "1 replicas int",
    "ScaleStatus": "1 replicas! int, 2 selector",
    "Autoscaler": "1 metadata ObjectMeta, 2 spec AutoscalerSpec, 3 status AutoscalerStatus",
    "FirstAutoscaler": "1 metadata ObjectMeta, 2 spec FirstAutoscalerSpec, 3 status FirstAutoscalerStatus",
    "FirstAutoscalerSpec": "1 scaleTargetRef ScaleTarget, 2 minReplicas? int, 3 maxReplicas! int, 4 targetCPUUtilizationPercentage? int",
    "FirstAutoscalerStatus": (
        "1 observedGeneration? int, 2 lastScaleTime? Time, 3 currentReplicas! int, 4 desiredReplicas! int, "
        "5 currentCPUUtilizationPercentage? int"
    ),
    "AutoscalerSpec": (
        "1 scaleTargetRef ScaleTarget, 2 minReplicas? int, 3 maxReplicas! int, 4 metrics[] MetricSpec, 5 behavior? ScalingBehavior"
    ),
    "ScaleTarget": "1 kind, 2 name, 3 apiVersion",
    "MetricSpec": (
        "1 type, 2 object? ObjectMetric, 3 pods? Metric, 4 resource? ResourceMetric, 5 external? Metric, "
        "7 containerResource? ContainerMetric"
    ),
    "ObjectMetric": "1 describedObject ScaleTarget, 2 target MetricTarget, 3 metric MetricIdentifier",
    "Metric": "1 metric MetricIdentifier, 2 target MetricTarget",
    "ResourceMetric": "1 name, 2 target MetricTarget",
    "ContainerMetric": "1 name, 2 target MetricTarget, 3 container",
    "MetricIdentifier": "1 name, 2 selector? LabelSelector",
    "MetricTarget": "1 type, 2 value? Quantity, 3 averageValue? Quantity, 4 averageUtilization? int",
    "ScalingBehavior": "1 scaleUp? ScalingRules, 2 scaleDown? ScalingRules",
    "ScalingRules": "1 selectPolicy?, 2 policies[] ScalingPolicy, 3 stabilizationWindowSeconds? int, 4 tolerance? Quantity",
    "ScalingPolicy": "1 type, 2 value int, 3 periodSeconds int",
    "AutoscalerStatus": (
        "1 observedGeneration? int, 2 lastScaleTime? Time, 3 currentReplicas int, 4 desiredReplicas! int, "
        "5 currentMetrics[] MetricStatus, 6 conditions[] ShortCondition"
    ),
    "MetricStatus": (
        "1 type, 2 object? ObjectMetricStatus, 3 pods? MetricNow, 4 resource? ResourceMetricStatus, 5 external? MetricNow, "
        "7 containerResource? ContainerMetricStatus"
    ),
    "ObjectMetricStatus": "1 metric MetricIdentifier, 2 current MetricValue, 3 describedObject ScaleTarget",
    "MetricNow": "1 metric MetricIdentifier, 2 current MetricValue",
    "ResourceMetricStatus": "1 name, 2 current MetricValue",
    "ContainerMetricStatus": "1 name, 2 current MetricValue, 3 container",
    "MetricValue": "1 value? Quantity, 2 averageValue? Quantity, 3 averageUtilization? int",
}

POLICY: Tables = {
    "Eviction": "1 metadata ObjectMeta, 2 deleteOptions? DeleteOptions",
    "PodDisruptionBudget": "1 metadata ObjectMeta, 2 spec BudgetSpec, 3 status BudgetStatus",
    "BudgetSpec": "1 minAvailable? IntOrString, 2 selector? LabelSelector, 3 maxUnavailable? IntOrString, 4 unhealthyPodEvictionPolicy?",
    "BudgetStatus": (
        "1 observedGeneration int, 2 disruptedPods{} Time, 3 disruptionsAllowed! int, 4 currentHealthy! int, 5 desiredHealthy! int, "
        "6 expectedPods! int, 7 conditions[] Condition"
    ),
}

WORKLOADS: Tables = {**APPS, **BATCH, **AUTOSCALING, **POLICY}
