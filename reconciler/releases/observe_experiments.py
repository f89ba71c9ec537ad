"""The Experiments of a Rollout and what they measured, followed by their owners (contract 8.3, 8.5)."""

from collections.abc import Sequence

from reconciler.analysis.model import RunPhase
from reconciler.kernel.identity import Manifest, controller_uid, uid_of
from reconciler.kernel.resources import ANALYSIS_RUNS, EXPERIMENTS
from reconciler.kernel.well_known import HASH_LABEL
from reconciler.kube.cache import Cache
from reconciler.kube.client import Client
from reconciler.kube.errors import NotServed
from reconciler.releases.model import Release
from reconciler.releases.verdict.runs import EXPERIMENT, Run
from reconciler.rollouts.view import RolloutView


async def experiments(client: Client, cache: Cache, live: RolloutView, release: Release) -> Sequence[Manifest]:
    """Those the Rollout owns. Of one that came home and has no verdict yet they are asked for: the one that did it is no longer named, and
    its end may not have been heard of."""
    known, uid = cache.owned(EXPERIMENTS, uid_of(live.manifest)), uid_of(live.manifest)
    if release.decided or not live.aborted or not release.status.pod_hash or not _asks_for_some(live.manifest):
        return known
    try:
        found = await client.list(EXPERIMENTS, release.namespace, labels=f"{HASH_LABEL}={release.status.pod_hash}")
    except NotServed:
        return known
    return [experiment for experiment in found if controller_uid(experiment) == uid]


async def runs(client: Client, cache: Cache, release: Release, found: Sequence[Manifest]) -> tuple[Run, ...]:
    """Their runs. One that an experiment calls ended, and that the cache knows no end of, is asked for: events may be late."""
    known: list[Run] = []
    for experiment in found:
        by_name = {run.name: run for run in known_runs(cache, [experiment])}
        for name in () if release.decided else _ended(experiment):
            if name in by_name and by_name[name].ended:
                continue
            run = await client.find(ANALYSIS_RUNS, release.namespace, name)
            if run is not None and controller_uid(run) == uid_of(experiment):
                by_name[name] = Run(run, EXPERIMENT, experiment)
        known += by_name.values()
    return tuple(known)


def known_runs(cache: Cache, found: Sequence[Manifest]) -> list[Run]:
    """What watches have told of."""
    return [Run(run, EXPERIMENT, experiment) for experiment in found for run in cache.owned(ANALYSIS_RUNS, uid_of(experiment))]


def _ended(experiment: Manifest) -> list[str]:
    over = [phase for phase in RunPhase if phase.completed]
    named = (experiment.get("status") or {}).get("analysisRuns") or []
    known = [each for each in named if isinstance(each, dict)]
    return [str(each["analysisRun"]) for each in known if each.get("analysisRun") and each.get("phase") in over]


def _asks_for_some(rollout: Manifest) -> bool:
    canary = ((rollout.get("spec") or {}).get("strategy") or {}).get("canary") or {}
    return any(step.get("experiment") for step in canary.get("steps") or ())
