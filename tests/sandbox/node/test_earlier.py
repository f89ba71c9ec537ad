"""What a container was before its node began, read from the pod's status."""

from datetime import UTC, datetime

import pytest
from reconciler_sandbox.node.caller import Ended
from reconciler_sandbox.node.earlier import LOST, earlier_of

START, END = "2026-11-22T12:00:00Z", "2026-11-22T12:05:00Z"
ENDED = {"terminated": {"exitCode": 3, "message": "why", "startedAt": START, "finishedAt": END}}


def pod(**status: object) -> dict:
    return {"status": {"containerStatuses": [{"name": "other", "restartCount": 9}, {"name": "main", "restartCount": 2, **status}]}}


@pytest.mark.parametrize(
    "manifest", [{}, {"status": None}, pod(), pod(state={"waiting": {"reason": "ContainerCreating"}}), pod(lastState={})]
)
def test_a_container_that_never_started_has_no_earlier_life(manifest: dict) -> None:
    assert earlier_of(manifest, "main") is None and earlier_of(manifest, "unknown") is None


def test_what_ran_was_lost() -> None:
    earlier = earlier_of(pod(state={"running": {"startedAt": START}}), "main")
    assert earlier is not None
    assert (earlier.restarts, earlier.ended, earlier.since) == (2, LOST, datetime(2026, 11, 22, 12, tzinfo=UTC))
    assert earlier.until > earlier.since


@pytest.mark.parametrize("status", [{"state": ENDED}, {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": ENDED}])
def test_what_had_ended_ended_as_it_did(status: dict) -> None:
    earlier = earlier_of(pod(**status), "main")
    assert earlier is not None
    assert (earlier.ended, earlier.until) == (Ended(3, "why"), datetime(2026, 11, 22, 12, 5, tzinfo=UTC))


@pytest.mark.parametrize(
    ("policy", "code", "settled"), [("Always", 0, False), ("OnFailure", 0, True), ("OnFailure", 3, False), ("Never", 3, True)]
)
def test_the_restart_policy_says_whether_it_starts_again(policy: str, code: int, settled: bool) -> None:
    ended = {"terminated": {**ENDED["terminated"], "exitCode": code}}
    earlier = earlier_of({"status": {"initContainerStatuses": [{"name": "main", "state": ended}]}}, "main")
    assert earlier is not None and earlier.settles(policy) is settled
