"""What dashboards made for the reference ask for: its names, its labels, its words for phases (contract 11.5)."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from reconciler.app.indexes import INDEXES
from reconciler.app.reference_metrics import ReferenceCollector
from reconciler.kernel.clock import SystemClock
from reconciler.kernel.identity import Manifest, Resource
from reconciler.kernel.plan import Emit
from reconciler.kernel.resources import ANALYSIS_RUNS, ANALYSIS_TEMPLATES, CLUSTER_ANALYSIS_TEMPLATES, EXPERIMENTS, ROLLOUTS
from reconciler.kernel.well_known import INSTANCE_ID
from reconciler.kube.cache import Cache
from reconciler.runtime.recorder import Recorder
from tests.kit.rollouts import analysis_template, canary, istio_routing, rollout

EVERYTHING = (ROLLOUTS, EXPERIMENTS, ANALYSIS_RUNS, ANALYSIS_TEMPLATES, CLUSTER_ANALYSIS_TEMPLATES)
METRICS = [{"name": "rate", "provider": {"prometheus": {}}}, {"name": "own", "provider": {"plugin": {"me/mine": {}}}}]


class Scraped:
    """A cache, a recorder, and what a scrape says of them."""

    def __init__(self, *watched: Resource, instance: str = "") -> None:
        self.cache = Cache(EVERYTHING, INDEXES)
        self.recorder = Recorder(None, SystemClock())  # type: ignore[arg-type] # nothing is posted here
        self._registry = CollectorRegistry()
        self._registry.register(ReferenceCollector(self.cache, watched or EVERYTHING, self.recorder, instance))

    def put(self, resource: Resource, manifest: Manifest, **status: Any) -> "Scraped":
        self.cache.put(resource, {**manifest, **({"status": status} if status else {})})
        return self

    def lines(self) -> list[str]:
        return [line for line in generate_latest(self._registry).decode().splitlines() if not line.startswith("#")]


def progressing(reason: str) -> Manifest:
    return {"type": "Progressing", "status": "True", "reason": reason}


def run(**spec: Any) -> Manifest:
    return {"metadata": {"name": "check", "namespace": "shop", "uid": "r"}, "spec": {"metrics": METRICS, **spec}}


def test_a_rollout_is_there_with_strategy_router_phase_and_replicas() -> None:
    manifest = rollout(replicas=5, canary=canary(trafficRouting=istio_routing("h")))
    counts = {"replicas": 6, "availableReplicas": 4, "updatedReplicas": 2}
    said = Scraped().put(ROLLOUTS, manifest, conditions=[progressing("ReplicaSetUpdated")], **counts).lines()
    assert 'rollout_info{name="web",namespace="shop",phase="Progressing",strategy="canary",traffic_router="Istio"} 1.0' in said
    for kind, number in (("available", 4), ("unavailable", 2), ("desired", 5), ("updated", 2)):
        assert f'rollout_info_replicas_{kind}{{name="web",namespace="shop"}} {number}.0' in said


@pytest.mark.parametrize(
    ("reason", "phase"),
    [
        ("NewReplicaSetAvailable", "Completed"),
        ("RolloutPaused", "Paused"),
        ("ReplicaSetCreateError", "Error"),
        ("ProgressDeadlineExceeded", "Timeout"),
        ("RolloutAborted", "Abort"),
        ("RolloutRetry", "Progressing"),
    ],
)
def test_phases_are_the_references_words(reason: str, phase: str) -> None:
    said = Scraped().put(ROLLOUTS, rollout(blue_green={}), conditions=[progressing(reason)]).lines()
    assert f'rollout_info{{name="web",namespace="shop",phase="{phase}",strategy="blueGreen",traffic_router=""}} 1.0' in said
    assert sorted(line.split('"')[5] for line in said if line.startswith("rollout_phase{") and line.endswith(" 1.0")) == [phase]
    assert len([line for line in said if line.startswith("rollout_phase{")]) == 6


def test_an_invalid_spec_outranks_every_other_phase() -> None:
    conditions = [progressing("NewReplicaSetAvailable"), {"type": "InvalidSpec", "status": "True"}]
    said = Scraped().put(ROLLOUTS, rollout(canary=canary()), conditions=conditions).lines()
    assert any(line.startswith("rollout_info{") and 'phase="InvalidSpec"' in line for line in said)


def test_events_of_rollouts_are_counted_and_those_of_one_that_is_gone_forgotten() -> None:
    scraped, about = Scraped(), rollout(canary=canary())
    scraped.put(ROLLOUTS, about)
    for action in (Emit(about, "RolloutPaused", "a"), Emit(about, "RolloutPaused", "b"), Emit(about, "RolloutAborted", "c", warning=True)):
        scraped.recorder.record(action)
    scraped.recorder.record(Emit({"kind": "AnalysisRun", "metadata": about["metadata"]}, "Other", "d"))
    assert [line for line in scraped.lines() if line.startswith("rollout_events_total")] == [
        'rollout_events_total{name="web",namespace="shop",reason="RolloutPaused",type="Normal"} 2.0',
        'rollout_events_total{name="web",namespace="shop",reason="RolloutAborted",type="Warning"} 1.0',
    ]
    scraped.cache.drop(ROLLOUTS, "shop", "web")
    assert not [line for line in scraped.lines() if line.startswith("rollout_events_total")]
    scraped.put(ROLLOUTS, about)
    assert not [line for line in scraped.lines() if line.startswith("rollout_events_total")]


def test_a_run_and_its_metrics_have_their_phases() -> None:
    results = [{"name": "rate", "phase": "Failed", "dryRun": True}]
    said = Scraped().put(ANALYSIS_RUNS, run(), phase="Running", metricResults=results).lines()
    place = 'name="check",namespace="shop"'
    assert f'analysis_run_info{{{place},phase="Running"}} 1.0' in said and f'analysis_run_phase{{{place},phase="Running"}} 1.0' in said
    assert f'analysis_run_metric_type{{metric="own",{place},type="me/mine"}} 1.0' in said
    assert [line for line in said if line.startswith("analysis_run_metric_phase")] == [
        f'analysis_run_metric_phase{{dry_run="true",metric="rate",{place},phase="Failed",type="Prometheus"}} 1.0'
    ]


def test_an_experiment_has_its_phase() -> None:
    trial = {"metadata": {"name": "trial", "namespace": "shop", "uid": "e"}, "spec": {}}
    place = 'name="trial",namespace="shop"'
    said = Scraped().put(EXPERIMENTS, trial, phase="Failed").lines()
    assert f'experiment_info{{{place},phase="Failed"}} 1.0' in said and f'experiment_phase{{{place},phase="Failed"}} 1.0' in said
    begun = Scraped().put(EXPERIMENTS, trial).lines()
    assert f'experiment_info{{{place},phase=""}} 1.0' in begun and f'experiment_phase{{{place},phase="Pending"}} 1.0' in begun
    assert not [line for line in Scraped(ROLLOUTS).put(EXPERIMENTS, trial).lines() if line.startswith("experiment")]


def test_a_run_that_has_not_begun_is_pending_only_under_the_old_name() -> None:
    said = Scraped().put(ANALYSIS_RUNS, run()).lines()
    assert 'analysis_run_info{name="check",namespace="shop",phase=""} 1.0' in said
    assert 'analysis_run_phase{name="check",namespace="shop",phase="Pending"} 1.0' in said


def test_templates_are_there_with_their_metrics() -> None:
    shared = {"metadata": {"name": "shared"}, "spec": {"metrics": METRICS}}
    said = Scraped().put(ANALYSIS_TEMPLATES, analysis_template()).put(CLUSTER_ANALYSIS_TEMPLATES, shared).lines()
    assert 'analysis_template_info{name="success-rate",namespace="shop"} 1.0' in said
    assert 'analysis_template_metric_info{metric="m",name="success-rate",namespace="shop",type="Web"} 1.0' in said
    assert 'analysis_template_metric_info{metric="rate",name="shared",namespace="",type="Prometheus"} 1.0' in said


def test_only_what_this_daemon_drives_is_told() -> None:
    elsewhere = rollout(canary=canary())
    elsewhere["metadata"]["labels"] = {INSTANCE_ID: "blue"}
    assert not [line for line in Scraped().put(ROLLOUTS, elsewhere).lines() if line.startswith("rollout_info")]
    assert [line for line in Scraped(instance="blue").put(ROLLOUTS, elsewhere).lines() if line.startswith("rollout_info{")]
    assert Scraped(ANALYSIS_TEMPLATES).put(ROLLOUTS, rollout(canary=canary())).lines() == []


@pytest.mark.parametrize(
    "broken", ["text", 7, [1], {"strategy": "x", "replicas": "many", "metrics": [1, {"provider": "x"}], "conditions": {}}]
)
def test_objects_of_wrong_types_do_not_stop_a_scrape(broken: Any) -> None:
    metadata = {"name": 'a"b\nc', "namespace": "shop", "uid": "u"}
    scraped = Scraped()
    for resource in EVERYTHING:
        scraped.cache.put(resource, {"metadata": metadata, "spec": broken, "status": broken})
    scraped.put(ROLLOUTS, rollout(canary=canary()))
    assert len([line for line in scraped.lines() if line.startswith("rollout_info{")]) == 2
