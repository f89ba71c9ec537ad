"""The transport without a wire behaves as HTTP does, as far as the client can tell; hooks surround writes and writes only."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import Answer, Call
from reconciler_sandbox.rehearsal.inprocess import DirectTransport

from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Manifest, ObjectRef, name_of
from reconciler.kernel.resources import CONFIGMAPS
from reconciler.kube.client import Client
from reconciler.kube.errors import AlreadyExists, NotFound
from reconciler.kube.fence import Fence
from reconciler.kube.http import Endpoint, HttpTransport
from reconciler.kube.transport import Request, Transport
from tests.kit.apiserver import config_map, running

PLACE = ObjectRef(CONFIGMAPS, "default", "one")


@asynccontextmanager
async def in_process(server: ApiServer) -> AsyncIterator[Transport]:
    yield DirectTransport(server.call)


@asynccontextmanager
async def over_http(server: ApiServer) -> AsyncIterator[Transport]:
    async def nobody() -> str:
        return ""

    async with HttpTransport(Endpoint(server.url, nobody)) as transport:
        yield transport


@pytest.fixture(params=[in_process, over_http], ids=["in process", "over HTTP"])
async def client(request: pytest.FixtureRequest, api_server: ApiServer) -> AsyncIterator[Client]:
    async with request.param(api_server) as transport:
        yield Client(transport, Fence())


@pytest.fixture
async def api_server() -> AsyncIterator[ApiServer]:
    async with running() as server:
        yield server


def one(**data: str) -> Manifest:
    return {**config_map("one", **data), "metadata": {"name": "one", "namespace": "default"}}


async def test_what_was_written_can_be_read(client: Client) -> None:
    await client.create(CONFIGMAPS, one(key="1"))
    await client.patch(PLACE, {"data": {"key": "2"}})
    assert (await client.get(CONFIGMAPS, "default", "one"))["data"] == {"key": "2"}


async def test_refusals_have_their_names(client: Client) -> None:
    await client.create(CONFIGMAPS, one())
    with pytest.raises(AlreadyExists):
        await client.create(CONFIGMAPS, one())
    with pytest.raises(NotFound):
        await client.get(CONFIGMAPS, "default", "two")


async def test_a_list_is_read_page_by_page(client: Client) -> None:
    for number in range(5):
        await client.create(CONFIGMAPS, {**one(), "metadata": {"name": f"c{number}", "namespace": "default"}})
    assert [name_of(m) for m in await client.list(CONFIGMAPS, "default")] == [f"c{number}" for number in range(5)]


async def test_a_watch_tells_every_change_until_it_is_left(client: Client, api_server: ApiServer) -> None:
    version = (await client.listing(CONFIGMAPS)).version
    await client.create(CONFIGMAPS, one(key="1"))
    await client.patch(PLACE, {"data": {"key": "2"}})
    facts = []
    watch = client.watch(CONFIGMAPS, version)
    async with asyncio.timeout(20):
        async for event in watch:
            facts.append((event.type, event.object["data"]["key"]))
            if len(facts) == 2:
                break
    await watch.aclose()  # type: ignore[attr-defined] # a generator, seen through its protocol
    assert facts == [("ADDED", "1"), ("MODIFIED", "2")]


async def test_a_watch_that_the_server_cuts_is_a_failure_that_passes(client: Client, api_server: ApiServer) -> None:
    version = (await client.listing(CONFIGMAPS)).version
    await client.create(CONFIGMAPS, one(key="1"))
    with pytest.raises(Transient):
        async with asyncio.timeout(20):
            async for _ in client.watch(CONFIGMAPS, version):
                api_server.cut_watches()


async def test_a_broken_connection_and_a_missing_answer_are_failures_that_pass(api_server: ApiServer) -> None:
    async def broken(_: Call) -> Answer:
        raise ConnectionResetError

    async def silent(_: Call) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    for call, timeout in ((broken, 30.0), (silent, 0.01)):
        with pytest.raises(Transient, match="no answer to GET /version"):
            async with DirectTransport(call).open(Request("GET", "/version", timeout=timeout)):
                raise AssertionError("there was no answer")


async def test_hooks_surround_each_write_and_no_read(api_server: ApiServer) -> None:
    facts = []

    async def before(request: Request) -> None:
        facts.append(("before", request.method, await stored()))

    async def after(request: Request) -> None:
        facts.append(("after", request.method, await stored()))

    async def stored() -> bool:
        return (await api_server.call(Call("GET", "/api/v1/namespaces/default/configmaps/one"))).status == 200

    client = Client(DirectTransport(api_server.call, before=before, after=after), Fence())
    await client.create(CONFIGMAPS, one())
    await client.list(CONFIGMAPS)
    await client.delete(PLACE)
    assert facts == [("before", "POST", False), ("after", "POST", True), ("before", "DELETE", True), ("after", "DELETE", False)]


async def test_a_write_that_is_stopped_before_it_is_not_done(api_server: ApiServer) -> None:
    class Killed(BaseException):
        pass

    async def kill(_: Request) -> None:
        raise Killed

    client = Client(DirectTransport(api_server.call, before=kill), Fence())
    with pytest.raises(Killed):
        await client.create(CONFIGMAPS, one())
    assert await client.find(CONFIGMAPS, "default", "one") is None
