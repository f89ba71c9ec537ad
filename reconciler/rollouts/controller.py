"""The rollout controller: observe, decide, route and apply, one pass at a time."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Key, Manifest, ObjectRef, Resource, annotations_of, labels_of, name_of, namespace_of, uid_of
from reconciler.kernel.plan import Action, Create, Emit, Patch, Plan, Replace
from reconciler.kernel.problem import InvalidField, Problem
from reconciler.kernel.resources import (
    ANALYSIS_RUNS,
    ANALYSIS_TEMPLATES,
    CLUSTER_ANALYSIS_TEMPLATES,
    DEPLOYMENTS,
    NAMESPACES,
    REPLICA_SETS,
    ROLLOUTS,
    SERVICES,
)
from reconciler.kernel.well_known import INSTANCE_ID, MANAGED_BY
from reconciler.kube.cache import Cache
from reconciler.kube.client import Client
from reconciler.kube.errors import Refused
from reconciler.rollouts.facts import RolloutFacts
from reconciler.rollouts.observe import Resolved, RolloutObserver, claimable, services_of
from reconciler.rollouts.observe_keys import concerned
from reconciler.rollouts.passes import RolloutPlan, SetTraffic
from reconciler.rollouts.plan import creation_refused, plan, refused
from reconciler.rollouts.pods.claim import claim
from reconciler.rollouts.status.manifest import parse_status, status_patch
from reconciler.rollouts.traffic.router import Routers, Routing, configured
from reconciler.rollouts.traffic.services import released
from reconciler.rollouts.validation.references import service_fields
from reconciler.runtime.apply import Apply
from reconciler.runtime.suspension import Suspension


class RolloutController:
    """Drives every Rollout of its instance id. Objects on their way out are left alone."""

    name = "rollout"
    watches = (ROLLOUTS, REPLICA_SETS, SERVICES, ANALYSIS_RUNS, DEPLOYMENTS, ANALYSIS_TEMPLATES, CLUSTER_ANALYSIS_TEMPLATES, NAMESPACES)

    def __init__(self, client: Client, cache: Cache, clock: Clock, routers: Routers, *, instance_id: str = "") -> None:
        self._client = client
        self._cache = cache
        self._clock = clock
        self._apply = Apply(client, cache, clock)
        self._routers = routers
        self._instance_id = instance_id
        self._observer = RolloutObserver(client, cache, routers, instance_id)
        self._suspension = Suspension(cache, self._apply)

    def keys_for(self, resource: Resource, manifest: Manifest) -> Iterable[Key]:
        """The rollouts that an event on an object concerns: itself, its owner, or what refers to it or lives in it."""
        if resource is NAMESPACES:
            return (Key(self.name, name_of(manifest), name_of(rollout)) for rollout in self._cache.list(ROLLOUTS, name_of(manifest)))
        return (Key(self.name, place, name) for place, name in concerned(resource, manifest, self._cache))

    async def reconcile(self, key: Key) -> datetime | None:
        """One pass over one rollout; the returned time asks for the next."""
        rollout = self._cache.get(ROLLOUTS, key.namespace, key.name)
        if rollout is None:
            if not self._suspension.of_namespace(key.namespace):
                await self._give_back_services(key, ())
            return None
        if rollout["metadata"].get("deletionTimestamp") or labels_of(rollout).get(INSTANCE_ID, "") != self._instance_id:
            return None
        if await self._suspension.holds(ROLLOUTS, rollout):
            return None
        try:
            resolved = await self._observer.resolve(rollout)
        except InvalidField as error:
            return await self._refuse(rollout, error.problem)
        return await self._pass(key, rollout, resolved)

    async def _pass(self, key: Key, rollout: Manifest, resolved: Resolved) -> datetime | None:
        if await self._part_is_held(rollout, resolved):
            return None
        await self._claim(rollout, resolved)
        await self._give_back_services(key, [name for _, name in service_fields(resolved.spec)])
        now = self._clock.now()
        observed = await self._observer.observe(rollout, resolved, now)
        decision = plan(observed, now)
        try:
            routed = await self._carry_out(observed, decision)
        except Refused as error:
            if not any(isinstance(effect, Create) and effect.resource == REPLICA_SETS for effect in decision.effects):
                raise
            await self._carry_out(observed, creation_refused(observed, now, str(error)))
            raise
        # What was routed changes who is referenced (contract 10.7), and routers' objects are not watched: look again.
        return now if routed else decision.wake_at

    async def _refuse(self, rollout: Manifest, problem: Problem) -> datetime | None:
        """A manifest that cannot be read says so in its status."""
        generation = str(rollout["metadata"].get("generation", ""))
        decision = refused(parse_status(rollout.get("status")), name_of(rollout), generation, problem, self._clock.now())
        await self._apply(Plan(status=_status_write(rollout, decision)))
        return decision.wake_at

    async def _part_is_held(self, rollout: Manifest, resolved: Resolved) -> bool:
        """True when a person suspended a Service or a Deployment that this rollout writes: half a release is none."""
        named = [self._cache.get(SERVICES, namespace_of(rollout), name) for _, name in service_fields(resolved.spec)]
        parts = [(SERVICES, service) for service in named if service is not None]
        if resolved.referent is not None and resolved.referent["kind"] == DEPLOYMENTS.kind:
            parts.append((DEPLOYMENTS, resolved.referent))
        return any([await self._suspension.holds(resource, part) for resource, part in parts])

    async def _claim(self, rollout: Manifest, resolved: Resolved) -> None:
        """Adopt and release, if the rollout still is the one we know: asked of the API, not of the cache (contract 10.2)."""
        writes = claim(rollout, resolved.spec.selector, claimable(self._cache, rollout)).writes
        if not writes:
            return
        live = await self._client.find(ROLLOUTS, namespace_of(rollout), name_of(rollout))
        if live is None or uid_of(live) != uid_of(rollout) or live["metadata"].get("deletionTimestamp"):
            raise Transient(f"{name_of(rollout)}: changed while its ReplicaSets were claimed")
        await self._apply(Plan(writes))

    async def _give_back_services(self, key: Key, wanted: Iterable[str]) -> None:
        """Services marked as this rollout's that it no longer names; of a gone rollout only after the API confirms it (contract 13.65)."""
        ours = [s for s in self._cache.list(SERVICES, key.namespace) if annotations_of(s).get(MANAGED_BY) == key.name]
        writes = tuple(self._releases(ours, frozenset(wanted)))
        if not writes:
            return
        known = self._cache.get(ROLLOUTS, key.namespace, key.name)
        if known is None and await self._client.find(ROLLOUTS, key.namespace, key.name) is not None:
            return
        await self._apply(Plan(writes))

    def _releases(self, services: Iterable[Manifest], wanted: frozenset[str]) -> Iterator[Patch]:
        for service in services:
            body = released(service, annotations_of(service).get(MANAGED_BY), name_of(service) in wanted)
            if body is not None:
                yield Patch(ObjectRef(SERVICES, namespace_of(service), name_of(service)), dict(body))

    async def _carry_out(self, observed: RolloutFacts, decision: RolloutPlan) -> bool:
        """The effects in order; traffic is asked of the routers where it stands in that order; the status last.

        True when a router's object was written.
        """
        batch: list[Action] = []
        routed = False
        for effect in decision.effects:
            if not isinstance(effect, SetTraffic):
                batch.append(effect)
                continue
            await self._apply(Plan(tuple(batch)))
            batch = []
            routed |= await self._route(observed, effect)
        await self._apply(Plan(tuple(batch), status=_status_write(observed.rollout, decision)))
        return routed

    async def _route(self, observed: RolloutFacts, effect: SetTraffic) -> bool:
        """Each router, in order; True when anything was written. A problem is told and ends the pass without a status (contract 9.1)."""
        written = False
        routing = observed.spec.routing
        services = services_of(observed.rollout, observed.spec, effect.unavailable)
        for router, config in configured(self._routers, routing.manifest if routing else {}):
            refs = router.needs(config, namespace_of(observed.rollout))
            answer = router.route(config, services, effect.traffic, await self._observer.read(refs))
            for replacement in (action for action in _routing_actions(observed.rollout, answer, refs) if isinstance(action, Replace)):
                if await self._suspension.holds(replacement.resource, replacement.manifest):
                    raise Transient(f"{observed.name}: {self._suspension.of(replacement.manifest)}: traffic is not moved")
            await self._apply(Plan(tuple(_routing_actions(observed.rollout, answer, refs))))
            written |= bool(answer.writes)
            if answer.problem is not None:
                await self._apply(Plan((Emit(observed.rollout, "TrafficRoutingError", answer.problem, warning=True),)))
                raise Transient(f"{observed.name}: {answer.problem}")
        return written


def _routing_actions(rollout: Manifest, answer: Routing, refs: Iterable[ObjectRef]) -> Iterator[Action]:
    resources = {(ref.resource.kind, ref.namespace, ref.name): ref.resource for ref in refs}
    for manifest in answer.writes:
        yield Replace(resources[(manifest["kind"], namespace_of(manifest), name_of(manifest))], manifest)
    for notice in answer.events:
        yield Emit(rollout, notice.reason, notice.message, notice.warning)


def _status_write(rollout: Manifest, decision: RolloutPlan) -> Patch | None:
    """At most one status write a pass, bound to the version it was decided on: a verb pressed meanwhile wins."""
    body = status_patch(rollout, decision.status) if decision.status is not None else None
    if body is None:
        return None
    return Patch(ObjectRef(ROLLOUTS, namespace_of(rollout), name_of(rollout)), body, subresource="status")
