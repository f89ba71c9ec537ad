"""Every literal that clients match on is said, letter by letter, by a rollout that comes into that state (contract 3.4, 3.5, 3.9)."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from reconciler.kernel.resources import REPLICA_SETS, ROLLOUTS
from reconciler.kube.errors import Refused
from tests.kit.adoption import unreadable
from tests.kit.edges import behind_istio, climbing, green, routed_release
from tests.kit.experiments import tried
from tests.kit.rollouts import analysis, canary, measured, pause, rollout, weight
from tests.kit.store import merged
from tests.kit.tables import CONTRACT, Row, table
from tests.kit.world import World, deployed
from tests.rollouts.traffic.test_targets import Aws, bound
from tests.rollouts.traffic.test_targets import green as behind_aws

DEADLINE = {"progressDeadlineSeconds": 60}


# ---- rollouts that come into every state ----


def climbs_falls_and_climbs() -> World:
    world = climbing(weight(25), pause("10s"), weight(50), pause())
    world.edit({"spec": {"paused": True}}).settle().edit({"spec": {"paused": False}}).settle()
    world.press(abort=True).settle().press(abort=False).settle().press(pauseConditions=None).settle()
    return world.press(promoteFull=True).settle()


def loses_a_pod() -> World:
    world = deployed(rollout(canary=canary(), **DEADLINE)).breaks("web:1").settle().wait(62)
    return world.breaks("web:1", ready=True).settle()


def is_measured(phase: str) -> World:
    world = climbing(weight(25), measured(), pause())
    [name] = world.runs
    world.end_run(name, "Running").settle()
    return world.end_run(name, phase, "m").settle()


def is_tried_out() -> World:
    world = climbing(tried(duration="5m"), pause()).wait(301)
    return world.press(pauseConditions=None).settle()


def is_blue_green() -> World:
    world = green(autoPromotionEnabled=False, postPromotionAnalysis=analysis()).breaks("web:2").push("web:2").settle()
    world.breaks("web:2", ready=True).settle().press(pauseConditions=None).settle()
    [name] = world.runs
    world.end_run(name, "Running").settle()
    world.end_run(name, "Successful").settle()
    return world.push("web:1").settle()


def is_measured_before_it_is_known() -> World:
    """The pass that made the run died before its status: the run speaks first."""
    world = climbing(weight(25), measured(), pause())
    [name] = world.runs
    return world.press(canary={"currentStepAnalysisRunStatus": None}).end_run(name, "Running").settle()


def is_invalid_and_mended() -> World:
    world = deployed(rollout(canary=canary(weight(25), pause())))
    world.edit({"spec": {"strategy": {"canary": {"steps": [weight(120)]}}}}).settle()
    return world.edit({"spec": {"strategy": {"canary": {"steps": [weight(20)]}}}}).settle()


def is_refused() -> World:
    world = deployed(rollout(canary=canary()))

    def refuse(write: str) -> None:
        if write.startswith("create ReplicaSet"):
            raise Refused(422, "Invalid", "admission webhook denied it")

    world.store.before_write = refuse
    world.push("web:2").kubelet()
    world.one_pass()
    world.statuses.append(world.status)
    return world


def is_found() -> World:
    world = deployed(rollout(canary=canary()))
    world.store.put(ROLLOUTS, merged(world.rollout, {"status": {"conditions": None}}))
    return world.settle()


def restarts() -> World:
    return deployed(rollout(canary=canary())).edit({"spec": {"restartAt": "2030-01-01T12:00:30Z"}}).settle().wait(120)


def fails_to_make_pods() -> World:
    world = climbing()
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "quota"}
    manifest = world.replica_set("web:2").manifest
    world.store.put(REPLICA_SETS, merged(manifest, {"status": {"conditions": [failure]}}))
    world.one_pass()
    return world


def goes_back_in_time() -> World:
    world = behind_istio(weight(25), pause())
    world.edit({"spec": {"rollbackWindow": {"revisions": 2}}}).push("web:2").settle().press(pauseConditions=None).settle()
    world.push("web:1").settle()
    return world.push("web:1").settle()


def stands_behind_istio() -> World:
    return routed_release().push("web:1").settle().wait(60)


def waits_for_a_load_balancer() -> World:
    """Users are switched, and AWS does not know the pods yet (contract 5.9)."""
    return behind_aws(Aws({"10.0.0.1:8080"}), *bound("active", "10.0.0.1", "10.0.0.2"))


SCENES: tuple[Callable[[], World], ...] = (
    waits_for_a_load_balancer,
    climbs_falls_and_climbs,
    loses_a_pod,
    *((lambda phase=phase: is_measured(phase)) for phase in ("Successful", "Failed", "Error", "Inconclusive")),
    is_tried_out,
    is_blue_green,
    is_measured_before_it_is_known,
    is_invalid_and_mended,
    is_refused,
    is_found,
    restarts,
    fails_to_make_pods,
    goes_back_in_time,
    stands_behind_istio,
)


@cache
def played() -> tuple[World, ...]:
    return tuple(scene() for scene in SCENES)


def statuses() -> Iterator[dict[str, Any]]:
    for world in played():
        yield from world.statuses


@cache
def phases() -> frozenset[tuple[str, str]]:
    return frozenset((status.get("phase", ""), status.get("message", "")) for status in statuses())


@cache
def conditions() -> frozenset[tuple[str, str, str, str]]:
    found = (c for status in statuses() for c in status.get("conditions") or ())
    return frozenset((c["type"], c["status"], c["reason"], c["message"]) for c in found)


@cache
def events() -> frozenset[tuple[str, str, str]]:
    return frozenset((event["type"], event["reason"], event["message"]) for world in played() for event in world.store.events)


# ---- what the contract says ----


def literal(text: str) -> re.Pattern[str]:
    """A text of the contract as a pattern: what stands in angle brackets, and letters that stand for numbers, may be anything."""
    parts = re.split(r"(<[^>]+>)", text)
    return re.compile("".join(".+" if part.startswith("<") else re.escape(part) for part in parts))


def in_code(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


PHASE_ROWS = [row for row in table("3.4", "#") if in_code(row["message"])]
CONDITION_ROWS = [row for row in table("3.5", "type") if in_code(row["message"])]


@pytest.mark.parametrize("row", PHASE_ROWS, ids=lambda row: re.sub("<[^>]*>", "", row["#"]))
def test_every_phase_is_said_as_it_stands_there(row: Row) -> None:
    wanted = literal(in_code(row["message"])[0])
    assert any(phase == row["phase"] and wanted.fullmatch(message) for phase, message in phases()), sorted(phases())


def test_a_healthy_rollout_says_nothing_more() -> None:
    assert ("Healthy", "") in phases()


@pytest.mark.parametrize("row", CONDITION_ROWS, ids=lambda row: f"{row['type']}-{row['status']}-{row['reason']}"[:60])
def test_every_condition_is_said_as_it_stands_there(row: Row) -> None:
    texts = [text for text in in_code(row["message"]) if not text.startswith(": ")]
    values, reasons = row["status"].split("/"), in_code(row["reason"])
    for place in range(max(len(texts), len(values), len(reasons))):
        value, reason, text = (words[min(place, len(words) - 1)] for words in (values, reasons, texts))
        said = [message for *known, message in conditions() if known == [row["type"], value, reason]]
        assert any(literal(text).match(message) for message in said), (value, reason, text, said)


EVENTS = (
    ("Normal", "RolloutAddedToInformer", "Rollout resource added to informer: shop/web"),
    ("Normal", "RolloutUpdated", "Rollout updated to revision 2"),
    ("Normal", "NewReplicaSetCreated", "Created ReplicaSet <name> (revision 2)"),
    ("Warning", "ReplicaSetCreateError", 'Failed to create new replica set "<name>": <why>'),
    ("Normal", "ScalingReplicaSet", "Scaled up ReplicaSet <name> (revision 2) from 0 to 1"),
    ("Normal", "ScalingReplicaSet", "Scaled down ReplicaSet <name> (revision 1) from 4 to 3"),
    ("Normal", "RolloutStepCompleted", "Rollout step 1/4 completed (setWeight: 25)"),
    ("Normal", "RolloutStepCompleted", "Rollout step 2/4 completed (pause: 10s)"),
    ("Normal", "RolloutCompleted", "Rollout completed update to revision 1 (<hash>): Initial deploy"),
    ("Normal", "RolloutCompleted", "Rollout completed update to revision 2 (<hash>): Full promotion requested"),
    ("Normal", "RolloutCompleted", "Rollout completed update to revision 2 (<hash>): Completed all 2 canary steps"),
    ("Normal", "RolloutCompleted", "Rollout completed update to revision 2 (<hash>): Completed blue-green update"),
    ("Normal", "RolloutCompleted", "Rollout completed update to revision 3 (<hash>): Rollback within window"),
    ("Normal", "RolloutCompleted", "Rollout completed update to revision 3 (<hash>): Fast rollback"),
    ("Normal", "RolloutNotCompleted", "Rollout not completed, started update to revision 2 (<hash>)"),
    ("Warning", "RolloutAborted", "Rollout aborted update to revision 2"),
    ("Warning", "RolloutAborted", "Rollout aborted update to revision 2: Step-based analysis phase error/failed: m"),
    ("Normal", "RolloutPaused", "Rollout is paused (CanaryPauseStep)"),
    ("Normal", "RolloutPaused", "Rollout is paused (BlueGreenPause)"),
    ("Normal", "RolloutPaused", "Rollout is paused (InconclusiveAnalysisRun)"),
    ("Normal", "RolloutResumed", "Rollout is resumed"),
    ("Normal", "SkipSteps", "Rollback to stable ReplicaSets"),
    ("Normal", "SkipSteps", "Rollback to active ReplicaSets within RollbackWindow"),
    ("Normal", "SwitchService", "Switched selector for service 'active' from '<hash>' to '<hash>'"),
    ("Normal", "TrafficWeightUpdated", "Traffic weight updated to 0"),
    ("Normal", "TrafficWeightUpdated", "Traffic weight updated from 0 to 25"),
    ("Normal", "AnalysisRunRunning", "Step Analysis Run '<name>' Status New: 'Running' Previous: 'NoPreviousStatus'"),
    ("Normal", "AnalysisRunSuccessful", "Step Analysis Run '<name>' Status New: 'Successful' Previous: 'Running'"),
    ("Warning", "AnalysisRunFailed", "Step Analysis Run '<name>' Status New: 'Failed' Previous: 'Running'"),
    ("Warning", "AnalysisRunError", "Step Analysis Run '<name>' Status New: 'Error' Previous: 'Running'"),
    ("Normal", "AnalysisRunInconclusive", "Step Analysis Run '<name>' Status New: 'Inconclusive' Previous: 'Running'"),
    ("Normal", "ExperimentCreated", "<text>"),
)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: f"{event[1]} {event[2][:40]}")
def test_every_event_is_told_as_it_stands_there(event: tuple[str, str, str]) -> None:
    kind, reason, text = event
    said = [found for found in events() if found[:2] == (kind, reason)]
    assert any(literal(text).fullmatch(message) for *_, message in said), said or sorted({found[:2] for found in events()})


ELSEWHERE = {
    "TrafficRoutingError": "test_a_router_in_trouble_is_told_and_ends_the_pass_without_a_status",
    "WeightVerifyError": "test_an_aws_that_cannot_be_asked_is_told_and_confirms_nothing",
    "TargetGroupUnverified": "test_users_are_switched_and_nothing_is_promoted_until_every_pod_is_registered",
    "TargetGroupVerifyError": "test_what_cannot_be_known_keeps_the_old_pods_and_is_told",
    "StepPluginTransition": "test_a_plugin_is_run_until_it_says_that_it_is_done",
    "ReconciliationError": "test_one_that_cannot_be_asked_holds_the_step_and_says_so",
}
"""Reasons that come up beside a router, a load balancer or a plug-in, and the test that hears them."""
EVERY_REASON = CONTRACT.read_text(encoding="utf-8").partition("### 3.9 Events")[2].partition("Step text:")[0]
UNTOLD = ("RolloutDeleted", "TargetGroupVerified", "LoadBalancerNotFound")
"""Said on the page of compatibility, "Events that are not told"."""


def test_every_reason_of_the_contract_is_told_shown_elsewhere_or_named_as_untold() -> None:
    reasons = set(re.findall(r"`([A-Z][A-Za-z]+)`", EVERY_REASON)) - {"NoPreviousStatus"}
    assert len(reasons) > 20
    assert reasons == {reason for _, reason, _ in EVENTS if reason in reasons} | ELSEWHERE.keys() | set(UNTOLD)
    page = (CONTRACT.parent / "compatibility.md").read_text(encoding="utf-8")
    untold = page.partition("**Events that are not told.**")[2].partition("\n- ")[0]
    assert [reason for reason in UNTOLD if f"`{reason}`" not in untold] == []


# ---- what is written can be read ----


def test_every_status_of_every_scene_is_one_that_the_references_clients_can_read() -> None:
    """What a client follows without asking is there and of its type, in every state that a rollout comes through."""
    first, whole = [s for s in statuses() if "observedGeneration" not in s], [s for s in statuses() if "observedGeneration" in s]
    assert len(whole) > 50 and [(status, words) for status in whole if (words := list(unreadable(status)))] == []
    assert all([c["type"] for c in status.pop("conditions")] == ["Progressing"] for status in map(dict, first)), "contract 0.2"
    assert all(not any(value for key, value in status.items() if key != "conditions") for status in first)
