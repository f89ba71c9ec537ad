"""The experiment controller: observe, decide, write, and say how it stands, one pass at a time. One made by hand works like any other."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from reconciler.experiments.facts import ExperimentFacts, RefusedWrite
from reconciler.experiments.manifest import parse_experiment, render_status
from reconciler.experiments.observe import ExperimentObserver
from reconciler.experiments.plan import ExperimentPlan, plan, refused
from reconciler.experiments.validation import experiment_problem
from reconciler.kernel.identity import Key, Manifest, ObjectRef, Resource, name_of, namespace_of, uid_of
from reconciler.kernel.merge import merge_patch
from reconciler.kernel.plan import Patch, Plan
from reconciler.kernel.problem import InvalidField, Problem
from reconciler.kernel.resources import (
    ANALYSIS_RUNS,
    ANALYSIS_TEMPLATES,
    CLUSTER_ANALYSIS_TEMPLATES,
    EXPERIMENTS,
    NAMESPACES,
    REPLICA_SETS,
    ROLLOUTS,
    SERVICES,
)
from reconciler.kernel.well_known import is_of_instance
from reconciler.kube.errors import Forbidden, NotFound, Refused
from reconciler.rollouts.status.conditions import Conditions
from reconciler.rollouts.status.manifest import parse_condition, render_condition
from reconciler.runtime.access import ClusterAccess


class ExperimentController:
    """One worker per experiment. Status goes to the object itself: the kind has no status subresource (contract 0.2)."""

    name = "experiment"
    watches: tuple[Resource, ...] = (
        EXPERIMENTS,
        ROLLOUTS,
        REPLICA_SETS,
        SERVICES,
        ANALYSIS_RUNS,
        ANALYSIS_TEMPLATES,
        CLUSTER_ANALYSIS_TEMPLATES,
        NAMESPACES,
    )

    def __init__(self, access: ClusterAccess, instance_id: str) -> None:
        self._cache = access.cache
        self._clock = access.clock
        self._apply = access.apply
        self._suspension = access.suspension
        self._journal = access.journal
        self._observer = ExperimentObserver(access.client, access.cache)
        self._instance_id = instance_id

    def keys_for(self, resource: Resource, manifest: Manifest) -> Iterable[Key]:
        """An experiment itself, for what one made the experiment that owns it, and for a Rollout those of its that have pods."""
        if resource is EXPERIMENTS:
            return [Key(self.name, namespace_of(manifest), name_of(manifest))]
        if resource is NAMESPACES:
            return [Key(self.name, name_of(manifest), name_of(found)) for found in self._cache.list(EXPERIMENTS, name_of(manifest))]
        if resource is ROLLOUTS:
            found = self._cache.owned(EXPERIMENTS, uid_of(manifest))
            return [Key(self.name, namespace_of(each), name_of(each)) for each in found if _has_pods(each)]
        owners = manifest["metadata"].get("ownerReferences") or []
        mine = (owner for owner in owners if owner.get("controller") and owner.get("kind") == EXPERIMENTS.kind)
        return [Key(self.name, namespace_of(manifest), str(owner["name"])) for owner in mine]

    async def reconcile(self, key: Key) -> datetime | None:
        """One pass over one experiment; the returned time asks for the next."""
        manifest = self._cache.get(EXPERIMENTS, key.namespace, key.name)
        if manifest is None or manifest["metadata"].get("deletionTimestamp") or not is_of_instance(manifest, self._instance_id):
            return None
        if await self._suspension.holds(EXPERIMENTS, manifest):
            return None
        try:
            experiment = parse_experiment(manifest)
        except InvalidField as error:
            await self._refuse(manifest, error.problem)
            return None
        problem = experiment_problem(experiment.spec)
        if problem is not None:
            await self._refuse(manifest, problem)
            return None
        facts = await self._observer.observe(experiment)
        return None if await self._part_is_held(facts) else await self._carry_out(facts)

    async def _part_is_held(self, facts: ExperimentFacts) -> bool:
        """True when a person suspended something that this experiment made."""
        parts = [(REPLICA_SETS, found.manifest) for found in facts.replica_sets] + [(SERVICES, service) for service in facts.services]
        return any([await self._suspension.holds(resource, part) for resource, part in parts])

    async def _carry_out(self, facts: ExperimentFacts) -> datetime | None:
        """The effects, then the status, which says what the server refused; what it may do later is tried again."""
        now = self._clock.now()
        decision = plan(facts, now)
        refusals = await self._write(decision)
        if refusals:
            told = {about: _told(words, error) for about, (words, error) in refusals.items()}
            facts = replace(facts, refusals=told)
            decision = plan(facts, now)
        self._journal.keep(self.name, facts.experiment.name, (facts, now), decision)
        await self._record(facts.experiment.manifest, render_status(decision.status))
        await self._apply(Plan(decision.events))
        for _, error in refusals.values():
            if isinstance(error, Forbidden):
                raise error
        return decision.wake_at

    async def _write(self, decision: ExperimentPlan) -> dict[str, tuple[str, Refused]]:
        """What the server refused, by what it is about; one that is refused holds up nothing else."""
        refusals: dict[str, tuple[str, Refused]] = {}
        for write in decision.writes:
            if write.about in refusals:
                continue
            try:
                await self._apply(Plan((write.action,)))
            except NotFound:
                continue  # gone meanwhile: the next pass sees it
            except Refused as error:
                refusals[write.about] = (write.failure, error)
                continue
            if write.told is not None:
                await self._apply(Plan((write.told,)))
        return refusals

    async def _refuse(self, manifest: Manifest, problem: Problem) -> None:
        """An experiment that cannot be carried out as written says so and stands still (contract 8.6)."""
        before = manifest.get("status") or {}
        conditions = refused(manifest, _conditions(before), problem, self._clock.now())
        kept = before if isinstance(before, dict) else {}
        await self._record(manifest, {**kept, "conditions": [render_condition(condition) for condition in conditions]})

    async def _record(self, manifest: Manifest, status: Manifest) -> None:
        """What changed, with the version it was derived from; a write in between is looked at first."""
        before = manifest.get("status")
        patch = merge_patch(before, status) if isinstance(before, dict) else status
        if not patch:
            return
        body = {"metadata": {"resourceVersion": manifest["metadata"].get("resourceVersion", "")}, "status": patch}
        await self._apply(Plan(status=Patch(ObjectRef(EXPERIMENTS, namespace_of(manifest), name_of(manifest)), body)))


def _has_pods(experiment: Manifest) -> bool:
    templates = (experiment.get("status") or {}).get("templateStatuses") or []
    return any(isinstance(template, dict) and template.get("replicas") for template in templates)


def _told(words: str, error: Refused) -> RefusedWrite:
    """Rights may come, and a quota may be raised: what is forbidden is tried again until the progress deadline."""
    return RefusedWrite(f"{words}: {error}", final=not isinstance(error, Forbidden))


def _conditions(status: Manifest) -> Conditions:
    """The conditions of a status that may not be readable: then it has none."""
    try:
        return tuple(parse_condition(condition) for condition in status.get("conditions") or ())
    except (AttributeError, ValueError):
        return ()
