"""A pod's status from its containers."""

from datetime import UTC, datetime
from typing import Any

import pytest
from reconciler_sandbox.node.behaviour import Behaviours
from reconciler_sandbox.node.container import Container, Running, State, Terminated, Tools, Waiting
from reconciler_sandbox.node.network import Network, Resolver
from reconciler_sandbox.node.node import at_once
from reconciler_sandbox.node.pace import Pace
from reconciler_sandbox.node.program import Ended
from reconciler_sandbox.node.status import Vitals, phase_of, status_of

from tests.kit.pods import fixed_api, session
from tests.kit.workloads import OLD_TIME, pod, template

NOW = datetime(2026, 1, 2, tzinfo=UTC)


async def container(state: State, *, ready: bool = False, finished: bool = False, last: State | None = None) -> Container:
    """A container in a state, without a life of its own."""
    async with session() as client:
        tools = Tools(fixed_api({}), client, Resolver(fixed_api({}), Network()), Behaviours(), Pace(), (), at_once)
    made = Container(template()["spec"]["containers"][0], pod(), "127.20.0.1", tools, lambda: None)
    made.state, made.ready, made.finished, made.last = state, ready, finished, last
    return made


def vitals(*containers: Container, first: tuple[Container, ...] = (), draining: bool = False, manifest: Any = None) -> Vitals:
    return Vitals(manifest or pod(), containers, first, "127.20.0.1", draining)


def condition(status: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(c for c in status["conditions"] if c["type"] == kind)


def ended(code: int) -> Terminated:
    return Terminated(Ended(code), NOW, NOW)


async def test_a_pod_is_ready_when_all_its_containers_are() -> None:
    up, down = await container(Running(NOW), ready=True), await container(Running(NOW))
    assert condition(status_of(vitals(up), NOW), "Ready")["status"] == "True"
    assert condition(status_of(vitals(up, down), NOW), "Ready")["reason"] == "ContainersNotReady"


async def test_a_pod_that_leaves_is_not_ready() -> None:
    assert condition(status_of(vitals(await container(Running(NOW), ready=True), draining=True), NOW), "Ready")["status"] == "False"


async def test_a_readiness_gate_keeps_a_pod_unready_until_somebody_opens_it() -> None:
    up = await container(Running(NOW), ready=True)
    gated = pod(spec={"readinessGates": [{"conditionType": "lb"}]})
    status = status_of(vitals(up, manifest=gated), NOW)
    assert (condition(status, "Ready")["status"], condition(status, "ContainersReady")["status"]) == ("False", "True")
    gated["status"]["conditions"].append({"type": "lb", "status": "True"})
    assert condition(status_of(vitals(up, manifest=gated), NOW), "Ready")["status"] == "True"


async def test_a_condition_keeps_its_transition_time_while_it_holds() -> None:
    up = await container(Running(NOW), ready=True)
    assert condition(status_of(vitals(up), NOW), "Ready")["lastTransitionTime"] == OLD_TIME
    assert condition(status_of(vitals(up, manifest=pod(ready=False)), NOW), "Ready")["lastTransitionTime"] == "2026-01-02T00:00:00Z"


@pytest.mark.parametrize(
    ("state", "finished", "last", "phase"),
    [
        (Waiting("ContainerCreating"), False, None, "Pending"),
        (Waiting("CrashLoopBackOff"), False, ended(1), "Running"),
        (Running(NOW), False, None, "Running"),
        (ended(0), True, None, "Succeeded"),
        (ended(2), True, None, "Failed"),
        (ended(1), False, None, "Running"),
    ],
)
async def test_the_phase_follows_the_containers(state: State, finished: bool, last: State | None, phase: str) -> None:
    assert phase_of(vitals(await container(state, finished=finished, last=last))) == phase


async def test_a_failed_init_container_fails_the_pod() -> None:
    waiting = await container(Waiting("PodInitializing"))
    assert phase_of(vitals(waiting, first=(await container(ended(1), finished=True),))) == "Failed"
    status = status_of(vitals(waiting, first=(await container(Running(NOW)),)), NOW)
    assert condition(status, "Initialized")["status"] == "False"
    assert status["phase"] == "Pending"


async def test_container_statuses_name_the_digest_and_both_states() -> None:
    crashed = await container(Waiting("CrashLoopBackOff", "back-off"), last=ended(1))
    (status,) = status_of(vitals(crashed), NOW)["containerStatuses"]
    assert status["imageID"].startswith("web@sha256:")
    assert status["state"] == {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
    assert status["lastState"]["terminated"]["exitCode"] == 1
    assert status["lastState"]["terminated"]["reason"] == "Error"
