"""The release layer's pass: judge what the rollout layer did, steer it by its verbs, restore Git, tell people (DESIGN 2).

Order: verdict and evidence are frozen in the Release first; then Git; then announcements. Each step first looks whether it is done.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from msgspec.structs import replace

from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import Key, Manifest, ObjectRef, Resource, annotations_of, labels_of, name_of, namespace_of
from reconciler.kernel.plan import Create, Emit, Patch, Plan
from reconciler.kernel.resources import (
    ANALYSIS_RUNS,
    CLUSTER_RELEASE_POLICIES,
    DEPLOYMENTS,
    NAMESPACES,
    RELEASE_POLICIES,
    RELEASES,
    REPLICA_SETS,
    ROLLOUTS,
)
from reconciler.kube.cache import Cache
from reconciler.kube.client import Client
from reconciler.releases.after_promotion import after_name
from reconciler.releases.contradiction import UNJUDGED, contradiction
from reconciler.releases.indexes import workload_of, workload_word
from reconciler.releases.judge import judge
from reconciler.releases.manifest import parse_release, status_patch
from reconciler.releases.message import headline
from reconciler.releases.model import Release, ReleasePhase, ReleaseStatus, Restore, RestoreState
from reconciler.releases.observe import observe
from reconciler.releases.observe_after_promotion import begin_watch
from reconciler.releases.observe_history import siblings
from reconciler.releases.observe_policies import Policies
from reconciler.releases.policy import DEFAULT, ReleasePolicy, WorkloadName
from reconciler.releases.steer import on_the_way_home, steer
from reconciler.runtime.apply import Apply
from reconciler.runtime.suspension import Suspension
from reconciler.sources.observe_inventory import Inventories

GLANCE = timedelta(seconds=5)
UNDECIDED_LOOK = timedelta(seconds=2)
REFUSED_PAUSE, UNTOLD_PAUSE = 30.0, 30.0
log = structlog.get_logger()


class Restorer(Protocol):
    """Brings Git back to the proven value of what a release changed."""

    async def restore(self, release: Release) -> Restore: ...


class Announcer(Protocol):
    """Tells the pull request and the commit how a release stands; returns what was told, so that it is told once."""

    async def announce(self, release: Release, siblings: tuple[Release, ...]) -> str: ...


@dataclass(frozen=True, slots=True)
class Outside:
    """What a release reaches beyond itself, and who speaks for it."""

    restorer: Restorer
    announcer: Announcer
    policies: Policies
    inventories: Inventories


class ReleaseController:
    """One worker per Release. Needs only verbs that every client has, so it also works beside another rollout controller."""

    name = "release"
    watches = (RELEASES, ROLLOUTS, ANALYSIS_RUNS, REPLICA_SETS, DEPLOYMENTS, RELEASE_POLICIES, CLUSTER_RELEASE_POLICIES, NAMESPACES)

    def __init__(self, client: Client, cache: Cache, clock: Clock, outside: Outside) -> None:
        self._client = client
        self._cache = cache
        self._clock = clock
        self._apply = Apply(client, cache, clock)
        self._outside = outside
        self._policies = outside.policies
        self._suspension = Suspension(cache, self._apply)

    def keys_for(self, resource: Resource, manifest: Manifest) -> Iterable[Key]:
        """A Release itself, those it may supersede; for a Rollout or one of its runs, its open releases."""
        if resource is RELEASES:
            own = Key(self.name, namespace_of(manifest), name_of(manifest))
            return [own, *self._open_among(workload_of(manifest))]
        if resource is NAMESPACES:
            return self._open_keys(name_of(manifest))
        if resource in (RELEASE_POLICIES, CLUSTER_RELEASE_POLICIES):
            return self._open_keys(namespace_of(manifest))
        release = labels_of(manifest).get("reconciler.dev/release") or annotations_of(manifest).get("reconciler.dev/release")
        if release:
            return [Key(self.name, namespace_of(manifest), release)]
        if resource is ROLLOUTS:
            return self._open_among(workload_word(namespace_of(manifest), name_of(manifest)))
        if resource is ANALYSIS_RUNS:
            return [key for name in _rollouts(manifest) for key in self._open_among(workload_word(namespace_of(manifest), name))]
        return []

    async def reconcile(self, key: Key) -> datetime | None:
        manifest = self._cache.get(RELEASES, key.namespace, key.name)
        if manifest is None or manifest["metadata"].get("deletionTimestamp"):
            return None
        if await self._suspension.holds(RELEASES, manifest):
            return None
        release = parse_release(manifest)
        if await self._workload_is_held(release):
            return await self._finish(manifest, release)
        policy = await self._policy(manifest, release)
        facts = await observe(self._client, self._cache, release, await self._asked(release))
        now = self._clock.now()
        status = judge(_judgeable(release), policy, facts, now)
        if status != release.status:
            await self._record(manifest, release, status)
            return now
        actions = steer(release, policy, facts, now)
        if actions:
            await self._apply(Plan(actions))
            return now + GLANCE
        if await self._begin_watch(release, policy):
            return now + GLANCE
        if on_the_way_home(release, facts, now):
            return now + UNDECIDED_LOOK
        again = await self._finish(manifest, release)
        return min(filter(None, (again, self._next_look(release, policy, now))), default=None)

    async def _policy(self, manifest: Manifest, release: Release) -> ReleasePolicy:
        """Who speaks for the workload; a verdict needs nobody any more. Raises Terminal, and says so, when nobody can."""
        if release.decided:
            return DEFAULT
        rollout = self._cache.get(ROLLOUTS, release.namespace, release.spec.workload.name)
        try:
            policy = self._policies.judging(release.namespace, release.spec.workload.name, _template(release))
            refused = contradiction(policy, rollout)
            if refused:
                raise Terminal(refused)
        except Terminal as error:
            await self._say_unjudged(manifest, release, f"{UNJUDGED}{error}")
            raise
        return policy

    async def _say_unjudged(self, manifest: Manifest, release: Release, reason: str) -> None:
        if release.status.reason == reason:
            return
        await self._record(manifest, release, replace(release.status, reason=reason))
        await self._apply(Plan(tuple(Emit(about, "ReleaseNotJudged", reason, warning=True) for about in self._told(manifest, release))))

    async def _finish(self, manifest: Manifest, release: Release) -> datetime | None:
        """Git, then people: what is done for a release whatever becomes of its workload."""
        try:
            if await self._restore(manifest, release):
                return self._clock.now()
        except Transient:
            await self._announce(manifest, release)  # people hear how it ended, whether Git can be reached or not
            raise
        return await self._announce(manifest, release)

    async def _workload_is_held(self, release: Release) -> bool:
        """Whether a person suspended the Rollout: it is neither judged nor steered then."""
        rollout = self._cache.get(ROLLOUTS, release.namespace, release.spec.workload.name)
        return rollout is not None and await self._suspension.holds(ROLLOUTS, rollout)

    async def _asked(self, release: Release) -> Mapping[str, str]:
        """What the release's source asks for now; nothing is known once the release is closed and nothing depends on it."""
        if release.decided:
            return {}
        return await self._outside.inventories.workloads(release.spec.source)

    async def _record(self, manifest: Manifest, release: Release, status: ReleaseStatus) -> None:
        """The status with the version it was derived from: whoever wrote in between is looked at first."""
        patch = status_patch(release.status, status)
        if patch is None:
            return
        place = ObjectRef(RELEASES, release.namespace, release.name)
        body = {**patch, "metadata": {"resourceVersion": release.version}}
        events = self._events(manifest, release, status)
        await self._apply(Plan(status=Patch(place, body, subresource="status")))
        await self._apply(Plan(events))

    def _events(self, manifest: Manifest, release: Release, status: ReleaseStatus) -> tuple[Emit, ...]:
        if status.verdict is None or status.verdict == release.status.verdict:
            return ()
        ended = replace(release, status=status)
        warning = status.restore is not None or status.held
        words = f"{headline(ended)}: {status.reason}"
        return tuple(Emit(about, "ReleaseEnded", words, warning) for about in self._told(manifest, release))

    def _told(self, manifest: Manifest, release: Release) -> list[Manifest]:
        """Whom events of a release are about: itself and its Rollout."""
        rollout = self._cache.get(ROLLOUTS, release.namespace, release.spec.workload.name)
        return [manifest] if rollout is None else [manifest, rollout]

    async def _begin_watch(self, release: Release, policy: ReleasePolicy) -> bool:
        """Create the run that watches after promotion, once. Its name is the release's, so a cut pass finds it again."""
        if release.status.phase is not ReleasePhase.WATCHING or policy.after_promotion is None:
            return False
        if self._cache.get(ANALYSIS_RUNS, release.namespace, after_name(release)) is not None:
            return False
        run = await begin_watch(self._client, release, policy.after_promotion)
        await self._apply(Plan((Create(ANALYSIS_RUNS, run),)))
        return True

    async def _restore(self, manifest: Manifest, release: Release) -> bool:
        """Ask Git for the way back, as long as it is wanted."""
        restore = release.status.restore
        if restore is None or restore.state is not RestoreState.WANTED:
            return False
        try:
            ended = await self._outside.restorer.restore(release)
        except Terminal as error:  # what Git refuses today it may take once a person has mended it: asked for until it is done
            raise Transient(f"release {release.name} is not restored in Git: {error}", REFUSED_PAUSE) from error
        phase = ReleasePhase.CLOSED if ended.state is not RestoreState.WANTED else release.status.phase
        await self._record(manifest, release, replace(release.status, restore=ended, phase=phase))
        return True

    async def _announce(self, manifest: Manifest, release: Release) -> datetime | None:
        """Tell people. A forge that cannot be told never keeps a release from being judged; answers when to try again."""
        try:
            told = await self._outside.announcer.announce(release, siblings(self._cache, release))
        except (Transient, Terminal) as error:
            log.warning("not announced", release=release.name, reason=str(error))
            pause = getattr(error, "retry_after", None) or UNTOLD_PAUSE
            return self._clock.now() + timedelta(seconds=pause)
        if told != release.status.announced:
            await self._record(manifest, release, replace(release.status, announced=told))
        return None

    def _open_keys(self, namespace: str) -> list[Key]:
        return self._keys(self._cache.list(RELEASES, namespace))

    def _open_among(self, word: str) -> list[Key]:
        return self._keys(self._cache.indexed(RELEASES, word))

    def _keys(self, releases: Iterable[Manifest]) -> list[Key]:
        open_ones = [r for r in releases if (r.get("status") or {}).get("phase") != ReleasePhase.CLOSED]
        return [Key(self.name, namespace_of(r), name_of(r)) for r in open_ones]

    def _next_look(self, release: Release, policy: ReleasePolicy, now: datetime) -> datetime | None:
        if release.status.phase is ReleasePhase.CLOSED:
            return None
        if release.status.phase is ReleasePhase.WATCHING and policy.after_promotion and release.status.promoted_at:
            end = release.status.promoted_at + policy.after_promotion.window
            return max(end, now + UNDECIDED_LOOK)
        return now + UNDECIDED_LOOK


def _rollouts(run: Manifest) -> list[str]:
    """The Rollouts a run measures for."""
    return [str(owner.get("name")) for owner in run["metadata"].get("ownerReferences") or () if owner.get("kind") == ROLLOUTS.kind]


def _template(release: Release) -> WorkloadName:
    return WorkloadName(release.spec.template.kind, release.spec.template.name)


def _judgeable(release: Release) -> Release:
    """The release without the reason why it could not be judged until now."""
    if release.decided or not release.status.reason.startswith(UNJUDGED):
        return release
    return replace(release, status=replace(release.status, reason=""))
