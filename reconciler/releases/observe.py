"""Gathers what the judge of a release may know: the live Rollout, its runs and ReplicaSets, and whether its pods can come up."""

from collections.abc import Mapping
from dataclasses import replace

from reconciler.kernel.identity import Manifest, name_of, uid_of
from reconciler.kernel.resources import ANALYSIS_RUNS, DEPLOYMENTS, PODS, REPLICA_SETS, ROLLOUTS
from reconciler.kernel.well_known import HASH_LABEL as HASH
from reconciler.kube.cache import Cache
from reconciler.kube.client import Client
from reconciler.releases.after_promotion import after_name
from reconciler.releases.facts import ReleaseFacts
from reconciler.releases.holds import holder
from reconciler.releases.model import Release, ReleasePhase
from reconciler.releases.observe_history import history as history_of
from reconciler.releases.override import in_force
from reconciler.sources.inventory import workload_key

RESTARTS = 3
HOPELESS = {"CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "InvalidImageName", "CreateContainerConfigError"}


async def observe(client: Client, cache: Cache, release: Release, asked: Mapping[str, str]) -> ReleaseFacts:
    """All facts of one pass; pods are asked for only while the new version is not yet available.

    `asked` is what each workload of the source asks for now (workload key → identity).
    """
    history = history_of(cache, release.namespace, release.spec.workload.name)
    newer, held_by = _newer(history, release, asked), _held_by(history, release)
    rollout = cache.get(ROLLOUTS, release.namespace, release.spec.workload.name)
    if rollout is None:
        return ReleaseFacts(rollout=None, newer=newer, held_by=held_by)
    replica_sets = tuple(cache.owned(REPLICA_SETS, uid_of(rollout)))
    facts = ReleaseFacts(
        rollout=rollout,
        workload=_referent(cache, rollout, release.namespace),
        runs=tuple(cache.owned(ANALYSIS_RUNS, uid_of(rollout))),
        after=cache.get(ANALYSIS_RUNS, release.namespace, after_name(release)),
        replica_sets=replica_sets,
        newer=newer,
        held_by=held_by,
        overridden=in_force(rollout, release.spec.identity),
    )
    stuck = await _stuck(client, release, facts)
    return replace(facts, stuck=stuck)


def _referent(cache: Cache, rollout: Manifest, namespace: str) -> Manifest | None:
    reference = rollout["spec"].get("workloadRef") or {}
    if reference.get("kind") != "Deployment":
        return None
    return cache.get(DEPLOYMENTS, namespace, str(reference.get("name")))


def _newer(history: list[Release], release: Release, asked: Mapping[str, str]) -> str | None:
    """What took over: a later release of the workload, or Git asking for another identity by now."""
    later = [r for r in history if r.age > release.age]
    if any(r.spec.identity != release.spec.identity for r in later):
        return f"release {later[-1].name} took over"
    wanted = asked.get(workload_key(*release.key))
    if wanted is not None and wanted != release.spec.identity and not release.spec.baseline:
        return "Git asks for another version by now"
    return None


def _held_by(history: list[Release], release: Release) -> str | None:
    found = holder([r for r in history if r.name != release.name], release.spec.identity)
    return found.name if found else None


async def _stuck(client: Client, release: Release, facts: ReleaseFacts) -> str | None:
    """Why pods of the new version will never come up: crash loops and images that cannot be pulled."""
    pod_hash = release.status.pod_hash
    replica_set = facts.replica_set(pod_hash) if pod_hash else None
    if release.decided or release.status.phase is not ReleasePhase.PROGRESSING or replica_set is None or facts.promoted:
        return None
    wanted = int(replica_set["spec"].get("replicas") or 0)
    available = int((replica_set.get("status") or {}).get("availableReplicas") or 0)
    if wanted == 0 or available >= wanted:
        return None
    pods = await client.list(PODS, release.namespace, labels=f"{HASH}={pod_hash}")
    return next((words for pod in pods if (words := _hopeless(pod))), None)


def _hopeless(pod: Manifest) -> str | None:
    for container in (pod.get("status") or {}).get("containerStatuses") or []:
        waiting = (container.get("state") or {}).get("waiting") or {}
        reason, restarts = str(waiting.get("reason", "")), int(container.get("restartCount") or 0)
        if reason == "CrashLoopBackOff" and restarts < RESTARTS:
            continue
        if reason in HOPELESS:
            return f"container {container.get('name')} of pod {name_of(pod)} is in {reason} after {restarts} restarts"
    return None
