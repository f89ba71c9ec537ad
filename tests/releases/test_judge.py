"""The verdict table of ADR 0011, row by row: a verdict is about this attempt, and only about what was measured."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from reconciler.kernel.identity import Manifest
from reconciler.releases.attempts import next_attempt
from reconciler.releases.facts import ReleaseFacts
from reconciler.releases.model import Cause, ReleasePhase, ReleaseStatus, Restore, RestoreMode, RestoreState, Verb, Verdict
from reconciler.releases.policies.policy import AfterPromotion, ReleasePolicy
from reconciler.releases.verdict.judge import judge
from reconciler.releases.verdict.waiting import OVERRIDDEN
from reconciler.rollouts.view import view_of
from tests.kit.releases import BAD, GOOD, NOW, TEMPLATE, aborted, facts, release, rollout, run

POLICY = ReleasePolicy(name="p", namespace="shop")
RUNNING = ReleaseStatus(phase=ReleasePhase.PROGRESSING, pod_hash=BAD)
REJECTED = release(
    "web-rejected", status=ReleaseStatus(verdict=Verdict.FAILED, held=True, restore=Restore(state=RestoreState.PUSHED), pod_hash=BAD)
)
ABORTED_AT = "2026-11-25T02:59:00Z"
WATCHED = AfterPromotion(timedelta(minutes=1), {"templates": [{"templateName": "t"}]})


def judged(known: ReleaseFacts, policy: ReleasePolicy = POLICY, status: ReleaseStatus = RUNNING, **spec: object) -> ReleaseStatus:
    return judge(release(status=status, **spec), policy, known, NOW)


def promoted(analysis: bool = False, **status: object) -> Manifest:
    """Everybody is on the new version; `analysis`: the Rollout asks for one at its second step."""
    live = rollout(current=BAD, stable=BAD, phase="Healthy", **status)
    steps = [{"setWeight": 30}, *([{"analysis": {"templates": [{"templateName": "t"}]}}] if analysis else [])]
    return {**live, "spec": {**live["spec"], "strategy": {"canary": {"steps": steps}}}}


def test_nothing_is_judged_until_the_rollout_carries_the_release() -> None:
    assert judged(facts(rollout=rollout(release="another")), status=ReleaseStatus()) == ReleaseStatus()


def test_a_template_the_rollout_layer_has_not_seen_yet_is_not_judged() -> None:
    assert judged(facts(rollout=rollout(observedGeneration="1")), status=ReleaseStatus()) == ReleaseStatus()


def test_the_pod_hash_is_recorded_as_soon_as_the_rollout_carries_it() -> None:
    status = judged(facts(), status=ReleaseStatus())
    assert (status.phase, status.pod_hash) == (ReleasePhase.PROGRESSING, BAD)


def test_the_first_version_seen_healthy_is_proven_as_baseline() -> None:
    status = judged(facts(rollout=promoted()), previous=None)
    assert (status.verdict, status.restore) == (Verdict.PASSED, None)


def test_a_first_version_is_never_proven_by_the_pods_of_another() -> None:
    template = {"spec": {"containers": [{"name": "web", "image": "web:1.0"}]}}
    live = promoted()
    other = {**live, "metadata": {**live["metadata"], "annotations": {}}, "spec": {**live["spec"], "template": template}}
    assert judged(facts(rollout=other), status=ReleaseStatus(), previous=None) == ReleaseStatus()
    same = {**other, "spec": {**other["spec"], "template": TEMPLATE}}
    assert judged(facts(rollout=same), status=ReleaseStatus(), previous=None).pod_hash == BAD


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
    assert status.restore is not None and status.restore.mode is RestoreMode.PROPOSE


def test_the_deadline_is_a_failure() -> None:
    message = 'Rollout aborted update to revision 2: ReplicaSet "web-bad22" has timed out progressing.'
    assert judged(facts(rollout=rollout(**aborted(message)))).verdict is Verdict.FAILED


def test_stuck_pods_are_put_on_record_before_the_abort() -> None:
    status = judged(facts(crashed="container web crash-loops"))
    assert status.verdict is None
    assert [verb.verb for verb in status.verbs] == ["abort"]


def test_an_abort_of_ours_is_told_apart_from_a_persons() -> None:
    recorded = replace(RUNNING, verbs=(Verb(verb="abort", at=NOW, reason="crash loop"),))
    status = judged(facts(rollout=rollout(**aborted("Rollout aborted update to revision 2"))), status=recorded)
    assert (status.verdict, status.reason) == (Verdict.FAILED, "crash loop")


def test_a_policy_may_say_to_wait_for_stuck_pods() -> None:
    assert judged(facts(crashed="crash"), ReleasePolicy(name="p", namespace="shop", on_stuck="wait")).verbs == ()


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
    status = judged(facts(rollout=promoted(analysis=True), runs=(run("Successful", values=values),)))
    assert status.verdict is Verdict.NOT_ENOUGH_EVIDENCE


def test_an_answer_of_the_querys_own_fallback_is_no_evidence() -> None:
    known = run("Successful", values=("[1]", "[1]"))
    for measurement in known["status"]["metricResults"][0]["measurements"]:
        measurement["metadata"] = {"fallback": "true"}
    status = judged(facts(rollout=promoted(analysis=True), runs=(known,)))
    assert (status.verdict, status.reason) == (Verdict.NOT_ENOUGH_EVIDENCE, "every measurement of web-bad22-2 came without data")


def test_fewer_measurements_than_required_are_not_enough() -> None:
    policy = ReleasePolicy(name="p", namespace="shop", minimum_sample=3)
    assert judged(facts(rollout=promoted(analysis=True), runs=(run("Successful"),)), policy).verdict is Verdict.NOT_ENOUGH_EVIDENCE


def test_enough_good_measurements_prove_a_version() -> None:
    status = judged(facts(rollout=promoted(analysis=True), runs=(run("Successful", values=("[1]", "[1]")),)))
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
    status = judged(facts(rollout=promoted(), after=run(phase, name="web-bad-after", kind="")), policy, watching)
    assert status.verdict == verdict


def test_a_run_in_which_nothing_passed_and_few_enough_failed_proves_nothing() -> None:
    """One failure is allowed, and the provider has no data after it: the run ends Successful all the same."""
    mixed = run("Successful", values=("[0.5]",))
    mixed["status"]["metricResults"][0].update(successful=0, failed=1, inconclusive=2)
    mixed["status"]["metricResults"][0]["measurements"][0]["phase"] = "Failed"
    status = judged(facts(rollout=promoted(analysis=True), runs=(mixed,)))
    assert (status.verdict, status.restore) == (Verdict.NOT_ENOUGH_EVIDENCE, None)
    assert "no measurement of web-bad22-2 passed" in status.reason
    assert judged(facts(rollout=promoted(analysis=True), runs=(run("Successful"),))).reason == "2 measurements passed"


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
    status = judged(facts(held_by=REJECTED))
    assert (status.verdict, status.held) == (Verdict.HELD, True)
    assert status.restore == Restore(state=RestoreState.WANTED, push_until=NOW + POLICY.push_within)


def test_a_held_version_that_a_person_promotes_all_the_same_is_tried_again() -> None:
    """Pushed again, it is held; its pods still lie aborted, and whoever promotes them takes it to users."""
    held_by = replace(REJECTED, spec=replace(REJECTED.spec, identity="bad-identity"))
    again = release("web-again", minutes=1, status=judged(facts(held_by=held_by), status=ReleaseStatus()))
    assert again.status.pod_hash == BAD
    lying, promoted_by_hand = view_of(rollout(**aborted("by analysis"))), view_of(rollout(phase="Progressing"))
    assert next_attempt([held_by, again], lying, "bad-identity") is None
    tried = next_attempt([held_by, again], promoted_by_hand, "bad-identity")
    assert tried is not None and tried.spec.cause is Cause.RETRIED
    other = replace(REJECTED, spec=replace(REJECTED.spec, identity="same images, another template"))
    assert judged(facts(held_by=other), status=ReleaseStatus()).pod_hash == ""


def test_a_held_version_without_one_before_it_is_held_and_git_left_alone() -> None:
    status = judged(facts(held_by=REJECTED), previous=None)
    assert (status.verdict, status.held, status.restore) == (Verdict.HELD, True, None)


def test_the_stable_hash_is_not_mistaken_for_the_new_one() -> None:
    assert judged(facts(rollout=rollout(current=GOOD, stable=GOOD, phase="Healthy"))).verdict is None


@pytest.mark.parametrize("known", [rollout(**aborted("x has timed out progressing")), promoted(), rollout(current="overriding")])
def test_pods_that_run_a_persons_override_are_never_judged(known: Manifest) -> None:
    assert judged(facts(rollout=known, runs=(run("Failed"),), overridden=True)) == replace(RUNNING, reason=OVERRIDDEN)


def test_what_an_override_measured_is_never_counted_as_evidence_of_a_release() -> None:
    own, theirs = run("Failed"), run("Failed", pod_hash="theirs", name="web-theirs-3", values=("[0.1]",) * 2)
    status = judged(facts(rollout=rollout(**aborted("x: Step-based analysis phase error/failed")), runs=(own, theirs)))
    assert [row.run for row in status.evidence] == ["web-bad22-2"] and status.evidence[0].failed == 2


def test_git_that_moves_on_supersedes_a_release_that_was_overridden() -> None:
    ended = judged(facts(overridden=True, newer="Git asks for another version by now", runs=(run("Running"),)))
    assert (ended.verdict, ended.evidence) == (Verdict.SUPERSEDED, ())


# -- this attempt, and only what was measured -------------------------------------------------------------------------


def test_runs_of_an_earlier_attempt_are_no_evidence_of_a_later_one() -> None:
    old = run("Failed", uid="old")
    status = judged(facts(rollout=rollout(**aborted("Rollout aborted update to revision 2")), runs=(old,)), earlier_runs=("old",))
    assert (status.verdict, status.evidence) == (Verdict.ABORTED, ())
    assert status.restore is not None and status.restore.mode is RestoreMode.PROPOSE


def test_a_provider_that_fails_the_second_attempt_writes_nothing_although_the_first_one_failed() -> None:
    runs = (run("Failed", uid="old"), run("Error", name="web-bad22-3", values=()))
    known = facts(rollout=rollout(**aborted("x: Step-based analysis phase error/failed")), runs=runs)
    status = judged(known, earlier_runs=("old",))
    assert (status.verdict, status.restore, status.held) == (Verdict.COULD_NOT_MEASURE, None, False)


def test_the_abort_that_ended_an_earlier_attempt_does_not_end_a_later_one() -> None:
    known = facts(rollout=rollout(abortedAt=ABORTED_AT, **aborted("Rollout aborted update to revision 2")))
    assert judged(known, cause=Cause.LIFTED, earlier_abort=ABORTED_AT).verdict is None
    assert judged(known, cause=Cause.LIFTED, earlier_abort="2026-11-25T02:00:00Z").verdict is Verdict.ABORTED


def test_an_analysis_whose_run_is_gone_could_not_be_measured_whatever_the_condition_says() -> None:
    status = judged(facts(rollout=rollout(**aborted("x: Step-based analysis phase error/failed: Metric m assessed Failed"))))
    assert (status.verdict, status.restore) == (Verdict.COULD_NOT_MEASURE, None)
    assert "gone" in status.reason


def test_what_a_run_measured_is_on_record_before_the_run_is_removed() -> None:
    noted = judged(facts(runs=(run("Failed"),)))
    assert (noted.verdict, [r.phase for r in noted.runs]) == (None, ["Failed"])
    status = judged(facts(rollout=rollout(**aborted("x: Step-based analysis phase error/failed"))), status=noted)
    assert (status.verdict, status.evidence[0].values) == (Verdict.FAILED, ("[0.4]", "[0.5]"))


@pytest.mark.parametrize("value", ["[NaN]", "NaN", "[]", "", "null", "[null]", "{}", "[NaN, NaN]", "[NaN,null]"])
def test_a_failure_without_data_comes_home_and_is_not_enough_evidence(value: str) -> None:
    known = facts(rollout=rollout(**aborted("x: Step-based analysis phase error/failed")), runs=(run("Failed", values=(value, value)),))
    status = judged(known)
    assert (status.verdict, status.held, status.promoted_at) == (Verdict.NOT_ENOUGH_EVIDENCE, False, None)
    assert status.restore is not None and status.restore.mode is RestoreMode.PROPOSE


@pytest.mark.parametrize(("wanted", "mode"), [("restore", RestoreMode.PUSH), ("propose", RestoreMode.PROPOSE), ("none", None)])
def test_what_happens_without_evidence_is_the_policys_choice(wanted: str, mode: RestoreMode | None) -> None:
    known = facts(rollout=rollout(**aborted("x: Step-based analysis phase error/failed")), runs=(run("Failed", values=("[NaN]",)),))
    status = judged(known, ReleasePolicy(name="p", namespace="shop", on_no_evidence=wanted))
    assert (status.restore.mode if status.restore else None) is mode


def test_one_failed_measurement_with_data_is_a_failure() -> None:
    known = facts(rollout=rollout(**aborted("x: Step-based analysis phase error/failed")), runs=(run("Failed", values=("[NaN]", "[0.2]")),))
    assert judged(known).verdict is Verdict.FAILED


def test_a_failed_job_is_a_failure_without_any_value() -> None:
    job = run("Failed", values=("",))
    job["spec"]["metrics"][0]["provider"] = {"job": {}}
    assert judged(facts(rollout=rollout(**aborted("x: analysis phase error/failed")), runs=(job,))).verdict is Verdict.FAILED


def test_an_analysis_that_a_person_skipped_proves_nothing() -> None:
    full = promoted(analysis=True, duration={"completionStatus": "FastPromoted"})
    status = judged(facts(rollout=full))
    assert (status.verdict, status.promoted_at) == (Verdict.NOT_ENOUGH_EVIDENCE, NOW)
    assert status.reason == "not measured: promoted in full by a person; the analysis of step 2 never ran to its end"


def test_an_analysis_that_never_ran_because_the_stable_version_was_gone_proves_nothing() -> None:
    assert judged(facts(rollout=promoted(analysis=True))).reason == "not measured: the analysis of step 2 never ran to its end"


def test_an_analysis_that_was_cut_short_proves_nothing() -> None:
    cut = run("Successful", values=("[1]",))
    cut["spec"]["terminate"] = True
    assert judged(facts(rollout=promoted(analysis=True), runs=(cut,))).verdict is Verdict.NOT_ENOUGH_EVIDENCE


def test_the_run_of_another_step_is_not_the_one_that_was_asked_for() -> None:
    other = run("Successful", values=("[1]",), step=3)
    assert judged(facts(rollout=promoted(analysis=True), runs=(other,))).verdict is Verdict.NOT_ENOUGH_EVIDENCE


def test_a_version_is_not_proven_while_a_run_of_it_still_measures() -> None:
    assert judged(facts(rollout=promoted(analysis=True), runs=(run("Running", values=("[1]",)),))).verdict is None


def test_a_change_of_config_is_not_proven_by_what_the_same_pods_measured_before() -> None:
    before = run("Successful", values=("[1]",), uid="before")
    status = judged(facts(rollout=promoted(analysis=True), runs=(before,)), earlier_runs=("before",))
    assert (status.verdict, status.evidence) == (Verdict.NOT_ENOUGH_EVIDENCE, ())


def test_a_run_after_promotion_without_a_measurement_proves_nothing() -> None:
    policy = ReleasePolicy(name="p", namespace="shop", after_promotion=WATCHED)
    watching = replace(RUNNING, phase=ReleasePhase.WATCHING, promoted_at=NOW)
    empty = run("Successful", values=(), name="web-bad-after", kind="")
    status = judged(facts(rollout=promoted(), after=empty), policy, watching)
    assert (status.verdict, status.restore) == (Verdict.NOT_ENOUGH_EVIDENCE, None)


def test_a_dry_run_measures_nothing_that_counts() -> None:
    rehearsed = run("Successful", values=("[1]",))
    rehearsed["status"]["metricResults"][0]["dryRun"] = True
    assert judged(facts(rollout=promoted(analysis=True), runs=(rehearsed,))).verdict is Verdict.NOT_ENOUGH_EVIDENCE


@pytest.mark.parametrize("live", [rollout(current=BAD, stable=BAD, phase="Degraded"), rollout(current=BAD, stable="", phase="Healthy")])
def test_a_first_version_that_is_not_healthy_for_everybody_never_becomes_the_baseline(live: Manifest) -> None:
    assert judged(facts(rollout=live), previous=None).verdict is None


def test_a_baseline_that_was_found_serving_is_the_stable_version_not_the_one_under_way() -> None:
    status = judged(facts(), status=ReleaseStatus(), previous=None, serving=GOOD)
    assert (status.verdict, status.pod_hash) == (Verdict.PASSED, GOOD)
    assert judged(facts(), status=ReleaseStatus(), previous=None, serving="other").verdict is Verdict.SUPERSEDED


def test_another_template_is_not_judged_as_this_release_although_its_mark_stands() -> None:
    live = rollout()
    edited = {**live, "spec": {**live["spec"], "template": {"metadata": {}, "spec": {"containers": [{"name": "web", "image": "x"}]}}}}
    assert judged(facts(rollout=edited), status=ReleaseStatus()) == ReleaseStatus()


def test_beside_another_applier_content_alone_says_that_the_release_is_live() -> None:
    unmarked = rollout(release="")
    assert judged(facts(rollout=unmarked), status=ReleaseStatus()).pod_hash == ""
    assert judged(facts(rollout=unmarked), status=ReleaseStatus(), companion=True).pod_hash == BAD


def test_beside_another_applier_a_rejected_version_is_not_promised_to_stay() -> None:
    policy = ReleasePolicy(name="p", namespace="shop", keep_rejected=timedelta(minutes=10))
    known = facts(rollout=rollout(**aborted("x")), runs=(run("Failed"),))
    assert (judged(known, policy).keep_until, judged(known, policy, companion=True).keep_until) == (NOW + timedelta(minutes=10), None)


def test_what_admission_adds_does_not_hide_a_release_that_we_wrote() -> None:
    live = rollout()
    container = {**TEMPLATE["spec"]["containers"][0], "securityContext": {"runAsNonRoot": True}}
    added = {**live, "spec": {**live["spec"], "template": {**TEMPLATE, "spec": {"containers": [container], "priority": 3}}}}
    assert judged(facts(rollout=added), status=ReleaseStatus()).pod_hash == BAD


def test_the_way_back_of_a_held_version_obeys_the_policy_of_its_verdict() -> None:
    proposed = replace(REJECTED, status=replace(REJECTED.status, restore=Restore(state=RestoreState.MERGED, mode=RestoreMode.PROPOSE)))
    status = judged(facts(held_by=proposed))
    assert status.restore is not None and status.restore.mode is RestoreMode.PROPOSE
    silent = replace(REJECTED, status=replace(REJECTED.status, restore=None))
    assert judged(facts(held_by=silent)).restore is None


def test_images_that_were_rejected_before_are_held_whatever_the_template() -> None:
    known = {"rollout": rollout(**aborted("x")), "runs": (run("Failed"),)}
    assert not judged(facts(**known)).holds_images
    assert judged(facts(rejections=1, **known)).holds_images
