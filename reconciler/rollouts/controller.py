"""The rollout controller: observe, decide, route and apply, one pass at a time."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import structlog

from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Key, Manifest, ObjectRef, Resource, annotations_of, name_of, namespace_of
from reconciler.kernel.plan import Action, Create, Emit, Evict, Patch, Plan, Remove, Replace
from reconciler.kernel.problem import InvalidField, Problem
from reconciler.kernel.resources import (
    ANALYSIS_RUNS,
    ANALYSIS_TEMPLATES,
    CLUSTER_ANALYSIS_TEMPLATES,
    DEPLOYMENTS,
    EXPERIMENTS,
    NAMESPACES,
    REPLICA_SETS,
    ROLLOUTS,
    SERVICES,
)
from reconciler.kernel.well_known import MANAGED_BY, is_of_instance
from reconciler.kube.errors import ApiError, Conflict, Forbidden, NotFound, NotServed, Refused
from reconciler.rollouts.facts import RolloutFacts
from reconciler.rollouts.indexes import managed_word
from reconciler.rollouts.observe import Resolved, RolloutObserver, claimable
from reconciler.rollouts.observe_keys import concerned
from reconciler.rollouts.passes import RolloutPlan
from reconciler.rollouts.plan import creation_refused, plan, refused
from reconciler.rollouts.plugin import StepCall, StepPlugins
from reconciler.rollouts.pods.claim import claim
from reconciler.rollouts.status.manifest import parse_status, status_patch
from reconciler.rollouts.traffic.reading import returned
from reconciler.rollouts.traffic.routed import ERROR
from reconciler.rollouts.traffic.router import Owner
from reconciler.rollouts.traffic.services import released
from reconciler.rollouts.validation.references import service_fields
from reconciler.runtime.access import ClusterAccess

REFUSED = "ReconciliationError"
log = structlog.get_logger()


class RolloutController:
    """Drives every Rollout that names no other instance. Objects on their way out are left alone."""

    name = "rollout"
    watches: tuple[Resource, ...] = (
        ROLLOUTS,
        REPLICA_SETS,
        SERVICES,
        ANALYSIS_RUNS,
        EXPERIMENTS,
        DEPLOYMENTS,
        ANALYSIS_TEMPLATES,
        CLUSTER_ANALYSIS_TEMPLATES,
        NAMESPACES,
    )

    def __init__(self, access: ClusterAccess, observer: RolloutObserver, plugins: StepPlugins) -> None:
        self._cache = access.cache
        self._clock = access.clock
        self._observer = observer
        self._apply = access.apply
        self._suspension = access.suspension
        self._journal = access.journal
        self._plugins = plugins
        self.watches = (*type(self).watches, *observer.kinds)

    def keys_for(self, resource: Resource, manifest: Manifest) -> Iterable[Key]:
        """The rollouts that an event on an object concerns: itself, its owner, or what refers to it or lives in it."""
        if resource is NAMESPACES:
            return (Key(self.name, name_of(manifest), name_of(rollout)) for rollout in self._cache.list(ROLLOUTS, name_of(manifest)))
        return (Key(self.name, place, name) for place, name in concerned(resource, manifest, self._cache, self._observer.leading))

    async def reconcile(self, key: Key) -> datetime | None:
        """One pass over one rollout; the returned time asks for the next."""
        rollout = self._cache.get(ROLLOUTS, key.namespace, key.name)
        if rollout is None:
            if not self._suspension.of_namespace(key.namespace):
                await self._give_back_services(key, ())
                await self._give_back_routes(key)
            return None
        if rollout["metadata"].get("deletionTimestamp") or not is_of_instance(rollout, self._observer.instance_id):
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
        observed = await self._with_held(await self._observer.observe(rollout, resolved, now))
        decision = plan(observed, now)
        if decision.calls:
            observed, now = await self._with_replies(observed, decision.calls), self._clock.now()
            decision = plan(observed, now)
        self._journal.keep(self.name, f"{key.namespace}/{key.name}", (observed, now), decision)
        try:
            await self._carry_out(observed, decision, now)
        except Refused as error:
            if any(isinstance(effect, Create) and effect.resource == REPLICA_SETS for effect in decision.effects):
                await self._carry_out(observed, creation_refused(observed, now, str(error)), now)
            if isinstance(error, Forbidden):
                raise
            raise Transient(f"{observed.name}: {error}") from error  # what it takes is often a change of something that we do not watch
        # What was routed changes who is referenced (contract 10.7): where nobody tells us of it, look again.
        unseen = any(isinstance(effect, Create | Replace) and self._is_unseen(effect.resource) for effect in decision.effects)
        return now if unseen else decision.wake_at

    def _is_unseen(self, resource: Resource) -> bool:
        return resource in self._observer.kinds and not self._cache.listed(resource)

    async def _with_held(self, observed: RolloutFacts) -> RolloutFacts:
        """Which of the routers' objects a person suspended."""
        found = observed.found
        live = [pair for asked in found.routes for pair in asked.live.items()] + [(left.ref, left.manifest) for left in found.left]
        held = {ref for ref, manifest in live if manifest is not None and await self._suspension.holds(ref.resource, manifest)}
        return replace(observed, found=replace(found, held=frozenset(held))) if held else observed

    async def _with_replies(self, observed: RolloutFacts, calls: Iterable[StepCall]) -> RolloutFacts:
        """What the plug-ins of steps say, one after the other in the order asked for; the pass is decided again with it."""
        replies = {(call.operation, call.index): await self._plugins.call(call) for call in calls}
        return replace(observed, found=replace(observed.found, replies=replies))

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
        if not await self._observer.is_unchanged(rollout):
            raise Transient(f"{name_of(rollout)}: changed while its ReplicaSets were claimed")
        await self._apply(Plan(writes))

    async def _give_back_services(self, key: Key, wanted: Iterable[str]) -> None:
        """Services marked as this rollout's that it no longer names; of a gone rollout only after the API confirms it (contract 13.65)."""
        ours = self._cache.indexed(SERVICES, managed_word(key.namespace, key.name))
        writes = tuple(self._releases(ours, frozenset(wanted)))
        if not writes:
            return
        known = self._cache.get(ROLLOUTS, key.namespace, key.name)
        if known is not None or await self._observer.is_gone(Owner(key.namespace, key.name)):
            await self._apply(Plan(writes))

    def _releases(self, services: Iterable[Manifest], wanted: frozenset[str]) -> Iterator[Patch]:
        for service in services:
            body = released(service, annotations_of(service).get(MANAGED_BY), name_of(service) in wanted)
            if body is not None:
                yield Patch(ObjectRef(SERVICES, namespace_of(service), name_of(service)), dict(body))

    async def _give_back_routes(self, key: Key) -> None:
        """What routers' objects hold of a Rollout that is gone, once the API confirms that it is; a suspended object stays as it is."""
        owner = Owner(key.namespace, key.name)
        left = [each for each in self._observer.left(owner) if not await self._suspension.holds(each.ref.resource, each.manifest)]
        returns = [actions for each in left if (actions := returned(each.router, owner, {each.ref: each.manifest}))]
        if returns and await self._observer.is_gone(owner):
            await self._return(returns)

    async def _return(self, returns: Iterable[tuple[Action, ...]]) -> None:
        """What is held elsewhere is given back object by object; one that we may not write is said and looked at again some time."""
        for actions in returns:
            try:
                await self._write(actions)
            except (Refused, NotFound) as error:
                log.warning("not given back", reason=str(error))

    async def _carry_out(self, observed: RolloutFacts, decision: RolloutPlan, now: datetime) -> None:
        """The effects in order, the status last. A failure is raised when all that was decided is done.

        Users who go home do not wait for what stands beside their way and cannot be written: it is tried again afterwards.
        """
        await self._return(decision.returns)
        waiting = list[ApiError]()
        for effect in decision.effects:
            try:
                await self._effect(observed.rollout, effect, now)
            except ApiError as error:
                if effect not in decision.beside:
                    raise
                waiting.append(error)
        if decision.failure:
            wait = (decision.wake_at - now).total_seconds() if decision.wake_at else None
            raise Transient(f"{observed.name}: {decision.failure}", wait)
        await self._apply(Plan(status=_status_write(observed.rollout, decision)))
        if waiting:
            raise Transient(f"{observed.name}: {waiting[0]}") from waiting[0]

    async def _effect(self, rollout: Manifest, effect: Action, now: datetime) -> None:
        """One write. What the API refuses is told on the Rollout, but for a new ReplicaSet, which has an event of its own."""
        if isinstance(effect, Create | Replace) and effect.resource in self._observer.kinds:
            return await self._route(rollout, effect, now)
        try:
            await self._write((effect,))
        except Refused as error:
            if not (isinstance(effect, Create) and effect.resource == REPLICA_SETS):
                await self._apply(Plan((Emit(rollout, REFUSED, f"{_written(effect)}: {error}", warning=True),)))
            raise

    async def _route(self, rollout: Manifest, effect: Create | Replace, now: datetime) -> None:
        """A router's write. A refusal is told on the Rollout and tried again: often something else has to change first."""
        ref = ObjectRef(effect.resource, namespace_of(effect.manifest), name_of(effect.manifest))
        try:
            await self._write((effect,))
        except (Refused, NotServed) as error:
            await self._apply(Plan((Emit(rollout, ERROR, f"{ref}: {error}", warning=True),)))
            raise Transient(f"{name_of(rollout)}: {ref}: {error}") from error
        self._observer.contests.wrote(rollout, ref, effect.manifest, now)

    async def _write(self, actions: tuple[Action, ...]) -> None:
        """A routers' object that was newer than what we watched is read once, so that the next pass sees it."""
        try:
            await self._apply(Plan(actions))
        except Conflict:
            for action in actions:
                if isinstance(action, Replace) and self._cache.listed(action.resource) and action.resource in self._observer.kinds:
                    with suppress(Refused):  # `get` may not be granted: the watch brings it a moment later
                        await self._observer.read_again(ObjectRef(action.resource, namespace_of(action.manifest), name_of(action.manifest)))
            raise


def _written(effect: Action) -> str:
    """The object that an effect writes, as people read it."""
    if isinstance(effect, Create | Replace):
        return str(ObjectRef(effect.resource, namespace_of(effect.manifest), name_of(effect.manifest)))
    return str(effect.ref) if isinstance(effect, Patch | Remove | Evict) else ""


def _status_write(rollout: Manifest, decision: RolloutPlan) -> Patch | None:
    """At most one status write a pass, bound to the version it was decided on: a verb pressed meanwhile wins."""
    body = status_patch(rollout, decision.status) if decision.status is not None else None
    if body is None:
        return None
    return Patch(ObjectRef(ROLLOUTS, namespace_of(rollout), name_of(rollout)), body, subresource="status")
