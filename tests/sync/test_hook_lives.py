"""Hooks against a real API: a daemon that is cut down at any write runs none of them twice and leaves none out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from reconciler_sandbox.apiserver.server import ApiServer, no_faults
from reconciler_sandbox.client import Answer, Call

from reconciler.kernel.identity import Manifest, ObjectRef, name_of
from reconciler.kernel.resources import CONFIGMAPS, JOBS, ROLLOUTS
from reconciler.kube.client import Client
from reconciler.kube.fence import Fence
from reconciler.kube.transport import Request, Response
from reconciler.sources.settings import Allow
from reconciler.sources.syncrun import HookState
from tests.kit.clusters import NAMESPACE, Api, api
from tests.kit.desk import SETTINGS, Desk, config, desk, life, rollout
from tests.kit.repositories import Origin
from tests.kit.transport import InProcess

HOOK = "argocd.argoproj.io/hook"
ALLOW = Allow(namespaces=SETTINGS.allow.namespaces, kinds=(*SETTINGS.allow.kinds, "Job.batch"))
SPEC = "spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: 'registry.example.com/a:1'}]}}}\n"


def job(name: str, phase: str, policy: str = "BeforeHookCreation") -> str:
    marks = f"annotations: {{{HOOK}: {phase}, {HOOK}-delete-policy: '{policy}'}}"
    return f"apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}, namespace: {NAMESPACE}, {marks}}}\n{SPEC}"


REFUSED = Answer(422, body=b'{"kind": "Status", "message": "no"}')


class Killed(Exception):
    """The daemon is gone."""


class Cutting(InProcess):
    """A connection that breaks at one write, before it reaches the server or after it was done, and the daemon with it."""

    def __init__(self, server: ApiServer, at: int, *, after: bool) -> None:
        super().__init__(server)
        self._at, self._after, self.writes = at, after, 0

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[Response]:
        counted = request.method != "GET" and "/events" not in request.path
        self.writes += counted
        struck = counted and self.writes == self._at
        if struck and not self._after:
            raise Killed
        async with super().open(request) as response:
            if struck:
                raise Killed
            yield response


@dataclass
class Witness:
    """What the server was asked to make, in order, whoever asked."""

    server: ApiServer
    made: list[str] = field(default_factory=list)

    async def __call__(self, call: Call) -> Answer | None:
        if call.method == "POST" and call.path.endswith("/jobs"):
            names = (b'"name":"before"', b'"name":"after"')
            self.made += [name.decode().split('"')[3] for name in names if name in (call.body or b"").replace(b": ", b":")]
        if call.method == "PATCH" and "/configmaps/a" in call.path:
            self.made.append("a")
        return None


async def jobs(client: Client, *, ttl: bool) -> None:
    """Every Job ends at once; with `ttl` what has ended is deleted at once as well."""
    for found in await client.list(JOBS, NAMESPACE):
        ref = ObjectRef(JOBS, NAMESPACE, name_of(found))
        if not (found.get("status") or {}).get("conditions"):
            status = {"conditions": [{"type": "Complete", "status": "True"}]}
            await client.patch(ref, {"status": status}, subresource="status")
        elif ttl and not found["metadata"].get("deletionTimestamp"):
            await client.delete(ref, uid=found["metadata"]["uid"])


FILES = {"a.yaml": config("a"), "b.yaml": job("before", "PreSync"), "c.yaml": job("after", "PostSync", "HookSucceeded")}


async def story(folder: Path, at: int, *, after: bool, ttl: bool) -> tuple[list[str], int]:
    """One push and its hooks, with a death on the way; answers what was made, and how many writes the first life began."""
    origin = Origin(folder / "origin.git")
    origin.commit(FILES, "change")
    async with api() as cluster:
        witness = Witness(cluster.server)
        cluster.server.faults = witness
        cut = Cutting(cluster.server, at, after=after)
        broken = replace(cluster, transport=cut, client=Client(cut, Fence()))
        async with life(broken, origin, folder, allow=ALLOW) as first:
            with suppress(Killed):
                await passes(first, cluster, ttl=ttl)
        async with life(cluster, origin, folder, allow=ALLOW) as second:
            await passes(second, cluster, ttl=ttl)
            run = (await second.inventory()).run
            assert run is not None and [record.state for record in run.hooks] == [HookState.SUCCEEDED] * 2
            left = [name_of(found) for found in await cluster.client.list(JOBS, NAMESPACE)]
            assert left == ([] if ttl else ["before"])
            assert not any(found["metadata"].get("finalizers") for found in await cluster.client.list(JOBS, NAMESPACE))
    return witness.made, cut.writes


async def passes(shop: Desk, cluster: Api, *, ttl: bool) -> None:
    for _ in range(10):
        shop.clock.time += timedelta(seconds=10)
        await shop.look()
        await jobs(cluster.client, ttl=ttl)


@pytest.mark.parametrize("ttl", [False, True])
@pytest.mark.parametrize("after", [False, True])
async def test_a_daemon_that_is_cut_down_at_any_write_runs_every_hook_exactly_once(tmp_path: Path, after: bool, ttl: bool) -> None:
    _, writes = await story(tmp_path / "whole", 10_000, after=after, ttl=ttl)
    assert writes >= 8
    for at in range(1, writes + 1):
        made, _ = await story(tmp_path / str(at), at, after=after, ttl=ttl)
        assert list(dict.fromkeys(made)) == ["before", "a", "after"], at
        assert (made.count("before"), made.count("after")) == (1, 1), at


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, allow=ALLOW) as found:
        yield found


async def found_job(shop: Desk, name: str) -> Manifest:
    return await shop.found(JOBS, name)


async def test_a_release_opens_though_the_hook_before_its_template_is_still_running(shop: Desk) -> None:
    shop.push({"web.yaml": rollout()})
    await shop.proven()
    shop.push({"web.yaml": rollout("registry.example.com/web:1.1"), "b.yaml": job("before", "PreSync")})
    await shop.look()
    await shop.look()
    assert len(await shop.releases()) == 2
    assert (await found_job(shop, "before"))["metadata"]["finalizers"] == ["reconciler.dev/hook"]
    assert "web:1.0" in str(await shop.found(ROLLOUTS, "web"))
    await jobs(shop.api.client, ttl=False)
    await shop.look()
    assert "web:1.1" in str(await shop.found(ROLLOUTS, "web"))


async def test_a_failed_hook_is_on_record_and_told_and_the_next_commit_supersedes_it(shop: Desk) -> None:
    shop.push({"a.yaml": config("a"), "b.yaml": job("before", "PreSync"), "c.yaml": job("sorry", "SyncFail")})
    await shop.look()
    failed = {"status": {"conditions": [{"type": "Failed", "status": "True", "message": "no database"}]}}
    await shop.api.client.patch(ObjectRef(JOBS, NAMESPACE, "before"), failed, subresource="status")
    for _ in range(3):
        await shop.look()
    assert "Job shop/before, a PreSync hook, has failed: no database" in await shop.problems()
    assert await shop.live(JOBS, "sorry") is not None and await shop.live(CONFIGMAPS, "a") is None
    assert (await shop.events()).count("SourceProblem") == 1
    await jobs(shop.api.client, ttl=False)
    await shop.look()
    shop.push({"b.yaml": None, "c.yaml": None})
    for _ in range(4):
        await shop.look()
    assert await shop.live(CONFIGMAPS, "a") is not None
    assert await shop.problems() == "" and (await shop.inventory()).run is None
    assert not (await found_job(shop, "before"))["metadata"].get("finalizers")


async def test_a_hook_that_the_server_refuses_is_tried_again_and_costs_no_other_hook(shop: Desk) -> None:
    async def refusing(call: Call) -> Answer | None:
        bad = call.method == "POST" and b"bad" in (call.body or b"") and call.path.endswith("/jobs")
        return REFUSED if bad else None

    shop.api.server.faults = refusing
    shop.push({"a.yaml": config("a"), "b.yaml": job("bad", "PreSync"), "c.yaml": job("good", "PreSync")})
    await shop.look()
    assert await shop.live(JOBS, "good") is not None and await shop.live(CONFIGMAPS, "a") is None
    assert "Job shop/bad: the server refused it" in await shop.problems()
    shop.api.transport.calls.clear()
    for _ in range(2):
        await shop.look()
    assert not [write for write in shop.api.writes() if write.startswith("POST") and write.endswith("jobs")], "not before its time"
    shop.api.server.faults = no_faults
    shop.clock.time += timedelta(minutes=1)
    again = await shop.look()
    assert await shop.live(JOBS, "bad") is not None
    assert again is not None and again > shop.clock.time, "a failure that is over is not waited for"


async def test_a_hook_behind_everything_waits_for_a_write_that_fails(shop: Desk) -> None:
    async def refusing(call: Call) -> Answer | None:
        return REFUSED if call.method == "PATCH" and call.path.endswith("/configmaps/a") else None

    shop.api.server.faults = refusing
    shop.push({"a.yaml": config("a"), "c.yaml": job("after", "PostSync")})
    for _ in range(2):
        await shop.look()
        assert await shop.live(JOBS, "after") is None
    shop.api.server.faults = no_faults
    shop.clock.time += timedelta(minutes=1)
    await shop.look()
    assert await shop.live(JOBS, "after") is not None


async def test_a_job_that_still_runs_goes_with_all_that_belongs_to_it_before_its_successor_is_made(shop: Desk) -> None:
    shop.push({"b.yaml": job("before", "PreSync")})
    await shop.look()
    await shop.look()
    first = (await found_job(shop, "before"))["metadata"]["uid"]
    shop.push({"b.yaml": job("before", "PreSync"), "a.yaml": config("a")})
    for _ in range(2):
        await shop.look()
    leaving = await found_job(shop, "before")
    assert leaving["metadata"]["finalizers"] == ["foregroundDeletion"], "its pods go first"
    run = (await shop.inventory()).run
    assert run is not None and len(run.leftovers) == 1
    await shop.api.client.patch(ObjectRef(JOBS, NAMESPACE, "before"), {"metadata": {"finalizers": None}})
    for _ in range(2):
        await shop.look()
    second = await found_job(shop, "before")
    assert second["metadata"]["uid"] != first
    run = (await shop.inventory()).run
    assert run is not None and run.leftovers == () and run.number == 2


async def test_a_reporting_source_says_which_hooks_it_would_run_and_runs_none(tmp_path: Path) -> None:
    async with desk(tmp_path, allow=ALLOW, apply=False) as shop:
        shop.push({"a.yaml": config("a"), "b.yaml": job("before", "PreSync")})
        await shop.look()
        await shop.look()
        inventory = await shop.inventory()
        assert inventory.planned == (
            "start hook Job shop/before (PreSync)",
            "create ConfigMap shop/a (later, in sync wave 0)",
        )
        assert inventory.run is None and await shop.live(JOBS, "before") is None


async def test_a_companion_runs_no_hook(tmp_path: Path) -> None:
    async with desk(tmp_path, allow=ALLOW, apply=False, companion=True) as shop:
        shop.push({"b.yaml": job("before", "PreSync")})
        await shop.look()
        assert await shop.live(JOBS, "before") is None and (await shop.inventory()).run is None
