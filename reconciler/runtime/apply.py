"""The only place that writes to the cluster: carries out a plan in order, status last."""

from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Manifest, Resource, name_of, namespace_of
from reconciler.kernel.plan import Action, Create, Emit, Evict, Patch, Plan, Remove, Replace
from reconciler.kube.cache import Cache
from reconciler.kube.client import Client
from reconciler.kube.errors import AlreadyExists
from reconciler.runtime.recorder import Recorder


class Apply:
    """Carries out plans. What was written is seen by the next pass at once: answers go into the cache."""

    def __init__(self, client: Client, cache: Cache, recorder: Recorder) -> None:
        self._client = client
        self._cache = cache
        self._recorder = recorder

    def through(self, client: Client) -> "Apply":
        """The same hand with another client: what it writes is known to the same cache, and told by the same recorder."""
        return Apply(client, self._cache, self._recorder)

    async def __call__(self, plan: Plan) -> None:
        """Do every action, then the status. The first failure ends the plan: the next pass observes what is left to do."""
        for action in plan.actions:
            await self._one(action)
        if plan.status is not None:
            await self._one(plan.status)

    async def patch(self, action: Patch) -> Manifest:
        """One patch; the answer is the object as it is now."""
        answer = await self._client.patch(action.ref, action.body, style=action.style, subresource=action.subresource, query=action.query)
        if action.subresource != "scale":
            self._remember(action.ref.resource, answer)
        return answer

    async def replace(self, action: Replace) -> Manifest:
        """One object written whole; the answer is the object as it is now."""
        answer = await self._client.replace(action.resource, action.manifest)
        self._remember(action.resource, answer)
        return answer

    async def _one(self, action: Action) -> None:
        match action:
            case Create():
                await self._create(action)
            case Replace():
                await self.replace(action)
            case Patch():
                await self.patch(action)
            case Remove(ref, uid, propagation):
                await self._client.delete(ref, uid=uid, propagation=propagation)
            case Evict(ref):
                await self._client.evict(ref)
            case Emit():
                self._recorder.record(action)

    async def _create(self, action: Create) -> None:
        try:
            self._remember(action.resource, await self._client.create(action.resource, action.manifest))
        except AlreadyExists:
            place = (namespace_of(action.manifest), name_of(action.manifest))
            existing = await self._client.find(action.resource, *place)
            if existing is not None:
                self._remember(action.resource, existing)
            raise Transient(f"{action.resource.kind} {place[0]}/{place[1]} already exists: observing again") from None

    def _remember(self, resource: Resource, manifest: Manifest) -> None:
        try:
            self._cache.put(resource, manifest)
        except KeyError:
            return  # this resource is not watched, so nothing reads it from the cache
