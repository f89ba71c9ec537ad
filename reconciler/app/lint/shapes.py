"""Which fields an object may have, and of what sort: typing mistakes are told before any rule looks at values.

Rows as `kernel/shapes.py` says; those of a router's or a provider's configuration the plug-in brings. Sources: contract 1, 6.1; the
Istio API.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.app.lint.finding import Remark, Remarks, Severity, did_you_mean
from reconciler.kernel.shapes import Shapes
from reconciler.providers.registry import PROVIDERS
from reconciler.rollouts.replicas.shapes import SHAPES as POD_SHAPES
from reconciler.rollouts.spec.manifest import ROUTERS as ARGO_ROUTERS
from reconciler.rollouts.traffic.router import PLUGINS
from reconciler.routers.registry import ROUTERS

ARGO_PROVIDERS = (
    *("prometheus", "web", "job", "datadog", "newRelic", "wavefront", "cloudWatch", "graphite", "influxdb", "kayenta", "skywalking"),
)
"""The providers of the reference (contract 7); which of them are served here, the registry says."""


def _keys(served: Collection[str], known: Collection[str]) -> str:
    """The fields of an object of plug-ins by key: those that are served bring a row of that name, the others may hold anything."""
    return " ".join((*(f"{name}:{name}" for name in served), *(f"{name}*" for name in known if name not in served)))


def _own(routers: Collection[str]) -> list[str]:
    """The routers that stand in `trafficRouting` itself, and not among its plugins."""
    return [name for name in routers if not name.startswith(f"{PLUGINS}.")]


ROWS: Shapes = {
    "Rollout": "apiVersion kind metadata* status* spec:RolloutSpec",
    "RolloutSpec": (
        "replicas selector:Selector template:Template workloadRef:WorkloadRef minReadySeconds rollbackWindow:Window strategy:Strategy"
        " revisionHistoryLimit paused progressDeadlineSeconds progressDeadlineAbort restartAt analysis:Kept"
    ),
    "Selector": "matchLabels* matchExpressions*",
    "Template": "metadata:PodMetadata spec:PodSpec",
    "PodMetadata": "labels* annotations* ...",
    "PodSpec": "containers[]:Container initContainers[]:Container ...",
    "Container": "...",
    "WorkloadRef": "apiVersion:text kind:text name:text scaleDown:text",
    "Window": "revisions",
    "Kept": "successfulRunHistoryLimit unsuccessfulRunHistoryLimit",
    "Strategy": "canary:Canary blueGreen:BlueGreen",
    "Canary": (
        "canaryService:text stableService:text steps[]:Step trafficRouting:Routing maxSurge maxUnavailable analysis:Analysis"
        " antiAffinity:Affinity canaryMetadata:Metadata stableMetadata:Metadata scaleDownDelaySeconds scaleDownDelayRevisionLimit"
        " abortScaleDownDelaySeconds dynamicStableScale pingPong:PingPong minPodsPerReplicaSet replicaProgressThreshold:Threshold"
    ),
    "BlueGreen": (
        "activeService:text previewService:text previewReplicaCount autoPromotionEnabled autoPromotionSeconds maxUnavailable"
        " scaleDownDelaySeconds scaleDownDelayRevisionLimit prePromotionAnalysis:Analysis postPromotionAnalysis:Analysis"
        " antiAffinity:Affinity previewMetadata:Metadata activeMetadata:Metadata abortScaleDownDelaySeconds"
    ),
    "PingPong": "pingService:text pongService:text",
    "Threshold": "type:text value",
    "Affinity": "preferredDuringSchedulingIgnoredDuringExecution:Preference requiredDuringSchedulingIgnoredDuringExecution*",
    "Preference": "weight",
    "Metadata": "labels* annotations*",
    "Routing": f"{_keys(_own(ROUTERS), ARGO_ROUTERS)} {PLUGINS}:RouterPlugins managedRoutes[]:ManagedRoute maxTrafficWeight",
    "RouterPlugins": " ".join((*(f"{name.removeprefix(f'{PLUGINS}.')}:{name}" for name in ROUTERS if name not in _own(ROUTERS)), "...")),
    "ManagedRoute": "name:text",
    "Step": (
        "setWeight pause:Pause setCanaryScale:CanaryScale setHeaderRoute:HeaderRoute setMirrorRoute:MirrorRoute analysis:Analysis"
        " experiment:ExperimentStep plugin:PluginStep"
    ),
    "PluginStep": "name:text config*",
    "ExperimentStep": (
        "templates[]:StepTemplate duration analyses[]:ExperimentAnalysis dryRun[]:MetricRule analysisRunMetadata:Metadata"
        " scaleDownDelaySeconds"
    ),
    "StepTemplate": "name:text specRef:text replicas metadata:Metadata selector* weight service:ServiceName",
    "ServiceName": "name:text",
    "ExperimentAnalysis": "name:text templateName:text clusterScope args[]:RolloutArgument requiredForCompletion",
    "Experiment": "apiVersion kind metadata* status* spec:ExperimentSpec",
    "ExperimentSpec": (
        "templates[]:ExperimentTemplate duration progressDeadlineSeconds terminate analyses[]:ExperimentAnalysis scaleDownDelaySeconds"
        " dryRun[]:MetricRule measurementRetention[]:Retention analysisRunMetadata:Metadata"
    ),
    "ExperimentTemplate": "name:text replicas minReadySeconds selector* template* service:ServiceName",
    "Pause": "duration",
    "CanaryScale": "weight replicas matchTrafficWeight",
    "HeaderRoute": "name:text match[]:HeaderMatch",
    "HeaderMatch": "headerName:text headerValue:StringMatch",
    "StringMatch": "exact:text prefix:text regex:text",
    "MirrorRoute": "name:text percentage match[]:MirrorMatch",
    "MirrorMatch": "method:StringMatch path:StringMatch headers*",
    "Analysis": (
        "templates[]:TemplateName args[]:RolloutArgument dryRun[]:MetricRule measurementRetention[]:Retention analysisRunMetadata:Metadata"
        " startingStep"
    ),
    "TemplateName": "templateName:text clusterScope",
    "RolloutArgument": "name:text value:text valueFrom:RolloutSource",
    "RolloutSource": "podTemplateHashValue:text fieldRef:FieldRef",
    "FieldRef": "apiVersion:text fieldPath:text",
    "MetricRule": "metricName:text",
    "Retention": "metricName:text limit",
    "AnalysisTemplate": "apiVersion kind metadata* status* spec:AnalysisSpec",
    "ClusterAnalysisTemplate": "apiVersion kind metadata* status* spec:AnalysisSpec",
    "AnalysisSpec": (
        "metrics[]:Metric args[]:TemplateArgument dryRun[]:MetricRule measurementRetention[]:Retention templates[]:TemplateName"
    ),
    "Metric": (
        "name:text interval:text initialDelay:text count successCondition:text failureCondition:text failureLimit inconclusiveLimit"
        " consecutiveErrorLimit consecutiveSuccessLimit consecutiveFailureLimit provider:Provider"
    ),
    "Provider": f"{_keys(PROVIDERS, ARGO_PROVIDERS)} plugin*",
    "Header": "key:text value:text",
    "TemplateArgument": "name:text value:text valueFrom:TemplateSource",
    "TemplateSource": "secretKeyRef:SecretKey fieldRef:FieldRef",
    "SecretKey": "name:text key:text",
    "Service": "apiVersion kind metadata* status* spec:ServiceSpec",
    "ServiceSpec": "selector* ports[]:ServicePort type:text ...",
    "ServicePort": "name:text port targetPort protocol:text nodePort appProtocol:text",
    "VirtualService": "apiVersion kind metadata* status* spec:VirtualServiceSpec",
    "VirtualServiceSpec": "hosts[] gateways[] exportTo[] http[]:HttpRoute tls[]:OtherRoute tcp[]:OtherRoute",
    "HttpRoute": "name:text route[]:Destination ...",
    "OtherRoute": "match* route[]:Destination",
    "Destination": "destination:Target weight headers*",
    "Target": "host:text subset:text port*",
    "ReleasePolicy": "apiVersion kind metadata* status* spec:PolicySpec",
    "ClusterReleasePolicy": "apiVersion kind metadata* status* spec:PolicySpec",
    "PolicySpec": "afterPromotion:AfterPromotion reverify:AfterPromotion rollout:RolloutSpec ...",
    "AfterPromotion": "analysis:Analysis ...",
    **{name: row for router in ROUTERS.values() for name, row in router.shapes.items()},
    **{name: row for provider in PROVIDERS.values() for name, row in provider.checks.shapes.items()},
}
OPEN = "..."


@dataclass(frozen=True, slots=True)
class Sort:
    """What one field may hold."""

    shape: str
    listed: bool
    anything: bool


def sorts_of(row: str) -> Mapping[str, Sort]:
    """The fields that a row names."""
    return {word.partition(":")[0].rstrip("[]*"): _sort(word) for word in row.split() if word != OPEN}


def _sort(word: str) -> Sort:
    head, _, shape = word.partition(":")
    return Sort(shape, head.endswith("[]"), head.endswith("*"))


SORTS: Mapping[str, Mapping[str, Sort]] = {name: sorts_of(row) for name, row in ROWS.items()}


def misshapen(kind: str, manifest: Any) -> Remarks:
    """Every field of an object that is unknown or of the wrong sort. What it says nothing about can be read without surprises."""
    return _object(kind, manifest, "")


def _object(shape: str, value: Any, path: str) -> Remarks:
    if not isinstance(value, dict):
        yield Remark(path, f"must be an object, is {_words(value)}")
        return
    for name, inner in value.items():
        sort, place = SORTS[shape].get(name), f"{path}.{name}" if path else str(name)
        if sort is None:
            yield from () if OPEN in ROWS[shape] else (_unknown(shape, place),)
        elif inner is not None and not sort.anything:
            yield from _field(sort, inner, place)
    if shape == "Template":
        yield from _unknown_to_pods("PodTemplate", value, path)


def _unknown(shape: str, place: str) -> Remark:
    name = place.rpartition(".")[2]
    return Remark(
        place, f"unknown field; known here: {', '.join(sorted(SORTS[shape]))}", suggestion=did_you_mean(name, SORTS[shape]), unknown=True
    )


def _field(sort: Sort, value: Any, path: str) -> Remarks:
    if not sort.listed:
        yield from _one(sort, value, path)
        return
    if not isinstance(value, list):
        yield Remark(path, f"must be a list, is {_words(value)}")
        return
    for index, item in enumerate(value):
        yield from _one(sort, item, f"{path}[{index}]")


def _one(sort: Sort, value: Any, path: str) -> Remarks:
    if sort.shape in SORTS:
        yield from _object(sort.shape, value, path)
    elif isinstance(value, dict | list):
        yield Remark(path, f"must be a single value, is {_words(value)}")
    elif sort.shape == "text" and not isinstance(value, str):
        yield Remark(path, f"must be a string: write it in quotes, is {_words(value)}")


def _unknown_to_pods(shape: str, value: Any, path: str) -> Remarks:
    """Pod fields that this program does not know: a typing mistake, or a Kubernetes newer than it, so only a note."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown_to_pods(shape, item, f"{path}[{index}]")
    elif isinstance(value, dict):
        known = {field.name: field.shape for field in POD_SHAPES[shape]}
        for name, inner in value.items():
            place = f"{path}.{name}"
            if name not in known and inner is not None:
                yield Remark(place, "no field of a pod that this program knows: a typing mistake?", Severity.NOTE)
            elif known.get(name) in POD_SHAPES:
                yield from _unknown_to_pods(known[name], inner, place)


def _words(value: Any) -> str:
    words = {dict: "an object", list: "a list", type(None): "nothing"}
    return words.get(type(value), f"{value!r:.40}")
