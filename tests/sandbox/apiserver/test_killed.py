"""A server process that is killed with SIGKILL in the middle of writes, and the one that is started again on its journal."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import Answer, ApiClient, ApiError, Call, Caller, http_caller

from tests.kit.apiserver import CANARIES, CONFIG_MAPS, DEFINITIONS, Json, canary, config_map, definition, gone, owned_by

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 20.0
WRITERS = 6
ENOUGH = 150
SERVE = """
import asyncio, sys
from pathlib import Path
from reconciler_sandbox.apiserver.server import ApiServer

async def main():
    server = ApiServer(journal=Path(sys.argv[1]))
    await server.start()
    print(server.url, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@asynccontextmanager
async def served(journal: Path) -> AsyncIterator[tuple[Caller, asyncio.subprocess.Process]]:
    """A server in a process of its own; killed at the latest with the context."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVE, str(journal), stdout=asyncio.subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE):
            url = (await process.stdout.readline()).decode().strip()
        async with http_caller(url) as call:
            yield call, process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@asynccontextmanager
async def again(journal: Path) -> AsyncIterator[tuple[ApiServer, ApiClient]]:
    """A server in this process on a journal."""
    server = ApiServer(journal=journal)
    await server.start()
    try:
        yield server, ApiClient(server.call)
    finally:
        await server.stop()


@dataclass(slots=True)
class Told:
    """What writers were told: the version of what is there by name, None of what they deleted; and what they never heard the end of."""

    versions: dict[str, int | None] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)
    highest: int = 0

    def of(self, name: str, made: Json) -> None:
        self.versions[name] = int(made["metadata"]["resourceVersion"])
        self.highest = max(self.highest, int(made["metadata"]["resourceVersion"]))


async def write(api: ApiClient, told: Told, prefix: str, enough: asyncio.Event) -> None:
    """Create, change and delete until the server is gone."""
    number = 0
    try:
        while True:
            name, number = f"{prefix}-{number}", number + 1
            told.open.add(name)
            told.of(name, await api.create(CONFIG_MAPS, config_map(name, text="x" * 1500)))
            told.of(name, await api.patch(f"{CONFIG_MAPS}/{name}", {"data": {"text": "y" * 1500}}))
            if number % 3 == 0:
                await api.delete(f"{CONFIG_MAPS}/{name}")
                told.versions[name] = None
            told.open.remove(name)
            if len(told.versions) > ENOUGH:
                enough.set()
    except ApiError as error:
        assert error.reason == "Unreachable", error


async def written_and_killed(journal: Path, round_name: str, told: Told) -> None:
    enough = asyncio.Event()
    already, told.versions = told.versions, {}
    async with served(journal) as (call, process):
        api = ApiClient(call)
        writers = [asyncio.create_task(write(api, told, f"{round_name}{number}", enough)) for number in range(WRITERS)]
        async with asyncio.timeout(PATIENCE):
            await enough.wait()
            process.kill()
            await asyncio.gather(*writers)
    told.versions = already | told.versions


async def first_event(answer: Answer) -> Json:
    async with asyncio.timeout(PATIENCE):
        return dict(orjson.loads(await anext(answer.body)))  # type: ignore[arg-type]


async def test_what_was_told_before_a_kill_is_there_after_it(tmp_path: Path) -> None:
    journal, told = tmp_path / "journal.jsonl", Told()
    for round_name in "abc":
        await written_and_killed(journal, round_name, told)
        async with again(journal) as (server, api):
            there = {one["metadata"]["name"]: int(one["metadata"]["resourceVersion"]) for one in await api.list(CONFIG_MAPS)}
            settled = {name: version for name, version in told.versions.items() if name not in told.open}
            assert {name: there.get(name) for name in settled} == settled
            assert set(there) - set(settled) <= told.open
            assert server.store.version >= told.highest
            told.of("fresh", await api.create(CONFIG_MAPS, config_map("fresh")))
            assert told.versions.pop("fresh") == server.store.version
            await api.delete(f"{CONFIG_MAPS}/fresh")
            told.highest = server.store.version
    assert len(told.versions) > 3 * ENOUGH


async def test_a_watch_from_before_a_kill_has_expired(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    async with served(journal) as (call, process):
        api = ApiClient(call)
        made = await api.create(CONFIG_MAPS, config_map("a"))
        process.kill()
    async with again(journal) as (server, api):
        query = {"watch": "true", "resourceVersion": made["metadata"]["resourceVersion"]}
        for path in (CONFIG_MAPS, "/api/v1/secrets", "/apis/batch/v1/jobs"):
            answer = await server.call(Call("GET", path, query))
            event = await first_event(answer)
            assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
        watch = api.watch(CONFIG_MAPS)
        assert (await anext(watch))[1]["metadata"]["name"] == "a"
        await watch.aclose()


async def test_a_restart_in_good_order_is_not_noticed_by_a_watch_that_was_up_to_date(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    async with again(journal) as (_, api):
        made = await api.create(CONFIG_MAPS, config_map("a"))
    async with again(journal) as (server, api):
        answer = await server.call(Call("GET", CONFIG_MAPS, {"watch": "true", "resourceVersion": made["metadata"]["resourceVersion"]}))
        await api.patch(f"{CONFIG_MAPS}/a", {"data": {"x": "1"}})
        event = await first_event(answer)
        assert (event["type"], event["object"]["data"]) == ("MODIFIED", {"x": "1"})
        await answer.body.aclose()  # type: ignore[union-attr]


async def test_a_page_from_before_a_restart_has_expired(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    async with served(journal) as (call, process):
        api = ApiClient(call)
        for name in "abc":
            await api.create(CONFIG_MAPS, config_map(name))
        page = orjson.loads((await call(Call("GET", CONFIG_MAPS, {"limit": "1"}))).body)  # type: ignore[arg-type]
        process.kill()
    async with again(journal) as (server, _):
        answer = await server.call(Call("GET", CONFIG_MAPS, {"limit": "1", "continue": page["metadata"]["continue"]}))
        assert answer.status == 410 and b'"continue"' in answer.body  # type: ignore[operator]


async def test_custom_kinds_and_deletions_under_way_go_on_after_a_kill(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    async with served(journal) as (call, process):
        api = ApiClient(call)
        await api.create(DEFINITIONS, definition())
        await api.create(CANARIES, canary("c", weight=5))
        owner = await api.create(CONFIG_MAPS, {**config_map("owner"), "metadata": {"name": "owner", "finalizers": ["example.com/mine"]}})
        await api.create(CONFIG_MAPS, {**config_map("child"), "metadata": {"name": "child", **owned_by(owner)}})
        await api.delete(f"{CONFIG_MAPS}/owner")
        process.kill()
    async with again(journal) as (server, api):
        kept = await api.get(f"{CANARIES}/c")
        assert kept is not None and kept["spec"]["weight"] == 5
        assert (await api.create(CANARIES, canary("d")))["spec"]["mode"] == "linear"
        await api.patch(f"{CONFIG_MAPS}/owner", {"metadata": {"finalizers": None}})
        await gone(server, f"{CONFIG_MAPS}/owner", f"{CONFIG_MAPS}/child")


async def test_the_namespaces_of_every_cluster_are_there_once(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    async with again(journal) as (_, api):
        before = await api.list("/api/v1/namespaces")
    async with again(journal) as (_, api):
        assert await api.list("/api/v1/namespaces") == before


async def test_a_server_that_cannot_keep_a_write_refuses_it(tmp_path: Path) -> None:
    server = ApiServer(journal=tmp_path / "journal.jsonl")
    await server.start()
    await server.stop()
    answer = await server.call(Call("POST", CONFIG_MAPS, {}, {}, orjson.dumps(config_map("a"))))
    assert answer.status == 500 and b"the journal is closed" in answer.body  # type: ignore[operator]
    assert (await server.call(Call("GET", f"{CONFIG_MAPS}/a"))).status == 404
