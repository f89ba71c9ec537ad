"""Counts a Job's pods and judges the Job: pure, from the Job, its pods and the time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler_sandbox.controllers.objects import Manifest, is_active, is_ready, parse_time, phase_of, seconds_since
from reconciler_sandbox.controllers.progress import Notice

LONGEST_BACKOFF = 360.0


@dataclass(frozen=True, slots=True)
class Tally:
    """A Job's pods counted; counts never fall when finished pods are cleaned away."""

    active: Sequence[Manifest]
    ready: int
    succeeded: int
    failed: int
    restarts: int
    last_failure: datetime | None


def tally(pods: Sequence[Manifest], job: Manifest) -> Tally:
    """Count the pods, keeping what the status already counted."""
    written = job.get("status") or {}
    active = [pod for pod in pods if is_active(pod)]
    failed = [pod for pod in pods if phase_of(pod) == "Failed"]
    return Tally(
        active=active,
        ready=sum(is_ready(pod) for pod in active),
        succeeded=max(written.get("succeeded", 0), sum(phase_of(pod) == "Succeeded" for pod in pods)),
        failed=max(written.get("failed", 0), len(failed)),
        restarts=sum(_restarts(pod) for pod in active),
        last_failure=max((ended for pod in failed if (ended := _ended(pod)) is not None), default=None),
    )


def outcome(job: Manifest, count: Tally, moment: datetime) -> Notice | None:
    """How the Job ended, if it did."""
    spec = job["spec"]
    unsupported = _unsupported(spec)
    if unsupported:
        return Notice("Failed", "True", "NotSupported", f"the sandbox does not support {unsupported}")
    if _is_exhausted(spec, count):
        return Notice("Failed", "True", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    left = until_deadline(job, moment)
    if left is not None and left <= 0:
        return Notice("Failed", "True", "DeadlineExceeded", "Job was active longer than specified deadline")
    if _is_complete(spec, count):
        return Notice("Complete", "True", "CompletionsReached", "Reached expected number of succeeded pods")
    return None


def wanted_pods(job: Manifest, count: Tally) -> int:
    """How many pods may run now: the parallelism, but no more than completions are missing."""
    parallelism = int(job["spec"].get("parallelism", 1))
    completions = job["spec"].get("completions")
    if completions is None:
        return len(count.active) if count.succeeded else parallelism
    return min(parallelism, max(0, int(completions) - count.succeeded))


def pause_before_next(count: Tally, backoff: float, moment: datetime) -> float:
    """In how many seconds the next pod may start: doubling with each failure, counted from the last one."""
    if count.last_failure is None or count.failed == 0:
        return 0.0
    pause = min(backoff * 2.0 ** (count.failed - 1), LONGEST_BACKOFF)
    return pause - (moment - count.last_failure).total_seconds()


def until_deadline(job: Manifest, moment: datetime) -> float | None:
    """How many seconds are left of activeDeadlineSeconds; nothing without a deadline, before the start or while suspended."""
    deadline = job["spec"].get("activeDeadlineSeconds")
    started = (job.get("status") or {}).get("startTime")
    if deadline is None or job["spec"].get("suspend"):
        return None
    return float(deadline) - (seconds_since(started, moment) if started else 0.0)


def finished_at(job: Manifest) -> datetime | None:
    """When the Job became Complete or Failed."""
    for condition in (job.get("status") or {}).get("conditions") or ():
        if condition["type"] in {"Complete", "Failed"} and condition["status"] == "True":
            return parse_time(condition["lastTransitionTime"])
    return None


def _is_exhausted(spec: Manifest, count: Tally) -> bool:
    limit = spec.get("backoffLimit", 6)
    if spec["template"]["spec"].get("restartPolicy") == "OnFailure" and count.restarts > 0:
        return bool(count.restarts >= max(limit, 1) or count.failed > limit)
    return bool(count.failed > limit)


def _is_complete(spec: Manifest, count: Tally) -> bool:
    completions = spec.get("completions")
    if completions is None:
        return count.succeeded > 0 and not count.active
    return bool(count.succeeded >= completions)


def _unsupported(spec: Manifest) -> str:
    if spec.get("completionMode", "NonIndexed") != "NonIndexed":
        return "completionMode Indexed"
    return next((name for name in ("podFailurePolicy", "successPolicy", "backoffLimitPerIndex") if spec.get(name) is not None), "")


def _statuses(pod: Manifest) -> list[Manifest]:
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def _restarts(pod: Manifest) -> int:
    return sum(container.get("restartCount", 0) for container in _statuses(pod))


def _ended(pod: Manifest) -> datetime | None:
    ends = [container.get("state", {}).get("terminated", {}).get("finishedAt") for container in _statuses(pod)]
    return max((parse_time(end) for end in ends if end), default=None)
