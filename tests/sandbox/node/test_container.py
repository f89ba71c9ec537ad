"""One container's life."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from reconciler_sandbox.node.behaviour import Behaviour, Behaviours
from reconciler_sandbox.node.container import Container, Running, Terminated, Tools, Waiting
from reconciler_sandbox.node.network import Network, Resolver
from reconciler_sandbox.node.node import at_once
from reconciler_sandbox.node.pace import Pace
from reconciler_sandbox.node.pool import AddressPool

from tests.kit.pods import PORT, fixed_api, session
from tests.kit.wait import until
from tests.kit.workloads import pod, template

PACE = Pace(drain=0.1, probe_period=0.02, restart_backoff=0.02, longest_backoff=0.1)
Start = Callable[..., Container]


@pytest.fixture
async def table() -> Behaviours:
    return Behaviours({"web:1": Behaviour("v1")})


@pytest.fixture
async def start(table: Behaviours) -> AsyncIterator[Start]:
    """Starts a container of web:1 under a restart policy; it is stopped after the test."""
    tasks: list[asyncio.Task[None]] = []
    async with session() as client, addresses() as pool:
        api = fixed_api({})
        resolver = Resolver(api, Network())
        tools = Tools(api, client, resolver, table, PACE, (), at_once)
        begun: list[Container] = []

        def begin(policy: str = "Always", address: str = "", **spec: Any) -> Container:
            container = {**template()["spec"]["containers"][0], **spec}
            manifest = pod(spec={"containers": [container], "restartPolicy": policy})
            made = Container(container, manifest, address or pool.take(), tools, lambda: None)
            tasks.append(asyncio.create_task(made.run(policy)))
            begun.append(made)
            return made

        yield begin
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for made in begun:
            resolver.ports.leave(made.address)


@asynccontextmanager
async def addresses() -> AsyncIterator[AddressPool]:
    pool = AddressPool()
    try:
        yield pool
    finally:
        pool.close()


async def test_a_container_without_a_probe_is_ready_once_it_runs(start: Start) -> None:
    container = start()
    await until(lambda: container.ready)
    assert isinstance(container.state, Running)
    assert container.is_serving
    assert "v1 listens on" in container.log.text


async def test_a_slow_start_delays_readiness(start: Start, table: Behaviours) -> None:
    table["web:1"] = Behaviour("v1", ready_after=60)
    container = start()
    await until(lambda: container.is_serving)
    assert not container.ready


async def test_a_crashing_image_is_restarted_with_back_off_and_never_ready(start: Start, table: Behaviours) -> None:
    table["web:1"] = Behaviour("v1", crash=True)
    container = start()
    await until(lambda: container.restarts >= 2 and isinstance(container.state, Waiting))
    assert isinstance(container.state, Waiting)
    assert container.state.reason == "CrashLoopBackOff"
    assert isinstance(container.last, Terminated)
    assert container.last.ended.code == 1
    assert not container.ready


async def test_a_running_container_crashes_when_its_image_turns_bad(start: Start, table: Behaviours) -> None:
    container = start()
    await until(lambda: container.ready)
    table["web:1"] = Behaviour("v1", crash=True)
    await until(lambda: container.restarts)
    assert not container.ready
    table["web:1"] = Behaviour("v1")
    await until(lambda: container.ready)


async def test_a_missing_image_waits_for_its_pull(start: Start, table: Behaviours) -> None:
    container = start(image="web:2")
    await until(lambda: isinstance(container.state, Waiting) and container.state.reason == "ImagePullBackOff")
    table["web:2"] = Behaviour("v2")
    await until(lambda: container.ready)
    assert container.restarts == 0


async def test_a_probe_decides_over_readiness(start: Start, table: Behaviours) -> None:
    table["web:1"] = Behaviour("v1", error_rate_by_path={"/healthz": 1.0})
    container = start(readinessProbe={"httpGet": {"path": "/healthz", "port": "http"}, "failureThreshold": 1})
    await until(lambda: container.is_serving)
    assert not container.ready
    table["web:1"] = Behaviour("v1")
    await until(lambda: container.ready)
    table["web:1"] = Behaviour("v1", error_rate_by_path={"/healthz": 1.0})
    await until(lambda: not container.ready)


async def test_a_probe_the_sandbox_cannot_make_never_succeeds(start: Start) -> None:
    container = start(readinessProbe={"exec": {"command": ["true"]}})
    await until(lambda: "not supported" in container.log.text)
    assert not container.ready


@pytest.mark.parametrize(("words", "code"), [(["http://nowhere.test/"], 6), (["--retry"], 127)])
async def test_a_program_ends_with_its_own_code(start: Start, words: list[str], code: int) -> None:
    container = start("Never", image="curlimages/curl:8", args=words)
    await until(lambda: container.finished)
    assert isinstance(container.state, Terminated)
    assert container.state.ended.code == code


async def test_a_variable_from_elsewhere_ends_the_container_with_its_name(start: Start) -> None:
    variable = {"name": "X", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
    container = start("Never", image="curlimages/curl:8", args=["http://a/"], env=[variable])
    await until(lambda: container.finished)
    assert isinstance(container.state, Terminated)
    assert "env from secretKeyRef" in container.state.ended.message


async def test_a_failing_program_is_started_again_in_place_until_it_succeeds(start: Start, table: Behaviours) -> None:
    table["check:1"] = Behaviour("c1", exits=1)
    container = start("OnFailure", image="check:1")
    await until(lambda: container.restarts >= 1)
    assert not container.finished
    table["check:1"] = Behaviour("c1", exits=0)
    await until(lambda: container.finished)


async def test_a_program_that_is_not_there_fails_with_its_name(start: Start) -> None:
    container = start("Never", image="python:3", command=["python", "check.py"])
    await until(lambda: container.finished)
    assert isinstance(container.state, Terminated)
    assert container.state.ended.code == 127
    assert "'python'" in container.state.ended.message


async def test_an_address_that_cannot_be_listened_on_is_the_machines_failure_and_said_with_its_reason(start: Start) -> None:
    container = start(address="203.0.113.1", ports=[{"containerPort": PORT}])
    await until(lambda: container.failure)
    assert container.failure.startswith("cannot listen on 203.0.113.1: ")
    healthy = start(ports=[{"containerPort": PORT}])
    await until(lambda: healthy.ready)
    assert not healthy.failure


async def test_the_declared_ports_are_open_while_it_runs(start: Start) -> None:
    container = start(ports=[{"containerPort": PORT}, {"containerPort": 9090}])
    await until(lambda: container.ready)
    async with session() as client:
        for port in (PORT, 9090):
            host, listening = container.where(port)
            async with client.get(f"http://{host}:{listening}/", timeout=aiohttp.ClientTimeout(10)) as response:
                assert response.status == 200
