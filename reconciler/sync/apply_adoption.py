"""Adopts plain Deployments that a policy wants released, and gives back those it no longer wants: part of a source's pass."""

from datetime import datetime, timedelta

from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, ObjectRef, labels_of, name_of, namespace_of
from reconciler.kernel.plan import Patch, PatchStyle, Plan
from reconciler.kernel.resources import AUTOSCALERS, DEPLOYMENTS, ROLLOUTS
from reconciler.kube.cache import Cache
from reconciler.kube.client import Client
from reconciler.kube.errors import NotServed
from reconciler.releases.gate import TemplateDecision
from reconciler.releases.observe_policies import Policies
from reconciler.runtime.apply import Apply
from reconciler.runtime.suspension import Suspension
from reconciler.sources.documents import Located
from reconciler.sync.adoption import ADOPTED, Adoption, adoption, give_back, objection, orphans
from reconciler.sync.effective import effective, written

LOOK_AGAIN = timedelta(seconds=2)
NOTHING: Manifest = {"metadata": {}}


class Adopting:
    """Level-triggered: each pass does the one step that is due and says when to look again."""

    def __init__(self, client: Client, cache: Cache, clock: Clock, policies: Policies) -> None:
        self._client = client
        self._cache = cache
        self._clock = clock
        self._apply = Apply(client, cache, clock)
        self._policies = policies
        self._suspension = Suspension(cache, self._apply)

    async def wanted(self, located: Located, live: Manifest | None) -> Adoption | None:
        """How far the adoption of one manifest is; None for objects that no policy wants adopted. Raises Terminal on an objection."""
        kind, namespace, name = located.key
        if kind != "Deployment":
            return None
        spec = self._spec(namespace, name)
        if spec is None:
            return None
        rollout = self._cache.get(ROLLOUTS, namespace, name)
        refused = objection(located.manifest, rollout, await self._autoscalers(namespace))
        if refused:
            raise Terminal(refused)
        return adoption(located.manifest, live, rollout, spec)

    async def adopt(self, found: Adoption, source: str, release: str) -> datetime | None:
        """Write the Rollout if it is not as wanted; the time of the next look while the takeover is under way."""
        namespace, name = namespace_of(found.rollout), name_of(found.rollout)
        live = await self._client.find(ROLLOUTS, namespace, name)
        if live is not None and await self._suspension.holds(ROLLOUTS, live):
            return None
        marks = {"reconciler.dev/source": source, "reconciler.dev/release": release}
        wanted = effective(found.rollout, live, TemplateDecision(), marks)
        if wanted is not None and not written(wanted, live):
            metadata = {**wanted["metadata"], **({"resourceVersion": live["metadata"]["resourceVersion"]} if live else {})}
            body = {**wanted, "metadata": metadata}
            place = ObjectRef(ROLLOUTS, namespace, name)
            await self._apply(Plan((Patch(place, body, PatchStyle.APPLY, query={"force": "true"}),)))
        return None if found.done else self._clock.now() + LOOK_AGAIN

    async def hand_back(self, source: str, adopted: list[tuple[str, str]]) -> datetime | None:
        """One step for every Rollout of ours that is not wanted any more."""
        left = orphans(self._cache.list(ROLLOUTS), source, adopted)
        for rollout in left:
            deployment = await self._client.find(DEPLOYMENTS, namespace_of(rollout), name_of(rollout))
            if await self._suspension.holds(ROLLOUTS, rollout) or (deployment and await self._suspension.holds(DEPLOYMENTS, deployment)):
                continue
            await self._apply(Plan(give_back(rollout, deployment)))
        return self._clock.now() + LOOK_AGAIN if left else None

    def _spec(self, namespace: str, name: str) -> Manifest | None:
        """The strategy to adopt with. Policies that contradict each other adopt nothing new, and hand nothing back either."""
        try:
            return self._policies.of(namespace, "Deployment", name).rollout
        except Terminal:
            if labels_of(self._cache.get(ROLLOUTS, namespace, name) or NOTHING).get(ADOPTED) == "true":
                raise
            return None

    async def _autoscalers(self, namespace: str) -> list[Manifest]:
        try:
            return await self._client.list(AUTOSCALERS, namespace)
        except NotServed:
            return []
