"""Why a rollout stands where it stands, in one sentence."""

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from reconciler.kernel.frozen import Frozen
from reconciler.kernel.identity import Manifest
from reconciler.releases.model import Evidence, Lost, Release, ReleasePhase, ReleaseStatus, Restore, RestoreState, Verdict
from reconciler.views.tree import Family
from reconciler.views.why.absence import Absence, absent
from reconciler.views.why.explain import Situation, explain
from reconciler.views.why.explanation import Explanation
from tests.kit.releases import NOW, aborted, release, replica_set, rollout, run


def explained(known: Manifest | None = None, ended: Release | None = None, **parts: Any) -> Explanation:
    tried = {name: parts[name] for name in ("experiments", "tried_runs") if name in parts}
    family = Family(known or rollout(), parts.get("sets", ()), (), parts.get("runs", ()), **tried)
    return explain(Situation(family=family, release=ended, now=NOW, **parts.get("beside", {})))


def stepping(*steps: Manifest, index: int = 0, **status: Any) -> Manifest:
    found = rollout(currentStepIndex=index, **status)
    found["spec"]["strategy"]["canary"]["steps"] = list(steps)
    return found


def waiting(reason: str = "CanaryPauseStep", *, seconds_ago: int = 10) -> dict[str, Any]:
    begun = (NOW - timedelta(seconds=seconds_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"phase": "Paused", "pauseConditions": [{"reason": reason, "startTime": begun}]}


def rejected(**known: Any) -> Release:
    row = Evidence(run="r", metric="m", phase="Failed", condition="x < 1", values=("3",), limit="failureLimit 1", query="q")
    status = ReleaseStatus(
        phase=ReleasePhase.CLOSED, verdict=Verdict.FAILED, reason="m Failed: 2 failed", decided_at=NOW, held=True, evidence=(row,)
    )
    return release(status=replace(status, **known))


def test_an_invalid_spec_comes_before_everything() -> None:
    condition = {"type": "InvalidSpec", "message": "spec.strategy: Required"}
    found = explained(rollout(conditions=[condition]), rejected())
    assert found.sentence == "Nothing is done while the spec is invalid: spec.strategy: Required"


def test_a_rejected_release_tells_rule_value_limit_and_what_to_do() -> None:
    found = explained(None, rejected(restore=Restore(state=RestoreState.PUSHED, sha="d" * 40)))
    assert found.sentence == "Release web-bad ended: failed: m Failed: 2 failed"
    assert (found.rule, found.value, found.limit, found.query) == ("x < 1", "3", "failureLimit 1", "q")
    assert found.next == f"restore in Git: pushed {'d' * 12}; to try it again: reconciler hold lift web-bad -n shop"


def test_an_experiment_step_tells_how_its_experiment_stands() -> None:
    owner = {"ownerReferences": [{"controller": True, "uid": "trial"}]}
    trial = {"metadata": {"name": "web-x-2-0", "namespace": "shop", "uid": "trial"}, "status": {"phase": "Running"}}
    live = stepping({"experiment": {}}, canary={"currentExperiment": "web-x-2-0"})
    under_way = run("Running")
    under_way["metadata"] |= owner
    found = explained(live, experiments=[trial], tried_runs=[under_way])
    assert found.sentence == "It waits for experiment web-x-2-0 to end: Running"
    assert found.object == "Experiment shop/web-x-2-0" and "0.4" in found.value and found.rule
    bare = explained(live, experiments=[{**trial, "status": {"phase": "Pending", "message": "m"}}], tried_runs=[run("Running")])
    assert bare.sentence == "It waits for experiment web-x-2-0 to end: Pending, m" and bare.value == ""
    assert "experiment" not in explained(stepping({"pause": {}}, canary={"currentExperiment": "web-x-2-0"}), experiments=[trial]).sentence


def test_a_lifted_release_explains_nothing_any_more() -> None:
    assert "ended" not in explained(None, rejected(held=False)).sentence


def test_an_abort_says_where_traffic_is() -> None:
    found = explained(rollout(**aborted("by hand")))
    assert found.sentence == "Traffic is on the stable version: by hand"
    assert found.next.startswith("reconciler retry web")


def test_an_abort_that_the_controller_has_not_seen_yet_is_no_pause_to_wait_out() -> None:
    found = explained(rollout(abort=True, pauseConditions=[{"reason": "CanaryPauseStep", "startTime": "2026-11-25T02:59:00Z"}]))
    assert found.sentence == "It is aborted: traffic is on its way to the stable version"
    assert found.next.startswith("reconciler retry web")


def test_a_persons_pause_is_theirs() -> None:
    paused = rollout()
    paused["spec"]["paused"] = True
    assert explained(paused).sentence == "A person paused it"


def test_a_timed_pause_counts_down() -> None:
    for duration in (60, "60", "60s", "1m"):
        found = explained(stepping({"pause": {"duration": duration}}, **waiting()))
        assert found.sentence == "It waits out the pause of step 1: 50s of 1m are left"
        assert (found.value, found.limit) == ("50s", "1m")


def test_a_pause_that_is_over_has_nothing_left() -> None:
    assert "0s of 8m20s" in explained(stepping({"pause": {"duration": "500s"}}, **waiting(seconds_ago=9999))).sentence
    assert "0s of 0s" in explained(stepping({"pause": {"duration": "500ms"}}, **waiting())).sentence


def test_a_pause_without_a_duration_waits_for_a_person() -> None:
    assert explained(stepping({"pause": {}}, **waiting())).sentence == "It waits for a person at step 1"
    assert explained(stepping({"pause": {"duration": "soon"}}, **waiting())).sentence == "It waits for a person at step 1"
    assert "could not tell good from bad" in explained(rollout(**waiting("InconclusiveAnalysisRun"))).sentence
    assert "preview service" in explained(rollout(**waiting("BlueGreenPause"))).sentence
    assert explained(rollout(**waiting("Other"))).sentence == "It is paused: Other"


def test_a_running_analysis_tells_what_it_asks() -> None:
    found = explained(stepping({"analysis": {}}), runs=[run("Running")])
    assert found.sentence == "It waits for analysis run web-bad22-2 to end"
    assert (found.query, found.rule) == ("q", "succeeds when result[0] >= 0.95")


def test_a_background_analysis_is_not_what_a_weight_step_waits_for() -> None:
    sets = [replica_set("bad22")]
    assert "0 of 2 are available" in explained(stepping({"setWeight": 20}), runs=[run("Running")], sets=sets).sentence


def test_missing_pods_are_counted() -> None:
    found = explained(sets=[replica_set("bad22", replicas=3)])
    assert found.sentence == "It waits for pods of the new version: 0 of 3 are available"
    assert "rollouts-pod-template-hash=bad22" in found.next


def test_a_healthy_rollout_says_how_it_was_proven() -> None:
    healthy = rollout(current="a", stable="a", phase="Healthy")
    passed = release(status=ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=Verdict.PASSED, reason="12 measurements passed"))
    assert explained(healthy, passed).sentence == "It runs what Git asks for: passed, 12 measurements passed"
    assert explained(healthy).sentence == "It is healthy, and no release of it is recorded"
    watching = release(status=ReleaseStatus(phase=ReleasePhase.WATCHING))
    assert "is still Watching" in explained(healthy, watching).sentence


def test_what_the_controller_has_not_seen_is_not_called_healthy() -> None:
    unseen = rollout(current="a", stable="a", phase="Healthy")
    unseen["metadata"]["generation"] = 9
    assert explained(unseen).sentence == "Progressing: waiting for rollout spec update to be observed"


def test_at_the_latest_the_phase_itself_is_said() -> None:
    assert explained(rollout(phase="Progressing", message="more replicas")).sentence == "Progressing: more replicas"
    assert explained(rollout(phase="Progressing")).sentence == "Progressing: no reason is recorded"


def test_a_suspension_of_the_rollout_or_its_namespace_comes_before_everything() -> None:
    marks = {"annotations": {"reconciler.dev/suspend": "true"}}
    known = rollout(conditions=[{"type": "InvalidSpec", "message": "m"}])
    namespace = {"kind": "Namespace", "metadata": {"name": "shop", **marks}}
    found = explain(Situation(family=Family(known, (), (), (), namespace), release=None, now=NOW))
    assert found.sentence == "A person suspended the Namespace shop: nothing is written, traffic stays as it is"
    assert found.next == "kubectl annotate namespace shop reconciler.dev/suspend-"
    held = {**known, "metadata": {**known["metadata"], **marks}}
    assert explained(held).next == "kubectl annotate rollout web -n shop reconciler.dev/suspend-"


def frozen(*scopes: str) -> dict[str, Any]:
    return {"frozen": tuple(Frozen(scope, "reconciler", "ann", "2026-11-25T02:00:00Z") for scope in scopes)}


def test_a_frozen_cluster_comes_first_with_who_and_since_when() -> None:
    found = explained(beside=frozen("cluster"))
    assert found.sentence == "Frozen: nothing is written to the cluster (by ann since 2026-11-25T02:00:00Z)"
    assert found.next == "reconciler unfreeze"


def test_a_frozen_git_is_the_reason_only_of_a_restore_that_waits() -> None:
    waiting_restore = rejected(restore=Restore(state=RestoreState.WANTED))
    assert explained(None, waiting_restore, beside=frozen("git")).sentence.startswith("Frozen: nothing is pushed to Git")
    healthy = rollout(current="a", stable="a", phase="Healthy")
    beside = explained(healthy, beside=frozen("git"))
    assert not beside.sentence.startswith("Frozen") and beside.frozen.startswith("Frozen: nothing is pushed to Git")


def test_a_version_that_serves_everybody_after_a_retry_is_never_called_held() -> None:
    served = rollout(current="bad22", stable="bad22", phase="Healthy")
    found = explained(served, rejected(pod_hash="bad22"))
    assert found.sentence.startswith("Everybody is on the version of release web-bad although it is not proven: failed")
    proven_since = release(
        status=ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=Verdict.PASSED, reason="12 measurements", pod_hash="bad22")
    )
    assert explained(served, proven_since).sentence == "It runs what Git asks for: passed, 12 measurements"
    for found in (explained(served, rejected(pod_hash="bad22")), explained(served, proven_since)):
        assert "held" not in found.sentence and "hold lift" not in found.next


def test_a_version_that_lost_its_proof_is_told_with_who_said_so_and_how_it_is_given_back() -> None:
    served, lost = rollout(current="bad22", stable="bad22", phase="Healthy"), Lost(by="ann", at=NOW, reason="loses orders")
    status = ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=Verdict.PASSED, reason="12 measurements", pod_hash="bad22", lost=lost)
    found = explained(served, release(status=status))
    assert found.sentence == "Everybody is on a version that lost its proof: ann, loses orders" and found.rule == "reverify"
    assert "reconciler accept web" in found.next


def test_a_lost_release_that_serves_nobody_is_not_what_runs() -> None:
    healthy = rollout(current="good1", stable="good1", phase="Healthy")
    assert explained(healthy, rejected(held=False, pod_hash="bad22")).sentence.startswith("It runs the version before release web-bad")


def test_a_version_that_a_person_holds_had_not_lost() -> None:
    held = release(status=ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=Verdict.PASSED, held=True, pod_hash="other"))
    assert explained(None, held).sentence.startswith("A person holds the version of release web-bad, which had passed")


def test_what_git_asks_for_is_not_known_to_run_while_its_source_has_problems() -> None:
    healthy = rollout(current="a", stable="a", phase="Healthy")
    found = explained(healthy, beside={"problems": ("source shop: cannot be read: no such repository",)})
    assert found.sentence.startswith("It is healthy, but what Git asks for is not known to run: source shop: cannot be read")


def test_a_command_to_paste_names_namespace_and_context() -> None:
    found = explained(rollout(**aborted("by hand")), beside={"flags": " --context blue"})
    assert found.next.startswith("reconciler retry web -n shop --context blue")


def test_why_a_rollout_is_not_there_is_told_by_whatever_speaks_of_it() -> None:
    place: dict[str, Any] = {"namespace": "shop", "name": "web"}
    told = {
        "source shop: not adopted": {"problems": ("source shop: not adopted",)},
        "although source shop asks for it": {"asked_by": "shop"},
        "nothing is written to the cluster": {"asked_by": "shop", **frozen("cluster")},
        "release web-bad is its last": {"release": release()},
        "only a Deployment": {"deployed": True},
    }
    for words, known in told.items():
        found = absent(Absence(**place, **known))
        assert found is not None and words in found.sentence and found.next
    assert absent(Absence(**place)) is None


def judged_run(phase: str, name: str = "web-bad22-2") -> Manifest:
    """A run of which every measurement is on record, as the daemon writes it."""
    known = run(phase, name=name)
    at = "2026-11-25T03:00:00Z"
    outcome = known["status"]["metricResults"][0]
    measured = [{**one, "startedAt": at, "finishedAt": at} for one in outcome["measurements"]]
    known["spec"]["metrics"][0]["interval"] = "1m"
    known["status"] = {**known["status"], "metricResults": [{**outcome, "measurements": measured, "count": len(measured)}]}
    return known


def test_what_would_have_changed_a_verdict_is_told_of_the_runs_in_its_evidence() -> None:
    row = Evidence(run="web-bad22-2", metric="success-rate", phase="Failed", failed=2)
    told = explained(None, rejected(evidence=(row,)), runs=(judged_run("Failed"), judged_run("Failed", name="another"))).otherwise
    assert [one.sentence for one in told] == [
        'with 0.95 or more instead of 0.5 in its last measurement, metric "success-rate" would have been measured further',
        'with failureLimit 2 instead of 1, metric "success-rate" would have been measured further',
    ]
    assert explained(None, rejected(evidence=(row,))).otherwise == ()


def test_an_abort_and_a_running_analysis_tell_it_too() -> None:
    gone = explained(rollout(**aborted("m Failed")), runs=(judged_run("Failed"),))
    assert [one.change.value for one in gone.otherwise] == ["value", "limit"]
    elsewhere = rollout(**aborted("m Failed"), current="another")
    assert explained(elsewhere, runs=(judged_run("Failed"),)).otherwise == ()
    going = judged_run("Running")
    assert explained(stepping({"analysis": {}}), runs=(going,)).otherwise != ()
