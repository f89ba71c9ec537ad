"""Readiness probes."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from reconciler_sandbox.node.behaviour import Behaviour
from reconciler_sandbox.node.probe import Attempt, Probe, attempt_of, port_of, probe_of, watch_readiness

from tests.kit.pods import PORT, serving, session
from tests.kit.wait import until

CONTAINER = {"ports": [{"name": "http", "containerPort": PORT}]}


async def reports(results: Iterator[bool], probe: Probe, count: int) -> list[tuple[int, bool]]:
    """Which attempt (from 1) changed readiness, and to what."""
    made = 0
    found: list[tuple[int, bool]] = []
    done = asyncio.Event()

    async def attempt() -> bool:
        nonlocal made
        made += 1
        return next(results)

    def report(ready: bool) -> None:
        found.append((made, ready))
        if len(found) == count:
            done.set()

    watching = asyncio.create_task(watch_readiness(probe, attempt, report))
    async with asyncio.timeout(10):
        await done.wait()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    return found


async def test_success_and_failure_count_only_after_their_thresholds() -> None:
    results = iter([True, False, True, True, False, False, False, *[True] * 100])
    assert await reports(results, Probe(0, 0, 1, successes=2, failures=3), 2) == [(4, True), (7, False)]


async def reported(attempt: Attempt, probe: Probe, count: int) -> list[bool]:
    """The first changes of mind about a pod."""
    found: list[bool] = []
    watching = asyncio.create_task(watch_readiness(probe, attempt, found.append))
    await until(lambda: len(found) == count)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    return found


async def test_an_answer_that_does_not_come_in_time_is_none() -> None:
    answers = iter([True])

    async def attempt() -> bool:
        return next(answers, False) or await asyncio.Event().wait()

    assert await reported(attempt, Probe(0, 0, 0.05, successes=1, failures=2), 2) == [True, False]


async def test_time_in_which_the_whole_process_stands_still_is_not_the_pods() -> None:
    async def attempt() -> bool:
        time.sleep(0.2)  # noqa: ASYNC251 -- nothing goes on in this process, the pod that is asked neither
        for _ in range(5):
            await asyncio.sleep(0)
        return True

    assert await reported(attempt, Probe(0, 0, 0.1, successes=1, failures=1), 1) == [True]


def test_delay_and_period_are_capped_by_the_pace() -> None:
    assert probe_of({"initialDelaySeconds": 30, "periodSeconds": 10, "timeoutSeconds": 2}, 0.2) == Probe(0.2, 0.2, 2, 1, 3)


@pytest.mark.parametrize(("behaviour", "ready"), [(Behaviour("v1"), True), (Behaviour("v1", ready_after=60), False)])
async def test_an_http_probe_really_asks_the_pod(behaviour: Behaviour, ready: bool) -> None:
    async with serving(behaviour) as (address, _, _), session() as client:
        attempt = attempt_of({"httpGet": {"path": "/healthz", "port": "http"}}, CONTAINER, lambda port: (address, port), client)
        assert attempt is not None
        assert await attempt() is ready


async def test_a_tcp_probe_only_connects() -> None:
    async with serving(Behaviour("v1", hang=True)) as (address, _, _), session() as client:
        attempt = attempt_of({"tcpSocket": {"port": PORT}}, CONTAINER, lambda port: (address, port), client)
        assert attempt is not None
        assert await attempt()


async def test_other_kinds_cannot_be_carried_out() -> None:
    async with session() as client:
        assert attempt_of({"exec": {"command": ["true"]}}, CONTAINER, lambda port: ("127.0.0.9", port), client) is None


def test_ports_may_be_named() -> None:
    assert (port_of("http", CONTAINER), port_of(9, CONTAINER), port_of("90", CONTAINER), port_of("gone", CONTAINER)) == (PORT, 9, 90, 0)
