"""How an object fares is read off its live state, kind by kind."""

from typing import Any

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.sources.settings import HealthRule
from reconciler.sync.health import Health, health_of, tells

HEALTHY, PROGRESSING, DEGRADED, SUSPENDED, UNKNOWN = Health.HEALTHY, Health.PROGRESSING, Health.DEGRADED, Health.SUSPENDED, Health.UNKNOWN


def live(kind: str, api_version: str, status: Any = None, spec: Any = None, **metadata: Any) -> Manifest:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a", **metadata}, "spec": spec or {}, "status": status or {}}


def condition(name: str, status: str = "True", **more: str) -> dict[str, Any]:
    return {"type": name, "status": status, **more}


def conditions(*found: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"conditions": list(found), **more}


SEEN = {"observedGeneration": 2}
FULL = {**SEEN, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 2}
TWO = {"replicas": 2}
LATE = condition("Progressing", "False", reason="ProgressDeadlineExceeded", message="too slow")


@pytest.mark.parametrize(
    ("status", "spec", "health", "words"),
    [
        (FULL, TWO, HEALTHY, ""),
        ({}, TWO, PROGRESSING, "its controller has not seen it yet"),
        ({}, {"replicas": 0}, PROGRESSING, "its controller has not seen it yet"),
        (SEEN, {"replicas": 0}, HEALTHY, ""),
        ({**FULL, "observedGeneration": 1}, TWO, PROGRESSING, "its controller has not seen the last change yet"),
        ({**FULL, "updatedReplicas": 1}, TWO, PROGRESSING, "1 of 2 pods have the new template"),
        ({**FULL, "replicas": 3}, TWO, PROGRESSING, "1 old pods are still there"),
        ({**FULL, "availableReplicas": 1}, TWO, PROGRESSING, "1 of 2 pods are available"),
        ({**FULL, **conditions(LATE)}, TWO, DEGRADED, "too slow"),
        (FULL, {**TWO, "paused": True}, SUSPENDED, "it is paused"),
    ],
)
def test_a_deployment_is_healthy_once_its_new_pods_are_available(status: Any, spec: Any, health: Health, words: str) -> None:
    found = health_of(live("Deployment", "apps/v1", status, spec, generation=2))
    assert (found.health, found.words) == (health, words)


SAME = {"updateRevision": "a", "currentRevision": "a"}
PARTED = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}


@pytest.mark.parametrize(
    ("status", "spec", "health"),
    [
        ({**FULL, **SAME}, TWO, HEALTHY),
        ({}, TWO, PROGRESSING),
        ({**FULL, **SAME, "readyReplicas": 1}, TWO, PROGRESSING),
        ({**FULL, "updateRevision": "b", "currentRevision": "a"}, TWO, PROGRESSING),
        ({**FULL, "updateRevision": "b", "currentRevision": "a"}, {**TWO, "updateStrategy": {"type": "OnDelete"}}, HEALTHY),
        ({**FULL, "updateRevision": "b", "currentRevision": "a", "updatedReplicas": 1}, {**TWO, "updateStrategy": PARTED}, HEALTHY),
        ({**FULL, "updatedReplicas": 0}, {**TWO, "updateStrategy": PARTED}, PROGRESSING),
    ],
)
def test_a_stateful_set_is_healthy_once_all_its_pods_are_ready_and_new(status: Any, spec: Any, health: Health) -> None:
    assert health_of(live("StatefulSet", "apps/v1", status, spec, generation=2)).health is health


SPREAD = {**SEEN, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2}
TABLE = [
    ("DaemonSet", "apps/v1", SPREAD, {}, HEALTHY),
    ("DaemonSet", "apps/v1", {}, {}, PROGRESSING),
    ("DaemonSet", "apps/v1", {**SPREAD, "updatedNumberScheduled": 1}, {}, PROGRESSING),
    ("DaemonSet", "apps/v1", {**SPREAD, "numberAvailable": 1}, {}, PROGRESSING),
    ("DaemonSet", "apps/v1", {**SPREAD, "updatedNumberScheduled": 1}, {"updateStrategy": {"type": "OnDelete"}}, HEALTHY),
    ("ReplicaSet", "apps/v1", FULL, TWO, HEALTHY),
    ("ReplicaSet", "apps/v1", {**FULL, "availableReplicas": 1}, TWO, PROGRESSING),
    ("Job", "batch/v1", {}, {}, PROGRESSING),
    ("Job", "batch/v1", conditions(condition("Complete")), {}, HEALTHY),
    ("Job", "batch/v1", conditions(condition("Failed")), {}, DEGRADED),
    ("Job", "batch/v1", conditions(condition("Failed", "False")), {}, PROGRESSING),
    ("Job", "batch/v1", conditions(condition("Suspended")), {}, SUSPENDED),
    ("Pod", "v1", {}, {}, PROGRESSING),
    ("Pod", "v1", {"phase": "Succeeded"}, {}, HEALTHY),
    ("Pod", "v1", {"phase": "Failed"}, {}, DEGRADED),
    ("Pod", "v1", conditions(condition("Ready"), phase="Running"), {}, HEALTHY),
    ("Pod", "v1", conditions(condition("Ready", "False"), phase="Running"), {}, PROGRESSING),
    ("Pod", "v1", conditions(condition("Ready"), phase="Running"), {"restartPolicy": "Never"}, PROGRESSING),
    ("Pod", "v1", {"containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff"}}}]}, {}, DEGRADED),
    ("Pod", "v1", {"initContainerStatuses": [{"state": {"waiting": {"reason": "CreateContainerConfigError"}}}]}, {}, DEGRADED),
    ("Pod", "v1", {"containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]}, {}, PROGRESSING),
    ("PersistentVolumeClaim", "v1", {}, {}, PROGRESSING),
    ("PersistentVolumeClaim", "v1", {"phase": "Bound"}, {}, HEALTHY),
    ("PersistentVolumeClaim", "v1", {"phase": "Lost"}, {}, DEGRADED),
    ("Service", "v1", {}, {}, HEALTHY),
    ("Service", "v1", {}, {"type": "LoadBalancer"}, PROGRESSING),
    ("Service", "v1", {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}, {"type": "LoadBalancer"}, HEALTHY),
    ("Ingress", "networking.k8s.io/v1", {}, {}, PROGRESSING),
    ("Ingress", "networking.k8s.io/v1", {"loadBalancer": {"ingress": [{"hostname": "a"}]}}, {}, HEALTHY),
    ("CustomResourceDefinition", "apiextensions.k8s.io/v1", {}, {}, PROGRESSING),
    ("CustomResourceDefinition", "apiextensions.k8s.io/v1", conditions(condition("Established")), {}, HEALTHY),
    (
        "CustomResourceDefinition",
        "apiextensions.k8s.io/v1",
        conditions(condition("NamesAccepted", "False"), condition("Established")),
        {},
        DEGRADED,
    ),
    ("APIService", "apiregistration.k8s.io/v1", conditions(condition("Available")), {}, HEALTHY),
    ("APIService", "apiregistration.k8s.io/v1", conditions(condition("Available", "False")), {}, PROGRESSING),
    ("HorizontalPodAutoscaler", "autoscaling/v2", {}, {}, PROGRESSING),
    ("HorizontalPodAutoscaler", "autoscaling/v2", conditions(condition("AbleToScale")), {}, HEALTHY),
    ("HorizontalPodAutoscaler", "autoscaling/v2", conditions(condition("ScalingActive")), {}, HEALTHY),
    (
        "HorizontalPodAutoscaler",
        "autoscaling/v2",
        conditions(condition("AbleToScale"), condition("ScalingActive", "False", reason="FailedGetResourceMetric")),
        {},
        DEGRADED,
    ),
    (
        "HorizontalPodAutoscaler",
        "autoscaling/v2",
        conditions(condition("AbleToScale"), condition("ScalingActive", "False", reason="ScalingDisabled")),
        {},
        HEALTHY,
    ),
    ("Rollout", "argoproj.io/v1alpha1", {}, {}, PROGRESSING),
    ("Rollout", "argoproj.io/v1alpha1", {"phase": "Healthy", "observedGeneration": "2"}, {}, HEALTHY),
    ("Rollout", "argoproj.io/v1alpha1", {"phase": "Healthy", "observedGeneration": "1"}, {}, PROGRESSING),
    ("Rollout", "argoproj.io/v1alpha1", {"phase": "Healthy"}, {}, PROGRESSING),
    ("Rollout", "argoproj.io/v1alpha1", {"phase": "Paused", "observedGeneration": "2"}, {}, SUSPENDED),
    ("Rollout", "argoproj.io/v1alpha1", {"phase": "Degraded", "observedGeneration": "2"}, {}, DEGRADED),
    ("AnalysisRun", "argoproj.io/v1alpha1", {"phase": "Successful"}, {}, HEALTHY),
    ("AnalysisRun", "argoproj.io/v1alpha1", {"phase": "Inconclusive"}, {}, DEGRADED),
    ("Workflow", "argoproj.io/v1alpha1", {"phase": "Error"}, {}, DEGRADED),
    ("Workflow", "argoproj.io/v1alpha1", {"phase": "Running"}, {}, PROGRESSING),
    ("Database", "example.com/v1", {}, {}, UNKNOWN),
    ("Database", "example.com/v1", conditions(condition("Ready")), {}, HEALTHY),
    ("Database", "example.com/v1", conditions(condition("Ready"), condition("Available", "False")), {}, PROGRESSING),
    ("Database", "example.com/v1", conditions(condition("Ready"), condition("Stalled")), {}, DEGRADED),
    ("Database", "example.com/v1", {**conditions(condition("Ready")), "observedGeneration": 1}, {}, PROGRESSING),
    ("Database", "example.com/v1", "text", {}, UNKNOWN),
    ("Database", "example.com/v1", {"conditions": "text"}, {}, UNKNOWN),
    ("Deployment", "example.com/v1", {}, {}, UNKNOWN),
    ("ConfigMap", "v1", {}, {}, UNKNOWN),
]


@pytest.mark.parametrize(("kind", "version", "status", "spec", "health"), TABLE)
def test_the_health_of_every_kind_is_a_function_of_what_lives(kind: str, version: str, status: Any, spec: Any, health: Health) -> None:
    assert health_of(live(kind, version, status, spec, generation=2)).health is health


def test_what_is_being_deleted_is_on_its_way_however_well_it_is() -> None:
    found = health_of(live("PersistentVolumeClaim", "v1", {"phase": "Bound"}, deletionTimestamp="2030-01-01T00:00:00Z"))
    assert (found.health, found.well) == (PROGRESSING, False)


def test_kinds_that_never_say_how_they_fare_need_no_second_look() -> None:
    silent = [("ConfigMap", "v1"), ("Role", "rbac.authorization.k8s.io/v1"), ("AnalysisTemplate", "argoproj.io/v1alpha1")]
    telling = [("Service", "v1"), ("Deployment", "apps/v1"), ("Database", "example.com/v1"), ("Gateway", "networking.istio.io/v1")]
    assert [tells(live(kind, version)) for kind, version in silent] == [False] * 3
    assert [tells(live(kind, version)) for kind, version in telling] == [True] * 4


RULE = HealthRule(
    group="kafka.strimzi.io",
    kind="Kafka",
    healthy="any(result.status.conditions, #.type == 'Ready' && #.status == 'True')",
    degraded="result.status?.phase == 'Failed'",
)
KAFKA = "kafka.strimzi.io/v1"


@pytest.mark.parametrize(
    ("status", "health", "words"),
    [
        (conditions(condition("Ready")), HEALTHY, ""),
        (conditions(condition("Ready", "False")), PROGRESSING, "its rule does not hold yet: any(result"),
        ({"phase": "Failed", **conditions(condition("Ready"))}, DEGRADED, "its rule says that it has failed: result.status?.phase"),
        ({}, PROGRESSING, "its rule of health cannot be asked"),
        ({"conditions": "none"}, PROGRESSING, "its rule of health cannot be asked"),
        ({"conditions": [1, None, {"type": []}]}, PROGRESSING, "its rule"),
        ({"conditions": {"a": {"a": {}}}, "phase": [[[]]]}, PROGRESSING, "its rule"),
        (conditions(condition("Ready"), observedGeneration=1), PROGRESSING, "its controller has not seen the last change yet"),
    ],
)
def test_a_rule_of_the_source_comes_first_and_no_object_breaks_it(status: Any, health: Health, words: str) -> None:
    found = health_of(live("Kafka", KAFKA, status, generation=2), (RULE,))
    assert found.health is health and found.words.startswith(words)
    assert health_of(live("Kafka", KAFKA, conditions(condition("Ready"))), ()).health is HEALTHY


def test_a_rule_is_for_its_kind_alone_and_makes_a_silent_kind_tell() -> None:
    rule = HealthRule(group="", kind="ConfigMap", healthy="result.data.ready == 'yes'")
    assert not tells(live("ConfigMap", "v1")) and tells(live("ConfigMap", "v1"), (rule,))
    assert health_of(live("ConfigMap", "v1"), (RULE,)).health is UNKNOWN
    assert health_of({**live("ConfigMap", "v1"), "data": {"ready": "yes"}}, (RULE, rule)).health is HEALTHY


@pytest.mark.parametrize("status", ["a", [[]], 7, {"conditions": {"type": "Ready"}}, {"conditions": [7]}, {"observedGeneration": 1e999}])
def test_an_object_of_no_form_is_no_error(status: Any) -> None:
    for kind, version in (("Kafka", KAFKA), ("Rollout", "argoproj.io/v1alpha1"), ("Workflow", "argoproj.io/v1alpha1")):
        assert health_of({**live(kind, version, generation=1), "status": status}).health in Health
