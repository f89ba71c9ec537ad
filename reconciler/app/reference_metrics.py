"""Rollouts, runs and templates under the reference's metric names, read off the informer cache at each scrape (contract 11.5)."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric, UntypedMetricFamily
from prometheus_client.registry import Collector

from reconciler.kernel.identity import Manifest, Resource, name_of, namespace_of
from reconciler.kernel.resources import ANALYSIS_RUNS, ANALYSIS_TEMPLATES, CLUSTER_ANALYSIS_TEMPLATES, EXPERIMENTS, ROLLOUTS
from reconciler.kernel.well_known import is_of_instance
from reconciler.kube.cache import Cache
from reconciler.rollouts.status.conditions import ABORTED, ALL_AVAILABLE, CREATE_ERROR, INVALID_SPEC, PAUSED_REASON, PROGRESSING, TIMED_OUT
from reconciler.runtime.pass_times import PassTimes
from reconciler.runtime.recorder import Recorder

PHASES = {ALL_AVAILABLE: "Completed", PAUSED_REASON: "Paused", CREATE_ERROR: "Error", TIMED_OUT: "Timeout", ABORTED: "Abort"}
"""The reference's word for a Rollout by the reason of its condition Progressing; any other reason is Progressing."""
OLD_PHASES = ("Completed", "Progressing", "Paused", "Timeout", "Error", "Abort")
ROUTERS = {"alb": "ALB", "ambassador": "Ambassador", "istio": "Istio", "nginx": "Nginx", "smi": "SMI", "appMesh": "AppMesh"}
TYPES = {
    "prometheus": "Prometheus",
    "kayenta": "Kayenta",
    "web": "Web",
    "wavefront": "Wavefront",
    "job": "Job",
    "datadog": "Datadog",
    "newRelic": "NewRelic",
    "cloudWatch": "CloudWatch",
    "graphite": "Graphite",
    "influxdb": "Influxdb",
    "skywalking": "SkyWalking",
}
OBJECT = ["namespace", "name"]
Sample = tuple[tuple[str, ...], float]


class ReferenceCollector(Collector):
    """What dashboards and alerts made for the reference ask for. `instance_id` is the instance whose objects are driven here."""

    def __init__(self, cache: Cache, watched: Collection[Resource], recorder: Recorder, times: PassTimes, instance_id: str) -> None:
        self._cache = cache
        self._watched = watched
        self._recorder = recorder
        self._times = times
        self._instance_id = instance_id

    def collect(self) -> Iterator[Metric]:
        """Every family of the kinds that are watched."""
        if ROLLOUTS in self._watched:
            rollouts = self._driven(ROLLOUTS)
            yield from _rollouts(rollouts)
            yield self._events({_place(rollout) for rollout in rollouts})
            yield from self._passes("rollout", "rollout", rollouts)
        if EXPERIMENTS in self._watched:
            experiments = self._driven(EXPERIMENTS)
            yield from _experiments(experiments)
            yield from self._passes("experiment", "experiment", experiments)
        if ANALYSIS_RUNS in self._watched:
            runs = self._driven(ANALYSIS_RUNS)
            yield from _runs(runs)
            yield from self._passes("analysis_run", "analysisrun", runs)
        if ROLLOUTS in self._watched:
            yield _gauge("argo_rollouts_controller_info", "The controller that drives them: this one", ["version"], [((_version(),), 1.0)])
        kinds = [kind for kind in (ANALYSIS_TEMPLATES, CLUSTER_ANALYSIS_TEMPLATES) if kind in self._watched]
        if kinds:
            yield from _templates([template for kind in kinds for template in self._cache.list(kind)])

    def _passes(self, name: str, controller: str, living: Sequence[Manifest]) -> Iterator[Metric]:
        """How long passes took, and how many failed, since this process started; the reference's counter has no `_total`."""
        times = self._times.of(controller, {_place(manifest) for manifest in living})
        took = HistogramMetricFamily(f"{name}_reconcile", "Passes by their seconds", labels=OBJECT)
        failed = UntypedMetricFamily(f"{name}_reconcile_error", "Passes that failed", labels=OBJECT)
        for place, time in sorted(times.items()):
            took.add_metric(place, list(time.buckets), time.seconds)
            failed.add_metric(place, time.failed)
        yield from (took, failed)

    def _driven(self, resource: Resource) -> list[Manifest]:
        return [manifest for manifest in self._cache.list(resource) if is_of_instance(manifest, self._instance_id)]

    def _events(self, living: Collection[tuple[str, str]]) -> Metric:
        """Events told about Rollouts since this process started; those of one that is gone are forgotten."""
        family = CounterMetricFamily("rollout_events", "Events told about a Rollout", labels=[*OBJECT, "type", "reason"])
        self._recorder.keep_counts(living)
        told = self._recorder.told.copy()  # at once: events go on being told while this is written down
        for labels, count in sorted(told.items()):
            family.add_metric(labels, count)
        return family


def _rollouts(rollouts: Sequence[Manifest]) -> Iterator[Metric]:
    phases = [(_place(rollout), _strategy(rollout), _phase(rollout)) for rollout in rollouts]
    routers = [_router(rollout) for rollout in rollouts]
    informed = [((*place, strategy, router, phase), 1.0) for (place, strategy, phase), router in zip(phases, routers, strict=True)]
    yield _gauge("rollout_info", "A Rollout, its strategy and phase", [*OBJECT, "strategy", "traffic_router", "phase"], informed)
    old = [((*place, strategy, name), float(name == phase)) for place, strategy, phase in phases for name in OLD_PHASES]
    yield _gauge("rollout_phase", "The phase of a Rollout (old: use rollout_info)", [*OBJECT, "strategy", "phase"], old)
    for kind in ("available", "unavailable", "desired", "updated"):
        counted = [(_place(rollout), _replicas(rollout)[kind]) for rollout in rollouts]
        yield _gauge(f"rollout_info_replicas_{kind}", f"Replicas of a Rollout that are {kind}", OBJECT, counted)


def _replicas(rollout: Manifest) -> dict[str, float]:
    spec, status = _object(rollout.get("spec")), _object(rollout.get("status"))
    available = _number(status.get("availableReplicas"))
    return {
        "available": available,
        "unavailable": _number(status.get("replicas")) - available,
        "desired": _number(spec.get("replicas", 1)),
        "updated": _number(status.get("updatedReplicas")),
    }


def _strategy(rollout: Manifest) -> str:
    strategy = _object(_object(rollout.get("spec")).get("strategy"))
    return next((name for name in ("blueGreen", "canary") if isinstance(strategy.get(name), dict)), "none")


def _router(rollout: Manifest) -> str:
    """The last of the reference's routers that is named; others are called by their field."""
    canary = _object(_object(_object(rollout.get("spec")).get("strategy")).get("canary"))
    routing = _object(canary.get("trafficRouting"))
    named = [name for name in routing if name not in ("managedRoutes", "maxTrafficWeight") and routing[name] is not None]
    known = [ROUTERS[name] for name in ROUTERS if name in named]
    return known[-1] if known else next(iter(named), "")


def _phase(rollout: Manifest) -> str:
    conditions = {entry.get("type"): entry for entry in _objects(_object(rollout.get("status")).get("conditions"))}
    if INVALID_SPEC in conditions:
        return INVALID_SPEC
    return PHASES.get(str(_object(conditions.get(PROGRESSING)).get("reason")), "Progressing")


def _experiments(experiments: Sequence[Manifest]) -> Iterator[Metric]:
    """Of the phases only the one that holds has a sample, as with runs."""
    phases = [((*_place(found), str(_object(found.get("status")).get("phase") or "")), 1.0) for found in experiments]
    yield _gauge("experiment_info", "An Experiment and its phase", [*OBJECT, "phase"], phases)
    old = [((namespace, name, phase or "Pending"), value) for (namespace, name, phase), value in phases]
    yield _gauge("experiment_phase", "The phase of an Experiment (old: use experiment_info)", [*OBJECT, "phase"], old)


def _runs(runs: Sequence[Manifest]) -> Iterator[Metric]:
    """Of the phases only the one that holds has a sample: thousands of finished runs may be kept."""
    phases = [((*_place(run), str(_object(run.get("status")).get("phase") or "")), 1.0) for run in runs]
    yield _gauge("analysis_run_info", "An AnalysisRun and its phase", [*OBJECT, "phase"], phases)
    old = [((namespace, name, phase or "Pending"), value) for (namespace, name, phase), value in phases]
    yield _gauge("analysis_run_phase", "The phase of an AnalysisRun (old: use analysis_run_info)", [*OBJECT, "phase"], old)
    types = [((*_place(run), str(metric.get("name", "")), _type(metric)), 1.0) for run in runs for metric in _metrics(run)]
    yield _gauge("analysis_run_metric_type", "The type of a metric of an AnalysisRun", [*OBJECT, "metric", "type"], types)
    labels = [*OBJECT, "metric", "type", "dry_run", "phase"]
    yield _gauge("analysis_run_metric_phase", "The phase of a metric of an AnalysisRun", labels, _measured(runs))


def _measured(runs: Iterable[Manifest]) -> Iterator[Sample]:
    """Metrics that have a result: their phase, and whether they only rehearse."""
    for run in runs:
        results = {str(result.get("name")): result for result in _objects(_object(run.get("status")).get("metricResults"))}
        for metric in _metrics(run):
            name = str(metric.get("name", ""))
            if name in results:
                rehearses = "true" if results[name].get("dryRun") is True else "false"
                yield (*_place(run), name, _type(metric), rehearses, str(results[name].get("phase") or "Pending")), 1.0


def _templates(templates: Sequence[Manifest]) -> Iterator[Metric]:
    known = [(_place(template), 1.0) for template in templates]
    yield _gauge("analysis_template_info", "An AnalysisTemplate or ClusterAnalysisTemplate", OBJECT, known)
    asked = [((*_place(found), _type(metric), str(metric.get("name", ""))), 1.0) for found in templates for metric in _metrics(found)]
    yield _gauge("analysis_template_metric_info", "A metric of a template", [*OBJECT, "type", "metric"], asked)


@cache
def _version() -> str:
    return version("reconciler")


def _gauge(name: str, words: str, labels: Sequence[str], samples: Iterable[Sample]) -> Metric:
    """The samples, one for each set of labels: a broken object may name two metrics alike."""
    family = GaugeMetricFamily(name, words, labels=labels)
    for values, number in dict(samples).items():
        family.add_metric(values, number)
    return family


def _type(metric: Manifest) -> str:
    """The reference's word for a provider; a plugin is called by its name."""
    provider = _object(metric.get("provider"))
    if provider.get("plugin"):
        return str(next(iter(_object(provider["plugin"])), "Unknown Provider"))
    return next((TYPES[name] for name in provider if name in TYPES), "Unknown Provider")


def _metrics(manifest: Manifest) -> list[Manifest]:
    return _objects(_object(manifest.get("spec")).get("metrics"))


def _place(manifest: Manifest) -> tuple[str, str]:
    return namespace_of(manifest), name_of(manifest)


def _object(value: Any) -> Manifest:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Manifest]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
