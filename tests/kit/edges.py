"""Worlds in which the edge cases of contract 13 come up: releases on their way, behind pods, a router or two Services."""

from typing import Any

from reconciler.kernel.identity import Manifest, Resource
from reconciler.kernel.resources import ANALYSIS_TEMPLATES, SERVICES
from tests.kit.experiments import ROUTED
from tests.kit.rollouts import analysis_template, canary, pause, rollout, service, weight
from tests.kit.world import World, deployed

STEPS = (weight(25), pause(), weight(50), pause())
MEASURED = (ANALYSIS_TEMPLATES, analysis_template())


def climbing(*steps: Manifest, **fields: Any) -> World:
    """A canary without a router at its first pause."""
    return deployed(rollout(canary=canary(*(steps or STEPS), **fields)), MEASURED).push("web:2").settle()


def behind_istio(*steps: Manifest, replicas: int = 4, **fields: Any) -> World:
    """A canary behind Istio at rest with its first version."""
    return deployed(rollout(replicas=replicas, canary=canary(*steps, istio=True, **fields)), *ROUTED, MEASURED)


def routed_release(*steps: Manifest, **fields: Any) -> World:
    """A canary behind Istio at its first pause."""
    return behind_istio(*(steps or STEPS), **fields).push("web:2").settle()


def two_services() -> tuple[tuple[Resource, Manifest], ...]:
    return ((SERVICES, service("active")), (SERVICES, service("preview")), MEASURED)


def green(**fields: Any) -> World:
    """A blue/green rollout that runs its first version."""
    return deployed(rollout(blue_green={"activeService": "active", "previewService": "preview", **fields}), *two_services())


def passes_of(world: World, count: int) -> list[list[str]]:
    """What each of the next passes wrote; pods come and go between them."""
    found = []
    for _ in range(count):
        mark = len(world.store.writes)
        world.kubelet()
        world.one_pass()
        found.append(world.since(mark))
    return found


def course_of(world: World, count: int = 30) -> list[tuple[int, int, int]]:
    """Stable pods, canary pods and weight after each of the next passes, whenever they change."""
    found: list[tuple[int, int, int]] = []
    for _ in range(count):
        world.kubelet()
        world.one_pass()
        now = (world.size("web:1"), world.size("web:2"), world.weight)
        if now not in found[-1:]:
            found.append(now)
    return found


def told(world: World, reason: str) -> list[str]:
    """What was said with this reason, in order."""
    return [event["message"] for event in world.store.events if event["reason"] == reason]
