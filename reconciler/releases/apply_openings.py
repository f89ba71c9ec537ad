"""Opens the Release objects that a tip asks for: the first half of a source's pass."""

from dataclasses import replace
from typing import Protocol

import structlog

from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.plan import Create, Plan, Remove
from reconciler.kernel.resources import DEPLOYMENTS, RELEASES, ROLLOUTS
from reconciler.kube.cache import Cache
from reconciler.releases.asking import asked_by, moved, released_workloads, revertability, source_id
from reconciler.releases.contradiction import UNJUDGED, contradiction
from reconciler.releases.holds import expired, proven
from reconciler.releases.identity import identity_hash
from reconciler.releases.manifest import render_release
from reconciler.releases.model import Release
from reconciler.releases.observe_history import history
from reconciler.releases.observe_policies import Policies
from reconciler.releases.opening import Asked, Details, detailed, opening
from reconciler.releases.policy import WorkloadName
from reconciler.runtime.apply import Apply
from reconciler.runtime.suspension import Suspension
from reconciler.sources.images import container_images
from reconciler.sources.model import Pull
from reconciler.sources.permission import refusal
from reconciler.sources.source_port import SourcePort, Tip
from reconciler.sources.templates import Workload, referenced_config, workloads

LOOKED_BACK = 5
log = structlog.get_logger()


class Asking(Protocol):
    """What a source's forge knows of a commit."""

    async def pull_of(self, source: str, sha: str) -> Pull | None: ...


class ReleaseOpener:
    """Compares a tip with the Release objects there are, and creates those that are missing. Repeating it creates nothing more."""

    def __init__(self, cache: Cache, apply: Apply, policies: Policies, forges: Asking) -> None:
        self._cache = cache
        self._apply = apply
        self._policies = policies
        self._forges = forges
        self._suspension = Suspension(cache, apply)

    async def open(self, following: SourcePort, tip: Tip) -> tuple[str, ...]:
        """One look at every workload of the tip whose changes are releases. Answers why some of them cannot be judged."""
        problems: list[str] = []

        def adopted(namespace: str, name: str) -> bool:
            try:
                return self.adopted(namespace, name)
            except Terminal as error:
                problems.append(str(error))
                return False

        for workload in released_workloads(tip.parsed, adopted):
            if any(refusal(part.manifest, following.settings.allow) for part in (workload.owner, workload.template)):
                continue  # what may not be written is no release; the writing says why
            if self._is_suspended(workload):
                continue
            try:
                await self._one(following, tip, workload)
            except Terminal as error:
                problems.append(f"{workload.template.file}:{workload.template.line}: {error}; it is applied, not judged")
        return tuple(problems)

    def adopted(self, namespace: str, name: str) -> bool:
        """Whether a policy has this Deployment released by a Rollout of ours. Raises Terminal when policies contradict each other."""
        return self._policies.of(namespace, "Deployment", name).rollout is not None

    def rollout(self, workload: Workload) -> Manifest | None:
        """The live Rollout of a workload, also where a policy made it."""
        return self._cache.get(ROLLOUTS, workload.template.key[1], workload.id.name)

    def awaited(self, workload: Workload, identity: str, history: list[Release]) -> Release | None:
        """The first version, while it runs as it should and only its verdict is missing: what else Git asks for comes after that.

        Without it the next version would be the first one, which is taken as it comes: there would be nothing to go back to.
        """
        first = history[-1] if history and proven(history) is None else None
        if first is None or first.decided or first.spec.identity == identity or first.status.reason.startswith(UNJUDGED):
            return None
        runs = healthy(self.rollout(workload)) and self._undisturbed(workload) == first.spec.images
        return first if first.spec.running or runs else None

    def history(self, namespace: str, name: str) -> list[Release]:
        """The releases of one workload, oldest first."""
        return history(self._cache, namespace, name)

    def _rollout(self, workload: Workload) -> Manifest:
        """The Rollout as Git has it, or as a policy makes it."""
        if workload.id.kind == "Rollout":
            return workload.owner.manifest
        policy = self._policies.of(workload.id.namespace, "Deployment", workload.id.name)
        return {"metadata": {"name": workload.id.name}, "spec": policy.rollout}

    def _is_suspended(self, workload: Workload) -> bool:
        """Whether a person suspended the Rollout, its Deployment or their namespace: a release of it begins when that ends."""
        namespace = workload.template.key[1]
        live = [self._cache.get(resource, namespace, workload.id.name) for resource in (ROLLOUTS, DEPLOYMENTS)]
        held = any(self._suspension.of(part) for part in (*live, workload.owner.manifest, workload.template.manifest) if part is not None)
        return held or bool(self._suspension.of_namespace(namespace))

    async def _one(self, following: SourcePort, tip: Tip, workload: Workload) -> None:
        namespace, name = workload.template.key[1], workload.id.name
        history = self.history(namespace, name)
        good = proven(history)
        if good is not None and good.spec.identity == identity_hash(tip.parsed, workload):
            return
        kind, _, template = workload.template.key
        policy = self._policies.judging(namespace, name, WorkloadName(kind, template))
        refused = contradiction(policy, self._rollout(workload))
        if refused:
            raise Terminal(refused)
        files = [located.file for located in (workload.template, *referenced_config(tip.parsed, workload))]
        commit = await following.origin(sorted(set(files)), tip.sha)
        asked = replace(asked_by(tip.parsed, workload, following.settings, commit), retried=self._retried(history))
        earlier = await self._running(following, workload, asked) if not history else None
        release = opening(earlier or asked, history)
        if release is None or self.awaited(workload, asked.identity, history) is not None:
            return
        details = await self._details(following, tip, release)
        await self._apply(Plan((Create(RELEASES, render_release(detailed(release, details))),)))
        await self._forget(history, policy.history_limit)

    async def _running(self, following: SourcePort, workload: Workload, asked: Asked) -> Asked | None:
        """The version in Git that runs here undisturbed although the tip already asks for another; None when there is no such.

        A version that nobody has judged is never the first one: what runs is what there is to go back to.
        """
        live = self._undisturbed(workload)
        if live is None or live == asked.images:
            return None
        at = asked.commit.sha
        for _ in range(LOOKED_BACK):
            before = f"{at}^"
            parsed = await following.parsed_at(before)
            found = workloads(parsed).get(workload.id) if parsed is not None else None
            if parsed is None or found is None:
                return None
            commit = await following.origin([found.template.file], before)
            earlier = asked_by(parsed, found, following.settings, commit)
            if earlier.images == live:
                return replace(earlier, running=True)
            at = commit.sha
        return None

    def _undisturbed(self, workload: Workload) -> dict[str, str] | None:
        """The images that run by container; None when nothing runs yet, or not as it should."""
        kind, namespace, name = workload.template.key
        template = self._cache.get(DEPLOYMENTS if kind == "Deployment" else ROLLOUTS, namespace, name)
        rollout = self._cache.get(ROLLOUTS, namespace, workload.id.name)
        if template is None or not (healthy(rollout) or available(template)):
            return None
        return {container: text for container, _, text in container_images(template)}

    def _retried(self, history: list[Release]) -> bool:
        """Whether the version of the newest release is on its way again: brought home without a verdict, and no longer aborted."""
        if not history or history[-1].status.promoted_at is not None:
            return False
        latest = history[-1]
        status = (self._cache.get(ROLLOUTS, latest.namespace, latest.spec.workload.name) or {}).get("status") or {}
        return bool(latest.status.pod_hash) and status.get("currentPodHash") == latest.status.pod_hash and not status.get("abort")

    async def _details(self, following: SourcePort, tip: Tip, release: Release) -> Details:
        pull = await self._pull(following.settings.name, release.spec.commit.sha)
        base = await following.parsed_at(release.spec.proven.sha) if release.spec.proven and release.spec.proven.sha else None
        if base is None:
            return Details(pull=pull)
        id = source_id(tip.parsed, release.namespace, release.spec.workload.name)
        return Details(pull=pull, changes=moved(base, tip.parsed, id), revert=revertability(base, tip.parsed, id))

    async def _pull(self, source: str, sha: str) -> Pull | None:
        """A forge that does not answer costs the comment, never the release."""
        try:
            return await self._forges.pull_of(source, sha)
        except (Transient, Terminal) as error:
            log.warning("pull request unknown", source=source, commit=sha[:12], reason=str(error))
            return None

    async def _forget(self, history: list[Release], limit: int) -> None:
        gone = tuple(Remove(ObjectRef(RELEASES, release.namespace, release.name), release.uid) for release in expired(history, limit))
        if gone:
            await self._apply(Plan(gone))


def healthy(rollout: Manifest | None) -> bool:
    return ((rollout or {}).get("status") or {}).get("phase") == "Healthy"


def available(deployment: Manifest) -> bool:
    """Whether all pods of a Deployment serve."""
    wanted = int((deployment.get("spec") or {}).get("replicas") or 0)
    return deployment["kind"] == "Deployment" and 0 < wanted <= int((deployment.get("status") or {}).get("availableReplicas") or 0)
