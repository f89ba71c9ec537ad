"""Restarting pods on request, a few at a time, through the eviction API (contract 4.11)."""

from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.kernel.identity import Manifest
from reconciler.kernel.moment import parse_moment
from reconciler.kernel.plan import Evict
from reconciler.kernel.resources import PODS
from reconciler.rollouts.passes import Pass, reference
from reconciler.rollouts.pods.replica_set import EPOCH
from reconciler.rollouts.replicas.surge import resolve

RECHECK = timedelta(seconds=30)
MOMENT = timedelta(milliseconds=1)


def restart_due(pass_: Pass) -> datetime | None:
    """The time of a restart that was asked for and is not finished, passed or not."""
    asked = pass_.facts.spec.restart_at
    return asked if asked is not None and asked != pass_.before.restarted_at else None


def restart_pods(pass_: Pass) -> Pass:
    """Evict old pods as far as availability allows; a canary's pass ends after an eviction, without status."""
    asked = restart_due(pass_)
    if asked is None:
        return pass_
    if pass_.now <= asked:
        return pass_.wake(asked + MOMENT)
    old = [pod for pod in pass_.facts.found.pods if _created(pod) < asked]
    if not old:
        return replace(pass_, restarted_at=asked)
    leaving = [pod for pod in old if not pod["metadata"].get("deletionTimestamp")][: max(0, _budget(pass_))]
    pass_ = pass_.act(*(Evict(reference(PODS, pod)) for pod in leaving)).wake(pass_.now + RECHECK)
    return pass_.end() if leaving and pass_.facts.spec.canary else pass_


def _budget(pass_: Pass) -> int:
    """How many pods may leave now: what is available above the size less maxUnavailable, which is at least 1."""
    facts = pass_.facts
    size = max(facts.spec.replicas, sum(r.spec for r in facts.replica_sets))
    unavailable = min(resolve(facts.spec.strategy.max_unavailable, facts.spec.replicas, up=False), facts.spec.replicas)
    available = sum(_available(pod, facts.spec.min_ready_seconds, pass_.now) for pod in facts.found.pods)
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
