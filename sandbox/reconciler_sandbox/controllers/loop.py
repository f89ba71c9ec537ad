"""Runs controllers: one watch per path for all of them, a queue and workers for each.

Watches only say which key to look at; every pass reads afresh, so a pass sees its own earlier writes and needs no cache.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from reconciler_sandbox.client import ApiClient, ApiError
from reconciler_sandbox.controllers.objects import Key, Manifest
from reconciler_sandbox.controllers.queue import WorkQueue

PASS_TIMEOUT = 30.0
WORKERS = 4

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trigger:
    """Which keys an event (its type and object) under a collection's path concerns."""

    path: str
    keys: Callable[[str, Manifest], Iterable[Key]]


class Controller(Protocol):
    """Brings one object closer to its specification per pass."""

    name: str

    def triggers(self) -> Sequence[Trigger]:
        """What to watch."""
        ...

    async def reconcile(self, key: Key) -> float | None:
        """One pass; the number is in how many seconds to look again. Raises ApiError to be tried again."""
        ...


async def run(client: ApiClient, controllers: Sequence[Controller]) -> None:
    """Run controllers until cancelled."""
    queues = {controller.name: WorkQueue() for controller in controllers}
    routes: dict[str, list[tuple[Trigger, WorkQueue]]] = defaultdict(list)
    for controller in controllers:
        for trigger in controller.triggers():
            routes[trigger.path].append((trigger, queues[controller.name]))
    try:
        await _run(client, controllers, queues, routes)
    finally:
        for queue in queues.values():
            queue.close()


async def _run(
    client: ApiClient,
    controllers: Sequence[Controller],
    queues: Mapping[str, WorkQueue],
    routes: Mapping[str, list[tuple[Trigger, WorkQueue]]],
) -> None:
    async with asyncio.TaskGroup() as group:
        for controller in controllers:
            for number in range(WORKERS):
                group.create_task(_work(controller, queues[controller.name]), name=f"{controller.name}-{number}")
        for path, listeners in routes.items():
            group.create_task(_watch(client, path, listeners), name=f"watch {path}")


async def _watch(client: ApiClient, path: str, listeners: Sequence[tuple[Trigger, WorkQueue]]) -> None:
    async for kind, manifest in client.watch(path):
        for trigger, queue in listeners:
            for key in trigger.keys(kind, manifest):
                queue.add(key)


async def _work(controller: Controller, queue: WorkQueue) -> None:
    while True:
        key = await queue.take()
        try:
            await _pass(controller, queue, key)
        finally:
            queue.finish(key)


async def _pass(controller: Controller, queue: WorkQueue, key: Key) -> None:
    try:
        async with asyncio.timeout(PASS_TIMEOUT):
            again = await controller.reconcile(key)
    except ApiError as error:
        log.debug("%s %s/%s: %s", controller.name, *key, error)
        queue.retry(key)
        return
    except Exception:  # a bug in one controller must not stop the others; it is logged and tried again
        log.exception("%s %s/%s failed", controller.name, *key)
        queue.retry(key)
        return
    queue.forget(key)
    if again is not None:
        queue.add_after(key, max(again, 0.0))
