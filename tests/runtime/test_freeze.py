"""The brake: one annotation stops our writes, from any laptop."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from reconciler_sandbox.client import Answer, Call

from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.resources import CONFIGMAPS, NAMESPACES
from reconciler.kube.fence import Fence, Fenced
from reconciler.runtime import freeze as module
from reconciler.runtime.freeze import FREEZE, Freeze
from tests.kit.clusters import Api, api, config_map, running
from tests.kit.wait import until


@pytest.fixture
async def cluster() -> AsyncIterator[Api]:
    async with api() as found:
        yield found


async def mark(cluster: Api, word: str | None) -> None:
    await cluster.client.patch(ObjectRef(NAMESPACES, "", "reconciler"), {"metadata": {"annotations": {FREEZE: word}}})


async def test_a_frozen_cluster_takes_none_of_our_writes_until_it_is_let_go(cluster: Api) -> None:
    freeze = Freeze(cluster.client, "reconciler")
    client = cluster.fenced(Fence(freeze.gate("cluster", "all")))
    await freeze.look()
    await client.create(CONFIGMAPS, config_map("before"))
    await mark(cluster, "all")
    await freeze.look()
    with pytest.raises(Fenced, match="frozen \\(all\\)"):
        await client.create(CONFIGMAPS, config_map("during"))
    await mark(cluster, None)
    await freeze.look()
    await client.create(CONFIGMAPS, config_map("after"))


@pytest.mark.parametrize(("word", "shut"), [("cluster", ["cluster"]), ("git", ["git"]), ("all", ["cluster", "git"]), ("", [])])
async def test_a_scope_stops_what_it_names(cluster: Api, word: str, shut: list[str]) -> None:
    freeze = Freeze(cluster.client, "reconciler")
    await mark(cluster, word)
    await freeze.look()
    gates = {"cluster": freeze.gate("cluster", "all"), "git": freeze.gate("git", "all")}
    assert [name for name, gate in gates.items() if gate.shut()] == shut


async def test_a_word_that_nobody_knows_stops_everything(cluster: Api) -> None:
    freeze = Freeze(cluster.client, "reconciler")
    await mark(cluster, "true")
    await freeze.look()
    assert freeze.scope == "all"


async def test_what_cannot_be_read_stays_as_it_was(cluster: Api) -> None:
    freeze = Freeze(cluster.client, "reconciler")
    await mark(cluster, "git")
    await freeze.look()

    async def away(_: Call) -> Answer | None:
        raise ConnectionResetError

    cluster.server.faults = away
    await freeze.look()
    assert freeze.scope == "git"


async def test_a_change_is_told_by_the_watch_and_not_asked_for_again_and_again(cluster: Api) -> None:
    freeze = Freeze(cluster.client, "reconciler")
    async with running(freeze.run()):
        await until(lambda: any(call.query.get("watch") for call in cluster.transport.calls))
        for word, scope in (("cluster", "cluster"), (None, ""), ("git", "git")):
            await mark(cluster, word)
            await until(lambda wanted=scope: freeze.scope == wanted)  # type: ignore[misc]
    asked = [call for call in cluster.transport.calls if call.method == "GET"]
    assert [bool(call.query.get("watch")) for call in asked] == [False, True]
    assert asked[1].query["fieldSelector"] == "metadata.name=reconciler"


@pytest.mark.parametrize("status", [403, 410, 500])
async def test_where_it_cannot_be_watched_it_is_asked_for(cluster: Api, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.01)

    async def unwatched(call: Call) -> Answer | None:
        refused = {"kind": "Status", "status": "Failure", "code": status, "message": "no"}
        return Answer(status, refused) if call.query.get("watch") else None

    cluster.server.faults = unwatched
    freeze = Freeze(cluster.client, "reconciler")
    async with running(freeze.run()):
        await until(freeze.known.is_set)
        await mark(cluster, "all")
        await until(lambda: freeze.scope == "all")


async def test_a_watch_that_went_deaf_is_not_believed_for_long(cluster: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY", 0)
    monkeypatch.setattr(module, "PAUSE", 0.05)

    async def deaf(call: Call) -> Answer | None:
        if call.query.get("watch"):
            await asyncio.Event().wait()
        return None

    cluster.server.faults = deaf
    freeze = Freeze(cluster.client, "reconciler")
    async with running(freeze.run()):
        await until(freeze.known.is_set)
        await mark(cluster, "all")
        await until(lambda: freeze.scope == "all")


async def test_without_our_namespace_nothing_is_frozen(cluster: Api) -> None:
    freeze = Freeze(cluster.client, "elsewhere")
    await freeze.look()
    assert freeze.scope == ""


async def test_it_is_known_only_once_it_was_read(cluster: Api) -> None:
    freeze = Freeze(cluster.client, "reconciler")

    async def away(_: Call) -> Answer | None:
        raise ConnectionResetError

    passing, cluster.server.faults = cluster.server.faults, away
    await freeze.look()
    assert not freeze.known.is_set()
    cluster.server.faults = passing
    await freeze.look()
    assert freeze.known.is_set()


async def test_watches_that_something_ends_at_once_are_not_begun_without_a_pause(cluster: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 3600.0)

    async def silence() -> AsyncIterator[bytes]:
        for line in ():
            yield line

    async def ended(call: Call) -> Answer | None:
        return Answer(200, {"content-type": "application/json"}, silence()) if call.query.get("watch") else None

    cluster.server.faults = ended
    freeze = Freeze(cluster.client, "reconciler")
    async with running(freeze.run()):
        await until(lambda: len(cluster.transport.calls) >= 2)
        for _ in range(200):
            await asyncio.sleep(0)
    assert len(cluster.transport.calls) == 2
