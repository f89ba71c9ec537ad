"""What is removed, and when (contract 6.10)."""

from dataclasses import replace
from datetime import timedelta

from reconciler.analysis.cleanup import expiry, jobs_to_delete, runs_to_delete, trimmed
from reconciler.analysis.model import AnalysisStatus, RunPhase, TimeToLive
from reconciler.kernel.identity import Manifest, name_of
from tests.kit.analysis import NOW, result

HASH = "rollouts-pod-template-hash"


def ended(name: str, phase: str, minute: int = 0, pod_hash: str | None = "h1", **metadata: object) -> Manifest:
    labels = {HASH: pod_hash} if pod_hash else {}
    created = f"2026-01-01T00:{minute:02d}:00Z"
    return {"metadata": {"name": name, "labels": labels, "creationTimestamp": created, **metadata}, "status": {"phase": phase}}


def removed(*runs: Manifest, **limits: object) -> list[str]:
    return [name_of(run) for run in runs_to_delete(runs, {"h1"}, current=limits.pop("current", ()), **limits)]


def test_runs_of_versions_that_are_gone_are_removed() -> None:
    runs = [ended("bare", "Running", pod_hash=None), ended("lost", "Running", pod_hash="h9"), ended("leaving", "Failed", pod_hash="h2")]
    assert removed(*runs) == ["bare", "lost", "leaving"]


def test_a_replica_set_without_a_version_keeps_no_run_alive() -> None:
    bare = ended("bare", "Running", pod_hash=None)
    assert [name_of(run) for run in runs_to_delete([bare], {""}, current=())] == ["bare"]


def test_the_newest_of_each_end_are_kept() -> None:
    runs = [ended(f"s{n}", "Successful", n) for n in range(4)]
    runs += [ended(f"b{n}", phase, n) for n, phase in enumerate(("Failed", "Error", "Inconclusive"))]
    assert removed(*runs, successful=2, unsuccessful=1) == ["b0", "s0", "b1", "s1"]


def test_unfinished_and_current_runs_are_kept() -> None:
    assert removed(ended("now", "Failed", pod_hash="h9"), ended("on", "Running"), successful=0, unsuccessful=0, current={"now"}) == []


def test_a_run_being_deleted_is_not_deleted_again() -> None:
    assert removed(ended("x", "Failed", pod_hash="h9", deletionTimestamp="2026-01-01T00:00:00Z")) == []


def test_time_to_live_depends_on_the_end() -> None:
    limits = TimeToLive(after_completion=300, after_success=60, after_failure=120)

    def seconds(phase: RunPhase, known: TimeToLive = limits, completed: bool = True) -> float | None:
        moment = expiry(AnalysisStatus(phase=phase, completed=NOW if completed else None), known)
        return None if moment is None else (moment - NOW) / timedelta(seconds=1)

    assert seconds(RunPhase.SUCCESSFUL) == 61
    assert seconds(RunPhase.FAILED) == 121
    assert seconds(RunPhase.ERROR) == seconds(RunPhase.INCONCLUSIVE) == 301
    assert seconds(RunPhase.SUCCESSFUL, TimeToLive(after_completion=5)) == 6
    assert seconds(RunPhase.ERROR, TimeToLive(after_failure=5)) is None
    assert seconds(RunPhase.ERROR, completed=False) is None
    assert seconds(RunPhase.RUNNING) is None


def test_only_the_newest_measurements_stay() -> None:
    kept = trimmed([result("SFI"), result("SS", "other")], {"m": 2})
    assert [len(r.measurements) for r in kept] == [2, 2]
    assert kept[0].measurements[-1].phase is RunPhase.INCONCLUSIVE


def test_what_held_data_is_counted_before_it_is_dropped() -> None:
    known = result("SSFSS")
    known = replace(
        known, measurements=tuple(replace(one, value=text) for one, text in zip(known.measurements, ("1", "", "0", "1", "1"), strict=False))
    )
    (once,) = trimmed([known], {"m": 3})
    (twice,) = trimmed([once], {"m": 1})
    assert once.metadata == {"DroppedSuccessfulWithData": "1", "DroppedFailedWithData": "0"}
    assert twice.metadata == {"DroppedSuccessfulWithData": "2", "DroppedFailedWithData": "1"}
    assert trimmed([twice], {"m": 1}) == (twice,) and trimmed([known], {"m": 5}) == (known,)
    assert trimmed([known], {"m": 3}, {"m"})[0].metadata["DroppedSuccessfulWithData"] == "2"  # a Job answers by its end


def test_the_newest_jobs_survive_also_within_one_second() -> None:
    jobs = [ended(f"u.m.{n}", "", pod_hash=None) for n in (9, 10, 11)]
    assert [name_of(job) for job in jobs_to_delete(jobs, 2)] == ["u.m.9"]
