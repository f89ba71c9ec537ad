"""A Rollout as nouns: every field of the spec with its default (contract 1). Raises InvalidField naming the field it cannot read."""

from dataclasses import replace

from reconciler.kernel.fields import Fields
from reconciler.kernel.identity import Manifest
from reconciler.kernel.problem import InvalidField, invalid, required
from reconciler.rollouts.spec.model import (
    BlueGreen,
    Canary,
    PingPong,
    PodMetadata,
    ProgressThreshold,
    RolloutSpec,
    TrafficRouting,
    WorkloadRef,
)
from reconciler.rollouts.spec.steps import parse_analysis, parse_steps
from reconciler.rollouts.traffic.router import PLUGINS, SETTINGS

ROUTERS = ("istio", "nginx", "alb", "smi", "ambassador", "appMesh", "traefik", "apisix")
"""The routers of the reference in its order (contract 1.7); which of them are served here, the registry says."""
MISSING_STRATEGY = "Rollout has missing field '.spec.strategy.canary or .spec.strategy.blueGreen'"


def parse_rollout(manifest: Manifest) -> RolloutSpec:
    """The spec of a Rollout manifest, its template and selector as written."""
    spec = replace(Fields("", manifest).under("spec"), path="spec")
    window, analysis = spec.under("rollbackWindow"), spec.under("analysis")
    return RolloutSpec(
        strategy=_strategy(spec.under("strategy")),
        replicas=spec.number_or("replicas", 1),
        replicas_given=spec.has("replicas"),
        selector=spec.under("selector").raw,
        template=spec.under("template").raw,
        workload_ref=_workload_ref(spec),
        min_ready_seconds=spec.number_or("minReadySeconds", 0),
        rollback_window=window.number_or("revisions", 0),
        revision_history_limit=spec.number_or("revisionHistoryLimit", 10),
        paused=spec.flag("paused"),
        progress_deadline=spec.number_or("progressDeadlineSeconds", 600),
        progress_deadline_abort=spec.flag("progressDeadlineAbort"),
        restart_at=spec.moment("restartAt"),
        successful_runs=analysis.number_or("successfulRunHistoryLimit", 5),
        unsuccessful_runs=analysis.number_or("unsuccessfulRunHistoryLimit", 5),
    )


def _strategy(strategy: Fields) -> Canary | BlueGreen:
    if strategy.has("canary") and strategy.has("blueGreen"):
        raise InvalidField(invalid("spec.strategy.strategy", "blueGreen: true canary: true", "Multiple Strategies can not be listed"))
    if strategy.has("canary"):
        return _canary(strategy.under("canary"))
    if strategy.has("blueGreen"):
        return _blue_green(strategy.under("blueGreen"))
    raise InvalidField(required("spec.strategy.strategy", MISSING_STRATEGY))


def _canary(canary: Fields) -> Canary:
    threshold = canary.optional("replicaProgressThreshold")
    return Canary(
        canary_service=canary.text("canaryService"),
        stable_service=canary.text("stableService"),
        steps=parse_steps(canary),
        raw_steps=tuple(step.raw for step in canary.each("steps")) if canary.has("steps") else None,
        routing=_routing(canary.optional("trafficRouting")),
        max_surge=canary.amount("maxSurge"),
        max_unavailable=canary.amount("maxUnavailable"),
        analysis=parse_analysis(canary.optional("analysis")),
        anti_affinity=_anti_affinity(canary),
        canary_metadata=_metadata(canary.optional("canaryMetadata")),
        stable_metadata=_metadata(canary.optional("stableMetadata")),
        scale_down_delay=canary.number("scaleDownDelaySeconds"),
        scale_down_delay_revisions=canary.number("scaleDownDelayRevisionLimit"),
        abort_delay=canary.number("abortScaleDownDelaySeconds"),
        dynamic_stable_scale=canary.flag("dynamicStableScale"),
        ping_pong=_ping_pong(canary.optional("pingPong")),
        min_pods=canary.number_or("minPodsPerReplicaSet", 0),
        threshold=ProgressThreshold(threshold.text("type"), threshold.number_or("value", 0)) if threshold else None,
    )


def _ping_pong(services: Fields | None) -> PingPong | None:
    return PingPong(services.text("pingService"), services.text("pongService")) if services else None


def _routing(routing: Fields | None) -> TrafficRouting | None:
    """None when absent; an object without routers still makes a routed canary, with no router (contract 9.1)."""
    if routing is None:
        return None
    named = [name for name in routing.raw if name not in (*SETTINGS, PLUGINS) and routing.optional(name) is not None]
    known = sorted(named, key=lambda name: ROUTERS.index(name) if name in ROUTERS else len(ROUTERS))
    routers = (*known, *(f"{PLUGINS}.{name}" for name in routing.under(PLUGINS).raw))
    managed = tuple(route.text("name") for route in routing.each("managedRoutes"))
    return TrafficRouting(manifest=routing.raw, routers=routers, maximum=routing.number_or("maxTrafficWeight", 100), managed_routes=managed)


def _blue_green(strategy: Fields) -> BlueGreen:
    return BlueGreen(
        active_service=strategy.text("activeService"),
        preview_service=strategy.text("previewService"),
        preview_replica_count=strategy.number("previewReplicaCount"),
        auto_promotion=strategy.flag("autoPromotionEnabled", default=True),
        auto_promotion_seconds=strategy.number_or("autoPromotionSeconds", 0),
        max_unavailable=strategy.amount("maxUnavailable"),
        scale_down_delay=strategy.number("scaleDownDelaySeconds"),
        scale_down_delay_revisions=strategy.number("scaleDownDelayRevisionLimit"),
        pre_promotion=parse_analysis(strategy.optional("prePromotionAnalysis")),
        post_promotion=parse_analysis(strategy.optional("postPromotionAnalysis")),
        anti_affinity=_anti_affinity(strategy),
        preview_metadata=_metadata(strategy.optional("previewMetadata")),
        active_metadata=_metadata(strategy.optional("activeMetadata")),
        abort_delay=strategy.number("abortScaleDownDelaySeconds"),
    )


def _anti_affinity(strategy: Fields) -> Manifest | None:
    """The rule as written, once it is known to be of its types."""
    rule = strategy.optional("antiAffinity")
    if rule is None:
        return None
    for kind in ("preferredDuringSchedulingIgnoredDuringExecution", "requiredDuringSchedulingIgnoredDuringExecution"):
        rule.under(kind).number("weight")
    return rule.raw


def _metadata(metadata: Fields | None) -> PodMetadata | None:
    if metadata is None:
        return None
    return PodMetadata(metadata.under("labels").raw, metadata.under("annotations").raw)


def _workload_ref(spec: Fields) -> WorkloadRef | None:
    reference = spec.optional("workloadRef")
    if reference is None:
        return None
    scale_down = reference.text("scaleDown") or "never"
    return WorkloadRef(reference.text("apiVersion"), reference.text("kind"), reference.text("name"), scale_down)
