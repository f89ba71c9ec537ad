"""Keys waiting: each once, one worker a key, later ones by time."""

import asyncio
from datetime import timedelta

import pytest
from reconciler_sandbox.rehearsal.virtual.clock import VirtualClock
from reconciler_sandbox.rehearsal.virtual.loop import run_virtually

from reconciler.kernel.clock import SystemClock
from reconciler.kernel.identity import Key
from reconciler.runtime.queue import CLOCK_LOOK, LONGEST_PAUSE, PER_CONTROLLER, Queue
from tests.kit.world import JumpingClock

A, B = Key("c", "shop", "a"), Key("c", "shop", "b")


@pytest.fixture
def clock() -> JumpingClock:
    return JumpingClock()


@pytest.fixture
def queue(clock: JumpingClock) -> Queue:
    return Queue(clock)


async def taken(queue: Queue) -> Key:
    return await asyncio.wait_for(queue.take(), 10)


async def ready(queue: Queue) -> Key | None:
    """The key that can be taken now, taken; None when there is none."""
    task = asyncio.ensure_future(queue.take())
    for _ in range(3):
        await asyncio.sleep(0)
    if task.done():
        return task.result()
    task.cancel()
    await asyncio.wait({task})
    return None


async def nothing(queue: Queue) -> bool:
    return await ready(queue) is None


def jump(clock: JumpingClock, seconds: float) -> None:
    clock.time += timedelta(seconds=seconds)


async def test_a_key_added_often_is_worked_on_once(queue: Queue) -> None:
    for key in (A, A, B, A):
        queue.add(key)
    assert [await taken(queue), await taken(queue)] == [A, B]
    assert await nothing(queue)


async def test_a_key_added_while_it_is_worked_on_comes_again_and_only_then(queue: Queue) -> None:
    queue.add(A)
    assert await taken(queue) == A
    queue.add(A)
    queue.add(A)
    assert await nothing(queue)
    queue.done(A)
    assert await taken(queue) == A
    queue.done(A)
    assert await nothing(queue)


async def test_a_later_key_waits_for_its_time(queue: Queue, clock: JumpingClock) -> None:
    queue.add_after(A, 60)
    assert await nothing(queue)
    jump(clock, 61)
    assert await taken(queue) == A


async def test_the_earlier_time_wins_and_is_used_once(queue: Queue, clock: JumpingClock) -> None:
    queue.add_after(A, 60)
    queue.add_after(A, 10)
    queue.add_after(A, 90)
    jump(clock, 11)
    assert await taken(queue) == A
    queue.done(A)
    jump(clock, 100)
    assert await nothing(queue)


async def test_a_time_that_has_passed_is_now(queue: Queue) -> None:
    queue.add_after(A, -5)
    assert await taken(queue) == A


async def test_keys_come_in_the_order_of_their_times(queue: Queue, clock: JumpingClock) -> None:
    queue.add_after(B, 20)
    queue.add_after(A, 10)
    jump(clock, 30)
    assert [await taken(queue), await taken(queue)] == [A, B]


async def test_a_key_that_is_due_while_it_is_worked_on_comes_afterwards(queue: Queue, clock: JumpingClock) -> None:
    queue.add(A)
    await taken(queue)
    queue.add_after(A, 5)
    jump(clock, 6)
    assert await nothing(queue)
    queue.done(A)
    assert await taken(queue) == A


async def test_failures_wait_longer_each_time_until_one_pass_goes_well(queue: Queue, clock: JumpingClock) -> None:
    pauses = []
    for _ in range(12):
        queue.retry(A)
        before = clock.monotonic()
        while await ready(queue) is None:
            jump(clock, 0.05)
        queue.done(A)
        pauses.append(clock.monotonic() - before)
    assert pauses == sorted(pauses)
    assert pauses[0] < 0.2 and pauses[-1] <= LONGEST_PAUSE + 0.1
    queue.forget(A)
    queue.retry(A)
    jump(clock, 0.06)
    assert await taken(queue) == A


async def test_what_fails_for_days_waits_the_longest_pause_each_time(queue: Queue, clock: JumpingClock) -> None:
    for _ in range(2000):
        queue.retry(A)
        jump(clock, LONGEST_PAUSE)
        assert await taken(queue) == A
        queue.done(A)
    queue.retry(A)
    jump(clock, LONGEST_PAUSE - 1)
    assert await nothing(queue)
    jump(clock, 1)
    assert await taken(queue) == A


async def test_what_the_other_side_asked_for_is_waited_for(queue: Queue, clock: JumpingClock) -> None:
    queue.retry(A, 45)
    jump(clock, 44)
    assert await nothing(queue)
    jump(clock, 2)
    assert await taken(queue) == A


async def test_a_waiting_worker_is_woken_by_a_key_and_by_time() -> None:
    queue = Queue(SystemClock())
    waiting = asyncio.ensure_future(queue.take())
    await asyncio.sleep(0)
    queue.add(A)
    assert await asyncio.wait_for(waiting, 10) == A
    waiting = asyncio.ensure_future(queue.take())
    await asyncio.sleep(0)
    queue.add_after(B, 0.01)
    assert await asyncio.wait_for(waiting, 10) == B


async def test_it_is_idle_when_nothing_is_ready_and_nobody_works(queue: Queue) -> None:
    assert queue.idle and len(queue) == 0
    queue.add(A)
    assert not queue.idle and len(queue) == 1
    await taken(queue)
    assert not queue.idle
    queue.done(A)
    assert queue.idle


@pytest.mark.parametrize("turns", range(3))
async def test_a_worker_that_is_cancelled_while_a_key_arrives_ends(queue: Queue, turns: int) -> None:
    queue.add_after(B, 60)
    waiting = asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    queue.add(A)
    for _ in range(turns):  # how far the news of the key has come when the worker is told to end
        await asyncio.sleep(0)
    arrived = waiting.done()
    waiting.cancel()
    await asyncio.wait({waiting}, timeout=5)
    assert waiting.cancelled() or arrived


async def test_a_key_wakes_one_worker_and_leaves_the_others_asleep(queue: Queue) -> None:
    workers = [asyncio.ensure_future(queue.take()) for _ in range(16)]
    await asyncio.sleep(0)
    queue.add(A)
    queue.add(B)
    await asyncio.wait(workers, timeout=10, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.sleep(0)
    assert {worker.result() for worker in workers if worker.done()} == {A, B}
    assert sum(1 for worker in workers if not worker.done()) == 14
    for worker in workers:
        worker.cancel()
    await asyncio.wait(workers)


async def test_what_a_cancelled_worker_was_woken_for_is_anothers(queue: Queue) -> None:
    first, second = asyncio.ensure_future(queue.take()), asyncio.ensure_future(queue.take())
    await asyncio.sleep(0)
    queue.add(A)
    first.cancel()
    assert await asyncio.wait_for(second, 10) == A
    assert first.cancelled() or first.done()


async def test_the_earliest_time_wakes_a_worker_that_was_asleep_for_a_later_one() -> None:
    queue = Queue(SystemClock())
    queue.add_after(B, 3600)
    waiting = asyncio.ensure_future(queue.take())
    await asyncio.sleep(0)
    queue.add_after(A, 0.01)
    assert await asyncio.wait_for(waiting, 10) == A


async def test_a_controller_whose_passes_hang_holds_up_no_other(queue: Queue) -> None:
    """As many keys as one controller may have in work, and more that wait: those of another are taken all the same, the oldest first."""
    for number in range(PER_CONTROLLER + 2):
        queue.add(Key("analysis", "shop", str(number)))
    hanging = [await taken(queue) for _ in range(PER_CONTROLLER)]
    assert await nothing(queue)
    queue.add(A)
    queue.add(B)
    assert [await taken(queue), await taken(queue)] == [A, B]
    queue.done(hanging[0])
    assert await ready(queue) == Key("analysis", "shop", str(PER_CONTROLLER))
    assert await nothing(queue) and len(queue) == 1 and not queue.idle


@pytest.mark.parametrize("wrong_by", [timedelta(hours=3), timedelta(hours=-3)])
async def test_a_wall_clock_that_is_set_hands_out_what_waits_once(queue: Queue, clock: JumpingClock, wrong_by: timedelta) -> None:
    queue.add_after(A, 3 * 3600)
    jump(clock, 60)
    assert await nothing(queue)
    clock.wrong_by = wrong_by
    assert await ready(queue) == A
    queue.done(A)
    queue.add_after(A, 60)
    jump(clock, 59)
    assert await nothing(queue)
    jump(clock, 1)
    assert await ready(queue) == A


async def test_a_wall_clock_that_is_slowed_down_is_not_set(queue: Queue, clock: JumpingClock) -> None:
    queue.add_after(A, 3600)
    for _ in range(60):
        jump(clock, 30)
        clock.wrong_by += timedelta(milliseconds=15)
        assert await nothing(queue)


def test_a_worker_that_waits_looks_at_the_clock_meanwhile() -> None:
    async def waits() -> float:
        clock = VirtualClock(1)
        queue = Queue(clock)
        queue.add_after(A, 3 * 3600)
        waiting = asyncio.ensure_future(queue.take())
        await clock.sleep(100)
        clock.wrong_by = timedelta(hours=3)
        assert await waiting == A
        return clock.monotonic()

    assert 100 < run_virtually(waits()) <= 100 + CLOCK_LOOK
