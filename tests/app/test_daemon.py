"""The daemon's life: it leads, serves, obeys the brake, and ends in time."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import structlog
from reconciler_sandbox.client import Answer, Call

from reconciler.app.daemon import Daemon, journal_of, lease_name
from reconciler.app.settings.journal import JournalSettings
from reconciler.app.settings.manifest import parse_settings
from reconciler.app.settings.reading import settings_of
from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.resources import CONFIGMAPS, LEASES, NAMESPACES
from reconciler.runtime.freeze import FREEZE
from reconciler.runtime.journal import Silence, entries
from reconciler.runtime.lease import micro_time
from tests.kit.clusters import NAMESPACE, Api, api
from tests.kit.desk import SettableClock, config
from tests.kit.ports import free_port
from tests.kit.repositories import Origin
from tests.kit.wait import until

LOCK = "argo-rollouts-controller-lock"


@pytest.fixture
async def cluster() -> AsyncIterator[Api]:
    async with api() as found:
        yield found


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    found = Origin(tmp_path / "origin.git")
    found.commit({"a.yaml": config("a")})
    return found


def settings(origin: Origin, port: int, controllers: str = "[rollout, analysis, release]") -> str:
    return (
        f"listen: 127.0.0.1:{port}\ncontrollers: {controllers}\nlease: {{duration: 2s, renewEvery: 500ms}}\n"
        f"sources:\n  - {{name: shop, repository: '{origin.url}', branch: main, environment: demo, interval: 1s, apply: true, "
        f"allow: {{namespaces: [{NAMESPACE}], kinds: [ConfigMap]}}}}\n"
    )


@asynccontextmanager
async def living(cluster: Api, text: str, folder: Path, *, read_only: bool = False) -> AsyncIterator[asyncio.Task[None]]:
    daemon = Daemon(settings_of(text, "t"), cluster.transport, folder, read_only_mode=read_only)
    stopping = asyncio.Event()
    task = asyncio.create_task(daemon.run(stopping))
    try:
        yield task
    finally:
        stopping.set()
        async with asyncio.timeout(5):
            await asyncio.wait({task})


async def answer(port: int, path: str) -> int:
    async with httpx.AsyncClient(trust_env=False) as http:
        try:
            return (await http.get(f"http://127.0.0.1:{port}{path}")).status_code
        except httpx.ConnectError:
            return 0


async def applied(cluster: Api) -> Manifest | None:
    return await cluster.client.find(CONFIGMAPS, NAMESPACE, "a")


async def test_it_leads_serves_and_gives_the_lease_back(cluster: Api, origin: Origin, tmp_path: Path) -> None:
    port = free_port()
    async with living(cluster, settings(origin, port), tmp_path / "work") as task:

        async def ready() -> bool:
            return await answer(port, "/readyz") == 200

        await until(ready)
        assert await answer(port, "/healthz") == 200 and await answer(port, "/metrics") == 200
        assert await answer(port, "/webhook") == 404
        await until(lambda: applied(cluster))
        held = await cluster.client.get(LEASES, "reconciler", LOCK)
        assert held["spec"]["holderIdentity"].startswith("reconciler-")
    assert task.exception() is None
    assert (await cluster.client.get(LEASES, "reconciler", LOCK))["spec"]["holderIdentity"] == ""


async def test_it_serves_the_console_where_the_settings_ask_for_it(cluster: Api, origin: Origin, tmp_path: Path) -> None:
    port, console = free_port(), free_port()
    async with living(cluster, f"{settings(origin, port)}console: {{listen: '127.0.0.1:{console}'}}\n", tmp_path / "work") as task:

        async def shown() -> bool:
            return await answer(console, "/") == 200

        await until(shown)
        async with httpx.AsyncClient(trust_env=False) as http:
            rebound = await http.get(f"http://127.0.0.1:{console}/", headers={"Host": "console.example.com"})
        assert rebound.status_code == 421 and await answer(port, "/") == 404
    assert task.exception() is None


async def test_an_address_of_the_console_that_cannot_be_had_is_named(cluster: Api, origin: Origin, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        async with living(cluster, f"{settings(origin, free_port())}console: {{listen: '{address}'}}\n", tmp_path / "work") as task:
            await asyncio.wait({task}, timeout=20)
    assert isinstance(task.exception(), Terminal) and f"console.listen: {address} cannot be used" in str(task.exception())


async def test_it_says_whether_it_leads_at_this_moment(cluster: Api, origin: Origin, tmp_path: Path) -> None:
    port = free_port()

    async def leading() -> str:
        async with httpx.AsyncClient(trust_env=False) as http:
            try:
                lines = (await http.get(f"http://127.0.0.1:{port}/metrics")).text.splitlines()
            except httpx.ConnectError:
                return ""
        return next(line for line in lines if line.startswith("reconciler_leader"))

    async def says(words: str) -> bool:
        return await leading() == words

    async with living(cluster, settings(origin, port), tmp_path / "work"):
        await until(lambda: says("reconciler_leader 1.0"))
        taken = {"spec": {"holderIdentity": "reconciler-elsewhere", "leaseDurationSeconds": 3600}}
        await cluster.client.patch(ObjectRef(LEASES, "reconciler", LOCK), taken)
        await until(lambda: says("reconciler_leader 0.0"))


async def test_it_refuses_to_start_beside_another_driver(cluster: Api, origin: Origin, tmp_path: Path) -> None:
    now = micro_time(SettableClock().now())
    spec = {"holderIdentity": "argo-rollouts-1", "leaseDurationSeconds": 15, "renewTime": now, "acquireTime": now}
    metadata = {"name": LOCK, "namespace": "reconciler"}
    await cluster.client.create(LEASES, {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec})
    async with living(cluster, settings(origin, free_port()), tmp_path / "work") as task:
        await asyncio.wait({task}, timeout=20)
        assert task.done()
    error = task.exception()
    assert isinstance(error, Terminal) and "holds the lease reconciler/argo-rollouts-controller-lock: argo-rollouts-1" in str(error)


@pytest.mark.parametrize(
    ("controllers", "instance", "lease"),
    [
        (["rollout", "analysis"], "", LOCK),
        (["rollout", "analysis"], "blue", f"{LOCK}-blue"),
        (["analysis"], "blue", "reconciler-blue"),
        (["release"], "", "reconciler"),
    ],
)
def test_each_instance_has_a_lease_of_its_own(controllers: list[str], instance: str, lease: str) -> None:
    assert lease_name(parse_settings({"controllers": controllers, "instanceId": instance})) == lease


async def test_who_cannot_tell_whether_it_is_alone_asks_again(cluster: Api, origin: Origin, tmp_path: Path) -> None:
    asked = 0
    away = True

    async def sometimes(call: Call) -> Answer | None:
        nonlocal asked
        if call.path.endswith(f"argo-rollouts/leases/{LOCK}"):
            asked += 1
            return Answer(503) if away else None
        return None

    cluster.server.faults = sometimes
    async with living(cluster, settings(origin, free_port()), tmp_path / "work") as task:
        await until(lambda: asked >= 6)  # each of the three parts that wait to lead has asked again
        assert not task.done() and await applied(cluster) is None
        away = False
        await until(lambda: applied(cluster))
    assert task.exception() is None


async def test_a_companion_takes_its_own_lease(cluster: Api, origin: Origin, tmp_path: Path) -> None:
    async with living(cluster, settings(origin, free_port(), "[release]"), tmp_path / "work"):
        await until(lambda: cluster.client.find(LEASES, "reconciler", "reconciler"))
        assert await cluster.client.find(LEASES, "reconciler", LOCK) is None


async def test_read_only_writes_nothing_at_all(cluster: Api, origin: Origin, tmp_path: Path) -> None:
    port = free_port()
    async with living(cluster, settings(origin, port), tmp_path / "work", read_only=True):

        async def ready() -> bool:
            return await answer(port, "/readyz") == 200

        await until(ready)
        await until(lambda: any("configmaps" in call.path for call in cluster.transport.calls))
    assert cluster.writes() == []


async def test_who_starts_while_everything_is_frozen_writes_only_its_lease(cluster: Api, origin: Origin, tmp_path: Path) -> None:
    await cluster.client.patch(ObjectRef(NAMESPACES, "", "reconciler"), {"metadata": {"annotations": {FREEZE: "all"}}})
    cluster.transport.calls.clear()
    async with living(cluster, settings(origin, free_port()), tmp_path / "work"):
        await until(lambda: any(call.path.endswith("/configmaps/reconciler-source-shop") for call in cluster.transport.calls))
        assert [write for write in cluster.writes() if "/leases" not in write] == []
        await cluster.client.patch(ObjectRef(NAMESPACES, "", "reconciler"), {"metadata": {"annotations": {FREEZE: None}}})
        await until(lambda: applied(cluster), within=40)


async def test_read_only_says_what_would_be_done_once_a_change(cluster: Api, origin: Origin, tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logged:

        def plans() -> list[list[str]]:
            return [line["plan"] for line in logged if line["event"] == "would be done"]

        async with living(cluster, settings(origin, free_port()), tmp_path / "work", read_only=True):
            await until(lambda: len(plans()) == 1)
            origin.commit({"b.yaml": config("b")})
            await until(lambda: len(plans()) > 1, within=40)
    assert "ConfigMap shop/a" in str(plans()[0]) and "ConfigMap shop/b" in str(plans()[1]) and len(plans()) == 2
    assert any("nothing is written anywhere" in line["does"] for line in logged if line["event"] == "source")


def test_decisions_are_kept_where_the_settings_say_and_else_nowhere(tmp_path: Path) -> None:
    kept = journal_of(JournalSettings(str(tmp_path / "deep" / "journal.jsonl"), 1 << 20))
    kept.keep("rollout", "shop/web", (1,), 2)
    kept.close()
    assert [one.decided for one in entries(tmp_path / "deep" / "journal.jsonl")] == [2]
    assert isinstance(journal_of(None), Silence)
