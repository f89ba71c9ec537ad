"""What waits for a person says so in its own words: every state that is not the end has a reason, or goes on by itself."""

from datetime import timedelta

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.releases.model import ReleasePhase, ReleaseStatus, RestoreState, Verdict
from reconciler.releases.policies.policy import AfterPromotion, ReleasePolicy
from reconciler.releases.verdict.judge import judge
from reconciler.releases.verdict.waiting import ELSEWHERE, INCONCLUSIVE, OVERRIDDEN, PAUSED, STRAYED, UNTIL_PROMOTED
from tests.kit.releases import BAD, GOOD, NOW, aborted, facts, release, rollout

POLICY, PATIENT = ReleasePolicy(name="p", namespace="shop"), ReleasePolicy(name="p", namespace="shop", on_stuck="wait")
WATCHING = ReleasePolicy(name="p", namespace="shop", after_promotion=AfterPromotion(timedelta(minutes=1), {"templates": [{}]}))
RUNNING = ReleaseStatus(phase=ReleasePhase.PROGRESSING, pod_hash=BAD)
LATE = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "it has timed out progressing."}


def paused(reason: str, spec: Manifest, **status: object) -> Manifest:
    live = rollout(phase="Paused", pauseConditions=[{"reason": reason}], **status)
    return {**live, "spec": {**live["spec"], **spec}}


def stands_at(pause: Manifest) -> Manifest:
    return paused("CanaryPauseStep", {"strategy": {"canary": {"steps": [{"pause": pause}]}}}, currentStepIndex=0)


def blue_green(**strategy: object) -> Manifest:
    return paused("BlueGreenPause", {"strategy": {"blueGreen": {"activeService": "a", **strategy}}})


def strayed(**status: object) -> Manifest:
    """Another tool wrote another template, and the rollout layer has seen it."""
    live = rollout(current="other", stable="other", **{"phase": "Healthy", **status})
    return {**live, "spec": {**live["spec"], "template": {"spec": {"containers": [{"name": "web", "image": "web:9"}]}}}}


def said(live: Manifest, policy: ReleasePolicy = POLICY, **known: object) -> str:
    return judge(release(status=RUNNING), policy, facts(rollout=live, **known), NOW).reason


@pytest.mark.parametrize(
    ("live", "words"),
    [
        (paused("InconclusiveAnalysisRun", {}), INCONCLUSIVE),
        (paused("InconclusiveAnalysisRun", {"paused": True}), INCONCLUSIVE),
        (stands_at({}), UNTIL_PROMOTED),
        (stands_at({"duration": "10s"}), ""),
        (blue_green(), UNTIL_PROMOTED),
        (blue_green(autoPromotionSeconds=20), ""),
        (paused("CanaryPauseStep", {"paused": True, "strategy": {"canary": {"steps": "odd"}}}, currentStepIndex=0), PAUSED),
        (paused("CanaryPauseStep", {}, currentStepIndex=7), ""),
        (rollout(), ""),
        (rollout(current="other", pauseConditions=[{"reason": "InconclusiveAnalysisRun"}]), ""),
        (strayed(), STRAYED),
        (strayed(**aborted("it was aborted")), STRAYED),
        ({**strayed(), "metadata": {**strayed()["metadata"], "generation": 3}}, ""),
    ],
)
def test_a_release_that_waits_for_a_person_says_so_itself(live: Manifest, words: str) -> None:
    assert said(live) == words


def test_what_an_override_keeps_waiting_is_told_and_no_longer_once_it_ends() -> None:
    status = judge(release(status=RUNNING), POLICY, facts(overridden=True), NOW)
    assert status.reason == OVERRIDDEN
    assert judge(release(status=status), POLICY, facts(), NOW).reason == ""


def test_pods_that_never_come_are_told_where_the_policy_waits() -> None:
    live = rollout(phase="Degraded", conditions=[LATE])
    assert said(live, PATIENT).startswith("it has timed out progressing. The policy says to wait")
    assert said(rollout(**aborted("by hand")), PATIENT).startswith("a person aborted it")


# -- everybody was moved to it because nothing else was left, and it never comes up ------------------------------------


def left_alone(**status: object) -> Manifest:
    return rollout(current=BAD, stable=BAD, phase="Degraded", conditions=[LATE], **status)


@pytest.mark.parametrize("policy", [POLICY, WATCHING])
def test_a_version_that_is_alone_and_never_comes_up_has_failed(policy: ReleasePolicy) -> None:
    status = judge(release(status=RUNNING), policy, facts(rollout=left_alone()), NOW)
    assert (status.verdict, status.held, status.keep_until) == (Verdict.FAILED, True, None)
    assert status.restore is not None and status.restore.state is RestoreState.WANTED
    assert "timed out" in status.reason


def test_a_version_that_is_alone_and_not_late_yet_or_waited_for_has_no_verdict() -> None:
    young = rollout(current=BAD, stable=BAD, phase="Progressing")
    assert judge(release(status=RUNNING), WATCHING, facts(rollout=young), NOW) == RUNNING
    status = judge(release(status=RUNNING), PATIENT, facts(rollout=left_alone()), NOW)
    assert status.verdict is None and status.reason.startswith("it has timed out")


def test_a_version_that_served_and_fell_later_is_not_judged_by_the_deadline() -> None:
    served = ReleaseStatus(phase=ReleasePhase.WATCHING, pod_hash=BAD, promoted_at=NOW)
    assert judge(release(status=served), WATCHING, facts(rollout=left_alone()), NOW).verdict is None


def test_a_first_version_that_never_comes_up_is_no_failure_of_a_release() -> None:
    assert judge(release(status=RUNNING, previous=None), POLICY, facts(rollout=left_alone()), NOW).verdict is None


def spread(canary: tuple[str, int], stable: tuple[str, int], *, routed: bool = True) -> Manifest:
    """A Rollout that says that it is promoted, with weights on record by version."""
    shares = {
        side: {"podTemplateHash": version, "weight": share} for side, (version, share) in {"canary": canary, "stable": stable}.items()
    }
    live = rollout(stable=BAD, phase="Healthy", canary={"weights": shares})
    live["spec"]["strategy"]["canary"] |= {"trafficRouting": {"istio": {}}} if routed else {}
    return live


@pytest.mark.parametrize("policy", [POLICY, WATCHING])
def test_a_promotion_is_over_when_all_users_are_on_the_version(policy: ReleasePolicy) -> None:
    """Where Services or routes cannot be written a Rollout calls itself promoted and Healthy for ever, and users stay where they were."""
    apart = judge(release(status=RUNNING), policy, facts(rollout=spread((BAD, 25), (GOOD, 75))), NOW)
    assert (apart.verdict, apart.promoted_at, apart.reason) == (None, None, ELSEWHERE)
    for live in (spread((BAD, 100), (GOOD, 0)), spread((BAD, 0), (BAD, 100)), spread((BAD, 25), (GOOD, 75), routed=False)):
        assert judge(release(status=RUNNING), policy, facts(rollout=live), NOW).promoted_at == NOW
