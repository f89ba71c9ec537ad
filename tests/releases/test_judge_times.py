"""How long a rejected version is kept, and since when a version is said to be with all users."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from reconciler.releases.model import ReleasePhase, ReleaseStatus, Verdict
from reconciler.releases.policies.policy import AfterPromotion, ReleasePolicy
from reconciler.releases.verdict.judge import judge
from tests.kit.releases import BAD, NOW, aborted, facts, release, rollout, run

POLICY = ReleasePolicy(name="p", namespace="shop")
RUNNING = ReleaseStatus(phase=ReleasePhase.PROGRESSING, pod_hash=BAD)


def kept(strategy: dict[str, Any] | None, policy: ReleasePolicy = POLICY, **spec: Any) -> datetime | None:
    live = rollout(**aborted("the deadline"))
    live["spec"]["strategy"] = strategy
    status = judge(release(status=RUNNING, **spec), policy, facts(rollout=live), NOW)
    assert status.verdict is Verdict.ABORTED
    return status.keep_until


ROUTED = {"trafficRouting": {"istio": {}}}


@pytest.mark.parametrize(
    ("strategy", "seconds"),
    [
        (None, None),
        ({"canary": {}}, None),
        ({"canary": None}, None),
        ({"canary": {"abortScaleDownDelaySeconds": 90}}, None),
        ({"canary": ROUTED}, 30),
        ({"canary": {**ROUTED, "abortScaleDownDelaySeconds": 90}}, 90),
        ({"canary": {**ROUTED, "abortScaleDownDelaySeconds": 9000}}, 600),
        ({"canary": {**ROUTED, "abortScaleDownDelaySeconds": 0}}, 600),
        ({"canary": {**ROUTED, "abortScaleDownDelaySeconds": "90"}}, 30),
        ({"blueGreen": {"activeService": "web"}}, 30),
        ({"blueGreen": {"activeService": "web", "abortScaleDownDelaySeconds": 45}}, 45),
    ],
)
def test_a_rejected_version_is_kept_as_long_as_its_rollout_would_keep_it(strategy: dict[str, Any] | None, seconds: int | None) -> None:
    assert kept(strategy) == (NOW + timedelta(seconds=seconds) if seconds is not None else None)


def test_the_policy_decides_before_the_rollout_and_another_applier_before_both() -> None:
    longer = ReleasePolicy(name="p", namespace="shop", keep_rejected=timedelta(minutes=7))
    never = ReleasePolicy(name="p", namespace="shop", keep_rejected=timedelta())
    assert kept({"canary": ROUTED}, longer) == NOW + timedelta(minutes=7)
    assert kept({"canary": ROUTED}, never) is None
    assert kept({"canary": ROUTED}, companion=True) is None


def test_a_version_that_is_watched_was_with_all_users_since_its_promotion() -> None:
    since = NOW - timedelta(minutes=5)
    watched = ReleasePolicy(name="p", namespace="shop", after_promotion=AfterPromotion(timedelta(minutes=1), {}))
    status = ReleaseStatus(phase=ReleasePhase.WATCHING, pod_hash=BAD, promoted_at=since)
    after = run("Successful", name="web-bad-after", kind="")
    ended = judge(release(status=status), watched, facts(rollout=rollout(stable=BAD, phase="Healthy"), after=after), NOW)
    assert (ended.verdict, ended.promoted_at, ended.decided_at) == (Verdict.PASSED, since, NOW)


def test_a_rollout_that_says_nothing_of_its_pods_yet_is_not_judged() -> None:
    live = rollout(current="", stable="", **aborted("by hand"))
    assert judge(release(status=ReleaseStatus()), POLICY, facts(rollout=live), NOW) == ReleaseStatus()
