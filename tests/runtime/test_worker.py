"""What becomes of a pass: waiting, retrying, sleeping, and never stopping the others."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import structlog

from reconciler.kernel.clock import SystemClock
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import Key, Manifest, Resource
from reconciler.kube.errors import Conflict, Forbidden, NotFound, Refused
from reconciler.runtime.pass_times import PassTimes
from reconciler.runtime.queue import Queue
from reconciler.runtime.worker import Worker
from tests.kit.clusters import running
from tests.kit.wait import until

GOOD, BAD = Key("test", "shop", "good"), Key("test", "shop", "bad")
Outcome = Callable[[], datetime | None]


class Scripted:
    """A controller whose passes over `bad` end as told, one after the other; afterwards they go well."""

    name = "test"
    watches: tuple[Resource, ...] = ()

    def __init__(self, *outcomes: Outcome) -> None:
        self.passes: list[Key] = []
        self.times = PassTimes((self.name,))
        self._outcomes = list(outcomes)

    def keys_for(self, resource: Resource, manifest: Manifest) -> Iterable[Key]:
        return ()

    async def reconcile(self, key: Key) -> datetime | None:
        self.passes.append(key)
        if key == BAD and self._outcomes:
            return self._outcomes.pop(0)()
        return None

    def count(self, key: Key) -> int:
        return self.passes.count(key)


def failing(error: Exception) -> Outcome:
    def fail() -> datetime | None:
        raise error

    return fail


@asynccontextmanager
async def working(controller: Scripted, workers: int = 1) -> AsyncIterator[Queue]:
    queue = Queue(SystemClock())
    async with running(*[Worker({"test": controller}, queue, SystemClock(), controller.times).run() for _ in range(workers)]):
        yield queue


async def rested(controller: Scripted, queue: Queue) -> None:
    """The queue has nothing more for the bad key: another one went through after it."""
    queue.add(GOOD)
    await until(lambda: controller.count(GOOD) == 1 and queue.idle)


async def test_what_is_terminal_waits_for_a_change() -> None:
    controller = Scripted(failing(Terminal("no such step")))
    async with working(controller) as queue:
        queue.add(BAD)
        await rested(controller, queue)
        assert controller.count(BAD) == 1
        queue.add(BAD)
        await until(lambda: controller.count(BAD) == 2)


async def test_every_pass_is_counted_and_an_object_that_is_gone_is_no_failure() -> None:
    controller = Scripted(failing(NotFound(404, "NotFound", "gone")), failing(Terminal("no such step")), failing(ValueError("a bug")))
    async with working(controller) as queue:
        for _ in range(2):
            queue.add(BAD)
            await until(lambda: queue.idle)
        queue.add(BAD)
        await until(lambda: controller.count(BAD) == 4)
        await rested(controller, queue)
    times = controller.times.of("test", {("shop", "good"), ("shop", "bad")})
    counts = {place[1]: (time.count, time.failed) for place, time in times.items()}
    assert counts == {"good": (1, 0), "bad": (4, 2)} and all(time.seconds > 0 for time in times.values())


async def test_a_right_that_is_missing_now_is_asked_for_again() -> None:
    controller = Scripted(failing(Forbidden(403, "Forbidden", "RBAC: clusterrole not found")))
    async with working(controller) as queue:
        queue.add(BAD)
        await until(lambda: controller.count(BAD) == 2)


async def test_what_the_server_will_never_take_is_not_tried_again() -> None:
    controller = Scripted(failing(Refused(422, "Invalid", "no such field")))
    async with working(controller) as queue:
        queue.add(BAD)
        await rested(controller, queue)
        assert controller.count(BAD) == 1


async def test_what_is_transient_is_tried_again() -> None:
    controller = Scripted(failing(Transient("away")), failing(Conflict(409, "Conflict", "somebody wrote")))
    async with working(controller) as queue:
        queue.add(BAD)
        await until(lambda: controller.count(BAD) == 3)


async def test_a_gone_object_is_not_tried_again() -> None:
    controller = Scripted(failing(NotFound(404, "NotFound", "gone")))
    async with working(controller) as queue:
        queue.add(BAD)
        await rested(controller, queue)
        assert controller.count(BAD) == 1


async def test_a_bug_is_logged_with_its_key_and_tried_again() -> None:
    controller = Scripted(failing(ZeroDivisionError("oh")))
    with structlog.testing.capture_logs() as logs:
        async with working(controller) as queue:
            queue.add(BAD)
            await until(lambda: controller.count(BAD) == 2)
    (logged,) = [entry for entry in logs if entry["log_level"] == "error"]
    assert logged["name"] == "bad" and isinstance(logged["exc_info"], ZeroDivisionError)


async def test_one_failing_key_never_stops_the_others() -> None:
    controller = Scripted(*[failing(RuntimeError("again"))] * 50)
    async with working(controller) as queue:
        queue.add(BAD)
        for number in range(5):
            queue.add(Key("test", "shop", f"other-{number}"))
        await until(lambda: len(set(controller.passes)) == 6)
        await until(lambda: controller.count(BAD) >= 3)


async def test_a_pass_is_woken_at_the_time_it_asked_for() -> None:
    controller = Scripted(lambda: datetime.now(UTC) + timedelta(seconds=0.05), lambda: datetime.now(UTC) - timedelta(hours=1))
    async with working(controller) as queue:
        queue.add(BAD)
        await until(lambda: controller.count(BAD) == 3)


async def test_a_key_is_with_one_worker_at_a_time() -> None:
    inside, most = 0, 0

    class Slow(Scripted):
        async def reconcile(self, key: Key) -> datetime | None:
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1
            return await super().reconcile(key)

    controller = Slow()
    async with working(controller, workers=4) as queue:
        for expected in range(1, 6):
            queue.add(BAD)
            await until(lambda expected=expected: controller.count(BAD) >= expected)  # type: ignore[misc]
    assert most == 1


class Clumsy(Scripted):
    """A controller that fails while it cleans up after a cancellation."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = asyncio.Event()

    async def reconcile(self, key: Key) -> datetime | None:
        self.waiting.set()
        try:
            return await asyncio.get_running_loop().create_future()
        finally:
            raise ProcessLookupError


async def test_a_pass_that_fails_while_it_is_cancelled_does_not_keep_the_worker_alive() -> None:
    controller, queue = Clumsy(), Queue(SystemClock())
    worker = asyncio.create_task(Worker({"test": controller}, queue, SystemClock(), PassTimes(())).run())
    queue.add(GOOD)
    await asyncio.wait_for(controller.waiting.wait(), 20)
    worker.cancel()
    done, _ = await asyncio.wait([worker], timeout=20)
    assert worker in done and worker.cancelled()
