"""A stable ReplicaSet that is deleted after an abort: the version that is left serves, and was not tried again (contract 13.4)."""

from typing import Any

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.kernel.moment import render_moment
from reconciler.kernel.resources import REPLICA_SETS, SERVICES
from reconciler.releases.attempts import goes_on
from reconciler.releases.model import ReleaseStatus, Verdict
from reconciler.rollouts.view import RolloutView, view_of
from tests.kit.releases import release
from tests.kit.rollouts import NAMESPACE, canary, pause, rollout, service, weight
from tests.kit.world import World, deployed

STRATEGIES: dict[str, dict[str, Any]] = {
    "canary": {"canary": canary(weight(50), pause())},
    "blue/green": {"blue_green": {"activeService": "active", "autoPromotionEnabled": False, "abortScaleDownDelaySeconds": 0}},
}


def aborted(strategy: dict[str, Any]) -> World:
    world = deployed(rollout(**strategy), (SERVICES, service("active"))).push("web:2").settle()
    return world.wait(60).press(abort=True).settle().wait(60)


def tried_again(world: World, decided_at: Any, pod_hash: str) -> bool:
    status = ReleaseStatus(verdict=Verdict.ABORTED, held=True, decided_at=decided_at, pod_hash=pod_hash)
    return goes_on(release(status=status), seen(world))


def seen(world: World) -> RolloutView:
    found: Manifest = world.rollout
    return view_of(found)


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)
def test_the_version_that_is_left_serves_and_was_not_tried_again(strategy: dict[str, Any]) -> None:
    world = aborted(strategy)
    bad, decided_at = world.status["currentPodHash"], world.clock.time
    assert world.phase.startswith("Degraded RolloutAborted")
    world.clock.time = world.clock.time.replace(minute=world.clock.time.minute + 5)
    world.store.remove(REPLICA_SETS, NAMESPACE, world.replica_set("web:1").name)
    world.settle()
    assert world.status["stableRS"] == bad and not world.status.get("abort")
    assert not tried_again(world, decided_at, bad)


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)
def test_a_retry_is_one_whether_it_is_seen_on_its_way_or_at_its_end(strategy: dict[str, Any]) -> None:
    world = aborted(strategy)
    bad, decided_at = world.status["currentPodHash"], world.clock.time
    world.wait(60).press(abort=False).settle()
    assert tried_again(world, decided_at, bad)
    world.wait(60).press(pauseConditions=None).settle().wait(60)
    assert world.phase == "Healthy" and seen(world).began > render_moment(decided_at)
    assert tried_again(world, decided_at, bad)
