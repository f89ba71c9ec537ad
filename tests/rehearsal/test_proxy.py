"""The proxy passes everything on, streams included, except what a fault takes."""

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from reconciler_sandbox.githost import faults
from reconciler_sandbox.githost.faults import Fault
from reconciler_sandbox.rehearsal.proxy import Proxy, Tls

from tests.kit.certificate import self_signed


async def echo(request: web.BaseRequest) -> web.StreamResponse:
    if request.path == "/stream":
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first\n")
        await response.write(b"second\n")
        return response
    if request.path == "/broken":
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first\n")
        assert request.transport is not None
        request.transport.abort()
        return response
    body = (await request.read()).decode()
    return web.json_response({"method": request.method, "path": request.path_qs, "body": body}, status=201)


@asynccontextmanager
async def proxied() -> AsyncIterator[tuple[Proxy, aiohttp.ClientSession]]:
    runner = web.ServerRunner(web.Server(echo), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    async with Proxy(f"http://{host}:{port}") as proxy, aiohttp.ClientSession(proxy.url) as session:
        yield proxy, session
    await runner.cleanup()


async def test_a_request_arrives_as_it_was_sent() -> None:
    async with proxied() as (_, session), session.post("/a/b?c=d", data="hello") as answer:
        assert answer.status == 201
        assert await answer.json() == {"method": "POST", "path": "/a/b?c=d", "body": "hello"}


async def test_a_stream_passes() -> None:
    async with proxied() as (_, session), session.get("/stream") as answer:
        assert await answer.text() == "first\nsecond\n"


async def test_a_stream_that_breaks_off_breaks_off_for_who_reads_it() -> None:
    async with proxied() as (_, session), session.get("/broken", timeout=aiohttp.ClientTimeout(total=10)) as answer:
        assert await answer.content.readline() == b"first\n"
        with pytest.raises(aiohttp.ClientError):
            await answer.read()


async def test_both_sides_may_be_encrypted() -> None:
    certificate = self_signed()
    trusting = ssl.create_default_context(cadata=certificate.authority)
    async with AsyncExitStack() as stack:
        runner = web.ServerRunner(web.Server(echo), shutdown_timeout=0.1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=certificate.context()).start()
        upstream = f"https://127.0.0.1:{runner.addresses[0][1]}"
        proxy = await stack.enter_async_context(Proxy(upstream, tls=Tls(certificate.context(), trusting)))
        connector = aiohttp.TCPConnector(ssl=trusting)
        session = await stack.enter_async_context(aiohttp.ClientSession(proxy.url, connector=connector))
        async with session.put("/a", data="hello") as answer:
            assert proxy.url.startswith("https://") and (await answer.json())["body"] == "hello"


async def test_a_fault_answers_instead_and_then_is_used_up() -> None:
    async with proxied() as (proxy, session):
        proxy.faults.add(Fault(faults.answer(503), path="/a*"))
        async with session.get("/a") as answer:
            assert answer.status == 503
        async with session.get("/a") as answer:
            assert answer.status == 201


async def test_a_cut_connection_is_cut() -> None:
    async with proxied() as (proxy, session):
        proxy.faults.add(Fault(faults.cut()))
        with pytest.raises(aiohttp.ClientError):
            await session.post("/a", data="x")


async def test_a_system_that_is_away_is_a_bad_gateway() -> None:
    async with Proxy("http://127.0.0.1:9") as proxy, aiohttp.ClientSession(proxy.url) as session, session.get("/a") as answer:
        assert answer.status == 502
