"""The rules of strategy canary and its steps (contract 12.2)."""

from collections.abc import Iterator

from reconciler.kernel.identity import Manifest
from reconciler.kernel.problem import Problem, invalid, required, unsupported
from reconciler.rollouts.replicas.surge import resolve
from reconciler.rollouts.spec.model import Canary, RolloutSpec, Step, TrafficRouting
from reconciler.rollouts.traffic.model import HeaderRoute, MirrorRoute
from reconciler.rollouts.validation.rules import affinity_problems, argument_problems, negative_problems, same_services

SERVED_ROUTERS = ("istio",)
ONE_KIND = "Step must have one of the following set: experiment, setWeight, setCanaryScale, plugin or pause"
SERVICES = "Canary service and Stable service must to be set to use Traffic Routing"
UNMANAGED = "Steps define a route that does not exist in spec.strategy.canary.trafficRouting.managedRoutes"
ONE_MATCH = "StringMatch match value must have exactly one of the following: exact, regex, prefix"
NO_MATCH = "StringMatch value missed, match value must have one of the following: exact, regex, prefix"
ROUTING = "spec.strategy.canary.trafficRouting"


def canary_problems(rollout: Manifest, spec: RolloutSpec, canary: Canary) -> Iterator[Problem]:
    """Every broken rule, in the order in which they are told."""
    yield from _pods(spec, canary)
    yield from _services(canary)
    yield from _refusals(canary)
    yield from _delays(canary)
    yield from affinity_problems("spec.strategy.antiAffinity", canary.anti_affinity)
    for index, step in enumerate(canary.steps):
        yield from _step(rollout, canary, step, f"spec.strategy.steps[{index}]")
    if canary.analysis is not None:
        yield from argument_problems("spec.strategy.analysis", rollout, canary.analysis.manifest)


def _pods(spec: RolloutSpec, canary: Canary) -> Iterator[Problem]:
    """Zero only when written as zero: a percentage that rounds to no pod is mended by arithmetic (contract 1.3)."""
    if resolve(canary.max_surge, 100, up=True) == 0 and resolve(canary.max_unavailable, 100, up=False) == 0:
        yield invalid("spec.strategy.maxSurge", canary.max_surge, "MaxSurge and MaxUnavailable both can not be zero")
    threshold = canary.threshold
    if threshold is not None and threshold.kind not in ("", "Percent", "Pods"):
        yield invalid("spec.strategy.replicaProgressThreshold.type", threshold.kind, "must be Percent or Pods")
    yield from negative_problems({"spec.strategy.minPodsPerReplicaSet": canary.min_pods})


def _services(canary: Canary) -> Iterator[Problem]:
    if canary.canary_service and canary.canary_service == canary.stable_service:
        yield same_services("spec.strategy.stableService", canary.stable_service, "stable", "canary")
    istio = canary.routing.manifest.get("istio") if canary.routing else None
    if istio is not None and not istio.get("destinationRule") and not (canary.canary_service and canary.stable_service):
        field = "canaryService" if canary.stable_service else "stableService"
        yield invalid(f"spec.strategy.{field}", "", SERVICES)


def _refusals(canary: Canary) -> Iterator[Problem]:
    """What the reference serves and this controller does not, yet."""
    if canary.ping_pong is not None:
        yield unsupported("spec.strategy.pingPong", "ping-pong")
    if canary.routing is None:
        return
    for router in canary.routing.routers:
        if router not in SERVED_ROUTERS:
            yield unsupported(f"{ROUTING}.{router}", f"traffic router {router}")
    if canary.routing.maximum != 100:
        detail = "Canary maxTrafficWeight in traffic routing only support in Nginx and Plugins"
        yield invalid("spec.strategy.trafficRouting.maxTrafficWeight", canary.routing.maximum, detail)


def _delays(canary: Canary) -> Iterator[Problem]:
    delay = canary.scale_down_delay
    if delay is not None and canary.routing is None:
        yield invalid("spec.strategy.scaleDownDelaySeconds", delay, "Canary scaleDownDelaySeconds can only be used with traffic routing")
    if canary.dynamic_stable_scale and canary.routing is None:
        yield invalid("spec.strategy.dynamicStableScale", True, "Canary dynamicStableScale can only be used with traffic routing")
    if canary.dynamic_stable_scale and delay is not None:
        yield invalid("spec.strategy.dynamicStableScale", True, "Canary dynamicStableScale cannot be used with scaleDownDelaySeconds")
    yield from negative_problems(
        {"spec.strategy.scaleDownDelaySeconds": delay or 0, "spec.strategy.abortScaleDownDelaySeconds": canary.abort_delay or 0}
    )


def _step(rollout: Manifest, canary: Canary, step: Step, path: str) -> Iterator[Problem]:
    exclusive = [k for k in (step.set_weight, step.pause, step.experiment, step.analysis) if k is not None]
    others = [k for k in (step.scale, step.header_route, step.mirror_route, step.plugin) if k is not None]
    if len(exclusive) > 1 or (not exclusive and not others):
        yield invalid(path, _kinds(step), ONE_KIND)
    if step.experiment is not None:
        yield unsupported(f"{path}.experiment", "an experiment step")
    if step.plugin is not None:
        yield unsupported(f"{path}.plugin", "a plugin step")
    yield from _weight(canary, step, path)
    if step.header_route is not None:
        yield from _header_route(canary, step.header_route, f"{path}.setHeaderRoute")
    if step.mirror_route is not None:
        yield from _mirror_route(canary, step.mirror_route, f"{path}.setMirrorRoute")
    if step.analysis is not None:
        yield from argument_problems(f"{path}.analysis", rollout, step.analysis.manifest)


def _kinds(step: Step) -> str:
    kinds = {"setWeight": step.set_weight, "pause": step.pause, "experiment": step.experiment, "analysis": step.analysis}
    return ", ".join(name for name, value in kinds.items() if value is not None)


def _weight(canary: Canary, step: Step, path: str) -> Iterator[Problem]:
    if step.set_weight is not None and not 0 <= step.set_weight <= canary.maximum:
        yield invalid(f"{path}.setWeight", step.set_weight, f"SetWeight needs to be between 0 and {canary.maximum}")
    if step.pause is not None and step.pause.duration is not None and step.pause.duration < 0:
        yield invalid(f"{path}.pause.duration", step.pause.duration, "Duration needs to be greater than 0")
    if step.scale is not None and canary.routing is None:
        yield required("spec.strategy.trafficRouting", "SetCanaryScale requires TrafficRouting to be set")
    if step.scale is not None:
        numbers = {"replicas": step.scale.replicas or 0, "weight": step.scale.weight or 0}
        yield from negative_problems({f"{path}.setCanaryScale.{name}": number for name, number in numbers.items()})


def _header_route(canary: Canary, route: HeaderRoute, path: str) -> Iterator[Problem]:
    if not _serves(canary.routing, "istio"):
        yield invalid(path, route.name, "SetHeaderRoute requires TrafficRouting, supports Istio, ALB, Apisix and plugins")
    for index, match in enumerate(route.matches):
        if not match.name:
            yield required(f"{path}.match[{index}].headerName", "")
        values = [value for value in (match.exact, match.prefix, match.regex) if value]
        if len(values) != 1:
            yield invalid(f"{path}.match[{index}]", match.name, ONE_MATCH if values else NO_MATCH)
    yield from _managed(canary, route.name, path)


def _mirror_route(canary: Canary, route: MirrorRoute, path: str) -> Iterator[Problem]:
    if not _serves(canary.routing, "istio"):
        yield invalid(path, route.name, "SetMirrorRoute requires TrafficRouting, supports Istio and plugins")
    if not 0 <= route.percentage <= 100:
        yield invalid(f"{path}.percentage", route.percentage, "must be between 0 and 100")
    for index, match in enumerate(route.matches):
        for part in ("method", "path"):
            value = match.get(part)
            values = [v for v in value.values() if v] if isinstance(value, dict) else [part]
            if len(values) != 1:
                yield invalid(f"{path}.match[{index}]", part, ONE_MATCH if values else NO_MATCH)
    yield from _managed(canary, route.name, path)


def _serves(routing: TrafficRouting | None, router: str) -> bool:
    return routing is not None and router in routing.routers


def _managed(canary: Canary, name: str, path: str) -> Iterator[Problem]:
    if canary.routing is not None and name not in canary.routing.managed_routes:
        yield invalid(path, name, UNMANAGED)
