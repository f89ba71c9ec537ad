"""Reads everything one decision about an experiment may look at: from the cache, and from the API what the cache may not have seen yet."""

from collections.abc import Mapping

from reconciler.analysis.templates import reachable
from reconciler.experiments.analyses import asked_of
from reconciler.experiments.facts import ExperimentFacts, replica_set_name
from reconciler.experiments.model import Experiment
from reconciler.experiments.templates import service_name
from reconciler.kernel.identity import Manifest, Resource, name_of, uid_of
from reconciler.kernel.resources import ANALYSIS_RUNS, ANALYSIS_TEMPLATES, CLUSTER_ANALYSIS_TEMPLATES, REPLICA_SETS, ROLLOUTS, SERVICES
from reconciler.kube.cache import Cache
from reconciler.kube.client import Client
from reconciler.rollouts.indexes import namesake_word
from reconciler.rollouts.pods.replica_set import oldest_first
from reconciler.rollouts.view import view_of

Place = tuple[str, str]


class ExperimentObserver:
    """Gathers facts. Raises Transient when the API does not answer."""

    def __init__(self, client: Client, cache: Cache) -> None:
        self._client = client
        self._cache = cache

    async def observe(self, experiment: Experiment) -> ExperimentFacts:
        """Every fact for one decision."""
        uid = uid_of(experiment.manifest)
        facts = ExperimentFacts(
            experiment=experiment,
            replica_sets=oldest_first(self._cache.owned(REPLICA_SETS, uid)),
            wanted_replica_sets=self._named(REPLICA_SETS, experiment.namespace, _wanted(experiment)),
            services=tuple(self._cache.owned(SERVICES, uid)),
            wanted_services=self._named(SERVICES, experiment.namespace, self._service_names(experiment)),
            carrying=self._carrying(experiment),
            runs=await self._runs(experiment),
            templates=await self._templates(experiment),
        )
        return facts

    def _carrying(self, experiment: Experiment) -> frozenset[str]:
        """What the Rollout that it is a step of sends here, by its own account."""
        for owner in experiment.manifest["metadata"].get("ownerReferences") or []:
            rollout = self._cache.get(ROLLOUTS, experiment.namespace, str(owner.get("name"))) if owner.get("controller") else None
            if rollout is not None and owner.get("uid") == uid_of(rollout):
                return view_of(rollout).carrying
        return frozenset()

    def _named(self, resource: Resource, namespace: str, names: list[str]) -> Mapping[str, Manifest]:
        found = {name: self._cache.get(resource, namespace, name) for name in names}
        return {name: manifest for name, manifest in found.items() if manifest is not None}

    def _service_names(self, experiment: Experiment) -> list[str]:
        """Those that were given, and those of every ReplicaSet it has or wants."""
        given = [service_name(template, "") for template in experiment.spec.templates if template.service]
        owned = [name_of(found) for found in self._cache.owned(REPLICA_SETS, uid_of(experiment.manifest))]
        return [*given, *owned, *_wanted(experiment)]

    async def _runs(self, experiment: Experiment) -> tuple[Manifest, ...]:
        """All whose names may collide, and those on record, the ones the cache has not seen yet included."""
        known = {name_of(run): run for run in self._cache.owned(ANALYSIS_RUNS, uid_of(experiment.manifest))}
        namesakes = self._cache.indexed(ANALYSIS_RUNS, namesake_word(experiment.namespace, experiment.name))
        known |= {name_of(run): run for run in namesakes}
        for status in experiment.status.runs:
            if not status.run or status.completed or status.run in known:
                continue
            run = await self._client.find(ANALYSIS_RUNS, experiment.namespace, status.run)
            if run is not None:
                known[status.run] = run
        return tuple(known.values())

    async def _templates(self, experiment: Experiment) -> tuple[Manifest, ...]:
        """Those that its analyses name, directly or through others. One the cache does not have is asked for before it counts as missing:
        an experiment and its templates are often applied in one go, and what is missing ends the experiment."""
        if experiment.status.finished:
            return ()
        asked = [asked_of(experiment.spec, analysis) for analysis in experiment.spec.analyses]
        late: dict[Place, Manifest | None] = {}
        while True:
            missed: list[Place] = []

            def look_up(kind: str, name: str, missed: list[Place] = missed) -> Manifest | None:
                found = self._template(experiment.namespace, kind, name) or late.get((kind, name))
                if found is None and (kind, name) not in late:
                    missed.append((kind, name))
                return found

            found = reachable(asked, look_up)
            if not missed:
                return found
            for kind, name in missed:
                late[kind, name] = await self._client.find(*_place(experiment.namespace, kind), name)

    def _template(self, namespace: str, kind: str, name: str) -> Manifest | None:
        return self._cache.get(*_place(namespace, kind), name)


def _place(namespace: str, kind: str) -> tuple[Resource, str]:
    if kind == CLUSTER_ANALYSIS_TEMPLATES.kind:
        return CLUSTER_ANALYSIS_TEMPLATES, ""
    return ANALYSIS_TEMPLATES, namespace


def _wanted(experiment: Experiment) -> list[str]:
    collisions = {template.name: template.collisions for template in experiment.status.templates}
    return [replica_set_name(experiment.name, t.name, collisions.get(t.name)) for t in experiment.spec.templates]
