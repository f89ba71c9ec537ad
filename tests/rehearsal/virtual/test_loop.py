"""The loop of virtual time: it jumps, keeps the order of timers, and lets nothing out of the process."""

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable

import pytest
from reconciler_sandbox.rehearsal.virtual.clock import VirtualClock
from reconciler_sandbox.rehearsal.virtual.loop import BEGINNING, OutsideWorld, Standstill, run_virtually, virtual_now


def test_a_year_passes_at_once_and_timers_come_in_their_order() -> None:
    async def story() -> list[tuple[str, float]]:
        seen: list[tuple[str, float]] = []

        async def wait(name: str, seconds: float) -> None:
            await asyncio.sleep(seconds)
            seen.append((name, asyncio.get_running_loop().time()))

        async with asyncio.TaskGroup() as group:
            group.create_task(wait("year", 365 * 86_400.0))
            group.create_task(wait("second", 1.0))
            group.create_task(wait("hour", 3_600.0))
        return seen

    begun = time.monotonic()
    assert [name for name, _ in run_virtually(story())] == ["second", "hour", "year"]
    assert run_virtually(story())[-1][1] == pytest.approx(365 * 86_400.0)
    assert time.monotonic() - begun < 60


def test_timeouts_and_the_wall_clock_follow_the_jumps() -> None:
    async def story() -> float:
        clock = VirtualClock(1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await asyncio.Event().wait()
        assert clock.now() == virtual_now()
        return (clock.now() - BEGINNING).total_seconds()

    assert run_virtually(story()) == pytest.approx(30)


def test_work_for_threads_is_done_in_place_and_its_errors_arrive() -> None:
    async def story() -> tuple[int, str]:
        where = await asyncio.to_thread(threading.get_ident)
        try:
            await asyncio.to_thread(int, "no number")
        except ValueError as error:
            return where, str(error)
        return where, ""

    where, error = run_virtually(story())
    assert where == threading.get_ident()
    assert "no number" in error


async def _connect() -> None:
    await asyncio.open_connection("127.0.0.1", 9)


async def _listen() -> None:
    await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)


async def _start() -> None:
    await asyncio.create_subprocess_exec("true")


async def _look_up() -> None:
    await asyncio.get_running_loop().getaddrinfo("localhost", 80)


@pytest.mark.parametrize("reach", [_connect, _listen, _start, _look_up])
def test_nothing_leaves_the_process(reach: Callable[[], Awaitable[None]]) -> None:
    async def story() -> None:
        await reach()

    with pytest.raises(OutsideWorld):
        run_virtually(story())


def test_a_socket_cannot_be_waited_for() -> None:
    async def story() -> None:
        with socket.socket() as one:
            one.setblocking(False)
            await asyncio.get_running_loop().sock_recv(one, 1)

    with pytest.raises(NotImplementedError):
        run_virtually(story())


def test_a_world_in_which_everything_waits_is_told_from_one_that_goes_on() -> None:
    async def story() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Standstill, match="no timer"):
        run_virtually(story())


def test_an_instant_that_never_ends_is_found() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()

        def again() -> None:
            loop.call_soon(again)

        again()
        await asyncio.Event().wait()

    with pytest.raises(Standstill, match="time does not go on"):
        run_virtually(story())


def test_the_same_seed_rolls_the_same_dice() -> None:
    assert [VirtualClock(7).random() for _ in range(3)] == [VirtualClock(7).random() for _ in range(3)]
    assert VirtualClock(7).random() != VirtualClock(8).random()
