"""The HTTP server inside a pod."""

import asyncio
import socket

import aiohttp
import pytest
from reconciler_sandbox.node.behaviour import Behaviour, Behaviours
from reconciler_sandbox.node.server import Identity, PodServer, Served

from tests.kit.pods import PORT, serving, session
from tests.kit.ports import free_port
from tests.kit.wait import until

PROBE = {"User-Agent": "kube-probe/1.31"}


async def fetch(client: aiohttp.ClientSession, address: str, path: str = "/", **headers: str) -> int:
    async with client.get(f"http://{address}:{PORT}{path}", headers=headers, timeout=aiohttp.ClientTimeout(10)) as response:
        await response.read()
        return response.status


async def test_a_pod_says_which_version_it_is() -> None:
    async with serving(Behaviour("v1")) as (address, _, _), session() as client, client.get(f"http://{address}:{PORT}/") as response:
        assert await response.json() == {"version": "v1", "pod": "web-1", "image": "web:1"}


async def test_what_was_served_is_remembered_by_path_status_and_tag() -> None:
    async with serving(Behaviour("v1", error_rate_by_path={"/bad": 1.0})) as (address, server, _), session() as client:
        await fetch(client, address, "/")
        await fetch(client, address, "/", **{"X-Release-Tester": ""})
        assert await fetch(client, address, "/bad?x=1") == 500
    assert server.served == {Served("/", 200, False): 1, Served("/", 200, True): 1, Served("/bad", 500, False): 1}


async def test_a_change_of_the_table_is_felt_at_once() -> None:
    async with serving(Behaviour("v1")) as (address, _, table), session() as client:
        assert await fetch(client, address) == 200
        table["web:1"] = Behaviour("v1", error_rate=1, error_status=503)
        assert await fetch(client, address) == 503


async def test_a_grpc_error_is_a_success_of_http() -> None:
    async with (
        serving(Behaviour("v1", grpc_error=True)) as (address, _, _),
        session() as client,
        client.get(f"http://{address}:{PORT}/") as response,
    ):
        assert (response.status, response.headers["grpc-status"]) == (200, "13")


async def test_a_hanging_image_accepts_and_never_answers() -> None:
    async with serving(Behaviour("v1", hang=True)) as (address, server, _), session() as client:
        with pytest.raises(TimeoutError):
            async with client.get(f"http://{address}:{PORT}/", timeout=aiohttp.ClientTimeout(total=0.1)):
                pass
        assert not server.served


async def test_probes_are_neither_counted_nor_failed_by_the_error_rate() -> None:
    async with serving(Behaviour("v1", error_rate=1)) as (address, server, _), session() as client:
        assert await fetch(client, address, "/", **PROBE) == 200
    assert not server.served


async def test_a_probe_sees_the_start_up_time_and_errors_of_its_own_path() -> None:
    async with serving(Behaviour("v1", ready_after=60)) as (address, _, table), session() as client:
        assert await fetch(client, address, "/healthz", **PROBE) == 503
        table["web:1"] = Behaviour("v1")
        assert await fetch(client, address, "/healthz", **PROBE) == 200
        table["web:1"] = Behaviour("v1", error_rate_by_path={"/healthz": 1.0})
        assert await fetch(client, address, "/healthz", **PROBE) == 503


async def test_a_request_in_flight_ends_well_when_the_server_stops() -> None:
    async with serving(Behaviour("v1", latency=0.6)) as (address, server, _), session() as client:
        async with client.get(f"http://{address}:{PORT}/"):
            pass
        request = asyncio.create_task(fetch(client, address))
        await until(lambda: server.in_flight)
        await server.stop()
        assert await request == 200
        with pytest.raises(aiohttp.ClientConnectorError):
            await fetch(client, address)


@pytest.mark.parametrize("turns", range(6))
async def test_a_server_that_is_stopped_while_it_starts_leaves_no_port_behind(turns: int) -> None:
    port = free_port()
    server = PodServer(Identity("shop", "web-1", "web:1"), Behaviours({}), ())
    starting = asyncio.create_task(server.start("127.0.0.1", (port,)))
    for _ in range(turns):
        await asyncio.sleep(0)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    await server.stop()
    with socket.socket() as free:
        free.bind(("127.0.0.1", port))
