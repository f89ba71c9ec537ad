"""Which finished runs and Jobs are no longer wanted (contract 6.10, 7.3)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.analysis.founded import with_dropped
from reconciler.analysis.manifest import render_measurement
from reconciler.analysis.model import AnalysisStatus, MetricResult, RunPhase, TimeToLive
from reconciler.kernel.identity import Manifest, labels_of, name_of
from reconciler.kernel.well_known import HASH_LABEL

SECOND = timedelta(seconds=1)


def runs_to_delete(
    runs: Iterable[Manifest],
    living: Collection[str],
    *,
    current: Collection[str],
    successful: int = 5,
    unsuccessful: int = 5,
) -> tuple[Manifest, ...]:
    """The runs to remove, oldest first: those of versions that are gone, and all but the newest ended ones; never `current`.

    `living` are the pod template hashes of the ReplicaSets that are there to stay.
    """
    candidates = [run for run in runs if name_of(run) not in current and not run["metadata"].get("deletionTimestamp")]
    orphans = [run for run in candidates if labels_of(run).get(HASH_LABEL, "") not in living or not labels_of(run).get(HASH_LABEL)]
    kept = [run for run in candidates if run not in orphans]
    good = _beyond([run for run in kept if _phase(run) == RunPhase.SUCCESSFUL], successful)
    bad = _beyond([run for run in kept if _phase(run) in (RunPhase.FAILED, RunPhase.ERROR, RunPhase.INCONCLUSIVE)], unsuccessful)
    return tuple(sorted((*orphans, *good, *bad), key=_age))


def expiry(status: AnalysisStatus, time_to_live: TimeToLive) -> datetime | None:
    """When a completed run is to be removed. Errors and inconclusive ends only know the general limit."""
    if status.phase is None or not status.phase.completed or status.completed is None:
        return None
    special = {RunPhase.SUCCESSFUL: time_to_live.after_success, RunPhase.FAILED: time_to_live.after_failure}.get(status.phase)
    seconds = special if special is not None else time_to_live.after_completion
    return None if seconds is None else status.completed + timedelta(seconds=seconds) + SECOND


def trimmed(results: Iterable[MetricResult], kept: Mapping[str, int], jobs: Collection[str] = ()) -> tuple[MetricResult, ...]:
    """The results with the newest measurements of each metric only; of those that go, the ones that held data are counted.

    `jobs` are the metrics that answer by the end of a Job.
    """
    return tuple(_newest(r, kept[r.name], by_value=r.name not in jobs) if r.name in kept else r for r in results)


def _newest(result: MetricResult, limit: int, *, by_value: bool) -> MetricResult:
    dropped = [render_measurement(measurement) for measurement in result.measurements[:-limit]]
    metadata = with_dropped(result.metadata, dropped, by_value=by_value)
    return replace(result, measurements=result.measurements[-limit:], metadata=metadata)


def jobs_to_delete(jobs: Sequence[Manifest], limit: int) -> tuple[Manifest, ...]:
    """All but the newest `limit` Jobs of a run, of every metric together (contract 13.55)."""
    return _beyond(jobs, limit)


def _beyond(objects: Sequence[Manifest], limit: int) -> tuple[Manifest, ...]:
    newest_first = sorted(objects, key=_age, reverse=True)
    return tuple(reversed(newest_first[max(limit, 0) :]))


def _age(manifest: Manifest) -> tuple[str, int, str]:
    """Older first; within a second by number, as names end in one."""
    return str(manifest["metadata"].get("creationTimestamp") or ""), len(name_of(manifest)), name_of(manifest)


def _phase(run: Manifest) -> str:
    return str((run.get("status") or {}).get("phase") or "")
