"""The client that metrics share: budgets, quiet times, one request for the same question. Each against a real server."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web

from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import Manifest
from reconciler.providers.metrics_client import KEPT_BYTES, MOST_QUIET, PER_HOST, MetricsClient, Sharing
from reconciler.web.client import HttpCall, open_client
from tests.kit.analysis import NOW, Clock, endpoint, task, vector
from tests.kit.metrics import prometheus_at
from tests.kit.wait import until


class Sleeping(Clock):
    """A clock that a sleep moves."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)

    def random(self) -> float:
        return 0.5


@dataclass
class Place:
    """A server whose requests wait until they are let go; what it saw."""

    client: MetricsClient
    clock: Sleeping
    url: str = ""
    seen: list[str] = field(default_factory=list)
    most: int = 0
    inside: int = 0
    open: asyncio.Event = field(default_factory=asyncio.Event)
    answers: list[web.Response] = field(default_factory=list)
    """What is answered first, in this order."""

    async def respond(self, request: web.BaseRequest) -> web.Response:
        self.seen.append(request.path_qs)
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            await self.open.wait()
        finally:
            self.inside -= 1
        return self.answers.pop(0) if self.answers else web.Response(text=f"answer {len(self.seen)}")

    def call(self, path: str = "/q", **fields: Any) -> HttpCall:
        return HttpCall(method="GET", url=f"{self.url}{path}", **fields)

    async def get(self, path: str = "/q", sharing: Sharing = Sharing.IN_FLIGHT, **fields: Any) -> bytes:
        return (await self.client.send(self.call(path, **fields), insecure=False, sharing=sharing)).body


@asynccontextmanager
async def place(*answers: web.Response, closed: bool = False) -> AsyncIterator[Place]:
    clock = Sleeping()
    async with open_client() as http:
        at = Place(MetricsClient(http, clock, clock), clock, answers=list(answers))
        runner = web.ServerRunner(web.Server(at.respond), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        at.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        if not closed:
            at.open.set()
        try:
            yield at
        finally:
            at.open.set()
            await runner.cleanup()


def busy(after: str, status: int = 429) -> web.Response:
    return web.Response(status=status, headers={"Retry-After": after}, text="busy")


async def test_a_host_gets_no_more_than_its_budget_at_a_time_and_all_in_the_end() -> None:
    async with place(closed=True) as at:
        asking = [asyncio.create_task(at.get(f"/{number}")) for number in range(PER_HOST + 5)]
        await until(lambda: at.inside == PER_HOST)
        at.open.set()
        assert len(await asyncio.gather(*asking)) == PER_HOST + 5
    assert at.most == PER_HOST and len(at.seen) == PER_HOST + 5


async def test_a_host_that_hangs_costs_no_other_host_anything() -> None:
    async with place(closed=True) as at, endpoint() as other:
        other.answer("/q", "well")
        hanging = [asyncio.create_task(at.get(f"/{number}")) for number in range(PER_HOST)]
        await until(lambda: at.inside == PER_HOST)
        answer = await at.client.send(HttpCall(method="GET", url=f"{other.url}/q"), insecure=False, sharing=Sharing.NEVER)
        assert answer.body == b"well"
        with pytest.raises(Transient, match=f"busy with {PER_HOST} requests of ours for 0.05 s"):
            await at.get("/late", timeout=0.05)
        at.open.set()
        await asyncio.gather(*hanging)


async def test_the_same_question_at_the_same_time_is_one_request() -> None:
    async with place(closed=True) as at:
        asking = [asyncio.create_task(at.get()) for _ in range(5)]
        await until(lambda: at.inside)
        at.open.set()
        assert set(await asyncio.gather(*asking)) == {b"answer 1"}
        assert await at.get() == b"answer 2"  # it is over: what is now may be another


@pytest.mark.parametrize(
    "other",
    [
        {"headers": {"Authorization": "Bearer two"}},
        {"query": {"a": "2"}},
        {"body": b"two"},
        {"limit": 5},
    ],
    ids=str,
)
async def test_another_header_query_or_body_is_another_question(other: dict[str, Any]) -> None:
    first = {"headers": {"Authorization": "Bearer one"}, "query": {"a": "1"}, "body": b"one", "limit": 100}
    async with place(closed=True) as at:
        asking = [asyncio.create_task(at.get(**first)), asyncio.create_task(at.get(**{**first, **other}))]
        await until(lambda: at.inside == 2)
        at.open.set()
        await asyncio.gather(*asking, return_exceptions=True)
    assert len(at.seen) == 2


async def test_what_may_change_something_is_never_shared() -> None:
    async with place(closed=True) as at:
        asking = [asyncio.create_task(at.get(sharing=Sharing.NEVER)) for _ in range(3)]
        await until(lambda: at.inside == 3)
        at.open.set()
        await asyncio.gather(*asking)
    assert len(at.seen) == 3


async def test_a_question_about_a_moment_is_asked_once_a_tick() -> None:
    async with place() as at:
        assert [await at.get(sharing=Sharing.TICK), await at.get(sharing=Sharing.TICK)] == [b"answer 1"] * 2
        at.clock.time += timedelta(seconds=1)
        assert await at.get(sharing=Sharing.TICK) == b"answer 2"


async def test_a_refusal_is_kept_for_no_one() -> None:
    async with place(web.Response(status=500)) as at:
        assert [await at.get(sharing=Sharing.TICK), await at.get(sharing=Sharing.TICK)] == [b"", b"answer 2"]


async def test_an_answer_that_is_large_is_not_kept() -> None:
    async with place(web.Response(text="x" * (KEPT_BYTES + 1)), web.Response(text="y" * KEPT_BYTES)) as at:
        first, second, third = [(await at.get(sharing=Sharing.TICK))[:1] for _ in range(3)]
    assert (first, second, third) == (b"x", b"y", b"y")


async def test_one_who_leaves_does_not_take_the_answer_of_the_others_along() -> None:
    async with place(closed=True) as at:
        first, second = asyncio.create_task(at.get()), asyncio.create_task(at.get())
        await until(lambda: at.inside)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        at.open.set()
        assert await second == b"answer 1" and len(at.seen) == 1


async def test_when_all_have_left_the_request_ends() -> None:
    async with place(closed=True) as at:
        asking = [asyncio.create_task(at.get()) for _ in range(2)]
        await until(lambda: at.inside)
        for one in asking:
            one.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        assert vars(at.client)["_hosts"] == vars(at.client)["_flights"] == {}  # its place in the budget is free
        assert not [one for one in asyncio.all_tasks() if "_budgeted" in str(one)]


async def test_a_failure_is_told_to_each_who_waited() -> None:
    async with place(closed=True) as at:
        asking = [asyncio.create_task(at.get(limit=3)) for _ in range(2)]
        await until(lambda: at.inside)
        at.open.set()
        found = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(one) for one in found] == [Terminal, Terminal] and len(at.seen) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_server_is_asked_once_more_when_it_said(status: int) -> None:
    async with place(busy("3", status)) as at:
        assert await at.get() == b"answer 2"
    assert at.clock.slept == [3.0]


async def test_a_date_is_a_time_too() -> None:
    async with place(busy(format_datetime(NOW + timedelta(seconds=4), usegmt=True))) as at:
        assert await at.get() == b"answer 2"
    assert at.clock.slept == [4.0]


async def test_a_longer_quiet_time_is_kept_without_a_request_and_not_waited_for() -> None:
    async with place(busy("20")) as at:
        assert await at.get() == b"busy"
        with pytest.raises(Transient, match="asked to be left alone for 20 s more"):
            await at.get("/other")
        assert len(at.seen) == 1
        at.clock.time += timedelta(seconds=17)
        assert await at.get("/other") == b"answer 2"
    assert at.clock.slept == [3.0]


@pytest.mark.parametrize("after", ["99999999", format_datetime(NOW + timedelta(days=400)), "9" * 400])
async def test_a_quiet_time_is_bounded(after: str) -> None:
    async with place(busy(after)) as at:
        await at.get()
        at.clock.time += timedelta(seconds=MOST_QUIET)
        assert await at.get() == b"answer 2"


@pytest.mark.parametrize("after", ["", "soon", "-3", "٣", "1e3", "Wed, 99 Nov 2026 12:00:00 GMT"])
async def test_what_is_no_time_asks_for_none(after: str) -> None:
    async with place(busy(after)) as at:
        assert [await at.get(), await at.get()] == [b"busy", b"answer 2"]
    assert at.clock.slept == []


async def test_what_may_change_something_is_not_sent_twice() -> None:
    async with place(busy("1")) as at:
        assert await at.get(sharing=Sharing.NEVER) == b"busy"
    assert len(at.seen) == 1


async def test_a_time_to_wait_is_only_heard_from_a_busy_server() -> None:
    async with place(web.Response(headers={"Retry-After": "20"}, text="fine")) as at:
        assert [await at.get(), await at.get()] == [b"fine", b"answer 2"]


async def test_nothing_is_kept_of_hosts_and_questions_that_are_over() -> None:
    async with place() as at:
        for number in range(300):
            await at.get(f"/{number}", sharing=Sharing.TICK)
        at.clock.time += timedelta(seconds=5)
        await at.get("/last", sharing=Sharing.TICK)
        held = vars(at.client)
    assert [len(held[name]) for name in ("_hosts", "_flights", "_kept")] == [0, 0, 1]


async def test_no_secret_stands_in_a_key() -> None:
    async with place() as at:
        await at.get(headers={"Authorization": "Bearer hunter2"}, body=b"hunter2", sharing=Sharing.TICK)
        held = vars(at.client)["_kept"]
    assert held and "hunter2" not in repr(list(held))


async def test_runs_that_ask_the_same_in_the_same_second_cost_a_server_one_request() -> None:
    async with open_client() as http, endpoint() as server:
        server.answer("/api/v1/query", vector("1"))
        clock = Sleeping()
        prometheus = prometheus_at(MetricsClient(http, clock, clock), server.url)
        asked: Manifest = {"query": "up", "headers": [{"key": "X-Scope-OrgID", "value": "shop"}]}
        for part in range(4):
            then = task("prometheus", asked)
            found = await prometheus.run(replace(then, now=NOW + timedelta(milliseconds=200 * part)))
            assert found.value == "[1]"
        assert len(server.requests) == 1
        await prometheus.run(task("prometheus", {**asked, "headers": [{"key": "X-Scope-OrgID", "value": "bank"}]}))
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Date": NOW + timedelta(seconds=300)}, 300),
        ({"Date": NOW - timedelta(seconds=300)}, -300),
        ({"Date": NOW + timedelta(seconds=30)}, None),
        ({"Date": NOW + timedelta(days=2)}, None),
        ({"Date": NOW - timedelta(seconds=300), "Age": "300"}, None),
        ({"Date": "yesterday"}, None),
    ],
)
async def test_a_clock_that_is_off_is_remembered_until_it_agrees(headers: Mapping[str, Any], seconds: float | None) -> None:
    told = {name: format_datetime(value, usegmt=True) if isinstance(value, datetime) else value for name, value in headers.items()}
    agreeing = {"Date": format_datetime(NOW, usegmt=True)}
    async with place(web.Response(headers=told), web.Response(headers=agreeing)) as at:
        await at.get("/1")
        skew = at.client.skew(f"{at.url}/api")
        assert (skew.total_seconds() if skew is not None else None) == seconds
        await at.get("/2")
        assert at.client.skew(at.url) is None
