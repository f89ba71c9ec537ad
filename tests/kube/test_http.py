"""The transport against real HTTP: tokens, lines, silence, redirects."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.resources import CONFIGMAPS
from reconciler.kube.authorization import Authorization
from reconciler.kube.client import Client
from reconciler.kube.fence import Fence, Fenced, Gate
from reconciler.kube.http import Endpoint, HttpTransport
from reconciler.kube.transport import Request, Response
from tests.kit.clusters import NAMESPACE, api, config_map

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def nobody() -> str:
    return ""


@asynccontextmanager
async def answering(handler: Handler) -> AsyncIterator[str]:
    """A server that answers every request as told."""
    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


async def empty(_: web.Request) -> web.StreamResponse:
    return web.Response()


@asynccontextmanager
async def opened(
    handler: Handler, request: Request, authorization: Callable[[], Awaitable[str]] = nobody, below: str = ""
) -> AsyncIterator[Response]:
    """One answer of a server."""
    async with (
        answering(handler) as url,
        HttpTransport(Endpoint(url + below, authorization)) as transport,
        transport.open(request) as response,
    ):
        yield response


async def test_a_cluster_is_read_written_and_watched_over_http() -> None:
    async with api(listening=True) as cluster, HttpTransport(Endpoint(cluster.server.url, nobody)) as transport:
        client = Client(transport, Fence())
        version = (await client.listing(CONFIGMAPS)).version
        await client.create(CONFIGMAPS, config_map("web", {"a": "1"}))
        await client.patch(ObjectRef(CONFIGMAPS, NAMESPACE, "web"), {"data": {"a": "2"}})
        seen = []
        async for event in client.watch(CONFIGMAPS, version):
            seen.append((event.type, event.object["data"]))
            if len(seen) == 2:
                break
        assert seen == [("ADDED", {"a": "1"}), ("MODIFIED", {"a": "2"})]


async def test_a_request_of_a_person_names_them_and_each_of_their_groups_and_keeps_our_own_token() -> None:
    seen: list[tuple[str, str]] = []

    async def note(request: web.Request) -> web.StreamResponse:
        seen.extend((name, value) for name, value in request.headers.items() if name.startswith(("Impersonate", "Authorization")))
        return web.Response()

    async def token() -> str:
        return "Bearer ours"

    async with opened(note, Request("GET", "/x", user="ann@example.com", groups=("sre", "a, b")), token):
        pass
    groups = [("Impersonate-Group", "sre"), ("Impersonate-Group", "a, b")]
    assert seen == [("Authorization", "Bearer ours"), ("Impersonate-User", "ann@example.com"), *groups]
    seen.clear()
    async with opened(note, Request("GET", "/x", groups=("sre",)), token):
        assert seen == [("Authorization", "Bearer ours")]


@asynccontextmanager
async def guarded(good: set[str]) -> AsyncIterator[tuple[str, list[str]]]:
    """A server that lets in whoever sends one of these headers, and what it was sent."""
    seen: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers.get("Authorization", ""))
        return web.json_response({"metadata": {}}, status=200 if seen[-1] in good else 401)

    async with answering(answer) as url:
        yield url, seen


async def asked_for(transport: HttpTransport, method: str = "GET") -> int:
    async with transport.open(Request(method, "/x", body=b"{}" if method != "GET" else None)) as response:
        await response.read()
        return response.status


async def test_a_token_is_asked_for_once_and_used_for_a_while() -> None:
    tokens = iter(["Bearer one"])

    async def once() -> str:
        await asyncio.sleep(0)
        return next(tokens)

    async with guarded({"Bearer one"}) as (url, seen), HttpTransport(Endpoint(url, once)) as transport:
        assert await asyncio.gather(*(asked_for(transport) for _ in range(20))) == [200] * 20
    assert seen == ["Bearer one"] * 20


async def test_a_refused_token_is_renewed_and_the_request_sent_once_more() -> None:
    good = {"Bearer one"}
    tokens = iter(["Bearer one", "Bearer two"])

    async def rotating() -> str:
        await asyncio.sleep(0)
        return next(tokens)

    async with guarded(good) as (url, seen), HttpTransport(Endpoint(url, rotating)) as transport:
        assert await asked_for(transport) == 200
        good.clear()
        good.add("Bearer two")
        assert await asyncio.gather(*(asked_for(transport, "POST") for _ in range(5))) == [200] * 5
    assert seen.count("Bearer two") == 5 and set(seen) == {"Bearer one", "Bearer two"}


async def test_a_token_that_stays_refused_is_sent_once_and_the_refusal_is_the_answer() -> None:
    async def same() -> str:
        return "Bearer stolen"

    async with guarded(set()) as (url, seen), HttpTransport(Endpoint(url, same)) as transport:
        assert await asked_for(transport, "POST") == 401
    assert seen == ["Bearer stolen"]


async def test_an_old_token_is_asked_for_again() -> None:
    tokens = iter(["Bearer one", "Bearer two"])

    async def rotating() -> str:
        return next(tokens)

    kept = Authorization(rotating, kept=0.0)
    assert [await kept.header(), await kept.header()] == ["Bearer one", "Bearer two"]


async def test_a_write_that_may_no_longer_be_once_it_is_ready_is_not_sent() -> None:
    received: list[bytes] = []
    lost = False

    async def answer(request: web.Request) -> web.StreamResponse:
        received.append(await request.read())
        return web.json_response({"metadata": {}})

    async def slow() -> str:
        nonlocal lost
        lost = True
        return "Bearer late"

    fence = Fence(Gate(lambda: "the lease is lost" if lost else None))
    async with answering(answer) as url, HttpTransport(Endpoint(url, slow)) as transport:
        with pytest.raises(Fenced, match=r"POST .* withheld: the lease is lost"):
            await Client(transport, fence).create(CONFIGMAPS, config_map("web"))
        assert (await Client(transport, fence).get(CONFIGMAPS, NAMESPACE, "web")) == {"metadata": {}}
    assert received == [b""]


async def test_lines_are_whole_whatever_the_chunks_are() -> None:
    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for part in (b'{"a', b'": 1}\n{"b": 2}\n{"c":', b" 3", b"}\n\n", b'{"cut'):
            await response.write(part)
            await asyncio.sleep(0)
        return response

    async with opened(stream, Request("GET", "/x")) as response:
        assert [line async for line in response.lines()] == [b'{"a": 1}', b'{"b": 2}', b'{"c": 3}']


async def test_a_server_that_is_not_there_is_no_answer() -> None:
    async with answering(empty) as url:
        assert url
    async with HttpTransport(Endpoint(url, nobody)) as transport:
        with pytest.raises(Transient, match="no answer to GET /api"):
            async with transport.open(Request("GET", "/api")):
                raise AssertionError("nobody answers")


async def test_silence_ends_with_the_requests_own_time() -> None:
    released = asyncio.Event()

    async def silent(_: web.Request) -> web.StreamResponse:
        await released.wait()
        return web.Response()

    async with answering(silent) as url, HttpTransport(Endpoint(url, nobody)) as transport:
        with pytest.raises(Transient, match="TimeoutError"):
            async with transport.open(Request("GET", "/api", timeout=0.1)):
                raise AssertionError("nobody answers")
        released.set()


async def test_a_connection_that_breaks_in_the_middle_is_no_answer() -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return response

    async with answering(broken) as url, HttpTransport(Endpoint(url, nobody)) as transport:
        with pytest.raises(Transient):
            async with transport.open(Request("GET", "/api")) as response:
                await response.read()


async def test_a_redirect_is_an_answer_and_never_followed_with_our_token() -> None:
    visits: list[str] = []

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        visits.append(request.path)
        return web.Response(status=302, headers={"Location": "/evil"})

    async def token() -> str:
        return "Bearer secret"

    async with opened(elsewhere, Request("GET", "/api"), token) as response:
        assert response.status == 302
    assert visits == ["/api"]


async def test_queries_are_quoted_and_paths_below_the_server_are_kept() -> None:
    seen: list[tuple[str, str]] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append((request.path, request.query["labelSelector"]))
        return web.Response()

    request = Request("GET", "/api/v1/pods", {"labelSelector": "a in (b,c),d!=e+f"})
    async with opened(answer, request, below="/clusters/one/") as response:
        assert response.status == 200
    assert seen == [("/clusters/one/api/v1/pods", "a in (b,c),d!=e+f")]


async def test_it_is_used_inside_its_own_block_only() -> None:
    with pytest.raises(RuntimeError, match="before it is entered"):
        async with HttpTransport(Endpoint("http://127.0.0.1:1", nobody)).open(Request("GET", "/")):
            raise AssertionError("not entered")
