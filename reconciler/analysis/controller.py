"""Analysis runs: measure what is due, judge, write down how it stands (contract 6.5). A run made by hand works like any other."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from reconciler.analysis.advance import Advance, advance, refused
from reconciler.analysis.arguments import Unresolved
from reconciler.analysis.cleanup import expiry
from reconciler.analysis.due import due
from reconciler.analysis.manifest import InvalidMetric, parse_run, render_status
from reconciler.analysis.model import RUN_NAME, RUN_NAMESPACE, RUN_UID_LABEL, AnalysisRun, AnalysisStatus, RunPhase
from reconciler.analysis.observe import Measuring
from reconciler.analysis.preparation import Prepared, prepare
from reconciler.analysis.provider import Provider
from reconciler.analysis.validate import InvalidAnalysis
from reconciler.kernel.identity import Key, Manifest, ObjectRef, Resource, annotations_of, labels_of, name_of, namespace_of, uid_of
from reconciler.kernel.merge import merge_patch
from reconciler.kernel.plan import Emit, Patch, Plan, Remove
from reconciler.kernel.problem import InvalidField
from reconciler.kernel.resources import ANALYSIS_RUNS, JOBS, NAMESPACES
from reconciler.kernel.well_known import is_of_instance
from reconciler.runtime.access import ClusterAccess

WARNINGS = frozenset({RunPhase.ERROR, RunPhase.FAILED})


class AnalysisRunController:
    """One worker per run. Status goes to the run itself: the kind has no status subresource (contract 0.2)."""

    name = "analysisrun"
    watches: tuple[Resource, ...] = (ANALYSIS_RUNS, JOBS, NAMESPACES)

    def __init__(self, access: ClusterAccess, providers: Mapping[str, Provider], instance_id: str) -> None:
        self._cache = access.cache
        self._clock = access.clock
        self._apply = access.apply
        self._supported = frozenset(providers)
        self._measuring = Measuring(access.client, access.clock, providers)
        self._suspension = access.suspension
        self._instance_id = instance_id

    def keys_for(self, resource: Resource, manifest: Manifest) -> Iterable[Key]:
        """A run itself, and for a Job the run that started it."""
        if resource is ANALYSIS_RUNS:
            return [Key(self.name, namespace_of(manifest), name_of(manifest))]
        if resource is NAMESPACES:
            return [Key(self.name, name_of(manifest), name_of(run)) for run in self._cache.list(ANALYSIS_RUNS, name_of(manifest))]
        marks = annotations_of(manifest)
        if resource is JOBS and RUN_NAME in marks and RUN_UID_LABEL in labels_of(manifest):
            return [Key(self.name, marks.get(RUN_NAMESPACE) or namespace_of(manifest), marks[RUN_NAME])]
        return []

    async def reconcile(self, key: Key) -> datetime | None:
        manifest = self._cache.get(ANALYSIS_RUNS, key.namespace, key.name)
        if manifest is None or manifest["metadata"].get("deletionTimestamp") or not is_of_instance(manifest, self._instance_id):
            return None
        if await self._suspension.holds(ANALYSIS_RUNS, manifest):
            return None
        try:
            run = parse_run(manifest)
        except InvalidField as error:
            await self._record(manifest, AnalysisStatus(), refused(AnalysisStatus(), f"Analysis spec invalid: {error}"))
            return None
        if run.status.phase is not None and run.status.phase.completed:
            return await self._expire(run)
        return await self._advance(run)

    async def _advance(self, run: AnalysisRun) -> datetime | None:
        """One pass: what is due is measured, and the status says what that means."""
        try:
            ready = prepare(run, self._supported)
            answers = await self._measuring.measure(run, due(ready.terms, run.status, self._clock.now()))
        except Unresolved as error:
            await self._refuse(run, f"Unable to resolve metric arguments: {error}")
            return None
        except (InvalidMetric, InvalidAnalysis) as error:
            await self._refuse(run, f"Analysis spec invalid: {error}")
            return None
        advanced = advance(ready.terms, run.status, answers, ready.kept, self._clock.now())
        await self._record(run.manifest, run.status, advanced.status)
        await self._sweep(run, ready, advanced)
        return advanced.wake_at or expiry(advanced.status, run.time_to_live)

    async def _refuse(self, run: AnalysisRun, message: str) -> None:
        await self._record(run.manifest, run.status, refused(run.status, message))

    async def _record(self, manifest: Manifest, before: AnalysisStatus, after: AnalysisStatus) -> None:
        """What changed, with the version it was derived from; a write in between is looked at first. Then the events."""
        patch = merge_patch(manifest.get("status") or {}, render_status(after))
        if not patch:
            return
        body = {"metadata": {"resourceVersion": manifest["metadata"].get("resourceVersion", "")}, "status": patch}
        await self._apply(Plan(status=Patch(_place(manifest), body)))
        await self._apply(Plan(events(manifest, before, after)))

    async def _sweep(self, run: AnalysisRun, ready: Prepared, advanced: Advance) -> None:
        """What measurements left outside, beyond the limit of a metric that outgrew it; the limit counts those of all metrics of its kind
        (contract 13.55)."""
        overfull = [metric for metric in ready.terms.metrics if metric.name in advanced.overfull]
        for kind in dict.fromkeys(metric.kind for metric in overfull):
            limit = min(ready.kept[metric.name] for metric in overfull if metric.kind == kind)
            await self._apply(Plan(await self._measuring.sweep(kind, run.manifest, advanced.status, limit)))

    async def _expire(self, run: AnalysisRun) -> datetime | None:
        """Remove a completed run whose time is over (contract 6.10)."""
        moment = expiry(run.status, run.time_to_live)
        if moment is None or moment > self._clock.now():
            return moment
        await self._apply(Plan((Remove(_place(run.manifest), uid_of(run.manifest)),)))
        return None


def events(manifest: Manifest, before: AnalysisStatus, after: AnalysisStatus) -> tuple[Emit, ...]:
    """One event for each metric that ended in this pass, and one for the run (contract 6.11)."""
    told = []
    for result in after.results:
        earlier = before.result(result.name)
        if result.phase.completed and (earlier is None or earlier.phase != result.phase):
            words = f"Metric '{result.name}' Completed. Result: {result.phase}"
            told.append(Emit(manifest, f"Metric{result.phase}", words, result.phase in WARNINGS))
    if after.phase is not None and after.phase.completed and after.phase != before.phase:
        words = f"Analysis Completed. Result: {after.phase}"
        told.append(Emit(manifest, f"AnalysisRun{after.phase}", words, after.phase in WARNINGS))
    return tuple(told)


def _place(manifest: Manifest) -> ObjectRef:
    return ObjectRef(ANALYSIS_RUNS, namespace_of(manifest), name_of(manifest))
