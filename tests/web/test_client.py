"""The shared client against a real server: sizes, times, redirects, cookies."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from reconciler.kernel.errors import Terminal, Transient
from reconciler.web.client import ClientSettings, HttpCall, ask, open_client

Serve = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(serve), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def echo(request: web.BaseRequest) -> web.StreamResponse:
    return web.json_response({"query": dict(request.query), "body": await request.text(), "headers": dict(request.headers)})


async def test_a_call_arrives_with_query_headers_and_body() -> None:
    async with serving(echo) as url, open_client() as client:
        answer = await ask(client, HttpCall(method="POST", url=url, query={"q": "a&b"}, headers={"X-One": "1"}, body=b"text"))
        assert answer.status == 200
        document = answer.document()
        assert (document["query"], document["body"], document["headers"]["X-One"]) == ({"q": "a&b"}, "text", "1")
        assert document["headers"]["User-Agent"] == "reconciler"


async def test_an_answer_that_is_no_json_has_no_document() -> None:
    async def serve(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="<html>")

    async with serving(serve) as url, open_client() as client:
        assert (await ask(client, HttpCall(method="GET", url=url))).document() is None


@pytest.mark.parametrize("compressed", [False, True])
async def test_an_answer_larger_than_the_limit_is_refused(compressed: bool) -> None:
    async def serve(_: web.BaseRequest) -> web.StreamResponse:
        body = b"x" * 2_000_000
        headers = {"Content-Encoding": "gzip"} if compressed else {}
        return web.Response(body=gzip.compress(body) if compressed else body, headers=headers)

    async with serving(serve) as url, open_client() as client:
        with pytest.raises(Terminal, match="larger than 1000000"):
            await ask(client, HttpCall(method="GET", url=url, limit=1_000_000))


async def test_a_slow_body_ends_with_the_calls_own_timeout() -> None:
    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"a")
        await asyncio.Event().wait()
        return response

    async with serving(serve) as url, open_client() as client:
        with pytest.raises(Transient, match=r"within 0\.2 s"):
            await ask(client, HttpCall(method="GET", url=url, timeout=0.2))


async def test_a_closed_port_is_transient_and_the_message_has_no_secret() -> None:
    async with serving(echo) as url:
        closed = url
    async with open_client() as client:
        with pytest.raises(Transient) as caught:
            await ask(client, HttpCall(method="GET", url=closed.replace("http://", "http://user:secret@") + "/x?token=secret"))
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["ftp://example.com/", "/relative", "http://exa mple.com:port/"])
async def test_a_url_that_we_cannot_call_is_terminal(url: str) -> None:
    async with open_client() as client:
        with pytest.raises(Terminal):
            await ask(client, HttpCall(method="GET", url=url))


async def test_a_broken_encoding_is_transient() -> None:
    async def serve(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=b"not gzip", headers={"Content-Encoding": "gzip"})

    async with serving(serve) as url, open_client() as client:
        with pytest.raises(Transient):
            await ask(client, HttpCall(method="GET", url=url))


async def test_a_redirect_on_the_same_host_is_followed_with_the_headers() -> None:
    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/old":
            return web.Response(status=301, headers={"Location": "/new"})
        return web.Response(text=request.headers.get("Authorization", ""))

    async with serving(serve) as url, open_client() as client:
        assert (await ask(client, HttpCall(method="GET", url=url + "/old", headers={"Authorization": "Bearer t"}))).body == b"Bearer t"
        assert (await ask(client, HttpCall(method="POST", url=url + "/old", body=b"x"))).status == 301


async def test_a_redirect_to_another_host_is_refused_before_it_is_called() -> None:
    called: list[str] = []

    async def other(request: web.BaseRequest) -> web.StreamResponse:
        called.append(request.path)
        return web.Response()

    async with serving(other) as elsewhere, open_client() as client:

        async def serve(_: web.BaseRequest) -> web.StreamResponse:
            return web.Response(status=302, headers={"Location": elsewhere})

        async with serving(serve) as url:
            with pytest.raises(Terminal, match="another host"):
                await ask(client, HttpCall(method="GET", url=url))
    assert not called


async def test_a_circle_of_redirects_ends() -> None:
    async def serve(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": "/again"})

    async with serving(serve) as url, open_client() as client:
        with pytest.raises(Terminal, match="redirects"):
            await ask(client, HttpCall(method="GET", url=url))


async def test_no_cookie_is_kept() -> None:
    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=request.headers.get("Cookie", ""), headers={"Set-Cookie": "session=1"})

    async with serving(serve) as url, open_client() as client:
        await ask(client, HttpCall(method="GET", url=url))
        assert (await ask(client, HttpCall(method="GET", url=url))).body == b""


async def test_with_the_environment_others_are_reached_by_its_proxy_and_this_machine_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    async def proxy(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=f"asked for {request.headers['Host']}")

    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with serving(proxy) as by, serving(echo) as here:
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, by)
        async with open_client(ClientSettings(environment=True)) as client:
            there = await ask(client, HttpCall(method="GET", url="http://metrics.example.com/api"))
            assert there.body == b"asked for metrics.example.com"
            for place in (here, here.replace("127.0.0.1", "localhost")):
                assert b"asked for" not in (await ask(client, HttpCall(method="GET", url=place))).body


async def test_the_environment_has_no_say_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with serving(echo) as url, open_client() as client:
        assert (await ask(client, HttpCall(method="GET", url=url))).status == 200
