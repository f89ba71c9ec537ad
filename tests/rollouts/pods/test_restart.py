"""Restarting pods on request (contract 4.11, C11, 13.29)."""

from datetime import timedelta

from reconciler.kernel.identity import controller_uid
from reconciler.kernel.moment import render_moment
from reconciler.kernel.resources import PODS
from tests.kit.rollouts import canary, pause, rollout, weight
from tests.kit.world import World, deployed


def ask(world: World, seconds: int = 0) -> str:
    """Restart in so many seconds; the clock moves one further, so that new pods are younger."""
    world.clock.time += timedelta(seconds=1)
    asked = render_moment(world.clock.time + timedelta(seconds=seconds))
    world.edit({"spec": {"restartAt": asked}})
    world.clock.time += timedelta(seconds=1)
    return asked


def pods(world: World) -> set[str]:
    return {p["metadata"]["name"] for p in world.store.list(PODS) if controller_uid(p)}


def test_pods_are_replaced_one_by_one_until_none_is_old() -> None:
    world = deployed(rollout(replicas=4, canary=canary(weight(50), pause())))
    old, asked = pods(world), ask(world)
    lost = []
    for _ in range(30):
        before = pods(world)
        world.one_pass()
        lost.append(len(before - pods(world)))
        assert world.status.get("restartedAt") in (None, asked)
        world.kubelet()
    assert max(lost) == 1 and not old & pods(world) and len(pods(world)) == 4
    assert (world.status["restartedAt"], world.settle().phase) == (asked, "Healthy")


def test_while_restarting_the_phase_says_so() -> None:
    world = deployed(rollout(canary=canary(weight(50), pause())))
    world.clock.time += timedelta(seconds=1)
    asked = render_moment(world.clock.time + timedelta(seconds=60))
    world.edit({"spec": {"restartAt": asked}}).settle()
    assert world.phase == "Progressing rollout is restarting"
    assert world.wake_at is not None
    world.wait(70)
    assert (world.phase, world.status["restartedAt"]) == ("Healthy", asked)


def test_a_pod_that_cannot_be_spared_stays() -> None:
    world = deployed(rollout(replicas=4, canary=canary(weight(50), pause())))
    world.breaks("web:1").settle()
    ask(world)
    before = pods(world)
    world.one_pass()
    assert pods(world) == before and world.wake_at is not None


def test_a_new_template_counts_as_the_restart() -> None:
    world = deployed(rollout(canary=canary(weight(50), pause())))
    asked = ask(world)
    world.push("web:2").settle()
    assert world.status["restartedAt"] == asked
    assert not [write for write in world.store.writes if write.startswith("evict")]


def test_one_pod_may_always_leave_even_where_none_may_be_missing() -> None:
    world = deployed(rollout(replicas=4, canary=canary(maxSurge=1, maxUnavailable=0)))
    asked = ask(world)
    world.settle()
    assert world.status["restartedAt"] == asked


def test_a_blue_green_restart_goes_on_with_the_pass() -> None:
    from reconciler.kernel.resources import SERVICES
    from tests.kit.rollouts import service

    world = deployed(rollout(blue_green={"activeService": "active"}), (SERVICES, service("active")))
    asked = ask(world)
    world.wait(120)
    assert (world.status["restartedAt"], world.phase) == (asked, "Healthy")
