"""The work queue: coalescing, one worker per key, later additions."""

import asyncio

from reconciler_sandbox.controllers.objects import Key
from reconciler_sandbox.controllers.queue import WorkQueue

KEY = Key("shop", "web")
OTHER = Key("shop", "api")


async def test_a_key_added_twice_is_handed_out_once() -> None:
    queue = WorkQueue()
    queue.add(KEY)
    queue.add(KEY)
    queue.add(OTHER)
    assert [await queue.take(), await queue.take()] == [KEY, OTHER]


async def test_a_key_added_during_its_pass_waits_for_the_end_of_that_pass() -> None:
    queue = WorkQueue()
    queue.add(KEY)
    await queue.take()
    queue.add(KEY)
    queue.add(OTHER)
    assert await queue.take() == OTHER
    queue.finish(KEY)
    assert await queue.take() == KEY


async def test_a_delayed_key_arrives_and_the_earliest_delay_wins() -> None:
    queue = WorkQueue()
    queue.add_after(KEY, 60)
    queue.add_after(KEY, 0.01)
    async with asyncio.timeout(10):
        assert await queue.take() == KEY


async def test_a_retried_key_comes_back() -> None:
    queue = WorkQueue()
    queue.retry(KEY)
    async with asyncio.timeout(10):
        assert await queue.take() == KEY
    queue.forget(KEY)


async def test_closing_drops_what_was_delayed() -> None:
    queue = WorkQueue()
    queue.add_after(KEY, 60)
    queue.close()
    queue.add(OTHER)
    assert await queue.take() == OTHER
