"""The rules of strategy canary and its steps (contract 12.2)."""

from collections.abc import Iterator

from reconciler.kernel.identity import Manifest
from reconciler.kernel.problem import Problem, invalid, required, unsupported
from reconciler.rollouts.replicas.surge import resolve
from reconciler.rollouts.spec.model import Canary, RolloutSpec, Step
from reconciler.rollouts.traffic.model import HeaderRoute, MirrorRoute
from reconciler.rollouts.traffic.router import Features, Routers, RoutesAsked, served
from reconciler.rollouts.validation.experiment import experiment_problems, weight_problems
from reconciler.rollouts.validation.rules import affinity_problems, argument_problems, negative_problems, same_services

ONE_KIND = "Step must have one of the following set: experiment, setWeight, setCanaryScale, plugin or pause"
PING_PONG_ROUTERS = "Ping-pong feature works with the ALB and Istio traffic routers only"
PING_PONG_SERVICES = "Ping service and Pong service must to be set to use Ping-Pong feature"
UNMANAGED = "Steps define a route that does not exist in spec.strategy.canary.trafficRouting.managedRoutes"
ONE_MATCH = "StringMatch match value must have exactly one of the following: exact, regex, prefix"
NO_MATCH = "StringMatch value missed, match value must have one of the following: exact, regex, prefix"
ROUTING = "spec.strategy.canary.trafficRouting"


def canary_problems(rollout: Manifest, spec: RolloutSpec, routers: Routers) -> Iterator[Problem]:
    """Every broken rule, in the order in which they are told."""
    canary = spec.canary
    if canary is None:
        return
    yield from _pods(spec, canary)
    yield from _services(canary)
    yield from _ping_pong(canary, routers)
    yield from _refusals(canary, routers)
    yield from _delays(canary)
    yield from affinity_problems("spec.strategy.antiAffinity", canary.anti_affinity)
    for index, step in enumerate(canary.steps):
        yield from _step(rollout, canary, step, f"spec.strategy.steps[{index}]")
    yield from weight_problems(canary, any(features.experiments for features in _features(canary, routers)))
    yield from _routers(canary, routers)
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


def _ping_pong(canary: Canary, routers: Routers) -> Iterator[Problem]:
    """Two Services that differ from each other and from the fixed ones, and a router that can let them take pair."""
    pair = canary.ping_pong
    if pair is None:
        return
    named = canary.routing.routers if canary.routing else ()
    if not named or any(name in routers and not routers[name].features.ping_pong for name in named):
        yield invalid("spec.strategy.trafficRouting", ", ".join(named), PING_PONG_ROUTERS)
    for name, service in (("pingService", pair.ping_service), ("pongService", pair.pong_service)):
        if not service:
            yield invalid(f"spec.strategy.pingPong.{name}", service, PING_PONG_SERVICES)
    if pair.ping_service == pair.pong_service:
        yield same_services("spec.strategy.pingPong.pingService", pair.ping_service, "ping", "pong")
    for fixed, service in (("canary", canary.canary_service), ("stable", canary.stable_service)):
        for side, name in (("ping", pair.ping_service), ("pong", pair.pong_service)):
            if service and service == name:
                yield same_services(f"spec.strategy.pingPong.{side}Service", name, side, fixed)


def _routers(canary: Canary, routers: Routers) -> Iterator[Problem]:
    """The routes that steps ask for, and what each router finds wrong with them and with its configuration."""
    asked = RoutesAsked(canary.canary_service, canary.stable_service, tuple(_asked_routes(canary)), ping_pong=canary.ping_pong is not None)
    features = _features(canary, routers)
    for path, route in asked.routes:
        if isinstance(route, HeaderRoute):
            yield from _header_route(route, path, able=any(f.header for f in features))
        else:
            yield from _mirror_route(route, path, able=any(f.mirror for f in features))
        if canary.routing is not None and route.name not in canary.routing.managed_routes:
            yield invalid(path, route.name, UNMANAGED)
    for each in served(routers, canary.routing.manifest if canary.routing else {}):
        yield from each.router.problems(each.config, asked)


def _asked_routes(canary: Canary) -> Iterator[tuple[str, HeaderRoute | MirrorRoute]]:
    for index, step in enumerate(canary.steps):
        for name, route in (("setHeaderRoute", step.header_route), ("setMirrorRoute", step.mirror_route)):
            if route is not None:
                yield f"spec.strategy.steps[{index}].{name}", route


def _refusals(canary: Canary, routers: Routers) -> Iterator[Problem]:
    """What the reference serves and this controller does not, yet."""
    if canary.routing is None:
        return
    for router in canary.routing.routers:
        if router not in routers:
            yield unsupported(f"{ROUTING}.{router}", f"traffic router {router}")
    if canary.routing.maximum != 100 and not any(f.maximum for f in _features(canary, routers)):
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


def _features(canary: Canary, routers: Routers) -> tuple[Features, ...]:
    """What the routers of a canary can do."""
    return tuple(each.router.features for each in served(routers, canary.routing.manifest)) if canary.routing else ()


def _step(rollout: Manifest, canary: Canary, step: Step, path: str) -> Iterator[Problem]:
    exclusive = [k for k in (step.set_weight, step.pause, step.experiment, step.analysis) if k is not None]
    others = [k for k in (step.scale, step.header_route, step.mirror_route, step.plugin) if k is not None]
    if len(exclusive) > 1 or (not exclusive and not others):
        yield invalid(path, _kinds(step), ONE_KIND)
    if step.experiment is not None:
        yield from experiment_problems(rollout, step.experiment, path)
    if step.plugin is not None and not step.plugin.name:
        yield required(f"{path}.plugin.name", "")
    yield from _weight(canary, step, path)
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


def _header_route(route: HeaderRoute, path: str, *, able: bool) -> Iterator[Problem]:
    if not able:
        yield invalid(path, route.name, "SetHeaderRoute requires TrafficRouting, supports Istio, ALB, Apisix and plugins")
    for index, match in enumerate(route.matches):
        if not match.name:
            yield required(f"{path}.match[{index}].headerName", "")
        values = [value for value in (match.exact, match.prefix, match.regex) if value]
        if len(values) != 1:
            yield invalid(f"{path}.match[{index}]", match.name, ONE_MATCH if values else NO_MATCH)


def _mirror_route(route: MirrorRoute, path: str, *, able: bool) -> Iterator[Problem]:
    if not able:
        yield invalid(path, route.name, "SetMirrorRoute requires TrafficRouting, supports Istio and plugins")
    if not 0 <= route.percentage <= 100:
        yield invalid(f"{path}.percentage", route.percentage, "must be between 0 and 100")
    for index, match in enumerate(route.matches):
        for part in ("method", "path"):
            value = match.get(part)
            values = [v for v in value.values() if v] if isinstance(value, dict) else [part]
            if len(values) != 1:
                yield invalid(f"{path}.match[{index}]", part, ONE_MATCH if values else NO_MATCH)
