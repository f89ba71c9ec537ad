"""Informers fill the queue, workers empty it; ready means everything was seen once."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import datetime

import pytest
from reconciler_sandbox.client import Answer, Call

from reconciler.app.indexes import INDEXES
from reconciler.kernel.clock import SystemClock
from reconciler.kernel.identity import Key, Manifest, Resource, name_of, namespace_of
from reconciler.kernel.resources import CONFIGMAPS, SECRETS
from reconciler.kube.cache import Cache
from reconciler.runtime.engine import RESYNC, Engine, watched
from reconciler.runtime.queue import PER_CONTROLLER
from tests.kit.clusters import Api, api, config_map, running
from tests.kit.wait import until


class Noting:
    """Notes its passes; an object called `poison` breaks its reading."""

    def __init__(self, name: str, *watches: Resource) -> None:
        self.name = name
        self.watches = watches
        self.passes: list[str] = []

    def keys_for(self, resource: Resource, manifest: Manifest) -> Iterable[Key]:
        yield Key(self.name, namespace_of(manifest), name_of(manifest))
        if name_of(manifest) == "poison":
            raise AttributeError("'str' object has no attribute 'get'")

    async def reconcile(self, key: Key) -> datetime | None:
        self.passes.append(key.name)
        return None


@pytest.fixture
async def cluster() -> AsyncIterator[Api]:
    async with api() as found:
        yield found


def engine(cluster: Api, *controllers: Noting, resync: float = RESYNC) -> Engine:
    return Engine(controllers, cluster.client, Cache(watched(controllers), INDEXES), SystemClock(), resync=resync)


async def test_what_is_there_and_what_comes_is_worked_on(cluster: Api) -> None:
    await cluster.client.create(CONFIGMAPS, config_map("before"))
    one, two = Noting("one", CONFIGMAPS), Noting("two", SECRETS)
    running_engine = engine(cluster, one, two)
    async with running(running_engine.run()):
        await asyncio.wait_for(running_engine.ready.wait(), 20)
        await cluster.client.create(CONFIGMAPS, config_map("after"))
        await until(lambda: one.passes == ["before", "after"])
        running_engine.poke(Key("two", "", "poked"))
        await until(lambda: two.passes == ["poked"])


async def test_it_is_not_ready_before_every_resource_was_listed(cluster: Api) -> None:
    held = asyncio.Event()

    async def slow(call: Call) -> Answer | None:
        if "secrets" in call.path:
            await held.wait()
        return None

    await cluster.client.create(CONFIGMAPS, config_map("before"))
    cluster.server.faults = slow
    one = Noting("one", CONFIGMAPS, SECRETS)
    running_engine = engine(cluster, one)
    async with running(running_engine.run()):
        await until(lambda: len(running_engine.queue) == 1)
        assert not running_engine.ready.is_set() and one.passes == []
        held.set()
        await asyncio.wait_for(running_engine.ready.wait(), 20)
        await until(lambda: one.passes == ["before"])


async def test_nobody_waits_for_what_a_cluster_need_not_serve(cluster: Api) -> None:
    widgets = Resource("example.com", "v1", "widgets", "Widget", optional=True)
    one = Noting("one", CONFIGMAPS, widgets)
    running_engine = engine(cluster, one)
    async with running(running_engine.run()):
        await asyncio.wait_for(running_engine.ready.wait(), 20)
        await cluster.client.create(CONFIGMAPS, config_map("works"))
        await until(lambda: one.passes == ["works"])


async def test_an_object_that_nobody_can_read_costs_only_its_own_event(cluster: Api) -> None:
    one = Noting("one", CONFIGMAPS)
    running_engine = engine(cluster, one)
    async with running(running_engine.run()):
        await asyncio.wait_for(running_engine.ready.wait(), 20)
        await cluster.client.create(CONFIGMAPS, config_map("poison"))
        await cluster.client.create(CONFIGMAPS, config_map("fine"))
        await until(lambda: one.passes == ["fine"])


async def test_every_object_is_looked_at_again_after_a_while_without_any_event(cluster: Api) -> None:
    for name in ("a", "b"):
        await cluster.client.create(CONFIGMAPS, config_map(name))
    one = Noting("one", CONFIGMAPS)
    running_engine = engine(cluster, one, resync=0.05)
    async with running(running_engine.run()):
        await until(lambda: one.passes.count("a") >= 3 and one.passes.count("b") >= 3)
    assert RESYNC == 900


async def test_a_resource_is_handed_out_again_on_request_and_spread_out(cluster: Api) -> None:
    for name in ("a", "b"):
        await cluster.client.create(CONFIGMAPS, config_map(name))
    one = Noting("one", CONFIGMAPS)
    running_engine = engine(cluster, one)
    async with running(running_engine.run()):
        await until(lambda: sorted(one.passes) == ["a", "b"])
        running_engine.hear_again(SECRETS)
        running_engine.hear_again(CONFIGMAPS)
        await until(lambda: sorted(one.passes) == ["a", "a", "b", "b"])
        running_engine.hear_again(CONFIGMAPS, 7200.0)
        await until(lambda: len(one.passes) == 5)


def test_every_resource_is_watched_once() -> None:
    assert watched([Noting("a", CONFIGMAPS, SECRETS), Noting("b", SECRETS)]) == (CONFIGMAPS, SECRETS)


class Hanging(Noting):
    """Its passes do not end, like those of measurements whose provider gives no answer."""

    async def reconcile(self, key: Key) -> datetime | None:
        self.passes.append(key.name)
        await asyncio.Event().wait()
        return None


async def test_passes_that_hang_keep_no_other_controller_from_its_work(cluster: Api) -> None:
    """A rollout is brought home while more measurements hang than there are workers for them."""
    hanging, rollouts = Hanging("analysis", CONFIGMAPS), Noting("rollout", SECRETS)
    running_engine = engine(cluster, hanging, rollouts)
    async with running(running_engine.run()):
        await asyncio.wait_for(running_engine.ready.wait(), 20)
        for number in range(3 * PER_CONTROLLER):
            running_engine.poke(Key("analysis", "", str(number)))
        await until(lambda: len(hanging.passes) == PER_CONTROLLER)
        running_engine.poke(Key("rollout", "", "abort"))
        await until(lambda: rollouts.passes == ["abort"])
        assert len(hanging.passes) == PER_CONTROLLER
