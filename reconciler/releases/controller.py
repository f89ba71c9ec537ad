"""The release layer's pass: judge what the rollout layer did, steer it by its verbs, restore Git, tell people (ADR 0009).

Order: verdict and evidence are frozen in the Release first; then Git; then announcements. Each step first looks whether it is done.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from msgspec.structs import replace

from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import Key, Manifest, ObjectRef, Resource, annotations_of, labels_of, name_of, namespace_of
from reconciler.kernel.plan import Create, Emit, Patch, Plan
from reconciler.kernel.resources import (
    ANALYSIS_RUNS,
    CLUSTER_RELEASE_POLICIES,
    DEPLOYMENTS,
    EXPERIMENTS,
    NAMESPACES,
    RELEASE_POLICIES,
    RELEASES,
    REPLICA_SETS,
    ROLLOUTS,
)
from reconciler.releases.announce.apply_notices import Notices
from reconciler.releases.announce.message import headline
from reconciler.releases.announce.pulls import misses_pull
from reconciler.releases.attempts import next_attempt
from reconciler.releases.comparison.apply_pair import Beside, keep_pair
from reconciler.releases.comparison.observe import Sampling
from reconciler.releases.facts import ReleaseFacts
from reconciler.releases.indexes import workload_of, workload_word
from reconciler.releases.manifest import parse_release, render_release, status_patch
from reconciler.releases.model import Release, ReleasePhase, ReleaseStatus, Restore, RestoreState
from reconciler.releases.observe import Around, observe
from reconciler.releases.observe_history import history, siblings
from reconciler.releases.policies.contradiction import contradiction
from reconciler.releases.policies.observe import Policies
from reconciler.releases.policies.policy import DEFAULT, ReleasePolicy, WorkloadName
from reconciler.releases.restore.standing import LEFT, OPEN, Standing, shares_branch, standing
from reconciler.releases.steer import on_the_way_home, steer
from reconciler.releases.verdict.apply_checks import begin_after_promotion, reverify
from reconciler.releases.verdict.judge import Look, judge
from reconciler.runtime.access import ClusterAccess
from reconciler.sources.inventory import workload_key
from reconciler.sources.model import Pull
from reconciler.sources.observe_inventory import Inventories

GLANCE = timedelta(seconds=5)
CLOSE_LOOK, SAMPLE_LOOK, CALM_LOOK = timedelta(seconds=2), timedelta(seconds=10), timedelta(seconds=30)
"""Between two looks at a release: while something matters of which no watch tells (pods that come up), while its policy has something
sampled, and while all that matters is watched but for what Git asks for."""
PROPOSED_LOOK = timedelta(seconds=30)
REFUSED_PAUSE, UNTOLD_PAUSE = 30.0, 30.0
TELLING = frozenset({RestoreState.PUSHED, RestoreState.PROPOSED, RestoreState.IMPOSSIBLE})
log = structlog.get_logger()


class Restorer(Protocol):
    """Brings Git back to what served before a release."""

    async def restore(self, release: Release, history: list[Release]) -> Restore:
        """One try; a Restore that is still wanted says in its message what it waits for. Raises Transient when Git gives no answer."""
        ...

    async def withdraw(self, release: Release) -> None:
        """Close the open proposal of a release, with a sentence."""
        ...


class Announcer(Protocol):
    """Tells the pull request and the commit how a release stands; returns what was told, so that it is told once."""

    async def announce(self, release: Release, siblings: tuple[Release, ...]) -> str: ...

    async def pull_of(self, source: str, sha: str) -> Pull | None: ...


@dataclass(frozen=True, slots=True)
class Outside:
    """What a release reaches beyond itself: Git, people, the policies that speak for it, and the counters that are compared."""

    restorer: Restorer
    announcer: Announcer
    policies: Policies
    inventories: Inventories
    notices: Notices
    sampling: Sampling


@dataclass(frozen=True, slots=True)
class ReleasePass:
    """One Release as the cache has it, and the history of its workload."""

    manifest: Manifest
    release: Release
    history: list[Release]

    @property
    def newest(self) -> bool:
        return bool(self.history) and self.history[-1].name == self.release.name


class ReleaseController:
    """One worker per Release. Needs only verbs that every client has, so it also works beside another rollout controller."""

    name = "release"
    watches = (
        RELEASES,
        ROLLOUTS,
        ANALYSIS_RUNS,
        EXPERIMENTS,
        REPLICA_SETS,
        DEPLOYMENTS,
        RELEASE_POLICIES,
        CLUSTER_RELEASE_POLICIES,
        NAMESPACES,
    )

    def __init__(self, access: ClusterAccess, outside: Outside) -> None:
        self._client = access.client
        self._cache = access.cache
        self._clock = access.clock
        self._apply = access.apply
        self._outside = outside
        self._suspension = access.suspension
        self._journal = access.journal

    def keys_for(self, resource: Resource, manifest: Manifest) -> Iterable[Key]:
        """A Release itself, those it may supersede; for a Rollout or one of its runs, its open releases and the newest."""
        if resource is RELEASES:
            own = Key(self.name, namespace_of(manifest), name_of(manifest))
            return [own, *self._open_among(workload_of(manifest))]
        if resource is NAMESPACES:
            return self._open_keys(name_of(manifest))
        if resource in (RELEASE_POLICIES, CLUSTER_RELEASE_POLICIES):
            return self._open_keys(namespace_of(manifest))
        release = labels_of(manifest).get("reconciler.dev/release") or annotations_of(manifest).get("reconciler.dev/release")
        named = [Key(self.name, namespace_of(manifest), release)] if release else []
        if resource is ROLLOUTS:
            return dict.fromkeys((*named, *self._concerned(namespace_of(manifest), name_of(manifest))))
        if resource in (ANALYSIS_RUNS, EXPERIMENTS) and not release:
            return [key for name in self._measured(manifest) for key in self._open_among(workload_word(namespace_of(manifest), name))]
        return named

    def _measured(self, manifest: Manifest) -> list[str]:
        """The Rollouts that a run or an experiment is of, also through the experiment that owns the run."""
        experiments = (self._cache.get(EXPERIMENTS, namespace_of(manifest), name) for name in _owners(manifest, EXPERIMENTS.kind))
        owned = [manifest, *(experiment for experiment in experiments if experiment is not None)]
        return [name for each in owned for name in _owners(each, ROLLOUTS.kind)]

    async def reconcile(self, key: Key) -> datetime | None:
        manifest = self._cache.get(RELEASES, key.namespace, key.name)
        if manifest is None or manifest["metadata"].get("deletionTimestamp"):
            return None
        if await self._suspension.holds(RELEASES, manifest):
            return None
        release = parse_release(manifest)
        look = ReleasePass(manifest, release, history(self._cache, release.namespace, release.spec.workload.name))
        if await self._workload_is_held(release):
            return await self._finish(look, None)
        return await self._pass(look)

    async def _pass(self, look: ReleasePass) -> datetime | None:
        release, policy, now = look.release, await self._policy(look), self._clock.now()
        asked = await self._asked(look)
        facts = await observe(self._client, self._cache, release, Around(look.history, asked, policy, now, self._outside.sampling))
        wanted = (asked or {}).get(workload_key(*release.key), LEFT if asked is not None and facts.live is None else None)
        status = judge(release, policy, facts, now)
        self._journal.keep(self.name, f"{release.namespace}/{release.name}", (release, policy, facts, now), status)
        if status != release.status:
            await self._record(look, status)
            return now
        if await begin_after_promotion(self._client, self._apply, Look(release, policy, facts, now)):
            return now + GLANCE
        steering = steer(release, policy, facts, now)
        if steering.record is not None:
            await self._record(look, steering.record)
            return now
        if steering.actions:
            self._log_verbs(release)
            await self._apply(Plan(steering.actions))
            return now + GLANCE
        beside = await self._beside(Look(release, policy, facts, now))
        if beside.record is not None:
            await self._record(look, beside.record)
        if beside.moved:
            return now + GLANCE
        if await self._open_again(look, facts, wanted):
            return None
        if on_the_way_home(release, facts, now):
            return now + CLOSE_LOOK
        again = await self._finish(look, wanted)
        return min(filter(None, (again, steering.wake_at, beside.wake_at, self._next_look(release, facts, policy))), default=None)

    async def _beside(self, look: Look) -> Beside:
        """The baseline it is compared with, then the checks after its end: a release has one or the other."""
        pair = await keep_pair(self._apply, look)
        return pair if pair.moved or pair.wake_at or not look.release.decided else await reverify(self._client, self._apply, look)

    async def _open_again(self, look: ReleasePass, facts: ReleaseFacts, asked: str | None) -> bool:
        """The next attempt of a version that had ended and is tried again."""
        if not look.newest or facts.overridden:
            return False
        again = next_attempt(look.history, facts.live, asked)
        if again is None:
            return False
        log.info("release tried again", release=f"{again.namespace}/{again.name}", attempt=again.spec.attempt, cause=again.spec.cause.value)
        await self._apply(Plan((Create(RELEASES, render_release(again)),)))
        return True

    async def _policy(self, look: ReleasePass) -> ReleasePolicy:
        """The policy of the workload. Raises Terminal, and says so, where policies contradict; a verdict that was reached needs none."""
        release, template = look.release, WorkloadName(look.release.spec.template.kind, look.release.spec.template.name)
        rollout = self._cache.get(ROLLOUTS, release.namespace, release.spec.workload.name)
        try:
            policy = self._outside.policies.judging(release.namespace, release.spec.workload.name, template)
            refused = contradiction(policy, rollout)
            if refused:
                raise Terminal(refused)
        except Terminal as error:
            if release.decided:
                return DEFAULT
            await self._say_unjudged(look, str(error))
            raise
        return policy

    async def _say_unjudged(self, look: ReleasePass, reason: str) -> None:
        if look.release.status.unjudged == reason:
            return
        await self._record(look, replace(look.release.status, unjudged=reason))
        told = f"applied, not judged: {reason}"
        await self._apply(Plan(tuple(Emit(about, "ReleaseNotJudged", told, warning=True) for about in self._told(look))))

    async def _finish(self, look: ReleasePass, asked: str | None) -> datetime | None:
        """Git, then people: what is done for a release whatever becomes of its workload."""
        try:
            if await self._restore(look, asked):
                return self._clock.now()
        except Transient:
            # People hear how it ended, whether Git can be reached or not; what was tried is on record already.
            await self._announce(await self._afresh(look))
            raise
        return await self._announce(look)

    async def _afresh(self, look: ReleasePass) -> ReleasePass:
        """The same release as it is kept now: the cache may not have seen our last write yet."""
        manifest = await self._client.find(RELEASES, look.release.namespace, look.release.name)
        return look if manifest is None else ReleasePass(manifest, parse_release(manifest), look.history)

    async def _workload_is_held(self, release: Release) -> bool:
        """True when a person suspended the Rollout: it is neither judged nor steered then."""
        rollout = self._cache.get(ROLLOUTS, release.namespace, release.spec.workload.name)
        return rollout is not None and await self._suspension.holds(ROLLOUTS, rollout)

    async def _asked(self, look: ReleasePass) -> Mapping[str, str] | None:
        """What the release's source asks for now, as far as it could be read; nothing is asked once nothing depends on it."""
        if look.release.status.phase is ReleasePhase.CLOSED and not look.newest:
            return None
        return await self._outside.inventories.workloads(look.release.spec.source)

    async def _record(self, look: ReleasePass, status: ReleaseStatus) -> None:
        """Write a status over the version it was derived from; one that was written in between is looked at first."""
        release = look.release
        patch = status_patch(release.status, status)
        if patch is None:
            return
        place = ObjectRef(RELEASES, release.namespace, release.name)
        body = {**patch, "metadata": {"resourceVersion": release.version}}
        await self._apply(Plan(status=Patch(place, body, subresource="status")))
        self._log(release, status)
        await self._apply(Plan(self._events(look, status)))

    def _log(self, release: Release, status: ReleaseStatus) -> None:
        """One line per decision, with the release's name."""
        known = {"release": f"{release.namespace}/{release.name}", "workload": release.spec.workload.name, "attempt": release.spec.attempt}
        if status.verdict is not None and status.verdict != release.status.verdict:
            log.info("release ended", **known, verdict=status.verdict.value, reason=status.reason, held=status.held)
        elif status.phase is not release.status.phase and status.verdict is None:
            log.info("release moves", **known, phase=status.phase.value, pod_hash=status.pod_hash)
        before, restore = release.status.restore, status.restore
        if restore is not None and before is not None and restore != before:
            log.info("way back", **known, state=restore.state.value, commit=restore.sha[:12], proposal=restore.pull, reason=restore.message)

    def _log_verbs(self, release: Release) -> None:
        for verb in release.status.verbs[-1:]:
            log.info("release steers", release=f"{release.namespace}/{release.name}", verb=verb.verb, reason=verb.reason)

    def _events(self, look: ReleasePass, status: ReleaseStatus) -> tuple[Emit, ...]:
        release, told = look.release, self._told(look)
        events: list[Emit] = []
        if status.verdict is not None and status.verdict != release.status.verdict:
            ended = replace(release, status=status)
            warning = status.restore is not None or status.held
            events += [Emit(about, "ReleaseEnded", f"{headline(ended)}: {status.reason}", warning) for about in told]
        if status.lost is not None and release.status.lost is None:
            events += [Emit(about, "ReleaseLostProof", f"{release.name}: {status.lost.reason}", warning=True) for about in told]
        before, restore = release.status.restore, status.restore
        if restore is not None and before is not None and restore.state is not before.state and restore.state in TELLING:
            said = (
                f"the way back of {release.name} in Git: {restore.state.value} {restore.pull or restore.sha[:12]} {restore.message}".strip()
            )
            warning = restore.state is not RestoreState.PUSHED
            events += [Emit(about, f"Restore{restore.state.value.capitalize()}", said, warning) for about in told]
        return tuple(events)

    def _told(self, look: ReleasePass) -> list[Manifest]:
        """Whom events of a release are about: itself and its Rollout."""
        rollout = self._cache.get(ROLLOUTS, look.release.namespace, look.release.spec.workload.name)
        return [look.manifest] if rollout is None else [look.manifest, rollout]

    async def _restore(self, look: ReleasePass, asked: str | None) -> bool:
        """Do what is due about the way back in Git; True when that changed the record."""
        before = look.release.status.restore
        if before is None:
            return False
        due = standing(look.release, look.history, asked)
        if due in (Standing.WITHDRAW, Standing.MERGED) and not shares_branch(look.release, look.history):
            await self._outside.restorer.withdraw(look.release)
        match due:
            case Standing.NOTHING | Standing.WAIT:
                return False
            case Standing.RESTORE:
                after = await self._try_restore(look, before)
            case Standing.WITHDRAW:
                after = replace(before, state=RestoreState.WITHDRAWN, message="this version is tried again, or proven by now")
            case Standing.HANDED_ON:
                after = replace(before, state=RestoreState.SUPERSEDED, message="a later attempt of this version has its own way back")
            case Standing.MERGED:
                after = replace(before, state=RestoreState.MERGED, message="Git does not ask for this version any more")
        phase = ReleasePhase.RESTORING if after.state in OPEN else ReleasePhase.CLOSED
        await self._record(look, replace(look.release.status, restore=after, phase=phase))
        if after.state is RestoreState.WANTED:
            raise Transient(f"release {look.release.name} is not restored in Git yet: {after.message}", REFUSED_PAUSE)
        return True

    async def _try_restore(self, look: ReleasePass, before: Restore) -> Restore:
        try:
            return await self._outside.restorer.restore(look.release, look.history)
        except Terminal as error:  # what Git refuses today it may take once a person has mended it: asked for until it is done
            return replace(before, message=str(error))

    async def _announce(self, look: ReleasePass) -> datetime | None:
        """Tell people. A forge that cannot be told never keeps a release from being judged; answers when to try again."""
        status, pause = await self._with_pull(look.release)
        try:
            release = replace(look.release, status=status)
            announced = await self._outside.announcer.announce(release, siblings(self._cache, release))
            status = replace(status, announced=announced)
        except (Transient, Terminal) as error:
            log.warning("not announced", release=look.release.name, reason=str(error))
            pause = getattr(error, "retry_after", None) or UNTOLD_PAUSE
        told, again = await self._outside.notices.tell(look.release)
        await self._record(look, replace(status, told=told))
        wait = pause or (UNTOLD_PAUSE if again else 0.0)
        return self._clock.now() + timedelta(seconds=wait) if wait else None

    async def _with_pull(self, release: Release) -> tuple[ReleaseStatus, float]:
        """The status with the pull request that the forge did not tell at the opening; while it tells none, the seconds to the next try."""
        if not misses_pull(release, self._clock.now()):
            return release.status, 0.0
        try:
            found = await self._outside.announcer.pull_of(release.spec.source, release.spec.commit.sha)
        except (Transient, Terminal) as error:  # a token may set statuses and read no pull requests: what can be told is told
            log.warning("pull request unknown: asked again later", release=release.name, reason=str(error))
            return release.status, getattr(error, "retry_after", None) or UNTOLD_PAUSE
        return replace(release.status, pull=found, pull_known=True), 0.0

    def _concerned(self, namespace: str, workload: str) -> list[Key]:
        """The open releases of a Rollout, and the newest one, which may begin anew."""
        releases = history(self._cache, namespace, workload)
        wanted = [r for r in releases if r.status.phase is not ReleasePhase.CLOSED] + releases[-1:]
        return [Key(self.name, r.namespace, r.name) for r in wanted]

    def _open_keys(self, namespace: str) -> list[Key]:
        return self._keys(self._cache.list(RELEASES, namespace))

    def _open_among(self, word: str) -> list[Key]:
        return self._keys(self._cache.indexed(RELEASES, word))

    def _keys(self, releases: Iterable[Manifest]) -> list[Key]:
        open_ones = [r for r in releases if (r.get("status") or {}).get("phase") != ReleasePhase.CLOSED]
        return [Key(self.name, namespace_of(r), name_of(r)) for r in open_ones]

    def _next_look(self, release: Release, facts: ReleaseFacts, policy: ReleasePolicy) -> datetime | None:
        if release.status.phase is ReleasePhase.CLOSED:
            return None
        if release.status.restore is not None and release.status.restore.state is RestoreState.PROPOSED:
            return self._clock.now() + PROPOSED_LOOK
        told = release.status.phase is ReleasePhase.WATCHING or (facts.all_available(release) and not release.spec.companion)
        calm = SAMPLE_LOOK if policy.compare or policy.observed_share or policy.preview else CALM_LOOK
        return self._clock.now() + (calm if told else CLOSE_LOOK)


def _owners(manifest: Manifest, kind: str) -> list[str]:
    """The owners of this kind, by name."""
    return [str(owner.get("name")) for owner in manifest["metadata"].get("ownerReferences") or () if owner.get("kind") == kind]
