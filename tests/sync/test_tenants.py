"""A source that acts as a ServiceAccount: its objects are read and written in that name, and what it may not do is its own problem."""

from pathlib import Path

import orjson
import pytest
from reconciler_sandbox.client import Answer, Call

from reconciler.kernel.resources import CONFIGMAPS, DEPLOYMENTS, RELEASES
from reconciler.sources.problem import Mender, Reason
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import Desk, config, desk, rollout

ACCOUNT = f"{NAMESPACE}/deployer"
USER = f"system:serviceaccount:{NAMESPACE}:deployer"
OBJECTS = f"/namespaces/{NAMESPACE}/"


def acting(call: Call) -> str:
    return str(call.headers.get("impersonate-user", ""))


def refuse(shop: Desk, *words: str) -> None:
    """The server refuses what the account does to paths with one of these words in them."""

    async def fault(call: Call) -> Answer | None:
        if acting(call) != USER or not any(word in f"{call.method} {call.path}" for word in words):
            return None
        status = {"kind": "Status", "status": "Failure", "code": 403, "reason": "Forbidden", "message": f'User "{USER}" is not allowed to'}
        return Answer(403, {"content-type": "application/json"}, orjson.dumps(status))

    shop.api.server.faults = fault


async def test_objects_are_read_and_written_in_the_accounts_name_and_nothing_else_is(tmp_path: Path) -> None:
    async with desk(tmp_path, service_account=ACCOUNT) as shop:
        shop.push({f"{name}.yaml": config(name) for name in "abcdefgh"} | {"web.yaml": rollout()})
        await shop.look()
        shop.push({"a.yaml": None})
        await shop.look()
        assert await shop.live(CONFIGMAPS, "a") is None
        calls = [call for call in shop.api.transport.calls if call.query.get("watch") != "true"]
        objects = [call for call in calls if OBJECTS in call.path and "/releases" not in call.path and call.query.get("fieldManager")]
        assert objects and {acting(call) for call in objects} == {USER}
        assert {acting(call) for call in calls if call.method == "DELETE"} == {USER}
        assert {acting(call) for call in calls if "/releases" in call.path or "/namespaces/reconciler/" in call.path} == {""}
        reads = [call for call in calls if call.method == "GET" and call.path.endswith(f"{OBJECTS}configmaps")]
        assert reads and {acting(call) for call in reads} == {USER}
        assert len(await shop.api.client.list(RELEASES, NAMESPACE)) == 1


async def test_without_an_account_everything_is_done_in_the_daemons_name(tmp_path: Path) -> None:
    async with desk(tmp_path) as shop:
        shop.push({"a.yaml": config("a")})
        await shop.look()
        assert {acting(call) for call in shop.api.transport.calls} == {""}


async def test_what_it_may_not_write_is_its_problem_in_the_servers_words_and_the_rest_goes_on(tmp_path: Path) -> None:
    async with desk(tmp_path, service_account=ACCOUNT) as shop:
        refuse(shop, "PATCH /apis/argoproj.io")
        shop.push({"a.yaml": config("a"), "web.yaml": rollout()})
        await shop.look()
        assert await shop.live(CONFIGMAPS, "a") is not None
        (problem,) = [one for one in (await shop.inventory()).problems if not isinstance(one, str)]
        assert (problem.reason, problem.mender, problem.file) == (Reason.REFUSED, Mender.OPERATOR, "web.yaml")
        assert f'User "{USER}" is not allowed to' in problem.message
        shop.api.server.faults = no_fault
        shop.clock.time = shop.clock.time.replace(year=shop.clock.time.year + 1)
        await shop.look()
        assert (await shop.inventory()).problems == ()


async def no_fault(call: Call) -> Answer | None:
    return None


@pytest.mark.parametrize("words", [("GET /api/v1/namespaces/shop/configmaps",), ("/namespaces/shop/",)])
async def test_what_it_may_not_read_is_left_alone_and_nothing_of_it_is_removed(tmp_path: Path, words: tuple[str, ...]) -> None:
    async with desk(tmp_path, service_account=ACCOUNT) as shop:
        shop.push({f"{name}.yaml": config(name) for name in "abcdefgh"})
        await shop.look()
        refuse(shop, *words)
        shop.push({"a.yaml": None, "b.yaml": config("b", "2")})
        await shop.look()
        assert f'User "{USER}" is not allowed to' in await shop.problems()
        assert await shop.live(CONFIGMAPS, "a") is not None
        assert (await shop.found(CONFIGMAPS, "b"))["data"] == {"a": "1"}
        assert await shop.live(DEPLOYMENTS, "web") is None
