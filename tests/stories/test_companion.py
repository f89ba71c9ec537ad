"""Beside an applier that heals drift and another rollout controller: we judge, restore in Git and tell, and change no template.

Our own rollout layer in a daemon of its own stands for the reference controller.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from reconciler_sandbox.rehearsal.fittings import REPOSITORY
from reconciler_sandbox.rehearsal.inprocess import DirectTransport

from reconciler.app.daemon import Daemon
from reconciler.app.settings.model import Settings
from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.resources import ROLLOUTS as ROLLOUT_OBJECTS
from reconciler.kernel.resources import SERVICES
from reconciler.kernel.resources import VIRTUAL_SERVICES as VIRTUAL_SERVICE_OBJECTS
from reconciler.kube.client import Client
from reconciler.kube.fence import Fence
from reconciler.kube.transport import Request
from reconciler.sources.settings import Allow
from reconciler.views.companion.appliers import GIT_REPOSITORIES, KUSTOMIZATIONS, NO_HOLD, trackers
from reconciler.views.companion.appliers import Applier as FluxApplier
from reconciler.views.companion.argo_applications import ArgoBeside
from reconciler.views.companion.flux_appliers import flux_applier
from tests.kit.applier import Applier, applying
from tests.kit.appliers import define, tool_object
from tests.kit.killing import label_of
from tests.kit.shop import ANALYSIS_FILE, BAD, FOLDER, NETWORK_FILE, ROLLOUT_FILE, ROLLOUTS, Shop, shop
from tests.kit.wait import until

pytestmark = pytest.mark.timeout(400)
DEADLINE = 90.0
KUSTOMIZATION_FILE = f"{FOLDER}/kustomization.yaml"
KUSTOMIZATION = """\
resources: [rollout.yaml, network.yaml, analysis.yaml]
images:
  - name: registry.example.com/shop/web
    newTag: "{}"  # {{"$imagepolicy": "flux-system:web:tag"}}
"""
BOT_MESSAGE = "build: automatic update of shop"
POLICY_FILE = f"{FOLDER}/policy.yaml"
POLICY = "apiVersion: reconciler.dev/v1alpha1\nkind: ReleasePolicy\nmetadata: {{name: web, namespace: shop}}\nspec: {}\n"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Shop]:
    async with shop(tmp_path) as found:
        yield found


@asynccontextmanager
async def daemon(place: Shop, name: str, settings: Settings) -> AsyncIterator[list[str]]:
    """A daemon in this process, and what it writes to the API, events and its Lease left out."""
    writes: list[str] = []

    async def note(request: Request) -> None:
        if "/leases" not in request.path and label_of(request.method, request.path):
            writes.append(f"{request.method} {request.path}")

    stopping = asyncio.Event()
    living = Daemon(settings, DirectTransport(place.ground.server.call, before=note), place.ground.folder / name, read_only_mode=False)
    task = asyncio.create_task(living.run(stopping))
    try:
        yield writes
    finally:
        stopping.set()
        async with asyncio.timeout(20):
            await task


def companion(place: Shop) -> Settings:
    """What a team beside Argo CD writes: `controllers: [release]`, and a source that somebody else applies."""
    settings = place.ground.settings
    sources = tuple(replace(source, apply=False, companion=True, allow=Allow()) for source in settings.sources)
    return replace(settings, controllers=("release",), sources=sources)


@asynccontextmanager
async def everybody(place: Shop, *more: str, folder: str = "", flux: bool = False) -> AsyncIterator[tuple[Applier, list[str]]]:
    """The rollout controller, the applier and the companion, and what the companion writes."""
    rollouts = replace(place.ground.settings, controllers=("rollout", "analysis"), sources=())
    applier = Applier(place.api, place.host, (ROLLOUT_FILE, NETWORK_FILE, ANALYSIS_FILE, *more), folder=folder, flux=flux)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(daemon(place, "rollouts", rollouts))
        await stack.enter_async_context(applying(applier))
        writes = await stack.enter_async_context(daemon(place, "companion", companion(place)))
        yield applier, writes


async def ended(place: Shop, version: str) -> str:
    return str((await place.release(version)).get("verdict") or "")


async def test_releases_are_judged_restored_once_and_told_and_no_template_is_ever_written(place: Shop) -> None:
    async with everybody(place) as (_, writes):
        await until(lambda: place.settled_at("1"), DEADLINE)
        await place.push("2")
        await until(lambda: _is(place, "2", "passed"), DEADLINE)
        await place.push(BAD)
        await until(lambda: _is(place, BAD, "failed"), DEADLINE)
        await until(lambda: _restored(place), DEADLINE)

        async def home() -> bool:
            return await place.image() == "2" and await place.phase() == "Healthy"

        await until(home, DEADLINE)
        assert await place.restores() == 1
        await until(lambda: "failed" in (place.comments(BAD) or [""])[-1] and "restored" in place.comments(BAD)[-1], DEADLINE)
        asked = len(await place.host.log(REPOSITORY))
    assert len(await place.host.log(REPOSITORY)) == asked
    assert not [write for write in writes if write.split("?")[0].rstrip("/").endswith("/rollouts/web")], "a companion changes no template"
    assert {write.split()[1].split("/")[-1] for write in writes if "/rollouts/web/" in write} <= {"status"}


async def test_a_kustomize_repository_is_restored_by_one_line_also_when_a_bot_pushes_the_version_again(tmp_path: Path) -> None:
    async with shop(tmp_path, files={KUSTOMIZATION_FILE: KUSTOMIZATION.format("1")}) as place:
        async with everybody(place, KUSTOMIZATION_FILE, folder=FOLDER) as (applier, writes):
            await until(lambda: place.settled_at("1"), DEADLINE)
            await bump(place, BAD)
            await until(lambda: _is(place, BAD, "failed"), DEADLINE)

            async def home() -> bool:
                return await asked_by_tag(place) == "1" and await place.image() == "1" and await place.phase() == "Healthy"

            await until(home, DEADLINE)
            assert (await place.host.read(REPOSITORY, KUSTOMIZATION_FILE, "main")).decode() == KUSTOMIZATION.format("1"), "to the byte"
            assert await place.restores() == 1
            bot = await bump(place, BAD, BOT_MESSAGE)

            async def answered() -> bool:
                return await place.restores() == 2 and await asked_by_tag(place) == "1"

            await until(answered, DEADLINE)
            await until(lambda: refused(place, bot), DEADLINE)
            await until(home, DEADLINE)
            assert applier.written["web"] <= 8, "nobody fights: three objects made, and at most four versions of one"
        assert not [write for write in writes if write.split("?")[0].rstrip("/").endswith("/rollouts/web")]


async def test_beside_flux_what_doctor_prints_ends_the_fight_and_one_restore_lands_in_what_it_tracks(tmp_path: Path) -> None:
    async with shop(tmp_path, files={KUSTOMIZATION_FILE: KUSTOMIZATION.format("1")}) as place:
        client = Client(DirectTransport(place.ground.server.call), Fence())
        await define(client, KUSTOMIZATIONS, GIT_REPOSITORIES)
        tracked = place.ground.settings.sources[0]
        repository = tool_object(GIT_REPOSITORIES, "manifests", {"url": tracked.repository, "ref": {"branch": tracked.branch}})
        spec = {"path": f"./{FOLDER}", "interval": "10m", "sourceRef": {"kind": "GitRepository", "name": "manifests"}}
        kustomization = await client.create(KUSTOMIZATIONS, tool_object(KUSTOMIZATIONS, "shop", spec))
        async with everybody(place, KUSTOMIZATION_FILE, folder=FOLDER, flux=True) as (applier, writes):
            await until(lambda: place.settled_at("1"), DEADLINE)
            found = await examined(place, client, kustomization, repository)
            assert found.heals and NO_HOLD in found.notes and not found.problems
            assert (found.source["repository"], found.source["path"]) == (tracked.repository, FOLDER)
            await client.patch(ObjectRef(KUSTOMIZATIONS, "reconciler", "shop"), {"spec": found.ignore})

            async def heeded() -> bool:
                return applier.rules == found.ignore["ignore"]

            await until(heeded, DEADLINE)
            before = dict(applier.written)
            await bump(place, BAD)
            await until(lambda: _is(place, BAD, "failed"), DEADLINE)

            async def home() -> bool:
                return await asked_by_tag(place) == "1" and await place.image() == "1" and await place.phase() == "Healthy"

            await until(home, DEADLINE)
            assert (await place.host.read(REPOSITORY, KUSTOMIZATION_FILE, "main")).decode() == KUSTOMIZATION.format("1"), "to the byte"
            assert await place.restores() == 1
            gained = {name: count - before.get(name, 0) for name, count in applier.written.items() if count != before.get(name, 0)}
            assert set(gained) == {"web"} and gained["web"] <= 2, "the version and its restore: nothing else is written"
        assert not [write for write in writes if write.split("?")[0].rstrip("/").endswith("/rollouts/web")]


async def examined(place: Shop, client: Client, kustomization: Manifest, repository: Manifest) -> FluxApplier:
    """What doctor says of the live Rollout, found by its label."""
    live = await client.get(ROLLOUT_OBJECTS, "shop", "web")
    (mark,) = trackers(live)
    assert (mark.kind, mark.namespace, mark.name) == ("Kustomization", "reconciler", "shop")
    services = [await client.get(SERVICES, "shop", name) for name in ("web", "web-canary")]
    routed = await client.get(VIRTUAL_SERVICE_OBJECTS, "shop", "web")
    return flux_applier(live, kustomization, repository, ArgoBeside((routed, *services)))


async def bump(place: Shop, version: str, message: str = "") -> str:
    """The version as a tool writes it: one line of the kustomization."""
    return await place.write({KUSTOMIZATION_FILE: KUSTOMIZATION.format(version).encode()}, message or f"web {version}")


async def asked_by_tag(place: Shop) -> str:
    text = (await place.host.read(REPOSITORY, KUSTOMIZATION_FILE, "main")).decode()
    return text.split('newTag: "')[1].split('"')[0]


async def refused(place: Shop, commit: str) -> bool:
    """The bot's own commit says that its version was rejected before."""
    return any(status.state == "failure" for status in place.host.statuses(REPOSITORY, commit))


async def test_a_proposal_that_waits_for_a_person_lets_nothing_walk_to_users_again(place: Shop) -> None:
    await place.write({POLICY_FILE: POLICY.format("{onFailure: propose}").encode()}, "propose")
    async with everybody(place, POLICY_FILE) as (applier, _):
        await until(lambda: place.settled_at("1"), DEADLINE)
        await place.push(BAD)
        await until(lambda: _is(place, BAD, "failed"), DEADLINE)

        async def proposed() -> bool:
            return ((await place.release(BAD)).get("restore") or {}).get("state") == "proposed"

        await until(proposed, DEADLINE)
        before, healed = await place.rollout(), applier.written.get("web", 0)
        await asyncio.sleep(4)  # two looks of the applier and many of ours
        after = await place.rollout()
        assert after["metadata"]["generation"] == before["metadata"]["generation"] and applier.written.get("web", 0) == healed
        assert after["status"]["abort"] is True and await place.weights() == (100, 0)
        assert len(await place.releases(BAD)) == 1


async def test_installed_while_a_release_is_under_way_what_served_before_it_is_the_baseline(place: Shop) -> None:
    rollouts = replace(place.ground.settings, controllers=("rollout", "analysis"), sources=())
    applier = Applier(place.api, place.host, (ROLLOUT_FILE, NETWORK_FILE, ANALYSIS_FILE))
    async with daemon(place, "rollouts", rollouts), applying(applier):
        await until(lambda: _healthy(place, "1"), DEADLINE)
        await place.push(BAD)

        async def aborted() -> bool:
            return (await place.rollout()).get("status", {}).get("abort") is True

        await until(aborted, DEADLINE)
        async with daemon(place, "companion", companion(place)):
            await until(lambda: _is(place, BAD, "failed"), DEADLINE)
            await until(lambda: _restored(place), DEADLINE)
            (first,) = await place.releases("1")
    assert first["status"]["verdict"] == "passed" and first["spec"]["cause"] == "found running"
    found = await place.api.get(f"{ROLLOUTS}/web")
    assert found is not None


async def _is(place: Shop, version: str, verdict: str) -> bool:
    return await ended(place, version) == verdict


async def _restored(place: Shop) -> bool:
    return await place.restores() == 1 and BAD.encode() not in await place.asked()


async def _healthy(place: Shop, version: str) -> bool:
    return await place.phase() == "Healthy" and await place.image() == version
