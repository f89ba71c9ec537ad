"""The releases of the fleet as Prometheus metrics, read off the informer cache at each scrape (docs/metrics.md)."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from reconciler.kernel.identity import Manifest, Resource, name_of, namespace_of, uid_of
from reconciler.kernel.moment import parse_moment
from reconciler.kernel.resources import ANALYSIS_RUNS, RELEASES
from reconciler.kube.cache import Cache
from reconciler.releases.manifest import parse_releases
from reconciler.releases.model import Release, RestoreState
from reconciler.sources.observe_inventory import Inventories

OUTCOMES = ("successful", "failed", "inconclusive", "error")
Place = tuple[str, ...]
Counts = Counter[tuple[str, ...]]


class Tally:
    """Counts what objects report of themselves, each growth once; what an object had before we started is not ours to count."""

    def __init__(self) -> None:
        self.totals: Counts = Counter()
        self._known: dict[Place, Counts] = {}

    def look(self, reported: Mapping[Place, Counts], before: Collection[Place]) -> None:
        """Take what every object reports now; those of `before` are older than we are, so that their first report only begins."""
        for place, counts in reported.items():
            grown = counts - self._known.get(place, counts if place in before else Counter())
            self.totals.update(grown)
        self._known = dict(reported)


class ReleaseCollector(Collector):
    """`reconciler_releases` as it is now, and counters of verdicts, restores and measurements since the process started."""

    def __init__(self, cache: Cache, watched: Collection[Resource], started: datetime) -> None:
        self._cache = cache
        self._watched = watched
        self._started = started
        self._verdicts, self._restores, self._measurements = Tally(), Tally(), Tally()

    def collect(self) -> Iterator[Metric]:
        """Every family, each with its samples."""
        releases, runs = parse_releases(self._list(RELEASES)), self._list(ANALYSIS_RUNS)
        yield self._standing(releases)
        self._verdicts.look({_place(r): _verdict(r) for r in releases}, self._older(releases))
        self._restores.look({_place(r): _restore(r) for r in releases}, self._older(releases))
        begun_before = [_key(run) for run in runs if not self._began_here((run.get("status") or {}).get("startedAt"))]
        self._measurements.look({_key(run): _measured(run) for run in runs}, begun_before)
        labels = ["verdict", "environment"]
        yield _counter("reconciler_verdicts", "Verdicts of releases since the start of this process", labels, self._verdicts)
        labels = ["state", "environment"]
        yield _counter("reconciler_restores", "Ways back in Git since the start of this process, by how they ended", labels, self._restores)
        yield _counter("reconciler_measurements", "Measurements since the start of this process", ["outcome"], self._measurements)

    def _list(self, resource: Resource) -> Iterable[Manifest]:
        return self._cache.list(resource) if resource in self._watched else ()

    def _standing(self, releases: Iterable[Release]) -> Metric:
        family = GaugeMetricFamily("reconciler_releases", "Releases by phase and verdict", labels=["phase", "verdict", "environment"])
        counts = Counter((str(r.status.phase), str(r.status.verdict or ""), r.spec.environment) for r in releases)
        for labels, count in sorted(counts.items()):
            family.add_metric(labels, count)
        return family

    def _older(self, releases: Iterable[Release]) -> list[Place]:
        """The releases that were decided before this process started; their restore is older than we are, too, or is seen as it moves."""
        return [_place(r) for r in releases if r.status.decided_at is not None and r.status.decided_at < self._started]

    def _began_here(self, started: object) -> bool:
        try:
            return parse_moment(str(started)) >= self._started.replace(microsecond=0)
        except ValueError:
            return True  # not begun yet: all of it will be ours


class SourceCollector(Collector):
    """How many problems each source has on record, and how many of its objects live otherwise than Git has them."""

    def __init__(self, inventories: Inventories) -> None:
        self._inventories = inventories

    def collect(self) -> Iterator[Metric]:
        """Every family, each with its samples."""
        counted = sorted(self._inventories.counted.items())
        problems = GaugeMetricFamily("reconciler_source_problems", "Problems of a source that are on record", labels=["source"])
        drifted = GaugeMetricFamily("reconciler_source_drifted_objects", "Objects that others have changed", labels=["source"])
        for name, numbers in counted:
            problems.add_metric([name], numbers.problems)
            drifted.add_metric([name], numbers.drifted)
        yield from (problems, drifted)


def _counter(name: str, words: str, labels: list[str], tally: Tally) -> Metric:
    family = CounterMetricFamily(name, words, labels=labels)
    for values, count in sorted(tally.totals.items()):
        family.add_metric(values, count)
    return family


def _place(release: Release) -> Place:
    return release.namespace, release.name, release.uid


def _key(run: Manifest) -> Place:
    return namespace_of(run), name_of(run), uid_of(run)


def _verdict(release: Release) -> Counts:
    verdict = release.status.verdict
    return Counter([(str(verdict), release.spec.environment)] if verdict is not None else [])


def _restore(release: Release) -> Counts:
    restore = release.status.restore
    ended = restore is not None and restore.state is not RestoreState.WANTED
    return Counter([(str(restore.state), release.spec.environment)] if restore is not None and ended else [])


def _measured(run: Manifest) -> Counts:
    counts: Counts = Counter()
    for result in (run.get("status") or {}).get("metricResults") or ():
        for outcome in OUTCOMES:
            counts[(outcome,)] += int(result.get(outcome) or 0)
    return counts
