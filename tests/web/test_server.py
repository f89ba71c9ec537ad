"""Our endpoints over real HTTP."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
import pytest

from reconciler.web.server import Handler, Incoming, Reply, Server


@asynccontextmanager
async def serving(routes: Mapping[tuple[str, str], Handler], body_limit: int = 1000) -> AsyncIterator[httpx.AsyncClient]:
    server = Server(routes, body_limit=body_limit)
    await server.start()
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        yield client
    await server.stop()


async def echo(incoming: Incoming) -> Reply:
    return Reply(202, incoming.body, "application/json", {"X-Query": incoming.query.get("q", ""), "X-Type": incoming.headers["x-type"]})


async def healthy(_: Incoming) -> Reply:
    return Reply(body=b"ok\n")


async def broken(_: Incoming) -> Reply:
    raise RuntimeError("secret detail")


async def test_a_handler_sees_the_request_and_its_reply_arrives() -> None:
    async with serving({("POST", "/webhook"): echo}) as client:
        response = await client.post("/webhook?q=1", content=b'{"a": 1}', headers={"X-Type": "t"})
        assert (response.status_code, response.content, response.headers["x-query"]) == (202, b'{"a": 1}', "1")
        assert (response.headers["content-type"], response.headers["x-type"]) == ("application/json", "t")


async def test_no_answer_has_a_banner() -> None:
    async with serving({("GET", "/healthz"): healthy}) as client:
        for path in ("/healthz", "/nothing"):
            assert "server" not in (await client.get(path)).headers


async def test_unknown_paths_and_methods_are_told_apart() -> None:
    async with serving({("GET", "/healthz"): healthy}) as client:
        assert (await client.get("/")).status_code == 404
        refused = await client.post("/healthz")
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET")
        assert (await client.head("/healthz")).status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_the_cap_is_refused(chunked: bool) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100

    async with serving({("POST", "/webhook"): healthy}) as client:
        assert (await client.post("/webhook", content=parts() if chunked else b"x" * 2000)).status_code == 413


async def test_a_bug_in_a_handler_is_a_500_without_details() -> None:
    async with serving({("GET", "/x"): broken, ("GET", "/healthz"): healthy}) as client:
        response = await client.get("/x")
        assert (response.status_code, response.text) == (500, "internal error\n")
        assert (await client.get("/healthz")).text == "ok\n"


async def test_it_listens_on_loopback_unless_told_otherwise() -> None:
    server = Server({})
    with pytest.raises(RuntimeError):
        _ = server.url
    await server.start()
    assert server.url.startswith("http://127.0.0.1:")
    await server.stop()
