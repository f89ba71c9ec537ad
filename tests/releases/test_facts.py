"""Facts about a Rollout, as the judge asks for them."""

from reconciler.releases.facts import ReleaseFacts
from tests.kit.releases import aborted, facts, replica_set, rollout, run


def test_a_rollout_carries_a_release_once_the_rollout_layer_has_seen_it() -> None:
    assert facts().carries("web-bad")
    assert not facts().carries("another")
    unseen = rollout()
    unseen["metadata"]["generation"] = 3
    assert not facts(rollout=unseen).carries("web-bad")


def test_a_template_in_a_deployment_counts_as_seen_by_its_own_generation() -> None:
    borrowed = rollout(workloadObservedGeneration="4")
    assert facts(rollout=borrowed, workload={"metadata": {"generation": 4}}).observed
    assert not facts(rollout=borrowed, workload={"metadata": {"generation": 5}}).observed


def test_a_borrowed_template_is_carried_by_the_rollout_and_by_who_lends_it() -> None:
    borrowed = rollout(workloadObservedGeneration="4")
    lender = {"metadata": {"generation": 4, "annotations": {"reconciler.dev/release": "web-bad"}}}
    assert facts(rollout=borrowed, workload=lender).carries("web-bad")
    assert not facts(rollout=borrowed, workload={"metadata": {"generation": 4}}).carries("web-bad")


def test_promoted_needs_a_hash() -> None:
    assert facts(rollout=rollout(current="h", stable="h")).promoted
    assert not facts(rollout=rollout(current="", stable="")).promoted
    assert not facts().promoted


def test_without_a_rollout_nothing_is_known() -> None:
    empty = ReleaseFacts(rollout=None)
    assert not empty.observed and not empty.carries("web-bad") and not empty.promoted
    assert empty.condition("RolloutAborted") is None


def test_conditions_runs_and_replica_sets_are_found_by_reason_and_hash() -> None:
    known = facts(
        rollout=rollout(**aborted("why")), runs=(run("Failed"), run("Failed", pod_hash="x")), replica_sets=(replica_set("bad22"),)
    )
    condition = known.condition("RolloutAborted")
    assert condition is not None and condition["message"] == "why"
    assert len(known.runs_of("bad22")) == 1
    assert known.replica_set("bad22") is not None and known.replica_set("y") is None
