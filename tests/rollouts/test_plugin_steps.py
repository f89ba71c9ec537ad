"""Steps that a plug-in carries out: asked when due, taken back on an abort, ended when nothing waits for them (contract 4.3)."""

from datetime import timedelta
from typing import Any

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.kernel.resources import ROLLOUTS, SERVICES, VIRTUAL_SERVICES
from reconciler.kube.errors import Conflict
from reconciler.rollouts.plugin import StepAnswer, StepCall, StepPhase, SwitchedOff, Unanswered
from tests.kit.rollouts import canary, pause, rollout, service, virtual_service, weight
from tests.kit.stepplugins import NAME, ScriptedPlugins, done, plugin_step, running
from tests.kit.world import World

INCONCLUSIVE = {"reason": "InconclusiveAnalysisRun", "startTime": "2030-01-01T12:00:02Z"}
FAILED = StepAnswer(phase=StepPhase.FAILED, message="too slow")


def started(plugins: ScriptedPlugins, *steps: Manifest, push: bool = True, **spec: Any) -> World:
    """A routed canary on its first version, and the second pushed."""
    others = (SERVICES, service("web-stable")), (SERVICES, service("web-canary")), (VIRTUAL_SERVICES, virtual_service())
    world = World(rollout(canary=canary(*steps, istio=True), **spec), *others, plugins=plugins).settle()
    assert world.phase == "Healthy"
    return world.push("web:2").settle() if push else world


def entries(world: World) -> list[Manifest]:
    found: list[Manifest] = world.status["canary"].get("stepPluginStatuses") or []
    return found


def told(world: World, reason: str) -> list[str]:
    return [event["message"] for event in world.store.events if event["reason"] == reason]


def test_a_plugin_is_run_until_it_says_that_it_is_done() -> None:
    plugins = ScriptedPlugins(running({"id": 7}, "half way"), done({"id": 7}, "fine"))
    world = started(plugins, weight(20), plugin_step(users=3), weight(50), pause())
    (entry,) = entries(world)
    assert entry == {
        "index": 1, "name": NAME, "operation": "Run", "phase": "Running", "message": "half way", "backoff": "30s", "executions": 1,
        "startedAt": "2030-01-01T12:00:01Z", "updatedAt": "2030-01-01T12:00:01Z", "status": {"id": 7},
    }  # fmt: skip
    assert (world.status["currentStepIndex"], world.weight, world.wake_at) == (1, 20, world.clock.time + timedelta(seconds=35))
    world.wait(34)
    assert len(plugins.calls) == 1
    world.wait(1)
    (entry,) = entries(world)
    assert (entry["phase"], entry["executions"], entry.get("backoff")) == ("Successful", 2, None)
    assert entry["finishedAt"] == "2030-01-01T12:00:36Z"
    assert entry["startedAt"] == "2030-01-01T12:00:01Z"
    assert (plugins.calls[1].config, plugins.calls[1].status) == ({"users": 3}, {"id": 7})
    assert (world.status["currentStepIndex"], world.weight) == (3, 50)
    assert told(world, "StepPluginTransition") == [f"Step Plugin 2 ({NAME}) run: Running"]
    assert f"Rollout step 2/4 completed (plugin: {NAME})" in told(world, "RolloutStepCompleted")


def test_a_plugin_meets_the_traffic_that_the_step_before_promised() -> None:
    plugins = ScriptedPlugins(done())
    seen: list[int] = []
    world = started(plugins, weight(20), plugin_step(), pause(), push=False)
    plugins.before = lambda _call: seen.append(world.weight)
    world.push("web:2").settle()
    assert seen == [20]


def test_a_plugin_is_not_asked_before_a_route_that_was_moved_by_hand_is_put_right() -> None:
    plugins = ScriptedPlugins(running(), done())
    world = started(plugins, weight(20), plugin_step(), pause())
    seen: list[int] = []
    plugins.before = lambda _call: seen.append(world.weight)
    moved = virtual_service()
    moved["spec"]["http"][0]["route"] = [{**route, "weight": 50} for route in moved["spec"]["http"][0]["route"]]
    world.store.put(VIRTUAL_SERVICES, moved)
    world.clock.time += timedelta(seconds=40)
    world.settle()
    assert seen == [20]


@pytest.mark.parametrize(("asked", "backoff"), [(None, "30s"), (3, "30s"), (10, "30s"), (11, "11s"), (90, "1m30s")])
def test_a_plugin_says_when_to_look_again_but_not_too_soon(asked: float | None, backoff: str) -> None:
    world = started(ScriptedPlugins(running(seconds=asked)), plugin_step(), pause())
    assert entries(world)[0]["backoff"] == backoff


def test_after_an_error_it_is_asked_again_with_what_it_said_before() -> None:
    error = StepAnswer(phase=StepPhase.ERROR, message="no route to host", status="lost")
    plugins = ScriptedPlugins(running("first"), error, done())
    world = started(plugins, plugin_step(), pause()).wait(35)
    (entry,) = entries(world)
    assert (entry["phase"], entry["message"], entry["status"], entry["backoff"]) == ("Error", "no route to host", "first", "30s")
    assert world.phase.startswith("Progressing")
    world.wait(35)
    assert plugins.calls[2].status == "first"
    assert world.phase == "Paused CanaryPauseStep"


def test_a_failure_brings_the_canary_home_and_takes_back_what_plugins_did_the_last_first() -> None:
    plugins = ScriptedPlugins(done("a"), done("b"), FAILED)
    world = started(plugins, plugin_step(), weight(20), plugin_step(), plugin_step(), pause())
    message = f"Step Plugin 4 ({NAME}) failed: too slow"
    assert world.phase == f"Degraded RolloutAborted: Rollout aborted update to revision 2: {message}"
    assert (world.weight, world.status["currentStepIndex"]) == (0, 0)
    assert plugins.said == [("Run", 0), ("Run", 2), ("Run", 3), ("Abort", 2), ("Abort", 0)]
    assert [call.status for call in plugins.calls[3:]] == ["b", "a"]
    taken_back = [(e["index"], e["phase"]) for e in entries(world) if e["operation"] == "Abort"]
    assert taken_back == [(2, "Successful"), (0, "Successful")]
    world.wait(600)
    assert len(plugins.calls) == 5


def test_a_retry_runs_every_plugin_again() -> None:
    plugins = ScriptedPlugins(FAILED, running())
    world = started(plugins, plugin_step(), pause())
    first = plugins.calls[0].key
    world.wait(5).press(abort=False).settle()
    assert plugins.said == [("Run", 0), ("Run", 0)]
    assert (plugins.calls[1].status, [e["executions"] for e in entries(world)]) == (None, [1])
    assert plugins.calls[1].key != first


def test_what_goes_on_after_it_was_told_to_end_has_failed_to() -> None:
    plugins = ScriptedPlugins(running(), ends=running(message="not yet"))
    world = started(plugins, plugin_step(), pause()).press(abort=True).settle()
    assert [(e["operation"], e["phase"], e["message"]) for e in entries(world)[1:]] == [("Abort", "Failed", "not yet")]
    assert told(world, "StepPluginTransition")[-1] == f"Step Plugin 1 ({NAME}) abort: Failed"


def test_a_full_promotion_ends_what_still_runs_and_nothing_else() -> None:
    plugins = ScriptedPlugins(done(), running())
    world = started(plugins, plugin_step(), plugin_step(), pause()).press(promoteFull=True).settle()
    assert plugins.said == [("Run", 0), ("Run", 1), ("Terminate", 1)]
    assert world.phase == "Healthy"
    world.wait(3600)
    assert len(plugins.calls) == 3


def test_a_person_skips_a_plugin_and_what_still_runs_ends_with_the_promotion() -> None:
    plugins = ScriptedPlugins(running())
    world = started(plugins, plugin_step(), pause()).press(pauseConditions=None, currentStepIndex=1).settle()
    assert (world.phase, plugins.said) == ("Paused CanaryPauseStep", [("Run", 0)])
    world.press(pauseConditions=None).settle()
    assert (world.phase, plugins.said) == ("Healthy", [("Run", 0), ("Terminate", 0)])


@pytest.mark.parametrize("hold", [{"spec": {"paused": True}}, {"status": {"pauseConditions": [INCONCLUSIVE], "controllerPause": True}}])
def test_nothing_is_run_while_the_rollout_waits_for_a_person(hold: Manifest) -> None:
    plugins = ScriptedPlugins(running(), done())
    started(plugins, plugin_step(), pause()).edit(hold).wait(600)
    assert len(plugins.calls) == 1


@pytest.mark.parametrize("replicas", [4, 0])
def test_a_first_deployment_runs_none(replicas: int) -> None:
    plugins = ScriptedPlugins(done())
    started(plugins, plugin_step(), push=False, replicas=replicas)
    assert plugins.calls == []


def test_what_is_done_is_not_done_again() -> None:
    plugins = ScriptedPlugins(running())
    world = started(plugins, plugin_step(), pause())
    world.press(canary={"stepPluginStatuses": [{**entries(world)[0], "phase": "Successful", "backoff": ""}]}).wait(60)
    assert (world.phase, len(plugins.calls)) == ("Paused CanaryPauseStep", 1)


def test_a_new_version_begins_afresh() -> None:
    plugins = ScriptedPlugins(running("old"), running("new"))
    world = started(plugins, plugin_step(), pause()).push("web:3").settle()
    assert [(call.status, call.key) for call in plugins.calls][1][0] is None
    assert [entry["status"] for entry in entries(world)] == ["new"]


def test_a_plugin_that_is_switched_off_is_passed_over() -> None:
    world = started(ScriptedPlugins(SwitchedOff()), plugin_step(), pause())
    assert world.phase == "Paused CanaryPauseStep"
    assert entries(world) == [{"index": 0, "name": NAME, "operation": "Run", "phase": "Successful", "disabled": True}]
    assert world.press(abort=True).settle().phase.startswith("Degraded") and len(entries(world)) == 1


def test_one_that_cannot_be_asked_holds_the_step_and_says_so() -> None:
    plugins = ScriptedPlugins(Unanswered("it is not installed"), done())
    world = started(plugins, weight(20), plugin_step(), pause())
    assert (world.phase.split()[0], world.weight, world.status["currentStepIndex"], entries(world)) == ("Progressing", 20, 1, [])
    assert told(world, "ReconciliationError")[0] == f"Step Plugin 2 ({NAME}) cannot run: it is not installed"
    world.wait(40)
    assert world.phase == "Paused CanaryPauseStep"


def test_one_that_cannot_be_asked_to_take_back_is_asked_again() -> None:
    plugins = ScriptedPlugins(running(), ends=Unanswered("away"))
    world = started(plugins, plugin_step(), pause()).press(abort=True).settle()
    assert [e["operation"] for e in entries(world)] == ["Run"]
    plugins.ends = done()
    world.wait(40)
    assert [e["operation"] for e in entries(world)] == ["Run", "Abort"]


def test_a_plugin_at_work_takes_as_long_as_it_takes_and_one_that_errs_does_not() -> None:
    spec = {"progressDeadlineSeconds": 60, "progressDeadlineAbort": True}
    assert started(ScriptedPlugins(running()), plugin_step(), pause(), **spec).wait(600).phase.startswith("Progressing")
    error = StepAnswer(phase=StepPhase.ERROR, message="away")
    plugins = ScriptedPlugins(error)
    world = started(plugins, plugin_step(), pause(), **spec).wait(600)
    assert world.phase.startswith("Degraded RolloutAborted") and "timed out progressing" in world.phase


def test_out_of_time_it_is_still_asked() -> None:
    plugins = ScriptedPlugins(StepAnswer(phase=StepPhase.ERROR))
    world = started(plugins, plugin_step(), pause(), progressDeadlineSeconds=60).wait(100)
    assert world.phase.startswith("Degraded ProgressDeadlineExceeded")
    plugins.answers = [done()]
    assert world.wait(60).phase == "Paused CanaryPauseStep"


def test_an_answer_that_is_lost_on_its_way_to_the_status_is_asked_for_again_under_the_same_name() -> None:
    plugins = ScriptedPlugins(running("mine"))
    world = started(plugins, plugin_step(), pause(), push=False)
    lost: list[str] = []

    def lose(write: str) -> None:
        if plugins.calls and not lost and write.startswith("patch Rollout"):
            lost.append(write)
            raise Conflict(409, "Conflict", "changed")

    world.store.before_write = lose
    world.push("web:2").settle().settle()
    assert lost and plugins.said == [("Run", 0), ("Run", 0)]
    assert plugins.calls[0].key == plugins.calls[1].key and len(entries(world)) == 1


def test_an_abort_pressed_during_a_call_wins() -> None:
    plugins = ScriptedPlugins(done())
    world = started(plugins, plugin_step(), pause(), push=False)

    def press(call: StepCall) -> None:
        if call.operation == "Run":
            world.press(abort=True)

    plugins.before = press
    world.push("web:2").settle()
    assert world.phase.startswith("Degraded RolloutAborted")


def test_entries_of_the_reference_are_taken_up() -> None:
    plugins = ScriptedPlugins(done())
    world = started(plugins, plugin_step(), pause(), push=False)
    world.edit({"spec": {"paused": True}}).push("web:2").settle()
    former = {
        "index": 0, "name": NAME, "operation": "Run", "phase": "Running", "backoff": "1m0s", "executions": 4, "status": {"id": 1},
        "startedAt": "2030-01-01T11:00:00Z", "updatedAt": "2030-01-01T12:00:00Z",
    }  # fmt: skip
    world.press(canary={"stepPluginStatuses": [former]}).edit({"spec": {"paused": False}}).settle()
    assert plugins.calls == []
    world.wait(70)
    assert (plugins.calls[0].status, entries(world)[0]["executions"]) == ({"id": 1}, 5)


@pytest.mark.parametrize("backoff", ["soon", "999999999h", ""])
def test_a_backoff_that_is_none_ends_after_a_while(backoff: str) -> None:
    plugins = ScriptedPlugins(running(), done())
    world = started(plugins, plugin_step(), pause())
    world.press(canary={"stepPluginStatuses": [{**entries(world)[0], "backoff": backoff}]}).settle().wait(60)
    assert len(plugins.calls) == 2


def test_a_plugin_without_a_name_is_invalid() -> None:
    world = World(rollout(canary=canary({"plugin": {"config": 1}}))).settle()
    assert "spec.strategy.steps[0].plugin.name: Required value" in world.phase
    assert world.store.get(ROLLOUTS, "shop", "web")
