"""Our endpoints over real sockets: polite to clients, patient with nobody."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

import httpx
import pytest
import structlog
from aiohttp import web

from reconciler.web.listener import Limits, Route, listening
from tests.kit.wait import until

SOON = Limits(connections=8, head_seconds=0.3, idle_seconds=0.3, body_seconds=0.3, body=1000, bodies=2, headers=30, unanswered=40_000)


@asynccontextmanager
async def serving(routes: Sequence[Route], limits: Limits = SOON) -> AsyncIterator[httpx.AsyncClient]:
    async with listening(routes, "127.0.0.1", 0, limits) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        yield client


async def echo(request: web.Request) -> web.Response:
    return web.json_response({"body": await request.text(), "q": request.query.get("q", "")}, status=202)


async def healthy(_: web.Request) -> web.Response:
    return web.Response(text="ok\n")


async def broken(_: web.Request) -> web.Response:
    raise RuntimeError("secret detail")


ROUTES = (
    Route("POST", "/webhook", echo),
    Route("GET", "/healthz", healthy),
    Route("GET", "/x", broken),
    Route("GET", "/o/{name}", healthy),
)


async def talk(client: httpx.AsyncClient, sent: bytes) -> bytes:
    """Everything that comes back until the server closes the connection, which it must."""
    parts = urlsplit(str(client.base_url))
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(sent)
        await writer.drain()
        return await asyncio.wait_for(reader.read(), 20)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_a_handler_sees_the_request_and_its_reply_arrives() -> None:
    async with serving(ROUTES) as client:
        response = await client.post("/webhook?q=1", content=b'{"a": 1}')
        assert (response.status_code, response.json()) == (202, {"body": '{"a": 1}', "q": "1"})
        assert response.headers["x-content-type-options"] == "nosniff"
        assert (await client.get("/o/a")).status_code == 200


async def test_no_answer_has_a_banner() -> None:
    async with serving(ROUTES) as client:
        for path in ("/healthz", "/nothing", "/x"):
            assert "server" not in (await client.get(path)).headers


async def test_unknown_paths_and_methods_are_told_apart() -> None:
    async with serving(ROUTES) as client:
        assert (await client.get("/")).status_code == 404
        refused = await client.post("/healthz")
        assert (refused.status_code, set(refused.headers["allow"].split(","))) == (405, {"GET", "HEAD"})
        assert (await client.head("/healthz")).status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_the_cap_is_refused(chunked: bool) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100

    async with serving(ROUTES) as client:
        assert (await client.post("/webhook", content=parts() if chunked else b"x" * 2000)).status_code == 413


async def test_a_bug_in_a_handler_is_a_500_without_details() -> None:
    async with serving(ROUTES) as client:
        with structlog.testing.capture_logs() as logged:
            response = await client.get("/x")
        assert (response.status_code, response.text) == (500, "internal error\n")
        assert [line["event"] for line in logged] == ["a bug: endpoint failed"]
        assert (await client.get("/healthz")).text == "ok\n"


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\n", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Half: 1", b"POST"])
async def test_half_open_headers_are_closed(sent: bytes) -> None:
    async with serving(ROUTES) as client:
        assert b"200 OK" not in await talk(client, sent)


async def test_a_drip_of_headers_buys_no_time() -> None:
    async with serving(ROUTES) as client:
        parts = urlsplit(str(client.base_url))
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        closed = asyncio.create_task(reader.read())
        writer.write(b"GET /healthz HTTP/1.1\r\n")

        async def dripped() -> bool:
            if not closed.done():
                writer.write(b"X: 1\r\n")
            return closed.done()

        await until(dripped)
        writer.close()
        assert b"200" not in (b"" if closed.exception() else closed.result())


async def test_a_half_sent_body_is_answered_408_and_closed() -> None:
    async with serving(ROUTES) as client:
        answer = await talk(client, b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nhalf")
    assert answer.startswith(b"HTTP/1.1 408")


async def test_an_idle_connection_is_closed_after_its_answer() -> None:
    async with serving(ROUTES) as client:
        assert (await talk(client, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")).startswith(b"HTTP/1.1 200")


async def test_a_request_that_takes_long_is_not_cut() -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(3 * SOON.head_seconds)
        return web.Response(text="late\n")

    async with serving([Route("GET", "/slow", slow)]) as client:
        assert (await client.get("/slow", timeout=20)).text == "late\n"


async def test_too_many_and_endless_headers_are_refused() -> None:
    async with serving(ROUTES) as client:
        many = b"".join(b"X-%d: 1\r\n" % number for number in range(40))
        assert (await talk(client, b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + many + b"\r\n")).startswith(b"HTTP/1.1 431")
        assert b"200 OK" not in await talk(client, b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X: 1\r\n" * 20_000)
        assert (await client.get("/healthz")).status_code == 200


async def test_a_crowd_that_waits_never_keeps_a_probe_out() -> None:
    limits = Limits(connections=8)
    async with serving(ROUTES, limits) as client, AsyncExitStack() as stack:
        parts = urlsplit(str(client.base_url))
        for _ in range(40):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port)
            stack.callback(writer.close)
            writer.write(b"GET /")
        assert (await client.get("/healthz", timeout=20)).status_code == 200


async def test_only_so_many_bodies_are_read_at_once() -> None:
    async with serving(ROUTES, Limits(bodies=1, body_seconds=20)) as client:
        parts = urlsplit(str(client.base_url))
        _, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nhalf")

        async def busy() -> bool:
            return (await client.post("/webhook", content=b"x")).status_code == 503

        await until(busy)
        assert (await client.get("/healthz")).status_code == 200
        writer.write(b"x" * 500)

        async def free() -> bool:
            return (await client.post("/webhook", content=b"x")).status_code == 202

        await until(free)
        writer.close()


GARBAGE = (
    b"\x00\xff\xfe\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET /%ff%00%zz?\xff=%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"POST /webhook HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: sha256=\xfc\xff\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnope",
    b"POST /webhook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET http://[::1/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
)


@pytest.mark.parametrize("sent", GARBAGE)
async def test_no_stranger_causes_a_500_or_a_traceback(sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async def strict(request: web.Request) -> web.Response:
        request.headers.get("X-Hub-Signature-256", "").encode("utf-8", "surrogateescape")
        return web.Response(status=401, text=json.dumps(len(await request.read())))

    with structlog.testing.capture_logs() as logged:
        async with serving([Route("POST", "/webhook", strict), Route("GET", "/healthz", healthy)]) as client:
            assert b" 500 " not in (await talk(client, sent))[:20]
            assert (await client.get("/healthz")).status_code == 200
    assert not logged and not [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]


async def test_the_address_is_that_which_was_asked_for() -> None:
    async with listening([], "127.0.0.1", 0) as url:
        assert url.startswith("http://127.0.0.1:")
        with pytest.raises(OSError):
            async with listening([], "127.0.0.1", int(url.rpartition(":")[2])):
                pass
