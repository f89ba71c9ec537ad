"""An inventory is read once for many who ask within a moment, and never older than that."""

import asyncio

from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.resources import CONFIGMAPS
from reconciler.kube.client import Client
from reconciler.sources.inventory import Inventory, render_inventory
from reconciler.sources.observe_inventory import MOMENT, Inventories
from tests.kit.clusters import Api, api

PLACE = ObjectRef(CONFIGMAPS, "reconciler", "reconciler-source-shop")


def asking(version: str) -> Inventory:
    return Inventory(commit="c0ffee", workloads={"Rollout/shop/web": version})


async def stored(client: Client, inventory: Inventory) -> None:
    manifest = render_inventory("shop", "reconciler", inventory)
    if await client.find(CONFIGMAPS, "reconciler", PLACE.name) is None:
        await client.create(CONFIGMAPS, manifest)
    else:
        await client.patch(PLACE, {"data": manifest["data"]})


def reads(cluster: Api) -> int:
    return sum(call.method == "GET" for call in cluster.transport.calls)


async def test_many_who_ask_at_once_cost_one_read() -> None:
    async with api() as cluster:
        inventories, now = Inventories(cluster.client, "reconciler", lambda: now), 0.0
        await stored(cluster.client, asking("1"))
        cluster.transport.calls.clear()
        found = await asyncio.gather(*(inventories.workloads("shop") for _ in range(10)))
        assert found == [{"Rollout/shop/web": "1"}] * 10
        assert reads(cluster) == 1


async def test_an_answer_serves_for_a_moment_only() -> None:
    async with api() as cluster:
        inventories, now = Inventories(cluster.client, "reconciler", lambda: now), 0.0
        assert await inventories.workloads("shop") is None
        await stored(cluster.client, asking("2"))
        assert await inventories.workloads("shop") is None
        now += MOMENT
        assert await inventories.workloads("shop") == {"Rollout/shop/web": "2"}


async def test_what_the_source_reads_or_writes_is_known_at_once() -> None:
    async with api() as cluster:
        inventories = Inventories(cluster.client, "reconciler", lambda: 0.0)
        await stored(cluster.client, asking("1"))
        assert await inventories.workloads("shop") == {"Rollout/shop/web": "1"}
        await stored(cluster.client, asking("2"))
        assert (await inventories.read("shop"))[1] == asking("2")
        assert await inventories.workloads("shop") == {"Rollout/shop/web": "2"}
        inventories.written("shop", asking("3"))
        assert await inventories.workloads("shop") == {"Rollout/shop/web": "3"}
