"""Restarting pods on request, a few at a time, through the eviction API (contract 4.11)."""

from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.core.replicas.surge import resolve
from reconciler.core.turn.turn import Turn, reference
from reconciler.model.identity import Manifest
from reconciler.model.moment import parse_moment
from reconciler.model.plan import Evict
from reconciler.model.resources import PODS
from reconciler.model.workload import EPOCH

RECHECK = timedelta(seconds=30)
MOMENT = timedelta(milliseconds=1)


def restart_due(turn: Turn) -> datetime | None:
    """The time of a restart that was asked for and is not finished, passed or not."""
    asked = turn.seen.spec.restart_at
    return asked if asked is not None and asked != turn.before.restarted_at else None


def restart_pods(turn: Turn) -> Turn:
    """Evict old pods as far as availability allows; a canary's pass ends after an eviction, without status."""
    asked = restart_due(turn)
    if asked is None:
        return turn
    if turn.now <= asked:
        return turn.wake(asked + MOMENT)
    old = [pod for pod in turn.seen.found.pods if _created(pod) < asked]
    if not old:
        return replace(turn, restarted_at=asked)
    leaving = [pod for pod in old if not pod["metadata"].get("deletionTimestamp")][: max(0, _budget(turn))]
    turn = turn.act(*(Evict(reference(PODS, pod)) for pod in leaving)).wake(turn.now + RECHECK)
    return turn.end() if leaving and turn.seen.spec.canary else turn


def _budget(turn: Turn) -> int:
    """How many pods may leave now: what is available above the size less maxUnavailable, which is at least 1."""
    seen = turn.seen
    size = max(seen.spec.replicas, sum(r.spec for r in seen.replica_sets))
    unavailable = min(resolve(seen.spec.strategy.max_unavailable, seen.spec.replicas, up=False), seen.spec.replicas)
    available = sum(_available(pod, seen.spec.min_ready_seconds, turn.now) for pod in seen.found.pods)
    return available - (size - max(unavailable, 1))


def _available(pod: Manifest, min_ready_seconds: int, now: datetime) -> bool:
    """Ready for at least minReadySeconds and not on its way out."""
    if pod["metadata"].get("deletionTimestamp"):
        return False
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "Ready" and condition.get("status") == "True":
            since = condition.get("lastTransitionTime")
            return min_ready_seconds == 0 or (bool(since) and parse_moment(since) + timedelta(seconds=min_ready_seconds) <= now)
    return False


def _created(pod: Manifest) -> datetime:
    text = pod["metadata"].get("creationTimestamp")
    return parse_moment(text) if text else EPOCH
