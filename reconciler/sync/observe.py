"""Gathers what a pass over a source thinks about: one LIST a kind and namespace, and the caches of what is watched."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import Manifest, Resource, name_of, namespace_of
from reconciler.kernel.resources import AUTOSCALERS, DEPLOYMENTS, NAMESPACES, REPLICA_SETS, ROLLOUTS
from reconciler.kube.cache import Cache
from reconciler.kube.client import Client
from reconciler.kube.discovery import Discovery
from reconciler.kube.errors import ApiError, NotServed, Refused
from reconciler.releases.identity import identity_hash
from reconciler.releases.opening.apply_opener import ReleaseOpener
from reconciler.releases.policies.observe import Policies
from reconciler.sources.images import container_images
from reconciler.sources.inventory import Inventory, Place, confirmed_digest, opened_until
from reconciler.sources.problem import Mender, Objection, Reason
from reconciler.sources.references import Named, config_of
from reconciler.sources.settings import SourceSettings
from reconciler.sources.source_port import Tip
from reconciler.sources.templates import Workload, workloads
from reconciler.sync.adoption import ADOPTED, orphans
from reconciler.sync.facts import Failure, GateFacts, SourceFacts
from reconciler.sync.hooks import hook_places
from reconciler.sync.plan import wanted_places

READERS = 16
Group = tuple[Resource, str]


class Observation:
    """Reads for one pass. What cannot be read is a fact about the objects concerned, never the end of the pass."""

    def __init__(self, client: Client, cache: Cache, policies: Policies, opener: ReleaseOpener) -> None:
        self._client = client
        self._cache = cache
        self._policies = policies
        self._opener = opener
        self._discovery = Discovery(client)

    def watched(self, resources: Iterable[Resource]) -> tuple[object, ...]:
        """Equal to an earlier answer while no object of these resources, and no policy, has changed."""
        return (*map(self._cache.changes, resources), *self._policies.beside)

    async def facts(self, source: tuple[SourceSettings, Tip], stored: Manifest | None, inventory: Inventory) -> SourceFacts:
        """Everything at one moment, but releases and what was only asked for later."""
        settings, tip = source
        known = SourceFacts(settings=settings, tip=tip, inventory=inventory, confirmed=confirmed_digest(stored))
        known = replace(known, opened_until=opened_until(stored))
        return await self._looked_up(known)

    async def again(self, facts: SourceFacts) -> SourceFacts:
        """The same after kinds and namespaces were made."""
        return await self._looked_up(facts)

    async def _looked_up(self, facts: SourceFacts) -> SourceFacts:
        manifests = [located.manifest for located in facts.tip.parsed.manifests]
        known = (*(entry.place for entry in facts.inventory.entries), *hook_places(facts.inventory.run))
        kinds = {(str(m["apiVersion"]), str(m["kind"])) for m in manifests} | {place[:2] for place in known}
        resources = await self._discovery.resources_of(kinds)
        facts = replace(facts, resources=resources)
        rollouts = {(namespace_of(r), name_of(r)): r for r in self._cache.list(ROLLOUTS)}
        live, unread = await self._live(_groups(facts, self._owned_deployments(facts, rollouts.values())))
        namespaces = {name_of(namespace): namespace for namespace in self._cache.list(NAMESPACES)}
        return replace(facts, live=live, unread=unread, rollouts=rollouts, namespaces=namespaces, used=self._used(facts))

    def judged(self, facts: SourceFacts, failures: Mapping[Place, Failure]) -> SourceFacts:
        """With what the caches say of releases, policies and Rollouts now, and with what failed before."""
        rollouts = {(namespace_of(r), name_of(r)): r for r in self._cache.list(ROLLOUTS)}
        gates = {
            w.template.key: self._gate(facts, w) for w in workloads(facts.tip.parsed).values() if w.id.kind in ("Rollout", "Deployment")
        }
        return replace(facts, rollouts=rollouts, gates=gates, adopting=self._adopting(facts, rollouts), failures=failures)

    async def answered(self, facts: SourceFacts, questions: Iterable[str]) -> SourceFacts:
        """With the autoscalers of some namespaces."""
        asked = sorted(questions)
        found = await asyncio.gather(*(self._autoscalers(namespace) for namespace in asked))
        return replace(facts, autoscalers={**facts.autoscalers, **dict(zip(asked, found, strict=True))})

    def _gate(self, facts: SourceFacts, workload: Workload) -> GateFacts:
        """What decides whether the template of a workload may change, as the caches have it now."""
        identity = identity_hash(facts.tip.parsed, workload)
        history = self._opener.history(workload.template.key[1], workload.id.name)
        images = {container: text for container, _, text in container_images(workload.template.manifest)}
        first = self._opener.awaited(workload, identity, history)
        elsewhere = tuple(self._opener.elsewhere(workload.template.key[1], workload.id.name, images))
        return GateFacts(identity, images, tuple(history), self._opener.rollout(workload), first, elsewhere)

    def _adopting(self, facts: SourceFacts, rollouts: Mapping[tuple[str, str], Manifest]) -> dict[tuple[str, str], Manifest | Objection]:
        found: dict[tuple[str, str], Manifest | Objection] = {}
        for located in facts.tip.parsed.manifests:
            kind, namespace, name = located.key
            spec = self._strategy(namespace, name, rollouts.get((namespace, name))) if kind == "Deployment" else None
            if spec is not None:
                found[namespace, name] = spec
        return found

    def _strategy(self, namespace: str, name: str, rollout: Manifest | None) -> Manifest | Objection | None:
        """The strategy to adopt with. Policies that contradict each other adopt nothing new, and hand nothing back either."""
        try:
            return self._policies.of(namespace, "Deployment", name).rollout
        except Terminal as error:
            adopted = rollout is not None and (rollout["metadata"].get("labels") or {}).get(ADOPTED) == "true"
            return Objection(Reason.NOT_ADOPTED, str(error), "correct the policies") if adopted else None

    def _owned_deployments(self, facts: SourceFacts, rollouts: Iterable[Manifest]) -> list[Place]:
        """The Deployments of Rollouts that we made: they may have to be handed back."""
        return [("apps/v1", "Deployment", namespace_of(r), name_of(r)) for r in orphans(tuple(rollouts), facts.settings.name, ())]

    def _used(self, facts: SourceFacts) -> frozenset[Named]:
        """What ReplicaSets of the source's namespaces refer to: those without pods are what an undo leads back to."""
        found: set[Named] = set()
        for namespace in {entry.place[2] for entry in facts.inventory.entries if entry.place[1] in ("ConfigMap", "Secret")}:
            for replica_set in self._cache.list(REPLICA_SETS, namespace):
                found.update(config_of({"apiVersion": "apps/v1", "kind": "ReplicaSet", **replica_set}, namespace))
        return frozenset(found)

    async def _live(self, groups: Mapping[Group, frozenset[str]]) -> tuple[dict[Place, Manifest], dict[tuple[str, str, str], Objection]]:
        slots = asyncio.Semaphore(READERS)
        found = await asyncio.gather(*(self._group(group, names, slots) for group, names in groups.items()))
        live: dict[Place, Manifest] = {}
        unread: dict[tuple[str, str, str], Objection] = {}
        for (resource, namespace), read in zip(groups, found, strict=True):
            kind = (resource.api_version, resource.kind, namespace)
            if isinstance(read, Objection):
                unread[kind] = read
            else:
                live.update({(*kind, name_of(manifest)): manifest for manifest in read})
        return live, unread

    async def _group(self, group: Group, names: frozenset[str], slots: asyncio.Semaphore) -> list[Manifest] | Objection:
        resource, namespace = group
        async with slots:
            try:
                listed = await self._read(resource, namespace, names)
            except NotServed as error:
                words = f"the cluster serves no {resource.kind} in {resource.api_version} ({error})"
                return Objection(Reason.NOT_SERVED, words, "install its CustomResourceDefinition first", Mender.OPERATOR)
            except (ApiError, Transient, Terminal) as error:
                what = f"{resource.kind} in {namespace or 'the cluster'} cannot be read: {error}"
                return Objection(Reason.UNREADABLE, what, "who reads for this source needs get and list here", Mender.OPERATOR)
        return [manifest for manifest in listed if name_of(manifest) in names]

    async def _read(self, resource: Resource, namespace: str, names: frozenset[str]) -> list[Manifest]:
        """One object is asked for by name, several by one list; who may not list asks for each."""
        if len(names) > 1:
            try:
                return await self._client.owned_list(resource, namespace)
            except Refused as error:
                if error.status != 403:
                    raise
        found = [await self._client.find_owned(resource, namespace, name) for name in sorted(names)]
        return [manifest for manifest in found if manifest is not None]

    async def _autoscalers(self, namespace: str) -> tuple[Manifest, ...]:
        try:
            return tuple(await self._client.list(AUTOSCALERS, namespace))
        except NotServed:
            return ()


def _groups(facts: SourceFacts, more: Iterable[Place]) -> dict[Group, frozenset[str]]:
    """The names to look for, by kind and namespace in an order of their own; names that no path can hold are not asked for."""
    found: dict[Group, set[str]] = defaultdict(set)
    for place in (*wanted_places(facts), *more):
        resource = DEPLOYMENTS if place[:2] == ("apps/v1", "Deployment") else facts.resources.get(place[:2])
        if resource is not None and place[3] and (place[2] or not resource.namespaced):
            found[resource, place[2]].add(place[3])
    return {group: frozenset(found[group]) for group in sorted(found, key=lambda group: (group[0].path, group[0].plural, group[1]))}
