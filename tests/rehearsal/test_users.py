"""Users are counted by who answered them; testers are not users."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from reconciler_sandbox.load import Sample
from reconciler_sandbox.rehearsal.record import Requests
from reconciler_sandbox.rehearsal.story import Flow
from reconciler_sandbox.rehearsal.users import UserGroups, seconds_of

from tests.kit.mesh import backends
from tests.kit.wait import until


@asynccontextmanager
async def users(version: str = "1.0") -> AsyncIterator[UserGroups]:
    async with backends(version) as served, UserGroups(lambda _: ("127.0.0.1", served[version].port)) as groups:
        yield groups


async def test_steady_users_come_and_go() -> None:
    async with users() as groups:
        await groups.change({"web": Flow(host="web.example.com", rate=100)})
        await until(lambda: groups.answered("web", "1.0") >= 5)
        await groups.change({"web": Flow(host="web.example.com", rate=0)})
        count = groups.answered("web", "1.0")
        assert len(await groups.burst("web", 3)) == 3
        assert groups.answered("web", "1.0") == count + 3


async def test_testers_are_not_counted_as_users() -> None:
    async with users() as groups:
        await groups.change({"web": Flow(host="web.example.com", rate=0)})
        await groups.burst("web", 4, {"x-release-tester": "ann"})
        assert groups.answered("web", "1.0") == 0 and groups.failed("web") == 0


async def test_requests_without_an_answer_are_failures() -> None:
    async with UserGroups(lambda _: ("127.0.0.1", 9)) as groups:
        await groups.change({"web": Flow(host="web.example.com", rate=0)})
        await groups.burst("web", 2)
        assert groups.failed("web") == 2
        assert sum(second.versions[""] for second in groups.requests(0.0)["web"]) == 2


def test_samples_are_counted_per_second_and_version() -> None:
    seen = ((100.1, "1.0", 200), (100.9, "1.1", 200), (102.0, "1.1", 500), (99.0, "1.0", 200))
    samples = [Sample(time, version, status, False) for time, version, status in seen]
    assert seconds_of(samples, 100.0) == [Requests(0, {"1.0": 1, "1.1": 1}), Requests(2, {"": 1})]
