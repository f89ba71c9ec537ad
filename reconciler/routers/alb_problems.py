"""What is wrong with `trafficRouting.alb` as it is written (contract 12.2)."""

from collections.abc import Iterator
from typing import Any

from reconciler.kernel.identity import Manifest
from reconciler.kernel.problem import Problem, invalid
from reconciler.rollouts.traffic.model import HeaderRoute
from reconciler.rollouts.traffic.router import RoutesAsked

FIELD = "spec.strategy.canary.trafficRouting.alb"
ONE, SEVERAL = "ingress", "ingresses"
EITHER = "Either Ingress or Ingresses must be configured."
SERVICES = "Canary service and Stable service must to be set to use Traffic Routing"
ROOTLESS = "Root service field is required for the configuration with ALB and ping-pong feature enabled"
LONGEST = 604800


def problems(config: Manifest, asked: RoutesAsked) -> Iterator[Problem]:
    """Not exactly one way to name Ingresses, a port that is none, missing Services, header matches that an ALB does not know."""
    one, several = config.get(ONE), config.get(SEVERAL)
    if bool(one) == bool(several):
        yield Problem(FIELD, f"Internal error: {EITHER} {'Both' if one else 'Neither'} are configured.")
    elif not (isinstance(one, str) or (isinstance(several, list) and all(isinstance(name, str) and name for name in several))):
        yield invalid(f"{FIELD}.{ONE if one else SEVERAL}", str(one or several), "must name Ingresses")
    for field in ("rootService", "annotationPrefix"):
        if not isinstance(config.get(field) or "", str):
            yield invalid(f"{FIELD}.{field}", config[field], "must be a name")
    if not _within(config.get("servicePort"), 1, 65535):
        yield invalid(f"{FIELD}.servicePort", config.get("servicePort"), "must be the number of the Services' port")
    yield from _services(config, asked)
    yield from _stickiness(config)
    for field, route in asked.routes:
        if isinstance(route, HeaderRoute) and any(match.exact is None for match in route.matches):
            yield invalid(field, route.name, "SetHeaderRoute match with ALB supports exact values only")


def _services(config: Manifest, asked: RoutesAsked) -> Iterator[Problem]:
    if asked.ping_pong:
        if not config.get("rootService"):
            yield invalid(f"{FIELD}.rootService", config.get("rootService"), ROOTLESS)
    elif not (asked.canary and asked.stable):
        yield invalid(f"spec.strategy.{'canaryService' if asked.stable else 'stableService'}", "", SERVICES)


def _stickiness(config: Manifest) -> Iterator[Problem]:
    asked = config.get("stickinessConfig")
    if asked is None:
        return
    field = f"{FIELD}.stickinessConfig"
    if not isinstance(asked, dict):
        yield invalid(field, str(asked), "must have enabled and durationSeconds")
    elif asked.get("enabled") is True and not _within(asked.get("durationSeconds"), 1, LONGEST):
        yield invalid(
            f"{field}.durationSeconds",
            asked.get("durationSeconds"),
            f"TargetGroupStickinessConfig's duration must be between 1 and {LONGEST} seconds (7 days)",
        )


def _within(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
