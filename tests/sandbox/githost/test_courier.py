"""Webhook deliveries."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from reconciler_sandbox.githost.courier import ATTEMPTS, Courier, Hook


@asynccontextmanager
async def receiver(statuses: list[int]) -> AsyncIterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    received: list[tuple[dict[str, str], bytes]] = []

    async def receive(request: web.BaseRequest) -> web.Response:
        received.append((dict(request.headers), await request.read()))
        return web.Response(status=statuses.pop(0))

    runner = web.ServerRunner(web.Server(receive))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/", received
    await runner.cleanup()


async def test_a_delivery_is_signed_over_its_raw_body() -> None:
    courier = Courier()
    async with receiver([202]) as (url, received):
        courier.send(Hook(url, "s3cret"), "push", {"ref": "refs/heads/ü"})
        await asyncio.wait_for(courier.settle(), 20)
        headers, body = received[0]
        assert headers["X-Hub-Signature-256"] == "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
        assert headers["X-GitHub-Event"] == "push"
        assert headers["X-GitHub-Delivery"] == courier.deliveries[0].id
        await courier.stop()


async def test_a_refused_delivery_is_tried_again_with_the_same_id_and_then_given_up() -> None:
    courier = Courier()
    async with receiver([500] * ATTEMPTS) as (url, received):
        courier.send(Hook(url, "s"), "push", {})
        await asyncio.wait_for(courier.settle(), 20)
        assert len(received) == ATTEMPTS
        assert len({headers["X-GitHub-Delivery"] for headers, _ in received}) == 1
        assert [d.attempt for d in courier.deliveries] == list(range(1, ATTEMPTS + 1))
        await courier.stop()


async def test_a_receiver_that_is_not_there_has_status_0() -> None:
    courier = Courier()
    async with receiver([]) as (url, _):
        closed = url
    courier.send(Hook(closed, "s"), "push", {})
    await asyncio.wait_for(courier.settle(), 20)
    assert {d.status for d in courier.deliveries} == {0}
    await courier.stop()


async def test_stopping_gives_up_what_is_under_way() -> None:
    courier, arrived = Courier(), asyncio.Event()

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await reader.read()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    courier.send(Hook(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", "s"), "push", {})
    await asyncio.wait_for(arrived.wait(), 20)
    await asyncio.wait_for(courier.stop(), 20)
    assert courier.deliveries == []
    server.close()
    await server.wait_closed()
