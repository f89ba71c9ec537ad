"""Requests in the window of one measurement: with fewer than the policy asks for it says nothing of the version. Pure."""

from collections.abc import Sequence
from datetime import datetime
from math import isfinite

from reconciler.analysis.founded import ANSWERED, COUNTS, JOB_KIND, THIN
from reconciler.kernel.identity import Manifest
from reconciler.kernel.moment import parse_moment
from reconciler.releases.model import Evidence
from reconciler.releases.policies.policy import ReleasePolicy
from reconciler.releases.verdict.evidence import NUMBER, evidence_of

COUNTED = ("successful", "failed", "inconclusive")
"""Where a metric's result counts its measurements, those that it dropped too (contract 6.2)."""

Reading = tuple[datetime, float]
"""When requests were counted, and how many there had been by then."""


def measured(run: Manifest, policy: ReleasePolicy) -> tuple[Evidence, ...]:
    """The rows of a run as the policy lets them count."""
    return evidence_of(without_thin(run, policy))


def thin_words(evidence: Sequence[Evidence]) -> str:
    """What is missing in rows without data, in words that follow their subject."""
    thin = sum(row.thin for row in evidence)
    return f"held data: {thin} met fewer requests than minimumRequestsPerWindow asks for" if thin else "held data"


def without_thin(run: Manifest, policy: ReleasePolicy) -> Manifest:
    """The run with a doubt on each measurement in whose window fewer requests came; the same run where the policy asks for none.

    A window reaches from the measurement before (of the first one: from the version's first request) to the measurement; the readings of
    the policy's volume metric nearest to both count. Measurements that the run dropped, and the one after them, have no window any more:
    what cannot be shown is no evidence. A Job answers by its end, with or without requests: it stays.
    """
    least = policy.minimum_requests_per_window
    status = run.get("status") or {}
    results = status.get("metricResults") or []
    if not least or not results:
        return run
    readings = _readings(next((one for one in results if one.get("name") == policy.volume_metric), {}))
    jobs = {metric.get("name") for metric in (run.get("spec") or {}).get("metrics") or [] if JOB_KIND in (metric.get("provider") or {})}
    kept = {policy.volume_metric, *jobs}
    judged = [one if one.get("name") in kept else _doubted(one, readings, least) for one in results]
    return {**run, "status": {**status, "metricResults": judged}}


def _doubted(result: Manifest, readings: Sequence[Reading], least: int) -> Manifest:
    kept = result.get("measurements") or []
    counted = sum(found for name in COUNTED if isinstance(found := result.get(name), int))
    before = None if counted > sum(one.get("phase") in ANSWERED for one in kept) else 0.0
    measurements = []
    for measurement in kept:
        came = _so_far(measurement, readings)
        thin = measurement.get("phase") in ANSWERED and (before is None or _since(before, came) < least)
        measurements.append({**measurement, "metadata": {**(measurement.get("metadata") or {}), THIN: "true"}} if thin else measurement)
        before = came
    return {**result, "measurements": measurements, "metadata": {**(result.get("metadata") or {}), **dict.fromkeys(COUNTS.values(), "0")}}


def _since(before: float, came: float) -> float:
    """How many came between two readings; a counter that fell began anew."""
    return came - before if came >= before else came


def _so_far(measurement: Manifest, readings: Sequence[Reading]) -> float:
    """How many requests there had been by a measurement, by the reading nearest to it; 0 where nothing was read."""
    moment = _moment(measurement)
    return min(readings, key=lambda reading: abs(reading[0] - moment))[1] if moment is not None and readings else 0.0


def _readings(result: Manifest) -> tuple[Reading, ...]:
    found = ((_moment(one), _number(one)) for one in result.get("measurements") or [] if one.get("phase") in ANSWERED)
    return tuple((moment, number) for moment, number in found if moment is not None and number is not None)


def _number(measurement: Manifest) -> float | None:
    numbers = map(float, NUMBER.findall(str(measurement.get("value") or "")))
    return max((number for number in numbers if isfinite(number)), default=None)


def _moment(measurement: Manifest) -> datetime | None:
    """When it was asked; None where the record does not say so in a way that can be read."""
    try:
        return parse_moment(str(measurement.get("startedAt") or measurement.get("finishedAt") or ""))
    except ValueError:
        return None
