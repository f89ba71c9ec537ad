"""Pods that a load balancer has to know before the old ones go: contract 5.9, behind blue/green and behind an ALB's canary."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.aws.balancers import Balancers, LoadBalancer, Registered, TargetGroup
from reconciler.kernel.identity import Manifest, Resource
from reconciler.kernel.resources import ANALYSIS_TEMPLATES, ENDPOINTS, SERVICES, TARGET_GROUP_BINDINGS
from reconciler.kube.errors import Forbidden, NotServed
from tests.kit.rollouts import analysis, analysis_template, canary, pause, rollout, service, weight
from tests.kit.routers import SERVED, alb
from tests.kit.world import World, deployed

ARN = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/web/5"

HOST = "shop-1.elb.amazonaws.com"


@dataclass
class Aws:
    """Knows these addresses, or cannot be asked."""

    known: set[str] = field(default_factory=set)
    unread: str = ""
    asked: list[tuple[str, ...]] = field(default_factory=list)

    async def read(self, hostnames: Collection[str]) -> Balancers:
        return Balancers({}, "not asked here")

    async def registered(self, arns: Collection[str]) -> Registered:
        self.asked.append(tuple(arns))
        return Registered({}, self.unread) if self.unread else Registered(dict.fromkeys(arns, frozenset(self.known)))


def bound(name: str, *addresses: str, kind: str = "ip", port: int | str = 80) -> tuple[tuple[Resource, Manifest], ...]:
    """A Service's target group and the addresses of its pods."""
    metadata = {"name": name, "namespace": "shop", "uid": f"u-{name}", "resourceVersion": "1"}
    spec = {"serviceRef": {"name": name, "port": port}, "targetGroupARN": ARN, "targetType": kind}
    listed = [{"addresses": [{"ip": one} for one in addresses], "ports": [{"port": 8080}, {"name": "metrics", "port": 9090}]}]
    return (
        (TARGET_GROUP_BINDINGS, {"apiVersion": "elbv2.k8s.aws/v1beta1", "kind": "TargetGroupBinding", "metadata": metadata, "spec": spec}),
        (ENDPOINTS, {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata, "subsets": listed if addresses else []}),
    )


def green(aws: Aws | None, *others: tuple[Resource, Manifest], **fields: Any) -> World:
    services = [(SERVICES, service(name)) for name in ("active", "preview")]
    spec = rollout(blue_green={"activeService": "active", "previewService": "preview", **fields})
    world = deployed(spec, *services, (ANALYSIS_TEMPLATES, analysis_template()), balancers=aws)
    for resource, manifest in others:  # the cache of a world watches neither kind: both are asked for
        world.store.objects[resource, "shop", manifest["metadata"]["name"]] = manifest
    return world.push("web:2").settle()


def is_promoted(world: World) -> bool:
    return bool(world.status["stableRS"] == world.status["currentPodHash"])


def test_users_are_switched_and_nothing_is_promoted_until_every_pod_is_registered() -> None:
    aws = Aws({"10.0.0.1:8080"})
    world = green(aws, *bound("active", "10.0.0.1", "10.0.0.2"))
    assert world.selected("active") == "web:2" and not is_promoted(world) and world.size("web:1") == 4
    [told] = {event["message"] for event in world.store.events if event["reason"] == "TargetGroupUnverified"}
    assert told == "Service active: 10.0.0.2:8080 not registered yet"
    assert world.wake_at is not None and (world.wake_at - world.clock.now()).total_seconds() <= 10
    aws.known.add("10.0.0.2:8080")
    world.wait(10).settle()
    assert is_promoted(world) and world.phase == "Healthy"
    asked = len(aws.asked)
    world.settle()
    assert len(aws.asked) == asked


def test_nothing_is_asked_before_users_are_switched() -> None:
    aws = Aws()
    world = green(aws, *bound("active", "10.0.0.1"), autoPromotionEnabled=False)
    assert (world.phase, world.selected("active")) == ("Paused BlueGreenPause", "web:1")
    assert aws.asked == []
    world.press(pauseConditions=None).settle()
    assert world.selected("active") == "web:2" and aws.asked


def test_no_analysis_after_promotion_begins_before_and_none_is_asked_for_once_it_has() -> None:
    aws = Aws()
    world = green(aws, *bound("active", "10.0.0.1"), postPromotionAnalysis=analysis())
    assert "postPromotionAnalysisRunStatus" not in world.status["blueGreen"]
    aws.known.add("10.0.0.1:8080")
    world.wait(10).settle()
    assert "postPromotionAnalysisRunStatus" in world.status["blueGreen"]
    aws.known.clear()
    asked = len(aws.asked)
    world.wait(10).settle()
    assert len(aws.asked) == asked


def test_an_abort_waits_for_no_load_balancer() -> None:
    world = green(Aws(), *bound("active", "10.0.0.1"))
    world.press(abort=True).settle()
    assert world.selected("active") == "web:1" and not is_promoted(world)


@pytest.mark.parametrize(
    "others", [(), bound("other", "10.0.0.1"), bound("active", "10.0.0.1", kind="instance")], ids=["none", "other", "instance"]
)
def test_a_service_that_no_group_binds_by_its_pods_waits_for_nothing(others: tuple[tuple[Resource, Manifest], ...]) -> None:
    aws = Aws()
    assert is_promoted(green(aws, *others)) and aws.asked == []


def test_nothing_is_asked_where_it_is_switched_off() -> None:
    assert is_promoted(green(None, *bound("active", "10.0.0.1")))


@pytest.mark.parametrize(("unread", "words"), [("AccessDenied", "Service active: AccessDenied"), ("", "no pod of it is ready")])
def test_what_cannot_be_known_keeps_the_old_pods_and_is_told(unread: str, words: str) -> None:
    world = green(Aws(unread=unread), *bound("active", *(("10.0.0.1",) if unread else ())))
    assert not is_promoted(world) and world.size("web:1") == 4
    assert any(words in event["message"] for event in world.store.events if event["reason"] == "TargetGroupVerifyError")


@pytest.mark.parametrize(("error", "waits"), [(NotServed(404, "", "no"), False), (Forbidden(403, "Forbidden", "cannot list"), True)])
def test_bindings_that_are_not_served_are_none_and_those_that_may_not_be_read_are_waited_for(error: Exception, waits: bool) -> None:
    services = [(SERVICES, service(name)) for name in ("active", "preview")]
    world = deployed(rollout(blue_green={"activeService": "active", "previewService": "preview"}), *services, balancers=Aws())
    listing = world.client.list

    async def refused(resource: Resource, *args: Any, **more: Any) -> Any:
        if resource == TARGET_GROUP_BINDINGS:
            raise error
        return await listing(resource, *args, **more)

    world.client.list = refused  # type: ignore[method-assign]
    world.push("web:2").settle()
    assert is_promoted(world) is not waits


class Weighing(Aws):
    """Knows the weights of its load balancer, too."""

    share = 20

    async def read(self, hostnames: Collection[str]) -> Balancers:
        group = TargetGroup("c", "arn:tg/c/1", "shop/web-web-canary:80", (self.share,))
        return Balancers({HOST: LoadBalancer("shop", "arn:lb/app/shop/5", HOST, (group,))})


@pytest.mark.parametrize("taking_turns", [False, True])
def test_behind_an_alb_old_pods_stay_until_those_of_the_stable_service_are_registered(taking_turns: bool) -> None:
    aws, case = Weighing(), alb("web")
    turns = {"canaryService": None, "stableService": None, "pingPong": {"pingService": "web-stable", "pongService": "web-canary"}}
    [(ref, user)] = case.objects.items()
    reached = {**user, "status": {"loadBalancer": {"ingress": [{"hostname": HOST}]}}}
    others = [(SERVICES, service(name)) for name in ("web-canary", "web-stable")]
    named = turns if taking_turns else SERVED
    spec = canary(weight(20), pause(), **named, trafficRouting=case.asking(case.config), scaleDownDelaySeconds=1)
    world = deployed(rollout(canary=spec), *others, (ref.resource, reached), balancers=aws)
    serving = "web-canary" if taking_turns else "web-stable"
    for resource, manifest in bound(serving, "10.0.0.9"):
        world.store.objects[resource, "shop", serving] = manifest
    world.push("web:2").settle()
    assert world.phase == "Paused CanaryPauseStep" and aws.asked == []
    aws.share = 100
    world.press(pauseConditions=None).settle()
    world.wait(60).settle()
    assert is_promoted(world) and world.size("web:1") > 0
    assert any(event["reason"] == "TargetGroupUnverified" for event in world.store.events)
    aws.known.add("10.0.0.9:8080")
    world.wait(10).settle()
    world.wait(60).settle()
    assert world.size("web:1") == 0
