"""Steady requests: a rate, a bound, a memory, and loopback only."""

import asyncio
import time

import pytest
from reconciler_sandbox.load import Load, NotLoopback, Sample

from tests.kit.mesh import backends, until


def load(port: int, **options: object) -> Load:
    return Load(("127.0.0.1", port), **{"host": "web.example.com", "rate": 200.0, **options})  # type: ignore[arg-type]


async def test_requests_are_remembered_with_version_status_and_tag() -> None:
    async with backends("v1") as served:
        steady = load(served["v1"].port, headers={"x-tester": "1"}, path="/shop", connections=3)
        began = time.time()
        await steady.start()
        await until(lambda: len(steady.samples) >= 20)
        await steady.stop()
    first = steady.samples[0]
    assert (first.version, first.status, first.tagged) == ("v1", 200, True)
    assert began <= first.time <= time.time()
    assert (served["v1"].requests[0]["path"], served["v1"].requests[0]["host"]) == ("/shop", "web.example.com")
    assert steady.counts_since(began) == {"v1": len(steady.samples)}
    assert steady.counts_since(time.time()) == {}


async def test_a_burst_counts_exactly_and_may_be_tagged_otherwise() -> None:
    async with backends("v1") as served:
        quiet = load(served["v1"].port, connections=5)
        found = await quiet.burst(200)
        tagged = await quiet.burst(10, headers={"x-tester": "1"})
        await quiet.stop()
    assert (len(found), len(tagged), len(served["v1"].requests)) == (200, 10, 210)
    assert ({sample.tagged for sample in found}, {sample.tagged for sample in tagged}) == ({False}, {True})
    assert quiet.failures == []


async def test_never_more_than_the_bound_is_in_flight() -> None:
    async with backends("v1") as served:
        backend = served["v1"]
        backend.delay = 0.5
        steady = load(backend.port, rate=1000, connections=4)
        await steady.start()
        await until(lambda: len(steady.samples) >= 4)
        await steady.stop()
    assert len(backend.requests) <= 8


async def test_errors_are_recorded_and_survived() -> None:
    async with backends("v1") as served:
        served["v1"].status = 503
        port = served["v1"].port
        steady = load(port)
        await steady.start()
        await until(lambda: len(steady.failures) >= 3)
        served["v1"].status = 200
        await until(lambda: steady.counts_since(0)["v1"] >= 3)
    await until(lambda: any(sample.status == 0 for sample in steady.samples))
    await steady.stop()
    assert {sample.status for sample in steady.failures} == {503, 0}
    assert steady.counts_since(0)[""] == len(steady.failures)


async def test_the_rate_is_kept() -> None:
    async with backends("v1") as served:
        steady = load(served["v1"].port, rate=100)
        began = asyncio.get_running_loop().time()
        await steady.start()
        await until(lambda: len(steady.samples) >= 30)
        elapsed = asyncio.get_running_loop().time() - began
        await steady.stop()
    assert elapsed >= 29 / 100 * 0.9  # never faster than asked; a busy machine may be slower


@pytest.mark.parametrize("host", ["192.0.2.1", "example.com", "0.0.0.0", "::"])
def test_load_goes_to_this_machine_only(host: str) -> None:
    with pytest.raises(NotLoopback, match=host):
        Load((host, 80), host="web", rate=1)


def test_a_client_error_is_no_failure_of_the_server() -> None:
    assert not Sample(0.0, "", 404, tagged=False).failed
    assert Sample(0.0, "", 500, tagged=False).failed
    assert Sample(0.0, "", 0, tagged=False).failed
