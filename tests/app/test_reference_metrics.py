"""What dashboards made for the reference ask for: its names, its labels, its words for phases (contract 11.5)."""

import re
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from reconciler.app.indexes import INDEXES
from reconciler.app.reference_metrics import ReferenceCollector
from reconciler.kernel.clock import SystemClock
from reconciler.kernel.identity import Key, Manifest, Resource
from reconciler.kernel.plan import Emit
from reconciler.kernel.resources import ANALYSIS_RUNS, ANALYSIS_TEMPLATES, CLUSTER_ANALYSIS_TEMPLATES, EXPERIMENTS, ROLLOUTS
from reconciler.kernel.well_known import INSTANCE_ID
from reconciler.kube.cache import Cache
from reconciler.runtime.pass_times import REMEMBERED, PassTimes
from reconciler.runtime.recorder import Recorder
from tests.kit.rollouts import analysis_template, canary, istio_routing, rollout
from tests.kit.tables import CONTRACT

EVERYTHING = (ROLLOUTS, EXPERIMENTS, ANALYSIS_RUNS, ANALYSIS_TEMPLATES, CLUSTER_ANALYSIS_TEMPLATES)
METRICS = [{"name": "rate", "provider": {"prometheus": {}}}, {"name": "own", "provider": {"plugin": {"me/mine": {}}}}]


class Scraped:
    """A cache, a recorder, and what a scrape says of them."""

    def __init__(self, *watched: Resource, instance: str = "") -> None:
        self.cache = Cache(EVERYTHING, INDEXES)
        self.recorder = Recorder(None, SystemClock())  # type: ignore[arg-type] # nothing is posted here
        self.times = PassTimes(("rollout", "experiment", "analysisrun"))
        self._registry = CollectorRegistry()
        self._registry.register(ReferenceCollector(self.cache, watched or EVERYTHING, self.recorder, self.times, instance))

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


@pytest.mark.parametrize(("controller", "name"), [("rollout", "rollout"), ("experiment", "experiment"), ("analysisrun", "analysis_run")])
def test_passes_are_told_by_their_seconds_and_their_failures_for_objects_that_there_are(controller: str, name: str) -> None:
    it = Scraped()
    for resource in (ROLLOUTS, EXPERIMENTS, ANALYSIS_RUNS):
        it.put(resource, {"metadata": {"name": "web", "namespace": "shop", "uid": "u"}, "spec": {}})
    for seconds, failed in ((0.004, False), (0.2, True), (3.0, True)):
        it.times.note(Key(controller, "shop", "web"), seconds, failed=failed)
    it.times.note(Key(controller, "shop", "gone"), 0.1, failed=False)
    it.times.note(Key("source", "", "shop"), 0.1, failed=True)
    said = [line for line in it.lines() if "_reconcile" in line]
    where = 'name="web",namespace="shop"'
    counts = [("0.01", 1), ("0.15", 1), ("0.25", 2), ("0.5", 2), ("1.0", 2), ("+Inf", 3)]
    buckets = [f'{name}_reconcile_bucket{{le="{bound}",{where}}} {count}.0' for bound, count in counts]
    assert said[:-3] == buckets
    assert said[-3:] == [
        f"{name}_reconcile_count{{{where}}} 3.0",
        f"{name}_reconcile_sum{{{where}}} 3.204",
        f"{name}_reconcile_error{{{where}}} 2.0",
    ]


def test_passes_of_objects_that_nobody_asks_for_are_forgotten() -> None:
    times = PassTimes(("analysisrun",))
    for number in range(REMEMBERED + 2):
        times.note(Key("analysisrun", "shop", f"r{number}"), 0.1, failed=False)
    known = times.of("analysisrun", {("shop", f"r{number}") for number in range(REMEMBERED + 2)})
    assert len(known) == REMEMBERED and ("shop", "r1") not in known and ("shop", "r2") in known


def test_every_name_of_the_contract_is_there_or_said_to_be_served_nowhere() -> None:
    page = (CONTRACT.parent / "metrics.md").read_text(encoding="utf-8")
    served = {line.partition("{")[0].removesuffix("_total") for line in everything().lines()}
    served |= {name.removesuffix(end) for name in served for end in ("_bucket", "_count", "_sum") if name.endswith(end)}
    missing = [name for name in named_in_the_contract() if name.removesuffix("_total") not in served]
    untold = page.partition("Not served:")[2].partition("\n\n")[0]
    assert missing and [name for name in missing if f"`{name}`" not in untold] == []


def named_in_the_contract() -> list[str]:
    """The names of contract 11.5; what stands in braces is one name for each word."""
    text = CONTRACT.read_text(encoding="utf-8").partition("### 11.5")[2].partition("<a id")[0]
    names = []
    for word in re.findall(r"`([^`]+)`", text):
        head, _, rest = word.partition("{")
        names += [head + part for part in rest.rstrip("}").split(",")] if rest else [head]
    return names


def everything() -> Scraped:
    """One object of each kind, each looked at once."""
    it = Scraped()
    it.put(ROLLOUTS, rollout(canary=canary()), conditions=[progressing("ReplicaSetUpdated")])
    it.put(EXPERIMENTS, {"metadata": {"name": "trial", "namespace": "shop", "uid": "e"}, "spec": {}}, phase="Running")
    it.put(ANALYSIS_RUNS, run(), phase="Running", metricResults=[{"name": "rate", "phase": "Running"}])
    it.put(ANALYSIS_TEMPLATES, analysis_template())
    for key in (Key("rollout", "shop", "web"), Key("experiment", "shop", "trial"), Key("analysisrun", "shop", "check")):
        it.times.note(key, 0.1, failed=False)
    it.recorder.record(Emit(rollout(), "RolloutPaused", "x", False))
    return it
