"""The verdict table of ADR 0011, row by row."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from reconciler.kernel.identity import Manifest
from reconciler.releases.facts import ReleaseFacts
from reconciler.releases.judge import judge
from reconciler.releases.model import ReleasePhase, ReleaseStatus, RestoreState, Verb, Verdict
from reconciler.releases.policy import AfterPromotion, ReleasePolicy
from tests.kit.releases import BAD, GOOD, NOW, aborted, facts, release, rollout, run

POLICY = ReleasePolicy(name="p", namespace="shop")
RUNNING = ReleaseStatus(phase=ReleasePhase.PROGRESSING, pod_hash=BAD)
WATCHED = AfterPromotion(timedelta(minutes=1), {"templates": [{"templateName": "t"}]})


def judged(known: ReleaseFacts, policy: ReleasePolicy = POLICY, status: ReleaseStatus = RUNNING, **spec: object) -> ReleaseStatus:
    return judge(release(status=status, **spec), policy, known, NOW)


def promoted(**status: object) -> Manifest:
    return rollout(current=BAD, stable=BAD, phase="Healthy", **status)


def test_nothing_is_judged_until_the_rollout_carries_the_release() -> None:
    assert judged(facts(rollout=rollout(release="another")), status=ReleaseStatus()) == ReleaseStatus()


def test_a_template_the_rollout_layer_has_not_seen_yet_is_not_judged() -> None:
    assert judged(facts(rollout=rollout(observedGeneration="1")), status=ReleaseStatus()) == ReleaseStatus()


def test_the_pod_hash_is_recorded_as_soon_as_the_rollout_carries_it() -> None:
    status = judged(facts(), status=ReleaseStatus())
    assert (status.phase, status.pod_hash) == (ReleasePhase.PROGRESSING, BAD)


def test_the_first_version_seen_healthy_is_proven_as_baseline() -> None:
    status = judged(facts(rollout=promoted()), baseline=True)
    assert (status.verdict, status.restore) == (Verdict.PASSED, None)


def test_a_first_version_is_never_proven_by_the_pods_of_another() -> None:
    template = {"spec": {"containers": [{"name": "web", "image": "web:1.0"}]}}
    live = promoted()
    other = {**live, "metadata": {**live["metadata"], "annotations": {}}, "spec": {**live["spec"], "template": template}}
    assert judged(facts(rollout=other), status=ReleaseStatus(), baseline=True) == ReleaseStatus()
    template["spec"]["containers"][0]["image"] = "web:1.1"
    assert judged(facts(rollout=other), status=ReleaseStatus(), baseline=True).pod_hash == BAD


def test_a_failed_analysis_is_a_failed_release_with_the_numbers_in_its_reason() -> None:
    known = facts(rollout=rollout(**aborted("Rollout aborted update to revision 2: x")), runs=(run("Failed"),))
    status = judged(known)
    assert status.verdict is Verdict.FAILED
    assert status.restore is not None and status.restore.state is RestoreState.WANTED
    assert status.held
    assert status.reason == "success-rate failed 2 times (1 allowed): measured 0.4, 0.5"
    assert status.evidence[0].values == ("[0.4]", "[0.5]")


def test_a_provider_that_cannot_answer_writes_nothing_to_git() -> None:
    known = facts(rollout=rollout(**aborted("x: Background analysis phase error/failed")), runs=(run("Error", values=()),))
    status = judged(known)
    assert (status.verdict, status.restore, status.held) == (Verdict.COULD_NOT_MEASURE, None, False)


def test_a_persons_abort_is_proposed_not_pushed() -> None:
    status = judged(facts(rollout=rollout(**aborted("Rollout aborted update to revision 2"))))
    assert status.verdict is Verdict.ABORTED
    assert status.restore is not None and status.restore.message == "propose"


def test_the_deadline_is_a_failure() -> None:
    message = 'Rollout aborted update to revision 2: ReplicaSet "web-bad22" has timed out progressing.'
    assert judged(facts(rollout=rollout(**aborted(message)))).verdict is Verdict.FAILED


def test_stuck_pods_are_put_on_record_before_the_abort() -> None:
    status = judged(facts(stuck="container web is in CrashLoopBackOff"))
    assert status.verdict is None
    assert [verb.verb for verb in status.verbs] == ["abort"]


def test_an_abort_of_ours_is_told_apart_from_a_persons() -> None:
    recorded = replace(RUNNING, verbs=(Verb(verb="abort", at=NOW, reason="crash loop"),))
    status = judged(facts(rollout=rollout(**aborted("Rollout aborted update to revision 2"))), status=recorded)
    assert (status.verdict, status.reason) == (Verdict.FAILED, "crash loop")


def test_a_policy_may_say_to_wait_for_stuck_pods() -> None:
    assert judged(facts(stuck="crash"), ReleasePolicy(name="p", namespace="shop", on_stuck="wait")).verbs == ()


def test_a_newer_release_supersedes_an_open_one() -> None:
    status = judged(facts(newer="web-newer took over"))
    assert (status.verdict, status.restore) == (Verdict.SUPERSEDED, None)


def test_promotion_without_any_analysis_is_passed_but_marked_unmeasured() -> None:
    status = judged(facts(rollout=promoted()))
    assert (status.verdict, status.unmeasured) == (Verdict.PASSED, True)


def test_a_policy_may_require_an_analysis() -> None:
    status = judged(facts(rollout=promoted()), ReleasePolicy(name="p", namespace="shop", require_analysis=True))
    assert (status.verdict, status.held) == (Verdict.NOT_ENOUGH_EVIDENCE, False)


@pytest.mark.parametrize("values", [("[]", "[]"), ("[NaN]", "[NaN]")])
def test_no_data_is_never_a_pass(values: tuple[str, ...]) -> None:
    status = judged(facts(rollout=promoted(), runs=(run("Successful", values=values),)))
    assert status.verdict is Verdict.NOT_ENOUGH_EVIDENCE


def test_an_answer_of_the_querys_own_fallback_is_no_evidence() -> None:
    known = run("Successful", values=("[1]", "[1]"))
    for measurement in known["status"]["metricResults"][0]["measurements"]:
        measurement["metadata"] = {"fallback": "true"}
    status = judged(facts(rollout=promoted(), runs=(known,)))
    assert (status.verdict, status.reason) == (Verdict.NOT_ENOUGH_EVIDENCE, "every measurement came without data")


def test_fewer_measurements_than_required_are_not_enough() -> None:
    policy = ReleasePolicy(name="p", namespace="shop", minimum_sample=3)
    assert judged(facts(rollout=promoted(), runs=(run("Successful"),)), policy).verdict is Verdict.NOT_ENOUGH_EVIDENCE


def test_enough_good_measurements_prove_a_version() -> None:
    status = judged(facts(rollout=promoted(), runs=(run("Successful", values=("[1]", "[1]")),)))
    assert (status.verdict, status.phase, status.unmeasured) == (Verdict.PASSED, ReleasePhase.CLOSED, False)


def test_promotion_begins_the_watch_when_the_policy_asks_for_it() -> None:
    policy = ReleasePolicy(name="p", namespace="shop", after_promotion=WATCHED)
    status = judged(facts(rollout=promoted()), policy)
    assert (status.phase, status.promoted_at, status.verdict) == (ReleasePhase.WATCHING, NOW, None)


@pytest.mark.parametrize(
    ("phase", "verdict"),
    [
        ("Successful", Verdict.PASSED),
        ("Failed", Verdict.FAILED),
        ("Error", Verdict.COULD_NOT_MEASURE),
        ("Inconclusive", Verdict.NOT_ENOUGH_EVIDENCE),
        ("Running", None),
    ],
)
def test_the_watch_after_promotion_decides(phase: str, verdict: Verdict | None) -> None:
    policy = ReleasePolicy(name="p", namespace="shop", after_promotion=WATCHED)
    watching = replace(RUNNING, phase=ReleasePhase.WATCHING, promoted_at=NOW)
    status = judged(facts(rollout=promoted(), after=run(phase, name="web-bad-after")), policy, watching)
    assert status.verdict == verdict


def test_a_verdict_once_written_is_never_changed() -> None:
    decided = replace(RUNNING, verdict=Verdict.PASSED, reason="r")
    assert judged(facts(newer="x", rollout=rollout(**aborted("y"))), status=decided) is decided


def test_same_facts_same_status() -> None:
    known = facts(rollout=rollout(**aborted("x")), runs=(run("Failed"),))
    assert judged(known) == judged(known)


def test_a_rejected_version_is_kept_for_inspection_as_long_as_the_policy_says() -> None:
    policy = ReleasePolicy(name="p", namespace="shop", keep_rejected=timedelta(minutes=10))
    status = judged(facts(rollout=rollout(**aborted("x")), runs=(run("Failed"),)), policy)
    assert status.keep_until == NOW + timedelta(minutes=10)


def test_a_held_version_pushed_again_is_answered_and_restored_without_being_judged() -> None:
    status = judged(facts(held_by="web-bad"))
    assert (status.verdict, status.held) == (Verdict.HELD, True)
    assert status.restore is not None and status.restore.state is RestoreState.WANTED


def test_the_stable_hash_is_not_mistaken_for_the_new_one() -> None:
    assert judged(facts(rollout=rollout(current=GOOD, stable=GOOD, phase="Healthy"))).verdict is None


@pytest.mark.parametrize("known", [rollout(**aborted("x has timed out progressing")), promoted(), rollout(current="overriding")])
def test_pods_that_run_a_persons_override_are_never_judged(known: Manifest) -> None:
    assert judged(facts(rollout=known, runs=(run("Failed"),), overridden=True)) == RUNNING


def test_git_that_moves_on_supersedes_a_release_that_was_overridden() -> None:
    assert judged(facts(overridden=True, newer="Git asks for another version by now")).verdict is Verdict.SUPERSEDED
