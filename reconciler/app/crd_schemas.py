"""Structural schemas of Argo's kinds for `deploy/crds/`, from the rows that lint and validation read: all three know the same fields.

A field that there is not is refused by `kubectl apply` and pruned from what other clients write, as with the reference's definitions
(contract 0.2). Four things stay open, so that no field is lost that another program wrote on purpose: pod templates, for fields of a newer
Kubernetes; configurations of plug-ins; routers and providers that this version does not know, which are refused by name and not taken for
none; and statuses, for what a newer reference notes there. Values are the controller's to judge
(contract 12), with messages that name the field: a schema here has types, no ranges, no choices and nothing that is required.
"""

from collections.abc import Mapping
from typing import Any

from reconciler.app.lint.shapes import OPEN, ROWS, SORTS, Sort, sorts_of
from reconciler.kernel.shapes import Shapes
from reconciler.rollouts.replicas.shapes import SHAPES as POD_SHAPES
from reconciler.rollouts.replicas.shapes import Field
from reconciler.rollouts.validation import types

Schema = Mapping[str, Any]
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
EITHER: Schema = {"x-kubernetes-int-or-string": True}
ANYTHING: Schema = {"x-kubernetes-preserve-unknown-fields": True}
OBJECT: Schema = {"type": "object", **ANYTHING}
TEXTS: Schema = {"type": "object", "additionalProperties": TEXT}
MOMENT: Schema = {"type": "string", "format": "date-time"}
SELECTOR_STAYS = ({"rule": "self == oldSelf", "message": "a selector cannot be changed"},)
"""Contract 1.1: what pods are called is what tells them apart."""

STATUSES: Shapes = {
    "RolloutStatus": (
        "observedGeneration:text workloadObservedGeneration:text phase:text message:text currentPodHash:text currentStepHash:text"
        " currentStepIndex stableRS:text replicas updatedReplicas readyReplicas availableReplicas HPAReplicas selector:text collisionCount"
        " conditions[]:Condition pauseConditions[]:PauseCondition controllerPause abort abortedAt promoteFull restartedAt"
        " canary:CanaryStatus blueGreen:BlueGreenStatus alb:Balancer albs[]:Balancer duration:DurationStatus ..."
    ),
    "Condition": "type:text status:text reason:text message:text lastUpdateTime lastTransitionTime ...",
    "PauseCondition": "reason:text startTime ...",
    "CanaryStatus": (
        "weights:Weights currentStepAnalysisRunStatus:RunStatus currentBackgroundAnalysisRunStatus:RunStatus currentExperiment:text"
        " stablePingPong:text stepPluginStatuses[]:PluginStatus ..."
    ),
    "Weights": "canary:Share stable:Share additional[]:Share verified ...",
    "Share": "weight serviceName:text podTemplateHash:text ...",
    "RunStatus": "name:text status:text message:text ...",
    "PluginStatus": (
        "index name:text operation:text phase:text message:text startedAt updatedAt finishedAt backoff:text executions disabled status* ..."
    ),
    "BlueGreenStatus": (
        "activeSelector:text previewSelector:text scaleUpPreviewCheckPoint prePromotionAnalysisRunStatus:RunStatus"
        " postPromotionAnalysisRunStatus:RunStatus ..."
    ),
    "Balancer": "loadBalancer:Arn canaryTargetGroup:Arn stableTargetGroup:Arn ingress:text ...",
    "Arn": "name:text arn:text fullName:text ...",
    "DurationStatus": ("rolloutStartedAt completionStatus:text finishedAt manualPauseStartedAt totalManualPauseDurationSeconds ..."),
    "RunSpec": (
        "metrics[]:Metric args[]:TemplateArgument terminate dryRun[]:MetricRule measurementRetention[]:Retention ttlStrategy:TimeToLive"
    ),
    "TimeToLive": "secondsAfterCompletion secondsAfterSuccess secondsAfterFailure",
    "AnalysisStatus": (
        "phase:text message:text metricResults[]:MetricResult startedAt completedAt runSummary:Summary dryRunSummary:Summary ..."
    ),
    "MetricResult": (
        "name:text phase:text measurements[]:Measurement message:text count successful failed inconclusive error consecutiveError"
        " consecutiveSuccess dryRun metadata* ..."
    ),
    "Measurement": "phase:text message:text startedAt finishedAt value:text metadata* resumeAt ...",
    "Summary": "count successful failed inconclusive error ...",
    "ExperimentStatus": (
        "phase:text message:text availableAt templateStatuses[]:TemplateStatus analysisRuns[]:ExperimentRun conditions[]:Condition ..."
    ),
    "TemplateStatus": (
        "name:text replicas updatedReplicas readyReplicas availableReplicas collisionCount status:text message:text lastTransitionTime"
        " serviceName:text podTemplateHash:text ..."
    ),
    "ExperimentRun": "name:text analysisRun:text phase:text message:text ...",
}
"""What controllers write into the objects, and the spec of an AnalysisRun, which people do not write: contract 3.2, 3.8, 4.3, 6.1, 8.1."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FLAGS = _words(
    "enabled autoPromotionEnabled dynamicStableScale matchTrafficWeight namespaced clusterScope requiredForCompletion terminate returnData"
    " useHeaderRoutes paused progressDeadlineAbort disableInProgressLabel skipManagedRouteCleanup insecure lookback controllerPause abort"
    " promoteFull disabled scaleUpPreviewCheckPoint verified dryRun"
)
AMOUNTS = _words(
    "maxSurge maxUnavailable duration count failureLimit inconclusiveLimit consecutiveErrorLimit consecutiveSuccessLimit period"
)
"""Numbers that may be written as text: percentages, durations, and what `{{args.n}}` stands for (contract 1.3, 1.4, 6.1)."""
MOMENTS = _words(
    "restartAt abortedAt restartedAt startTime startedAt updatedAt finishedAt completedAt resumeAt availableAt lastUpdateTime"
    " lastTransitionTime rolloutStartedAt manualPauseStartedAt"
)
NAMED = _words("Routing Provider")
"""A key says which plug-in is meant: one that was pruned would leave a rollout without a router, a metric without a question."""
HELD: Mapping[str, Schema] = {
    **dict.fromkeys(("labels", "annotations", "matchLabels", "additionalIngressAnnotations", "canaryIngressAnnotations", "queries"), TEXTS),
    "metadata": TEXTS,
    **dict.fromkeys(("requiredDuringSchedulingIgnoredDuringExecution", "plugin", "authentication"), OBJECT),
}
"""What the fields hold of which the rows say no more than that it is theirs."""
WHOLE: Mapping[str, tuple[str, str]] = {
    "Rollout": ("RolloutSpec", "RolloutStatus"),
    "Experiment": ("ExperimentSpec", "ExperimentStatus"),
    "AnalysisRun": ("RunSpec", "AnalysisStatus"),
    "AnalysisTemplate": ("AnalysisSpec", ""),
    "ClusterAnalysisTemplate": ("AnalysisSpec", ""),
}
"""The rows of spec and status of a kind."""


def schema_of(kind: str) -> Schema:
    """The structural schema of a whole object of one of Argo's kinds."""
    own, noted = WHOLE[kind]
    spec, status = _object(own), _object(noted) if noted else OBJECT
    if kind == "Rollout":
        selector = {**spec["properties"]["selector"], "x-kubernetes-validations": list(SELECTOR_STAYS)}
        spec = {**spec, "properties": {**spec["properties"], "selector": selector}}
    head = {"apiVersion": TEXT, "kind": TEXT, "metadata": {"type": "object"}}
    return {"type": "object", "properties": {**head, "spec": spec, "status": status}}


def _sorts(shape: str) -> Mapping[str, Sort]:
    return sorts_of(STATUSES[shape]) if shape in STATUSES else SORTS[shape]


def _object(shape: str) -> Schema:
    """An object of a row. A pod template is told by its own rows, which know the types of Kubernetes."""
    if shape in ("Template", "Selector"):
        return _pod({"Template": "PodTemplate"}.get(shape, shape))
    row = STATUSES.get(shape) or ROWS[shape]
    described = {name: _field(shape, name, sort) for name, sort in _sorts(shape).items()}
    kept = ANYTHING if OPEN in row.split() or shape in NAMED else {}
    return {"type": "object", **({"properties": described} if described else {}), **kept}


def _field(shape: str, name: str, sort: Sort) -> Schema:
    schema = _held(shape, name) if sort.anything else _one(shape, name, sort)
    return {"type": "array", "items": schema} if sort.listed else schema


def _one(shape: str, name: str, sort: Sort) -> Schema:
    if sort.shape in STATUSES or sort.shape in SORTS:
        return _object(sort.shape)
    if sort.shape == "text" or sort.listed:
        return TEXT
    if name in MOMENTS:
        return MOMENT
    if name in FLAGS:
        return FLAG
    return EITHER if name in AMOUNTS and shape not in STATUSES else NUMBER


def _held(shape: str, name: str) -> Schema:
    if name == "selector":
        return _pod("Selector")
    if name == "template":
        return _pod("PodTemplate")
    if name == "headers" and shape == "MirrorMatch":
        return {"type": "object", "additionalProperties": _object("StringMatch")}
    return HELD.get(name, ANYTHING)


# -- pods -------------------------------------------------------------------------------------------------------------


def _pod(shape: str) -> Schema:
    """An object of a pod template: the fields that we know by their types, all others as they are."""
    return {"type": "object", "properties": {field.name: _pod_field(shape, field) for field in POD_SHAPES[shape]}, **ANYTHING}


def _pod_field(owner: str, field: Field) -> Schema:
    """As `rollouts/validation/types.py` reads it; a quantity may be a fraction, as everywhere in Kubernetes."""
    if field.shape in ("Quantity", "Quantities"):
        return ANYTHING if field.shape == "Quantity" else OBJECT
    schema = _pod(field.shape) if field.shape else _pod_leaf(owner, field.name)
    return {"type": "array", "items": schema} if _listed(owner, field) else schema


def _listed(owner: str, field: Field) -> bool:
    if owner == "NodeAffinity" and field.shape == "NodeSelector":
        return False
    required = owner == "PodAffinity" and field.name.startswith("required")
    return required or field.name in types.LISTS or field.name in types.TEXT_LISTS or field.name == "supplementalGroups"


def _pod_leaf(owner: str, name: str) -> Schema:
    if name == "port":
        return NUMBER if owner == "Grpc" else EITHER
    if name in types.NUMBERS or name == "supplementalGroups":
        return NUMBER
    if name in types.FLAGS:
        return FLAG
    if name in types.TEXT_MAPS:
        return TEXTS
    return OBJECT if name in types.OBJECTS or name in types.LISTS else TEXT
