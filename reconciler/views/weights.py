"""The weight of a version over time, as far as objects tell: events, runs of steps, pauses, promotion, and the weight of now. Pure.

Kubernetes keeps no history of weights. What is drawn is what was recorded at a time; between two records the weight stayed.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.kernel.identity import Manifest, labels_of, name_of
from reconciler.kernel.well_known import HASH_LABEL
from reconciler.releases.model import Release
from reconciler.views.track import moment_of
from reconciler.views.tree import Family, canary_steps, facts

WEIGHT = re.compile(r"Traffic weight updated(?: from \d+)? to (\d{1,6})")
STEP = re.compile(r"completed \(setWeight: (\d{1,6})\)")
DONE = re.compile(r"Rollout step (\d{1,4})/\d+ completed")


@dataclass(frozen=True, slots=True, order=True)
class WeightPoint:
    """From this moment on the version had this weight."""

    at: datetime
    weight: int
    source: str = ""
    """What recorded it."""


def weight_history(family: Family | None, release: Release | None, events: Iterable[Manifest], now: datetime) -> tuple[WeightPoint, ...]:
    """The weights of the attempt that a release is about, or else of the present version, oldest first."""
    pod_hash = _hash_of(family, release)
    live = family is not None and pod_hash == (family.rollout.get("status") or {}).get("currentPodHash")
    begun = _begun(family if live else None, release)
    found = [point for point in _recorded(family, pod_hash, live, tuple(events)) if begun is None or point.at >= begun]
    if release is not None:
        found += _told(release)
    if begun is not None:
        found.append(WeightPoint(begun, 0, "began"))
    ended = release is not None and release.decided
    if found and live and family is not None and not ended:
        found.append(WeightPoint(max(now, begun or now), int(facts(family)["actualWeight"]), "now"))
    return _corners(sorted(point for point in found if point.at <= now))


def asked_history(family: Family, release: Release | None, events: Iterable[Manifest], now: datetime) -> tuple[WeightPoint, ...]:
    """The weights that the steps asked for in the present attempt, oldest first: each since the step before it was done."""
    begun, status = _begun(family, release), family.rollout.get("status") or {}
    if begun is None or _hash_of(family, release) != str(status.get("currentPodHash") or "") or (release is not None and release.decided):
        return ()
    steps, found = canary_steps(family.rollout), [WeightPoint(begun, _asked(canary_steps(family.rollout)[:1]), "began")]
    for event in events:
        match, at = DONE.search(str(event.get("message") or "")), _moment_of_event(event)
        if match is not None and at is not None and event.get("reason") == "RolloutStepCompleted" and _is_about(event, family):
            found.append(WeightPoint(at, _asked(steps[: int(match[1]) + 1]), "event"))
    if status.get("abort") and (at := moment_of(status.get("abortedAt"))) is not None:
        found.append(WeightPoint(at, 0, "aborted"))
    if release is not None and release.status.promoted_at is not None:
        found.append(WeightPoint(release.status.promoted_at, 100, "promoted"))
    found.append(WeightPoint(max(now, begun), int(facts(family)["setWeight"]), "now"))
    return _corners(sorted(point for point in found if begun <= point.at <= now))


def _asked(steps: Sequence[Manifest]) -> int:
    """The weight that is asked for after these steps."""
    weights = [int(step["setWeight"]) for step in steps if step.get("setWeight") is not None]
    return weights[-1] if weights else 0


def _is_about(event: Manifest, family: Family) -> bool:
    return (event.get("involvedObject") or {}).get("name") == name_of(family.rollout)


def _moment_of_event(event: Manifest) -> datetime | None:
    return moment_of(event.get("lastTimestamp") or event.get("eventTime") or event.get("firstTimestamp"))


def _hash_of(family: Family | None, release: Release | None) -> str:
    known = release.status.pod_hash if release is not None else ""
    return known or str((family.rollout.get("status") or {}).get("currentPodHash") or "" if family is not None else "")


def _begun(family: Family | None, release: Release | None) -> datetime | None:
    if release is not None:
        return release.created
    if family is None:
        return None
    status = family.rollout.get("status") or {}
    return moment_of((status.get("duration") or {}).get("rolloutStartedAt"))


def _recorded(family: Family | None, pod_hash: str, live: bool, events: Sequence[Manifest]) -> Iterator[WeightPoint]:
    if family is None:
        return
    yield from _of_runs(family, pod_hash)
    if not live:
        return
    yield from (point for event in events if (point := _of_event(event, family)) is not None)
    status = family.rollout.get("status") or {}
    for pause in status.get("pauseConditions") or []:
        if pause.get("reason") == "CanaryPauseStep" and (at := moment_of(pause.get("startTime"))) is not None:
            yield WeightPoint(at, int(facts(family)["actualWeight"]), "pause")
    if status.get("abort") and (at := moment_of(status.get("abortedAt"))) is not None:
        yield WeightPoint(at, 0, "aborted")


def _of_runs(family: Family, pod_hash: str) -> Iterator[WeightPoint]:
    """A run of a step began at the weight that was asked for there."""
    steps = canary_steps(family.rollout)
    for run in family.runs:
        index, at = labels_of(run).get("step-index", ""), moment_of(run["metadata"].get("creationTimestamp"))
        if labels_of(run).get(HASH_LABEL) != pod_hash or at is None or not index.isdigit() or int(index) >= len(steps):
            continue
        yield WeightPoint(at, _asked(steps[: int(index)]), "measured")


def _of_event(event: Manifest, family: Family) -> WeightPoint | None:
    if not _is_about(event, family):
        return None
    patterns = {"TrafficWeightUpdated": WEIGHT, "RolloutStepCompleted": STEP}
    pattern = patterns.get(str(event.get("reason")))
    match = pattern.search(str(event.get("message") or "")) if pattern is not None else None
    at = _moment_of_event(event)
    return WeightPoint(at, int(match[1]), "event") if match is not None and at is not None else None


def _told(release: Release) -> list[WeightPoint]:
    """What the release itself says: when all users were on it, and when it had ended without them."""
    status = release.status
    points = [WeightPoint(status.promoted_at, 100, "promoted")] if status.promoted_at is not None else []
    if status.decided_at is not None:
        points.append(WeightPoint(status.decided_at, 100 if release.served or release.proven else 0, "decided"))
    return points


def _corners(points: Sequence[WeightPoint]) -> tuple[WeightPoint, ...]:
    """Without those that say nothing new; the first and the last stay."""
    kept: list[WeightPoint] = []
    for place, point in enumerate(points):
        if not kept or point.weight != kept[-1].weight or place == len(points) - 1:
            kept.append(point)
    return tuple(kept)
