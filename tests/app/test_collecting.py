"""The metrics of releases: there, counted once, and only what this process saw."""

from datetime import timedelta
from typing import Any

from msgspec.structs import replace
from prometheus_client import CollectorRegistry, generate_latest

from reconciler.app.collecting import ReleaseCollector, SourceCollector
from reconciler.app.indexes import INDEXES
from reconciler.kernel.identity import Manifest
from reconciler.kernel.resources import ANALYSIS_RUNS, RELEASES
from reconciler.kube.cache import Cache
from reconciler.releases.manifest import render_release, status_patch
from reconciler.releases.model import Release, ReleasePhase, ReleaseStatus, Restore, RestoreState, Verdict
from reconciler.sources.inventory import Inventory
from reconciler.sources.observe_inventory import Inventories
from tests.kit.releases import NOW, release, run

BOTH = (RELEASES, ANALYSIS_RUNS)


class Fleet:
    """A cache and what a scrape of it says."""

    def __init__(self, *watched: Any) -> None:
        self.cache = Cache(watched, INDEXES)
        self.registry = CollectorRegistry()
        self.registry.register(ReleaseCollector(self.cache, watched, NOW))

    def put(self, found: Release) -> None:
        manifest = render_release(found)
        manifest["metadata"] |= {"uid": found.uid, "creationTimestamp": "2026-11-25T03:00:00Z"}
        self.cache.put(RELEASES, {**manifest, **(status_patch(ReleaseStatus(), found.status) or {})})

    def scrape(self) -> list[str]:
        return [line for line in generate_latest(self.registry).decode().splitlines() if not line.startswith("#")]


def ended(verdict: Verdict, *, seconds: int = 5, **known: Any) -> ReleaseStatus:
    return ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=verdict, decided_at=NOW + timedelta(seconds=seconds), **known)


def measured(begun: str, **counts: int) -> Manifest:
    found = run("Running")
    found["metadata"]["uid"] = "r"
    found["status"] = {"startedAt": begun, "metricResults": [{"name": "m", **counts}]}
    return found


def test_releases_have_a_sample_for_each_way_they_stand() -> None:
    fleet = Fleet(*BOTH)
    fleet.put(release("one"))
    fleet.put(release("two", status=ended(Verdict.FAILED)))
    fleet.put(release("three", status=ended(Verdict.FAILED)))
    said = fleet.scrape()
    assert 'reconciler_releases{environment="demo",phase="Pending",verdict=""} 1.0' in said
    assert 'reconciler_releases{environment="demo",phase="Closed",verdict="failed"} 2.0' in said


def test_a_verdict_and_its_restore_are_counted_once_however_often_they_are_scraped() -> None:
    fleet = Fleet(*BOTH)
    fleet.put(release("one"))
    fleet.scrape()
    wanted = release("one", status=ended(Verdict.FAILED, restore=Restore(state=RestoreState.WANTED)))
    fleet.put(wanted)
    assert not any(line.startswith("reconciler_restores_total") for line in fleet.scrape())
    fleet.put(replace(wanted, status=replace(wanted.status, restore=Restore(state=RestoreState.PUSHED))))
    for _ in range(3):
        said = fleet.scrape()
    assert 'reconciler_verdicts_total{environment="demo",verdict="failed"} 1.0' in said
    assert 'reconciler_restores_total{environment="demo",state="pushed"} 1.0' in said


def test_what_ended_before_the_process_started_is_not_counted_again() -> None:
    fleet = Fleet(*BOTH)
    fleet.put(release("old", status=ended(Verdict.PASSED, seconds=-60)))
    fleet.put(release("new", status=ended(Verdict.PASSED)))
    said = fleet.scrape()
    assert 'reconciler_verdicts_total{environment="demo",verdict="passed"} 1.0' in said
    assert 'reconciler_releases{environment="demo",phase="Closed",verdict="passed"} 2.0' in said


def test_measurements_are_counted_as_they_grow() -> None:
    fleet = Fleet(*BOTH)
    fleet.cache.put(ANALYSIS_RUNS, measured("2026-11-25T03:00:05Z", successful=2, failed=1))
    fleet.scrape()
    fleet.cache.put(ANALYSIS_RUNS, measured("2026-11-25T03:00:05Z", successful=5, failed=1))
    said = fleet.scrape()
    assert 'reconciler_measurements_total{outcome="successful"} 5.0' in said
    assert 'reconciler_measurements_total{outcome="failed"} 1.0' in said


def test_a_run_that_began_before_us_counts_from_now_on() -> None:
    fleet = Fleet(*BOTH)
    fleet.cache.put(ANALYSIS_RUNS, measured("2026-11-25T02:00:00Z", successful=7))
    assert not any(line.startswith("reconciler_measurements_total") for line in fleet.scrape())
    fleet.cache.put(ANALYSIS_RUNS, measured("2026-11-25T02:00:00Z", successful=9))
    assert 'reconciler_measurements_total{outcome="successful"} 2.0' in fleet.scrape()


def test_a_daemon_without_the_release_layer_has_no_release_to_tell_of() -> None:
    assert Fleet(ANALYSIS_RUNS).scrape() == []


def test_problems_and_drift_of_each_source_are_gauges() -> None:
    client: Any = None  # nothing is read here
    inventories, registry = Inventories(client, "reconciler", lambda: 0.0), CollectorRegistry()
    registry.register(SourceCollector(inventories))
    inventories.written("shop", Inventory(problems=("x", "y"), drifted=3))
    inventories.written("other", Inventory())
    said = generate_latest(registry).decode()
    assert 'reconciler_source_problems{source="shop"} 2.0' in said
    assert 'reconciler_source_drifted_objects{source="shop"} 3.0' in said
    assert 'reconciler_source_drifted_objects{source="other"} 0.0' in said
