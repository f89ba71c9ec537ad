"""What the page of one release shows: why it stands where it stands, its track, its charts, its tree."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.app.console.reading import ListQuestion, ListReading
from reconciler.kernel.errors import MISSHAPEN
from reconciler.kernel.frozen import Frozen
from reconciler.kernel.identity import Manifest, Resource, controller_uid, labels_of, name_of, namespace_of, uid_of
from reconciler.kernel.resources import ANALYSIS_RUNS, EVENTS, PODS, RELEASES, REPLICA_SETS
from reconciler.kernel.well_known import HASH_LABEL
from reconciler.releases.announce.apply_announcements import step_words
from reconciler.releases.announce.message import comment
from reconciler.releases.model import Release
from reconciler.releases.share.record import ShareFinding
from reconciler.views.measuring.measured import MetricSeries, kept_series, series_of
from reconciler.views.measuring.plots import NARROW_FRAME, WEIGHT_FRAME, MetricPlot, WeightPlot, WeightRecord, metric_plot, weight_plot
from reconciler.views.releases import running_release
from reconciler.views.rollouts import unreadable
from reconciler.views.track import Forecast, Track, forecast, track_of
from reconciler.views.tree import Family, TreeNode, facts, tree
from reconciler.views.weights import WeightPoint, asked_history, weight_history
from reconciler.views.why.absence import Absence, absent
from reconciler.views.why.attention import Attention, attention_of
from reconciler.views.why.explain import Situation, explain
from reconciler.views.why.explanation import Explanation

SERIES_SHOWN = 12
ENDS = frozenset({"began", "promoted", "decided"})
"""What a Release says of itself: where its line begins and ends, and nothing of the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """A workload and one release of it; `family` is there when the release is the newest one, or there is none."""

    namespace: str
    name: str
    release: Release | None
    newest: Release | None
    running: Release | None
    count: int
    """How many releases of the workload are kept."""
    kept: frozenset[str]
    """The names of the releases that are still there to be looked at."""
    there: bool
    """There is a Rollout of this name, whatever release is shown."""
    family: Family | None
    runs: Sequence[Manifest]
    """The runs of the version that is shown."""
    events: Sequence[Manifest]
    attention: Attention
    unreadable: str = ""
    explanation: Explanation | None = None
    track: Track | None = None
    forecast: Forecast | None = None
    facts: Mapping[str, object] | None = None
    weights: tuple[WeightPoint, ...] = ()
    weight_plots: tuple[WeightPlot, ...] = ()
    """Wide, and narrow for a phone; none where nothing is known or nothing was ever sent to it."""
    series: tuple[tuple[MetricSeries, MetricPlot | None], ...] = ()
    more_series: int = 0
    comment: str = ""
    """What the pull request is told, in Markdown; empty without one."""
    tree: TreeNode | None = None

    def judged(self, frozen: Sequence[Frozen], problems: tuple[str, ...], now: datetime, flags: str) -> "Detail":
        """With everything that can be said of it now."""
        series = _series(self)
        measured = tuple((one, metric_plot(one)) for one in series[:SERIES_SHOWN])
        shown = replace(self, series=measured, more_series=max(0, len(series) - SERIES_SHOWN))
        if self.family is None:
            points = weight_history(None, self.release, (), now)
            said = self.explanation or (self._absent(frozen, problems, flags) if self.unreadable or not self.there else None)
            plots = _plots(WeightRecord(points=points, observed=_observed(self.release)), now)
            return replace(shown, weights=points, weight_plots=plots, explanation=said)
        situation = Situation(family=self.family, release=self.newest, now=now, frozen=frozen, problems=problems, flags=flags)
        try:
            return _alive(shown, self.family, situation)
        except MISSHAPEN as error:
            broken = replace(shown, family=None, unreadable=unreadable(error))
            return replace(broken, explanation=broken._absent(frozen, problems, flags))

    def told(self, releases: Sequence[Release], rollouts: Mapping[tuple[str, str], Manifest]) -> "Detail":
        """With the comment of its pull request, in which all its releases have a section."""
        release = self.release
        if release is None or release.pull is None or release.spec.baseline:
            return self
        together = [one for one in releases if _same_comment(one, release)]
        steps = {one.name: _step_of(one, rollouts) for one in together}
        return replace(self, comment=comment(release.spec.environment, sorted(together, key=lambda one: one.name), steps))

    def _absent(self, frozen: Sequence[Frozen], problems: tuple[str, ...], flags: str) -> Explanation | None:
        """Why there is nothing to see of the Rollout."""
        if self.unreadable:
            place = f"Rollout {self.namespace}/{self.name}"
            return Explanation(
                sentence=f"{place}: {self.unreadable}",
                object=place,
                next=f"kubectl get rollout {self.name} -n {self.namespace}{flags} -o yaml",
            )
        return absent(Absence(namespace=self.namespace, name=self.name, problems=problems, release=self.newest, frozen=frozen, flags=flags))


def _same_comment(one: Release, release: Release) -> bool:
    """True of releases of one pull request and environment: they share a comment."""
    assert release.pull is not None, "the caller looked"
    same_place = (one.spec.source, one.spec.environment) == (release.spec.source, release.spec.environment)
    return same_place and one.pull is not None and one.pull.number == release.pull.number


def _step_of(release: Release, rollouts: Mapping[tuple[str, str], Manifest]) -> str:
    rollout = rollouts.get((release.namespace, release.spec.workload.name))
    try:
        return step_words(rollout) if rollout is not None and not release.decided else ""
    except MISSHAPEN:
        return ""


def _alive(detail: Detail, family: Family, situation: Situation) -> Detail:
    """The Rollout as it stands; its steps and weights only while they are those of the version that is shown."""
    known, now = facts(family), situation.now
    track = track_of(family) if _is_shown(detail.release, family) else None
    canary = track is not None and known["strategy"] == "Canary"
    expected = forecast(track, int(known["actualWeight"]), now) if track is not None and canary else None
    points = weight_history(family, detail.release, detail.events, now)
    asked = asked_history(family, detail.release, detail.events, now) if canary else ()
    record = WeightRecord(points=points, asked=asked, observed=_observed(detail.release), ahead=expected)
    plots = _plots(record, now) if canary or track is None else ()
    found = replace(detail, explanation=explain(situation), track=track, forecast=expected, facts=known)
    return replace(found, weights=points, weight_plots=plots, tree=tree(family))


def _is_shown(release: Release | None, family: Family) -> bool:
    """True when the pods that the Rollout speaks of are those of the release; one that is not decided may have none yet."""
    current = (family.rollout.get("status") or {}).get("currentPodHash")
    return release is None or not release.decided or release.status.pod_hash in ("", current)


def _plots(record: WeightRecord, now: datetime) -> tuple[WeightPlot, ...]:
    """None where only the beginning and the end are on record: what lay between would be drawn as if it had stayed."""
    if all(point.source in ENDS for point in record.points) and not (record.ahead is not None and record.ahead.ahead):
        return ()
    drawn = (weight_plot(record, now, frame) for frame in (WEIGHT_FRAME, NARROW_FRAME))
    return tuple(plot for plot in drawn if plot is not None)


def _observed(release: Release | None) -> tuple[ShareFinding, ...]:
    """What was served, as the policy had it looked at; of an old record only the last batch."""
    share = release.status.share if release is not None else None
    if share is None:
        return ()
    return share.batches or ((share.found,) if share.found is not None else ())


def detail_questions(namespace: str, name: str) -> tuple[ListQuestion, ...]:
    """What is asked of the namespace of a workload."""
    return (
        ListQuestion(REPLICA_SETS, namespace),
        ListQuestion(PODS, namespace),
        ListQuestion(ANALYSIS_RUNS, namespace),
        ListQuestion(EVENTS, namespace, fields=f"involvedObject.kind=Rollout,involvedObject.name={name}"),
    )


def detail_of(rollout: Manifest | None, release: Release | None, releases: Sequence[Release], readings: Sequence[ListReading]) -> Detail:
    """What is known of one release, not judged yet; `releases` are those of the workload, oldest first."""
    found = {reading.question.resource: reading.items for reading in readings}
    newest = releases[-1] if releases else None
    live = rollout is not None and (release is None or newest is None or release.name == newest.name)
    family = _family(rollout, found) if rollout is not None and live else None
    try:
        attention, said = attention_of(rollout if live else None, release), ""
    except MISSHAPEN as error:
        attention, said, family = Attention.DEGRADED, unreadable(error), None
    return Detail(
        namespace=namespace_of(rollout) if rollout is not None else release.namespace if release is not None else "",
        name=name_of(rollout) if rollout is not None else release.spec.workload.name if release is not None else "",
        release=release,
        newest=newest,
        running=running_release(rollout, releases) if rollout is not None else None,
        count=len(releases),
        kept=frozenset(one.name for one in releases),
        there=rollout is not None,
        family=family,
        runs=_runs(rollout, release, found.get(ANALYSIS_RUNS, ())),
        events=found.get(EVENTS, ()),
        attention=attention,
        unreadable=said,
    )


def _family(rollout: Manifest, found: Mapping[Resource, Sequence[Manifest]]) -> Family:
    own = uid_of(rollout)
    sets = [one for one in found.get(REPLICA_SETS, ()) if controller_uid(one) == own]
    uids = {uid_of(one) for one in sets}
    pods = [one for one in found.get(PODS, ()) if controller_uid(one) in uids]
    return Family(rollout, sets, pods, [one for one in found.get(ANALYSIS_RUNS, ()) if controller_uid(one) == own])


def _runs(rollout: Manifest | None, release: Release | None, runs: Iterable[Manifest]) -> list[Manifest]:
    """The runs of this version, without those that belong to earlier attempts, newest first."""
    own = uid_of(rollout) if rollout is not None else ""
    current = str((rollout.get("status") or {}).get("currentPodHash") or "") if rollout is not None else ""
    pod_hash = (release.status.pod_hash if release is not None else "") or current
    earlier = set(release.spec.earlier_runs) if release is not None else set()
    named = {row.run for row in release.status.evidence} if release is not None else set()
    mine = [one for one in runs if _belongs(one, own, pod_hash, named) and uid_of(one) not in earlier]
    return sorted(mine, key=lambda run: str(run["metadata"].get("creationTimestamp") or ""), reverse=True)


def _belongs(run: Manifest, rollout: str, pod_hash: str, named: set[str]) -> bool:
    """A run of the version, or one that its evidence names (a release watches with runs of its own)."""
    owners = {str(owner.get("kind")) for owner in run["metadata"].get("ownerReferences") or []}
    of_version = bool(pod_hash) and labels_of(run).get(HASH_LABEL) == pod_hash
    return name_of(run) in named or (of_version and (controller_uid(run) == rollout or RELEASES.kind in owners))


def _series(detail: Detail) -> tuple[MetricSeries, ...]:
    """Measurements of the runs, and what was put on record of runs that are gone."""
    try:
        if detail.release is None:
            return series_of(detail.runs)
        return kept_series(detail.release.status.evidence, detail.runs)
    except MISSHAPEN:
        return kept_series(detail.release.status.evidence, ()) if detail.release is not None else ()
