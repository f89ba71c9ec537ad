"""Opens the Release objects that a tip asks for: the first half of a source's pass."""

from dataclasses import replace

from reconciler.api.release import parse_release, render_release
from reconciler.controller.apply import Apply
from reconciler.controller.following import Asking, Following, Tip
from reconciler.controller.policies import Policies
from reconciler.core.release.asking import asked_by, moved, released_workloads, revertability, source_id
from reconciler.core.release.holds import expired, of_workload, proven
from reconciler.core.release.identity import identity_hash
from reconciler.core.release.opening import Details, detailed, opening
from reconciler.core.source.templates import Workload
from reconciler.kube.cache import Cache
from reconciler.model.identity import ObjectRef
from reconciler.model.plan import Create, Plan, Remove
from reconciler.model.release import Release
from reconciler.model.resources import RELEASES, ROLLOUTS


class Openings:
    """Compares a tip with the Release objects there are, and creates those that are missing. Repeating it creates nothing more."""

    def __init__(self, cache: Cache, apply: Apply, policies: Policies, forges: Asking) -> None:
        self._cache = cache
        self._apply = apply
        self._policies = policies
        self._forges = forges

    async def open(self, following: Following, tip: Tip) -> None:
        """One look at every workload of the tip whose changes are releases."""
        for workload in released_workloads(tip.parsed, self.adopted):
            if workload.template.key[1] in following.settings.allow.namespaces:
                await self._one(following, tip, workload)

    def adopted(self, namespace: str, name: str) -> bool:
        return self._policies.of(namespace, "Deployment", name).rollout is not None

    def history(self, namespace: str, name: str) -> list[Release]:
        """The releases of one workload, oldest first."""
        releases = (parse_release(manifest) for manifest in self._cache.list(RELEASES, namespace))
        return of_workload(releases, (namespace, "Rollout", name))

    async def _one(self, following: Following, tip: Tip, workload: Workload) -> None:
        namespace, name = workload.template.key[1], workload.id.name
        history = self.history(namespace, name)
        good = proven(history)
        if good is not None and good.spec.identity == identity_hash(tip.parsed, workload):
            return
        commit = await following.origin(workload.template.file, tip.sha)
        asked = replace(asked_by(tip.parsed, workload, following.settings, commit), retried=self._retried(history))
        release = opening(asked, history)
        if release is None:
            return
        details = await self._details(following, tip, release)
        await self._apply(Plan((Create(RELEASES, render_release(detailed(release, details))),)))
        await self._forget(history, namespace, name)

    def _retried(self, history: list[Release]) -> bool:
        """Whether the version of the newest release is on its way again: brought home without a verdict, and no longer aborted."""
        if not history or history[-1].status.promoted_at is not None:
            return False
        latest = history[-1]
        status = (self._cache.get(ROLLOUTS, latest.namespace, latest.spec.workload.name) or {}).get("status") or {}
        return bool(latest.status.pod_hash) and status.get("currentPodHash") == latest.status.pod_hash and not status.get("abort")

    async def _details(self, following: Following, tip: Tip, release: Release) -> Details:
        pull = await self._forges.pull_of(following.settings.name, release.spec.commit.sha)
        base = await following.parsed_at(release.spec.proven.sha) if release.spec.proven and release.spec.proven.sha else None
        if base is None:
            return Details(pull=pull)
        id = source_id(tip.parsed, release.namespace, release.spec.workload.name)
        return Details(pull=pull, changes=moved(base, tip.parsed, id), revert=revertability(base, tip.parsed, id))

    async def _forget(self, history: list[Release], namespace: str, name: str) -> None:
        limit = self._policies.of(namespace, "Rollout", name).history_limit
        gone = tuple(Remove(ObjectRef(RELEASES, namespace, release.name), release.uid) for release in expired(history, limit))
        if gone:
            await self._apply(Plan(gone))
