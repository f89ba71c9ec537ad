"""Real pod servers and an API of fixed objects for tests of the node's parts."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from reconciler_sandbox.client import Answer, ApiClient, Call
from reconciler_sandbox.node.behaviour import Behaviour, Behaviours
from reconciler_sandbox.node.pool import AddressPool
from reconciler_sandbox.node.server import Identity, PodServer

PORT = 8080


def fixed_api(objects: Mapping[str, dict[str, Any]]) -> ApiClient:
    """An API that knows these objects by path and nothing else."""

    async def call(request: Call) -> Answer:
        found = objects.get(request.path)
        if found is None:
            return Answer(404, {}, b'{"reason":"NotFound","code":404}')
        return Answer(200, {}, json.dumps(found).encode())

    return ApiClient(call)


@asynccontextmanager
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A client that keeps no connection."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as opened:
        yield opened
    await asyncio.sleep(0)


@asynccontextmanager
async def serving(behaviour: Behaviour) -> AsyncIterator[tuple[str, PodServer, Behaviours]]:
    """A pod of image web:1 that serves on its own address: the address, the server and the table it follows."""
    pool = AddressPool()
    table = Behaviours({"web:1": behaviour})
    server = PodServer(Identity("shop", "web-1", "web:1"), table, ("x-release-tester",))
    try:
        address = pool.take()
        await server.start(address, (PORT,))
        yield address, server, table
    finally:
        await server.stop()
        pool.close()
