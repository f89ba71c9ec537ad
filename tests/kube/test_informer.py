"""The cache stays equal to the API through cuts, compactions and resource types that come and go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from reconciler_sandbox.client import Answer, Call

from reconciler.app.crds import custom_resources
from reconciler.app.indexes import INDEXES
from reconciler.kernel.identity import Manifest, ObjectRef, Resource
from reconciler.kernel.resources import CONFIGMAPS
from reconciler.kube import informer as module
from reconciler.kube.cache import Cache
from reconciler.kube.informer import Informer
from tests.kit.clusters import CUSTOM_RESOURCES, NAMESPACE, Api, api, config_map, running
from tests.kit.wait import until

WIDGETS = Resource("example.com", "v1", "widgets", "Widget")


@pytest.fixture
async def cluster() -> AsyncIterator[Api]:
    async with api() as found:
        yield found


class Following:
    """A cache that an informer follows, and what its listener heard."""

    def __init__(self, cluster: Api, resource: Resource, *, patience: float = 0.0) -> None:
        self.heard: list[str] = []
        self.cache = Cache((resource,), INDEXES)
        self._resource = resource
        self.informer = Informer(cluster.client, self.cache, resource, self._listen, patience=patience)

    @property
    def names(self) -> list[str]:
        return sorted(name for _, name in self.cache.places(self._resource))

    def _listen(self, _: Resource, manifest: Manifest) -> None:
        self.heard.append(manifest["metadata"]["name"])


@asynccontextmanager
async def following(cluster: Api, resource: Resource = CONFIGMAPS) -> AsyncIterator[Following]:
    found = Following(cluster, resource)
    async with running(found.informer.run()):
        await asyncio.wait_for(found.informer.synced.wait(), 20)
        yield found


async def test_the_cache_follows_creation_change_and_deletion(cluster: Api) -> None:
    await cluster.client.create(CONFIGMAPS, config_map("before"))
    async with following(cluster) as found:
        assert found.names == ["before"]
        await cluster.client.create(CONFIGMAPS, config_map("after"))
        await cluster.client.patch(ObjectRef(CONFIGMAPS, NAMESPACE, "before"), {"data": {"a": "1"}})
        await cluster.client.delete(ObjectRef(CONFIGMAPS, NAMESPACE, "after"))
        await until(lambda: len(found.heard) == 4)
        assert found.heard == ["before", "after", "before", "after"]
        assert found.names == ["before"]


async def test_a_cut_watch_is_resumed(cluster: Api) -> None:
    async with following(cluster) as found:
        cluster.server.cut_watches()
        await cluster.client.create(CONFIGMAPS, config_map("meanwhile"))
        await until(lambda: found.names == ["meanwhile"])


async def test_after_a_compaction_what_vanished_is_told_and_forgotten(cluster: Api) -> None:
    await cluster.client.create(CONFIGMAPS, config_map("stays"))
    await cluster.client.create(CONFIGMAPS, config_map("goes"))
    blocked = asyncio.Event()

    async def deaf(call: Call) -> Answer | None:
        if call.method == "GET":
            await blocked.wait()
        return None

    async with following(cluster) as found:
        found.heard.clear()
        cluster.server.faults = deaf
        cluster.server.cut_watches()
        await cluster.client.delete(ObjectRef(CONFIGMAPS, NAMESPACE, "goes"))
        cluster.server.forget_history()
        blocked.set()
        await until(lambda: found.names == ["stays"])
        assert "goes" in found.heard


async def test_a_resource_type_that_is_not_served_counts_as_empty_and_is_found_later(cluster: Api) -> None:
    async with following(cluster, WIDGETS) as found:
        assert found.names == []
        definition = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "widgets.example.com"},
            "spec": {
                "group": "example.com",
                "scope": "Namespaced",
                "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"},
                "versions": [
                    {
                        "name": "v1",
                        "served": True,
                        "storage": True,
                        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
                    }
                ],
            },
        }
        await cluster.client.create(CUSTOM_RESOURCES, definition)
        metadata = {"name": "one", "namespace": NAMESPACE}
        await cluster.client.create(WIDGETS, {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": metadata})
        await until(lambda: found.names == ["one"])


async def test_a_server_that_is_away_is_asked_again(cluster: Api) -> None:
    failures = iter([True, True, False])

    async def away(_: Call) -> Answer | None:
        if next(failures, False):
            raise ConnectionResetError
        return None

    await cluster.client.create(CONFIGMAPS, config_map("there"))
    cluster.server.faults = away
    async with following(cluster) as found:
        assert found.names == ["there"]


def test_our_own_kinds_are_among_those_a_test_cluster_serves() -> None:
    assert {m["spec"]["names"]["kind"] for m in custom_resources()} >= {"Rollout", "Release"}


async def test_what_is_known_stays_known_while_a_server_that_came_back_does_not_serve_it_yet(cluster: Api) -> None:
    await cluster.client.create(CONFIGMAPS, config_map("known"))
    refusals = 0

    async def not_yet(call: Call) -> Answer | None:
        nonlocal refusals
        if call.method != "GET" or refusals == 2:
            return None
        refusals += 1
        return Answer(404, {"content-type": "text/plain"}, b"404 page not found\n")

    found = Following(cluster, CONFIGMAPS, patience=600)
    async with running(found.informer.run()):
        await asyncio.wait_for(found.informer.synced.wait(), 20)
        found.heard.clear()
        cluster.server.faults = not_yet
        cluster.server.cut_watches()
        await until(lambda: refusals == 2)
        assert found.names == ["known"]
        await cluster.client.create(CONFIGMAPS, config_map("new"))
        await until(lambda: found.names == ["known", "new"])


async def test_nothing_is_taken_for_empty_before_its_type_was_missing_for_long(cluster: Api) -> None:
    refused = asyncio.Event()

    async def not_yet(call: Call) -> Answer | None:
        if call.method != "GET" or refused.is_set():
            return None
        refused.set()
        return Answer(404, {"content-type": "text/plain"}, b"404 page not found\n")

    await cluster.client.create(CONFIGMAPS, config_map("there"))
    cluster.server.faults = not_yet
    found = Following(cluster, CONFIGMAPS, patience=600)
    async with running(found.informer.run()):
        await asyncio.wait_for(found.informer.synced.wait(), 20)
        assert refused.is_set() and found.names == ["there"]


async def test_watches_that_something_ends_at_once_are_not_begun_without_a_pause(cluster: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHORT", 3600.0)

    async def silence() -> AsyncIterator[bytes]:
        for line in ():
            yield line

    async def ended(call: Call) -> Answer | None:
        return Answer(200, {"content-type": "application/json"}, silence()) if call.query.get("watch") else None

    cluster.server.faults = ended
    async with following(cluster):
        await until(lambda: len(cluster.transport.calls) >= 2)
        for _ in range(200):
            await asyncio.sleep(0)
    assert [bool(call.query.get("watch")) for call in cluster.transport.calls] == [False, True]
