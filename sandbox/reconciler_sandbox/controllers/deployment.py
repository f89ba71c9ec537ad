"""Rolls a Deployment's pods from template to template through ReplicaSets.

Each pass reads the Deployment and its ReplicaSets, takes one step and writes the status; changes of the ReplicaSets bring the next pass.
"""

from collections.abc import Mapping, Sequence

from reconciler_sandbox.client import ApiClient, ApiError
from reconciler_sandbox.controllers.events import Recorder
from reconciler_sandbox.controllers.loop import Trigger
from reconciler_sandbox.controllers.objects import (
    Key,
    Manifest,
    annotations_of,
    collection,
    condition_of,
    controller_keys,
    everywhere,
    is_controlled_by,
    is_deleting,
    key_of,
    labels_of,
    name_of,
    now,
    one,
    phase_of,
    selector_text,
    uid_of,
)
from reconciler_sandbox.controllers.progress import Fleet, Notice, counters, deadline_of, is_complete, pause_notices, status_of, until_stuck
from reconciler_sandbox.controllers.revisions import is_resized, is_saturated, new_replica_set, newest_changes, size_marks
from reconciler_sandbox.controllers.rolling import (
    HASH_LABEL,
    REVISION,
    Bounds,
    asked,
    bounds_of,
    grown,
    is_observed,
    matching,
    proportional,
    removable,
    revision_of,
    shrunk,
    total,
)
from reconciler_sandbox.controllers.workload import DEPLOYMENT, PODS, REPLICA_SET

DEPLOYMENTS, REPLICA_SETS = DEPLOYMENT.resource, REPLICA_SET.resource


class DeploymentController:
    """One step of a rollout per pass."""

    name = "deployment-controller"

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self._events = Recorder(client, self.name)

    def triggers(self) -> Sequence[Trigger]:
        """Deployments, their ReplicaSets, and pods (Recreate waits until the last one is gone)."""
        return (
            DEPLOYMENT.itself(),
            DEPLOYMENT.owner_of(REPLICA_SETS),
            Trigger(everywhere(PODS), self._of_gone_pod),
        )

    def _of_gone_pod(self, event: str, pod: Manifest) -> Sequence[Key]:
        template_hash_label = labels_of(pod).get(HASH_LABEL)
        owners = list(controller_keys("ReplicaSet", pod))
        if event != "DELETED" or template_hash_label is None or not owners:
            return ()
        return (Key(owners[0].namespace, owners[0].name.removesuffix(f"-{template_hash_label}")),)

    async def reconcile(self, key: Key) -> float | None:
        """Take the next step and write the status."""
        deployment = await self._client.get(one(DEPLOYMENTS, key))
        if deployment is None:
            return None
        fleet = await self._fleet(deployment)
        notices: tuple[Notice, ...] = ()
        if not is_deleting(deployment):
            fleet, notices = await self._step(deployment, fleet)
        await self._write_status(deployment, fleet, notices)
        return until_stuck(deployment, now())

    async def _fleet(self, deployment: Manifest) -> Fleet:
        listed = await self._client.list(
            collection(REPLICA_SETS, deployment["metadata"]["namespace"]), labelSelector=selector_text(deployment["spec"]["selector"])
        )
        owned = [r for r in listed if is_controlled_by(r, uid_of(deployment))]
        owned.sort(key=lambda r: (r["metadata"]["creationTimestamp"], revision_of(r), name_of(r)))
        newest = matching(deployment["spec"]["template"], owned)
        return Fleet(newest, [r for r in owned if r is not newest])

    async def _step(self, deployment: Manifest, fleet: Fleet) -> tuple[Fleet, tuple[Notice, ...]]:
        bounds = bounds_of(deployment)
        paused = bool(deployment["spec"].get("paused"))
        notices = pause_notices(deployment)
        if paused or is_resized(deployment, fleet):
            if fleet.newest is not None:
                fleet = await self._adopt_revision(deployment, fleet.newest, fleet.old)
            return await self._resize(deployment, fleet, bounds), notices
        if deployment["spec"].get("strategy", {}).get("type") == "Recreate":
            fleet, news = await self._recreate(deployment, fleet, bounds)
        else:
            fleet, news = await self._roll(deployment, fleet, bounds)
        if is_complete(deployment, counters(fleet)):
            await self._trim_history(deployment, fleet)
        return fleet, (*notices, *news)

    async def _roll(self, deployment: Manifest, fleet: Fleet, bounds: Bounds) -> tuple[Fleet, tuple[Notice, ...]]:
        fleet, news = await self._ensure_newest(deployment, fleet, bounds)
        if fleet.newest is None:
            return fleet, news
        size = grown(bounds, fleet.newest, fleet.everyone)
        if size != asked(fleet.newest):
            return await self._sized(deployment, fleet, {name_of(fleet.newest): size}), news
        # A status that does not yet speak of the last resize would make pods count that are about to go.
        if not all(is_observed(replica_set) for replica_set in fleet.everyone):
            return fleet, news
        return await self._sized(deployment, fleet, shrunk(bounds, fleet.newest, fleet.old)), news

    async def _recreate(self, deployment: Manifest, fleet: Fleet, bounds: Bounds) -> tuple[Fleet, tuple[Notice, ...]]:
        if total(fleet.old) > 0:
            return await self._sized(deployment, fleet, {name_of(r): 0 for r in fleet.old if asked(r)}), ()
        if await self._old_pods_run(deployment, fleet):
            return fleet, ()
        fleet, news = await self._ensure_newest(deployment, fleet, bounds)
        if fleet.newest is None:
            return fleet, news
        return await self._sized(deployment, fleet, {name_of(fleet.newest): bounds.replicas}), news

    async def _old_pods_run(self, deployment: Manifest, fleet: Fleet) -> bool:
        pods = await self._client.list(
            collection(PODS, deployment["metadata"]["namespace"]), labelSelector=selector_text(deployment["spec"]["selector"])
        )
        old = {uid_of(r) for r in fleet.old}
        return any(phase_of(p) not in {"Succeeded", "Failed"} and any(is_controlled_by(p, uid) for uid in old) for p in pods)

    async def _ensure_newest(self, deployment: Manifest, fleet: Fleet, bounds: Bounds) -> tuple[Fleet, tuple[Notice, ...]]:
        if fleet.newest is not None:
            return await self._adopt_revision(deployment, fleet.newest, fleet.old), _found(deployment, fleet.newest)
        collisions = (deployment.get("status") or {}).get("collisionCount", 0)
        manifest = new_replica_set(deployment, fleet.old, bounds, collisions)
        try:
            created = await self._client.create(collection(REPLICA_SETS, deployment["metadata"]["namespace"]), manifest)
        except ApiError as error:
            return fleet, (await self._refused(deployment, manifest, error, collisions),)
        await self._announce_scale(deployment, created, 0, asked(created))
        await self._write_revision(deployment, revision_of(created))
        message = f'Created new replica set "{name_of(created)}"'
        news = (Notice("Progressing", "True", "NewReplicaSetCreated", message),) if deadline_of(deployment) is not None else ()
        return Fleet(created, fleet.old), news

    async def _refused(self, deployment: Manifest, manifest: Manifest, error: ApiError, collisions: int) -> Notice:
        if error.reason == "AlreadyExists":
            status = {"status": {"collisionCount": collisions + 1}}
            await self._client.patch(one(DEPLOYMENTS, key_of(deployment)) + "/status", status)
            raise error
        message = f'Failed to create new replica set "{name_of(manifest)}": {error.message}'
        await self._events.warning(DEPLOYMENT.subject(deployment), "ReplicaSetCreateError", message)
        return Notice("Progressing", "False", "ReplicaSetCreateError", message)

    async def _adopt_revision(self, deployment: Manifest, newest: Manifest, old: Sequence[Manifest]) -> Fleet:
        change = newest_changes(deployment, newest, max((revision_of(r) for r in old), default=0) + 1)
        if change:
            newest = await self._client.patch(one(REPLICA_SETS, key_of(newest)), change)
        await self._write_revision(deployment, revision_of(newest))
        return Fleet(newest, old)

    async def _write_revision(self, deployment: Manifest, revision: int) -> None:
        if annotations_of(deployment).get(REVISION) == str(revision):
            return
        # Through the status: there the annotation is no new generation.
        await self._client.patch(one(DEPLOYMENTS, key_of(deployment)) + "/status", {"metadata": {"annotations": {REVISION: str(revision)}}})

    async def _resize(self, deployment: Manifest, fleet: Fleet, bounds: Bounds) -> Fleet:
        active = [r for r in fleet.everyone if asked(r) > 0]
        if len(active) <= 1:
            only = active[0] if active else fleet.newest or max(fleet.old, key=revision_of, default=None)
            return await self._sized(deployment, fleet, {} if only is None else {name_of(only): bounds.replicas})
        if fleet.newest is not None and is_saturated(fleet.newest, bounds):
            return await self._sized(deployment, fleet, {name_of(r): 0 for r in fleet.old if asked(r)})
        if deployment["spec"].get("strategy", {}).get("type") == "Recreate":
            return fleet
        known = (deployment.get("status") or {}).get("replicas", 0)
        return await self._sized(deployment, fleet, proportional(bounds, active, known))

    async def _sized(self, deployment: Manifest, fleet: Fleet, sizes: Mapping[str, int]) -> Fleet:
        changed = {name_of(r): await self._scale(deployment, r, sizes[name_of(r)]) for r in fleet.everyone if name_of(r) in sizes}
        newest = fleet.newest
        return Fleet(
            changed.get(name_of(newest), newest) if newest is not None else None,
            [changed.get(name_of(r), r) for r in fleet.old],
        )

    async def _scale(self, deployment: Manifest, replica_set: Manifest, size: int) -> Manifest:
        marks = size_marks(bounds_of(deployment))
        before = asked(replica_set)
        if before == size and marks.items() <= annotations_of(replica_set).items():
            return replica_set
        body = {
            "metadata": {"resourceVersion": replica_set["metadata"]["resourceVersion"], "annotations": marks},
            "spec": {"replicas": size},
        }
        written = await self._client.patch(one(REPLICA_SETS, key_of(replica_set)), body)
        await self._announce_scale(deployment, written, before, size)
        return written

    async def _announce_scale(self, deployment: Manifest, replica_set: Manifest, before: int, after: int) -> None:
        if before == after:
            return
        direction = "up" if after > before else "down"
        message = f"Scaled {direction} replica set {name_of(replica_set)} from {before} to {after}"
        await self._events.normal(DEPLOYMENT.subject(deployment), "ScalingReplicaSet", message)

    async def _trim_history(self, deployment: Manifest, fleet: Fleet) -> None:
        for replica_set in removable(fleet.old, deployment["spec"].get("revisionHistoryLimit", 10)):
            await self._client.delete(one(REPLICA_SETS, key_of(replica_set)))

    async def _write_status(self, deployment: Manifest, fleet: Fleet, notices: Sequence[Notice]) -> None:
        await DEPLOYMENT.write_status(self._client, deployment, status_of(deployment, fleet, notices, now()))


def _found(deployment: Manifest, newest: Manifest) -> tuple[Notice, ...]:
    if deadline_of(deployment) is None or condition_of(deployment, "Progressing") is not None:
        return ()
    return (Notice("Progressing", "True", "FoundNewReplicaSet", f'Found new replica set "{name_of(newest)}"'),)
