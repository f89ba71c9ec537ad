"""Where two cases meet: two environments of one repository, a tip that nobody can read, a right that is missing."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
import yaml
from reconciler_sandbox.client import ApiClient

from reconciler.kernel.errors import Transient
from reconciler.kernel.resources import EVENTS, ROLLOUTS
from reconciler.kube.client import Client
from reconciler.kube.fence import Gate
from reconciler.releases.manifest import parse_release
from reconciler.releases.model import Release, RestoreState, Verdict
from reconciler.sources.settings import Allow
from tests.kit.clusters import NAMESPACE, Reached, api
from tests.kit.desk import Desk, life, rollout
from tests.kit.granted import DEPLOY
from tests.kit.repositories import Origin
from tests.kit.wait import until
from tests.real.kit.accounts import RBAC, token_of
from tests.real.kit.ground import PATIENCE, client_of, grounded
from tests.real.kit.reach import caller
from tests.real.kit.servers import Server

BAD = "registry.example.com/web:6.6.6"
RIGHTS = DEPLOY / "overlays" / "companion" / "rights.yaml"
AUTHORIZATION = f"/apis/{RBAC}/v1"
FOREIGN = {"apply": False, "companion": True, "allow": Allow()}


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    """The administrator's, with our kinds and namespaces on the server."""
    async with client_of(server) as made, grounded(made):
        yield made


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin(tmp_path / "origin.git")


async def newest(place: Desk) -> Release:
    return parse_release((await place.releases())[-1])


def restores(origin: Origin) -> int:
    return sum("Reconciler-Release:" in message for message in origin.log("%B%x00"))


# -- two daemons, one repository --------------------------------------------------------------------------------------


async def test_two_environments_on_one_repository_are_each_restored_once(client: Client, origin: Origin, tmp_path: Path) -> None:
    files = {"staging/web.yaml": rollout(), "production/web.yaml": rollout()}
    async with (
        api() as elsewhere,
        life(Reached(client), origin, tmp_path, environment="staging", path="staging") as staging,
        life(elsewhere, origin, tmp_path, environment="production", path="production") as production,
    ):
        places = (staging, production)
        staging.push(files, "good")
        for place in places:
            await place.proven()
        staging.push({name: rollout(BAD) for name in files}, "bad everywhere")
        for place in places:
            await place.look()
            await place.lost()
        for place in places:
            await place.look()
            await place.judge()
        ended = [await newest(place) for place in places]
    assert {origin.read(name).decode() for name in files} == {rollout()}
    assert restores(origin) == 2
    assert len({release.name for release in ended}) == 2
    assert {release.status.verdict for release in ended} == {Verdict.FAILED}


# -- an unreadable tip ------------------------------------------------------------------------------------------------


async def test_a_tip_that_nobody_can_read_while_a_restore_is_half_done_is_waited_for_and_nothing_is_pushed_twice(
    server: Server, client: Client, origin: Origin, tmp_path: Path
) -> None:
    killed = Gate(lambda: "the daemon is gone" if restores(origin) else None)
    async with client_of(server, killed) as mortal, life(Reached(mortal), origin, tmp_path) as first:
        first.push({"web.yaml": rollout()}, "good")
        await first.proven()
        first.push({"web.yaml": rollout(BAD)}, "bad")
        await first.look()
        with pytest.raises(Transient, match="the daemon is gone"):
            await first.lost()
        assert restores(origin) == 1
    async with life(Reached(client), origin, tmp_path) as second:
        unknown = await newest(second)
        assert unknown.status.restore is None or unknown.status.restore.state is RestoreState.WANTED
        broken = second.push({"web.yaml": "web: ["}, "broken")
        await second.look()
        with pytest.raises(Transient):
            await second.judge()
        assert origin.head() == broken
        mended = second.push({"web.yaml": rollout()}, "mended")
        await second.look()
        await second.judge()
        ended = await newest(second)
        assert ended.status.restore is not None
        assert (ended.status.verdict, ended.status.restore.state) == (Verdict.FAILED, RestoreState.PUSHED)
    assert origin.head() == mended and restores(origin) == 1


# -- a missing right --------------------------------------------------------------------------------------------------


class Account:
    """What a companion lives as: the rights of `deploy/overlays/companion` but for some, and ConfigMaps of its own."""

    def __init__(self, admin: ApiClient) -> None:
        self.name = f"companion-{token_hex(4)}"
        self._admin = admin

    async def begin(self, *missing: str) -> None:
        """Everything but these verbs on releases and events."""
        await self._admin.create("/api/v1/namespaces/reconciler/serviceaccounts", {"metadata": {"name": self.name}})
        own = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "create", "update", "patch"]}
        await self._grant("ClusterRole", f"{AUTHORIZATION}/cluster", granted(*missing))
        await self._grant("Role", f"{AUTHORIZATION}/namespaces/reconciler/", [own])

    async def _grant(self, kind: str, place: str, rules: list[dict[str, Any]]) -> None:
        metadata, subject = {"name": self.name}, {"kind": "ServiceAccount", "namespace": "reconciler", "name": self.name}
        await self._admin.create(f"{place}roles", {"metadata": metadata, "rules": rules})
        reference = {"apiGroup": RBAC, "kind": kind, "name": self.name}
        await self._admin.create(f"{place}rolebindings", {"metadata": metadata, "subjects": [subject], "roleRef": reference})

    async def allow(self, *missing: str) -> None:
        await self._admin.patch(f"{AUTHORIZATION}/clusterroles/{self.name}", {"rules": granted(*missing)})

    async def end(self) -> None:
        """What belongs to no namespace goes."""
        for plural in ("clusterrolebindings", "clusterroles"):
            await self._admin.delete(f"{AUTHORIZATION}/{plural}/{self.name}")


def granted(*missing: str) -> list[dict[str, Any]]:
    """The rights of a companion without some, each a verb and a resource."""
    found: list[dict[str, Any]] = yaml.safe_load(RIGHTS.read_text(encoding="utf-8"))["rules"]
    for right in missing:
        verb, resource = right.split()
        (rule,) = (rule for rule in found if rule["resources"] == [resource])
        rule["verbs"].remove(verb)
    return [rule for rule in found if rule["verbs"]]


@pytest.mark.real  # in the sandbox everybody may do everything
async def test_a_right_that_a_companion_misses_is_on_record_and_stops_nothing_else(
    real_server: Server, origin: Origin, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(client_of(real_server))
        await stack.enter_async_context(grounded(client))
        call = await stack.enter_async_context(caller(real_server))
        account = Account(ApiClient(call))
        stack.push_async_callback(account.end)
        await account.begin("create releases", "create events")
        own = await stack.enter_async_context(client_of(real_server, token=await token_of(call, "reconciler", account.name)))
        await client.create(ROLLOUTS, yaml.safe_load(rollout()))  # as somebody else applies it
        origin.commit({"web.yaml": rollout()}, "good")
        companion = await stack.enter_async_context(life(Reached(own), origin, tmp_path, **FOREIGN))
        await companion.look()
        assert "releases could not be opened" in await companion.problems() and "forbidden" in await companion.problems()
        assert (await companion.inventory()).commit == origin.head()
        await account.allow("create events")

        async def opened() -> bool:
            await companion.look()
            return await companion.problems() == ""

        await until(opened, PATIENCE)
        judge = replace(companion, api=Reached(client))  # what the rollout layer says is said with its own rights
        await judge.proven()
        origin.commit({"web.yaml": rollout(BAD)}, "bad")
        await companion.look()
        live = await client.get(ROLLOUTS, NAMESPACE, "web")
        live["spec"]["template"]["spec"]["containers"][0]["image"] = BAD
        await companion.seen(await client.replace(ROLLOUTS, live))
        await judge.lost()
        assert (await newest(judge)).status.verdict is Verdict.FAILED
        assert origin.read("web.yaml").decode() == rollout() and restores(origin) == 1
        await companion.recorder.drain()
        assert await client.list(EVENTS, NAMESPACE) == []  # tried, and refused to the last
