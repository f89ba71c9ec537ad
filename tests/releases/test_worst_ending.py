"""Which of several endings is named when an attempt was brought home."""

import pytest

from reconciler.releases.model import ReleasePhase, ReleaseStatus, Verdict
from reconciler.releases.policies.policy import ReleasePolicy
from reconciler.releases.verdict.judge import judge
from tests.kit.releases import BAD, NOW, aborted, facts, release, rollout, run

POLICY = ReleasePolicy(name="p", namespace="shop")
RUNNING = ReleaseStatus(phase=ReleasePhase.PROGRESSING, pod_hash=BAD)


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_runs_that_failed_the_one_with_data_decides(order: int) -> None:
    empty, founded = run("Failed", values=("NaN",), name="empty"), run("Failed", values=("[0.4]",), name="founded")
    known = facts(rollout=rollout(**aborted("x: Step-based analysis phase error/failed")), runs=(empty, founded)[::order])
    status = judge(release(status=RUNNING), POLICY, known, NOW)
    assert (status.verdict, "0.4" in status.reason) == (Verdict.FAILED, True)
