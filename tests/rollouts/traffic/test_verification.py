"""A weight that a load balancer has to confirm: contract 9.1 item 7, 13.39."""

from collections.abc import Collection
from dataclasses import dataclass, field

import pytest

from reconciler.aws.balancers import Balancers, LoadBalancer, Registered, TargetGroup
from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Key
from reconciler.kernel.resources import SERVICES
from tests.kit.rollouts import canary, pause, rollout, service, weight
from tests.kit.routers import SERVED, alb
from tests.kit.store import run_through
from tests.kit.world import World, deployed

HOST = "shop-1.elb.amazonaws.com"


@dataclass
class Aws:
    """Answers one weight for the canary, or that it cannot be asked."""

    share: int = 0
    unread: str = ""
    asked: list[tuple[str, ...]] = field(default_factory=list)

    async def registered(self, arns: Collection[str]) -> Registered:
        return Registered(dict.fromkeys(arns, frozenset()))

    async def read(self, hostnames: Collection[str]) -> Balancers:
        self.asked.append(tuple(hostnames))
        if self.unread:
            return Balancers({}, self.unread)
        group = TargetGroup("c", "arn:tg/c/1", "shop/web-web-canary:80", (self.share,))
        return Balancers({HOST: LoadBalancer("shop", "arn:lb/app/shop/5", HOST, (group,))})


def world(aws: Aws | None, *steps: object) -> World:
    case = alb("web")
    [(ref, user)] = case.objects.items()
    told = {**user, "status": {"loadBalancer": {"ingress": [{"hostname": HOST}]}}}
    spec = canary(*steps, **SERVED, trafficRouting=case.asking(case.config))
    others = [(SERVICES, service(name)) for name in ("web-canary", "web-stable")]
    return deployed(rollout(canary=spec), *others, (ref.resource, told), balancers=aws).push("web:2").settle()


def verified(found: World) -> object:
    return found.rollout["status"]["canary"]["weights"].get("verified")


def test_a_step_waits_until_the_load_balancer_has_the_weight() -> None:
    aws = Aws(share=0)
    found = world(aws, weight(20), pause())
    assert (found.rollout["status"]["currentStepIndex"], verified(found)) == (0, False)
    assert found.wake_at is not None and (found.wake_at - found.clock.now()).total_seconds() <= 10
    aws.share = 20
    found.wait(10).settle()
    assert (found.phase, found.rollout["status"]["currentStepIndex"]) == ("Paused CanaryPauseStep", 1)
    assert found.rollout["status"]["alb"]["loadBalancer"]["fullName"] == "shop/5" and len(found.rollout["status"]["albs"]) == 1


def test_nothing_is_asked_where_it_is_switched_off_and_no_status_is_left() -> None:
    found = world(None, weight(20), pause())
    assert found.phase == "Paused CanaryPauseStep" and verified(found) is None
    assert "alb" not in found.rollout["status"] and "albs" not in found.rollout["status"]


def test_nothing_is_asked_while_a_release_stands_on_another_step() -> None:
    aws = Aws(share=20)
    found = world(aws, weight(20), pause())
    asked = len(aws.asked)
    for _ in range(3):
        found.one_pass()
    assert asked and len(aws.asked) == asked


def test_13_39_the_end_waits_too_and_nothing_is_promoted() -> None:
    aws = Aws(share=20)
    found = world(aws, weight(20))
    assert found.rollout["status"]["currentStepIndex"] == 1
    with pytest.raises(Transient, match="end of rollout, desired weight 100 not yet verified"):
        run_through(found.controller.reconcile(Key("rollout", "shop", "web")))
    assert found.rollout["status"]["stableRS"] != found.rollout["status"]["currentPodHash"]
    aws.share = 100
    assert found.wait(10).settle().phase == "Healthy"


def test_an_aws_that_cannot_be_asked_is_told_and_confirms_nothing() -> None:
    aws = Aws(unread="ClientError: AccessDenied")
    found = world(aws, weight(20), pause())
    assert (found.rollout["status"]["currentStepIndex"], verified(found)) == (0, False)
    told = [event for event in found.store.events if event["reason"] == "WeightVerifyError"]
    assert told and "AccessDenied" in told[0]["message"] and told[0]["type"] == "Warning"


def test_an_abort_waits_for_nobody() -> None:
    aws = Aws(share=0)
    found = world(aws, weight(20), pause())
    found.press(abort=True).settle()
    asked = len(aws.asked)
    for _ in range(3):
        found.one_pass()
    assert len(aws.asked) == asked
    assert found.phase.startswith("Degraded") and found.rollout["status"]["canary"]["weights"]["canary"]["weight"] == 0
