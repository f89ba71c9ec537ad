"""A pod's status from its containers: pure; the conditions keep their transition times while they say the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler_sandbox.controllers.objects import Manifest, condition_of, timestamp
from reconciler_sandbox.node.behaviour import repository_of
from reconciler_sandbox.node.container import Container, Running, State, Terminated, Waiting


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a pod is doing: its containers, its address, and whether it is leaving."""

    pod: Manifest
    containers: Sequence[Container]
    first: Sequence[Container]
    address: str
    draining: bool


def status_of(vitals: Vitals, moment: datetime) -> Manifest:
    """The status as a strategic merge patch."""
    phase = phase_of(vitals)
    status: Manifest = {
        "phase": phase,
        "podIP": vitals.address,
        "podIPs": [{"ip": vitals.address}],
        "hostIP": "127.0.0.1",
        "startTime": (vitals.pod.get("status") or {}).get("startTime") or timestamp(moment),
        "conditions": _conditions(vitals, phase, moment),
        "containerStatuses": [container_status(container, vitals.pod) for container in vitals.containers],
    }
    if vitals.first:
        status["initContainerStatuses"] = [container_status(container, vitals.pod) for container in vitals.first]
    return status


def phase_of(vitals: Vitals) -> str:
    """Pending until every container started, Succeeded or Failed when all are done for good."""
    if any(container.finished and _code(container) for container in vitals.first):
        return "Failed"
    everyone = vitals.containers
    if all(container.finished for container in everyone):
        return "Failed" if any(_code(container) for container in everyone) else "Succeeded"
    if any(isinstance(container.state, Waiting) and container.last is None for container in everyone):
        return "Pending"
    return "Running"


def is_initialised(containers: Sequence[Container]) -> bool:
    """Whether every init container did its work."""
    return all(container.finished and not _code(container) for container in containers)


def _code(container: Container) -> int:
    return container.state.ended.code if isinstance(container.state, Terminated) else 0


def _conditions(vitals: Vitals, phase: str, moment: datetime) -> list[Manifest]:
    waiting = [container.name for container in vitals.containers if not container.ready]
    unready = f"containers with unready status: [{' '.join(waiting)}]"
    all_ready = not waiting and not vitals.draining
    reason = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(phase, "ContainersNotReady")
    gates = [gate["conditionType"] for gate in vitals.pod["spec"].get("readinessGates") or ()]
    closed = [gate for gate in gates if (condition_of(vitals.pod, gate) or {}).get("status") != "True"]
    wanted = [
        ("PodScheduled", True, "", ""),
        ("Initialized", is_initialised(vitals.first), "ContainersNotInitialized", "init containers are not done"),
        ("ContainersReady", all_ready, reason, unready),
        ("Ready", all_ready and not closed, "ReadinessGatesNotReady" if all_ready else reason, unready),
    ]
    return [_condition(vitals.pod, condition, moment) for condition in wanted]


def _condition(pod: Manifest, wanted: tuple[str, bool, str, str], moment: datetime) -> Manifest:
    kind, holds, reason, message = wanted
    known = condition_of(pod, kind)
    status = "True" if holds else "False"
    kept = known is not None and known["status"] == status
    return {
        "type": kind,
        "status": status,
        "lastProbeTime": None,
        "lastTransitionTime": known["lastTransitionTime"] if known is not None and kept else timestamp(moment),
        "reason": None if holds else reason,
        "message": None if holds else message,
    }


def container_status(container: Container, pod: Manifest) -> Manifest:
    """One entry of containerStatuses."""
    running = isinstance(container.state, Running)
    pulled = running or isinstance(container.state, Terminated) or container.last is not None
    identifier = f"sandbox://{pod['metadata']['uid']}-{container.name}-{container.restarts}"
    status: Manifest = {
        "name": container.name,
        "image": container.image,
        "imageID": f"{repository_of(container.image)}@{container.image_digest}" if pulled else "",
        "ready": container.ready and running,
        "started": running,
        "restartCount": container.restarts,
        "state": _state(container.state, identifier),
        "lastState": _state(container.last, identifier) if container.last is not None else {},
    }
    return {**status, "containerID": identifier} if pulled else status


def _state(state: State, identifier: str) -> Manifest:
    match state:
        case Waiting():
            return {"waiting": {"reason": state.reason, **({"message": state.message} if state.message else {})}}
        case Running():
            return {"running": {"startedAt": timestamp(state.since)}}
        case Terminated():
            ended: Manifest = {
                "exitCode": state.ended.code,
                "reason": "Error" if state.ended.code else "Completed",
                "startedAt": timestamp(state.since),
                "finishedAt": timestamp(state.until),
                "containerID": identifier,
            }
            return {"terminated": {**ended, **({"message": state.ended.message} if state.ended.message else {})}}
