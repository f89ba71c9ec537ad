"""Nothing of the server grows for ever: each memory has a bound, and work that goes on and on ends with as much as it began.

Objects themselves are as many as their writers want, as on any cluster; Events have their own bounds in `test_expiry`.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable

import orjson
import pytest
from reconciler_sandbox.apiserver import store, watch
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.apiserver.store import (
    ALL_HISTORY_BYTES,
    HISTORY_BYTES,
    HISTORY_EVENTS,
    OBJECT_BYTES,
    SNAPSHOT_BYTES,
    Entry,
    Snapshots,
    Store,
)
from reconciler_sandbox.client import ApiClient, ApiError, Call

from tests.kit.apiserver import CONFIG_MAPS, DEFINITIONS, DEPLOYMENTS, PATIENCE, Json, config_map, definition, deployment, owned_by
from tests.kit.wait import until
from tests.kit.weighing import held_bytes

ROUNDS = 80
GROWTH = 1.02
EVENTS = "/api/v1/namespaces/default/events"
PLACE = ("d", "a")


def manifest(name: str, text: str = "") -> Json:
    return {"metadata": {"name": name, "namespace": "d"}, "text": text}


def remembered(kept: Store) -> int:
    """What the histories of a store hold, each text once."""
    texts = {id(text): len(text) for one in kept.collections.values() for event in one.since(0) for text in (event.encoded, event.before)}
    return sum(texts.values())


# -- histories --------------------------------------------------------------------------------------------------------


def test_the_history_of_a_resource_is_bounded_in_bytes_with_what_was_before() -> None:
    kept = Store()
    things = kept.collection("", "things")
    for number in range(HISTORY_EVENTS // 4):
        kept.put(things, ("d", f"n{number}"), manifest(f"n{number}", "x" * 40_000))
    for number in range(HISTORY_EVENTS // 4):
        kept.put(things, ("d", f"n{number}"), manifest(f"n{number}", "y" * 40_000))
        assert remembered(kept) <= 2 * HISTORY_BYTES + 50_000


def test_all_histories_together_are_bounded_and_the_oldest_changes_leave_the_largest() -> None:
    kept = Store()
    for kind in range(40):
        things = kept.collection("", f"kind{kind}")
        for number in range(60):
            kept.put(things, PLACE, manifest("a", f"{number}" + "x" * 100_000))
    assert remembered(kept) <= ALL_HISTORY_BYTES + HISTORY_BYTES
    small = kept.collection("", "small")
    version = kept.put(small, PLACE, manifest("a")).version
    for number in range(2_000):
        kept.put(kept.collection("", f"kind{number % 40}"), PLACE, manifest("a", f"{number}" + "x" * 100_000))
    assert small.oldest < version and [event.version for event in small.since(version - 1)] == [version]
    largest = kept.collection("", "kind1")
    assert largest.oldest > version and largest.oldest == next(iter(largest.since(largest.oldest))).version - 40


def test_an_object_is_no_larger_than_a_real_server_keeps() -> None:
    kept = Store()
    things = kept.collection("", "things")
    entry = kept.put(things, PLACE, manifest("a", "x" * (OBJECT_BYTES - 200)))
    with pytest.raises(store.TooLarge, match="etcdserver: request is too large"):
        kept.put(things, PLACE, manifest("a", "x" * OBJECT_BYTES))
    assert things.entries[PLACE] is entry and kept.version == entry.version


async def test_an_object_does_not_grow_beyond_that_in_steps(api: ApiClient) -> None:
    await api.create(DEPLOYMENTS, deployment("web"))
    with pytest.raises(ApiError) as refused:
        for number in range(20):
            containers = [{"name": "main", "command": [f"{part}" + "x" * 100_000 for part in range(number + 1)]}]
            await api.patch(f"{DEPLOYMENTS}/web", {"spec": {"template": {"spec": {"containers": containers}}}}, style="strategic")
    assert (refused.value.status, refused.value.message) == (500, "etcdserver: request is too large")


# -- lists in pages ---------------------------------------------------------------------------------------------------


def test_lists_in_pages_are_bounded_in_bytes_and_the_last_one_stays() -> None:
    snapshots = Snapshots()
    entries = [Entry({}, 1, b"x" * (SNAPSHOT_BYTES // 40)) for _ in range(10)]
    for number in range(8):
        snapshots.keep(f"s{number}", list(entries))
    assert [number for number in range(8) if snapshots.find(f"s{number}")] == [4, 5, 6, 7]
    huge = [Entry({}, 1, b"x" * (SNAPSHOT_BYTES + 1))]
    snapshots.keep("huge", huge)
    assert snapshots.find("huge") is huge and snapshots.find("s7") is None


def test_a_list_that_is_kept_with_every_page_counts_once() -> None:
    snapshots = Snapshots()
    entries = [Entry({}, 1, b"x" * (SNAPSHOT_BYTES // 4))]
    other = list(entries)
    snapshots.keep("other", other)
    for _ in range(50):
        snapshots.keep("pages", entries)
    assert snapshots.find("other") is other


# -- readers ----------------------------------------------------------------------------------------------------------


async def open_watch(server: ApiServer, path: str, **query: str) -> watch.WatchStream:
    stream = (await server.call(Call("GET", path, {"watch": "true", **query}))).body
    assert isinstance(stream, watch.WatchStream)
    return stream


async def test_a_reader_that_never_reads_is_dropped_with_all_that_was_kept_for_it(api_server: ApiServer, api: ApiClient) -> None:
    await api.create(CONFIG_MAPS, config_map("a", text="x" * 900_000))
    slow = await open_watch(api_server, CONFIG_MAPS)
    for number in range(watch.PENDING_BYTES // 900_000 + 2):
        await api.patch(f"{CONFIG_MAPS}/a", {"data": {"text": f"{number}" + "x" * 900_000}})
    assert slow.pending() is None
    with pytest.raises(ConnectionResetError):
        await anext(slow)


async def test_readers_of_one_encoding_share_what_waits_for_them(api_server: ApiServer, api: ApiClient) -> None:
    readers = [await open_watch(api_server, CONFIG_MAPS, resourceVersion=str(api_server.store.version)) for _ in range(20)]
    await api.create(CONFIG_MAPS, config_map("a"))
    lines = [reader.pending() for reader in readers]
    assert lines[0] is not None and all(line is lines[0] for line in lines)
    for reader in readers:
        await reader.aclose()


# -- who calls --------------------------------------------------------------------------------------------------------


async def test_an_applied_object_remembers_ten_updaters(api: ApiClient) -> None:
    applied = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1"}}
    await api.patch(f"{CONFIG_MAPS}/a", applied, style="apply")
    for number in range(40):
        query = {"fieldManager": f"m{number}"}
        headers = {"content-type": "application/merge-patch+json"}
        await api._call(Call("PATCH", f"{CONFIG_MAPS}/a", query, headers, orjson.dumps({"data": {f"k{number}": "v"}})))
    seen = await api.get(f"{CONFIG_MAPS}/a")
    assert seen is not None
    updaters = {
        entry["manager"]: entry["fieldsV1"]["f:data"] for entry in seen["metadata"]["managedFields"] if entry["operation"] == "Update"
    }
    assert len(updaters) == 10 and len(updaters["ancient-changes"]) == 31
    assert {name for fields in updaters.values() for name in fields} == {f"f:k{number}" for number in range(40)}


# -- work that goes on and on -----------------------------------------------------------------------------------------


async def test_a_first_apply_meets_ten_updaters(api_server: ApiServer, api: ApiClient) -> None:
    await api.create(CONFIG_MAPS, config_map("a", x="1"))
    headers = {"content-type": "application/merge-patch+json"}
    for number in range(40):
        body = orjson.dumps({"data": {f"k{number}": "v"}})
        await api_server.call(Call("PATCH", f"{CONFIG_MAPS}/a", {"fieldManager": f"m{number}"}, headers, body))
    applied = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1"}}
    seen = await api.patch(f"{CONFIG_MAPS}/a", applied, style="apply")
    updaters = {
        entry["manager"]: entry["fieldsV1"]["f:data"] for entry in seen["metadata"]["managedFields"] if entry["operation"] == "Update"
    }
    assert len(updaters) == 10 and "ancient-changes" in updaters
    assert {name for fields in updaters.values() for name in fields} >= {f"f:k{number}" for number in range(40)}


async def test_what_is_known_of_writers_of_one_object_is_bounded(api_server: ApiServer, api: ApiClient) -> None:
    """Ever new writers, each with a key that the next one takes away again."""
    await api.create(CONFIG_MAPS, config_map("a"))
    headers = {"content-type": "application/merge-patch+json"}
    held = []
    for number in range(1_500):
        body = orjson.dumps({"metadata": {"annotations": {f"k{number}": "v", f"k{number - 1}": None}}})
        assert (await api_server.call(Call("PATCH", f"{CONFIG_MAPS}/a", {"fieldManager": f"m{number}"}, headers, body))).status == 200
        held += [held_bytes(api_server._writer.authors)] if number % 100 == 99 else []
    assert max(held[8:]) <= max(held[:8]) * 1.1, held


async def settled(server: ApiServer) -> None:
    """Let the collectors finish what they have to do."""
    await until(lambda: not server._collector._due)


async def changed_configuration(server: ApiServer, api: ApiClient, number: int) -> None:
    name = f"{CONFIG_MAPS}/c{number}"
    await api.create(CONFIG_MAPS, config_map(f"c{number}", text="x" * 200))
    for key in range(3):
        patch = orjson.dumps({"metadata": {"annotations": {f"k{key}": "v", f"k{key - 1}": None}}})
        query, headers = {"fieldManager": f"m{number}-{key}"}, {"content-type": "application/merge-patch+json"}
        assert (await server.call(Call("PATCH", name, query, headers, patch))).status == 200
    await api.delete(name)


async def owners_and_dependents(server: ApiServer, api: ApiClient, number: int) -> None:
    owner = await api.create(CONFIG_MAPS, config_map(f"owner{number}"))
    await api.create(CONFIG_MAPS, {**config_map(f"child{number}"), "metadata": {"name": f"child{number}", **owned_by(owner)}})
    await api.delete(f"{CONFIG_MAPS}/owner{number}")


async def namespaces(server: ApiServer, api: ApiClient, number: int) -> None:
    await api.create("/api/v1/namespaces", {"metadata": {"name": f"n{number}"}})
    await api.create(f"/api/v1/namespaces/n{number}/configmaps", config_map("a"))
    await api.delete(f"/api/v1/namespaces/n{number}")


async def definitions(server: ApiServer, api: ApiClient, number: int) -> None:
    made = definition(subresources={})
    group, plural = f"g{number}.example.com", f"canaries.g{number}.example.com"
    made = {**made, "metadata": {"name": plural}, "spec": {**made["spec"], "group": group}}
    await api.create(DEFINITIONS, made)
    path = f"/apis/{group}/v1alpha1/namespaces/default/canaries"
    body = {"apiVersion": f"{group}/v1alpha1", "kind": "Canary", "metadata": {"name": "c"}, "spec": {"weight": 1}}
    await api.create(path, body)
    stream = await open_watch(server, path)
    await api.delete(f"{DEFINITIONS}/{plural}")
    await settled(server)
    async with asyncio.timeout(PATIENCE):
        kinds = [orjson.loads(line)["type"] async for line in stream]
    assert kinds == ["ADDED", "DELETED"]


async def told_events(server: ApiServer, api: ApiClient, number: int) -> None:
    about = {"kind": "Pod", "namespace": "default", "name": f"p{number}"}
    await api.create(EVENTS, {"metadata": {"name": f"e{number}"}, "reason": "R", "type": "Normal", "involvedObject": about})
    await api.delete(f"{EVENTS}/e{number}")


async def pages_and_watches(server: ApiServer, api: ApiClient, number: int) -> None:
    first = await server.call(Call("GET", "/api/v1/namespaces", {"limit": "1", "labelSelector": f"!x{number}"}))
    assert b'"continue"' in first.body  # type: ignore[operator]
    stream = await open_watch(server, CONFIG_MAPS, labelSelector=f"x{number}")
    assert stream.pending() is None
    for path in (f"/apis/g{number}", f"/openapi/v3/apis/g{number}/v1", f"/api/v1/namespaces/default/pods/p{number}"):
        assert (await server.call(Call("GET", path))).status == 404


async def accounts(server: ApiServer, api: ApiClient, number: int) -> None:
    path = "/api/v1/namespaces/default/serviceaccounts"
    await api.create(path, {"metadata": {"name": f"a{number}"}})
    await api.delete(f"{path}/a{number}")


Round = Callable[[ApiServer, ApiClient, int], Awaitable[None]]


@pytest.mark.parametrize(
    "work", [changed_configuration, owners_and_dependents, namespaces, definitions, told_events, pages_and_watches, accounts]
)
async def test_work_that_goes_on_does_not_fill_the_memory(api_server: ApiServer, api: ApiClient, work: Round) -> None:
    """But for the histories, which have bounds of their own, twice as much work leaves no more behind."""
    held = []
    for half in range(2):
        for number in range(ROUNDS):
            await work(api_server, api, half * ROUNDS + number)
        await settled(api_server)
        api_server.forget_history()
        held.append(held_bytes(api_server))
    assert held[1] < held[0] * GROWTH, held


async def test_a_server_that_nobody_started_piles_up_no_work() -> None:
    """Without collectors owners and dependents are only noted, and no more of them than there are."""
    server = ApiServer()
    api = ApiClient(server.call)
    for number in range(50):
        await owners_and_dependents(server, api, number)
        await api.delete(f"{CONFIG_MAPS}/child{number}")
        await namespaces(server, api, number)
    assert len(server._collector._due) <= 50 + 5  # the namespaces that nobody collects are still there


def test_a_page_token_is_small() -> None:
    token = base64.urlsafe_b64encode(orjson.dumps({"v": "meta.k8s.io/v1", "rv": 10**9, "start": "n" * 63 + "\0" + "x" * 253}))
    assert len(token) < 1024
