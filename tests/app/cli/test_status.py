"""Waiting for an end that means something."""

import asyncio
import threading
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from reconciler.kernel.identity import Manifest, ObjectRef, Resource
from reconciler.kernel.resources import CONFIGMAPS, RELEASES, ROLLOUTS
from reconciler.kube.client import Client
from reconciler.releases.manifest import status_patch
from reconciler.releases.model import ReleasePhase, ReleaseStatus, Verdict
from reconciler.sources.inventory import ClosedWindow, Inventory, render_inventory
from tests.kit.clusters import NAMESPACE
from tests.kit.releases import release
from tests.kit.shell import Shell
from tests.kit.stocked import fill, store

WEB = ObjectRef(ROLLOUTS, NAMESPACE, "web")
NEW, OLD, OTHER = "c" * 40, "a" * 40, "b" * 40


def watching() -> ReleaseStatus:
    return ReleaseStatus(phase=ReleasePhase.WATCHING)


async def promoted(client: Client) -> None:
    """Healthy for everybody, and its release is still watched."""
    await fill(client)
    await client.patch(WEB, {"status": {"phase": "Healthy", "message": None, "pauseConditions": None}}, subresource="status")
    await store(client, release("web-new", sha=NEW, identity="new", number=2, status=watching()))


async def judged(client: Client, verdict: Verdict, name: str = "web-new") -> None:
    after = replace(watching(), phase=ReleasePhase.CLOSED, verdict=verdict, reason="12 measurements")
    patch = status_patch(watching(), after)
    assert patch is not None
    await client.patch(ObjectRef(RELEASES, NAMESPACE, name), patch, subresource="status")


def test_healthy_is_said_beside_a_release_that_is_still_judged(sh: Shell) -> None:
    sh.ask(promoted)
    first, second = sh("status", "web", "-n", "shop").output.splitlines()
    assert first == "Healthy"
    assert second == "Release web-new: serves everybody and is still watched, not judged yet"
    known = sh("status", "web", "-n", "shop", "-o", "json").json
    assert (known["phase"], known["release"]["phase"], known["release"]["verdict"]) == ("Healthy", "Watching", "")


async def shut(client: Client) -> None:
    """The source of the Rollout is closed by a window."""
    await promoted(client)
    await client.patch(WEB, {"metadata": {"annotations": {"reconciler.dev/source": "closed"}}})
    known = Inventory(closed=ClosedWindow("deny '0 8 * * *' (UTC)", datetime(2030, 1, 7, 18, tzinfo=UTC)))
    await client.create(CONFIGMAPS, render_inventory("closed", "reconciler", known))


def test_a_source_that_is_closed_says_when_it_opens(sh: Shell) -> None:
    sh.ask(shut)
    words = "closed by its sync window until 2030-01-07T18:00:00Z (deny '0 8 * * *' (UTC)); to open it: reconciler source open"
    assert sh("status", "web", "-n", "shop").output.splitlines()[1] == f"Source: {words}"
    assert f"source closed: {words}" in sh("explain", "web", "-n", "shop").output.replace("\n", " ")


def test_waiting_for_a_verdict_is_not_over_when_the_rollout_is_healthy(sh: Shell) -> None:
    sh.ask(promoted)
    ended = sh("status", "web", "-n", "shop", "--wait-for", "verdict", "--timeout", "10ms")
    assert ended.code == 1 and "the time is over: there is no verdict yet" in ended.errors


@pytest.mark.parametrize("verdict", list(Verdict))
def test_only_a_release_that_passed_ends_with_0(sh: Shell, verdict: Verdict) -> None:
    sh.ask(promoted)
    timer = threading.Timer(0.3, lambda: sh.ask(lambda client: judged(client, verdict)))
    timer.start()
    ended = sh("status", "web", "-n", "shop", "--wait-for", "verdict", "--timeout", "60s")
    timer.join()
    assert ended.code == (0 if verdict is Verdict.PASSED else 1)
    assert f"web-new: {verdict}: 12 measurements" in ended.output


def test_a_commit_is_waited_for_by_its_own_release(sh: Shell) -> None:
    sh.ask(promoted)
    old = ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=Verdict.PASSED, reason="well")
    sh.ask(lambda client: store(client, release("web-old", sha=OLD, identity="old", number=1, status=old)))
    for words in (("commit", OLD[:8]), (f"commit={OLD}",), (OLD[:7].upper(),)):
        ended = sh("status", "web", *words[1:], "--wait-for", words[0], "-n", "shop", "--timeout", "30s")
        assert ended.code == 0 and "web-old: passed: well" in ended.output
    assert sh("status", "web", NEW[:7], "--wait-for", "commit", "-n", "shop", "--timeout", "10ms").code == 1


def test_a_commit_that_was_not_seen_yet_is_said(sh: Shell) -> None:
    sh.ask(promoted)
    ended = sh("status", "web", OTHER[:7], "--wait-for", "commit", "-n", "shop", "--timeout", "10ms")
    assert ended.code == 1 and f"commit {OTHER[:7]} was not seen" in ended.errors


def test_a_commit_that_changes_nothing_here_is_judged_with_what_it_left(sh: Shell) -> None:
    async def followed(client: Client) -> None:
        await promoted(client)
        await judged(client, Verdict.PASSED)
        inventory = Inventory(commit=OTHER, workloads={"Rollout/shop/web": "new"})
        await client.create(CONFIGMAPS, render_inventory("shop", "reconciler", inventory))
        await client.patch(WEB, {"metadata": {"annotations": {"reconciler.dev/source": "shop"}}})

    sh.ask(followed)
    assert sh("status", "web", OTHER[:7], "--wait-for", "commit", "-n", "shop", "--timeout", "10ms").code == 0


@pytest.mark.parametrize("words", [["--wait-for", "soon"], ["--wait-for", "commit"], ["--wait-for", "verdict", "abcdef1"], ["abcdef1"]])
def test_what_cannot_be_waited_for_is_a_usage_error(sh: Shell, words: list[str]) -> None:
    assert sh("status", "web", "-n", "shop", *words).code == 2


def test_a_server_that_restarts_does_not_end_the_waiting(sh: Shell) -> None:
    sh.ask(promoted)
    calls: list[str] = []

    async def away(call):  # type: ignore[no-untyped-def]
        from reconciler_sandbox.client import Answer

        calls.append(call.path)
        return Answer(503) if 4 < len(calls) < 7 else None

    server = sh.cluster.server
    server.faults = away
    timer = threading.Timer(3, lambda: asyncio.run_coroutine_threadsafe(judged(sh.cluster.client, Verdict.PASSED), sh._loop).result(20))
    timer.start()
    ended = sh("status", "web", "-n", "shop", "--wait-for", "verdict", "--timeout", "60s")
    timer.join()
    assert ended.code == 0 and ended.errors.count("asking again") == 1


@pytest.mark.parametrize("command", [("status", "web"), ("get", "rollout", "web"), ("explain", "web")])
def test_a_rollout_of_another_shape_is_said_in_words(sh: Shell, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
    """Such as one that was stored before its kind had a schema; a list goes on past it."""
    sh.ask(promoted)
    found_by, listed_by = Client.find, Client.list

    def misshapen(found: Manifest | None) -> Manifest | None:
        return {**found, "status": "Healthy"} if found else found

    async def find(client: Client, resource: Resource, namespace: str, name: str) -> Manifest | None:
        found = await found_by(client, resource, namespace, name)
        return misshapen(found) if resource == ROLLOUTS else found

    async def listed(client: Client, resource: Resource, namespace: str = "", **only: str) -> list[Manifest]:
        found = await listed_by(client, resource, namespace, **only)
        return [made for one in found if (made := misshapen(one))] if resource == ROLLOUTS else found

    monkeypatch.setattr(Client, "find", find)
    monkeypatch.setattr(Client, "list", listed)
    ended = sh(*command, "-n", "shop")
    assert (ended.code, ended.output) == (3, "") and ended.errors.startswith("reconciler: shop/web: its Rollout cannot be read (")
    assert "Unreadable" in sh("list", "rollouts", "-n", "shop").output
