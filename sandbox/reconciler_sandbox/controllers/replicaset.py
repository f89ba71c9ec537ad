"""Keeps as many pods as a ReplicaSet asks for, whoever owns the ReplicaSet."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from reconciler_sandbox.client import ApiClient, ApiError
from reconciler_sandbox.controllers.events import Recorder
from reconciler_sandbox.controllers.loop import Trigger
from reconciler_sandbox.controllers.objects import (
    Key,
    Manifest,
    annotations_of,
    collection,
    condition_of,
    is_active,
    is_controlled_by,
    is_deleting,
    is_ready,
    key_of,
    labels_of,
    name_of,
    now,
    one,
    phase_of,
    reference_to,
    seconds_since,
    selector_text,
    timestamp,
    uid_of,
    without_zeros,
)
from reconciler_sandbox.controllers.workload import PODS, REPLICA_SET

BURST = 100
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


class ReplicaSetController:
    """Creates and deletes pods and counts them into the status."""

    name = "replicaset-controller"

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self._events = Recorder(client, self.name)

    def triggers(self) -> Sequence[Trigger]:
        """ReplicaSets, and pods through their owner."""
        return (
            REPLICA_SET.itself(),
            REPLICA_SET.owner_of(PODS),
        )

    async def reconcile(self, key: Key) -> float | None:
        """Close the gap between asked and active pods, then write the status."""
        replica_set = await self._client.get(one(REPLICA_SET.resource, key))
        if replica_set is None:
            return None
        listed = await self._client.list(collection(PODS, key.namespace), labelSelector=selector_text(replica_set["spec"]["selector"]))
        pods = [pod for pod in listed if is_controlled_by(pod, uid_of(replica_set)) and is_active(pod)]
        failure = "" if is_deleting(replica_set) else await self._scale(replica_set, pods)
        # The counts are of the pods before scaling: each created or deleted pod is an event that brings the next pass.
        moment = now()
        await self._write_status(replica_set, pods, failure, moment)
        if failure:
            raise ApiError(500, "FailedCreate", failure)
        return next_availability(pods, replica_set["spec"].get("minReadySeconds", 0), moment)

    async def _scale(self, replica_set: Manifest, pods: Sequence[Manifest]) -> str:
        missing = replica_set["spec"].get("replicas", 1) - len(pods)
        if missing < 0:
            await self._shrink(replica_set, sorted(pods, key=removal_order)[:-missing])
            return ""
        try:
            for _ in range(min(missing, BURST)):
                await self._grow(replica_set)
        except ApiError as error:
            await self._events.warning(REPLICA_SET.subject(replica_set), "FailedCreate", f"Error creating: {error.message}")
            return error.message
        return ""

    async def _grow(self, replica_set: Manifest) -> None:
        namespace = replica_set["metadata"]["namespace"]
        reference = reference_to(replica_set, REPLICA_SET.api_version, REPLICA_SET.kind)
        pod = pod_from(replica_set["spec"]["template"], namespace, f"{name_of(replica_set)}-", reference)
        created = await self._client.create(collection(PODS, namespace), pod)
        await self._events.normal(REPLICA_SET.subject(replica_set), "SuccessfulCreate", f"Created pod: {name_of(created)}")

    async def _shrink(self, replica_set: Manifest, pods: Iterable[Manifest]) -> None:
        for pod in pods:
            await self._client.delete(one(PODS, key_of(pod)))
            await self._events.normal(REPLICA_SET.subject(replica_set), "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")

    async def _write_status(self, replica_set: Manifest, pods: Sequence[Manifest], failure: str, moment: datetime) -> None:
        status = status_of(replica_set, pods, moment)
        status["conditions"] = _conditions(replica_set, failure, moment)
        await REPLICA_SET.write_status(self._client, replica_set, status)


def status_of(replica_set: Manifest, pods: Sequence[Manifest], moment: datetime) -> Manifest:
    """The counters as a merge patch of the status."""
    minimum = replica_set["spec"].get("minReadySeconds", 0)
    wanted = labels_of(replica_set["spec"]["template"])
    counts = {
        "replicas": len(pods),
        "fullyLabeledReplicas": sum(wanted.items() <= labels_of(pod).items() for pod in pods),
        "readyReplicas": sum(is_ready(pod) for pod in pods),
        "availableReplicas": sum(is_available(pod, minimum, moment) for pod in pods),
        "observedGeneration": replica_set["metadata"].get("generation", 0),
    }
    return {**without_zeros(counts, always=("replicas",))}


def is_available(pod: Manifest, minimum: float, moment: datetime) -> bool:
    """Whether a pod has been ready for `minimum` seconds."""
    condition = condition_of(pod, "Ready")
    if condition is None or condition["status"] != "True":
        return False
    return minimum == 0 or seconds_since(condition["lastTransitionTime"], moment) >= minimum


def next_availability(pods: Iterable[Manifest], minimum: float, moment: datetime) -> float | None:
    """In how many seconds the next ready pod becomes available."""
    if minimum == 0:
        return None
    conditions = [condition_of(pod, "Ready") for pod in pods if is_ready(pod)]
    ages = [seconds_since(condition["lastTransitionTime"], moment) for condition in conditions if condition is not None]
    return min((minimum - age for age in ages if age < minimum), default=None)


def removal_order(pod: Manifest) -> tuple[bool, bool, bool, int, float, int]:
    """Sorts pods so that the least useful comes first: unscheduled, not running, not ready, cheap, young."""
    status = pod.get("status") or {}
    condition = condition_of(pod, "Ready")
    since = condition["lastTransitionTime"] if condition is not None and is_ready(pod) else pod["metadata"]["creationTimestamp"]
    restarts = sum(container.get("restartCount", 0) for container in status.get("containerStatuses") or ())
    return (
        bool(pod["spec"].get("nodeName")),
        phase_of(pod) == "Running",
        is_ready(pod),
        int(annotations_of(pod).get(DELETION_COST, "0")),
        -datetime.fromisoformat(since).timestamp(),
        -restarts,
    )


def pod_from(template: Manifest, namespace: str, prefix: str, owner: Manifest) -> Manifest:
    """A pod to create from a template; the server completes the name."""
    metadata = {name: template.get("metadata", {}).get(name) for name in ("labels", "annotations", "finalizers")}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **{name: value for name, value in metadata.items() if value},
            "generateName": prefix,
            "namespace": namespace,
            "ownerReferences": [owner],
        },
        "spec": template["spec"],
    }


def _conditions(replica_set: Manifest, failure: str, moment: datetime) -> list[Manifest] | None:
    others = [c for c in (replica_set.get("status") or {}).get("conditions") or () if c["type"] != "ReplicaFailure"]
    if not failure:
        return others or None
    known = condition_of(replica_set, "ReplicaFailure")
    since = known["lastTransitionTime"] if known is not None else timestamp(moment)
    return [
        *others,
        {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": failure, "lastTransitionTime": since},
    ]
