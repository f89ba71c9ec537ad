"""The laws of a pass: same facts, same plan; at rest nothing is written; a killed pass ends where an unbroken one does."""

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.kernel.resources import ANALYSIS_TEMPLATES, SERVICES, VIRTUAL_SERVICES
from reconciler.rollouts.plan import plan
from tests.kit.rollouts import analysis, analysis_template, canary, pause, rollout, service, virtual_service, weight
from tests.kit.store import Killed, run_through
from tests.kit.world import World, deployed

ROUTED = (*((SERVICES, service(name)) for name in ("web-canary", "web-stable")), (VIRTUAL_SERVICES, virtual_service()))


def basic() -> World:
    return deployed(rollout(replicas=5, canary=canary(weight(20), pause(1), weight(60), pause(1))))


def routed(**fields: Any) -> World:
    spec = rollout(canary=canary(weight(25), pause(1), weight(75), pause(1), istio=True, **fields))
    return deployed(spec, *ROUTED)


def dynamic() -> World:
    return routed(dynamicStableScale=True)


def green() -> World:
    spec = rollout(blue_green={"activeService": "active", "previewService": "preview", "autoPromotionSeconds": 2})
    return deployed(spec, *((SERVICES, service(name)) for name in ("active", "preview")))


WORLDS = (basic, routed, dynamic, green)


def end_of(world: World) -> tuple[object, ...]:
    """What must be the same however often the process died on the way."""
    services = tuple(world.selected(name) for name in ("web-canary", "web-stable", "active", "preview"))
    sizes = tuple(sorted((r.name, r.spec, r.revision) for r in world.replica_sets))
    return world.phase, sizes, services, world.weight, world.status.get("currentStepIndex"), world.status["stableRS"]


def lived(world: World, story: Callable[[World], object], kill_at: int) -> int:
    """Play a story in which the process dies once, before its n-th write; the number of writes it took."""
    begin = len(world.store.writes)
    story(world)
    dead: list[str] = []

    def die(write: str) -> None:
        if not dead and len(world.store.writes) - begin == kill_at:
            dead.append(write)
            raise Killed(write)

    world.store.before_write = die
    while True:
        try:
            world.wait(60)
        except Killed:
            continue
        return len(world.store.writes) - begin


def update(world: World) -> None:
    world.push("web:2")


def change_of_mind(world: World) -> None:
    world.push("web:2").settle().push("web:1")


def give_up(world: World) -> None:
    world.push("web:2").settle().press(abort=True)


@pytest.mark.parametrize("story", (update, change_of_mind, give_up))
@pytest.mark.parametrize("make", WORLDS)
def test_a_pass_killed_at_any_write_comes_to_the_same_end(make: Callable[[], World], story: Callable[[World], object]) -> None:
    unbroken = make()
    writes = lived(unbroken, story, kill_at=-1)
    for kill_at in range(writes):
        broken = make()
        lived(broken, story, kill_at)
        assert end_of(broken) == end_of(unbroken), f"killed before write {kill_at}"


@pytest.mark.parametrize("make", WORLDS)
def test_the_same_facts_give_the_same_plan(make: Callable[[], World]) -> None:
    world = make().push("web:2")
    for _ in range(25):
        world.kubelet()
        rollout_ = world.rollout
        observer = world.controller._observer
        resolved = run_through(observer.resolve(rollout_))
        observed = run_through(observer.observe(rollout_, resolved, world.clock.now()))
        assert plan(observed, world.clock.now()) == plan(observed, world.clock.now())
        world.one_pass()


@pytest.mark.parametrize("make", WORLDS)
def test_nothing_is_written_at_rest(make: Callable[[], World]) -> None:
    world = make().push("web:2").wait(60)
    mark = len(world.store.writes)
    world.one_pass()
    assert world.since(mark) == [] and world.phase == "Healthy"


def test_a_verb_pressed_during_a_pass_wins() -> None:
    world = routed().push("web:2").settle()
    pressed: list[str] = []

    def press(write: str) -> None:
        if write.endswith("status") and not pressed:
            pressed.append(write)
            world.press(abort=True)

    world.store.before_write = press
    world.clock.time = world.wake_at or world.clock.time
    world.one_pass()
    assert pressed and world.status["abort"] is True
    world.settle()
    assert world.phase.startswith("Degraded RolloutAborted")


def test_an_invalid_spec_freezes_everything_and_says_so() -> None:
    world = basic()
    world.edit({"spec": {"replicas": 9, "strategy": {"canary": {"steps": [weight(120)]}}}}).settle()
    text = "spec.strategy.steps[0].setWeight: Invalid value: 120: SetWeight needs to be between 0 and 100"
    assert world.phase == f'Degraded InvalidSpec: The Rollout "web" is invalid: {text}'
    assert (world.status["observedGeneration"], world.size("web:1")) == ("2", 5)
    world.edit({"spec": {"strategy": {"canary": {"steps": [weight(10)]}}}}).settle()
    assert (world.phase, world.size("web:1"), world.condition("InvalidSpec")) == ("Healthy", 9, {})


def test_another_mistake_changes_the_message() -> None:
    world = basic().edit({"spec": {"strategy": {"canary": {"steps": [weight(120)]}}}}).settle()
    world.edit({"spec": {"strategy": {"canary": {"steps": [weight(130)]}}}}).settle()
    assert "130" in world.phase


def test_absent_replicas_are_written_as_one() -> None:
    world = World(rollout(replicas=None, canary=canary())).settle()
    assert (world.rollout["spec"]["replicas"], world.size("web:1"), world.phase) == (1, 1, "Healthy")


def test_conditions_about_pauses_come_in_a_pass_of_their_own() -> None:
    world = basic().push("web:2").settle()
    assert (world.condition("Progressing")["reason"], world.condition("Paused")["status"]) == ("RolloutPaused", "True")
    world.wait(2)
    assert world.condition("Paused")["status"] in ("True", "False")


def test_an_abort_of_what_is_promoted_already_is_removed() -> None:
    world = basic().press(abort=True).settle()
    assert world.phase == "Healthy" and "abort" not in world.status


def test_what_is_not_served_yet_is_refused_by_name() -> None:
    strategy = canary(canaryService="c", stableService="s", trafficRouting={"kong": {}})
    world = World(rollout(canary=strategy)).settle()
    assert "spec.strategy.canary.trafficRouting.kong: Forbidden: " in world.phase and "is not supported yet" in world.phase


def test_a_takeover_of_a_healthy_rollout_changes_nothing() -> None:
    world = basic().push("web:2").wait(60)
    status, sizes = world.status, [(r.name, r.spec) for r in world.replica_sets]
    world.store.put(ANALYSIS_TEMPLATES, analysis_template())
    for _ in range(3):
        world.one_pass()
    assert (world.status, [(r.name, r.spec) for r in world.replica_sets]) == (status, sizes)


def test_a_missing_service_is_an_invalid_spec_until_it_appears() -> None:
    world = World(rollout(canary=canary(weight(20), canaryService="web-canary", stableService="web-stable")))
    world.settle()
    assert 'spec.strategy.canary.canaryService: Invalid value: "web-canary": services "web-canary" not found' in world.phase
    assert world.wake_at is not None
    for name in ("web-canary", "web-stable"):
        world.store.put(SERVICES, service(name))
    assert world.settle().phase == "Healthy"


def test_runs_are_ours_only_while_the_spec_is_valid() -> None:
    world = deployed(rollout(canary=canary(weight(20), pause(), analysis=analysis())), (ANALYSIS_TEMPLATES, analysis_template()))
    world.push("web:2").settle()
    assert len(world.runs) == 1


def test_a_new_template_with_new_replicas_is_never_sized_by_the_former_attempt() -> None:
    world = deployed(rollout(replicas=4, canary=canary(weight(25), pause()))).edit({"spec": {"replicas": 8}}).push("web:2")
    largest = 0
    for _ in range(20):
        world.one_pass()
        largest = max(largest, world.size("web:2"))
        world.kubelet()
    assert largest == world.settle().size("web:2") == 2


def test_an_edit_beside_the_template_leaves_progress_as_it_was() -> None:
    world = basic().push("web:2").wait(60)
    before = world.condition("Progressing")
    world.edit({"spec": {"revisionHistoryLimit": 5}})
    for _ in range(4):
        world.one_pass()
        assert world.condition("Progressing") == before
    assert world.phase == "Healthy" and world.status["observedGeneration"] == str(world.rollout["metadata"]["generation"])
