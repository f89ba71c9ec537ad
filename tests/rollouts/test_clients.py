"""What clients do to a Rollout and make of it: Argo CD's health and buttons, patches, autoscalers (contract 11.1, 11.3, 11.4)."""

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.kernel.resources import ANALYSIS_RUNS, EXPERIMENTS, PODS, ROLLOUTS
from tests.kit.edges import climbing, green, routed_release
from tests.kit.experiments import current, experiments, says, tried
from tests.kit.rollouts import NAMESPACE, analysis, canary, measured, pause, rollout, weight
from tests.kit.store import merged
from tests.kit.tables import table
from tests.kit.world import World, deployed

# ---- Argo CD, as contract 11.3 says it ----


def health(manifest: Manifest) -> str:
    """Its word for a Rollout and the message beside it."""
    status, generation = manifest.get("status") or {}, manifest["metadata"]["generation"]
    observed = str(status.get("observedGeneration", ""))
    if observed.isdecimal() and int(observed) < generation:
        return "Progressing waiting for rollout spec update to be observed"
    word = {"Paused": "Suspended"}.get(status["phase"], status["phase"])
    return f"{word} {status.get('message', '')}".strip()


def buttons(manifest: Manifest) -> set[str]:
    """The actions that it offers. Indexes without asking, as its script does: an index that is missing is an error there."""
    spec, status = manifest["spec"], manifest["status"]
    promoted = status.get("currentPodHash") == status.get("stableRS")
    steps = (spec["strategy"].get("canary") or {}).get("steps")
    enabled = {
        "restart": True,
        "resume": bool(status.get("pauseConditions")) or bool(spec.get("paused")),
        "abort": not promoted and not status.get("abort"),
        "retry": not promoted and bool(status.get("abort")),
        "pause": not promoted and not status.get("abort") and not spec.get("paused"),
        "promote-full": not promoted,
        "skip-current-step": bool(steps) and status["currentStepIndex"] != len(steps),
    }
    return {name for name, on in enabled.items() if on}


def click(world: World, name: str) -> World:
    """One action; what it changes of spec and of status arrives as two writes, and a pass may come between."""
    assert name in buttons(world.rollout), f"{name} is greyed out"
    spec, status = EFFECTS[name](world.rollout)
    if name == "restart":
        spec = {"restartAt": world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")}
    if spec:
        world.edit({"spec": spec})
        world.one_pass()
    if status:
        world.store.put(ROLLOUTS, merged(world.rollout, {"status": status}))
    return world.settle()


Effect = Callable[[Manifest], tuple[Manifest, Manifest]]
EFFECTS: dict[str, Effect] = {
    "restart": lambda _: ({"restartAt": "now"}, {}),
    "resume": lambda m: ({"paused": False} if m["spec"].get("paused") else {}, {"pauseConditions": None}),
    "abort": lambda _: ({}, {"abort": True}),
    "retry": lambda _: ({}, {"abort": None}),
    "pause": lambda _: ({"paused": True}, {}),
    "promote-full": lambda _: ({}, {"promoteFull": True}),
    "skip-current-step": lambda m: ({}, {"pauseConditions": None, "currentStepIndex": m["status"]["currentStepIndex"] + 1}),
}


def test_every_button_of_the_contract_is_here() -> None:
    assert {row["Action"] for row in table("11.3", "Action")} == EFFECTS.keys()


def test_buttons_are_offered_as_a_release_goes_on() -> None:
    world = deployed(rollout(canary=canary(weight(25), pause(), weight(50), pause())))
    assert buttons(world.rollout) == {"restart"} and health(world.rollout) == "Healthy"
    world.push("web:2").settle()
    under_way = {"restart", "abort", "pause", "promote-full", "skip-current-step"}
    assert buttons(world.rollout) == {*under_way, "resume"} and health(world.rollout) == "Suspended CanaryPauseStep"
    click(world, "abort")
    assert buttons(world.rollout) == {"restart", "retry", "promote-full", "skip-current-step"}
    assert health(world.rollout) == "Degraded RolloutAborted: Rollout aborted update to revision 2"
    click(world, "retry")
    assert health(world.rollout) == "Suspended CanaryPauseStep" and world.status["currentStepIndex"] == 1
    click(world, "resume")
    assert (world.status["currentStepIndex"], world.size("web:2")) == (3, 2)
    click(world, "skip-current-step")
    assert health(world.rollout) == "Healthy" and buttons(world.rollout) == {"restart"}


def test_a_pause_by_button_is_resumed_by_button_whatever_comes_between() -> None:
    world = climbing(weight(25), pause("10m"), weight(50), pause())
    click(world, "pause")
    assert health(world.rollout) == "Suspended manually paused"
    click(world, "resume")
    assert health(world.rollout) == "Suspended CanaryPauseStep" and not world.rollout["spec"]["paused"]


def test_a_full_promotion_and_a_restart_by_button_come_to_an_end() -> None:
    for world in (climbing(), routed_release(), green(autoPromotionEnabled=False).push("web:2").settle()):
        assert health(click(world, "promote-full").wait(60).rollout) == "Healthy"
        before = {pod["metadata"]["uid"] for pod in world.store.list(PODS)}
        click(world, "restart").wait(120)
        after = {pod["metadata"]["uid"] for pod in world.store.list(PODS)}
        assert health(world.rollout) == "Healthy" and not before & after


def test_a_new_spec_is_progressing_until_it_is_observed() -> None:
    world = deployed(rollout(canary=canary(weight(25), pause())))
    world.push("web:2")
    assert health(world.rollout).startswith("Progressing waiting for rollout spec update")
    assert health(world.settle().rollout) == "Suspended CanaryPauseStep"


@pytest.mark.parametrize("strategy", ["canary", "blueGreen"])
def test_no_step_index_is_there_without_steps_and_one_is_with_them(strategy: str) -> None:
    world = deployed(rollout(canary=canary())) if strategy == "canary" else green()
    assert "currentStepIndex" not in world.push("web:2").settle().status and "skip-current-step" not in buttons(world.rollout)
    assert climbing().status["currentStepIndex"] == 1


# ---- the plugin's patches that do not go through our verbs ----


def patched(world: World, kind: Any, name: str, patch: Manifest) -> World:
    found = world.store.get(kind, NAMESPACE, name)
    world.store.put(kind, merged(found, patch))
    return world.settle()


def test_an_experiment_whose_status_is_taken_away_runs_again() -> None:
    world = climbing(tried(duration="5m"), pause())
    name = current(world)
    patched(world, EXPERIMENTS, name, {"status": None})
    assert experiments(world)[name]["status"]["phase"] == "Running" and world.status["currentStepIndex"] == 0
    says(world, name, "Successful")
    assert world.status["currentStepIndex"] == 1


def test_a_run_and_an_experiment_that_are_told_to_end_do() -> None:
    world = climbing(weight(25), tried(duration="5m"), pause())
    name = current(world)
    patched(world, EXPERIMENTS, name, {"spec": {"terminate": True}})
    assert experiments(world)[name]["status"]["phase"] == "Successful"
    other = climbing(weight(25), measured(), pause())
    [run] = other.runs
    patched(other, ANALYSIS_RUNS, run, {"spec": {"terminate": True}})
    assert other.runs[run]["spec"]["terminate"] is True
    assert other.end_run(run, "Successful").settle().status["currentStepIndex"] == 2


def test_one_gesture_goes_on_after_an_inconclusive_run() -> None:
    """The plugin's `promote` on a step whose run was inconclusive: pauses, the controller's word and the index in one patch."""
    world = climbing(weight(25), measured(), weight(50), pause())
    [run] = world.runs
    world.end_run(run, "Inconclusive").settle()
    assert world.phase == "Paused InconclusiveAnalysisRun"
    world.press(pauseConditions=None, controllerPause=False, currentStepIndex=2).settle()
    assert (world.status["currentStepIndex"], world.phase) == (3, "Paused CanaryPauseStep")


def test_the_deprecated_jumps_land_on_their_step() -> None:
    assert climbing().press(currentStepIndex=2).settle().status["currentStepIndex"] == 3
    assert climbing().press(currentStepIndex=4).settle().phase == "Healthy"


# ---- autoscalers ----


def test_an_autoscaler_of_blue_green_counts_the_pods_that_serve_and_not_the_preview() -> None:
    world = green(autoPromotionEnabled=False, prePromotionAnalysis=analysis()).push("web:2").settle()
    active = next(r for r in world.replica_sets if r.hash == world.status["blueGreen"]["activeSelector"])
    assert world.status["HPAReplicas"] == active.spec == 4 and sum(r.spec for r in world.replica_sets) == 8
    assert f"rollouts-pod-template-hash={active.hash}" in world.status["selector"].split(",")


def test_an_autoscaler_of_a_canary_counts_both_sides() -> None:
    world = climbing()
    assert world.status["HPAReplicas"] == sum(r.actual for r in world.replica_sets) and world.status["selector"] == "app=web"
    world.edit({"spec": {"replicas": 8}}).settle()
    assert world.status["HPAReplicas"] == 8 and world.phase == "Paused CanaryPauseStep"
