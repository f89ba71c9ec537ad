"""Ways back that skip the steps (contract 4.8, C9, 13.38)."""

import pytest

from reconciler.rollouts.rollback import rollback, within_window
from tests.kit.passes import facts_of, moving, replica_set
from tests.kit.rollouts import canary, measured, pause, rollout, weight
from tests.kit.world import World, deployed


def three_versions(window: int, **spec: object) -> World:
    """Version three is stable; two and one were before it."""
    world = deployed(rollout(canary=canary(weight(50), pause(1)), rollbackWindow={"revisions": window}, **spec))
    for image in ("web:2", "web:3"):
        world.push(image).wait(5)
    assert world.phase == "Healthy"
    return world


@pytest.mark.parametrize(("age", "back"), [(9, False), (10, False), (11, True)])
def test_only_an_older_version_is_a_way_back(age: int, back: bool) -> None:
    manifest = rollout(image="image:new", canary=canary(weight(50)), rollbackWindow={"revisions": 1})
    facts = facts_of(manifest, replica_set("old", 4, age=10), replica_set("new", 4, age=age), status=moving())
    assert rollback(facts) is within_window(facts) is back


def test_the_previous_version_is_inside_a_window_of_one() -> None:
    world = three_versions(1)
    pauses = world.reasons.count("RolloutPaused")
    world.push("web:2").settle()
    assert (world.phase, world.size("web:2"), world.size("web:3")) == ("Healthy", 4, 0)
    assert world.reasons.count("RolloutPaused") == pauses
    assert any("Rollback within window" in e["message"] for e in world.store.events)
    assert world.status["duration"]["completionStatus"] in ("Promoted", "FastPromoted")


def test_the_version_before_the_previous_is_outside() -> None:
    world = three_versions(1).push("web:1").settle()
    assert world.phase == "Paused CanaryPauseStep"


def test_a_window_of_two_reaches_it() -> None:
    world = three_versions(2).push("web:1").settle()
    assert (world.phase, world.size("web:1")) == ("Healthy", 4)


def test_without_a_window_the_steps_run_again() -> None:
    world = deployed(rollout(canary=canary(weight(50), pause(1)))).push("web:2").wait(5).push("web:1").settle()
    assert world.phase == "Paused CanaryPauseStep"


def test_a_rollback_is_recorded_while_the_attempt_goes_on() -> None:
    world = deployed(rollout(canary=canary(weight(50), pause()))).push("web:2").settle().push("web:1").settle()
    assert world.status["duration"]["completionStatus"] == "FastRolledBack"
    assert world.status["duration"]["finishedAt"]


def test_the_way_back_to_stable_needs_no_measurement() -> None:
    from reconciler.kernel.resources import ANALYSIS_TEMPLATES
    from tests.kit.rollouts import analysis_template

    steps = (weight(50), measured(), pause())
    world = deployed(rollout(canary=canary(*steps)), (ANALYSIS_TEMPLATES, analysis_template())).push("web:2").settle()
    (name,) = world.runs
    world.push("web:1").settle()
    assert (world.phase, world.runs[name]["spec"]["terminate"]) == ("Healthy", True)
