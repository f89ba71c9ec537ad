"""What the mesh knows of the API: changes count once, vanished kinds and late kinds are survived."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from reconciler_sandbox.mesh.objects import KINDS, Objects

from tests.kit.mesh import MemoryApi, pod, service, until


@asynccontextmanager
async def following(api: MemoryApi) -> AsyncIterator[Objects]:
    objects = Objects(api, retry_seconds=0.01)
    tasks = [asyncio.create_task(objects.follow(kind)) for kind in KINDS]
    try:
        yield objects
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def names(objects: Objects) -> Callable[[], list[str]]:
    return lambda: [item["metadata"]["name"] for item in objects.all()]


async def test_caught_up_means_everything_the_api_holds_is_known() -> None:
    api = MemoryApi(service("a"), pod("p"))
    async with following(api) as objects:
        first = await objects.caught_up()
        assert names(objects)() == ["p", "a"]
        api.put(service("b"))
        api.remove(pod("p"))
        assert await objects.caught_up() > first
        assert names(objects)() == ["a", "b"]


async def test_an_object_that_did_not_change_is_no_change() -> None:
    api = MemoryApi(service("a"))
    async with following(api) as objects:
        generation = await objects.caught_up()
        objects.changed.clear()
        api._tell("MODIFIED", api.objects[("Service", "default", "a")])
        api.put(service("b"))
        assert await objects.caught_up() == generation + 1
        assert objects.changed.is_set()


async def test_a_kind_that_is_not_served_is_asked_for_again() -> None:
    api = MemoryApi(service("a"))
    api.missing.add("Service")
    async with following(api) as objects:
        await objects.caught_up()
        assert objects.all() == []
        api.missing.clear()
        await until(lambda: names(objects)() == ["a"])
