"""Whole stories of canaries without a router: C1, C2, and the edge cases of section 13 that belong to them."""

from tests.kit.rollouts import canary, pause, rollout, weight
from tests.kit.world import World, deployed

STEPS = (weight(20), pause(), weight(60), pause("10s"))


def climbing(**spec: object) -> World:
    """Five pods, the second version waiting at its first pause."""
    return deployed(rollout(replicas=5, canary=canary(*STEPS), **spec)).push("web:2").settle()


def test_the_first_deployment_skips_every_step() -> None:
    world = deployed(rollout(replicas=5, canary=canary(*STEPS)))
    assert world.status["currentStepIndex"] == 4
    assert world.status["stableRS"] == world.status["currentPodHash"]
    assert world.status["observedGeneration"] == "1"


def test_the_first_deployment_is_stable_before_any_pod_is_ready() -> None:
    world = World(rollout(replicas=5, canary=canary(*STEPS))).breaks("web:1").settle()
    assert world.status["stableRS"] == world.status["currentPodHash"] != ""
    assert world.phase == "Progressing updated replicas are still becoming available"


def test_a_new_image_waits_at_the_first_pause() -> None:
    world = climbing()
    assert world.phase == "Paused CanaryPauseStep"
    assert (world.size("web:1"), world.size("web:2"), world.status["currentStepIndex"]) == (4, 1, 1)
    assert world.status["controllerPause"] is True


def test_a_resume_climbs_to_the_next_pause_and_time_finishes_it() -> None:
    world = climbing().press(pauseConditions=None).settle()
    assert (world.size("web:1"), world.size("web:2"), world.status["currentStepIndex"]) == (2, 3, 3)
    world.wait(9)
    assert world.phase == "Paused CanaryPauseStep"
    world.wait(2)
    assert world.phase == "Healthy"
    assert (world.size("web:1"), world.size("web:2"), world.status["currentStepIndex"]) == (0, 5, 4)
    assert "pauseConditions" not in world.status and "controllerPause" not in world.status


def test_an_abort_brings_everybody_home_and_a_retry_starts_again() -> None:
    world = climbing().press(abort=True).settle()
    assert world.phase == "Degraded RolloutAborted: Rollout aborted update to revision 2"
    assert (world.size("web:1"), world.size("web:2"), world.status["currentStepIndex"]) == (5, 0, 0)
    assert world.status["abortedAt"]
    world.press(abort=False).settle()
    assert (world.size("web:1"), world.size("web:2")) == (4, 1)
    assert world.phase == "Paused CanaryPauseStep"
    assert "abortedAt" not in world.status


def test_a_retry_that_removes_the_abort_is_a_retry_too() -> None:
    world = climbing().press(abort=True).settle().press(abort=None).settle()
    assert world.phase == "Paused CanaryPauseStep"


def test_the_old_template_during_an_update_skips_the_steps() -> None:
    world = climbing().push("web:1").settle()
    assert world.phase == "Healthy"
    assert (world.size("web:1"), world.size("web:2"), world.status["currentStepIndex"]) == (5, 0, 4)
    assert "SkipSteps" in world.reasons


def test_a_new_template_lifts_an_abort() -> None:
    world = climbing().press(abort=True).settle().push("web:3").settle()
    assert world.phase == "Paused CanaryPauseStep"
    assert "abort" not in world.status
    assert (world.size("web:1"), world.size("web:2"), world.size("web:3")) == (4, 0, 1)


def test_a_third_version_starts_at_the_bottom_and_the_second_drains() -> None:
    world = climbing().press(pauseConditions=None).settle().push("web:3").settle()
    assert (world.size("web:1"), world.size("web:2"), world.size("web:3")) == (4, 0, 1)
    assert world.status["currentStepIndex"] == 1


def test_steps_changed_at_rest_jump_to_their_end() -> None:
    world = deployed(rollout(replicas=5, canary=canary(*STEPS)))
    world.edit({"spec": {"strategy": {"canary": {"steps": [weight(50), pause()]}}}}).settle()
    assert (world.phase, world.status["currentStepIndex"]) == ("Healthy", 2)
    assert world.reasons.count("NewReplicaSetCreated") == 1


def test_steps_changed_on_the_way_restart_at_the_bottom() -> None:
    world = climbing().press(pauseConditions=None).settle()
    world.edit({"spec": {"strategy": {"canary": {"steps": [weight(40), pause()]}}}}).settle()
    assert (world.size("web:1"), world.size("web:2"), world.status["currentStepIndex"]) == (3, 2, 1)


def test_a_first_pause_means_no_canary_pod() -> None:
    world = deployed(rollout(replicas=4, canary=canary(pause(), weight(50)))).push("web:2").settle()
    assert (world.size("web:1"), world.size("web:2")) == (4, 0)
    assert world.phase == "Paused CanaryPauseStep"


def test_full_promotion_skips_what_is_left() -> None:
    world = climbing().press(promoteFull=True).settle()
    assert (world.phase, world.size("web:2"), world.size("web:1")) == ("Healthy", 5, 0)
    assert "promoteFull" not in world.status
    assert world.status["duration"]["completionStatus"] == "FastPromoted"


def test_a_promoted_index_skips_the_current_step() -> None:
    world = climbing().press(pauseConditions=None, currentStepIndex=2).settle()
    assert (world.size("web:2"), world.status["currentStepIndex"]) == (3, 3)


def test_a_person_pauses_a_canary_and_nothing_scales() -> None:
    world = climbing().edit({"spec": {"paused": True}}).settle()
    assert world.phase == "Paused manually paused"
    world.press(pauseConditions=None).settle()
    assert (world.size("web:1"), world.size("web:2"), world.status["currentStepIndex"]) == (4, 1, 1)


def test_more_replicas_at_a_pause_keep_the_share() -> None:
    steps = (weight(50), pause())
    world = deployed(rollout(replicas=4, canary=canary(*steps))).push("web:2").settle()
    world.edit({"spec": {"replicas": 8}}).settle()
    assert (world.size("web:1"), world.size("web:2")) == (4, 4)
    assert world.phase == "Paused CanaryPauseStep"


def test_more_replicas_while_a_person_paused_change_nothing() -> None:
    world = climbing().edit({"spec": {"paused": True, "replicas": 10}}).settle()
    assert (world.size("web:1"), world.size("web:2")) == (4, 1)
    world.edit({"spec": {"paused": False}}).settle()
    assert (world.size("web:1"), world.size("web:2")) == (8, 2)


def test_more_canary_pods_than_replicas_still_promote() -> None:
    world = deployed(rollout(replicas=8, canary=canary(weight(100), pause()))).push("web:2").settle()
    world.edit({"spec": {"replicas": 4}})
    world.press(pauseConditions=None).settle()
    assert (world.phase, world.size("web:2")) == ("Healthy", 4)


def test_without_steps_the_update_just_rolls() -> None:
    world = deployed(rollout(replicas=4, canary=canary(maxSurge=1, maxUnavailable=0))).push("web:2").settle()
    assert world.phase == "Healthy"
    assert "currentStepIndex" not in world.status
    assert world.sizes[:5] == [(4, 0), (4, 1), (3, 1), (3, 2), (2, 2)]


def test_the_trajectory_is_the_contracts_row_26() -> None:
    world = deployed(rollout(replicas=10, canary=canary(weight(50), pause(), maxSurge=2, maxUnavailable=1))).push("web:2").settle()
    assert world.sizes == [(10, 0), (9, 0), (9, 3), (6, 3), (6, 5), (5, 5)]


def test_a_stable_replica_set_removed_by_hand_promotes_the_new_one() -> None:
    world = climbing()
    old = world.replica_set("web:1")
    from reconciler.kernel.resources import REPLICA_SETS

    world.store.remove(REPLICA_SETS, "shop", old.name)
    world.settle()
    assert (world.phase, world.size("web:2")) == ("Healthy", 5)


def test_a_second_abort_keeps_the_first_message() -> None:
    world = climbing().press(abort=True).settle()
    before = world.condition("Progressing")
    world.wait(60)
    assert world.condition("Progressing") == before


def test_no_replicas_at_all_is_healthy() -> None:
    world = deployed(rollout(replicas=0, canary=canary(*STEPS))).push("web:2").settle()
    assert world.phase == "Paused CanaryPauseStep" or world.phase == "Healthy"
    world.press(pauseConditions=None).settle().wait(11)
    assert world.phase == "Healthy"


def test_at_rest_another_pass_writes_nothing() -> None:
    world = climbing()
    mark = len(world.store.writes)
    for _ in range(3):
        world.one_pass()
    assert world.since(mark) == []


def test_a_stuck_canary_is_late_after_its_deadline_and_goes_on_trying() -> None:
    world = deployed(rollout(replicas=5, canary=canary(*STEPS), progressDeadlineSeconds=60)).breaks("web:2").push("web:2").settle()
    assert world.phase.startswith("Progressing")
    world.wait(62)
    assert world.phase.startswith('Degraded ProgressDeadlineExceeded: ReplicaSet "web-')
    world.breaks("web:2", ready=True).settle()
    assert world.phase == "Paused CanaryPauseStep"


def test_a_stuck_canary_aborts_where_the_spec_asks_for_it() -> None:
    spec = rollout(replicas=5, canary=canary(*STEPS), progressDeadlineSeconds=60, progressDeadlineAbort=True)
    world = deployed(spec).breaks("web:2").push("web:2").settle().wait(62)
    assert world.status["abort"] is True
    assert world.phase.startswith("Degraded RolloutAborted: Rollout aborted update to revision 2: ReplicaSet")
    assert world.size("web:1") == 5


def test_a_pause_never_runs_out_of_time() -> None:
    world = climbing(progressDeadlineSeconds=60).wait(3600)
    assert world.phase == "Paused CanaryPauseStep"


def test_a_created_and_paused_rollout_has_no_pods_but_a_stable_version() -> None:
    world = World(rollout(replicas=5, paused=True, canary=canary(*STEPS))).settle()
    assert world.size("web:1") == 0
    assert world.status["stableRS"] == world.status["currentPodHash"]
    assert world.phase == "Paused manually paused"
