"""Turns keys into passes: takes a key, reconciles it, and decides from the outcome when to look again."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

import structlog

from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import Key, Manifest, Resource
from reconciler.kube.errors import Forbidden, NotFound
from reconciler.runtime.pass_times import PassTimes
from reconciler.runtime.queue import Queue

PASS_LIMIT = 120.0
log = structlog.get_logger()


class Controller(Protocol):
    """One kind of work: which objects it watches, which keys an object concerns, and one pass over a key."""

    @property
    def name(self) -> str: ...

    @property
    def watches(self) -> Sequence[Resource]: ...

    def keys_for(self, resource: Resource, manifest: Manifest) -> Iterable[Key]: ...

    async def reconcile(self, key: Key) -> datetime | None: ...


@runtime_checkable
class Unhurried(Protocol):
    """A controller whose passes end by themselves, however long they take: each call in them has its own limit."""

    unhurried: bool


class Worker:
    """Runs passes of all controllers from one queue. A failing key is retried; it never stops the others."""

    def __init__(self, controllers: Mapping[str, Controller], queue: Queue, clock: Clock, times: PassTimes) -> None:
        self._controllers = controllers
        self._queue = queue
        self._clock = clock
        self._times = times
        self._limits = {name: None if isinstance(one, Unhurried) else PASS_LIMIT for name, one in controllers.items()}

    async def run(self) -> None:
        while True:
            key = await self._queue.take()
            try:
                await self._pass(key)
            finally:
                self._queue.done(key)
            _stop_if_asked()

    async def _pass(self, key: Key) -> None:
        begin = self._clock.monotonic()
        well = await self._tried(key)
        self._times.note(key, self._clock.monotonic() - begin, failed=not well)

    async def _tried(self, key: Key) -> bool:
        """One pass; false when it failed. An object that is gone is no failure."""
        try:
            controller = self._controllers[key.controller]
            async with asyncio.timeout(self._limits[key.controller]):
                wake_at = await controller.reconcile(key)
        except NotFound as error:
            self._queue.forget(key)
            log.debug("object is gone", **_words(key), reason=str(error))
            return True
        except Forbidden as error:
            self._queue.retry(key)
            log.warning("not allowed, trying again", **_words(key), reason=str(error))
        except Terminal as error:
            self._queue.forget(key)
            log.warning("waiting for a change", **_words(key), reason=str(error))
        except Transient as error:
            self._queue.retry(key, error.retry_after)
            log.info("trying again", **_words(key), reason=str(error))
        except Exception as error:
            self._queue.retry(key)
            log.error("a bug: pass failed", **_words(key), exc_info=error)
        else:
            self._queue.forget(key)
            self._wake(key, wake_at)
            return True
        return False

    def _wake(self, key: Key, wake_at: datetime | None) -> None:
        if wake_at is not None:
            self._queue.add_after(key, (wake_at - self._clock.now()).total_seconds())


def _stop_if_asked() -> None:
    """A pass that failed while it was cancelled has put its own error in the cancellation's place: we were asked to stop all the same."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _words(key: Key) -> dict[str, str]:
    return {"controller": key.controller, "namespace": key.namespace, "name": key.name}
