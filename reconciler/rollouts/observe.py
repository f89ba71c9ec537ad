"""Reads everything one decision about a rollout may look at: from the cache where it is watched, else from the API."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from reconciler.analysis.templates import reachable
from reconciler.aws.balancers import BalancerReader
from reconciler.kernel.identity import Manifest, ObjectRef, Resource, controller_uid, labels_of, name_of, namespace_of, uid_of
from reconciler.kernel.problem import InvalidField, Problem, invalid
from reconciler.kernel.resources import (
    ANALYSIS_RUNS,
    ANALYSIS_TEMPLATES,
    CLUSTER_ANALYSIS_TEMPLATES,
    EXPERIMENTS,
    PODS,
    REPLICA_SETS,
    ROLLOUTS,
    SERVICES,
)
from reconciler.kernel.well_known import HASH_LABEL
from reconciler.kube.cache import Cache
from reconciler.kube.client import Client
from reconciler.kube.errors import NotServed
from reconciler.rollouts.facts import Findings, RolloutFacts, gather
from reconciler.rollouts.indexes import held_word, namesake_word, orphan_word
from reconciler.rollouts.observe_contests import Contests
from reconciler.rollouts.observe_targets import targets
from reconciler.rollouts.pods.claim import claim
from reconciler.rollouts.pods.metadata import wears_metadata
from reconciler.rollouts.pods.referent import borrowed, referent_of, without_hash
from reconciler.rollouts.spec.manifest import parse_rollout
from reconciler.rollouts.spec.model import RolloutSpec
from reconciler.rollouts.status.manifest import parse_status
from reconciler.rollouts.status.model import RolloutStatus
from reconciler.rollouts.traffic.leading import beyond, leading, leading_kinds
from reconciler.rollouts.traffic.named import NO_SOURCES, Reaches, objects_out_of_reach, out_of_reach, routed_by, routing_of, services_of
from reconciler.rollouts.traffic.reading import in_force
from reconciler.rollouts.traffic.router import Left, Live, Owner, Routed, Routers, kinds_of, served
from reconciler.rollouts.traffic.targets import watched_service
from reconciler.rollouts.traffic.verification import Verifying
from reconciler.rollouts.validation.references import analyses, analysis_problem, missing_services, service_fields, unfit_services
from reconciler.rollouts.validation.spec import spec_problem
from reconciler.rollouts.validation.types import unreadable_problem


@dataclass(frozen=True, slots=True)
class Resolved:
    """A spec with its borrowed template, the object it borrows from, and why that failed if it did.

    `unmet`: the object is gone, and the template is that of the version on record, which is enough to bring users home.
    """

    spec: RolloutSpec
    referent: Manifest | None = None
    problem: Problem | None = None
    unmet: Problem | None = None


@dataclass(frozen=True, slots=True)
class ObserverTerms:
    """Where Rollouts may move traffic, which of them are ours, and who asks load balancers (None: their weights are not verified)."""

    reach: Reaches = field(default_factory=lambda: NO_SOURCES)
    instance_id: str = ""
    balancers: BalancerReader | None = None


class RolloutObserver:
    """Gathers facts. Raises InvalidField when the manifest cannot be read, Transient when the API does not answer."""

    def __init__(self, client: Client, cache: Cache, routers: Routers, terms: ObserverTerms) -> None:
        self._routers = routers
        self._client = client
        self._cache = cache
        self._reach = terms.reach
        self._balancers = terms.balancers
        self.kinds = kinds_of(routers)
        """Every kind of object that some router writes or reads."""
        self.leading = leading_kinds(routers)
        """Those of them of which objects lead to others."""
        self.contests = Contests()
        self.instance_id = terms.instance_id
        """The instance whose Rollouts are driven; empty: those that name none (contract 0.3)."""

    async def resolve(self, rollout: Manifest) -> Resolved:
        """The spec, with the template of its workloadRef."""
        spec = parse_rollout(rollout)
        if spec.workload_ref is None:
            return Resolved(_readable(spec))
        resource = referent_of(spec.workload_ref)
        group = spec.workload_ref.api_version.rpartition("/")[0]
        if resource is None:
            return Resolved(spec, problem=_unresolved(spec, f"workload of type {group}/{spec.workload_ref.kind} is not supported"))
        referent = await self._client.find(resource, namespace_of(rollout), spec.workload_ref.name)
        if referent is None:
            return self._remembered(rollout, spec, _unresolved(spec, f'{resource.plural} "{spec.workload_ref.name}" not found'))
        return Resolved(_readable(borrowed(spec, referent)), referent)

    def _remembered(self, rollout: Manifest, spec: RolloutSpec, problem: Problem) -> Resolved:
        """The template and selector of the version that was asked for last, where the object that had them is gone."""
        asked = parse_status(rollout.get("status")).current_hash
        owned = self._cache.owned(REPLICA_SETS, uid_of(rollout))
        known = next((found for found in owned if asked and labels_of(found).get(HASH_LABEL) == asked), None)
        return Resolved(spec, problem=problem) if known is None else Resolved(_readable(borrowed(spec, without_hash(known))), unmet=problem)

    async def observe(self, rollout: Manifest, resolved: Resolved, now: datetime) -> RolloutFacts:
        """Every fact for one decision."""
        spec, status, namespace = resolved.spec, parse_status(rollout.get("status")), namespace_of(rollout)
        owned = claim(rollout, spec.selector, claimable(self._cache, rollout)).owned
        mirrors = (status.canary.step_run, status.canary.background_run, status.blue_green.pre_run, status.blue_green.post_run)
        runs, strangers = await self._made(ANALYSIS_RUNS, rollout, [mirror.name for mirror in mirrors if mirror is not None])
        experiments, others = await self._made(EXPERIMENTS, rollout, [status.canary.experiment] if status.canary.experiment else [])
        found = Findings(
            replica_sets=owned,
            services=self._services(namespace, spec),
            runs=runs,
            other_runs=strangers,
            experiments=experiments,
            other_experiments=others,
            templates=self._templates(namespace, spec),
            pods=await self._pods(namespace, spec, status, owned, now),
            referent=resolved.referent,
            problem=resolved.problem,
            unmet=resolved.unmet,
        )
        found = await self._examined(rollout, spec, found)
        found = replace(found, left=self.left(Owner(namespace, name_of(rollout)), await self._kept(rollout)))
        observed = self._with_namesake(gather(rollout, spec, status, found, instance_id=self.instance_id))
        return await self._with_targets(await self._with_balancers(observed))

    def _services(self, namespace: str, spec: RolloutSpec) -> Mapping[str, Manifest]:
        named = {name: self._cache.get(SERVICES, namespace, name) for _, name in service_fields(spec)}
        return {name: service for name, service in named.items() if service is not None}

    def _templates(self, namespace: str, spec: RolloutSpec) -> tuple[Manifest, ...]:
        """Those that its analyses name, directly or through others, as far as they are there."""

        def look_up(kind: str, name: str) -> Manifest | None:
            if kind == CLUSTER_ANALYSIS_TEMPLATES.kind:
                return self._cache.get(CLUSTER_ANALYSIS_TEMPLATES, "", name)
            return self._cache.get(ANALYSIS_TEMPLATES, namespace, name)

        return reachable([asked.analysis.manifest for asked in analyses(spec)], look_up)

    async def _made(self, resource: Resource, rollout: Manifest, named: Iterable[str]) -> tuple[tuple[Manifest, ...], tuple[Manifest, ...]]:
        """Owned runs or experiments, those the status names and the cache has not seen yet included; and others whose names may collide."""
        namespace, uid, name = namespace_of(rollout), uid_of(rollout), name_of(rollout)
        owned = {name_of(found): found for found in self._cache.owned(resource, uid)}
        for missing in [each for each in named if each not in owned]:
            found = await self._client.find(resource, namespace, missing)
            if found is not None and controller_uid(found) == uid:
                owned[missing] = found
        namesakes = self._cache.indexed(resource, namesake_word(namespace, name))
        return tuple(owned.values()), tuple(other for other in namesakes if name_of(other) not in owned)

    async def _pods(
        self, namespace: str, spec: RolloutSpec, status: RolloutStatus, owned: tuple[Manifest, ...], now: datetime
    ) -> tuple[Manifest, ...]:
        """Pods are not watched: they are listed only while a restart is due or pods wear metadata (contract 4.11, 10.4)."""
        due = spec.restart_at is not None and spec.restart_at != status.restarted_at and now > spec.restart_at
        if not due and not wears_metadata(spec):
            return ()
        labels = ",".join(f"{key}={value}" for key, value in (spec.selector.get("matchLabels") or {}).items())
        owners = {uid_of(replica_set) for replica_set in owned}
        return tuple(pod for pod in await self._client.list(PODS, namespace, labels=labels) if controller_uid(pod) in owners)

    async def _examined(self, rollout: Manifest, spec: RolloutSpec, found: Findings) -> Findings:
        """The first broken rule (contract 12), what is missing for another attempt, and what the routers are asked about."""
        problem = found.problem or spec_problem(rollout, spec, self._routers)
        if problem is not None:
            return replace(found, problem=problem)
        missing = next(missing_services(spec, found.services), None)
        unfit = next(unfit_services(name_of(rollout), spec, found.services), None)
        found = replace(found, unmet=found.unmet or missing or unfit or analysis_problem(rollout, spec, found.templates))
        problem = unfit or _forbidden(out_of_reach(self._routers, rollout, self._reach))
        if problem is not None:
            return replace(found, problem=problem)
        return await self._routed(rollout, found)

    async def _routed(self, rollout: Manifest, found: Findings) -> Findings:
        services, hashes, routes = services_of(rollout), found.routed_hashes, found.routes
        for each in served(self._routers, routing_of(rollout)):
            live = await self.read(each.router.needs(each.config, services).refs)
            behind = beyond(each.router, live)
            problem = _forbidden(objects_out_of_reach(rollout, behind, self._reach))
            if problem is not None:
                return replace(found, problem=problem)
            live = {**live, **await self.read(behind)}
            now = in_force(Routed(each, live), services)
            if now.problem is not None:
                told = f"{now.problem}{await self._unserved(live)}"
                return replace(found, problem=invalid(each.field, now.subject, told, passing=True))
            hashes, routes = hashes | now.hashes, (*routes, Routed(each, live))
        contests = self.contests.known(rollout, (ref for asked in routes for ref in asked.live))
        return replace(found, routed_hashes=hashes, routes=routes, contests=contests)

    async def read(self, refs: Iterable[ObjectRef]) -> Live:
        """The objects a router needs, from the cache where it is watched; nothing of a mesh that is not installed: told as a problem."""
        return {ref: await self._one(ref) for ref in refs}

    async def _one(self, ref: ObjectRef) -> Manifest | None:
        if self._cache.listed(ref.resource):
            return self._cache.get(ref.resource, ref.namespace, ref.name)
        try:
            return await self._client.find(ref.resource, ref.namespace, ref.name)
        except NotServed:
            return None

    async def _unserved(self, live: Live) -> str:
        """What is missing altogether, if it is the kind of an object and not only the object; empty otherwise."""
        for ref in (ref for ref, found in live.items() if found is None and not self._cache.listed(ref.resource)):
            try:
                await self._client.find(ref.resource, ref.namespace, ref.name)
            except NotServed:
                kind = ref.resource
                return f"; this cluster serves no {kind.kind} of {kind.group}/{kind.version}: install its CustomResourceDefinition"
        return ""

    async def is_unchanged(self, rollout: Manifest) -> bool:
        """True while the rollout that the cache knows still is there and stays: asked of the API, not of the cache."""
        live = await self._client.find(ROLLOUTS, namespace_of(rollout), name_of(rollout))
        return live is not None and uid_of(live) == uid_of(rollout) and not live["metadata"].get("deletionTimestamp")

    async def is_gone(self, owner: Owner) -> bool:
        """True when there is no such Rollout: asked of the API, not of the cache."""
        return await self._client.find(ROLLOUTS, owner.namespace, owner.name) is None

    async def read_again(self, ref: ObjectRef) -> None:
        """A watched object as the API has it now, so that the next pass sees it."""
        found = await self._client.find(ref.resource, ref.namespace, ref.name)
        if found is not None:
            self._cache.put(ref.resource, found)

    async def _kept(self, rollout: Manifest) -> tuple[tuple[str, ObjectRef], ...]:
        """(router, object) that it names, or that these lead to. While one of them is missing, where it led is unknown: all stays."""
        kept, owner = list(routed_by(self._routers, rollout)), Owner(namespace_of(rollout), name_of(rollout))
        for each in served(leading(self._routers), routing_of(rollout)):
            live = await self.read(each.router.needs(each.config, services_of(rollout)).refs)
            kept.extend((each.name, ref) for ref in beyond(each.router, live))
            if None in live.values():
                kept.extend((each.name, one.ref) for one in self.left(owner) if one.router is each.router)
        return tuple(kept)

    def left(self, owner: Owner, named: Iterable[tuple[str, ObjectRef]] = ()) -> tuple[Left, ...]:
        """The objects that hold something of a Rollout which does not name them (any more), for each router that writes their kind."""
        kept, found = frozenset(named), list[Left]()
        for kind in filter(self._cache.watches, self.kinds):
            writing = [(name, router) for name, router in self._routers.items() if kind in router.kinds]
            for manifest in self._cache.indexed(kind, held_word(owner)):
                ref = ObjectRef(kind, namespace_of(manifest), name_of(manifest))
                found.extend(Left(router, ref, manifest) for name, router in writing if (name, ref) not in kept)
        return tuple(found)

    async def _with_balancers(self, observed: RolloutFacts) -> RolloutFacts:
        """What load balancers say of the weights: asked where it is switched on, at a setWeight step and at the end (contract 9.5)."""
        asked = [each for each in observed.found.routes if isinstance(each.configured.router, Verifying)]
        if self._balancers is None or not asked:
            return observed
        found = replace(observed.found, verifying=True)
        if observed.status.promoted or observed.status.abort or (observed.step is not None and observed.step.set_weight is None):
            return replace(observed, found=found)
        services, names = services_of(observed.rollout), list[str]()
        for each in asked:
            router: Any = each.configured.router
            names.extend(router.hostnames(each.configured.config, services, each.live))
        return replace(observed, found=replace(found, balancers=await self._balancers.read(names)))

    async def _with_targets(self, observed: RolloutFacts) -> RolloutFacts:
        """What target groups know of the pods that users are sent to: asked where load balancers are, while something depends on it."""
        if self._balancers is None:
            return observed
        service = observed.found.services.get(watched_service(observed))
        found = await targets(self._client, self._balancers, service) if service is not None else None
        return replace(observed, found=replace(observed.found, targets=found, asking_targets=True))

    def _with_namesake(self, observed: RolloutFacts) -> RolloutFacts:
        """A foreign ReplicaSet may have the name that the next one wants; only then it is a fact."""
        if observed.new is not None:
            return observed
        namesake = self._cache.get(REPLICA_SETS, namespace_of(observed.rollout), f"{observed.name}-{observed.hash}")
        return replace(observed, found=replace(observed.found, namesake=namesake))


def _readable(spec: RolloutSpec) -> RolloutSpec:
    """The spec whose template and selector have the types that everything below relies on."""
    problem = unreadable_problem(spec.selector, spec.template)
    if problem is not None:
        raise InvalidField(problem)
    return spec


def claimable(cache: Cache, rollout: Manifest) -> tuple[Manifest, ...]:
    """The ReplicaSets a rollout may claim or have to give up: its own, and those of its namespace without a controller."""
    return (*cache.owned(REPLICA_SETS, uid_of(rollout)), *cache.indexed(REPLICA_SETS, orphan_word(namespace_of(rollout))))


def _forbidden(reason: str | None) -> Problem | None:
    return Problem("spec.strategy.canary.trafficRouting", f"Forbidden: {reason}", passing=True) if reason else None


def _unresolved(spec: RolloutSpec, reason: str) -> Problem:
    reference = spec.workload_ref
    return invalid("spec.workloadRef", reference.name if reference else "", reason, passing=True)
